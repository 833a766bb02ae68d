import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { DEFAULT_PREFIX, DEFAULT_QUEUE, type QueueAddress } from '../dataset/queue/index.ts';
import { SeedspanError } from '../errors.ts';

export interface QueueCommandOptions {
  queue?: string;
  queueName: string;
  queuePrefix: string;
  queueCa?: string;
}

/** Adds the options that say which queue. Addresses are read by the action: a wrong one is never repeated whole. */
export function addQueueOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--queue <url>',
        'Redis or Valkey: redis://host:6379, rediss://user:password@host (TLS), unix:///path.sock; the password may stand in SEEDSPAN_QUEUE_PASSWORD instead, or in the file that SEEDSPAN_QUEUE_PASSWORD_FILE names',
      ).env('SEEDSPAN_QUEUE'),
    )
    .addOption(
      new Option('--queue-ca <file>', 'PEM file of the certificate authority of a rediss:// queue').env(
        'SEEDSPAN_QUEUE_CA',
      ),
    )
    .option('--queue-name <name>', 'name of the queue', DEFAULT_QUEUE)
    .option('--queue-prefix <prefix>', 'what its keys begin with', DEFAULT_PREFIX);
}

/** The password that the environment gives, or a file that it names, such as a container's secret; or none. */
function passwordBeside(): string {
  const { SEEDSPAN_QUEUE_PASSWORD = '', SEEDSPAN_QUEUE_PASSWORD_FILE: file = '' } = process.env;
  if (SEEDSPAN_QUEUE_PASSWORD !== '' || file === '') return SEEDSPAN_QUEUE_PASSWORD;
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SeedspanError('IO', `cannot read ${file}, which SEEDSPAN_QUEUE_PASSWORD_FILE names: ${code}`);
  }
}

/** The queue that the options name; `undefined` if none. */
export function queueAddress(options: QueueCommandOptions): QueueAddress | undefined {
  const { queue, queueCa, queueName, queuePrefix } = options;
  if (queue === undefined || queue === '') return undefined;
  const password = passwordBeside();
  return {
    url: queue,
    name: queueName,
    prefix: queuePrefix,
    ...(password === '' ? {} : { password }),
    ...(queueCa === undefined || queueCa === '' ? {} : { ca: queueCa }),
  };
}

/** The queue that the options name, for a command that is nothing without. */
export function requireQueue(options: QueueCommandOptions): QueueAddress {
  const address = queueAddress(options);
  if (address !== undefined) return address;
  throw new SeedspanError(
    'USAGE',
    'which queue? give --queue redis://host:6379, or the environment variable SEEDSPAN_QUEUE',
  );
}
