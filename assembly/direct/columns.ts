// LU column by column with threshold partial pivoting (Gilbert, Peierls 1988, SIAM J. Sci. Stat. Comput. 9): each
// column is a triangular solve with the columns before, whose pattern a depth-first search finds first. The search
// goes through pruned columns (Eisenstat, Liu 1992, SIAM J. Matrix Anal. Appl. 13). Pivots and patterns are kept, and
// serve other values without a search as long as the pivots hold.

import { allocate, release } from '../memory/arena';
import { fillMinusOne, integerAt, integers, numberAt, setInteger, setNumber } from './access';
import { byColumns } from './pattern';

export const FACTORED: i32 = -1;
export const NO_MEMORY: i32 = -2;

/** Refactoring takes a pivot as long as it is not this much smaller than a new one might be. */
const SLACK: f64 = 0.1;

@unmanaged
export class Columns {
  n: i32;
  /** The matrix by columns. */
  start: usize;
  rows: usize;
  entries: usize;
  /** Columns of A in the order in which they are eliminated; belongs to the caller. */
  order: usize;
  /** Row -> pivot, and pivot -> row. */
  placeOfRow: usize;
  rowOfPivot: usize;
  /** Strictly lower factor by columns, unit diagonal; rows are pivots once the factors are complete. */
  lowerStart: usize;
  lowerRows: usize;
  lower: usize;
  lowerRoom: i32;
  /** Strictly upper factor by columns, rows in an order in which the columns may be applied. */
  upperStart: usize;
  upperRows: usize;
  upper: usize;
  upperRoom: i32;
  /** Inverse pivots. */
  inverse: usize;
  /** Scratch: n f64, zero between the columns, and 5 n i32. */
  x: usize;
  work: usize;
  /** Pivots and patterns are there. */
  analysed: bool;
  plan: usize;
}

/** Room for a matrix of this pattern; 0 when there is no memory. */
export function makeColumns(n: i32, indptr: usize, indices: usize, order: usize): usize {
  const nnz = integerAt(indptr, n);
  const columns = allocate(offsetof<Columns>());
  if (!columns) return 0;
  const vector = <usize>n << 3;
  const it = changetype<Columns>(columns);
  it.plan = allocate(2 * vector + 3 * integers(n + 1) + 2 * integers(nnz) + 7 * integers(n));
  it.lowerRoom = 2 * nnz + n;
  it.upperRoom = 2 * nnz + n;
  it.lowerRows = allocate(integers(it.lowerRoom));
  it.lower = allocate(<usize>it.lowerRoom << 3);
  it.upperRows = allocate(integers(it.upperRoom));
  it.upper = allocate(<usize>it.upperRoom << 3);
  if (!it.plan || !it.lowerRows || !it.lower || !it.upperRows || !it.upper) {
    releaseColumns(columns);
    return 0;
  }
  it.n = n;
  it.order = order;
  it.analysed = false;
  it.x = it.plan;
  it.inverse = it.x + vector;
  it.start = it.inverse + vector;
  it.lowerStart = it.start + integers(n + 1);
  it.upperStart = it.lowerStart + integers(n + 1);
  it.rows = it.upperStart + integers(n + 1);
  it.entries = it.rows + integers(nnz);
  it.placeOfRow = it.entries + integers(nnz);
  it.rowOfPivot = it.placeOfRow + integers(n);
  it.work = it.rowOfPivot + integers(n);
  byColumns(n, indptr, indices, it.start, it.rows, it.entries);
  return columns;
}

export function releaseColumns(columns: usize): void {
  if (!columns) return;
  const it = changetype<Columns>(columns);
  release(it.plan);
  release(it.lowerRows);
  release(it.lower);
  release(it.upperRows);
  release(it.upper);
  release(columns);
}

/** Makes room for n more entries in both factors. */
function grow(it: Columns, lowerCount: i32, upperCount: i32): bool {
  if (lowerCount + it.n > it.lowerRoom) {
    const room = larger(it.lowerRoom, it.n);
    const rows = moved(it.lowerRows, <usize>lowerCount << 2, integers(room));
    if (rows) it.lowerRows = rows;
    const values = rows ? moved(it.lower, <usize>lowerCount << 3, <usize>room << 3) : 0;
    if (!values) return false;
    it.lower = values;
    it.lowerRoom = room;
  }
  if (upperCount + it.n > it.upperRoom) {
    const room = larger(it.upperRoom, it.n);
    const rows = moved(it.upperRows, <usize>upperCount << 2, integers(room));
    if (rows) it.upperRows = rows;
    const values = rows ? moved(it.upper, <usize>upperCount << 3, <usize>room << 3) : 0;
    if (!values) return false;
    it.upper = values;
    it.upperRoom = room;
  }
  return true;
}

