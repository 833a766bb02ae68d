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

import { ABOVE, BELOW, CENTRE, LEFT, RIGHT, rowOf, slot } from './layout';

const CENTRED: i32 = 0;
const UPWIND: i32 = 1;

/**
 * data, b <- the linear system at the iterate m. fx, fy: drift at the pixels, or 0 for none. `advection`: 0
 * centred, 1 upwind, 2 upwind where the cell Peclet number |v| h / (2 D) exceeds 1. Returns the number of cells
 * where it does along some axis; out[0] gets the largest.
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
  out: usize,
): i32 {
  const line = <usize>width << 3;
  const below = border + line;
  const before = below + line;
  const behind = before + (<usize>height << 3);
  let cells = 0;
  let most: f64 = 0;
  for (let i = 0, k = 0; i < height; i++) {
    for (let j = 0; j < width; j++, k++, m += 8, b += 8) {
      const row = rowOf(data, k);
      const at = <usize>k << 3;
      const across = <usize>j << 3;
      const down = <usize>i << 3;
      store<f64>(slot(row, CENTRE), 1);
      store<f64>(b, load<f64>(base + at));
      const first = axis(
        row, BELOW, ABOVE, i, height, line, dx, D, tau, advection, newton, reflecting,
        m, b, fx ? load<f64>(fx + at) : 0, border + across, below + across,
      );
      const second = axis(
        row, LEFT, RIGHT, j, width, 8, dy, D, tau, advection, newton, reflecting,
        m, b, fy ? load<f64>(fy + at) : 0, before + down, behind + down,
      );
      const peclet = max(first, second);
      if (peclet > 1) cells++;
      most = max(most, peclet);
    }
  }
  store<f64>(out, most);
  return cells;
}

/**
 * One axis at one pixel, the `index`-th of `count` points `stride` bytes apart: sets its two neighbours' entries,
 * adds to the diagonal and to b. Returns the cell Peclet number.
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
): f64 {
  const first = index == 0;
  const last = index == count - 1;
  const centre = load<f64>(m);
  const lower = first ? (reflecting ? load<f64>(m + stride) : 0) + load<f64>(lowerConstant) : load<f64>(m - stride);
  const upper = last ? (reflecting ? load<f64>(m - stride) : 0) + load<f64>(upperConstant) : load<f64>(m + stride);
  const slope = (upper - lower) / (2 * h);
  const v = f - D * slope;
  const wind = abs(v) * h;
  const peclet = wind == 0 ? 0 : wind / (2 * D);
  // Entries of v D_a, and the value of D_a m.
  let toLower = -v / (2 * h);
  let toUpper = v / (2 * h);
  let difference = slope;
  if (advection == UPWIND || (advection != CENTRED && peclet > 1)) {
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
  return peclet;
}
