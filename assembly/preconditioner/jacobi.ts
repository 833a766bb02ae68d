// The inverse diagonal. `applyPreconditioner` multiplies with it.

import { BLOCK } from '../operator/dia';

/** diagonal <- number `d` of `count` diagonals. */
export function diaDiagonal(n: i32, count: i32, d: i32, data: usize, diagonal: usize): void {
  data += <usize>(d * BLOCK) << 3;
  for (let row = 0; row < n; row += BLOCK) {
    memory.copy(diagonal + (<usize>row << 3), data, <usize>min(BLOCK, n - row) << 3);
    data += <usize>(count * BLOCK) << 3;
  }
}

/** x_i <- 1 / x_i. Returns -1, or the first i that has no finite inverse, and whose x_i stays as it is. */
export function invert(n: i32, x: usize): i32 {
  for (let i = 0; i < n; i++) {
    const place = x + (<usize>i << 3);
    const inverse = 1 / load<f64>(place);
    if (!isFinite(inverse)) return i;
    store<f64>(place, inverse);
  }
  return -1;
}
