// Scheme `consistent`: m_t + div f + f . grad m - D (lap m + |grad m|^2) = 0 with D = g^2/2, by the theta-method.
//
// With v_a = f_a - D d_a m (d_a: centred difference along axis a) the space operator is
//   L(m) = sum_a v_a D_a m - D (second difference along a),
// D_a centred, or one-sided against the wind. A step solves m + tau (L(m) + div f) = base, tau = theta dt; its
// linearisation at the iterate m is, row by row,
//   Picard: v_a(m) kept;  Newton: in addition - D (D_a m) d_a on the left, - D (D_a m) (d_a m) on the right,
// so that A m - b is the non-linear residual at m in both.
//
// A neighbour outside the grid is w m[mirror] + c: w = 1 at a reflecting border, else 0. The constants c of one
// level stand in `border`: above the first row (W), below the last (W), before the first column (H), behind the
// last (H).

import { madd } from '../vector/simd';
import { CENTRED, neighbour, pecletNumber, UPWIND } from './consistent-cell';
import { ABOVE, BELOW, CENTRE, firstInner, LEFT, lastInner, NEXT, nextBorder, RIGHT, rowOf, slot } from './layout';

/**
 * data, b <- the linear system at the iterate m. fx, fy: drift at the pixels, or 0 for none. `advection`: 0
 * centred, 1 upwind, 2 upwind where the cell Peclet number |v| h / (2 D) exceeds 1.
 */
export function consistentAssemble(
  height: i32,
  width: i32,
  dx: f64,
  dy: f64,
  D: f64,
  tau: f64,
  advection: i32,
  newton: bool,
  reflecting: bool,
  m: usize,
  base: usize,
  fx: usize,
  fy: usize,
  border: usize,
  data: usize,
  b: usize,
): void {
  const n = height * width;
  const line = <usize>width << 3;
  const below = border + line;
  const before = below + line;
  const behind = before + (<usize>height << 3);
  let first = 0;
  let last = 0;
  if (ASC_FEATURE_SIMD && advection == CENTRED) {
    first = firstInner(n, width);
    last = lastInner(n, width);
    inner(first, last, width, dx, dy, D, tau, newton, m, base, fx, fy, data, b);
  }
  for (let k = nextBorder(0, width, first, last); k < n; k = nextBorder(k + 1, width, first, last)) {
    const i = k / width;
    const j = k % width;
    const row = rowOf(data, k);
    const at = <usize>k << 3;
    const across = <usize>j << 3;
    const down = <usize>i << 3;
    store<f64>(slot(row, CENTRE), 1);
    store<f64>(b + at, load<f64>(base + at));
    axis(
      row, BELOW, ABOVE, i, height, line, dx, D, tau, advection, newton, reflecting,
      m + at, b + at, fx ? load<f64>(fx + at) : 0, border + across, below + across,
    );
    axis(
      row, LEFT, RIGHT, j, width, 8, dy, D, tau, advection, newton, reflecting,
      m + at, b + at, fy ? load<f64>(fy + at) : 0, before + down, behind + down,
    );
  }
}

/**
 * Blocks `first` to `last` with centred differences, as if no pixel were the first or last of its grid row. With
 * d the centred difference along an axis and w = (f - c D d) / (2 h), c = 1 (Picard) or 2 (Newton), the entries
 * are tau (w - D/h^2) and tau (-w - D/h^2), and Newton adds -tau D d^2 to b.
 */
