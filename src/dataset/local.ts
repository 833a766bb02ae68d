import { SeedspanError } from '../errors.ts';
import type { Dispatcher, DispatchHooks, ShardEnd, ShardRunner } from './types.ts';
import { pause } from './waiting.ts';

/** How often a shard is begun, and how long is waited after the first failure, in milliseconds; twice that after the next. */
export interface Retries {
  attempts: number;
  delay: number;
}

export const RETRIES: Retries = { attempts: 5, delay: 500 };

/** What may be otherwise the next time. */
const PASSING = new Set(['IO', 'WORKER_FAILED', 'OUT_OF_MEMORY']);

/** Has shards done by threads of this process. */
export class LocalDispatcher implements Dispatcher {
  readonly #runner: ShardRunner;
  readonly #run: { store: string; plan: string };
  readonly #retries: Retries;

  constructor(runner: ShardRunner, run: { store: string; plan: string }, retries = RETRIES) {
    this.#runner = runner;
    this.#run = run;
    this.#retries = retries;
  }

  async *dispatch(
    shards: readonly number[],
    hooks: DispatchHooks = {},
  ): AsyncGenerator<ShardEnd, void, undefined> {
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, ...(hooks.signal === undefined ? [] : [hooks.signal])]);
    const running = new Map<number, Promise<ShardEnd>>();
    const left = shards.values();
    try {
      for (;;) {
        while (running.size < this.#runner.size) {
          const { value: shard, done } = left.next();
          if (done) break;
          const end = this.#attempt(shard, { ...hooks, signal });
          // Told when it is waited for.
          end.catch(() => {});
          running.set(shard, end);
        }
        if (running.size === 0) return;
        const end = await Promise.race(running.values());
        running.delete(end.shard);
        yield end;
      }
    } finally {
      stop.abort();
      await Promise.allSettled(running.values());
    }
  }

  async close(): Promise<void> {
    await this.#runner.close();
  }

  async #attempt(shard: number, { signal, onProgress, onNotice }: DispatchHooks): Promise<ShardEnd> {
    const { attempts, delay } = this.#retries;
    for (let attempt = 1; ; attempt++) {
      try {
        const job = { ...this.#run, shard, attempt };
        const progress = (images: number) => onProgress?.(shard, images);
        return { shard, summary: await this.#runner.run(job, { signal, onProgress: progress }) };
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof SeedspanError && PASSING.has(error.code))) throw error;
        const { code, message } = error;
        if (attempt === attempts) return { shard, error: { code, message }, attempts };
        onNotice?.(`shard ${shard}: ${message}; trying again (attempt ${attempt + 1} of ${attempts})`);
        await pause(delay * 2 ** (attempt - 1), signal);
        signal?.throwIfAborted();
      }
    }
  }
}
