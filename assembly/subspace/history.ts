// A start from the last solutions of a sequence of similar systems: the combination of them with the smallest
// residual (Fischer 1998, Comput. Methods Appl. Mech. Eng. 163). They are kept as backward differences D_0 = x_m,
// D_1 = x_m - x_(m-1), ...: the first k of those span the last k solutions, and are far less alike.

import { blockDot, blockUpdate } from '../vector/block';
import { zero } from '../vector/vector';
import { gram } from './gram';
import { applyToBasis } from './projection';

/** A column of which less than this share of the square is new gets no part: it would be mostly rounding errors. */
const DEPENDENT: f64 = 1e-11;

/** Takes the solution x into the table of `count` differences: each gets the difference of the one before it. */
export function pushDifference(n: i32, count: i32, D: usize, stride: usize, x: usize): void {
  const end = x + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    for (const stop = x + (<usize>(n & ~1) << 3); x < stop; x += 16, D += 16) {
      let value = v128.load(x);
      let at = D;
      for (let j = 0; j < count; j++, at += stride) {
        const before = v128.load(at);
        v128.store(at, value);
        value = f64x2.sub(value, before);
      }
    }
  }
  for (; x < end; x += 8, D += 8) {
    let value = load<f64>(x);
    let at = D;
    for (let j = 0; j < count; j++, at += stride) {
      const before = load<f64>(at);
      store<f64>(at, value);
      value -= before;
    }
  }
}

/**
 * x <- D y with y = argmin ||b - A D y|| over the first k columns. `W` has room for k vectors, `small` for k (k + 3)
 * numbers. The first k of `small` come out as the squares of the parts of b that the columns take away, each
 * beyond those before it: ||b - A x||^2 = b'b less their sum, for every number of columns up to k. Columns that
 * depend on the ones before get no part.
 */
export function startFromDifferences(
  operator: usize,
  n: i32,
  k: i32,
  D: usize,
  stride: usize,
  W: usize,
  small: usize,
  b: usize,
  x: usize,
): void {
  const row = <usize>k << 3;
  const c = small;
  const y = c + row;
  const scales = y + row;
  const R = scales + row;
  applyToBasis(operator, k, D, stride, false, W, stride, 0);
  gram(n, k, W, stride, R);
  for (let j = 0; j < k; j++) {
    const square = load<f64>(at(R, k, j, j));
    store<f64>(scales + (<usize>j << 3), square > 0 && isFinite(square) ? 1 / sqrt(square) : 0);
  }
  blockDot(n, k, W, stride, b, c);
  factor(k, R, scales, c);
  for (let j = k - 1; j >= 0; j--) {
    const diagonal = load<f64>(at(R, k, j, j));
    let value = load<f64>(c + (<usize>j << 3));
    for (let l = j + 1; l < k; l++) value -= load<f64>(at(R, k, j, l)) * load<f64>(y + (<usize>l << 3));
    store<f64>(y + (<usize>j << 3), diagonal == 0 ? 0 : value / diagonal);
  }
  for (let j: usize = 0; j < row; j += 8) {
    store<f64>(y + j, load<f64>(y + j) * load<f64>(scales + j));
    const part = load<f64>(c + j);
    store<f64>(c + j, part * part);
  }
  zero(n, x);
  blockUpdate(n, k, 1, D, stride, y, x);
}

/**
 * R <- the upper Cholesky factor of S R S, by columns, where R comes in as W'W and S are the scales; c <- R'^-1 S c. A
 * row of a dependent column is zero.
 */
function factor(k: i32, R: usize, scales: usize, c: usize): void {
  for (let j = 0; j < k; j++) {
    const scale = load<f64>(scales + (<usize>j << 3));
    let rest: f64 = scale == 0 ? 0 : 1;
    // What is not finite must not get into the sums.
    let part: f64 = scale == 0 ? 0 : load<f64>(c + (<usize>j << 3)) * scale;
    for (let i = 0; i < j; i++) {
      const diagonal = load<f64>(at(R, k, i, i));
      let value: f64 = 0;
      if (diagonal != 0 && scale != 0) {
        value = load<f64>(at(R, k, i, j)) * scale * load<f64>(scales + (<usize>i << 3));
        for (let l = 0; l < i; l++) value -= load<f64>(at(R, k, l, i)) * load<f64>(at(R, k, l, j));
        value /= diagonal;
      }
      store<f64>(at(R, k, i, j), value);
      rest -= value * value;
      part -= value * load<f64>(c + (<usize>i << 3));
    }
    const used = rest > DEPENDENT;
    const diagonal = used ? sqrt(rest) : 0;
    store<f64>(at(R, k, j, j), diagonal);
    store<f64>(c + (<usize>j << 3), used ? part / diagonal : 0);
  }
}

/** Entry (i, j) of a k x k matrix by columns. */
// @ts-ignore: decorator
@inline
function at(R: usize, k: i32, i: i32, j: i32): usize {
  return R + ((<usize>j * <usize>k + <usize>i) << 3);
}
