import type { Queue, QueueEvents } from 'bullmq';
import { checkOptionNames } from '../../errors.ts';
import type { Dispatcher, DispatchHooks, ShardEnd, ShardJob, ShardSummary } from '../types.ts';
import { pause, within } from '../waiting.ts';
import type { QueueConnection } from './connection.ts';
import { jobId, jobOptions, parseFailure, type QueueTiming, shardOf, TIMING } from './jobs.ts';
import { Notices } from './notices.ts';
import { listWorkers } from './presence.ts';

export interface QueueDispatcherOptions {
  /** Path of the store, the same on all machines. */
  store: string;
  /** The plan's hash. */
  plan: string;
  /** Looks into the store: what a shard gave; `undefined` where it is not done. The store's word is the last. */
  finished(shard: number): Promise<ShardSummary | undefined>;
  /** How often a shard is tried that fails. Default: 5. */
  attempts?: number;
  /** Seconds before the second attempt; each further one waits twice as long, less up to a half by chance. Default: 2. */
  backoff?: number;
  /** @internal */
  timing?: Partial<QueueTiming>;
}

const NAMES = ['store', 'plan', 'finished', 'attempts', 'backoff', 'timing'];
/** Shards in one look, and in one request. */
const SLICE = 500;
/** Milliseconds for the queue to forget what is called off. */
const FAREWELL = 5000;

/** Has shards done by the workers of a queue. Dispatchers of one plan share its jobs, and do no harm to each other. */
export class QueueDispatcher implements Dispatcher {
  readonly #connection: QueueConnection;
  readonly #options: QueueDispatcherOptions;

  /** Takes the connection over, and closes it. */
  constructor(connection: QueueConnection, options: QueueDispatcherOptions) {
    checkOptionNames('QueueDispatcher', options, NAMES);
    this.#connection = connection;
    this.#options = options;
  }

  /**
   * Yields each of the shards once, as they end. When the signal aborts, or the caller leaves, those that nobody has
   * begun are taken off the queue; workers finish what they have.
   *
   * @throws the signal's reason
   */
  async *dispatch(
    shards: readonly number[],
    hooks: DispatchHooks = {},
  ): AsyncGenerator<ShardEnd, void, undefined> {
    hooks.signal?.throwIfAborted();
    if (shards.length === 0) return;
    const run = new DispatchRun(this.#connection, this.#options, shards, hooks);
    try {
      run.start();
      yield* run.ends();
    } finally {
      await run.finish();
    }
  }

  async close(): Promise<void> {
    this.#connection.close();
  }
}

/** One run over shards. `open` are those that have not ended. */
class DispatchRun {
  readonly #connection: QueueConnection;
  readonly #options: QueueDispatcherOptions;
  readonly #hooks: DispatchHooks;
  readonly #timing: QueueTiming;
  readonly #notices: Notices;
  readonly #queue: Queue<ShardJob, ShardSummary>;
  readonly #events: QueueEvents;
  readonly #open: Set<number>;
  /** Those that were put into the queue. */
  readonly #added = new Set<number>();
  readonly #ends: ShardEnd[] = [];
  /** Aborted when the run is over. */
  readonly #over = new AbortController();
  /** When delayed jobs were seen first, by number and failures. */
  #delayed = new Map<string, number>();
  #wake: () => void = () => undefined;
  #filling: Promise<void> = Promise.resolve();

  constructor(
    connection: QueueConnection,
    options: QueueDispatcherOptions,
    shards: readonly number[],
    hooks: DispatchHooks,
  ) {
    this.#connection = connection;
    this.#options = options;
    this.#hooks = hooks;
    this.#timing = { ...TIMING, ...options.timing };
    this.#notices = new Notices(hooks.onNotice);
    this.#open = new Set(shards);
    const { bullmq, client, name, prefix } = connection;
    this.#queue = new bullmq.Queue<ShardJob, ShardSummary>(name, { connection: client, prefix });
    this.#events = new bullmq.QueueEvents(name, { connection: client, prefix, autorun: false });
    // The connection tells of its own troubles.
    this.#queue.on('error', () => undefined);
    this.#events.on('error', () => undefined);
  }

  start(): void {
    this.#hooks.signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#listen();
    this.#filling = this.#often(() => this.#compareQueue());
    void this.#often(() => this.#compareStore());
    void this.#often(() => this.#promote());
    void this.#lookForWorkers();
  }

