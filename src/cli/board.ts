import { Command } from 'commander';
import { connectQueue, serveBoard } from '../dataset/queue/index.ts';
import { integerFrom } from './arguments.ts';
import type { Context } from './context.ts';
import { addQueueOptions, type QueueCommandOptions, requireQueue } from './queue-options.ts';

interface BoardCommandOptions extends QueueCommandOptions {
  port: number;
  host: string;
  allowChanges?: true;
}

/** How long the queue may take to answer at first, in milliseconds. */
const PATIENCE = 5000;

export function boardCommand(context: Context): Command {
  const command = new Command('board').description(
    'Serve a page that shows a queue: jobs, workers, failures.',
  );
  return addQueueOptions(command)
    .option('--port <n>', 'port; 0: any that is free', integerFrom(0), 3000)
    .option(
      '--host <address>',
      'address to listen at; others than 127.0.0.1 show the page to others',
      '127.0.0.1',
    )
    .option('--allow-changes', 'let the page retry, remove and pause (default: it only shows)')
    .addHelpText(
      'after',
      `
Examples:
  seedspan board --queue redis://queue.example:6379
  SEEDSPAN_QUEUE=rediss://user:password@queue.example seedspan board --port 8080

The page asks nobody for a password: leave it on 127.0.0.1, or put a server before it that does.`,
    )
    .action(async (options: BoardCommandOptions) => {
      const { signal, stdout, stderr } = context;
      const onNotice = (text: string) => stderr.write(`${text}\n`);
      const queue = await connectQueue(requireQueue(options), { signal, patience: PATIENCE, onNotice });
      try {
        const { port, host, allowChanges } = options;
        const board = await serveBoard(queue, { port, host, ...(allowChanges ? { allowChanges } : {}) });
        try {
          stdout.write(`${board.url}\n`);
          await new Promise<void>((resolve) => {
            if (signal.aborted) resolve();
            signal.addEventListener('abort', () => resolve(), { once: true });
          });
        } finally {
          await board.close();
        }
      } finally {
        queue.close();
      }
    });
}
