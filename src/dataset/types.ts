import type { SolveStatus } from '../solver/types.ts';

/** What became of an image. `failed`: it could not be read or computed, and `error` says why. */
export type ImageStatus = SolveStatus | 'failed';

/** One image of a data set, as its shard's record has it. */
export interface ImageRecord {
  /** From 0, over the whole data set. */
  index: number;
  /** Where it came from: `photographs/cat.jpg`, `train.tar/cat.jpg`, `data_batch_1.bin[17]`. */
  source: string;
  /** SHA-256 of the bytes it was stored as, in hexadecimal; absent where they could not be read. */
  hash?: string;
  status: ImageStatus;
  /** Krylov (or accelerated fixed-point) iterations in all. */
  iterations: number;
  /** Of computing; images that are computed together share the time evenly. */
  seconds: number;
  error?: string;
}

/** Written last, once, and never changed: a shard is done when its record is there. */
export interface ShardRecord {
  shard: number;
  images: ImageRecord[];
  /** Bytes of the shard's chunks on disk. */
  bytes: number;
  /** Machine, process and thread. */
  worker: string;
  /** From 1: how often the shard was begun. */
  attempt: number;
  /** When, by the clock of the worker's machine (ISO 8601). For people: nothing depends on it. */
  finished: string;
}

/** What a worker tells of a shard that is done. */
export interface ShardSummary {
  shard: number;
  images: number;
  /** Set aside. */
  failed: number;
  /** Computed, but short of their tolerance. */
  unconverged: number;
  iterations: number;
  bytes: number;
  /** It was done before; nothing was computed. */
  already?: true;
}

/** A shard to be done. */
export interface ShardJob {
  /** Path of the store, which has all else that a worker needs to know. */
  store: string;
  /** The plan's hash; a store that has another is refused. */
  plan: string;
  shard: number;
  /** From 1. From the second on the worker keeps book of which image it is at, so that one that kills it is found. */
  attempt: number;
}

/** How a shard is watched, and ended. */
export interface ShardHooks {
  signal?: AbortSignal;
  /** Called as images of the shard are done, with their number so far. */
  onProgress?: (images: number) => void;
}

/** Does shards, in the threads of this process. */
export interface ShardRunner {
  /** How many. */
  readonly threads: number;
  /** How many shards at a time. */
  readonly size: number;
  /**
   * Does one shard, wholly or not at all.
   *
   * @throws SeedspanError; the signal's reason. An image that cannot be read is no error: it is set aside.
   */
  run(job: ShardJob, hooks?: ShardHooks): Promise<ShardSummary>;
  /** Ends the threads; what is at work fails. */
  close(): Promise<void>;
}

/** How a shard ended. */
export type ShardEnd =
  | { shard: number; summary: ShardSummary }
  /** Given up, after so many attempts. */
  | { shard: number; error: { code: string; message: string }; attempts: number };

export interface DispatchHooks {
  signal?: AbortSignal;
  /** Images of a shard at work that are done so far. */
  onProgress?: (shard: number, images: number) => void;
  /** What people should know while it goes on: a retry, a shard taken over, a queue out of reach. */
  onNotice?: (message: string) => void;
}

/** Has shards done by somebody: threads of this process, or workers that a queue has. */
export interface Dispatcher {
  /** Yields each of the shards once, as they end. */
  dispatch(shards: readonly number[], hooks?: DispatchHooks): AsyncGenerator<ShardEnd, void, undefined>;
  close(): Promise<void>;
}
