// A start from a subspace (Chan and Wan 1997): given the columns of V and the residual r of x, a better
// x + V y, either with the new residual orthogonal to V (Galerkin) or with the smallest residual there is.

import { applyOperator } from '../operator/operator';
import { blockDot, blockUpdate } from '../vector/block';
import { axpy, copy, norm2 } from '../vector/vector';
import { solveDense } from './dense';
import { orthogonalize } from './arnoldi';

/** A column of A V of which less than this share is new gets no part in y: it would be mostly rounding errors. */
const DEPENDENT: f64 = 1e-10;

/** W <- A V, column by column. */
export function applyToBasis(operator: usize, k: i32, V: usize, stride: usize, W: usize): void {
  for (let j = 0; j < k; j++, V += stride, W += stride) applyOperator(operator, V, W);
}

/**
 * Galerkin: (V' A V) y = V' r; x <- x + V y, r <- r - A V y. W = A V; `small` has room for k (k + 1)
 * numbers. Returns false, with x and r as they were, when V' A V is singular.
 */
export function projectGalerkin(
  n: i32,
  k: i32,
  V: usize,
  W: usize,
  stride: usize,
  small: usize,
  x: usize,
  r: usize,
): bool {
  const bytes = <usize>k << 3;
  const y = small + <usize>k * bytes;
  for (let j: usize = 0; j < <usize>k; j++) blockDot(n, k, V, stride, W + j * stride, small + j * bytes);
  blockDot(n, k, V, stride, r, y);
  if (!solveDense(k, small, y)) return false;
  blockUpdate(n, k, 1, V, stride, y, x);
  blockUpdate(n, k, -1, W, stride, y, r);
  return true;
}

/**
 * Minimal residual: y = argmin ||r - A V y||; x <- x + V y, r <- r - A V y. W = A V comes in and goes out as the
 * orthonormal factor of its QR decomposition. Columns of W that depend on the ones before get no share. `small`
 * has room for (k + 1) (k + 3) numbers. Returns false, with x and r as they were, when the new residual is not
 * smaller.
 */
export function projectMinimalResidual(
  n: i32,
  k: i32,
  V: usize,
  W: usize,
  stride: usize,
  small: usize,
  scratch: usize,
  x: usize,
  r: usize,
): bool {
  const bytes = <usize>(k + 1) << 3;
  const y = small + <usize>(k + 1) * bytes;
  for (let j = 0; j < k; j++) {
    const column = W + <usize>j * stride;
    const h = small + <usize>j * bytes;
    const norm = orthogonalize(n, j, W, stride, column, h, y);
    if (norm > DEPENDENT * norm2(j + 1, h)) continue;
    memory.fill(column, 0, <usize>n << 3);
    memory.fill(h, 0, bytes);
  }
  blockDot(n, k, W, stride, r, y);
  const before = norm2(n, r);
  copy(n, r, scratch);
  blockUpdate(n, k, -1, W, stride, y, scratch);
  if (!(norm2(n, scratch) < before)) return false;
  copy(n, scratch, r);
  for (let j = k - 1; j >= 0; j--) {
    const at = y + (<usize>j << 3);
    const h = small + <usize>j * bytes;
    const diagonal = load<f64>(h + (<usize>j << 3));
    const value = diagonal == 0 ? 0 : load<f64>(at) / diagonal;
    store<f64>(at, value);
    axpy(j, -value, h, y);
  }
  blockUpdate(n, k, 1, V, stride, y, x);
  return true;
}

/** max |V'V - I| over the k columns; `work` has room for k numbers. */
export function orthogonality(n: i32, k: i32, V: usize, stride: usize, work: usize): f64 {
  let most: f64 = 0;
  for (let j = 0; j < k; j++) {
    blockDot(n, k, V, stride, V + <usize>j * stride, work);
    for (let i = 0; i < k; i++) most = max(most, abs(load<f64>(work + (<usize>i << 3)) - (i == j ? 1 : 0)));
  }
  return most;
}
