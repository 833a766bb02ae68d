// Scheme `na2024` (arXiv 2404.06661), as the paper's program has it: signs, column indices and the coupling over
// the ends of the rows included. It does not discretise the equation; it is here to reproduce the paper.

import { BLOCK } from '../operator/dia';
import { madd } from '../vector/simd';
import { ABOVE, BELOW, CENTRE, firstInner, LEFT, lastInner, NEXT, RIGHT, rowOf, slot } from './layout';

/**
 * data <- the matrix of one level: with X = x s and Y = y, the diagonal is 1 + 4 y, an entry behind the diagonal
 * X + Y, one before it X - Y, X taken at the entry's column. `step` is the distance of the outer diagonals.
 */
export function naAssemble(n: i32, step: i32, x: f64, y: f64, s: usize, data: usize): void {
  if (!ASC_FEATURE_SIMD) return rows(0, n, n, step, x, y, s, data);
  const first = firstInner(n, step);
  const last = lastInner(n, step);
  rows(0, first * BLOCK, n, step, x, y, s, data);
  rows(last * BLOCK, n, n, step, x, y, s, data);
  const far = <usize>step << 3;
  const xx = f64x2.splat(x);
  const plus = f64x2.splat(y);
  const minus = f64x2.splat(-y);
  const centre = f64x2.splat(1 + 4 * y);
  let at = s + (<usize>first << 6);
  let row = data + (<usize>first * 5 << 6);
  const end = s + (<usize>last << 6);
  for (; at < end; row += 4 * NEXT) {
    for (const stop = at + 64; at < stop; at += 16, row += 16) {
      v128.store(row, madd(xx, v128.load(at - far), minus));
      v128.store(row, madd(xx, v128.load(at - 8), minus), 64);
      v128.store(row, centre, 128);
      v128.store(row, madd(xx, v128.load(at, 8), plus), 192);
      v128.store(row, madd(xx, v128.load(at + far), plus), 256);
    }
  }
}

/** Rows `from` to `to`, one by one. */
function rows(from: i32, to: i32, n: i32, step: i32, x: f64, y: f64, s: usize, data: usize): void {
  const far = <usize>step << 3;
  for (let k = from; k < to; k++) {
    const row = rowOf(data, k);
    const at = s + (<usize>k << 3);
    store<f64>(slot(row, BELOW), k >= step ? x * load<f64>(at - far) - y : 0);
    store<f64>(slot(row, LEFT), k >= 1 ? x * load<f64>(at - 8) - y : 0);
    store<f64>(slot(row, CENTRE), 1 + 4 * y);
    store<f64>(slot(row, RIGHT), k + 1 < n ? x * load<f64>(at, 8) + y : 0);
    store<f64>(slot(row, ABOVE), k + step < n ? x * load<f64>(at + far) + y : 0);
  }
}
