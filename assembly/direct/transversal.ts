// Whether a pattern has a full transversal, an entry for each row in a column of its own (Duff 1981, ACM TOMS 7). Without
// one every matrix of the pattern is singular, though rounding may hide it.

import { fillMinusOne, integerAt, integers, setInteger } from './access';

/** Bytes of scratch. */
export function transversalWork(n: i32): usize {
  return 5 * integers(n);
}

/** A column that no row can have for its own; -1: there is none. */
export function spareColumn(n: i32, indptr: usize, indices: usize, work: usize): i32 {
  const rowOf = work;
  const seen = rowOf + integers(n);
  const stack = seen + integers(n);
  /** The entry through which a row on the stack is left, and how far a row was searched for a free column. */
  const through = stack + integers(n);
  const cheap = through + integers(n);
  fillMinusOne(rowOf, n);
  fillMinusOne(seen, n);
  memory.copy(cheap, indptr, <usize>n << 2);
  let full = true;
  for (let i = 0; i < n; i++) {
    let depth = 0;
    setInteger(stack, 0, i);
    setInteger(through, 0, -1);
    let free = -1;
    while (depth >= 0 && free < 0) {
      const row = integerAt(stack, depth);
      const end = integerAt(indptr, row + 1);
      let p = integerAt(cheap, row);
      while (p < end && integerAt(rowOf, integerAt(indices, p)) >= 0) p++;
      setInteger(cheap, row, p);
      if (p < end) {
        setInteger(through, depth, p);
        free = integerAt(indices, p);
        break;
      }
      // Else take the column of a row that may find another.
      p = integerAt(through, depth);
      p = p < 0 ? integerAt(indptr, row) : p + 1;
      while (p < end && integerAt(seen, integerAt(indices, p)) == i) p++;
      if (p == end) {
        depth--;
        continue;
      }
      setInteger(through, depth, p);
      const column = integerAt(indices, p);
      setInteger(seen, column, i);
      depth++;
      setInteger(stack, depth, integerAt(rowOf, column));
      setInteger(through, depth, -1);
    }
    if (free < 0) {
      full = false;
      continue;
    }
    for (; depth >= 0; depth--) {
      setInteger(rowOf, integerAt(indices, integerAt(through, depth)), integerAt(stack, depth));
    }
  }
  if (full) return -1;
  let column = 0;
  while (integerAt(rowOf, column) >= 0) column++;
  return column;
}
