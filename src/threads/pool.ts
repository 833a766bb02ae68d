import { SeedspanError } from '../errors.ts';
import { type Call, type Reply, type Session, takeError } from './messages.ts';
import type { Launcher } from './port.ts';
import { type CallHooks, Thread, ThreadDeath } from './thread.ts';

/** How often a job is begun at most: a worker may die of it. */
const ATTEMPTS = 3;

export interface PoolSettings {
  /** How often a job is begun at most. */
  attempts?: number;
  /** Jobs that a worker has at a time; their code must agree on who computes. */
  jobs?: number;
}

/** The place of one worker. */
interface Slot {
  /** Undefined before the first, and after one has died. */
  thread: Thread | undefined;
  /** What was posted to it, and its answers. */
  readonly sessions: Map<Session, Promise<Reply>>;
}

/**
 * Workers that are kept between calls: `worker_threads` in Node, Web Workers elsewhere. Made by `createWorkerPool`.
 * A job goes to any of them that is free, and is begun anew by another where its worker dies.
 */
export class WorkerPool {
  /** How many workers there are. */
  readonly size: number;
  readonly #launcher: Launcher;
  readonly #attempts: number;
  readonly #slots: readonly Slot[];
  /** A worker stands here once for each job that it could take. */
  readonly #free: Slot[];
  /** Jobs that wait for a worker. */
  readonly #waiting: ((slot: Slot) => void)[] = [];
  readonly #numbers = new Map<Session, number>();
  #lastNumber = 0;
  /** One has answered: they can be started here. */
  #proven = false;
  #terminated = false;

