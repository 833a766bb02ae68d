// Scheme `lau2025` (arXiv 2511.17634), as the paper's program has it: rows divided by dt, the log density zero
// outside the grid, the difference of the last iterate one-sided (and so doubled) at the border.

import { BLOCK } from '../operator/dia';
import { lanes, madd, nmadd } from '../vector/simd';
import { ABOVE, BELOW, CENTRE, firstInner, LEFT, lastInner, NEXT, nextBorder, RIGHT, rowOf, slot } from './layout';

/**
 * data <- the matrix of one level at the iterate m. fx, fy: drift at the pixels, or 0 for none; `centre` is the
 * diagonal, 1/dt + 2 g^2/dx^2.
 *
 * With v = f/(2h) - 1/4 g^2 (difference of m)/(2h^2) and w = g^2/(2h^2), an entry behind the diagonal is v - w and
 * one before it -v - w.
 */
export function lauAssemble(
  height: i32,
  width: i32,
  dx: f64,
  dy: f64,
  g: f64,
  centre: f64,
  m: usize,
  fx: usize,
  fy: usize,
  data: usize,
): void {
  const n = height * width;
  let first = 0;
  let last = 0;
  if (ASC_FEATURE_SIMD) {
    first = firstInner(n, width);
    last = lastInner(n, width);
    inner(first, last, width, dx, dy, g, centre, m, fx, fy, data);
  }
  for (let k = nextBorder(0, width, first, last); k < n; k = nextBorder(k + 1, width, first, last)) {
    const row = rowOf(data, k);
    const at = <usize>k << 3;
    const line = <usize>width << 3;
    pair(row, BELOW, ABOVE, k / width, height, line, dx, g, m + at, fx ? load<f64>(fx + at) : 0);
    pair(row, LEFT, RIGHT, k % width, width, 8, dy, g, m + at, fy ? load<f64>(fy + at) : 0);
    store<f64>(slot(row, CENTRE), centre);
  }
}

/** Blocks `first` to `last`, as if no pixel were the first or last of its grid row. */
function inner(
  first: i32,
  last: i32,
  width: i32,
  dx: f64,
  dy: f64,
  g: f64,
  centre: f64,
  m: usize,
  fx: usize,
  fy: usize,
  data: usize,
): void {
  const line = <usize>width << 3;
  const ax = f64x2.splat((-0.25 * (g * g)) / (2 * dx * dx));
  const ay = f64x2.splat((-0.25 * (g * g)) / (2 * dy * dy));
  const wx = f64x2.splat((g * g) / (2 * dx * dx));
  const wy = f64x2.splat((g * g) / (2 * dy * dy));
  const cx = f64x2.splat(0.5 / dx);
  const cy = f64x2.splat(0.5 / dy);
  const diagonal = f64x2.splat(centre);
  let row = data + ((<usize>first * 5) << 6);
  let at = <usize>first << 6;
  for (const end = <usize>last << 6; at < end; row += 4 * NEXT) {
    for (const stop = at + 64; at < stop; at += 16, row += 16) {
      const p = m + at;
      let v = f64x2.mul(ax, f64x2.sub(v128.load(p + line), v128.load(p - line)));
      if (fx) v = madd(cx, v128.load(fx + at), v);
      v128.store(row, f64x2.neg(f64x2.add(v, wx)));
      v128.store(row, f64x2.sub(v, wx), 256);
      v = f64x2.mul(ay, f64x2.sub(v128.load(p, 8), v128.load(p - 8)));
      if (fy) v = madd(cy, v128.load(fy + at), v);
      v128.store(row, f64x2.neg(f64x2.add(v, wy)), 64);
      v128.store(row, diagonal, 128);
      v128.store(row, f64x2.sub(v, wy), 192);
    }
  }
}

/** The two neighbours of one axis; the point is the `index`-th of `count`, `stride` bytes apart. */
// @ts-ignore: decorator
@inline
function pair(
  row: usize,
  lower: i32,
  upper: i32,
  index: i32,
  count: i32,
  stride: usize,
  h: f64,
  g: f64,
  m: usize,
  f: f64,
): void {
  const first = index == 0;
  const last = index == count - 1;
  let difference = load<f64>(last ? m : m + stride) - load<f64>(first ? m : m - stride);
  if (first || last) difference *= 2;
  const along = f - (0.25 * (g * g) * difference) / h;
  const across = (g * g) / h;
  store<f64>(slot(row, upper), last ? 0 : (along - across) / (2 * h));
  store<f64>(slot(row, lower), first ? 0 : (-along - across) / (2 * h));
}

/**
 * r <- b - A m, A being the matrix at the iterate m itself: the residual of the non-linear equation. Returns r'r.
 * Parameters as of `lauAssemble`.
 */