function inner(
  first: i32,
  last: i32,
  width: i32,
  dx: f64,
  dy: f64,
  D: f64,
  tau: f64,
  newton: bool,
  m: usize,
  base: usize,
  fx: usize,
  fy: usize,
  data: usize,
  b: usize,
): void {
  const line = <usize>width << 3;
  const c: f64 = newton ? 2 : 1;
  // Of the plain difference of m, twice the distance.
  const ax = f64x2.splat((-tau * c * D) / (4 * dx * dx));
  const ay = f64x2.splat((-tau * c * D) / (4 * dy * dy));
  const cx = f64x2.splat((0.5 * tau) / dx);
  const cy = f64x2.splat((0.5 * tau) / dy);
  const spreadX = f64x2.splat((tau * D) / (dx * dx));
  const spreadY = f64x2.splat((tau * D) / (dy * dy));
  const centre = f64x2.splat(1 + 2 * tau * D * (1 / (dx * dx) + 1 / (dy * dy)));
  const squareX = f64x2.splat(newton ? (tau * D) / (4 * dx * dx) : 0);
  const squareY = f64x2.splat(newton ? (tau * D) / (4 * dy * dy) : 0);
  let row = data + ((<usize>first * 5) << 6);
  let at = <usize>first << 6;
  for (const end = <usize>last << 6; at < end; row += 4 * NEXT) {
    for (const stop = at + 64; at < stop; at += 16, row += 16) {
      const p = m + at;
      const x = f64x2.sub(v128.load(p + line), v128.load(p - line));
      let w = f64x2.mul(ax, x);
      if (fx) w = madd(cx, v128.load(fx + at), w);
      v128.store(row, f64x2.neg(f64x2.add(w, spreadX)));
      v128.store(row, f64x2.sub(w, spreadX), 256);
      const y = f64x2.sub(v128.load(p, 8), v128.load(p - 8));
      w = f64x2.mul(ay, y);
      if (fy) w = madd(cy, v128.load(fy + at), w);
      v128.store(row, f64x2.neg(f64x2.add(w, spreadY)), 64);
      v128.store(row, centre, 128);
      v128.store(row, f64x2.sub(w, spreadY), 192);
      const squares = madd(f64x2.mul(squareX, x), x, f64x2.mul(f64x2.mul(squareY, y), y));
      v128.store(b + at, f64x2.sub(v128.load(base + at), squares));
    }
  }
}

/**
 * One axis at one pixel, the `index`-th of `count` points `stride` bytes apart: sets its two neighbours' entries,
 * adds to the diagonal and to b.
 */
// @ts-ignore: decorator
@inline
function axis(
  row: usize,
  lowerDiagonal: i32,
  upperDiagonal: i32,
  index: i32,
  count: i32,
  stride: usize,
  h: f64,
  D: f64,
  tau: f64,
  advection: i32,
  newton: bool,
  reflecting: bool,
  m: usize,
  b: usize,
  f: f64,
  lowerConstant: usize,
  upperConstant: usize,
): void {
  const first = index == 0;
  const last = index == count - 1;
  const centre = load<f64>(m);
  const lower = neighbour(first, reflecting, m - stride, m + stride, lowerConstant);
  const upper = neighbour(last, reflecting, m + stride, m - stride, upperConstant);
  const slope = (upper - lower) / (2 * h);
  const v = f - D * slope;
  // Entries of v D_a, and the value of D_a m.
  let toLower = -v / (2 * h);
  let toUpper = v / (2 * h);
  let difference = slope;
  if (advection == UPWIND || (advection != CENTRED && pecletNumber(f, D, slope, h) > 1)) {
    toLower = v > 0 ? -v / h : 0;
    toUpper = v > 0 ? 0 : v / h;
    difference = v > 0 ? (centre - lower) / h : (upper - centre) / h;
  }
  const middle = slot(row, CENTRE);
  const spread = D / (h * h);
  store<f64>(middle, load<f64>(middle) + tau * (2 * spread - toLower - toUpper));
  if (newton) {
    const both = (D * difference) / (2 * h);
    toLower += both;
    toUpper -= both;
    store<f64>(b, load<f64>(b) - tau * D * difference * slope);
  }
  const lowerEntry = tau * (toLower - spread);
  const upperEntry = tau * (toUpper - spread);
  // A missing neighbour's entry goes to its mirror and to the right-hand side.
  let lowerValue = first ? 0 : lowerEntry;
  let upperValue = last ? 0 : upperEntry;
  if (first) {
    store<f64>(b, load<f64>(b) - lowerEntry * load<f64>(lowerConstant));
    if (reflecting) upperValue += lowerEntry;
  }
  if (last) {
    store<f64>(b, load<f64>(b) - upperEntry * load<f64>(upperConstant));
    if (reflecting) lowerValue += upperEntry;
  }
  store<f64>(slot(row, lowerDiagonal), lowerValue);
  store<f64>(slot(row, upperDiagonal), upperValue);
}
