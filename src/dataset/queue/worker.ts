import type { Job, Worker } from 'bullmq';
import { checkOptionNames } from '../../errors.ts';
import type { ShardJob, ShardRunner, ShardSummary } from '../types.ts';
import { pause, within } from '../waiting.ts';
import type { QueueConnection } from './connection.ts';
import { checkJob, failureText, isPassing, MOST_STALLS, type QueueTiming, TIMING } from './jobs.ts';
import { announce, MACHINE, RateMeter, type ShardAtWork } from './presence.ts';

/** What {@link serveQueue} is told. */
export interface ServeOptions {
  queue: QueueConnection;
  /** Does the shards, `size` at a time. Stays open. */
  runner: ShardRunner;
  /** Ends the service: what is at work may be finished within `grace`, the rest is given back. */
  signal?: AbortSignal;
  /** Seconds. Default: 30. */
  grace?: number;
  /** Ends the service when there was no shard for so many seconds. Default: never. */
  untilIdle?: number;
  /** What people should know while it goes on. */
  onNotice?: (message: string) => void;
  /** Called as shards are done; not for those that were done before. */
  onShard?: (summary: ShardSummary) => void;
  /** @internal */
  timing?: Partial<QueueTiming>;
}

/** What a worker did. */
export interface Served {
  shards: number;
  images: number;
  /** Attempts that failed. */
  failed: number;
  /** Shards given back unfinished, for others. */
  returned: number;
}

const NAMES = ['queue', 'runner', 'signal', 'grace', 'untilIdle', 'onNotice', 'onShard', 'timing'];
/** Milliseconds for the queue to take back what is given back; one that is away does not hold a worker. */
const FAREWELL = 5000;

/** A shard at work, and how to stop it. */
interface Attempt {
  state: ShardAtWork;
  began: number;
  stop: AbortController;
  ended: Promise<void>;
}

/**
 * Takes shards from a queue and does them, until the signal aborts or the queue was idle for long enough. A queue out of
 * reach stops nothing that is at work; it is tried again for ever.
 */
export async function serveQueue(options: ServeOptions): Promise<Served> {
  checkOptionNames('serveQueue', options, NAMES);
  return new Service(options).run();
}

class Service {
  readonly #options: ServeOptions;
  readonly #timing: QueueTiming;
  readonly #worker: Worker<ShardJob, ShardSummary>;
  readonly #atWork = new Set<Attempt>();
  readonly #meter = new RateMeter();
  readonly #served: Served = { shards: 0, images: 0, failed: 0, returned: 0 };
  /** Aborted when nothing more is taken. */
  readonly #closing = new AbortController();
  #fetching: Promise<void> | undefined;
  #wake: () => void = () => undefined;
  #tokens = 0;
  /** Failures since the last shard that was done. */
  #failuresInRow = 0;
  #lastAtWork = performance.now();

