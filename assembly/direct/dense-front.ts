// Dense LU of the first pivots of a front, row by row in memory, without exchanges: A11 = L11 U11, U12 = L11^-1 A12,
// L21 = A21 U11^-1, A22 <- A22 - L21 U12. Pivots are inverted in place.

import { madd } from '../vector/simd';
import { maxAbs } from '../vector/vector';
import { numberAt, setNumber } from './access';
import { lessScaled } from './lanes';

/** Columns that are eliminated between two updates of all that follows. */
const STRIP: i32 = 16;

/**
 * Factors a front of `width` rows and columns, of which `from` .. `to` are pivots; to and width are multiples of 4.
 * `below`: the first row that is no row of the front any more. Returns the first pivot that is too small, or -1: zero,
 * not finite, or less than `threshold` times the largest of its column below it.
 */
export function factorFront(front: usize, width: i32, from: i32, to: i32, below: i32, threshold: f64): i32 {
  const stride = <usize>width << 3;
  for (let k0 = from; k0 < to; ) {
    const k1 = min(to, (k0 & ~(STRIP - 1)) + STRIP);
    const failed = factorStrip(front, stride, k0, k1, below, threshold);
    if (failed >= 0) return failed;
    if (k1 < width) {
      rowsOfStrip(front, stride, k0, k1, width);
      updateRows(front, stride, k0, k1, width, false);
    }
    k0 = k1;
  }
  return -1;
}

/**
 * As `factorFront`, of a symmetric front of which only the upper triangle is given: U, and L = (D^-1 U)' below. Positive
 * pivots are taken whatever their size; others only where `indefinite`, and with the threshold.
 */
export function factorSymmetricFront(
  front: usize,
  width: i32,
  from: i32,
  to: i32,
  below: i32,
  indefinite: bool,
  threshold: f64,
): i32 {
  const stride = <usize>width << 3;
  for (let k0 = from; k0 < to; ) {
    const k1 = min(to, (k0 & ~(STRIP - 1)) + STRIP);
    for (let k = k0; k < k1; k++) {
      const pivotRow = front + <usize>k * stride;
      const pivot = numberAt(pivotRow, k);
      const inverse = 1 / pivot;
      if (!isFinite(inverse) || inverse == 0 || (pivot < 0 && !indefinite)) return k;
      if (pivot < 0 && !(maxAbs(below - k - 1, pivotRow + (<usize>(k + 1) << 3)) * threshold <= -pivot)) return k;
      setNumber(pivotRow, k, inverse);
      // L at once, where the strip's own rows read it, too.
      let row = pivotRow + stride;
      for (let i = k + 1; i < below; i++, row += stride) setNumber(row, k, numberAt(pivotRow, i) * inverse);
      row = pivotRow + stride;
      for (let i = k + 1; i < k1; i++, row += stride) {
        const at = <usize>i << 3;
        lessScaled(width - i, numberAt(row, k), pivotRow + at, row + at);
      }
    }
    if (k1 < width) updateRows(front, stride, k0, k1, width, true);
    k0 = k1;
  }
  return -1;
}

/** L and U of columns k0 .. k1, all rows below. */
function factorStrip(front: usize, stride: usize, k0: i32, k1: i32, below: i32, threshold: f64): i32 {
  for (let k = k0; k < k1; k++) {
    const pivotRow = front + <usize>k * stride;
    const pivot = numberAt(pivotRow, k);
    const inverse = 1 / pivot;
    if (!isFinite(inverse) || inverse == 0) return k;
    setNumber(pivotRow, k, inverse);
    let largest: f64 = 0;
    for (let row = pivotRow + stride, end = front + <usize>below * stride; row < end; row += stride) {
      const value = numberAt(row, k);
      if (value == 0) continue;
      const factor = value * inverse;
      largest = max(largest, abs(factor));
      setNumber(row, k, factor);
      lessScaled(k1 - k - 1, factor, pivotRow + (<usize>(k + 1) << 3), row + (<usize>(k + 1) << 3));
    }
    // Also where something is NaN.
    if (!(largest * threshold <= 1)) return k;
  }
  return -1;
}

