// Nested dissection (George 1973, SIAM J. Numer. Anal. 10): a separator is eliminated after the two parts that it
// leaves, and each of them in the same way; small parts are ordered by minimum degree. The separator is a level of a
// breadth-first search from the rim (George, Liu 1978, SIAM J. Numer. Anal. 15), moved about where that makes it smaller
// or the parts more equal. On a five-point grid it runs along the diagonals, which makes a quarter less fill than cuts
// along rows and columns.

import { fillMinusOne, integerAt, integers, setInteger } from './access';
import { degreeRoom, degreeWork, minimumDegree } from './degree';

/** Parts up to so many vertices are ordered by minimum degree. */
const SMALL: i32 = 200;
/** Searches for a vertex on the rim, and passes over a separator. */
const SEARCHES: i32 = 4;
const PASSES: i32 = 6;
/** A part that is smaller than this share of the whole is not worth a thin separator. */
const SMALLEST: f64 = 0.3;

/** Bytes of scratch, for a pattern of so many entries. */
export function dissectionWork(n: i32, entries: i32): usize {
  return 10 * integers(n + 1) + integers(degreeRoom(n, entries)) + degreeWork(n) + integers(n);
}

// The graph, and the parts of the scratch.
let start: usize;
let list: usize;
let order: usize;
/** Where each vertex is in the order. */
let position: usize;
/** The part that a vertex belongs to, by the number of its range. */
let region: usize;
let level: usize;
let queue: usize;
/** 0 and 1: the parts, 2: the separator. */
let side: usize;
let separator: usize;
/** Ranges that are still to be cut: first and last + 1, in turn. */
let ranges: usize;
/** Numbers in a small part; its pattern, and scratch. */
let local: usize;
let small: usize;
/** Where the second part of the last cut ends. */
let secondEnd: i32 = 0;

/** Orders a symmetric pattern without diagonal, as `minimumDegree`; the pattern stays as it is. */
export function nestedDissection(n: i32, graphStart: usize, graphList: usize, into: usize, work: usize): void {
  start = graphStart;
  list = graphList;
  order = into;
  const step = integers(n + 1);
  position = work;
  region = position + step;
  level = region + step;
  queue = level + step;
  side = queue + step;
  separator = side + step;
  ranges = separator + step;
  local = ranges + 2 * step;
  small = local + step;
  fillMinusOne(local, n);
  for (let v = 0; v < n; v++) {
    setInteger(order, v, v);
    setInteger(position, v, v);
    setInteger(region, v, 0);
    setInteger(level, v, -1);
  }
  setInteger(ranges, 0, 0);
  setInteger(ranges, 1, n);
  let number = 0;
  for (let top = 1; top > 0; ) {
    top--;
    let from = integerAt(ranges, 2 * top);
    const to = integerAt(ranges, 2 * top + 1);
    number++;
    for (let k = from; k < to; k++) setInteger(region, integerAt(order, k), number);
    // One connected piece after the other; each leaves at most two ranges, disjoint from all the others.
    while (from < to) {
      const size = search(from, number);
      for (let t = 0; t < size; t++) exchange(integerAt(queue, t), from + t);
      const end = from + size;
      const depth = integerAt(level, integerAt(queue, size - 1));
      if (size <= SMALL || depth < 2) {
        forget(size);
        orderSmall(from, end);
      } else {
        const first = cut(from, end, depth, number);
        forget(size);
        if (first == from || secondEnd == first) {
          orderSmall(from, end);
        } else {
          top = push(top, from, first);
          top = push(top, first, secondEnd);
        }
      }
      // What is ordered, or waits, is out of the searches.
      for (let k = from; k < end; k++) setInteger(region, integerAt(order, k), -1);
      from = end;
    }
  }
}

/** Orders the vertices at places from .. to by minimum degree, among themselves. */
function orderSmall(from: i32, to: i32): void {
  const count = to - from;
  const subStart = small;
  const result = subStart + integers(count + 1);
  const subList = result + integers(count);
  for (let k = 0; k < count; k++) setInteger(local, integerAt(order, from + k), k);
  let entries = 0;
  for (let k = 0; k < count; k++) {
    setInteger(subStart, k, entries);
    const v = integerAt(order, from + k);
    const end = integerAt(start, v + 1);
    for (let p = integerAt(start, v); p < end; p++) {
      const w = integerAt(local, integerAt(list, p));
      if (w >= 0) setInteger(subList, entries++, w);
    }
  }
  setInteger(subStart, count, entries);
  const room = degreeRoom(count, entries);
  minimumDegree(count, subStart, subList, room, result, subList + integers(room));
  for (let k = 0; k < count; k++) setInteger(local, integerAt(order, from + k), -1);
  for (let k = 0; k < count; k++) setInteger(result, k, integerAt(order, from + integerAt(result, k)));
  memory.copy(order + (<usize>from << 2), result, <usize>count << 2);
}