  constructor(options: ServeOptions) {
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
    const { client, bullmq, name, prefix } = options.queue;
    const { lock, stalled, fetch } = this.#timing;
    this.#worker = new bullmq.Worker<ShardJob, ShardSummary>(name, null, {
      connection: client,
      prefix,
      name: `${MACHINE}/${process.pid}`,
      concurrency: options.runner.size,
      lockDuration: lock,
      stalledInterval: stalled,
      maxStalledCount: MOST_STALLS,
      // By a timer of our own: BullMQ's goes by the machine's clock, which may be set back by an hour.
      skipLockRenewal: true,
      drainDelay: fetch / 1000,
      autorun: false,
    });
    // The connection tells of its own troubles; those of single requests are seen where they are made.
    this.#worker.on('error', () => undefined);
    this.#worker.on('stalled', (id) =>
      options.onNotice?.(`job ${id}: its worker is gone; it is tried again`),
    );
  }

  async run(): Promise<Served> {
    const { signal, queue } = this.#options;
    const stop = () => this.#closing.abort();
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
    const presence = announce(queue, () => this.#status(), this.#timing, this.#closing.signal);
    try {
      await this.#worker.startStalledCheckTimer();
      await this.#serve();
    } finally {
      signal?.removeEventListener('abort', stop);
      this.#closing.abort();
      await this.#leave();
      await within(FAREWELL, presence);
      // Forced: it would wait for an answer of a queue that may be away.
      await within(FAREWELL, this.#worker.close(true));
      // What came in the last moment is given back.
      if (this.#fetching !== undefined) await within(FAREWELL, this.#fetching);
    }
    return this.#served;
  }

  #status() {
    const now = performance.now();
    return {
      threads: this.#options.runner.threads,
      seconds: this.#meter.seconds,
      shards: this.#served.shards,
      images: this.#served.images,
      rate: this.#meter.rate(),
      working: [...this.#atWork].map(({ state, began }) => ({ ...state, seconds: (now - began) / 1000 })),
    };
  }

  /** Takes shards as threads are free for them. */
  async #serve(): Promise<void> {
    const { runner, untilIdle } = this.#options;
    const closing = this.#closing.signal;
    closing.addEventListener('abort', () => this.#wake(), { once: true });
    while (!closing.aborted) {
      if (this.#atWork.size < runner.size) {
        // One request at a time; it goes on beside the look at the clock.
        this.#fetching ??= this.#fetch().finally(() => {
          this.#fetching = undefined;
          this.#wake();
        });
      }
      await this.#change(untilIdle === undefined ? undefined : Math.max(untilIdle * 250, 50));
      if (await this.#isIdle()) return;
    }
  }

  /** Waits until a request or a shard has ended, or nothing more is to be taken; or so many milliseconds. */
  #change(limit: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = limit === undefined ? undefined : setTimeout(() => this.#wake(), limit);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Gets one shard and begins it; none, if there is none for a while. */
  async #fetch(): Promise<void> {
    const token = `${this.#worker.id}:${this.#tokens++}`;
    let job: Job<ShardJob, ShardSummary> | undefined;
    try {
      job = await this.#worker.getNextJob(token);
    } catch {
      await pause(1000, this.#closing.signal);
      return;
    }
    if (job === undefined) return;
    if (this.#closing.signal.aborted) await this.#giveBack(job, token);
    else this.#begin(job, token);
    if (this.#failuresInRow === 0) return;
    // A machine on which all fails must not go through the queue at the speed of failing.
    await pause(this.#timing.rest * Math.min(2 ** (this.#failuresInRow - 1), 30), this.#closing.signal);
  }

  async #isIdle(): Promise<boolean> {
    const { untilIdle, queue } = this.#options;
    if (untilIdle === undefined || this.#atWork.size > 0) return false;
    if (performance.now() - this.#lastAtWork < untilIdle * 1000) return false;
    // Shards that wait for their next attempt are work to come. A queue that is away has none.
    const { client, name, prefix } = queue;
    const delayed =
      client.status === 'ready' ? client.zcard(`${prefix}:${name}:delayed`) : Promise.resolve(0);
    return ((await within(FAREWELL, delayed).catch(() => 0)) ?? 0) === 0;
  }

  #begin(job: Job<ShardJob, ShardSummary>, token: string): void {
    const { store, shard, attempt } = job.data;
    const attempts = attempt + job.attemptsMade + job.stalledCounter;
    const entry: Attempt = {
      state: { store, shard, attempt: attempts, images: 0, seconds: 0 },
      began: performance.now(),
      stop: new AbortController(),
      ended: Promise.resolve(),
    };
    this.#atWork.add(entry);
    entry.ended = this.#work(job, token, entry).finally(() => {
      this.#atWork.delete(entry);
      this.#lastAtWork = performance.now();
      this.#wake();
    });
  }

  async #work(job: Job<ShardJob, ShardSummary>, token: string, { state, stop }: Attempt): Promise<void> {
    const { runner, queue, onNotice, onShard } = this.#options;
    const renewal = this.#keepLock(job, token);
    try {
      let summary: ShardSummary;
      try {
        // The queue's own verdict: its workers were lost too often.
        if (job.deferredFailure) throw new queue.bullmq.UnrecoverableError(job.deferredFailure);
        const shardJob = { ...checkJob(job.data), attempt: state.attempt };
        summary = await runner.run(shardJob, {
          signal: stop.signal,
          onProgress: this.#progress(job, state),
        });
      } catch (error) {
        if (stop.signal.aborted) {
          this.#served.returned++;
          return await this.#giveBack(job, token);
        }
        this.#served.failed++;
        this.#failuresInRow++;
        const failure = this.#failure(error);
        onNotice?.(`shard ${state.shard}, attempt ${state.attempt}: ${failure.message}`);
        return await this.#settle(() => job.moveToFailed(failure, token, false));
      }
      this.#failuresInRow = 0;
      if (!summary.already) {
        this.#served.shards++;
        this.#served.images += summary.images;
        this.#meter.add(summary.images - state.images);
        onShard?.(summary);
      }
      await this.#settle(() => job.moveToCompleted(summary, token, false));
    } finally {
      clearInterval(renewal);
    }
  }

  #failure(error: unknown): Error {
    const { bullmq } = this.#options.queue;
    if (error instanceof bullmq.UnrecoverableError) return error;
    const text = failureText(error, `${MACHINE}/${process.pid}`);
    if (isPassing(error)) return new Error(text);
    return new bullmq.UnrecoverableError(text);
  }

  /** Counts a shard's images, and tells the queue of them now and then. */
  #progress(job: Job, state: ShardAtWork): (images: number) => void {
    let told = performance.now();
    return (images) => {
      this.#meter.add(images - state.images);
      state.images = images;
      const now = performance.now();
      if (now - told < this.#timing.progress || this.#options.queue.client.status !== 'ready') return;
      told = now;
      job.updateProgress({ images }).catch(() => undefined);
    };
  }

  /** Says again and again that the shard is at work. */
  #keepLock(job: Job, token: string): NodeJS.Timeout {
    const { client } = this.#options.queue;
    let underWay = false;
    return setInterval(() => {
      if (underWay || client.status !== 'ready') return;
      underWay = true;
      this.#renewLock(job, token)
        .catch(() => undefined)
        .finally(() => {
          underWay = false;
        });
    }, this.#timing.lock / 3);
  }

  async #renewLock(job: Job, token: string): Promise<void> {
    const { lock } = this.#timing;
    if ((await job.extendLock(token, lock)) > 0) return;
    // It ran out while the queue was out of reach. Who has taken the shard meanwhile keeps it.
    await this.#options.queue.client
      .multi()
      .set(this.#worker.toKey(`${job.id}:lock`), token, 'PX', lock, 'NX')
      .srem(this.#worker.keys.stalled, String(job.id))
      .exec();
  }

  /** Back to the front of the queue; it costs no attempt. */
  async #giveBack(job: Job, token: string): Promise<void> {
    await this.#settle(() => job.moveToWait(token));
  }

  /**
   * Tells the queue how a shard ended, and does not give up while it refuses (full, read-only for a while). That the
   * shard is no longer this worker's is no trouble: the store has what was done, and nobody commits a shard twice.
   */
  async #settle(tell: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await tell();
        return;
      } catch (error) {
        const { code } = error as { code?: unknown };
        if (typeof code === 'number' || this.#closing.signal.aborted) return;
        await pause(1000, this.#closing.signal);
      }
    }
  }

  /** Waits for what is at work, as long as the grace; then stops it and gives it back. */
  async #leave(): Promise<void> {
    const { grace = 30, onNotice } = this.#options;
    const rest = () => Promise.allSettled([...this.#atWork].map(({ ended }) => ended));
    if (this.#atWork.size > 0) {
      onNotice?.(`finishing ${this.#atWork.size} shard(s), for ${grace} s at most`);
      await within(grace * 1000, rest());
    }
    if (this.#atWork.size === 0) return;
    onNotice?.(`giving ${this.#atWork.size} shard(s) back`);
    for (const { stop } of this.#atWork) stop.abort(new Error('the worker ends'));
    await within(FAREWELL, rest());
  }
}