export function lauResidual(
  height: i32,
  width: i32,
  dx: f64,
  dy: f64,
  g: f64,
  centre: f64,
  m: usize,
  fx: usize,
  fy: usize,
  b: usize,
  r: usize,
): f64 {
  let sum: f64 = 0;
  for (let i = 0, at: usize = 0; i < height; i++) {
    let j = 0;
    for (const inside = i > 0 && i < height - 1; j < width; j++, at += 8) {
      if (ASC_FEATURE_SIMD && inside && j == 1) {
        const pairs = (width - 2) >> 1;
        sum += fx
          ? driftingPairs(pairs, width, dx, dy, g, centre, m + at, fx + at, fy + at, b + at, r + at)
          : residualPairs(pairs, width, dx, dy, g, centre, m + at, b + at, r + at);
        j += 2 * pairs;
        at += <usize>pairs << 4;
      }
      const p = m + at;
      const x = product(i, height, <usize>width << 3, dx, g, p, fx ? load<f64>(fx + at) : 0);
      const y = product(j, width, 8, dy, g, p, fy ? load<f64>(fy + at) : 0);
      const value = load<f64>(b + at) - centre * load<f64>(p) - (x + y);
      store<f64>(r + at, value);
      sum += value * value;
    }
  }
  return sum;
}

/** `pairs` times two points that have all neighbours, without drift. */
function residualPairs(
  pairs: i32,
  width: i32,
  dx: f64,
  dy: f64,
  g: f64,
  centre: f64,
  m: usize,
  b: usize,
  r: usize,
): f64 {
  return eachPair(false, pairs, width, dx, dy, g, centre, m, 0, 0, b, r);
}

/** As `residualPairs`, with drift. */
function driftingPairs(
  pairs: i32,
  width: i32,
  dx: f64,
  dy: f64,
  g: f64,
  centre: f64,
  m: usize,
  fx: usize,
  fy: usize,
  b: usize,
  r: usize,
): f64 {
  return eachPair(true, pairs, width, dx, dy, g, centre, m, fx, fy, b, r);
}

/** The loop of the two, compiled once with drift and once without. */
// @ts-ignore: decorator
@inline
function eachPair(
  drift: bool,
  pairs: i32,
  width: i32,
  dx: f64,
  dy: f64,
  g: f64,
  centre: f64,
  m: usize,
  fx: usize,
  fy: usize,
  b: usize,
  r: usize,
): f64 {
  const line = <usize>width << 3;
  const ax = f64x2.splat((-0.25 * (g * g)) / (2 * dx * dx));
  const ay = f64x2.splat((-0.25 * (g * g)) / (2 * dy * dy));
  const wx = f64x2.splat((g * g) / (2 * dx * dx));
  const wy = f64x2.splat((g * g) / (2 * dy * dy));
  const cx = f64x2.splat(0.5 / dx);
  const cy = f64x2.splat(0.5 / dy);
  const c = f64x2.splat(centre);
  let s = f64x2.splat(0);
  for (const end = r + (<usize>pairs << 4); r < end; r += 16, b += 16, m += 16) {
    const below = v128.load(m + line);
    const above = v128.load(m - line);
    const x = f64x2.sub(below, above);
    let v = f64x2.mul(ax, x);
    if (drift) {
      v = madd(cx, v128.load(fx), v);
      fx += 16;
    }
    let value = madd(wx, f64x2.add(below, above), nmadd(c, v128.load(m), v128.load(b)));
    value = nmadd(v, x, value);
    const right = v128.load(m, 8);
    const left = v128.load(m - 8);
    const y = f64x2.sub(right, left);
    v = f64x2.mul(ay, y);
    if (drift) {
      v = madd(cy, v128.load(fy), v);
      fy += 16;
    }
    value = nmadd(v, y, madd(wy, f64x2.add(right, left), value));
    v128.store(r, value);
    s = madd(value, value, s);
  }
  return lanes(s);
}

/** What the two neighbours of one axis put into A m; parameters as of `pair`. */
// @ts-ignore: decorator
@inline
function product(index: i32, count: i32, stride: usize, h: f64, g: f64, m: usize, f: f64): f64 {
  const first = index == 0;
  const last = index == count - 1;
  let difference = load<f64>(last ? m : m + stride) - load<f64>(first ? m : m - stride);
  if (first || last) difference *= 2;
  const v = (f - (0.25 * (g * g) * difference) / h) / (2 * h);
  const w = (g * g) / (2 * h * h);
  const upper = last ? 0 : load<f64>(m + stride);
  const lower = first ? 0 : load<f64>(m - stride);
  return v * (upper - lower) - w * (upper + lower);
}
