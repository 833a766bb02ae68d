/** Twin of `assembly/preconditioner/level-order.ts`. */

import { joinSingles, type Pattern, sliceRows, sortedBy } from './slices.ts';

/** A triangular factor in slices: its runs, and the place of the column in each slot. */
export interface Factor {
  runs: Int32Array;
  columns: Int32Array;
}

/** The pattern of ILU(0) factors as the kernel has it. */
export interface LevelPattern {
  /** The row in each place, level by level. */
  order: Int32Array;
  /** Strictly lower, and strictly upper. */
  lower: Factor;
  upper: Factor;
  /** The first row without a diagonal entry; -1: none. */
  gap: number;
}

export function levelPattern({ indptr, indices }: Pattern): LevelPattern {
  const n = indptr.length - 1;
  const levels = rowLevels({ indptr, indices });
  const lowerLengths = new Int32Array(n);
  const upperStarts = new Int32Array(n);
  const upperLengths = new Int32Array(n);
  let gap = -1;
  for (let row = 0; row < n; row++) {
    const end = indptr[row + 1];
    let k = indptr[row];
    while (k < end && indices[k] < row) k++;
    lowerLengths[row] = k - indptr[row];
    if (k < end && indices[k] === row) k++;
    else if (gap < 0) gap = row;
    upperStarts[row] = k;
    upperLengths[row] = end - k;
  }
  const order = sortedBy(levels, sortedBy(lowerLengths, sortedBy(upperLengths)));
  const places = new Int32Array(n);
  for (let p = 0; p < n; p++) places[order[p]] = p;
  const placeOf = new Int32Array(indices.length);
  for (let k = 0; k < placeOf.length; k++) placeOf[k] = places[indices[k]];
  const factor = (starts: Int32Array, lengths: Int32Array): Factor => {
    const { runs, columns } = sliceRows(order, starts, lengths, levels, placeOf);
    return { runs: joinSingles(runs), columns };
  };
  return {
    order,
    lower: factor(indptr, lowerLengths),
    upper: factor(upperStarts, upperLengths),
    gap,
  };
}

/**
 * Level of each row: one more than the highest of the rows before it that it shares an entry with, on either side
 * of the diagonal. So the order of the levels serves L forwards and U backwards.
 */
function rowLevels({ indptr, indices }: Pattern): Int32Array {
  const levels = new Int32Array(indptr.length - 1);
  for (let row = 0; row < levels.length; row++) {
    const end = indptr[row + 1];
    let level = levels[row];
    let k = indptr[row];
    for (; k < end && indices[k] < row; k++) level = Math.max(level, levels[indices[k]] + 1);
    levels[row] = level;
    if (k < end && indices[k] === row) k++;
    for (; k < end; k++) levels[indices[k]] = Math.max(levels[indices[k]], level + 1);
  }
  return levels;
}
