// The real Schur form of a small dense matrix: Hessenberg form by Householder reflections, then Francis' implicit
// double shifts (Golub and Van Loan 2013, algorithms 7.4.2, 7.5.1, 7.5.2), and the order of its eigenvalues.
//
// A = Z T Z', Z orthogonal, T upper triangular but for blocks of two on the diagonal, one a complex pair. The first
// columns of Z span the invariant subspace of the first eigenvalues, pairs and defective ones included.

import { blockUpdate } from '../vector/block';
import { madd, nmadd } from '../vector/simd';
import { axpy, dot, maxAbs, norm2, scale, zero } from '../vector/vector';

const EPSILON: f64 = 2.220446049250313e-16;
/** Double shifts for one eigenvalue, before it is given up. */
const MOST_SHIFTS: i32 = 60;
/** Blocks whose moduli differ by less keep their places: to exchange them wins nothing, and costs digits. */
const APART: f64 = 1.01;
/** Nothing, beside entries of at most 1; its inverse may overflow. */
const VANISHING: f64 = 1e-290;

/**
 * T <- the Schur form of the k x k matrix that T holds, by columns, and Z. Eigenvalues come in the order of falling
 * modulus, up to a per cent. `work` has room for 2 k + 16 numbers. False when something is not finite or the shifts do
 * not converge; T and Z are then useless.
 */
export function schur(k: i32, T: usize, Z: usize, work: usize): bool {
  memory.fill(Z, 0, <usize>(k * k) << 3);
  for (let i = 0; i < k; i++) store<f64>(place(Z, k, i, i), 1);
  // Entries of at most 1: products of shifts neither overflow nor vanish.
  const largest = maxAbs(k * k, T);
  if (largest == 0) return true;
  if (!isFinite(largest)) return false;
  for (let e: usize = 0; e < <usize>(k * k) << 3; e += 8) store<f64>(T + e, load<f64>(T + e) / largest);
  toHessenberg(k, T, Z, work);
  if (!iterate(k, T, Z, work)) return false;
  order(k, T, Z, work);
  scale(k * k, largest, T);
  return true;
}

/** T <- P' T P with zeros below the first subdiagonal, Z <- P. */
function toHessenberg(k: i32, T: usize, Z: usize, v: usize): void {
  for (let c = 0; c + 2 < k; c++) {
    const size = k - c - 1;
    memory.copy(v, place(T, k, c + 1, c), <usize>size << 3);
    if (maxAbs(size - 1, v + 8) > 0) reflect(k, T, Z, c + 1, size, v, c, k);
    memory.fill(place(T, k, c + 2, c), 0, <usize>(size - 1) << 3);
  }
}

/** Down to blocks of one and two. */
function iterate(k: i32, T: usize, Z: usize, work: usize): bool {
  let shifts = 0;
  for (let high = k - 1; high > 0; ) {
    let low = high;
    for (; low > 0; low--) {
      let near = abs(at(T, k, low, low)) + abs(at(T, k, low - 1, low - 1));
      if (near == 0) near = 1;
      if (abs(at(T, k, low, low - 1)) <= EPSILON * near) {
        store<f64>(place(T, k, low, low - 1), 0);
        break;
      }
    }
    if (low < high - 1) {
      if (++shifts > MOST_SHIFTS) return false;
      doubleShift(k, T, Z, low, high, shifts % 10 == 0, work);
      continue;
    }
    if (low == high - 1) split(k, T, Z, low, work);
    high = low - 1;
    shifts = 0;
  }
  return true;
}

/** One implicit double shift on rows and columns low..high; an `exceptional` one leaves cycles. */
function doubleShift(
  k: i32,
  T: usize,
  Z: usize,
  low: i32,
  high: i32,
  exceptional: bool,
  v: usize,
): void {
  const a = at(T, k, high - 1, high - 1);
  const d = at(T, k, high, high);
  let sum = a + d;
  let product = a * d - at(T, k, high - 1, high) * at(T, k, high, high - 1);
  if (exceptional) {
    const size = abs(at(T, k, high, high - 1)) + abs(at(T, k, high - 1, high - 2));
    sum = 1.5 * size;
    product = size * size;
  }
  const first = at(T, k, low, low);
  const below = at(T, k, low + 1, low);
  store<f64>(v, first * (first - sum) + product + at(T, k, low, low + 1) * below);
  store<f64>(v, below * (first + at(T, k, low + 1, low + 1) - sum), 8);
  store<f64>(v, below * at(T, k, low + 2, low + 1), 16);
  for (let r = low; r < high; r++) {
    const size = min(3, high - r + 1);
    const column = max(low, r - 1);
    if (r > low) memory.copy(v, place(T, k, r, r - 1), <usize>size << 3);
    reflect(k, T, Z, r, size, v, column, min(r + 4, high + 1));
    if (r > low) memory.fill(place(T, k, r + 1, r - 1), 0, <usize>(size - 1) << 3);
  }
}

