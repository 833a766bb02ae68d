/** Twin of `assembly/operator/slice-order.ts`. */

/** What is needed of a matrix: a pattern by rows, with sorted columns. */
export interface Pattern {
  indptr: Int32Array;
  indices: Int32Array;
}

/** Rows that the kernel takes side by side (`assembly/operator/sliced.ts`). */
const SLICE = 4;
/** Rows that are sorted by length among themselves. */
export const WINDOW = 256;
/** Numbers of a run: entries a row, slices, single rows behind them. */
const RUN = 3;

/** The pattern of a matrix as the kernel has it, rows sorted by length within windows. */
export interface SlicedPattern {
  runs: Int32Array;
  /** The row in each place. */
  order: Int32Array;
  /** The column in each slot. */
  columns: Int32Array;
  /** Most entries in a window. */
  longest: number;
}

export function slicedPattern({ indptr, indices }: Pattern): SlicedPattern {
  const n = indptr.length - 1;
  const lengths = new Int32Array(n);
  const windows = new Int32Array(n);
  for (let row = 0; row < n; row++) {
    lengths[row] = indptr[row + 1] - indptr[row];
    windows[row] = Math.floor(row / WINDOW);
  }
  const order = sortedBy(windows, sortedBy(lengths));
  const { runs, columns } = sliceRows(order, indptr, lengths, windows, indices);
  let longest = 0;
  for (let row = 0; row < n; row += WINDOW) {
    longest = Math.max(longest, indptr[Math.min(row + WINDOW, n)] - indptr[row]);
  }
  return { runs, order, columns, longest };
}

/**
 * Rows in the order given, in slices of neighbours that have equally many entries and are of one group. The entries
 * of a row begin at `starts[row]`; gives the runs, and the index of the entry in each slot.
 */
export function sliceRows(
  order: Int32Array,
  starts: Int32Array,
  lengths: Int32Array,
  groups: Int32Array,
  indices: Int32Array,
): { runs: Int32Array; columns: Int32Array } {
  const n = order.length;
  let size = 0;
  for (let row = 0; row < n; row++) size += lengths[row];
  const columns = new Int32Array(size);
  const runs: number[] = [];
  let slot = 0;
  for (let p = 0; p < n; ) {
    const length = lengths[order[p]];
    const group = groups[order[p]];
    let end = p + 1;
    while (end < n && lengths[order[end]] === length && groups[order[end]] === group) end++;
    const slices = Math.floor((end - p) / SLICE);
    runs.push(length, slices, (end - p) % SLICE);
    for (const single = p + SLICE * slices; p < single; p += SLICE) {
      for (let entry = 0; entry < length; entry++) {
        for (let lane = 0; lane < SLICE; lane++) columns[slot++] = indices[starts[order[p + lane]] + entry];
      }
    }
    for (; p < end; p++) {
      const start = starts[order[p]];
      for (let entry = start; entry < start + length; entry++) columns[slot++] = indices[entry];
    }
  }
  return { runs: Int32Array.from(runs), columns };
}

/** Runs of single rows alone are added to the run before where it has the same length. */
export function joinSingles(runs: Int32Array): Int32Array {
  const joined = new Int32Array(runs.length);
  let end = 0;
  for (let k = 0; k < runs.length; k += RUN) {
    if (end > 0 && joined[end - RUN] === runs[k] && runs[k + 1] === 0) {
      joined[end - 1] += runs[k + 2];
      continue;
    }
    for (let part = 0; part < RUN; part++) joined[end++] = runs[k + part];
  }
  return joined.slice(0, end);
}

export function countRuns(runs: Int32Array): number {
  return runs.length / RUN;
}

/**
 * The rows in `order`, or in their own, sorted by their keys (not negative); those with equal keys stay in order.
 */
export function sortedBy(keys: Int32Array, order?: Int32Array): Int32Array {
  const n = keys.length;
  let most = 0;
  for (let row = 0; row < n; row++) if (keys[row] > most) most = keys[row];
  const next = new Int32Array(most + 2);
  for (let row = 0; row < n; row++) next[keys[row] + 1]++;
  for (let key = 0; key < most; key++) next[key + 1] += next[key];
  const sorted = new Int32Array(n);
  for (let k = 0; k < n; k++) {
    const row = order === undefined ? k : order[k];
    sorted[next[keys[row]]++] = row;
  }
  return sorted;
}
