// The multifrontal method's plan (Duff, Reid 1983, ACM TOMS 9; Liu 1992, SIAM Review 34): a dense front for each
// supernode, with its columns and the rows below them, to which the children's fronts leave what remains of theirs.
// All sizes and places follow from the pattern; factoring with other values allocates nothing.
//
// A front with p pivots and q rows below has p + q rows and columns, after `pad` unused ones, so that what is left for
// the parent begins at a multiple of four, and ends at one.

import { allocate, release } from '../memory/arena';
import { fillMinusOne, integerAt, integers, setInteger } from './access';
import { supernodes } from './tree';

@unmanaged
export class Fronts {
  /** Supernodes. */
  count: i32;
  /** Only U is kept, with L = (D^-1 U)'. */
  symmetric: bool;
  /** First column of each, and n. */
  first: usize;
  /** Where its rows below the pivots begin in `rows` and `relative`. */
  rowStart: usize;
  /** The rows, by their place in the order. */
  rows: usize;
  /** Where each is in the parent's front, padding included. */
  relative: usize;
  /** First child and next sibling; -1: none. */
  child: usize;
  sibling: usize;
  /** Where its entries of A begin; which, and where they are in the front (row * width + column). */
  entryStart: usize;
  entries: usize;
  offsets: usize;
  /** Where its numbers begin among the factors', in f64. */
  valueStart: usize;
  values: usize;
  valueCount: i32;
  /** Fronts, and what is left of the children's. */
  stack: usize;
  /** Address of what each supernode has left on the stack. */
  left: usize;
  /** Most rows below a front. */
  most: i32;
  /** One block holds the arrays, one the numbers, one the stack. */
  plan: usize;
}

// @ts-ignore: decorator
@inline
export function paddingOf(p: i32): i32 {
  return -p & 3;
}

/** Rows and columns of a front, padding included. */
// @ts-ignore: decorator
@inline
export function widthOf(p: i32, q: i32): i32 {
  return paddingOf(p) + p + ((q + 3) & ~3);
}

export function releaseFronts(fronts: usize): void {
  if (!fronts) return;
  const it = changetype<Fronts>(fronts);
  release(it.plan);
  release(it.values);
  release(it.stack);
  release(fronts);
}

/**
 * Lays out the fronts of a postordered pattern (see `postorder`); `indptr` and `indices` are A's own. Returns 0 when
 * there is no memory for them.
 */
export function makeFronts(
  n: i32,
  indptr: usize,
  indices: usize,
  start: usize,
  list: usize,
  order: usize,
  place: usize,
  parent: usize,
  counts: usize,
  symmetric: bool,
): usize {
  const owner = allocate(2 * integers(n) + integers(n + 1) + integers(n + 2));
  if (!owner) return 0;
  const seen = owner + integers(n);
  const first = seen + integers(n);
  const stops = first + integers(n + 1);
  const count = supernodes(n, parent, counts, first, owner);

  // How many rows each has, then the same walk again to note them.
  const nnz = integerAt(indptr, n);
  const total = walkRows(n, count, start, list, order, place, parent, first, owner, seen, stops, 0);
  const small = integers(count + 1);
  const bytes = small * 5 + integers(count) * 3 + integers(total) * 2 + integers(nnz) * 2;
  const fronts = allocate(offsetof<Fronts>());
  const plan = fronts ? allocate(bytes) : 0;
  if (!plan) {
    release(owner);
    release(fronts);
    return 0;
  }
  const it = changetype<Fronts>(fronts);
  it.plan = plan;
  it.values = 0;
  it.stack = 0;
  it.count = count;
  it.symmetric = symmetric;
  it.first = plan;
  it.rowStart = it.first + small;
  it.entryStart = it.rowStart + small;
  it.valueStart = it.entryStart + small;
  it.left = it.valueStart + small;
  it.child = it.left + small;
  it.sibling = it.child + integers(count);
  it.rows = it.sibling + integers(count);
  it.relative = it.rows + integers(total);
  it.entries = it.relative + integers(total);
  it.offsets = it.entries + integers(nnz);
  memory.copy(it.first, first, (<usize>count + 1) << 2);
  let sum = 0;
  for (let s = 0; s < count; s++) {
    setInteger(it.rowStart, s, sum);
    sum += integerAt(stops, s);
    setInteger(stops, s, integerAt(it.rowStart, s));
  }
  setInteger(it.rowStart, count, sum);
  walkRows(n, count, start, list, order, place, parent, first, owner, seen, stops, it.rows);
  family(it, owner);
  placeEntries(n, indptr, indices, place, owner, stops, it);
  release(owner);

  if (reserve(it, symmetric)) return fronts;
  releaseFronts(fronts);
  return 0;
}

/**
 * For each row k of the factor, the supernodes that have it below their pivots: k's neighbours and their ancestors,
 * up to k's own. Counts them in `stops`, or with `rows` writes them there and moves `stops` on.
 */
