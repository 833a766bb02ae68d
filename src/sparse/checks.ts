import { SeedspanError, show, showList } from '../errors.ts';

/** The largest size, index and number of entries: what a 32-bit signed integer holds. */
export const MAX_SIZE = 2 ** 31 - 1;

/** Refuses all but arrays of numbers: plain ones, typed ones, or objects with a `length`. */
export function checkNumberArray(where: string, name: string, value: unknown): void {
  const length =
    typeof value === 'object' && value !== null ? (value as { length?: unknown }).length : undefined;
  const isBig = value instanceof BigInt64Array || value instanceof BigUint64Array;
  if (Number.isInteger(length) && (length as number) >= 0 && !isBig) return;
  throw new SeedspanError(
    'INVALID_TYPE',
    `${where}: ${name} must be an array of numbers, not ${show(value)}`,
    {
      name,
    },
  );
}

/** Refuses what is not `[rows, columns]`, and returns a frozen copy of what is. */
export function checkShape(where: string, shape: unknown): readonly [number, number] {
  checkNumberArray(where, 'shape', shape);
  const { length, 0: rows, 1: columns } = shape as ArrayLike<unknown>;
  const fits = (n: unknown) => Number.isInteger(n) && (n as number) >= 0 && (n as number) <= MAX_SIZE;
  if (length !== 2 || !fits(rows) || !fits(columns)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: shape must be [rows, columns], two integers from 0 to ${MAX_SIZE}, ` +
        `not [${showList(shape as ArrayLike<unknown>)}]`,
      { shape },
    );
  }
  return Object.freeze([rows as number, columns as number] as const);
}

/** Refuses lengths that differ. */
export function checkLength(
  where: string,
  name: string,
  length: number,
  expected: number,
  reason: string,
): void {
  if (length === expected) return;
  throw new SeedspanError(
    'SHAPE_MISMATCH',
    `${where}: ${name} has length ${length}, must be ${expected}: ${reason}`,
    {
      name,
      length,
      expected,
    },
  );
}

/** Refuses more entries than a 32-bit index can count. */
export function checkEntryCount(where: string, name: string, length: number): void {
  if (length <= MAX_SIZE) return;
  throw new SeedspanError(
    'INVALID_VALUE',
    `${where}: ${name} has ${length} entries, at most ${MAX_SIZE} fit`,
    {
      name,
      length,
    },
  );
}

/** Refuses an index that is not an integer in [0, size). `at` is where it stands in its array. */
export function checkIndex(where: string, name: string, at: number, index: unknown, size: number): void {
  if (Number.isInteger(index) && (index as number) >= 0 && (index as number) < size) return;
  const range =
    size === 0 ? 'there is no valid index, the size is 0' : `must be an integer from 0 to ${size - 1}`;
  throw new SeedspanError('INVALID_VALUE', `${where}: ${name}[${at}] is ${show(index)}; ${range}`, {
    name,
    at,
    index,
  });
}

/** Refuses a value that is not a finite number. `position` is how the user finds it: `data[7]`. */
export function checkFinite(where: string, position: string, value: unknown): void {
  if (Number.isFinite(value)) return;
  throw new SeedspanError(
    'INVALID_VALUE',
    `${where}: ${position} is ${show(value)}, must be a finite number`,
    {
      position,
      value,
    },
  );
}

/** Runs an allocation, and says in the package's words when there is no room for it. */
export function allocate<T>(where: string, what: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new SeedspanError('OUT_OF_MEMORY', `${where}: no room for ${what}`, { what }, { cause: error });
  }
}
