// A start from a subspace, and the small dense system for it, on typed arrays.

import { blockDot, blockUpdate, norm2, orthogonalize } from './vector.ts';

/** y <- A^-1 y for a k x k matrix by columns, with partial pivoting; A is overwritten. */
export function solveDense(k: number, A: Float64Array, y: Float64Array): void {
  for (let c = 0; c < k; c++) {
    let pivot = c;
    for (let i = c + 1; i < k; i++) if (Math.abs(A[c * k + i]) > Math.abs(A[c * k + pivot])) pivot = i;
    if (pivot !== c) {
      for (let j = c; j < k; j++) [A[j * k + c], A[j * k + pivot]] = [A[j * k + pivot], A[j * k + c]];
      [y[c], y[pivot]] = [y[pivot], y[c]];
    }
    const inverse = 1 / A[c * k + c];
    for (let i = c + 1; i < k; i++) {
      A[c * k + i] *= inverse;
      y[i] -= A[c * k + i] * y[c];
    }
    for (let j = c + 1; j < k; j++) {
      const factor = A[j * k + c];
      for (let i = c + 1; i < k; i++) A[j * k + i] -= A[c * k + i] * factor;
    }
  }
  for (let c = k - 1; c >= 0; c--) {
    y[c] /= A[c * k + c];
    for (let i = 0; i < c; i++) y[i] -= A[c * k + i] * y[c];
  }
}

/** (V'W) y = V'r; x <- x + V y, r <- r - W y. */
export function projectGalerkin(
  V: readonly Float64Array[],
  W: readonly Float64Array[],
  small: Float64Array,
  y: Float64Array,
  x: Float64Array,
  r: Float64Array,
): void {
  const k = V.length;
  for (let j = 0; j < k; j++) blockDot(k, V, W[j], small.subarray(j * k, (j + 1) * k));
  blockDot(k, V, r, y);
  solveDense(k, small, y);
  blockUpdate(k, 1, V, y, x);
  blockUpdate(k, -1, W, y, r);
}

/** y = argmin ||r - W y||; x <- x + V y, r <- r - W y; W becomes orthonormal. H has a column a vector. */
export function projectMinimalResidual(
  V: readonly Float64Array[],
  W: readonly Float64Array[],
  H: readonly Float64Array[],
  work: Float64Array,
  y: Float64Array,
  x: Float64Array,
  r: Float64Array,
): number {
  const k = V.length;
  for (let j = 0; j < k; j++) orthogonalize(j, W, W[j], H[j], work);
  blockDot(k, W, r, y);
  blockUpdate(k, -1, W, y, r);
  for (let j = k - 1; j >= 0; j--) {
    y[j] /= H[j][j];
    for (let i = 0; i < j; i++) y[i] -= y[j] * H[j][i];
  }
  blockUpdate(k, 1, V, y, x);
  return norm2(r);
}
