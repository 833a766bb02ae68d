import { checkOptionNames } from '../errors.ts';
import { checkNumberArray } from '../sparse/checks.ts';
import { type MatrixLike, matrixOf } from '../sparse/other-libraries.ts';
import { createEngine } from './create-engine.ts';
import { SOLVE_ASYNC_OPTIONS } from './options.ts';
import type { SolveAsyncOptions } from './solve-options.ts';
import type { MatrixFree, SolveResult } from './types.ts';

const MADE_BY_ENGINE = ['workspace', 'seed', 'recycle'];
const OPTIONS = SOLVE_ASYNC_OPTIONS.filter((name) => !MADE_BY_ENGINE.includes(name));

/** Those of `engine.solveAsync`, without what is made by an engine. */
export type OneSolveOptions = Omit<SolveAsyncOptions, 'workspace' | 'seed' | 'recycle'>;

/**
 * Solves A x = b, once: makes an engine, solves as `engine.solveAsync` does, and gives the engine back. Nothing is
 * kept between calls, so each one makes a kernel anew: in Node about 5 ms the first time and 0.3 ms after that, where
 * a small system in an engine of one's own takes 0.05 ms. For many solves use {@link createEngine}.
 *
 * @example
 * ```ts
 * const { x, status } = await solve([[0, 0, 4], [0, 1, 1], [1, 0, 1], [1, 1, 3]], [1, 2]);
 * ```
 * @param A square; an array is of `[row, column, value]` triplets (from 0; the same place twice is summed), and its
 *   size is b's. Matrices of mathjs and ml-sparse-matrix are copied
 * @param b length n
 * @param options as of `engine.solveAsync`, but `method` is `'auto'` unless given: several ways are tried, and the
 *   result's `method` and `preconditioner` say which it was
 * @throws SeedspanError as `engine.solveAsync`, and as {@link csr}, {@link fromTriplets}, {@link fromMathjs} and
 *   {@link fromMlSparseMatrix} for what they refuse
 */
export async function solve(
  A: MatrixLike | MatrixFree,
  b: ArrayLike<number>,
  options: OneSolveOptions = {},
): Promise<SolveResult> {
  checkOptionNames('solve', options, OPTIONS);
  checkNumberArray('solve', 'b', b);
  const matrix = typeof A === 'function' ? A : matrixOf('solve', A, b.length);
  const engine = await createEngine();
  try {
    return await engine.solveAsync(matrix, b, { ...options, method: options.method ?? 'auto' });
  } finally {
    engine.dispose();
  }
}
