// Compressed sparse rows: indptr (rows + 1, i32), indices (nnz, i32), data (nnz, f64).

import { sparseDot } from './sliced';

/** y <- A x */
export function csrMultiply(rows: i32, indptr: usize, indices: usize, data: usize, x: usize, y: usize): void {
  let entry = load<i32>(indptr);
  for (const end = indptr + (<usize>rows << 2); indptr < end; indptr += 4, y += 8) {
    const stop = load<i32>(indptr, 4);
    const at = <usize>entry;
    store<f64>(y, sparseDot(stop - entry, indices + (at << 2), data + (at << 3), x));
    entry = stop;
  }
}

/** y <- A' x */
export function csrMultiplyTransposed(
  rows: i32,
  columns: i32,
  indptr: usize,
  indices: usize,
  data: usize,
  x: usize,
  y: usize,
): void {
  memory.fill(y, 0, <usize>columns << 3);
  let entry = load<i32>(indptr);
  for (const end = indptr + (<usize>rows << 2); indptr < end; indptr += 4, x += 8) {
    const value = load<f64>(x);
    for (const stop = load<i32>(indptr, 4); entry < stop; entry++) {
      const target = y + (<usize>load<u32>(indices + (<usize>entry << 2)) << 3);
      store<f64>(target, load<f64>(target) + load<f64>(data + (<usize>entry << 3)) * value);
    }
  }
}