/** U12 of rows k0 .. k1, from column k1. */
function rowsOfStrip(front: usize, stride: usize, k0: i32, k1: i32, width: i32): void {
  for (let i = k0 + 1; i < k1; i++) {
    const row = front + <usize>i * stride;
    for (let k = k0; k < i; k++) {
      const factor = numberAt(row, k);
      if (factor == 0) continue;
      lessScaled(width - k1, factor, front + <usize>k * stride + (<usize>k1 << 3), row + (<usize>k1 << 3));
    }
  }
}

/**
 * Rows and columns from k1 less L U of columns k0 .. k1, four rows and four columns at a time; `upper`: only above the
 * diagonal. k1 and width are multiples of four.
 */
function updateRows(front: usize, stride: usize, k0: i32, k1: i32, width: i32, upper: bool): void {
  const strip = front + <usize>k0 * stride;
  for (let i = k1; i < width; i += 4) {
    const row = front + <usize>i * stride;
    const factors = row + (<usize>k0 << 3);
    for (let j = (upper ? i : k1) << 3; j < width << 3; j += 32) tile(row + j, factors, strip + j, stride, k1 - k0);
  }
}

/** C <- C - L U of 4 x 4 elements: L 4 x depth, U depth x 4, rows `stride` apart in each. */
// @ts-ignore: decorator
@inline
function tile(c: usize, l: usize, u: usize, stride: usize, depth: i32): void {
  const c1 = c + stride;
  const c2 = c1 + stride;
  const c3 = c2 + stride;
  if (ASC_FEATURE_SIMD) {
    let a0 = f64x2.splat(0);
    let a1 = f64x2.splat(0);
    let b0 = f64x2.splat(0);
    let b1 = f64x2.splat(0);
    let d0 = f64x2.splat(0);
    let d1 = f64x2.splat(0);
    let e0 = f64x2.splat(0);
    let e1 = f64x2.splat(0);
    const l1 = l + stride;
    const l2 = l1 + stride;
    const l3 = l2 + stride;
    for (let k: usize = 0, end = <usize>depth << 3; k < end; k += 8, u += stride) {
      const u0 = v128.load(u);
      const u1 = v128.load(u, 16);
      let f = v128.load_splat<f64>(l + k);
      a0 = madd(f, u0, a0);
      a1 = madd(f, u1, a1);
      f = v128.load_splat<f64>(l1 + k);
      b0 = madd(f, u0, b0);
      b1 = madd(f, u1, b1);
      f = v128.load_splat<f64>(l2 + k);
      d0 = madd(f, u0, d0);
      d1 = madd(f, u1, d1);
      f = v128.load_splat<f64>(l3 + k);
      e0 = madd(f, u0, e0);
      e1 = madd(f, u1, e1);
    }
    v128.store(c, f64x2.sub(v128.load(c), a0));
    v128.store(c, f64x2.sub(v128.load(c, 16), a1), 16);
    v128.store(c1, f64x2.sub(v128.load(c1), b0));
    v128.store(c1, f64x2.sub(v128.load(c1, 16), b1), 16);
    v128.store(c2, f64x2.sub(v128.load(c2), d0));
    v128.store(c2, f64x2.sub(v128.load(c2, 16), d1), 16);
    v128.store(c3, f64x2.sub(v128.load(c3), e0));
    v128.store(c3, f64x2.sub(v128.load(c3, 16), e1), 16);
  } else {
    for (let i = 0; i < 4; i++) {
      let s0: f64 = 0;
      let s1: f64 = 0;
      let s2: f64 = 0;
      let s3: f64 = 0;
      let p = u;
      for (let k = 0; k < depth; k++, p += stride) {
        const f = numberAt(l, k);
        s0 += f * load<f64>(p);
        s1 += f * load<f64>(p, 8);
        s2 += f * load<f64>(p, 16);
        s3 += f * load<f64>(p, 24);
      }
      store<f64>(c, load<f64>(c) - s0);
      store<f64>(c, load<f64>(c, 8) - s1, 8);
      store<f64>(c, load<f64>(c, 16) - s2, 16);
      store<f64>(c, load<f64>(c, 24) - s3, 24);
      c += stride;
      l += stride;
    }
  }
}
