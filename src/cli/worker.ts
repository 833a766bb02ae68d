import { Command } from 'commander';
import { connectQueue, serveQueue } from '../dataset/queue/index.ts';
import type { ShardRunner } from '../dataset/types.ts';
import { plural } from '../node/report/words.ts';
import { autoOrCount, notNegative, positive } from './arguments.ts';
import { type Context, EXIT } from './context.ts';
import { addQueueOptions, type QueueCommandOptions, requireQueue } from './queue-options.ts';

interface WorkerCommandOptions extends QueueCommandOptions {
  workers: number | 'auto';
  grace: number;
  untilIdle?: number;
}

/** @param openRunner - Starts the threads that do the shards. */
export function workerCommand(
  context: Context,
  openRunner: (options: { workers: number | 'auto' }) => Promise<ShardRunner>,
): Command {
  const command = new Command('worker').description(
    "Do the shards of data sets that others put into a queue ('seedspan precompute --queue'). Stores and inputs must be at the same paths here.",
  );
  return addQueueOptions(command)
    .option('--workers <n|auto>', 'threads; auto: one for each processor core', autoOrCount, 'auto')
    .option(
      '--grace <seconds>',
      'when asked to end, time to finish what is at work; then it is given back',
      notNegative,
      30,
    )
    .option(
      '--until-idle <seconds>',
      'end when the queue had nothing, or was out of reach, for so long (default: never)',
      positive,
    )
    .addHelpText(
      'after',
      `
Examples:
  seedspan worker --queue redis://queue.example:6379
  SEEDSPAN_QUEUE=rediss://user:password@queue.example seedspan worker --workers 4
  seedspan worker --queue redis://queue.example --until-idle 60

A signal (SIGTERM, SIGINT) ends it: exit code 0 when all at work could be finished, 128 and the signal's number when
shards were given back for others. A second one ends it at once; its shards are taken over half a minute later.`,
    )
    .action(async (options: WorkerCommandOptions) => {
      const { stderr, stdout, signal } = context;
      const onNotice = (text: string) => stderr.write(`${text}\n`);
      const queue = await connectQueue(requireQueue(options), { signal, onNotice });
      try {
        const runner = await openRunner({ workers: options.workers });
        try {
          onNotice(`${plural(runner.threads, 'thread')} for ${queue.shown}, queue ${queue.name}`);
          const served = await serveQueue({
            queue,
            runner,
            signal,
            grace: options.grace,
            ...(options.untilIdle === undefined ? {} : { untilIdle: options.untilIdle }),
            onNotice,
            onShard: ({ shard, images, failed, unconverged }) => {
              const aside = failed > 0 ? `, ${failed} set aside` : '';
              const short = unconverged > 0 ? `, ${unconverged} not converged` : '';
              onNotice(`shard ${shard}: ${plural(images, 'image')}${aside}${short}`);
            },
          });
          const { shards, images, returned } = served;
          const back = returned > 0 ? `, ${plural(returned, 'shard')} given back` : '';
          stdout.write(`${plural(shards, 'shard')} done, ${plural(images, 'image')}${back}\n`);
          if (signal.aborted && returned > 0) context.exitCode = EXIT.interrupted;
        } finally {
          await runner.close();
        }
      } finally {
        queue.close();
      }
    });
}
