// Scheme `lau2025` (arXiv 2511.17634), as the paper's program has it: rows divided by dt, the log density zero
// outside the grid, the difference of the last iterate one-sided (and so doubled) at the border.

import { ABOVE, BELOW, CENTRE, LEFT, RIGHT, rowOf, slot } from './layout';

/**
 * data <- the matrix of one level at the iterate m. fx, fy: drift at the pixels, or 0 for none; `centre` is the
 * diagonal, 1/dt + 2 g^2/dx^2.
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
  const line = <usize>width << 3;
  for (let i = 0, k = 0; i < height; i++) {
    for (let j = 0; j < width; j++, k++, m += 8) {
      const row = rowOf(data, k);
      const at = <usize>k << 3;
      pair(row, BELOW, ABOVE, i, height, line, dx, g, m, fx ? load<f64>(fx + at) : 0);
      pair(row, LEFT, RIGHT, j, width, 8, dy, g, m, fy ? load<f64>(fy + at) : 0);
      store<f64>(slot(row, CENTRE), centre);
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
