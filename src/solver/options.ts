import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { CsrMatrix } from '../sparse/index.ts';
import { Preconditioner } from './preconditioner.ts';
import type { Method, PreconditionerKind, ProjectionKind, Storage, SystemMatrix } from './types.ts';

export const METHODS: readonly Method[] = ['gmres', 'bicgstab', 'cg'];
export const PRECONDITIONERS: readonly PreconditionerKind[] = ['none', 'jacobi', 'ilu0'];
const PROJECTIONS: readonly ProjectionKind[] = ['galerkin', 'minimal-residual'];
const STORAGES: readonly Storage[] = ['auto', 'csr', 'dia'];
const SIDES = ['left', 'right'] as const;

export const WORKSPACE_OPTIONS = ['method', 'preconditioner', 'side', 'restart', 'storage', 'size'] as const;
export const SOLVE_OPTIONS = [
  'method',
  'preconditioner',
  'side',
  'restart',
  'rtol',
  'atol',
  'maxiter',
  'x0',
  'out',
  'history',
  'storage',
  'workspace',
  'seed',
  'projection',
] as const;
export const SOLVE_ASYNC_OPTIONS = [...SOLVE_OPTIONS, 'signal', 'onProgress'] as const;

/** Refuses a value that is not one of `allowed`. */
export function checkChoice(where: string, name: string, value: unknown, allowed: readonly unknown[]): void {
  if (value === undefined || allowed.includes(value)) return;
  throw new SeedspanError(
    'INVALID_VALUE',
    `${where}: ${name} is ${show(value)}, must be ${allowed.map(show).join(', ')}`,
    { option: name, value },
  );
}

/** Refuses what is not a finite number >= 0. */
export function checkTolerance(where: string, name: string, value: unknown): void {
  if (value === undefined || (typeof value === 'number' && value >= 0 && value < Infinity)) return;
  throw new SeedspanError(
    typeof value === 'number' ? 'INVALID_VALUE' : 'INVALID_TYPE',
    `${where}: ${name} is ${show(value)}, must be a finite number, 0 or larger`,
    { option: name, value },
  );
}

/** Refuses what is not an integer >= least. */
export function checkCount(where: string, name: string, value: unknown, least: number): void {
  if (
    value === undefined ||
    (Number.isInteger(value) && (value as number) >= least && (value as number) < 2 ** 31)
  ) {
    return;
  }
  throw new SeedspanError(
    typeof value === 'number' ? 'INVALID_VALUE' : 'INVALID_TYPE',
    `${where}: ${name} is ${show(value)}, must be an integer, ${least} or larger`,
    { option: name, value },
  );
}

export function checkFlag(where: string, name: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return;
  throw new SeedspanError('INVALID_TYPE', `${where}: ${name} is ${show(value)}, must be true or false`);
}

/** Refuses what is not an array of `length` numbers. */
export function checkVector(where: string, name: string, value: unknown, length: number): void {
  if (value === undefined) return;
  const typed = ArrayBuffer.isView(value) && !(value instanceof DataView);
  if (
    (!typed && !Array.isArray(value)) ||
    value instanceof BigInt64Array ||
    value instanceof BigUint64Array
  ) {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${where}: ${name} must be an array of numbers, not ${show(value)}`,
    );
  }
  const found = (value as unknown as ArrayLike<number>).length;
  if (found !== length) {
    throw new SeedspanError('SHAPE_MISMATCH', `${where}: ${name} has length ${found}, must be ${length}`, {
      expected: length,
      found,
    });
  }
}

/** Refuses a vector with NaN or infinity, and says where. */
export function refuseNonFinite(where: string, name: string, values: ArrayLike<number>): never {
  let at = 0;
  while (at < values.length - 1 && Number.isFinite(values[at])) at++;
  throw new SeedspanError(
    'INVALID_VALUE',
    `${where}: ${name}[${at}] is ${show(values[at])}, must be a finite number`,
    { index: at },
  );
}

/** The number of unknowns of a square system; refuses all else. `size` is that of a function, where known. */
export function systemSize(where: string, A: SystemMatrix, size: number | undefined): number {
  if (typeof A === 'function') {
    if (size === undefined) {
      throw new SeedspanError(
        'INVALID_VALUE',
        `${where}: a matrix-free system needs the option size, the number of unknowns`,
      );
    }
    return size;
  }
  if (!(A instanceof CsrMatrix)) {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${where}: the matrix must be made by csr, fromTriplets or fromDense, or be a function (x, y); it is ${show(A)}`,
    );
  }
  const [rows, columns] = A.shape;
  if (rows !== columns) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${where}: the matrix is ${rows} x ${columns}, must be square`,
      {
        shape: A.shape,
      },
    );
  }
  return rows;
}

/** Checks names and values of all options that solves and workspaces know, as far as they are given. */
export function checkSolveOptions(
  where: string,
  options: object | undefined,
  known: readonly string[],
): void {
  if (options === undefined) return;
  checkOptionNames(where, options, known);
  const given = options as Record<string, unknown>;
  checkChoice(where, 'method', given.method, METHODS);
  const { preconditioner } = given;
  if (typeof preconditioner !== 'function' && !(preconditioner instanceof Preconditioner)) {
    checkChoice(where, 'preconditioner', preconditioner, PRECONDITIONERS);
  }
  checkChoice(where, 'side', given.side, SIDES);
  checkChoice(where, 'storage', given.storage, STORAGES);
  checkChoice(where, 'projection', given.projection, PROJECTIONS);
  checkCount(where, 'restart', given.restart, 1);
  checkCount(where, 'size', given.size, 0);
  checkCount(where, 'maxiter', given.maxiter, 0);
  checkTolerance(where, 'rtol', given.rtol);
  checkTolerance(where, 'atol', given.atol);
  checkFlag(where, 'history', given.history);
}