/** Makes two blocks of the block of two at l, where its eigenvalues are real. */
function split(k: i32, T: usize, Z: usize, l: i32, v: usize): void {
  const c = at(T, k, l + 1, l);
  const half = 0.5 * (at(T, k, l, l) - at(T, k, l + 1, l + 1));
  const discriminant = half * half + at(T, k, l, l + 1) * c;
  if (discriminant < 0) return;
  // The eigenvector of the eigenvalue that is farther from the last entry.
  store<f64>(v, half + copysign<f64>(sqrt(discriminant), half));
  store<f64>(v, c, 8);
  reflect(k, T, Z, l, 2, v, l, l + 2);
  store<f64>(place(T, k, l + 1, l), 0);
}

/** Sorts the blocks of a Schur form by insertion, the largest modulus first: shifts leave few of them out of place. */
function order(k: i32, T: usize, Z: usize, work: usize): void {
  for (let from = 0; from < k; ) {
    const size = sizeAt(k, T, from);
    const modulus = modulusAt(k, T, from);
    for (let l = from; l > 0; ) {
      const above = l > 1 && at(T, k, l - 1, l - 2) != 0 ? 2 : 1;
      if (!(modulus > APART * modulusAt(k, T, l - above))) break;
      l -= above;
      exchange(k, T, Z, l, above, size, work);
    }
    from += size;
  }
}

function sizeAt(k: i32, T: usize, l: i32): i32 {
  return l + 1 < k && at(T, k, l + 1, l) != 0 ? 2 : 1;
}

function modulusAt(k: i32, T: usize, l: i32): f64 {
  const first = at(T, k, l, l);
  if (sizeAt(k, T, l) == 1) return abs(first);
  return sqrt(abs(first * at(T, k, l + 1, l + 1) - at(T, k, l, l + 1) * at(T, k, l + 1, l)));
}

/**
 * Exchanges the neighbouring blocks of p and q rows at l. With f the characteristic polynomial of the first, the last
 * q columns of f(T) span the invariant subspace of the second: their QR decomposition is the transformation.
 */
function exchange(k: i32, T: usize, Z: usize, l: i32, p: i32, q: i32, work: usize): void {
  const w = p + q;
  const M = work;
  const v = work + 64;
  const a = at(T, k, l, l);
  const d = at(T, k, l + 1, l + 1);
  const sum = p == 1 ? a : a + d;
  const product = p == 1 ? 0 : a * d - at(T, k, l, l + 1) * at(T, k, l + 1, l);
  for (let j = 0; j < q; j++) {
    for (let i = 0; i < w; i++) {
      const entry = at(T, k, l + i, l + p + j);
      let value = entry - (p == 1 && i == p + j ? sum : 0);
      if (p == 2) {
        value = (i == p + j ? product : 0) - sum * entry;
        for (let s = 0; s < w; s++) value += at(T, k, l + i, l + s) * at(T, k, l + s, l + p + j);
      }
      store<f64>(place(M, w, i, j), value);
    }
  }
  for (let c = 0; c < q; c++) {
    memory.copy(v, place(M, w, c, c), <usize>(w - c) << 3);
    const tau = reflector(w - c, v);
    for (let j = c + 1; j < q; j++) reflectVector(w - c, v, tau, place(M, w, c, j));
    apply(k, T, Z, l + c, w - c, v, tau, l, l + w);
  }
  for (let j = 0; j < q; j++) memory.fill(place(T, k, l + q, l + j), 0, <usize>p << 3);
}

/**
 * The reflection P that maps v to a multiple of e_1, on `size` rows and columns from `first` on: T <- P T P, Z <- Z P.
 * T is known to be zero left of `column` in those rows, and below row `end` - 1 in those columns.
 */
