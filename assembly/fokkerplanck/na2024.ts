// Scheme `na2024` (arXiv 2404.06661), as the paper's program has it: signs, column indices and the coupling over
// the ends of the rows included. It does not discretise the equation; it is here to reproduce the paper.

import { ABOVE, BELOW, CENTRE, LEFT, RIGHT, rowOf, slot } from './layout';

/**
 * data <- the matrix of one level: with X = x s and Y = y, the diagonal is 1 + 4 y, an entry behind the diagonal
 * X + Y, one before it X - Y, X taken at the entry's column. `step` is the distance of the outer diagonals.
 */
export function naAssemble(n: i32, step: i32, x: f64, y: f64, s: usize, data: usize): void {
  for (let k = 0; k < n; k++, s += 8) {
    const row = rowOf(data, k);
    const far = <usize>step << 3;
    store<f64>(slot(row, BELOW), k >= step ? x * load<f64>(s - far) - y : 0);
    store<f64>(slot(row, LEFT), k >= 1 ? x * load<f64>(s - 8) - y : 0);
    store<f64>(slot(row, CENTRE), 1 + 4 * y);
    store<f64>(slot(row, RIGHT), k + 1 < n ? x * load<f64>(s + 8) + y : 0);
    store<f64>(slot(row, ABOVE), k + step < n ? x * load<f64>(s + far) + y : 0);
  }
}