function larger(room: i32, n: i32): i32 {
  return <i32>min(<i64>room + (room >> 1) + n, <i64>0x1ffffff0);
}

/** The block of the first `used` bytes in a larger one; 0 leaves it where it is. */
function moved(block: usize, used: usize, bytes: usize): usize {
  const to = bytes < used ? <usize>0 : allocate(bytes);
  if (!to) return 0;
  memory.copy(to, block, used);
  release(block);
  return to;
}

/**
 * Factors anew, pivots included. `data` has A's values, scaled. A pivot on the diagonal is taken where it is at least
 * `threshold` times the largest of its column. Returns FACTORED, NO_MEMORY, or the place in the order of a column in
 * which no pivot is left.
 */
export function factorColumns(columns: usize, data: usize, threshold: f64): i32 {
  const it = changetype<Columns>(columns);
  const n = it.n;
  const x = it.x;
  const place = it.placeOfRow;
  const seen = it.work;
  const stack = seen + integers(n);
  const position = stack + integers(n);
  const found = position + integers(n);
  // How far each column of L is to be searched.
  const pruned = found + integers(n);
  it.analysed = false;
  fillMinusOne(place, n);
  fillMinusOne(seen, n);
  memory.fill(x, 0, <usize>n << 3);
  let lowerCount = 0;
  let upperCount = 0;
  for (let k = 0; k < n; k++) {
    setInteger(it.lowerStart, k, lowerCount);
    setInteger(it.upperStart, k, upperCount);
    if (lowerCount + n > it.lowerRoom || upperCount + n > it.upperRoom) {
      if (!grow(it, lowerCount, upperCount)) return NO_MEMORY;
    }
    const column = integerAt(it.order, k);
    const lowerRows = it.lowerRows;
    const lower = it.lower;
    const end = integerAt(it.start, column + 1);
    let top = n;
    let stop = lowerCount;
    for (let p = integerAt(it.start, column); p < end; p++) {
      const row = integerAt(it.rows, p);
      setNumber(x, row, numberAt(data, integerAt(it.entries, p)));
      if (integerAt(seen, row) == k) continue;
      setInteger(seen, row, k);
      if (integerAt(place, row) < 0) {
        setInteger(lowerRows, stop++, row);
        continue;
      }
      // Down through the columns that this one needs; rows without a pivot go to the new column of L.
      let depth = 0;
      setInteger(stack, 0, integerAt(place, row));
      setInteger(position, 0, integerAt(it.lowerStart, integerAt(stack, 0)));
      while (depth >= 0) {
        const j = integerAt(stack, depth);
        let q = integerAt(position, depth);
        const last = integerAt(pruned, j);
        let below = -1;
        for (; q < last; q++) {
          const i = integerAt(lowerRows, q);
          if (integerAt(seen, i) == k) continue;
          setInteger(seen, i, k);
          below = integerAt(place, i);
          if (below >= 0) break;
          setInteger(lowerRows, stop++, i);
        }
        if (q < last) {
          setInteger(position, depth, q + 1);
          depth++;
          setInteger(stack, depth, below);
          setInteger(position, depth, integerAt(it.lowerStart, below));
        } else {
          setInteger(found, --top, j);
          depth--;
        }
      }
    }

    // The numbers.
    for (let t = top; t < n; t++) {
      const j = integerAt(found, t);
      const at = x + (<usize>integerAt(it.rowOfPivot, j) << 3);
      const value = load<f64>(at);
      store<f64>(at, 0);
      setInteger(it.upperRows, upperCount, j);
      setNumber(it.upper, upperCount, value);
      upperCount++;
      subtractColumn(lowerRows, lower, integerAt(it.lowerStart, j), integerAt(it.lowerStart, j + 1), value, x);
    }

    let largest: f64 = 0;
    let pivotAt = -1;
    let diagonalAt = -1;
    for (let p = lowerCount; p < stop; p++) {
      const row = integerAt(lowerRows, p);
      const size = abs(numberAt(x, row));
      if (row == column) diagonalAt = p;
      // A NaN, too, is to be seen.
      if (size <= largest) continue;
      largest = size;
      pivotAt = p;
    }
    if (pivotAt < 0) return k;
    if (diagonalAt >= 0 && abs(numberAt(x, column)) >= threshold * largest && numberAt(x, column) != 0) {
      pivotAt = diagonalAt;
    }
    const pivotRow = integerAt(lowerRows, pivotAt);
    const inverse = 1 / numberAt(x, pivotRow);
    if (!isFinite(inverse) || inverse == 0) {
      for (let p = lowerCount; p < stop; p++) setNumber(x, integerAt(lowerRows, p), 0);
      return k;
    }
    setNumber(x, pivotRow, 0);
    setNumber(it.inverse, k, inverse);
    setInteger(place, pivotRow, k);
    setInteger(it.rowOfPivot, k, pivotRow);
    setInteger(lowerRows, pivotAt, integerAt(lowerRows, --stop));
    for (; lowerCount < stop; lowerCount++) {
      const at = x + (<usize>integerAt(lowerRows, lowerCount) << 3);
      setNumber(lower, lowerCount, load<f64>(at) * inverse);
      store<f64>(at, 0);
    }
    setInteger(pruned, k, stop);
    setInteger(it.lowerStart, k + 1, stop);
    for (let t = top; t < n; t++) prune(it, integerAt(found, t), pivotRow, pruned);
  }
  setInteger(it.lowerStart, n, lowerCount);
  setInteger(it.upperStart, n, upperCount);
  for (let p = 0; p < lowerCount; p++) {
    setInteger(it.lowerRows, p, integerAt(place, integerAt(it.lowerRows, p)));
  }
  it.analysed = true;
  return FACTORED;
}

