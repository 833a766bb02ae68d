// Approximate minimum degree ordering (Amestoy, Davis, Duff 1996, SIAM J. Matrix Anal. Appl. 17, 886-905): a
// quotient graph in the room of the original one, with element absorption, mass elimination, indistinguishable
// variables, and the external degree bounded from above. Rows with very many entries come last.

import { fillMinusOne, integerAt, setInteger } from './access';

/** Bytes of scratch. */
export function degreeWork(n: i32): usize {
  return (<usize>n * 12 + 16) << 2;
}

/** i32 that `list` must have room for, with `entries` in it. */
export function degreeRoom(n: i32, entries: i32): i32 {
  return entries + entries / 5 + 2 * n + 16;
}

// The arrays of the graph that is being ordered. A variable's list holds its elements, then its variables; an
// element's list its variables.
let list: usize;
let begin: usize;
let length: usize;
/** How many elements a variable's list begins with; ELEMENT, or DEAD. */
let elements: usize;
/** Variables that a principal one stands for; negated while it belongs to the new element; 0: absorbed. */
let weight: usize;
let degree: usize;
let stampOf: usize;
let head: usize;
let next: usize;
let last: usize;
let bucket: usize;
let chain: usize;
let chainEnd: usize;

const ELEMENT: i32 = -2;
const DEAD: i32 = -1;

/**
 * Orders a symmetric pattern without diagonal, row i at `lists[start[i]] .. lists[start[i + 1]]`. `lists` has room for
 * `room` i32 and is destroyed. order[k] is the index that is eliminated as number k.
 */
export function minimumDegree(n: i32, start: usize, lists: usize, room: i32, order: usize, work: usize): void {
  list = lists;
  const stride = <usize>n << 2;
  begin = work;
  length = begin + stride;
  elements = length + stride;
  weight = elements + stride;
  degree = weight + stride;
  stampOf = degree + stride;
  next = stampOf + stride;
  last = next + stride;
  bucket = last + stride;
  chain = bucket + stride;
  chainEnd = chain + stride;
  head = chainEnd + stride;
  fillMinusOne(head, n + 1);
  fillMinusOne(bucket, n);
  fillMinusOne(chain, n);

  const dense = max(16, <i32>(10 * sqrt(<f64>n)));
  let ordered = 0;
  let eliminated = 0;
  let late = 0;
  for (let i = 0; i < n; i++) {
    const count = integerAt(start, i + 1) - integerAt(start, i);
    setInteger(begin, i, integerAt(start, i));
    setInteger(length, i, count);
    setInteger(degree, i, count);
    setInteger(chainEnd, i, i);
    setInteger(stampOf, i, 1);
    const now = count == 0;
    const afterwards = count > dense;
    setInteger(weight, i, now || afterwards ? 0 : 1);
    setInteger(elements, i, now || afterwards ? DEAD : 0);
    if (now) setInteger(order, ordered++, i);
    else if (afterwards) setInteger(order, n - ++late, i);
    else link(i, count);
    if (now || afterwards) eliminated++;
  }

  let free = integerAt(start, n);
  let stamp = 2;
  let least = 0;
  let widest = 0;
  while (eliminated < n) {
    while (integerAt(head, least) < 0) least++;
    const pivot = integerAt(head, least);
    unlink(pivot);
    const itsElements = integerAt(elements, pivot);
    let size = integerAt(weight, pivot);
    eliminated += size;
    if (itsElements > 0 && free + least >= room) free = compress(n, free);

    // The new element: the variables of the pivot and of its elements, which it absorbs.
    setInteger(weight, pivot, -size);
    const from = itsElements == 0 ? integerAt(begin, pivot) : free;
    let to = from;
    let external = 0;
    let place = integerAt(begin, pivot);
    for (let k = 0; k <= itsElements; k++) {
      let source = pivot;
      let p = place;
      let end = place;
      if (k == itsElements) {
        end += integerAt(length, pivot) - itsElements;
      } else {
        source = integerAt(list, place++);
        p = integerAt(begin, source);
        end = p + integerAt(length, source);
      }
      for (; p < end; p++) {
        const i = integerAt(list, p);
        const share = integerAt(weight, i);
        if (share <= 0) continue;
        external += share;
        setInteger(weight, i, -share);
        setInteger(list, to++, i);
        unlink(i);
      }
      if (source != pivot) bury(source);
    }
    if (itsElements != 0) free = to;
    setInteger(begin, pivot, from);
    setInteger(length, pivot, to - from);
    setInteger(elements, pivot, ELEMENT);
    setInteger(degree, pivot, external);

    // What each other element has outside the new one: its stamp less the current.
    stamp = renewed(n, stamp);
    for (let k = from; k < to; k++) {
      const i = integerAt(list, k);
      const share = -integerAt(weight, i);
      const end = integerAt(begin, i) + integerAt(elements, i);
      for (let p = integerAt(begin, i); p < end; p++) {
        const e = integerAt(list, p);
        const seen = integerAt(stampOf, e);
        if (seen >= stamp) setInteger(stampOf, e, seen - share);
        else if (seen != 0) setInteger(stampOf, e, integerAt(degree, e) + stamp - share);
      }
    }

    // New lists and degrees of its variables.
    for (let k = from; k < to; k++) {
      const i = integerAt(list, k);
      const first = integerAt(begin, i);
      const middle = first + integerAt(elements, i);
      const end = first + integerAt(length, i);
      let put = first;
      let sum = 0;
      let hash: u32 = 0;
      for (let p = first; p < middle; p++) {
        const e = integerAt(list, p);
        const seen = integerAt(stampOf, e);
        if (seen == 0) continue;
        if (seen - stamp > 0) {
          sum += seen - stamp;
          setInteger(list, put++, e);
          hash += e;
        } else {
          bury(e);
        }
      }
      const kept = put;
      for (let p = middle; p < end; p++) {
        const j = integerAt(list, p);
        const share = integerAt(weight, j);
        if (share <= 0) continue;
        sum += share;
        setInteger(list, put++, j);
        hash += j;
      }
      if (sum == 0) {
        // Nothing but the new element: eliminated with it.
        const share = -integerAt(weight, i);
        external -= share;
        size += share;
        eliminated += share;
        absorb(i, pivot);
        continue;
      }
      setInteger(degree, i, min(integerAt(degree, i), sum));
      // The new element goes first.
      setInteger(list, put, integerAt(list, kept));
      setInteger(list, kept, integerAt(list, first));
      setInteger(list, first, pivot);
      setInteger(elements, i, kept - first + 1);
      setInteger(length, i, put - first + 1);
      hash %= <u32>n;
      setInteger(next, i, integerAt(bucket, hash));
      setInteger(bucket, hash, i);
      setInteger(last, i, hash);
    }
    setInteger(degree, pivot, external);
    widest = max(widest, external);
    stamp = renewed(n, stamp + widest);

    for (let k = from; k < to; k++) {
      const i = integerAt(list, k);
      if (integerAt(weight, i) >= 0) continue;
      const hash = integerAt(last, i);
      stamp = mergeAlike(integerAt(bucket, hash), stamp);
      setInteger(bucket, hash, -1);
    }

    let put = from;
    for (let k = from; k < to; k++) {
      const i = integerAt(list, k);
      const share = -integerAt(weight, i);
      if (share <= 0) continue;
      setInteger(weight, i, share);
      const bound = min(integerAt(degree, i) + external - share, n - eliminated - share);
      setInteger(degree, i, bound);
      link(i, bound);
      least = min(least, bound);
      setInteger(list, put++, i);
    }
    setInteger(weight, pivot, size);
    setInteger(length, pivot, put - from);
    if (put == from) bury(pivot);
    if (itsElements != 0) free = put;
    for (let i = pivot; i >= 0; i = integerAt(chain, i)) setInteger(order, ordered++, i);
  }
}