  /** Who forgot to start workers would wait for ever, and see nothing. */
  async #lookForWorkers(): Promise<void> {
    // Workers say by then that they are there.
    await pause(2 * this.#timing.presence, this.#over.signal);
    if (this.#over.signal.aborted) return;
    const workers = await listWorkers(this.#connection).catch(() => undefined);
    if (workers?.length !== 0 || this.#over.signal.aborted) return;
    const { shown, name } = this.#connection;
    this.#hooks.onNotice?.(
      `nobody works for the queue ${name} at ${shown} yet; start workers: seedspan worker`,
    );
  }

  /** Yields shards as they end, until all have. */
  async *ends(): AsyncGenerator<ShardEnd, void, undefined> {
    const { signal } = this.#hooks;
    while (this.#open.size > 0 || this.#ends.length > 0) {
      signal?.throwIfAborted();
      const end = this.#ends.shift();
      if (end !== undefined) yield end;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  async finish(): Promise<void> {
    this.#over.abort();
    this.#hooks.signal?.removeEventListener('abort', this.#onAbort);
    if (this.#open.size > 0) {
      // Nothing is put in after it was called off.
      const done = await within(
        FAREWELL,
        this.#filling.then(() => this.#callOff()),
      );
      if (done === undefined) {
        this.#hooks.onNotice?.('the queue is out of reach: shards that wait there will still be done');
      }
    }
    await within(
      FAREWELL,
      this.#events.close().catch(() => undefined),
    );
    await within(FAREWELL, this.#queue.close());
  }

  readonly #onAbort = () => this.#wake();

  #end(end: ShardEnd): void {
    if (!this.#open.delete(end.shard)) return;
    this.#ends.push(end);
    this.#wake();
  }

  /** Does something at once and then again and again. What fails is tried again the next time. */
  async #often(look: () => Promise<void>): Promise<void> {
    const over = this.#over.signal;
    while (!over.aborted) {
      try {
        await look();
      } catch (error) {
        if (over.aborted) return;
        this.#notices.say(
          'queue',
          `the queue does not do as asked: ${this.#connection.describe(error)}; trying on`,
        );
      }
      await pause(this.#timing.look, over);
    }
  }

  #isOpen(id: string): number | undefined {
    const shard = shardOf(id, this.#options.plan);
    return shard !== undefined && this.#open.has(shard) ? shard : undefined;
  }

  /** What workers tell, as they tell it. */
  #listen(): void {
    const on = (id: string, what: (shard: number) => Promise<void> | void) => {
      const shard = this.#isOpen(id);
      if (shard === undefined) return;
      // What goes wrong here is found by the next look.
      Promise.resolve(what(shard)).catch(() => undefined);
    };
    this.#events.on('completed', ({ jobId, returnvalue }) =>
      on(jobId, (shard) => this.#end({ shard, summary: returnvalue as unknown as ShardSummary })),
    );
    this.#events.on('failed', ({ jobId }) => on(jobId, (shard) => this.#settle(shard)));
    this.#events.on('progress', ({ jobId, data }) =>
      on(jobId, (shard) => {
        const { images } = data as { images: number };
        this.#hooks.onProgress?.(shard, images);
      }),
    );
    this.#events.on('stalled', ({ jobId }) =>
      on(jobId, (shard) =>
        this.#notices.say('stalled', `shard ${shard}: its worker is gone; another takes it`),
      ),
    );
    this.#events.on('delayed', ({ jobId }) => on(jobId, (shard) => this.#tellRetry(shard)));
    this.#events.run().catch(() => undefined);
  }

  async #tellRetry(shard: number): Promise<void> {
    const job = await this.#queue.getJob(jobId(this.#options.plan, shard));
    if (job?.failedReason === undefined) return;
    const { message } = parseFailure(job.failedReason);
    this.#notices.say(
      message,
      `shard ${shard} failed (attempt ${job.attemptsMade} of ${job.opts.attempts}) and will be tried again: ${message}`,
    );
  }

