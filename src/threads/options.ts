import { SeedspanError, show } from '../errors.ts';
import type { WorkerPool } from './pool.ts';

/** What the option `workers` may be: how many, as many as pay, or those of a pool. */
export type Workers = number | 'auto' | WorkerPool;

export const MOST_WORKERS = 256;

/** Checks the option `workers` as far as that is possible without loading what workers need. */
export function checkWorkers(where: string, workers: unknown): void {
  if (workers === undefined || workers === 'auto') return;
  if (typeof workers === 'object' && workers !== null) return;
  checkWorkerCount(where, workers, ', "auto" or a pool made by createWorkerPool');
}

export function checkWorkerCount(where: string, workers: unknown, or = ' or "auto"'): void {
  if (typeof workers === 'number' && Number.isInteger(workers) && workers >= 1 && workers <= MOST_WORKERS)
    return;
  throw new SeedspanError(
    typeof workers === 'number' ? 'INVALID_VALUE' : 'INVALID_TYPE',
    `${where}: workers is ${show(workers)}, must be a whole number from 1 to ${MOST_WORKERS}${or}`,
    { option: 'workers', value: workers },
  );
}