/** Into the list of variables of this degree. */
function link(i: i32, count: i32): void {
  const before = integerAt(head, count);
  setInteger(next, i, before);
  setInteger(last, i, -1);
  if (before >= 0) setInteger(last, before, i);
  setInteger(head, count, i);
}

/** Out of it. */
function unlink(i: i32): void {
  const after = integerAt(next, i);
  const before = integerAt(last, i);
  if (after >= 0) setInteger(last, after, before);
  if (before >= 0) setInteger(next, before, after);
  else setInteger(head, integerAt(degree, i), after);
}

/** An element that another has taken up. */
function bury(e: i32): void {
  setInteger(begin, e, -1);
  setInteger(stampOf, e, 0);
}

/** Variable i is eliminated together with j. */
function absorb(i: i32, j: i32): void {
  setInteger(weight, i, 0);
  setInteger(elements, i, DEAD);
  setInteger(begin, i, -1);
  setInteger(chain, integerAt(chainEnd, j), i);
  setInteger(chainEnd, j, integerAt(chainEnd, i));
}

/** Joins the variables of a hash bucket whose lists hold the same; returns a stamp that is still unused. */
function mergeAlike(i: i32, stamp: i32): i32 {
  for (; i >= 0 && integerAt(next, i) >= 0; i = integerAt(next, i)) {
    const first = integerAt(begin, i) + 1;
    const count = integerAt(length, i);
    for (let p = first; p < first + count - 1; p++) setInteger(stampOf, integerAt(list, p), stamp);
    let before = i;
    let j = integerAt(next, i);
    while (j >= 0) {
      let same = integerAt(length, j) == count && integerAt(elements, j) == integerAt(elements, i);
      const stop = integerAt(begin, j) + count;
      for (let p = integerAt(begin, j) + 1; same && p < stop; p++) {
        same = integerAt(stampOf, integerAt(list, p)) == stamp;
      }
      const after = integerAt(next, j);
      if (same) {
        setInteger(weight, i, integerAt(weight, i) + integerAt(weight, j));
        absorb(j, i);
        setInteger(next, before, after);
      } else {
        before = j;
      }
      j = after;
    }
    stamp++;
  }
  return stamp;
}

/** A stamp larger than all, with room above it. */
function renewed(n: i32, stamp: i32): i32 {
  if (stamp < i32.MAX_VALUE - 2 * n - 2) return stamp;
  for (let i = 0; i < n; i++) if (integerAt(stampOf, i) != 0) setInteger(stampOf, i, 1);
  return 2;
}

/** Moves the lists that are still in use together; returns where the free room begins. */
function compress(n: i32, used: i32): i32 {
  // The first of each list gives its place to the mark of its owner.
  for (let i = 0; i < n; i++) {
    const place = integerAt(begin, i);
    const alive = integerAt(elements, i) != DEAD;
    if (!alive || place < 0 || integerAt(length, i) == 0) continue;
    setInteger(begin, i, integerAt(list, place));
    setInteger(list, place, -1 - i);
  }
  let put = 0;
  for (let p = 0; p < used; ) {
    const owner = -1 - integerAt(list, p);
    if (owner < 0) {
      p++;
      continue;
    }
    const end = p + integerAt(length, owner);
    setInteger(list, put, integerAt(begin, owner));
    setInteger(begin, owner, put);
    put++;
    for (p++; p < end; p++) setInteger(list, put++, integerAt(list, p));
  }
  return put;
}
