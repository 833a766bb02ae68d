import { openRun, type Run } from './run.ts';
import { summaryOf } from './store/index.ts';
import type { ImageRecord, ShardRecord } from './types.ts';

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
  const run = await openRun(path);
  const tally = new RecordTally(run);
  return async () => {
    for (const shard of await run.store.doneShards()) {
      if (tally.has(shard)) continue;
      const record = await run.store.readRecord(shard);
      if (record !== undefined) tally.add(record);
    }
    return tally.status();
  };
}

/** Adds up records, each once. */
export class RecordTally {
  readonly #seen = new Set<number>();
  readonly #status: StoreStatus;

  constructor({ store, plan, hash }: Run) {
    this.#status = {
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
  }

  has(shard: number): boolean {
    return this.#seen.has(shard);
  }

  add(record: ShardRecord): void {
    this.#seen.add(record.shard);
    const status = this.#status;
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

  status(): StoreStatus {
    const { shards, shardsDone, failures } = this.#status;
    return { ...this.#status, failures: [...failures], complete: shardsDone === shards };
  }
}