  /** @internal */
  constructor(size: number, launcher: Launcher, { attempts = ATTEMPTS, jobs = 1 }: PoolSettings = {}) {
    this.size = size;
    this.#launcher = launcher;
    this.#attempts = attempts;
    this.#slots = Array.from({ length: size }, () => ({
      thread: undefined,
      sessions: new Map<Session, Promise<Reply>>(),
    }));
    this.#free = Array.from({ length: jobs }, () => this.#slots).flat();
  }

  /** Whether `terminate` was called. */
  get terminated(): boolean {
    return this.#terminated;
  }

  /** Starts all workers; resolves when they are there. Where one cannot be started, all are ended. @internal */
  async start(): Promise<void> {
    try {
      await Promise.all(this.#slots.map((slot) => this.#call(slot, { start: true })));
    } catch (error) {
      await this.terminate();
      throw error;
    }
  }

  /**
   * Has a job done by the next worker that is free.
   *
   * @param input - cloned, since a try may have to be repeated.
   * @throws what the job throws; SeedspanError `WORKER_FAILED`, `UNSUPPORTED`, `DISPOSED`; the signal's reason.
   * @internal
   */
  async run(session: Session, input: unknown, hooks: CallHooks = {}): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      const slot = await this.#acquire(hooks.signal);
      try {
        return await this.#runIn(slot, session, input, hooks);
      } catch (error) {
        if (!(error instanceof ThreadDeath)) throw error;
        if (attempt < this.#attempts) continue;
        throw new SeedspanError(
          'WORKER_FAILED',
          `a worker ended before its work was done${attempt > 1 ? `, ${attempt} times with the same part of it` : ''} ` +
            `(${error.message}); it may need more memory than a worker gets: take fewer workers, or none`,
          { attempts: attempt },
          { cause: error.cause },
        );
      } finally {
        this.#release(slot);
      }
    }
  }

  /** The workers forget a session. @internal */
  async close(session: Session): Promise<void> {
    const number = this.#numbers.get(session);
    this.#numbers.delete(session);
    if (this.#terminated || number === undefined) return;
    const holders = this.#slots.filter(({ sessions }) => sessions.delete(session));
    // One that has died meanwhile has forgotten it.
    await Promise.allSettled(holders.map((slot) => this.#call(slot, { close: number })));
  }

  /** Ends all workers. Callers whose work is not done get the error `DISPOSED`. */
  async terminate(): Promise<void> {
    if (this.#terminated) return;
    this.#terminated = true;
    // They look whether the pool is still there.
    for (const wake of this.#waiting.splice(0)) wake(this.#slots[0]);
    await Promise.all(this.#slots.map(({ thread }) => thread?.end()));
    this.#launcher.close();
  }

  async #acquire(signal: AbortSignal | undefined): Promise<Slot> {
    this.#check();
    signal?.throwIfAborted();
    const free = this.#takeFree();
    if (free !== undefined) return free;
    return await new Promise<Slot>((resolve, reject) => {
      const wake = (slot: Slot) => {
        signal?.removeEventListener('abort', stop);
        resolve(slot);
      };
      const stop = () => {
        this.#waiting.splice(this.#waiting.indexOf(wake), 1);
        reject(signal?.reason);
      };
      this.#waiting.push(wake);
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  /** Of a worker that has the fewest jobs. */
  #takeFree(): Slot | undefined {
    const places = (slot: Slot) => this.#free.filter((other) => other === slot).length;
    let best = -1;
    for (const [k, slot] of this.#free.entries()) {
      if (best < 0 || places(slot) >= places(this.#free[best])) best = k;
    }
    return best < 0 ? undefined : this.#free.splice(best, 1)[0];
  }

  #release(slot: Slot): void {
    const wake = this.#waiting.shift();
    if (wake === undefined) this.#free.push(slot);
    else wake(slot);
  }

  async #runIn(slot: Slot, session: Session, input: unknown, hooks: CallHooks): Promise<unknown> {
    let number = this.#numbers.get(session);
    if (number === undefined) {
      number = ++this.#lastNumber;
      this.#numbers.set(session, number);
    }
    for (;;) {
      const opening = this.#open(slot, number, session);
      const opened = await opening;
      if ('failure' in opened) throw takeError(opened.failure);
      const reply = await this.#call(slot, { run: number, input }, hooks);
      if ('result' in reply) return reply.result;
      if ('failure' in reply) throw takeError(reply.failure);
      // The worker is another one than that which the session was opened in: a job before was aborted, and did not stop.
      if (slot.sessions.get(session) === opening) slot.sessions.clear();
    }
  }

  /** Once, whatever number of its jobs begin together. */
  #open(slot: Slot, number: number, session: Session): Promise<Reply> {
    const known = slot.sessions.get(session);
    if (known !== undefined && slot.thread?.dead === false) return known;
    const opened = this.#call(slot, { open: number, session });
    slot.sessions.set(session, opened);
    const forget = () => {
      if (slot.sessions.get(session) === opened) slot.sessions.delete(session);
    };
    opened.then((reply) => 'failure' in reply && forget(), forget);
    return opened;
  }

  /** Asks a worker, which is started where there is none. */
  async #call(slot: Slot, call: Call, hooks: CallHooks = {}): Promise<Reply> {
    this.#check();
    try {
      if (slot.thread === undefined || slot.thread.dead) {
        slot.sessions.clear();
        slot.thread = new Thread(this.#launcher);
      }
      const reply = await slot.thread.call(call, hooks);
      this.#proven = true;
      return reply;
    } catch (error) {
      this.#check();
      hooks.signal?.throwIfAborted();
      if (this.#proven) throw error;
      throw new SeedspanError(
        'UNSUPPORTED',
        `workers cannot be started here (${error instanceof Error ? error.message : String(error)}); a page with a ` +
          'Content-Security-Policy has to allow "worker-src blob:", or the pool needs the url of the script ' +
          '(createWorkerPool({ url })); without the option workers there is no need of them',
        {},
        { cause: error },
      );
    }
  }

  #check(): void {
    if (this.#terminated) throw new SeedspanError('DISPOSED', 'the worker pool was terminated');
  }
}
