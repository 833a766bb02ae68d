import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { checkWorkerCount, MOST_WORKERS } from './options.ts';
import type { WorkerPool } from './pool.ts';
import { availableCores, makeLauncher } from './port.ts';

/** How many workers, and where their script is. */
export interface WorkerPoolOptions {
  /** How many; `auto`: one for each processor core. Default `auto`. */
  workers?: number | 'auto';
  /**
   * Where the workers' script is: the package's file `seedspan/worker.js`, as you serve it. Without it the script is
   * part of the package's code and is started from a blob, which a page's Content-Security-Policy allows by
   * `worker-src blob:`. Node needs neither, and does not look at it.
   */
  url?: string | URL;
}

/**
 * Starts workers for several calls of `solveBatch` and `precomputeScores`, whose option `workers` takes the pool.
 * Starting them takes some 75 ms, so that it pays to keep them. They keep a Node process alive until
 * `await pool.terminate()`.
 *
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION`; `UNSUPPORTED` where workers cannot be
 *   started.
 * @example
 * ```ts
 * const pool = await createWorkerPool({ workers: 4 });
 * const { scores } = await precomputeScores({ images, workers: pool });
 * await pool.terminate();
 * ```
 */
export async function createWorkerPool(options: WorkerPoolOptions = {}): Promise<WorkerPool> {
  const where = 'createWorkerPool';
  checkOptionNames(where, options, ['workers', 'url']);
  const { workers = 'auto', url } = options;
  if (workers !== 'auto') checkWorkerCount(where, workers);
  if (url !== undefined && typeof url !== 'string' && !(url instanceof URL)) {
    throw new SeedspanError('INVALID_TYPE', `${where}: url must be a string or a URL, not ${show(url)}`);
  }
  const size = workers === 'auto' ? Math.min(await availableCores(), MOST_WORKERS) : workers;
  const [{ WorkerPool }, launcher] = await Promise.all([import('./pool.ts'), makeLauncher(url)]);
  const pool = new WorkerPool(size, launcher);
  await pool.start();
  return pool;
}
