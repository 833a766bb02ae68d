// From the pattern of a matrix to that of its ILU(0) factors by levels (`level-ilu0.ts`).

import { formRuns, layColumns, sortRows } from '../operator/slice-order';

/** Numbers at the head of the work: entries and runs of L, entries and runs of U. */
const HEAD: usize = 16;

/**
 * Finds the order of the rows: by levels, and in each by the lengths of L and then of U. `order` has n i32, `work`
 * 5 n + 4; it begins with the entries and runs of L, and those of U, and has the rest for `levelSlices`. Returns
 * the first row without a diagonal entry; -1: none.
 */
export function levelOrder(n: i32, indptr: usize, indices: usize, order: usize, work: usize): i32 {
  const bytes = <usize>n << 2;
  const levels = work + HEAD;
  const lowerEnds = levels + bytes;
  const upperStarts = lowerEnds + bytes;
  const table = upperStarts + bytes;
  const places = table + bytes;
  const gap = findLevels(n, indptr, indices, levels, lowerEnds, upperStarts);
  sortRows(0, n, 0, upperStarts, indptr + 4, table, order);
  sortRows(0, n, order, indptr, lowerEnds, table, places);
  sortRows(0, n, places, 0, levels, table, order);
  for (let p = 0; p < n; p++) {
    store<i32>(places + (<usize>load<u32>(order + (<usize>p << 2)) << 2), p);
  }
  let entries = 0;
  for (let row: usize = 0; row < bytes; row += 4) entries += load<i32>(lowerEnds + row) - load<i32>(indptr + row);
  store<i32>(work, entries);
  store<i32>(work, formRuns(n, order, indptr, lowerEnds, levels, true, 0), 4);
  entries = 0;
  for (let row: usize = 0; row < bytes; row += 4) {
    entries += load<i32>(indptr + row, 4) - load<i32>(upperStarts + row);
  }
  store<i32>(work, entries, 8);
  store<i32>(work, formRuns(n, order, upperStarts, indptr + 4, levels, true, 0), 12);
  return gap;
}

/** With what `levelOrder` has found: three i32 a run, and one an entry, the place of its column. */
export function levelSlices(
  n: i32,
  indptr: usize,
  indices: usize,
  order: usize,
  work: usize,
  lowerRuns: usize,
  lowerColumns: usize,
  upperRuns: usize,
  upperColumns: usize,
): void {
  const bytes = <usize>n << 2;
  const levels = work + HEAD;
  const lowerEnds = levels + bytes;
  const upperStarts = lowerEnds + bytes;
  const places = upperStarts + 2 * bytes;
  let count = formRuns(n, order, indptr, lowerEnds, levels, true, lowerRuns);
  layColumns(lowerRuns, count, order, indptr, indices, places, lowerColumns);
  count = formRuns(n, order, upperStarts, indptr + 4, levels, true, upperRuns);
  layColumns(upperRuns, count, order, upperStarts, indices, places, upperColumns);
}

/**
 * Level of each row: one more than the highest of the rows before it that it shares an entry with, on either side
 * of the diagonal. So the order of the levels serves L forwards and U backwards. Marks where L ends and U begins;
 * returns as `levelOrder`.
 */
function findLevels(
  n: i32,
  indptr: usize,
  indices: usize,
  levels: usize,
  lowerEnds: usize,
  upperStarts: usize,
): i32 {
  memory.fill(levels, 0, <usize>n << 2);
  let gap = -1;
  let column = indices;
  for (let row = 0; row < n; row++) {
    const at = <usize>row << 2;
    const end = indices + (<usize>load<u32>(indptr + at, 4) << 2);
    let level = load<i32>(levels + at);
    for (; column < end && load<i32>(column) < row; column += 4) {
      level = max(level, load<i32>(levels + (<usize>load<u32>(column) << 2)) + 1);
    }
    store<i32>(levels + at, level++);
    store<i32>(lowerEnds + at, <i32>((column - indices) >> 2));
    if (column < end && load<i32>(column) == row) column += 4;
    else if (gap < 0) gap = row;
    store<i32>(upperStarts + at, <i32>((column - indices) >> 2));
    for (; column < end; column += 4) {
      const other = levels + (<usize>load<u32>(column) << 2);
      store<i32>(other, max(load<i32>(other), level));
    }
  }
  return gap;
}
