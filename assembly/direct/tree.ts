// The elimination tree of a symmetric pattern (Liu 1990, SIAM J. Matrix Anal. Appl. 11), and the supernodes that
// its columns form.

import { fillMinusOne, integerAt, setInteger } from './access';

/** place[order[k]] = k */
export function invert(n: i32, order: usize, place: usize): void {
  for (let k = 0; k < n; k++) setInteger(place, integerAt(order, k), k);
}

/**
 * Puts `order` into a postorder of its elimination tree, which leaves the fill as it is, and finds the tree's
 * `parent` (-1: a root), `place` and the entries `count` of each column of the factor, the diagonal included.
 * `start`, `list`: the pattern without diagonal. `work`: 3 n i32.
 */
export function postorder(
  n: i32,
  start: usize,
  list: usize,
  order: usize,
  place: usize,
  parent: usize,
  count: usize,
  work: usize,
): void {
  const first = work;
  const sibling = work + (<usize>n << 2);
  const renamed = sibling + (<usize>n << 2);
  invert(n, order, place);
  tree(n, start, list, order, place, parent, first);

  fillMinusOne(first, n);
  for (let k = n - 1; k >= 0; k--) {
    const above = integerAt(parent, k);
    if (above < 0) continue;
    setInteger(sibling, k, integerAt(first, above));
    setInteger(first, above, k);
  }
  // Down to a leaf, then the next sibling or up. `first` loses the children that are done.
  let done = 0;
  for (let root = 0; root < n; root++) {
    if (integerAt(parent, root) >= 0) continue;
    let k = root;
    while (k >= 0) {
      const child = integerAt(first, k);
      if (child >= 0) {
        setInteger(first, k, integerAt(sibling, child));
        k = child;
        continue;
      }
      setInteger(renamed, k, done++);
      k = k == root ? -1 : integerAt(parent, k);
    }
  }
  for (let k = 0; k < n; k++) setInteger(first, integerAt(renamed, k), integerAt(order, k));
  memory.copy(order, first, <usize>n << 2);
  for (let k = 0; k < n; k++) {
    const above = integerAt(parent, k);
    setInteger(first, integerAt(renamed, k), above < 0 ? -1 : integerAt(renamed, above));
  }
  memory.copy(parent, first, <usize>n << 2);
  invert(n, order, place);

  // Row k of the factor is a subtree of k's descendants, and adds an entry to each of their columns.
  fillMinusOne(first, n);
  for (let k = 0; k < n; k++) setInteger(count, k, 1);
  for (let k = 0; k < n; k++) {
    setInteger(first, k, k);
    const row = integerAt(order, k);
    const end = integerAt(start, row + 1);
    for (let p = integerAt(start, row); p < end; p++) {
      let i = integerAt(place, integerAt(list, p));
      while (i < k && integerAt(first, i) != k) {
        setInteger(first, i, k);
        setInteger(count, i, integerAt(count, i) + 1);
        i = integerAt(parent, i);
      }
    }
  }
}

function tree(
  n: i32,
  start: usize,
  list: usize,
  order: usize,
  place: usize,
  parent: usize,
  ancestor: usize,
): void {
  for (let k = 0; k < n; k++) {
    setInteger(parent, k, -1);
    setInteger(ancestor, k, -1);
    const row = integerAt(order, k);
    const end = integerAt(start, row + 1);
    for (let p = integerAt(start, row); p < end; p++) {
      let i = integerAt(place, integerAt(list, p));
      while (i >= 0 && i < k) {
        const above = integerAt(ancestor, i);
        setInteger(ancestor, i, k);
        if (above < 0) setInteger(parent, i, k);
        i = above;
      }
    }
  }
}

/** Most columns of which a supernode is always joined to its parent, whatever zeros that makes explicit. */
const JOIN_ALWAYS: i32 = 4;

/**
 * The supernodes of a postordered tree: neighbouring columns whose entries below the diagonal are the same, or
 * nearly so (zeros that are kept explicitly cost less than small fronts). Fills `first` (n + 1: the first column of
 * each, and n) and `owner` (n: the supernode of each column); returns how many there are.
 */
export function supernodes(n: i32, parent: usize, count: usize, first: usize, owner: usize): i32 {
  // Backwards, `first` filled from its end: the parent's supernode is made before its children's.
  let top = n;
  setInteger(first, n, n);
  let last = n - 1;
  let entries: i64 = 0;
  for (let k = n - 1; k >= 0; k--) {
    const mine = integerAt(count, k);
    const above = integerAt(parent, k);
    let joins = false;
    if (k < last && above >= 0 && above <= last) {
      const width = last - k + 1;
      const rows = integerAt(count, last) - 1;
      const room = (<i64>width * (width + 1)) / 2 + <i64>width * rows;
      const zeros = <f64>(room - entries - mine) / <f64>room;
      joins =
        width <= JOIN_ALWAYS || zeros <= 0.02 || (width <= 16 && zeros <= 0.3) || (width <= 48 && zeros <= 0.1);
    }
    if (joins) {
      entries += mine;
    } else {
      if (k < n - 1) setInteger(first, --top, k + 1);
      last = k;
      entries = mine;
    }
  }
  if (n > 0) setInteger(first, --top, 0);
  const total = n - top;
  for (let s = 0; s <= total; s++) setInteger(first, s, integerAt(first, top + s));
  for (let s = 0; s < total; s++) {
    for (let k = integerAt(first, s); k < integerAt(first, s + 1); k++) setInteger(owner, k, s);
  }
  return total;
}
