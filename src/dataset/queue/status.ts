import { SeedspanError } from '../../errors.ts';
import { within } from '../waiting.ts';
import type { QueueConnection } from './connection.ts';
import { parseFailure } from './jobs.ts';
import { listWorkers, type WorkerStatus } from './presence.ts';

/** How far a store is, as far as the time left is concerned. */
export interface StoreProgress {
  images: number;
  /** Images of the shards that are done, failed ones among them. */
  done: number;
}

/** A shard that was given up. */
export interface FailedShard {
  store: string;
  shard: number;
  attempts: number;
  code: string;
  message: string;
}

/** What a queue has. */
export interface QueueStatus {
  /** Its address, without user and password. */
  queue: string;
  name: string;
  /** Shards that wait for a worker. */
  waiting: number;
  /** Shards at work. */
  active: number;
  /** Shards that failed and wait for their next attempt. */
  delayed: number;
  /** Shards given up. */
  failed: number;
  workers: WorkerStatus[];
  /** Images a second, of all workers, over the last minute. */
  rate: number;
  /** The latest of the shards given up. */
  failures: FailedShard[];
}

/** How many failures are listed. */
const LISTED = 20;
/** Milliseconds for the whole answer. */
const PATIENCE = 10_000;

/**
 * Asks a queue how it stands.
 *
 * @throws SeedspanError `IO` where it does not answer
 */
export async function queueStatus(connection: QueueConnection): Promise<QueueStatus> {
  const status = await within(PATIENCE, ask(connection)).catch((error) => {
    throw new SeedspanError('IO', `the queue at ${connection.shown} refuses: ${connection.describe(error)}`);
  });
  if (status === undefined) {
    throw new SeedspanError('IO', `the queue at ${connection.shown} does not answer`);
  }
  return status;
}

async function ask(connection: QueueConnection): Promise<QueueStatus> {
  const { bullmq, client, name, prefix, shown } = connection;
  const queue = new bullmq.Queue(name, { connection: client, prefix });
  queue.on('error', () => undefined);
  try {
    const { waiting, active, delayed, failed } = await queue.getJobCounts(
      'waiting',
      'active',
      'delayed',
      'failed',
    );
    const jobs = await queue.getFailed(0, LISTED - 1);
    const workers = await listWorkers(connection);
    return {
      queue: shown,
      name,
      waiting,
      active,
      delayed,
      failed,
      workers,
      rate: workers.reduce((sum, { rate }) => sum + rate, 0),
      failures: jobs.map(({ data, attemptsMade, stalledCounter, failedReason }) => ({
        store: String(data?.store),
        shard: Number(data?.shard),
        attempts: attemptsMade + stalledCounter,
        ...parseFailure(failedReason),
      })),
    };
  } finally {
    await queue.close();
  }
}

/**
 * Seconds until all is done at the rate of now. Without a store its images are not known: then from the shards in the
 * queue, and the images a shard of those that the workers did. `undefined` where nothing tells.
 */
export function timeLeft(queue: QueueStatus, store?: StoreProgress): number | undefined {
  if (queue.rate <= 0) return undefined;
  if (store !== undefined) return (store.images - store.done) / queue.rate;
  const shards = queue.workers.reduce((sum, worker) => sum + worker.shards, 0);
  if (shards === 0) return undefined;
  const images = queue.workers.reduce((sum, worker) => sum + worker.images, 0);
  return ((queue.waiting + queue.active + queue.delayed) * (images / shards)) / queue.rate;
}
