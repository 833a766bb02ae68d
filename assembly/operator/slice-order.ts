// From a pattern by rows to slices (`sliced.ts`): the order of the rows, their runs, and the index in each slot.
// The entries of a row lie between two marks, `starts[row]` and `ends[row]` (i32): of a CSR matrix, `indptr` and
// `indptr` + 4; of a triangle of it, others. What else has rows in slices (`preconditioner/level-order.ts`) gives
// groups of its own, in place of the windows.

import { RUN, SLICE, WINDOW } from './sliced';

/**
 * Sorts the rows of a CSR matrix by length within windows. Returns the number of runs. `scratch` as for
 * `slicedPack`; `order` has n i32.
 */
export function sliceOrder(n: i32, indptr: usize, order: usize, scratch: usize): i32 {
  for (let first = 0; first < n; first += WINDOW) {
    const sorted = order + (<usize>first << 2);
    sortRows(first, min(WINDOW, n - first), 0, indptr, indptr + 4, scratch, sorted);
  }
  return formRuns(n, order, indptr, indptr + 4, 0, false, 0);
}

/** In the order found: `runs` has three i32 for each, `columns` one for each entry. */
export function sliceRows(
  n: i32,
  indptr: usize,
  indices: usize,
  order: usize,
  runs: usize,
  columns: usize,
): void {
  const count = formRuns(n, order, indptr, indptr + 4, 0, false, runs);
  layColumns(runs, count, order, indptr, indices, 0, columns);
}

// @ts-ignore: decorator
@inline
function at(table: usize, row: i32): i32 {
  return load<i32>(table + (<usize>row << 2));
}

/** Entries of a row; with `starts` 0, what the table `ends` has of it. */
// @ts-ignore: decorator
@inline
function lengthOf(starts: usize, ends: usize, row: i32): i32 {
  return at(ends, row) - (starts ? at(starts, row) : 0);
}

/**
 * Sorts `count` rows by length, where that is the same in the order given: that of `order`, or from `first` on
 * where that is 0. `table` has an i32 for each length up to the longest.
 */
export function sortRows(
  first: i32,
  count: i32,
  order: usize,
  starts: usize,
  ends: usize,
  table: usize,
  sorted: usize,
): void {
  if (count == 0) return;
  let most = 0;
  for (let row = first; row < first + count; row++) most = max(most, lengthOf(starts, ends, row));
  memory.fill(table, 0, <usize>(most + 1) << 2);
  for (let row = first; row < first + count; row++) {
    const place = table + (<usize>lengthOf(starts, ends, row) << 2);
    store<i32>(place, load<i32>(place) + 1);
  }
  let rows = 0;
  for (const end = table + (<usize>most << 2); table <= end; table += 4) {
    const size = load<i32>(table);
    store<i32>(table, rows);
    rows += size;
  }
  table -= <usize>(most + 1) << 2;
  for (let k = 0; k < count; k++) {
    const row = order ? at(order, k) : first + k;
    const place = table + (<usize>lengthOf(starts, ends, row) << 2);
    const p = load<i32>(place);
    store<i32>(place, p + 1);
    store<i32>(sorted + (<usize>p << 2), row);
  }
}

/**
 * Runs of the rows in their order: neighbours of one length and one group (`groups` 0: their windows). With `join`,
 * rows too few for a slice are counted to the run before where that has their length, whatever its group. Returns
 * how many there are; they are written unless `runs` is 0.
 */
export function formRuns(
  n: i32,
  order: usize,
  starts: usize,
  ends: usize,
  groups: usize,
  join: bool,
  runs: usize,
): i32 {
  let count = 0;
  let before = -1;
  for (let p = 0; p < n; ) {
    const row = at(order, p);
    const length = lengthOf(starts, ends, row);
    const group = groupOf(groups, row);
    let end = p + 1;
    for (; end < n; end++) {
      const other = at(order, end);
      if (lengthOf(starts, ends, other) != length || groupOf(groups, other) != group) break;
    }
    const slices = (end - p) / <i32>SLICE;
    const singles = (end - p) % <i32>SLICE;
    p = end;
    if (join && length == before && slices == 0) {
      if (runs) store<i32>(runs - RUN, load<i32>(runs - RUN, 8) + singles, 8);
      continue;
    }
    if (runs) {
      store<i32>(runs, length);
      store<i32>(runs, slices, 4);
      store<i32>(runs, singles, 8);
      runs += RUN;
    }
    before = length;
    count++;
  }
  return count;
}

// @ts-ignore: decorator
@inline
function groupOf(groups: usize, row: i32): i32 {
  return groups ? at(groups, row) : row / WINDOW;
}

/** The indices of the rows' entries, slot by slot; with `places`, the place of each instead. */
export function layColumns(
  runs: usize,
  count: i32,
  order: usize,
  starts: usize,
  indices: usize,
  places: usize,
  columns: usize,
): void {
  for (const end = runs + <usize>count * RUN; runs < end; runs += RUN) {
    const length = <usize>load<u32>(runs);
    const single = order + (<usize>load<u32>(runs, 4) << 4);
    for (; order < single; order += 16) {
      for (let lane: usize = 0; lane < 16; lane += 4) {
        layRow(load<i32>(order + lane), length, 16, starts, indices, places, columns + lane);
      }
      columns += length << 4;
    }
    for (const stop = single + (<usize>load<u32>(runs, 8) << 2); order < stop; order += 4) {
      layRow(load<i32>(order), length, 4, starts, indices, places, columns);
      columns += length << 2;
    }
  }
}

// @ts-ignore: decorator
@inline
function layRow(
  row: i32,
  length: usize,
  step: usize,
  starts: usize,
  indices: usize,
  places: usize,
  columns: usize,
): void {
  let entry = indices + (<usize>at(starts, row) << 2);
  for (const end = entry + (length << 2); entry < end; entry += 4, columns += step) {
    const column = load<i32>(entry);
    store<i32>(columns, places ? at(places, column) : column);
  }
}
