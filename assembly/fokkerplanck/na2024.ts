// Scheme `na2024` (arXiv 2404.06661), as the paper's program has it: signs, column indices and the coupling over
// the ends of the rows included. It does not discretise the equation; it is here to reproduce the paper.

import { BLOCK } from '../operator/dia';
import { lanes, madd, nmadd } from '../vector/simd';
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

/**
 * One step of a second-order Richardson iteration for b - A m = 0, A being the matrix whose scores are m's own:
 * p <- r + beta p, m <- m + alpha p, with r = b - A m of the m that came in. Returns r'r. With alpha = 0 m stays.
 *
 * With u = x s m, row k of A m is (1 + 4 y) m_k, plus u + y m of the neighbours behind it, plus u - y m of those
 * before it. `scratch`, 2 n + step numbers, gets these two; the zeros between them stand for what is outside.
 */
export function naRichardson(
  n: i32,
  step: i32,
  x: f64,
  y: f64,
  h: f64,
  alpha: f64,
  beta: f64,
  b: usize,
  m: usize,
  p: usize,
  scratch: usize,
): f64 {
  const far = <usize>step << 3;
  const minus = scratch + (<usize>n << 3) + far;
  memory.fill(minus - far, 0, far);
  products(n, (0.5 * x) / h, y, m, scratch, minus);
  return collect(n, far, 1 + 4 * y, alpha, beta, scratch, minus, b, m, p);
}

/** plus, minus <- m (half (m_{k+1} - m_{k-1}) +- y) */
function products(n: i32, half: f64, y: f64, m: usize, plus: usize, minus: usize): void {
  const end = m + (<usize>n << 3);
  let before: f64 = 0;
  if (ASC_FEATURE_SIMD && n > 2) {
    ends(half, y, 0, load<f64>(m), load<f64>(m, 8), plus, minus);
    const hh = f64x2.splat(half);
    const yy = f64x2.splat(y);
    m += 8;
    plus += 8;
    minus += 8;
    for (const stop = m + (<usize>((n - 2) & ~1) << 3); m < stop; m += 16, plus += 16, minus += 16) {
      const c = v128.load(m);
      const s = f64x2.mul(hh, f64x2.sub(v128.load(m, 8), v128.load(m - 8)));
      v128.store(plus, f64x2.mul(c, f64x2.add(s, yy)));
      v128.store(minus, f64x2.mul(c, f64x2.sub(s, yy)));
    }
    before = load<f64>(m - 8);
  }
  for (; m < end; m += 8, plus += 8, minus += 8) {
    const c = load<f64>(m);
    ends(half, y, before, c, m + 8 < end ? load<f64>(m, 8) : 0, plus, minus);
    before = c;
  }
}

// @ts-ignore: decorator
@inline
function ends(half: f64, y: f64, before: f64, c: f64, behind: f64, plus: usize, minus: usize): void {
  const s = half * (behind - before);
  store<f64>(plus, c * (s + y));
  store<f64>(minus, c * (s - y));
}

/** r = b - c m - (plus, behind) - (minus, before), and the rest of `naRichardson`. */
function collect(
  n: i32,
  far: usize,
  c: f64,
  alpha: f64,
  beta: f64,
  plus: usize,
  minus: usize,
  b: usize,
  m: usize,
  p: usize,
): f64 {
  let sum: f64 = 0;
  const end = m + (<usize>n << 3);
  let farPlus = plus + far;
  let farMinus = minus - far;
  if (ASC_FEATURE_SIMD) {
    const cc = f64x2.splat(c);
    const aa = f64x2.splat(alpha);
    const bb = f64x2.splat(beta);
    let s = f64x2.splat(0);
    const stop = m + (<usize>(n & ~3) << 3);
    for (; m < stop; m += 32, b += 32, p += 32, plus += 32, minus += 32, farPlus += 32, farMinus += 32) {
      const near = f64x2.add(v128.load(plus, 8), v128.load(minus - 8));
      const away = f64x2.add(v128.load(farPlus), v128.load(farMinus));
      const here = v128.load(m);
      const r = f64x2.sub(nmadd(cc, here, v128.load(b)), f64x2.add(near, away));
      s = madd(r, r, s);
      const d = madd(bb, v128.load(p), r);
      v128.store(p, d);
      v128.store(m, madd(aa, d, here));
      const near1 = f64x2.add(v128.load(plus, 24), v128.load(minus, 8));
      const away1 = f64x2.add(v128.load(farPlus, 16), v128.load(farMinus, 16));
      const here1 = v128.load(m, 16);
      const r1 = f64x2.sub(nmadd(cc, here1, v128.load(b, 16)), f64x2.add(near1, away1));
      s = madd(r1, r1, s);
      const d1 = madd(bb, v128.load(p, 16), r1);
      v128.store(p, d1, 16);
      v128.store(m, madd(aa, d1, here1), 16);
    }
    sum = lanes(s);
  }
  for (; m < end; m += 8, b += 8, p += 8, plus += 8, minus += 8, farPlus += 8, farMinus += 8) {
    const near = load<f64>(plus, 8) + load<f64>(minus - 8);
    const away = load<f64>(farPlus) + load<f64>(farMinus);
    const here = load<f64>(m);
    const r = load<f64>(b) - c * here - (near + away);
    sum += r * r;
    const direction = r + beta * load<f64>(p);
    store<f64>(p, direction);
    store<f64>(m, here + alpha * direction);
  }
  return sum;
}
