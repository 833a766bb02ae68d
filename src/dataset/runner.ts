import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { checkOptionNames } from '../errors.ts';
import { type Session, sessionLike } from '../threads/messages.ts';
import { checkWorkerCount, MOST_WORKERS } from '../threads/options.ts';
import { WorkerPool } from '../threads/pool.ts';
import { availableCores, makeFileLauncher } from '../threads/port.ts';
import { chooseBuild } from '../wasm/features.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { loadKernel } from '../wasm/load.ts';
import { noteCalledOff } from './attempts.ts';
import type { ShardHooks, ShardJob, ShardRunner, ShardSummary } from './types.ts';

/** Shards of a thread: while one comes to rest on the disk the next is computed. */
export const JOBS = 2;

/** Stores that a runner keeps open. */
const MOST_SESSIONS = 4;

/** The script of the threads, as the package has it: threads cannot be given TypeScript, nor parts of a bundle. */
function threadScript(): URL {
  const manifest = createRequire(import.meta.url).resolve('seedspan/package.json');
  return new URL('./build/package/dataset/thread.js', pathToFileURL(manifest));
}

class ThreadRunner implements ShardRunner {
  readonly threads: number;
  readonly size: number;
  readonly #pool: WorkerPool;
  readonly #kernel: Kernel;
  /** By store and plan; the last used at the end. */
  readonly #sessions = new Map<string, Session>();

  constructor(pool: WorkerPool, kernel: Kernel) {
    this.threads = pool.size;
    this.size = JOBS * pool.size;
    this.#pool = pool;
    this.#kernel = kernel;
  }

  async run({ store, plan, shard, attempt }: ShardJob, hooks: ShardHooks = {}): Promise<ShardSummary> {
    const session = this.#session(store, plan);
    const { signal, onProgress } = hooks;
    const onEvent = onProgress && ((event: unknown) => onProgress(event as number));
    try {
      return (await this.#pool.run(session, { shard, attempt }, { signal, onEvent })) as ShardSummary;
    } catch (error) {
      // Without the note it costs nothing but a doubt about an image.
      if (signal?.aborted) await noteCalledOff(store, shard).catch(() => {});
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => this.#pool.close(session)));
    await this.#pool.terminate();
  }

  #session(store: string, plan: string): Session {
    const key = `${plan} ${store}`;
    const session = this.#sessions.get(key) ?? sessionLike(this.#kernel, 'shards', { store, plan });
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    const [[oldest, unused]] = this.#sessions;
    if (this.#sessions.size > MOST_SESSIONS) {
      this.#sessions.delete(oldest);
      void this.#pool.close(unused);
    }
    return session;
  }
}

/** How many threads a runner has. */
export interface RunnerOptions {
  /** `auto`: one for each processor core. Default `auto`. */
  workers?: number | 'auto';
}

/**
 * Starts threads that do shards, for `serveQueue`.
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION`, `UNSUPPORTED`.
 */
export async function openRunner(options: RunnerOptions = {}): Promise<ShardRunner> {
  checkOptionNames('openRunner', options, ['workers']);
  const { workers = 'auto' } = options;
  if (workers !== 'auto') checkWorkerCount('openRunner', workers);
  const size = workers === 'auto' ? Math.min(await availableCores(), MOST_WORKERS) : workers;
  const kernel = await loadKernel(chooseBuild('auto'));
  // A thread that dies is told at once: who hands out shards counts the attempts, over all machines.
  const pool = new WorkerPool(size, await makeFileLauncher(threadScript()), { attempts: 1, jobs: JOBS });
  await pool.start();
  return new ThreadRunner(pool, kernel);
}
