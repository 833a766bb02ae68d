import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SeedspanError } from '../errors.ts';
import { booksFolder } from './attempts.ts';
import { checkDatasetOptions, type PrecomputeDatasetOptions } from './dataset-options.ts';
import { LocalDispatcher } from './local.ts';
import type { DatasetPlan } from './plan.ts';
import { prepareRun, STAGING } from './prepare.ts';
import { connectQueue, type QueueAddress, QueueDispatcher } from './queue/index.ts';
import { doneRecord, type Run } from './run.ts';
import { openRunner } from './runner.ts';
import { prepareSeeds } from './seeds.ts';
import { RecordTally, type StoreStatus } from './status.ts';
import { finishMetadata, PRIVATE, shardRange, summaryOf } from './store/index.ts';
import type { Dispatcher, ShardEnd } from './types.ts';

/** How a run went. */
export interface DatasetReport extends StoreStatus {
  /** Images that this call had done; the others were done before. */
  computed: number;
  /** Shards that were given up; they are tried anew when the run is resumed. */
  givenUp: { shard: number; error: { code: string; message: string }; attempts: number }[];
  /** Threads of this process; 0 with a queue. */
  workers: number;
  /** Seconds of this call. */
  elapsed: number;
}

/**
 * Pre-computes the scores of a data set into a Zarr store, in parts that survive anything: what is done stays done, and
 * the same call goes on where an earlier one was interrupted. The memory in use does not grow with the number of images.
 *
 * An image that cannot be read is set aside with its reason, and the others are computed. The results depend on the
 * inputs and options alone: not on the workers, their number or order, nor on interruptions.
 *
 * @throws SeedspanError `EXISTS` (the store is there and differs in its options or inputs, or `resume` is false), `BUSY`
 *   (another process works on it), `IO` (no space left, unreadable inputs; what is done is kept), `BAD_FORMAT`,
 *   `SHAPE_MISMATCH`, `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION`, `UNSUPPORTED`; the signal's reason.
 * @example
 * ```ts
 * const { failed, complete } = await precomputeDataset({
 *   inputs: ['cifar-10-binary.tar.gz'],
 *   out: 'scores.zarr',
 *   equation: { scheme: 'na2024', sde: varianceExploding(5) },
 * });
 * ```
 */
export async function precomputeDataset(options: PrecomputeDatasetOptions): Promise<DatasetReport> {
  const began = performance.now();
  checkDatasetOptions(options);
  const { onProgress, queue, workers = 'auto' } = options;
  const { run, lock } = await prepareRun(options);
  const signal = AbortSignal.any([lock.lost, ...(options.signal === undefined ? [] : [options.signal])]);
  const { store, plan, hash } = run;
  let dispatcher: Dispatcher | undefined;
  try {
    await store.clearTemporary();
    onProgress?.({ stage: 'seeds', done: 0, total: plan.images });
    await prepareSeeds(run, signal);
    const left = await missing(run);
    const imagesOf = (shard: number) => {
      const [from, to] = shardRange(store.layout, shard);
      return to - from;
    };
    const before = plan.images - left.reduce((sum, shard) => sum + imagesOf(shard), 0);
    const progress = new Progress(before, plan.images, onProgress);
    const givenUp: DatasetReport['givenUp'] = [];
    let threads = 0;
    if (left.length > 0) {
      if (queue === undefined) {
        const runner = await openRunner({ workers });
        threads = runner.threads;
        dispatcher = new LocalDispatcher(runner, { store: store.path, plan: hash });
      } else {
        dispatcher = await queueDispatcher(queue, run, options);
      }
      const hooks = {
        signal,
        onProgress: (shard: number, images: number) => progress.at(shard, images),
        onNotice: options.onNotice,
      };
      for await (const end of dispatcher.dispatch(left, hooks)) {
        progress.ended(end.shard, 'summary' in end ? imagesOf(end.shard) : 0);
        if ('summary' in end) continue;
        givenUp.push(end);
        // What one shard finds wrong with the disk, all others would.
        if (end.error.code === 'IO') throw giveUp(end, progress.done, plan);
      }
    }
    signal.throwIfAborted();
    onProgress?.({ stage: 'metadata', done: progress.done, total: plan.images });
    const tally = new RecordTally(run);
    await finishMetadata(store, (record) => tally.add(record));
    const status = tally.status();
    if (status.complete) {
      await store.clearTemporary({ everyone: true });
      for (const folder of [join(store.path, PRIVATE, STAGING), booksFolder(store.path)])
        await rm(folder, { recursive: true, force: true });
    }
    const elapsed = (performance.now() - began) / 1000;
    return { ...status, computed: progress.done - before, givenUp, workers: threads, elapsed };
  } finally {
    try {
      await dispatcher?.close();
    } finally {
      await lock.release();
    }
  }
}

function giveUp(
  end: Extract<ShardEnd, { error: unknown }>,
  done: number,
  { images }: DatasetPlan,
): SeedspanError {
  return new SeedspanError(
    'IO',
    `${end.error.message} (shard ${end.shard}, ${end.attempts} attempts); ${done} of ${images} images are done: run the same again to go on`,
    { done, images },
  );
}

/** The shards that are not done, as their records say; those whose files were damaged since are among them. */
async function missing({ store }: Run): Promise<number[]> {
  const done = new Set<number>();
  for (const shard of await store.doneShards()) {
    const record = await doneRecord(store, shard);
    if (record === undefined) continue;
    if (await store.isWhole(record)) done.add(shard);
    else await store.forget(shard);
  }
  return Array.from({ length: store.shards }, (_, shard) => shard).filter((shard) => !done.has(shard));
}

/** Has the workers of a queue do the shards. */
async function queueDispatcher(
  address: QueueAddress,
  { store, hash }: Run,
  { signal, onNotice }: PrecomputeDatasetOptions,
): Promise<Dispatcher> {
  const connection = await connectQueue(address, { signal, onNotice });
  const finished = async (shard: number) => {
    const record = await doneRecord(store, shard);
    return record && summaryOf(record);
  };
  return new QueueDispatcher(connection, { store: store.path, plan: hash, finished });
}

/** Adds up what shards tell. */
class Progress {
  readonly #total: number;
  readonly #onProgress: PrecomputeDatasetOptions['onProgress'];
  /** Images of shards at work. */
  readonly #working = new Map<number, number>();
  /** Images of shards that are done. */
  done: number;
  #told = -1;

  constructor(done: number, total: number, onProgress: PrecomputeDatasetOptions['onProgress']) {
    this.done = done;
    this.#total = total;
    this.#onProgress = onProgress;
    this.#tell();
  }

  at(shard: number, images: number): void {
    this.#working.set(shard, images);
    this.#tell();
  }

  ended(shard: number, images: number): void {
    this.#working.delete(shard);
    this.done += images;
    this.#tell();
  }

  /** A shard that is begun anew does not take the number back. */
  #tell(): void {
    let now = this.done;
    for (const images of this.#working.values()) now += images;
    this.#told = Math.max(this.#told, now);
    this.#onProgress?.({ stage: 'images', done: Math.min(this.#told, this.#total), total: this.#total });
  }
}