function walkRows(
  n: i32,
  count: i32,
  start: usize,
  list: usize,
  order: usize,
  place: usize,
  parent: usize,
  first: usize,
  owner: usize,
  seen: usize,
  stops: usize,
  rows: usize,
): i32 {
  fillMinusOne(seen, count);
  if (!rows) memory.fill(stops, 0, <usize>count << 2);
  let total = 0;
  for (let k = 0; k < n; k++) {
    const own = integerAt(owner, k);
    setInteger(seen, own, k);
    const row = integerAt(order, k);
    const end = integerAt(start, row + 1);
    for (let p = integerAt(start, row); p < end; p++) {
      const i = integerAt(place, integerAt(list, p));
      if (i > k) continue;
      let s = integerAt(owner, i);
      while (integerAt(seen, s) != k) {
        setInteger(seen, s, k);
        const stop = integerAt(stops, s);
        if (rows) setInteger(rows, stop, k);
        setInteger(stops, s, stop + 1);
        total++;
        s = integerAt(owner, integerAt(parent, integerAt(first, s + 1) - 1));
      }
    }
  }
  return total;
}

/** Children, and the places of their rows in the parent's front. */
function family(it: Fronts, owner: usize): void {
  const count = it.count;
  fillMinusOne(it.child, count);
  for (let s = count - 1; s >= 0; s--) {
    const begin = integerAt(it.rowStart, s);
    const end = integerAt(it.rowStart, s + 1);
    if (begin == end) continue;
    const above = integerAt(owner, integerAt(it.rows, begin));
    setInteger(it.sibling, s, integerAt(it.child, above));
    setInteger(it.child, above, s);
    const from = integerAt(it.first, above);
    const to = integerAt(it.first, above + 1);
    const shift = paddingOf(to - from) - from;
    let other = integerAt(it.rowStart, above);
    const base = shift + to - other;
    for (let k = begin; k < end; k++) {
      const row = integerAt(it.rows, k);
      if (row < to) {
        setInteger(it.relative, k, shift + row);
        continue;
      }
      while (integerAt(it.rows, other) < row) other++;
      setInteger(it.relative, k, base + other);
    }
  }
}

/** Which entries of A belong to each front, and where. A symmetric one takes those above the diagonal alone. */
function placeEntries(
  n: i32,
  indptr: usize,
  indices: usize,
  place: usize,
  owner: usize,
  stops: usize,
  it: Fronts,
): void {
  const count = it.count;
  memory.fill(stops, 0, (<usize>count + 1) << 2);
  for (let i = 0; i < n; i++) {
    const row = integerAt(place, i);
    const end = integerAt(indptr, i + 1);
    for (let k = integerAt(indptr, i); k < end; k++) {
      const column = integerAt(place, integerAt(indices, k));
      if (it.symmetric && column < row) continue;
      const s = integerAt(owner, min(row, column));
      setInteger(stops, s, integerAt(stops, s) + 1);
    }
  }
  let sum = 0;
  for (let s = 0; s <= count; s++) {
    setInteger(it.entryStart, s, sum);
    if (s < count) sum += integerAt(stops, s);
    setInteger(stops, s, integerAt(it.entryStart, s));
  }
  for (let i = 0; i < n; i++) {
    const row = integerAt(place, i);
    const end = integerAt(indptr, i + 1);
    for (let k = integerAt(indptr, i); k < end; k++) {
      const column = integerAt(place, integerAt(indices, k));
      if (it.symmetric && column < row) continue;
      const s = integerAt(owner, min(row, column));
      const stop = integerAt(stops, s);
      setInteger(stops, s, stop + 1);
      setInteger(it.entries, stop, k);
      const from = integerAt(it.first, s);
      const p = integerAt(it.first, s + 1) - from;
      const width = widthOf(p, integerAt(it.rowStart, s + 1) - integerAt(it.rowStart, s));
      setInteger(it.offsets, stop, inFront(it, s, row) * width + inFront(it, s, column));
    }
  }
}

/** The place of a row or column in the front of s, which has it. */
function inFront(it: Fronts, s: i32, row: i32): i32 {
  const from = integerAt(it.first, s);
  const to = integerAt(it.first, s + 1);
  const pad = paddingOf(to - from);
  if (row < to) return pad + row - from;
  const begin = integerAt(it.rowStart, s);
  let low = begin;
  let high = integerAt(it.rowStart, s + 1);
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (integerAt(it.rows, middle) <= row) low = middle;
    else high = middle;
  }
  return pad + to - from + low - begin;
}

/** Room for the numbers and for the highest stack. */
function reserve(it: Fronts, symmetric: bool): bool {
  const count = it.count;
  const left = it.left;
  let values: i64 = 0;
  // In f64; `left` has what each supernode leaves, until there are addresses.
  let height: i64 = 0;
  let highest: i64 = 0;
  it.most = 0;
  for (let s = 0; s < count; s++) {
    const p = integerAt(it.first, s + 1) - integerAt(it.first, s);
    const q = integerAt(it.rowStart, s + 1) - integerAt(it.rowStart, s);
    const width = <i64>widthOf(p, q);
    if (values > i32.MAX_VALUE || width > 40000) return false;
    setInteger(it.valueStart, s, <i32>values);
    values += <i64>p * (p + q) + (symmetric ? 0 : <i64>p * q);
    highest = max(highest, height + width * width);
    for (let c = integerAt(it.child, s); c >= 0; c = integerAt(it.sibling, c)) height -= integerAt(left, c);
    setInteger(left, s, q * q);
    height += <i64>q * q;
    it.most = max(it.most, q);
  }
  if (values > i32.MAX_VALUE) return false;
  setInteger(it.valueStart, count, <i32>values);
  it.valueCount = <i32>values;
  if (values * 8 > 0xffff0000 || highest * 8 > 0xffff0000) return false;
  it.values = allocate(<usize>values << 3);
  it.stack = it.values ? allocate(<usize>highest << 3) : 0;
  return it.stack != 0;
}
