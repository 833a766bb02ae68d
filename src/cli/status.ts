import { Command } from 'commander';
import type { StoreStatus } from '../dataset/index.ts';
import {
  connectQueue,
  type QueueConnection,
  type QueueStatus,
  queueStatus,
  timeLeft,
} from '../dataset/queue/index.ts';
import { pause } from '../dataset/waiting.ts';
import { SeedspanError } from '../errors.ts';
import { count, duration } from '../node/report/words.ts';
import { positive } from './arguments.ts';
import { type Context, textTable } from './context.ts';
import { addQueueOptions, type QueueCommandOptions, queueAddress } from './queue-options.ts';

interface Status {
  store?: StoreStatus;
  queue?: QueueStatus;
  /** Until all is done, where that can be told. */
  secondsLeft?: number;
}

interface StatusCommandOptions extends QueueCommandOptions {
  json?: true;
  watch?: number | true;
}

/** How long a queue may take to answer, in milliseconds. */
const PATIENCE = 5000;

function megabytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function storeText({
  store,
  images,
  done,
  failed,
  unconverged,
  shards,
  shardsDone,
  bytes,
}: StoreStatus): string {
  const share = images === 0 ? 100 : Math.floor((100 * done) / images);
  return textTable(
    ['store', store],
    [
      ['images done', `${count(done)} of ${count(images)} (${share} %)`],
      ['set aside', count(failed)],
      ['not converged', count(unconverged)],
      ['shards done', `${count(shardsDone)} of ${count(shards)}`],
      ['on disk', megabytes(bytes)],
    ],
  );
}

function queueText(status: QueueStatus): string[] {
  const { queue, name, waiting, active, delayed, failed, rate, workers, failures } = status;
  const parts = [
    textTable(
      ['queue', `${queue} ${name}`],
      [
        ['shards waiting', count(waiting)],
        ['at work', count(active)],
        ['to be tried again', count(delayed)],
        ['given up', count(failed)],
        ['images a second', rate.toFixed(2)],
      ],
    ),
  ];
  if (workers.length > 0) {
    parts.push(
      textTable(
        ['worker', 'threads', 'shards', 'images', 'images/s', 'at shards'],
        workers.map(({ machine, pid, threads, shards, images, rate: own, working }) => [
          `${machine}/${pid}`,
          count(threads),
          count(shards),
          count(images),
          own.toFixed(2),
          working.map((at) => `${at.shard} (${count(at.images)})`).join(' ') || '-',
        ]),
      ),
    );
  }
  if (failures.length > 0) {
    parts.push(
      [
        'given up:',
        ...failures.map(
          ({ store, shard, attempts, code, message }) =>
            `  shard ${shard} of ${store}, attempt ${attempts}: ${code}: ${message}`,
        ),
      ].join('\n'),
    );
  }
  return parts;
}

function statusText({ store, queue, secondsLeft }: Status): string {
  const parts = [
    ...(store === undefined ? [] : [storeText(store)]),
    ...(queue === undefined ? [] : queueText(queue)),
    ...(secondsLeft === undefined || secondsLeft === 0 ? [] : [`about ${duration(secondsLeft * 1000)} left`]),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** @param watchStore - Opens a store, whose records are then added up again and again. */
export function statusCommand(
  context: Context,
  watchStore: (path: string) => Promise<() => Promise<StoreStatus>>,
): Command {
  const command = new Command('status')
    .description("Show how far a data set has come, and what a queue's workers do.")
    .argument('[store]', 'folder.zarr of a run');
  return addQueueOptions(command)
    .option('--json', 'print JSON; with --watch one line each time')
    .option('--watch [seconds]', 'show it again and again (default: every 2 s)', positive)
    .addHelpText(
      'after',
      `
Examples:
  seedspan status scores.zarr
  seedspan status --queue redis://queue.example:6379 --watch
  seedspan status scores.zarr --queue redis://queue.example:6379 --json`,
    )
    .action(async (path: string | undefined, options: StatusCommandOptions) => {
      const { signal, stdout } = context;
      const address = queueAddress(options);
      if (path === undefined && address === undefined) {
        throw new SeedspanError(
          'USAGE',
          'of what? name a store, a queue (--queue or SEEDSPAN_QUEUE), or both',
        );
      }
      const store = path === undefined ? undefined : await watchStore(path);
      const connection =
        address === undefined ? undefined : await connectQueue(address, { signal, patience: PATIENCE });
      try {
        const interval = options.watch === true ? 2 : options.watch;
        do {
          const status = await look(store, connection);
          if (options.json) stdout.write(`${JSON.stringify(status, null, interval === undefined ? 2 : 0)}\n`);
          else
            stdout.write(
              `${stdout.isTTY && interval !== undefined ? '\u001b[H\u001b[J' : ''}${statusText(status)}`,
            );
        } while (interval !== undefined && (await again(interval, signal)));
      } finally {
        connection?.close();
      }
    });
}

async function look(
  watch: (() => Promise<StoreStatus>) | undefined,
  connection: QueueConnection | undefined,
): Promise<Status> {
  const store = await watch?.();
  const queue = connection === undefined ? undefined : await queueStatus(connection);
  const secondsLeft = queue === undefined ? undefined : timeLeft(queue, store);
  return {
    ...(store === undefined ? {} : { store }),
    ...(queue === undefined ? {} : { queue }),
    ...(secondsLeft === undefined ? {} : { secondsLeft }),
  };
}

/** Waits; `false` when interrupted, which is how watching ends. */
async function again(seconds: number, signal: AbortSignal): Promise<boolean> {
  await pause(1000 * seconds, signal);
  return !signal.aborted;
}
