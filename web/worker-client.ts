import type { Failure, JobName, Jobs, Reply, Request } from './compute/protocol.ts';

/** An error of a job, with the code of the `SeedspanError` that it was in the worker. */
export class JobError extends Error {
  readonly code: string | undefined;

  constructor({ name, message, code }: Failure) {
    super(message);
    this.name = name;
    this.code = code;
  }
}

/** The worker ended, or does not answer. The next job gets a new one. */
export class WorkerLost extends Error {
  override name = 'WorkerLost';
}

interface Pending {
  job: JobName;
  resolve: (result: never) => void;
  reject: (error: unknown) => void;
  news: ((news: never) => void) | undefined;
}

/** How often a worker at work is asked whether it lives, and how long it may not answer, in milliseconds. */
const ASK_EVERY = 1000;
const SILENCE = 10_000;

/** A worker of the page, started when there is something to do, and again when it was lost. */
export class WorkerClient {
  readonly #url: URL;
  #worker: Worker | undefined;
  readonly #pending = new Map<number, Pending>();
  #next = 1;
  #asking: ReturnType<typeof setInterval> | undefined;
  #heard = 0;

  constructor(url = new URL('worker.js', document.baseURI)) {
    this.#url = url;
  }

  /**
   * Runs a job.
   *
   * @throws JobError what the job threw; WorkerLost; the signal's reason when aborted
   */
  run<Name extends JobName>(
    job: Name,
    input: Jobs[Name]['input'],
    options: {
      news?: (news: Jobs[Name]['news']) => void;
      signal?: AbortSignal;
      transfer?: Transferable[];
    } = {},
  ): Promise<Jobs[Name]['result']> {
    const { news, signal, transfer = [] } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const worker = this.#start();
      const cancel = () => {
        // The job ends at its next look at the signal; the page does not wait for that.
        if (!this.#pending.delete(id)) return;
        this.#post({ id, type: 'cancel' });
        this.#rest();
        reject(signal!.reason);
      };
      const settle = (ending: () => void) => {
        signal?.removeEventListener('abort', cancel);
        ending();
      };
      this.#pending.set(id, {
        job,
        news,
        resolve: (result) => settle(() => resolve(result)),
        reject: (error) => settle(() => reject(error)),
      });
      signal?.addEventListener('abort', cancel, { once: true });
      this.#watch();
      worker.postMessage({ id, type: 'run', job, input } satisfies Request, transfer);
    });
  }

  /** Ends the worker and what it does. */
  stop(reason = 'was stopped'): void {
    this.#lose(`The worker ${reason}.`);
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(this.#url, { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<Reply>) => this.#receive(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#lose(
        event.message
          ? `The worker ended with an error: ${event.message}.`
          : 'The worker could not be loaded, or was ended by the browser.',
      );
    };
    worker.onmessageerror = () => this.#lose('A message of the worker could not be read.');
    this.#worker = worker;
    return worker;
  }

  #post(request: Request): void {
    this.#worker?.postMessage(request);
  }

  #receive(reply: Reply): void {
    this.#heard = performance.now();
    const pending = this.#pending.get(reply.id);
    if (pending === undefined || reply.type === 'pong') return;
    if (reply.type === 'news') {
      pending.news?.(reply.news as never);
      return;
    }
    this.#pending.delete(reply.id);
    this.#rest();
    if (reply.type === 'done') pending.resolve(reply.result as never);
    else pending.reject(new JobError(reply.failure));
  }

  /** No event tells that a worker was ended from outside, so it is asked. */
  #watch(): void {
    if (this.#asking !== undefined) return;
    this.#heard = performance.now();
    let last = this.#heard;
    this.#asking = setInterval(() => {
      const now = performance.now();
      // In a hidden tab timers, and maybe the machine, sleep: that silence is nobody's fault.
      if (document.hidden || now - last > 3 * ASK_EVERY) this.#heard = now;
      last = now;
      if (now - this.#heard > SILENCE) {
        this.#lose(`The worker has not answered for ${SILENCE / 1000} seconds: it ended, or is stuck.`);
        return;
      }
      this.#post({ id: 0, type: 'ping' });
    }, ASK_EVERY);
  }

  #rest(): void {
    if (this.#pending.size > 0) return;
    clearInterval(this.#asking);
    this.#asking = undefined;
  }

  #lose(message: string): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    this.#rest();
    for (const { reject } of lost) reject(new WorkerLost(message));
  }
}