function reflect(k: i32, T: usize, Z: usize, first: i32, size: i32, v: usize, column: i32, end: i32): void {
  apply(k, T, Z, first, size, v, reflector(size, v), column, end);
}

/** v <- the vector, with 1 in front, of the reflection I - tau v v' that maps v to a multiple of e_1. Returns tau. */
function reflector(size: i32, v: usize): f64 {
  const norm = norm2(size, v);
  const first = load<f64>(v);
  if (norm < VANISHING) return 0;
  const target = first > 0 ? -norm : norm;
  scale(size - 1, 1 / (first - target), v + 8);
  store<f64>(v, 1);
  return (target - first) / target;
}

function apply(
  k: i32,
  T: usize,
  Z: usize,
  first: i32,
  size: i32,
  v: usize,
  tau: f64,
  column: i32,
  end: i32,
): void {
  // Nearly all of them: the steps of double shifts.
  if (size == 3) {
    const b = load<f64>(v, 8);
    const c = load<f64>(v, 16);
    for (let j = column; j < k; j++) reflectThree(tau, b, c, place(T, k, first, j));
    reflectThreeColumns(end, tau, b, c, place(T, k, 0, first), <usize>k << 3);
    reflectThreeColumns(k, tau, b, c, place(Z, k, 0, first), <usize>k << 3);
    return;
  }
  for (let j = column; j < k; j++) reflectVector(size, v, tau, place(T, k, first, j));
  const work = v + (<usize>size << 3);
  reflectColumns(end, size, v, tau, place(T, k, 0, first), <usize>k << 3, work);
  reflectColumns(k, size, v, tau, place(Z, k, 0, first), <usize>k << 3, work);
}

/** x <- x - tau (v' x) v */
function reflectVector(size: i32, v: usize, tau: f64, x: usize): void {
  axpy(size, -tau * dot(size, v, x), v, x);
}

/** X <- X - tau (X v) v' for the first `rows` rows of as many columns as v has entries; `work` gets X v. */
function reflectColumns(rows: i32, size: i32, v: usize, tau: f64, X: usize, stride: usize, work: usize): void {
  zero(rows, work);
  blockUpdate(rows, size, 1, X, stride, v, work);
  for (let j: usize = 0; j < <usize>size; j++) axpy(rows, -tau * load<f64>(v + (j << 3)), work, X + j * stride);
}

/** As `reflectVector`, with v = (1, b, c). */
function reflectThree(tau: f64, b: f64, c: f64, x: usize): void {
  const first = load<f64>(x);
  const second = load<f64>(x, 8);
  const third = load<f64>(x, 16);
  const sum = tau * (first + b * second + c * third);
  store<f64>(x, first - sum);
  store<f64>(x, second - sum * b, 8);
  store<f64>(x, third - sum * c, 16);
}

/** As `reflectColumns`, with v = (1, b, c). */
function reflectThreeColumns(rows: i32, tau: f64, b: f64, c: f64, X: usize, stride: usize): void {
  let y = X + stride;
  let z = y + stride;
  const end = X + (<usize>rows << 3);
  if (ASC_FEATURE_SIMD) {
    const tt = f64x2.splat(tau);
    const bb = f64x2.splat(b);
    const cc = f64x2.splat(c);
    for (const stop = X + (<usize>(rows & ~1) << 3); X < stop; X += 16, y += 16, z += 16) {
      const first = v128.load(X);
      const second = v128.load(y);
      const third = v128.load(z);
      const sum = f64x2.mul(tt, madd(cc, third, madd(bb, second, first)));
      v128.store(X, f64x2.sub(first, sum));
      v128.store(y, nmadd(bb, sum, second));
      v128.store(z, nmadd(cc, sum, third));
    }
  }
  for (; X < end; X += 8, y += 8, z += 8) {
    const first = load<f64>(X);
    const second = load<f64>(y);
    const third = load<f64>(z);
    const sum = tau * (first + b * second + c * third);
    store<f64>(X, first - sum);
    store<f64>(y, second - sum * b);
    store<f64>(z, third - sum * c);
  }
}

// @ts-ignore: decorator
@inline
function place(A: usize, k: i32, i: i32, j: i32): usize {
  return A + ((<usize>j * <usize>k + <usize>i) << 3);
}

// @ts-ignore: decorator
@inline
function at(A: usize, k: i32, i: i32, j: i32): f64 {
  return load<f64>(place(A, k, i, j));
}
