import { SeedspanError, show } from '../errors.ts';

/** Refuses a memory limit that is none. */
export function checkMemoryLimit(bytes: number | undefined): void {
  if (bytes === undefined || (Number.isFinite(bytes) && bytes > 0)) return;
  throw new SeedspanError(
    'INVALID_VALUE',
    `createEngine: memoryLimit is ${show(bytes)}, must be a positive number of bytes`,
  );
}
