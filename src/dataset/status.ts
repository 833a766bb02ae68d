import { openRun, type Run } from './run.ts';
import type { ImageRecord, ShardRecord, ShardSummary } from './types.ts';

/** How far a run has come, by its store alone. */
export interface StoreStatus {
  store: string;
  /** The plan's hash. */
  plan: string;
  images: number;
  /** Done, those set aside among them. */
  done: number;
  /** Set aside. */
  failed: number;
  /** Computed, but short of their tolerance. */
  unconverged: number;
  shards: number;
  shardsDone: number;
  /** Of the shards that are done, on disk. */
  bytes: number;
  iterations: number;
  /** Of computing, over all threads. */
  seconds: number;
  /** The first images that were set aside. */
  failures: Pick<ImageRecord, 'index' | 'source' | 'error'>[];
  complete: boolean;
}

/** Most failures that are listed; the records have all. */
const MOST_FAILURES = 100;

/**
 * Adds up the records of a store.
 *
 * @throws SeedspanError `IO`, `BAD_FORMAT`.
 */
export async function storeStatus(path: string): Promise<StoreStatus> {
  return await statusOf(await openRun(path));
}

export async function statusOf({ store, plan, hash }: Run): Promise<StoreStatus> {
  const status: StoreStatus = {
    store: store.path,
    plan: hash,
    images: plan.images,
    done: 0,
    failed: 0,
    unconverged: 0,
    shards: Math.ceil(plan.images / plan.store.shardImages),
    shardsDone: 0,
    bytes: 0,
    iterations: 0,
    seconds: 0,
    failures: [],
    complete: false,
  };
  for (const shard of await store.doneShards()) {
    const record = await store.readRecord(shard);
    if (record === undefined) continue;
    const { images, bytes } = record;
    status.shardsDone++;
    status.bytes += bytes;
    for (const image of images) {
      status.done++;
      status.iterations += image.iterations;
      status.seconds += image.seconds;
      if (image.status === 'failed') {
        status.failed++;
        const { index, source, error } = image;
        if (status.failures.length < MOST_FAILURES) status.failures.push({ index, source, error });
      } else if (image.status !== 'converged') {
        status.unconverged++;
      }
    }
  }
  status.complete = status.shardsDone === status.shards;
  return status;
}

/** What a shard's record comes to. */
export function summaryOf({
  shard,
  images,
  bytes,
}: Pick<ShardRecord, 'shard' | 'images' | 'bytes'>): ShardSummary {
  const failed = images.filter(({ status }) => status === 'failed').length;
  const converged = images.filter(({ status }) => status === 'converged').length;
  return {
    shard,
    images: images.length,
    failed,
    unconverged: images.length - failed - converged,
    iterations: images.reduce((sum, { iterations }) => sum + iterations, 0),
    bytes,
  };
}
