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
  const look = await watchStore(path);
  return await look();
}

/** Adds up the records of a store again and again, and reads only those that are new. */
export async function watchStore(path: string): Promise<() => Promise<StoreStatus>> {
  return watchRun(await openRun(path));
}

export function watchRun({ store, plan, hash }: Run): () => Promise<StoreStatus> {
  const seen = new Set<number>();
  const status: StoreStatus = {
    store: store.path,
    plan: hash,
    images: plan.images,
    done: 0,
    failed: 0,
    unconverged: 0,
    shards: store.shards,
    shardsDone: 0,
    bytes: 0,
    iterations: 0,
    seconds: 0,
    failures: [],
    complete: false,
  };
  return async () => {
    for (const shard of await store.doneShards()) {
      if (seen.has(shard)) continue;
      const record = await store.readRecord(shard);
      if (record === undefined) continue;
      seen.add(shard);
      const { images, failed, unconverged, iterations, bytes } = summaryOf(record);
      status.shardsDone++;
      status.bytes += bytes;
      status.done += images;
      status.failed += failed;
      status.unconverged += unconverged;
      status.iterations += iterations;
      for (const image of record.images) {
        status.seconds += image.seconds;
        const isListed = image.status === 'failed' && status.failures.length < MOST_FAILURES;
        if (isListed) status.failures.push({ index: image.index, source: image.source, error: image.error });
      }
    }
    return { ...status, failures: [...status.failures], complete: status.shardsDone === status.shards };
  };
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
