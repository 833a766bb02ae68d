// A start from a subspace (Chan and Wan 1997): given the columns of V and the residual r of x, a better
// x + V y, either with the new residual orthogonal to V (Galerkin) or with the smallest residual there is.
//
// V is of f64, or of f32 (`single`); W = A V and all sums are of f64. `small` has room for (k + 1) (k + 3) numbers;
// its first k are y in the end.

import { applyOperator, Operator, SLICED } from '../operator/operator';
import { slicedMultiplyTwo } from '../operator/sliced-columns';
import { blockDot, blockUpdate } from '../vector/block';
import { blockUpdateSingle, widen } from '../vector/single';
import { axpy, copy, norm2 } from '../vector/vector';
import { orthogonalize } from './arnoldi';
import { solveCholesky, solveDense } from './dense';
import { crossGram, gram } from './gram';

/** A column of A V of which less than this share is new gets no part in y: it would be mostly rounding errors. */
const DEPENDENT: f64 = 1e-10;
/** The same, squared, from which on the normal equations, which square the condition, lose more than half the digits. */
const ILL_CONDITIONED: f64 = 1e-8;

/** W <- A V. `scratch`: n numbers, for a V of f32. */
export function applyToBasis(
  operator: usize,
  k: i32,
  V: usize,
  stride: usize,
  single: bool,
  W: usize,
  wStride: usize,
  scratch: usize,
): void {
  const it = changetype<Operator>(operator);
  let j = 0;
  if (!single && it.kind == SLICED) {
    for (; j + 2 <= k; j += 2, V += stride << 1, W += wStride << 1) {
      slicedMultiplyTwo(it.pattern, it.count, it.order, it.indices, it.data, V, stride, W, wStride);
    }
  }
  for (; j < k; j++, V += stride, W += wStride) {
    if (single) widen(it.n, V, scratch);
    applyOperator(operator, single ? scratch : V, W);
  }
}

/**
 * Galerkin: (V' A V) y = V' r; x <- x + V y, r <- r - A V y. W = A V. `scratch`: n numbers. Returns false, with x
 * and r as they were, when V' A V is singular.
 */
export function projectGalerkin(
  n: i32,
  k: i32,
  V: usize,
  stride: usize,
  single: bool,
  W: usize,
  wStride: usize,
  small: usize,
  scratch: usize,
  x: usize,
  r: usize,
): bool {
  const y = small;
  const G = small + (<usize>(k + 1) << 3);
  if (single) {
    for (let i = 0; i < k; i++) {
      widen(n, V + <usize>i * stride, scratch);
      // A row of V' A V: a column of its transpose, in the place of the column.
      blockDot(n, k, W, wStride, scratch, G + ((<usize>i * <usize>k) << 3));
      blockDot(n, 1, scratch, 0, r, y + (<usize>i << 3));
    }
    transpose(k, G);
  } else {
    crossGram(n, k, V, stride, W, wStride, G);
    blockDot(n, k, V, stride, r, y);
  }
  if (!solveDense(k, G, y)) return false;
  addColumns(n, k, V, stride, single, y, x, scratch);
  blockUpdate(n, k, -1, W, wStride, y, r);
  return true;
}

/**
 * Minimal residual: y = argmin ||r - A V y||; x <- x + V y, r <- r - A V y. W = A V, and is lost. By the normal
 * equations where they are well enough conditioned, else by QR. Columns of W that depend on the ones before get no
 * share. `scratch`: n numbers. Returns false, with x and r as they were, when the new residual is not smaller.
 */
export function projectMinimalResidual(
  n: i32,
  k: i32,
  V: usize,
  stride: usize,
  single: bool,
  W: usize,
  wStride: usize,
  small: usize,
  scratch: usize,
  x: usize,
  r: usize,
): bool {
  const y = small;
  const H = small + (<usize>(k + 1) << 3);
  gram(n, k, W, wStride, H);
  blockDot(n, k, W, wStride, r, y);
  const normal = solveCholesky(k, H, y, ILL_CONDITIONED);
  if (!normal) {
    orthogonalizeColumns(n, k, W, wStride, H, y);
    blockDot(n, k, W, wStride, r, y);
  }
  const before = norm2(n, r);
  copy(n, r, scratch);
  blockUpdate(n, k, -1, W, wStride, y, scratch);
  if (!(norm2(n, scratch) < before)) return false;
  copy(n, scratch, r);
  if (!normal) solveTriangular(k, H, y);
  addColumns(n, k, V, stride, single, y, x, scratch);
  return true;
}

/** W <- Q of W = Q R, with R in H by columns of k + 1. Dependent columns become zero, in both. */
function orthogonalizeColumns(n: i32, k: i32, W: usize, stride: usize, H: usize, work: usize): void {
  const bytes = <usize>(k + 1) << 3;
  for (let j = 0; j < k; j++) {
    const column = W + <usize>j * stride;
    const h = H + <usize>j * bytes;
    const norm = orthogonalize(n, j, W, stride, column, h, work);
    if (norm > DEPENDENT * norm2(j + 1, h)) continue;
    memory.fill(column, 0, <usize>n << 3);
    memory.fill(h, 0, bytes);
  }
}

/** y <- R^-1 y, leaving out what has no diagonal entry. */
function solveTriangular(k: i32, H: usize, y: usize): void {
  const bytes = <usize>(k + 1) << 3;
  for (let j = k - 1; j >= 0; j--) {
    const at = y + (<usize>j << 3);
    const h = H + <usize>j * bytes;
    const diagonal = load<f64>(h + (<usize>j << 3));
    const value = diagonal == 0 ? 0 : load<f64>(at) / diagonal;
    store<f64>(at, value);
    axpy(j, -value, h, y);
  }
}

/** x <- x + V y */
function addColumns(n: i32, k: i32, V: usize, stride: usize, single: bool, y: usize, x: usize, scratch: usize): void {
  if (single) blockUpdateSingle(n, k, V, stride, y, x, scratch);
  else blockUpdate(n, k, 1, V, stride, y, x);
}

function transpose(k: i32, G: usize): void {
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < i; j++) {
      const p = G + ((<usize>j * <usize>k + <usize>i) << 3);
      const q = G + ((<usize>i * <usize>k + <usize>j) << 3);
      const value = load<f64>(p);
      store<f64>(p, load<f64>(q));
      store<f64>(q, value);
    }
  }
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
