import { SeedspanError, show } from '../errors.ts';
import { createWorkerPool } from './create.ts';
import type { Workers } from './options.ts';
import { WorkerPool } from './pool.ts';
import { availableCores } from './port.ts';

/** Starting workers takes about 75 ms: what they save is to be twice that, in milliseconds. */
export const LEAST_SAVING = 150;

/** Workers for one call. */
export interface Lease {
  readonly pool: WorkerPool;
  /** Ends those that were started for the call. */
  end(): Promise<void>;
}

/** The pool that was given, or one that is started for at most so many jobs. */
export async function leasePool(where: string, workers: Workers, jobs: number): Promise<Lease> {
  if (typeof workers === 'object') {
    if (!(workers instanceof WorkerPool)) {
      throw new SeedspanError(
        'INVALID_TYPE',
        `${where}: workers must be a number, "auto" or a pool made by createWorkerPool, not ${show(workers)}`,
        { option: 'workers' },
      );
    }
    return { pool: workers, end: async () => {} };
  }
  const wanted = workers === 'auto' ? await availableCores() : workers;
  const pool = await createWorkerPool({ workers: Math.max(1, Math.min(wanted, jobs)) });
  return { pool, end: () => pool.terminate() };
}

/** Whether workers save enough of what is left to do here, in milliseconds, to be started for it. */
export async function paysForWorkers(left: number): Promise<boolean> {
  return left * (1 - 1 / (await availableCores())) > LEAST_SAVING;
}
