import type { Answer, Call, Reply } from './messages.ts';
import type { Launcher, Port } from './port.ts';

/** How long a job that was aborted may go on before its worker is killed, in milliseconds. */
const PATIENCE = 250;

/** What goes with a call. */
export interface CallHooks {
  /** Ends the job; the promise is rejected by its reason at once. */
  signal?: AbortSignal;
  /** What the worker tells while it works; what it throws ends the job. */
  onEvent?: (event: unknown) => void;
}

/** A worker ended while something was asked of it. */
export class ThreadDeath extends Error {}

interface Pending {
  resolve: (reply: Reply) => void;
  reject: (error: unknown) => void;
  onEvent: ((event: unknown) => void) | undefined;
}

/** One worker, and what was asked of it. */
export class Thread {
  readonly #port: Port;
  readonly #pending = new Map<number, Pending>();
  /** Calls that were aborted, whose answers are awaited for so long. */
  readonly #aborted = new Map<number, ReturnType<typeof setTimeout>>();
  #last = 0;
  #death: ThreadDeath | undefined;

  constructor(launcher: Launcher) {
    this.#port = launcher.launch({
      onMessage: (message) => this.#take(message as Answer),
      onDeath: (cause) => {
        this.#die(cause);
        // On the web a worker lives on after an error that nobody has caught.
        void this.#port.end();
      },
    });
  }

  get dead(): boolean {
    return this.#death !== undefined;
  }

  /** @throws {@link ThreadDeath} where the worker ends before it answers. */
  async call(call: Call, { signal, onEvent }: CallHooks = {}): Promise<Reply> {
    signal?.throwIfAborted();
    if (this.#death !== undefined) throw this.#death;
    const id = ++this.#last;
    const abort = () => this.#giveUp(id, signal?.reason);
    try {
      return await new Promise<Reply>((resolve, reject) => {
        this.#pending.set(id, { resolve, reject, onEvent });
        this.#port.post({ id, call });
        signal?.addEventListener('abort', abort, { once: true });
      });
    } finally {
      this.#pending.delete(id);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Kills it; resolves when it has ended. */
  async end(): Promise<void> {
    this.#die(new Error('it was ended'));
    await this.#port.end();
  }

  /** Fails a call that goes on in the worker, and has it stop there. */
  #giveUp(id: number, reason: unknown): void {
    this.#pending.get(id)?.reject(reason);
    this.#pending.delete(id);
    this.#aborted.set(
      id,
      setTimeout(() => void this.end(), PATIENCE),
    );
    this.#port.post({ id, call: { abort: true } });
  }

  #take({ id, ...answer }: Answer): void {
    if ('event' in answer) {
      try {
        this.#pending.get(id)?.onEvent?.(answer.event);
      } catch (error) {
        // Of the caller's own function: here nobody would catch it.
        this.#giveUp(id, error);
      }
      return;
    }
    clearTimeout(this.#aborted.get(id));
    this.#aborted.delete(id);
    this.#pending.get(id)?.resolve(answer.reply);
  }

  #die(cause: Error): void {
    if (this.#death !== undefined) return;
    this.#death = new ThreadDeath(cause.message, { cause });
    for (const { reject } of this.#pending.values()) reject(this.#death);
    for (const timer of this.#aborted.values()) clearTimeout(timer);
    this.#aborted.clear();
  }
}
