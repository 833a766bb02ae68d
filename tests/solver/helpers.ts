import v8 from 'node:v8';
import vm from 'node:vm';
import { expect } from 'vitest';
import {
  type CsrMatrix,
  csr,
  type Engine,
  type ErrorCode,
  type Method,
  type PreconditionerKind,
  SeedspanError,
  type SolveOptions,
  type SolveResult,
  type Storage,
} from '../../src/index.ts';
import type { Csr } from '../twins/csr.ts';
import { random, randomVector } from '../twins/random.ts';

export const METHODS: readonly Method[] = ['gmres', 'bicgstab', 'cg', 'gcro-dr'];
export const PRECONDITIONERS: readonly PreconditionerKind[] = ['none', 'jacobi', 'ilu0'];
export const STORAGES: readonly Storage[] = ['auto', 'csr', 'dia'];

/** A twin's matrix as the package's. */
export function fromTwin({ shape, indptr, indices, data }: Csr): CsrMatrix {
  return csr({ shape, indptr, indices, data });
}

/** A right-hand side that is the same in every run. */
export function vector(n: number, seed = 1): Float64Array {
  return randomVector(n, random(seed));
}

/** ||v||, also where squares overflow or vanish. */
export function norm(v: ArrayLike<number>): number {
  let largest = 0;
  // Math.max keeps a NaN.
  for (let i = 0; i < v.length; i++) largest = Math.max(largest, Math.abs(v[i]));
  if (largest === 0 || !Number.isFinite(largest)) return largest;
  let sum = 0;
  for (let i = 0; i < v.length; i++) sum += (v[i] / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/** b - A x, entry by entry: nothing of the kernel takes part. */
export function residual(A: CsrMatrix, b: ArrayLike<number>, x: ArrayLike<number>): Float64Array {
  const r = Float64Array.from(b);
  for (let i = 0; i < r.length; i++) {
    for (let k = A.indptr[i]; k < A.indptr[i + 1]; k++) r[i] -= A.data[k] * x[A.indices[k]];
  }
  return r;
}

/** What rounding alone makes of a residual: a few units in the last place of its largest terms. */
function roundingLevel(A: CsrMatrix, b: ArrayLike<number>, x: ArrayLike<number>): number {
  const terms = Float64Array.from(b, Math.abs);
  for (let i = 0; i < terms.length; i++) {
    for (let k = A.indptr[i]; k < A.indptr[i + 1]; k++) terms[i] += Math.abs(A.data[k] * x[A.indices[k]]);
  }
  return 1e-14 * norm(terms);
}

/**
 * What holds for every result, however the solve ended: the residual is the one of b, A and x, and `converged`
 * says that it meets the tolerance, neither more nor less.
 */
export function expectHonest(
  A: CsrMatrix,
  b: ArrayLike<number>,
  result: Omit<SolveResult, 'preconditioner'>,
  { rtol = 1e-8, atol = 0 }: SolveOptions = {},
): void {
  expect(result.x.length).toBe(b.length);
  expect(result.converged).toBe(result.status === 'converged');
  const own = norm(residual(A, b, result.x));
  // In a direction that A does not see, x can overflow beside a finite residual.
  if (!Number.isFinite(own) || !result.x.every(Number.isFinite)) {
    expect(result.status).toBe('non-finite');
    expect(result.residualNorm).not.toBeLessThan(Infinity);
    return;
  }
  expect(Math.abs(result.residualNorm - own)).toBeLessThanOrEqual(
    1e-10 * own + roundingLevel(A, b, result.x),
  );
  expect(Math.abs(result.rightHandSideNorm - norm(b))).toBeLessThanOrEqual(1e-13 * norm(b));
  expect(result.converged).toBe(result.residualNorm <= Math.max(rtol * result.rightHandSideNorm, atol));
}

/** max |a - b| <= tolerance ||b||. */
export function expectClose(a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number): void {
  expect(a.length).toBe(b.length);
  const difference = Float64Array.from(a, (value, i) => value - b[i]);
  expect(norm(difference)).toBeLessThanOrEqual(tolerance * norm(b));
}

/** Expects the package's error, with this code and message, and no kernel memory lost to it. */
export function expectRefused(engine: Engine, act: () => unknown, code: ErrorCode, message: RegExp): void {
  const before = engine.bytesInUse;
  let caught: unknown;
  try {
    act();
  } catch (error) {
    caught = error;
  }
  expectError(caught, code, message);
  expect(engine.bytesInUse).toBe(before);
}

/** As {@link expectRefused}, of a promise. */
export async function expectRejected(
  engine: Engine,
  act: () => Promise<unknown>,
  code: ErrorCode,
  message: RegExp,
): Promise<void> {
  const before = engine.bytesInUse;
  const caught = await act().then(
    () => undefined,
    (error: unknown) => error,
  );
  expectError(caught, code, message);
  expect(engine.bytesInUse).toBe(before);
}

function expectError(caught: unknown, code: ErrorCode, message: RegExp): void {
  expect(caught).toBeInstanceOf(SeedspanError);
  const { code: found, message: text } = caught as SeedspanError;
  expect({ code: found, text }).toEqual({ code, text: expect.stringMatching(message) });
}

/** The columns of a basis that is stored column after column. */
export function columnsOf(V: Float64Array, n: number): Float64Array[] {
  return Array.from({ length: n === 0 ? 0 : V.length / n }, (_, j) => V.slice(j * n, (j + 1) * n));
}

/** p' q */
export function dot(p: Float64Array, q: Float64Array): number {
  return p.reduce((sum, value, i) => sum + value * q[i], 0);
}

/** Bytes that JavaScript holds after a collection of garbage. */
export async function bytesKept(): Promise<number> {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  // The buffers of dead arrays are freed beside the program, some time after.
  for (let k = 0; k < 3; k++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A matrix as a function. */
export function asFunction(A: CsrMatrix): (x: Float64Array, y: Float64Array) => void {
  return (x, y) => {
    y.set(A.multiply(x));
  };
}

/** A wrong argument, past the type checker. */
export function wrong<T>(value: unknown): T {
  return value as T;
}

/** The sides on which a method takes its preconditioner. */
export function sidesOf(method: Method): readonly ('left' | 'right')[] {
  return method === 'gmres' ? ['left', 'right'] : ['right'];
}
