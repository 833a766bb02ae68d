import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import type { Float64Block } from '../memory/block.ts';
import { checkFinite, checkLength, checkNumberArray, MAX_SIZE } from '../sparse/checks.ts';
import { CsrMatrix } from '../sparse/index.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { Preconditioner } from './preconditioner.ts';
import type {
  Method,
  Precision,
  PreconditionerKind,
  ProjectionKind,
  Storage,
  SystemMatrix,
} from './types.ts';

export const METHODS: readonly Method[] = ['gmres', 'bicgstab', 'cg', 'gcro-dr', 'lu'];
const SOLVE_METHODS: readonly (Method | 'auto')[] = [...METHODS, 'auto'];
export const PRECONDITIONERS: readonly PreconditionerKind[] = [
  'none',
  'jacobi',
  'ilu0',
  'multigrid',
  'sine-transform',
  'cosine-transform',
  'lu',
];
const PROJECTIONS: readonly ProjectionKind[] = ['galerkin', 'minimal-residual'];
const STORAGES: readonly Storage[] = ['auto', 'csr', 'dia'];
const PRECISIONS: readonly (Precision | 'auto')[] = ['auto', 'double', 'mixed'];
const SIDES = ['left', 'right'] as const;

export const WORKSPACE_OPTIONS = [
  'method',
  'preconditioner',
  'side',
  'restart',
  'storage',
  'precision',
  'size',
] as const;
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
  'precision',
  'workspace',
  'seed',
  'projection',
  'recycle',
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

/** Refuses what is not an integer >= least, of at most 31 bits. */
export function checkCount(where: string, name: string, value: unknown, least: number): void {
  if (
    value === undefined ||
    (Number.isInteger(value) && (value as number) >= least && (value as number) <= MAX_SIZE)
  ) {
    return;
  }
  throw new SeedspanError(
    typeof value === 'number' ? 'INVALID_VALUE' : 'INVALID_TYPE',
    `${where}: ${name} is ${show(value)}, must be an integer, ${least} or larger, at most ${MAX_SIZE}`,
    { option: name, value },
  );
}

export function checkFlag(where: string, name: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return;
  throw new SeedspanError('INVALID_TYPE', `${where}: ${name} is ${show(value)}, must be true or false`);
}

/** Refuses what is not an array of `length` numbers. */
export function checkVector(where: string, name: string, value: unknown, length: number): void {
  checkNumberArray(where, name, value);
  checkLength(where, name, (value as ArrayLike<number>).length, length, 'the number of unknowns');
}

/** Copies a vector into the kernel; refuses NaN, infinity and what is no number, and says where. */
export function takeVector(
  kernel: Kernel,
  where: string,
  name: string,
  values: ArrayLike<number>,
  block: Float64Block,
) {
  let taken = true;
  try {
    block.view.set(values);
  } catch (error) {
    // A bigint or a symbol among the numbers.
    if (!(error instanceof TypeError)) throw error;
    taken = false;
  }
  if (taken && Number.isFinite(kernel.exports.maxAbs(block.length, block.pointer))) return;
  for (let k = 0; k < values.length; k++) checkFinite(where, `${name}[${k}]`, values[k]);
}

/** Refuses what is not a Float64Array of `length`. */
export function checkOut(where: string, out: unknown, length: number): void {
  if (out === undefined) return;
  if (!(out instanceof Float64Array)) {
    throw new SeedspanError('INVALID_TYPE', `${where}: out must be a Float64Array, not ${show(out)}`);
  }
  checkLength(where, 'out', out.length, length, 'the length of the result');
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
  checkMatrix(where, A, ', or be a function (x, y)');
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
  if (size !== undefined) checkLength(where, 'the system', rows, size, 'the option size');
  return rows;
}

/** Refuses what is not a matrix of this package. `or`: what else would do. */
export function checkMatrix(where: string, A: unknown, or = ''): asserts A is CsrMatrix {
  if (A instanceof CsrMatrix) return;
  throw new SeedspanError(
    'INVALID_TYPE',
    `${where}: the matrix must be made by csr, fromTriplets or fromDense (another library's: by fromMathjs or fromMlSparseMatrix)${or}; it is ${show(A)}`,
  );
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
  checkChoice(where, 'method', given.method, SOLVE_METHODS);
  const { preconditioner } = given;
  if (typeof preconditioner !== 'function' && !(preconditioner instanceof Preconditioner)) {
    checkChoice(where, 'preconditioner', preconditioner, PRECONDITIONERS);
  }
  checkChoice(where, 'side', given.side, SIDES);
  checkChoice(where, 'storage', given.storage, STORAGES);
  checkChoice(where, 'precision', given.precision, PRECISIONS);
  checkChoice(where, 'projection', given.projection, PROJECTIONS);
  checkCount(where, 'restart', given.restart, 1);
  checkCount(where, 'size', given.size, 0);
  checkCount(where, 'maxiter', given.maxiter, 0);
  checkTolerance(where, 'rtol', given.rtol);
  checkTolerance(where, 'atol', given.atol);
  checkFlag(where, 'history', given.history);
}