  /** A shard whose job has failed for good: given up, unless the store has it all the same. */
  async #settle(shard: number): Promise<void> {
    const job = await this.#queue.getJob(jobId(this.#options.plan, shard));
    const summary = await this.#options.finished(shard);
    if (summary !== undefined) return this.#end({ shard, summary });
    if (job === undefined || !(await job.isFailed())) return;
    const attempts = job.data.attempt - 1 + job.attemptsMade + job.stalledCounter;
    this.#end({ shard, error: parseFailure(job.failedReason), attempts });
  }

  /** The open shards, `SLICE` at a time; they may end while this goes on. */
  *#slices(): Generator<number[]> {
    let slice: number[] = [];
    for (const shard of this.#open) {
      slice.push(shard);
      if (slice.length < SLICE) continue;
      yield slice;
      slice = [];
    }
    if (slice.length > 0) yield slice;
  }

  /**
   * What the queue knows of the open shards. Those it does not know are put into it: all at first, and later those that
   * it lost (started anew without its data), unless they are done. Those that failed are tried anew if it was in a
   * former run, and are given up if it was in this one, should its event be missed.
   */
  async #compareQueue(): Promise<void> {
    const { plan, finished } = this.#options;
    for (const slice of this.#slices()) {
      if (this.#over.signal.aborted) return;
      const states = await this.#states(slice);
      const missing: number[] = [];
      for (const [k, shard] of slice.entries()) {
        const { known, failed } = states[k];
        if (failed && this.#added.has(shard)) await this.#settle(shard);
        else if (failed) {
          await this.#queue.remove(jobId(plan, shard));
          this.#added.add(shard);
          missing.push(shard);
        } else if (known) this.#added.add(shard);
        else if (!this.#added.has(shard)) missing.push(shard);
        else {
          const summary = await finished(shard);
          if (summary !== undefined) this.#end({ shard, summary });
          else if (this.#open.has(shard)) missing.push(shard);
        }
      }
      await this.#add(missing);
      // A run over many shards asks the queue for all of them once, and then for some at a time.
      if (slice.length === SLICE && this.#added.size >= this.#open.size) {
        await pause(this.#timing.look, this.#over.signal);
      }
    }
  }

  /** Whether the queue knows these shards' jobs, and whether they have failed. */
  async #states(shards: readonly number[]): Promise<{ known: boolean; failed: boolean }[]> {
    const { keys } = this.#queue;
    const requests = this.#connection.client.pipeline();
    for (const shard of shards) {
      const id = jobId(this.#options.plan, shard);
      requests.exists(this.#queue.toKey(id)).zscore(keys.failed, id);
    }
    const answers = (await requests.exec()) ?? [];
    return shards.map((_, k) => {
      const [known, failed] = [answers[2 * k], answers[2 * k + 1]];
      const error = known?.[0] ?? failed?.[0];
      if (error) throw error;
      return { known: known?.[1] === 1, failed: failed?.[1] !== null && failed !== undefined };
    });
  }

  async #add(shards: readonly number[]): Promise<void> {
    if (shards.length === 0 || this.#over.signal.aborted) return;
    const { store, plan, attempts = 5, backoff = 2 } = this.#options;
    const lost = shards.filter((shard) => this.#added.has(shard));
    if (lost.length > 0) this.#notices.say('lost', `${lost.length} shard(s) are put into the queue anew`);
    await this.#queue.addBulk(
      shards.map((shard) => ({
        name: 'shard',
        // Somebody may have begun it before: its images are booked from the start.
        data: { store, plan, shard, attempt: this.#added.has(shard) ? 2 : 1 },
        opts: jobOptions(plan, shard, attempts, backoff),
      })),
    );
    for (const shard of shards) this.#added.add(shard);
  }

  /** The store is the truth: what is done there has ended, whatever the queue says, or does not say. */
  async #compareStore(): Promise<void> {
    for (const slice of this.#slices()) {
      for (const shard of slice) {
        if (this.#over.signal.aborted) return;
        const summary = await this.#options.finished(shard);
        if (summary !== undefined) this.#end({ shard, summary });
      }
      if (slice.length === SLICE) await pause(this.#timing.look, this.#over.signal);
    }
  }

  /**
   * Jobs wait for their next attempt until a time of day, by the clock of the machine where they failed. Those that have
   * waited long enough by our steady clock go on: that clock may have been wrong, or set back.
   */
  async #promote(): Promise<void> {
    const { client } = this.#connection;
    const ids = await client.zrange(this.#queue.keys.delayed, 0, String(SLICE - 1));
    const seen = new Map<string, number>();
    const now = performance.now();
    for (const id of ids) {
      if (this.#isOpen(id) === undefined) continue;
      const [delay, failures] = await client.hmget(this.#queue.toKey(id), 'delay', 'atm');
      const since = this.#delayed.get(`${id} ${failures}`) ?? now;
      seen.set(`${id} ${failures}`, since);
      if (now - since <= Number(delay) + this.#timing.look) continue;
      const job = await this.#queue.getJob(id);
      // It may have gone on in this moment.
      await job?.promote().catch(() => undefined);
    }
    this.#delayed = seen;
  }

  /** Takes what nobody has begun off the queue. */
  async #callOff(): Promise<true> {
    try {
      for (const slice of this.#slices()) {
        await Promise.all(slice.map((shard) => this.#queue.remove(jobId(this.#options.plan, shard))));
      }
    } catch {
      // The queue refuses: workers will do these, which does no harm.
    }
    return true;
  }
}
