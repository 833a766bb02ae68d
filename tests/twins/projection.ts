/** Starts for A x = b out of the span of a given basis V (Chan & Wan 1997). */

import { type Operator, residual } from './csr.ts';
import { fromColumns, leastSquares, multiply, multiplyVector, solve, transpose } from './dense.ts';
import { norm2 } from './vector.ts';

export interface ProjectedStart {
  /** V y */
  x: Float64Array;
  y: Float64Array;
  /** ||b - A V y|| */
  residualNorm: number;
}

/** (V'A V) y = V'b: the residual is orthogonal to V. */
export function galerkin(apply: Operator, b: Float64Array, V: readonly Float64Array[]): ProjectedStart {
  const basis = fromColumns(V);
  const images = fromColumns(V.map((v) => apply(v)));
  const y = solve(multiply(transpose(basis), images), multiplyVector(transpose(basis), b));
  return start(apply, b, V, y);
}

/** y = argmin || b - A V y ||: the residual is orthogonal to A V, and no longer than b. */
export function minimalResidual(
  apply: Operator,
  b: Float64Array,
  V: readonly Float64Array[],
): ProjectedStart {
  const y = leastSquares(fromColumns(V.map((v) => apply(v))), b);
  return start(apply, b, V, y);
}

function start(
  apply: Operator,
  b: Float64Array,
  V: readonly Float64Array[],
  y: Float64Array,
): ProjectedStart {
  const x = multiplyVector(fromColumns(V), y);
  return { x, y, residualNorm: norm2(residual(apply, b, x)) };
}