/**
 * Where column j of L has the new pivot's row, what is reached through its later rows is reached through that one:
 * rows without a pivot go behind, out of the search.
 */
function prune(it: Columns, j: i32, pivotRow: i32, pruned: usize): void {
  const begin = integerAt(it.lowerStart, j);
  const end = integerAt(it.lowerStart, j + 1);
  if (integerAt(pruned, j) != end) return;
  let p = begin;
  while (p < end && integerAt(it.lowerRows, p) != pivotRow) p++;
  if (p == end) return;
  let low = begin;
  let high = end;
  while (low < high) {
    const row = integerAt(it.lowerRows, low);
    if (integerAt(it.placeOfRow, row) >= 0) {
      low++;
      continue;
    }
    high--;
    setInteger(it.lowerRows, low, integerAt(it.lowerRows, high));
    setInteger(it.lowerRows, high, row);
    const value = numberAt(it.lower, low);
    setNumber(it.lower, low, numberAt(it.lower, high));
    setNumber(it.lower, high, value);
  }
  setInteger(pruned, j, low);
}

/** x <- x - value times column [p, end) of L. */
// @ts-ignore: decorator
@inline
function subtractColumn(rows: usize, values: usize, p: i32, end: i32, value: f64, x: usize): void {
  let row = rows + (<usize>p << 2);
  let factor = values + (<usize>p << 3);
  for (const stop = rows + (<usize>end << 2); row < stop; row += 4, factor += 8) {
    const at = x + (<usize>load<u32>(row) << 3);
    store<f64>(at, load<f64>(at) - value * load<f64>(factor));
  }
}

/**
 * Factors other values with the pivots and patterns that are there. Returns FACTORED, or the place of the first
 * column whose pivot has become too small against the rest of it: then the pivots are to be chosen anew.
 */
export function refactorColumns(columns: usize, data: usize, threshold: f64): i32 {
  const it = changetype<Columns>(columns);
  const n = it.n;
  const x = it.x;
  const most = 1 / (SLACK * threshold);
  memory.fill(x, 0, <usize>n << 3);
  for (let k = 0; k < n; k++) {
    const column = integerAt(it.order, k);
    const end = integerAt(it.start, column + 1);
    for (let p = integerAt(it.start, column); p < end; p++) {
      setNumber(x, integerAt(it.placeOfRow, integerAt(it.rows, p)), numberAt(data, integerAt(it.entries, p)));
    }
    const upperEnd = integerAt(it.upperStart, k + 1);
    for (let p = integerAt(it.upperStart, k); p < upperEnd; p++) {
      const j = integerAt(it.upperRows, p);
      const value = numberAt(x, j);
      setNumber(x, j, 0);
      setNumber(it.upper, p, value);
      const begin = integerAt(it.lowerStart, j);
      subtractColumn(it.lowerRows, it.lower, begin, integerAt(it.lowerStart, j + 1), value, x);
    }
    const inverse = 1 / numberAt(x, k);
    if (!isFinite(inverse) || inverse == 0) return k;
    setNumber(x, k, 0);
    setNumber(it.inverse, k, inverse);
    let largest: f64 = 0;
    const lowerEnd = integerAt(it.lowerStart, k + 1);
    for (let p = integerAt(it.lowerStart, k); p < lowerEnd; p++) {
      const at = x + (<usize>integerAt(it.lowerRows, p) << 3);
      const factor = load<f64>(at) * inverse;
      store<f64>(at, 0);
      setNumber(it.lower, p, factor);
      largest = max(largest, abs(factor));
    }
    if (!(largest <= most)) return k;
  }
  return FACTORED;
}
