// Scheme `lau2025` (arXiv 2511.17634), as the paper's program has it: rows divided by dt, the log density zero
// outside the grid, the difference of the last iterate one-sided (and so doubled) at the border.

import { BLOCK } from '../operator/dia';
import { madd } from '../vector/simd';
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
