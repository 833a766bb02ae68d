// Patterns of compressed sparse rows, columns ascending: the transposed one, and that of A + A'.

import { integerAt, setInteger } from './access';

/**
 * The entries by columns: `start` (n + 1), `rows` and `entries` (nnz), the place of each in the matrix. Rows ascend
 * in every column. `entries` may be 0.
 */
export function byColumns(
  n: i32,
  indptr: usize,
  indices: usize,
  start: usize,
  rows: usize,
  entries: usize,
): void {
  const nnz = integerAt(indptr, n);
  memory.fill(start, 0, (<usize>n + 1) << 2);
  for (let k = 0; k < nnz; k++) {
    const column = integerAt(indices, k);
    setInteger(start, column, integerAt(start, column) + 1);
  }
  let sum = nnz;
  for (let j = n; j >= 0; j--) {
    if (j < n) sum -= integerAt(start, j);
    setInteger(start, j, sum);
  }
  // Each start moves to its end, and back.
  for (let i = 0; i < n; i++) {
    const end = integerAt(indptr, i + 1);
    for (let k = integerAt(indptr, i); k < end; k++) {
      const column = integerAt(indices, k);
      const place = integerAt(start, column);
      setInteger(start, column, place + 1);
      setInteger(rows, place, i);
      if (entries) setInteger(entries, place, k);
    }
  }
  for (let j = n; j > 0; j--) setInteger(start, j, integerAt(start, j - 1));
  setInteger(start, 0, 0);
}

/**
 * The pattern of A + A' without its diagonal: `start` (n + 1), `list` (room for twice A's entries). A's transposed
 * pattern is in `columnStart` and `rows`. Returns how many entries there are.
 */
export function symmetrized(
  n: i32,
  indptr: usize,
  indices: usize,
  columnStart: usize,
  rows: usize,
  start: usize,
  list: usize,
): i32 {
  let count = 0;
  for (let i = 0; i < n; i++) {
    setInteger(start, i, count);
    let p = integerAt(indptr, i);
    let q = integerAt(columnStart, i);
    const pEnd = integerAt(indptr, i + 1);
    const qEnd = integerAt(columnStart, i + 1);
    while (p < pEnd || q < qEnd) {
      const a = p < pEnd ? integerAt(indices, p) : n;
      const b = q < qEnd ? integerAt(rows, q) : n;
      const next = min(a, b);
      p += i32(a == next);
      q += i32(b == next);
      if (next == i) continue;
      setInteger(list, count, next);
      count++;
    }
  }
  setInteger(start, n, count);
  return count;
}