function push(top: i32, from: i32, to: i32): i32 {
  setInteger(ranges, 2 * top, from);
  setInteger(ranges, 2 * top + 1, to);
  return top + 1;
}

/** Puts a vertex at a place. */
function exchange(v: i32, place: i32): void {
  const other = integerAt(order, place);
  const from = integerAt(position, v);
  setInteger(order, from, other);
  setInteger(position, other, from);
  setInteger(order, place, v);
  setInteger(position, v, place);
}

/** The piece around the vertex at `from`, level by level from a vertex on its rim, in `queue`; returns its size. */
function search(from: i32, number: i32): i32 {
  let size = levels(integerAt(order, from), number);
  let depth = integerAt(level, integerAt(queue, size - 1));
  for (let k = 0; k < SEARCHES && size > SMALL; k++) {
    const rim = integerAt(queue, size - 1);
    forget(size);
    size = levels(rim, number);
    const now = integerAt(level, integerAt(queue, size - 1));
    if (now <= depth) break;
    depth = now;
  }
  return size;
}

function levels(root: i32, number: i32): i32 {
  setInteger(queue, 0, root);
  setInteger(level, root, 0);
  let count = 1;
  for (let t = 0; t < count; t++) {
    const v = integerAt(queue, t);
    const next = integerAt(level, v) + 1;
    const end = integerAt(start, v + 1);
    for (let p = integerAt(start, v); p < end; p++) {
      const w = integerAt(list, p);
      if (integerAt(region, w) != number || integerAt(level, w) >= 0) continue;
      setInteger(level, w, next);
      setInteger(queue, count++, w);
    }
  }
  return count;
}

function forget(size: i32): void {
  for (let t = 0; t < size; t++) setInteger(level, integerAt(queue, t), -1);
}

/**
 * Puts a searched piece at places from .. end into the order first part, second part, separator. Returns where the
 * second part begins; `secondEnd` is where it ends.
 */
function cut(from: i32, end: i32, depth: i32, number: i32): i32 {
  const size = end - from;
  // The smallest level that leaves enough on both sides, else the one in the middle.
  let best = -1;
  let bestSize = size;
  let middle = 1;
  for (let t = 0, l = 0; l < depth; l++) {
    const begin = t;
    while (integerAt(level, integerAt(queue, t)) == l) t++;
    if (l == 0) continue;
    if (begin <= size >> 1) middle = l;
    const fair = <f64>min(begin, size - t) >= SMALLEST * <f64>size;
    if (fair && t - begin < bestSize) {
      best = l;
      bestSize = t - begin;
    }
  }
  if (best < 0) best = middle;
  let ofFirst = 0;
  let ofSecond = 0;
  let count = 0;
  for (let t = 0; t < size; t++) {
    const v = integerAt(queue, t);
    const l = integerAt(level, v);
    setInteger(side, v, l < best ? 0 : l > best ? 1 : 2);
    if (l < best) ofFirst++;
    else if (l > best) ofSecond++;
    else setInteger(separator, count++, v);
  }
  for (let pass = 0, changed = true; changed && pass < PASSES; pass++) {
    changed = false;
    for (let t = 0; t < count; t++) {
      const v = integerAt(separator, t);
      let inFirst = 0;
      let inSecond = 0;
      const stop = integerAt(start, v + 1);
      for (let p = integerAt(start, v); p < stop; p++) {
        const w = integerAt(list, p);
        if (integerAt(region, w) != number) continue;
        if (integerAt(side, w) == 0) inFirst++;
        else if (integerAt(side, w) == 1) inSecond++;
      }
      // Into one part, its neighbours of the other into the separator.
      let to = -1;
      if (inSecond == 0 && (inFirst > 0 || ofFirst <= ofSecond)) to = 0;
      else if (inFirst == 0) to = 1;
      else if (inSecond == 1 && ofFirst + 1 < ofSecond) to = 0;
      else if (inFirst == 1 && ofSecond + 1 < ofFirst) to = 1;
      if (to < 0) continue;
      changed = true;
      setInteger(side, v, to);
      if (to == 0) ofFirst++;
      else ofSecond++;
      count--;
      setInteger(separator, t, integerAt(separator, count));
      t--;
      for (let p = integerAt(start, v); p < stop; p++) {
        const w = integerAt(list, p);
        if (integerAt(region, w) != number || integerAt(side, w) != 1 - to) continue;
        setInteger(side, w, 2);
        setInteger(separator, count++, w);
        if (to == 0) ofSecond--;
        else ofFirst--;
      }
    }
  }
  let a = from;
  let b = from + ofFirst;
  let c = b + ofSecond;
  for (let t = 0; t < size; t++) {
    const v = integerAt(queue, t);
    const part = integerAt(side, v);
    const place = part == 0 ? a++ : part == 1 ? b++ : c++;
    setInteger(order, place, v);
    setInteger(position, v, place);
  }
  secondEnd = c - count;
  return from + ofFirst;
}
