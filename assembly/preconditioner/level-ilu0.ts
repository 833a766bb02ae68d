// Incomplete LU factors without fill (Saad 2003, section 10.3.2), solved by levels (section 11.6): row i comes in a
// level after those of all rows before it that it shares an entry with, so that the rows of one level do not wait
// for each other. Taken level by level, they are in slices (`operator/sliced.ts`), sorted by their numbers of
// entries; these are the factors of the matrix in its own order of unknowns, but for rounding.
//
// `order` has the row in each place. L (unit diagonal) and U (strictly upper, its pivots inverted in a vector of
// their own) each have their slices, over the same places, and their columns are places, too.

import { DIA, Operator } from '../operator/operator';
import { gather, RUN, scatter, sliceStarts, slotsToNext } from '../operator/sliced';
import { nmadd } from '../vector/simd';

/** Twice the slot that no entry has. */
const NONE: u32 = 0xfffffffe;

@unmanaged
class Ilu0 {
  n: i32;
  lowerCount: i32;
  upperCount: i32;
  upperEntries: i32;
  order: usize;
  lowerRuns: usize;
  lowerIndices: usize;
  lower: usize;
  upperRuns: usize;
  upperIndices: usize;
  upper: usize;
  inverse: usize;
  /** For each entry l_ik of L what elimination with it changes in row i, see `findMates`. */
  mates: usize;
  /** Solving: z by places. */
  vector: usize;
  /** Factoring: three tables of n i32. */
  scratch: usize;
}

export function ilu0Size(): usize {
  return offsetof<Ilu0>();
}

/**
 * Takes the pattern; `lower` and `upper` have a slot for each entry (f64), `mates` for each of L (i32), `inverse`
 * and `vector` have n f64, `scratch` 3 n i32, which only `ilu0Update` needs from then on.
 */
export function ilu0Init(
  ilu0: usize,
  n: i32,
  order: usize,
  lowerRuns: usize,
  lowerCount: i32,
  lowerIndices: usize,
  lower: usize,
  upperRuns: usize,
  upperCount: i32,
  upperIndices: usize,
  upper: usize,
  inverse: usize,
  mates: usize,
  vector: usize,
  scratch: usize,
): void {
  const it = changetype<Ilu0>(ilu0);
  it.n = n;
  it.order = order;
  it.lowerRuns = lowerRuns;
  it.lowerCount = lowerCount;
  it.lowerIndices = lowerIndices;
  it.lower = lower;
  it.upperRuns = upperRuns;
  it.upperCount = upperCount;
  it.upperEntries = 0;
  for (let run = upperRuns, end = run + <usize>upperCount * RUN; run < end; run += RUN) {
    it.upperEntries += load<i32>(run) * (4 * load<i32>(run, 4) + load<i32>(run, 8));
  }
  it.upperIndices = upperIndices;
  it.upper = upper;
  it.inverse = inverse;
  it.mates = mates;
  it.vector = vector;
  it.scratch = scratch;
  tabulateUpper(it);
  memory.fill(scratch, 0, <usize>n << 2);
  findMates(it);
}

/** First slots and lengths of the rows of U, into the last two tables of the scratch. */
function tabulateUpper(it: Ilu0): void {
  const bytes = <usize>it.n << 2;
  sliceStarts(it.upperRuns, it.upperCount, 0, it.scratch + bytes, it.scratch + 2 * bytes);
}

/**
 * Factors the matrix of an operator, by diagonals or in slices, that has the pattern and a diagonal without gaps.
 * Returns -1, or the first row in the order of the levels whose pivot is zero or not finite.
 */
export function ilu0Update(ilu0: usize, operator: usize): i32 {
  const it = changetype<Ilu0>(ilu0);
  const A = changetype<Operator>(operator);
  tabulateUpper(it);
  // All values first: the rows of A are far apart, but do not wait for each other.
  if (A.kind != DIA) sliceStarts(A.pattern, A.count, A.order, it.scratch, 0);
  takeValues(it, A);
  memory.fill(it.scratch, 0, <usize>it.n << 2);
  return factor(it);
}

/** mates[slot of l_ik] <- twice the slot of u_ki, plus one where row k of U has more columns of row i. */
function findMates(it: Ilu0): void {
  throughRows(MATES, it, changetype<Operator>(0));
}

/** The values of A, into the slots of the factors. */
function takeValues(it: Ilu0, A: Operator): void {
  throughRows(VALUES, it, A);
}

/** Turns the values into the factors. Returns as `ilu0Update`. */
function factor(it: Ilu0): i32 {
  return throughRows(FACTORS, it, changetype<Operator>(0));
}

const MATES: i32 = 0;
const VALUES: i32 = 1;
const FACTORS: i32 = 2;

/** The loop of the three, compiled once for each. */
// @ts-ignore: decorator
@inline
function throughRows(what: i32, it: Ilu0, A: Operator): i32 {
  let slot: usize = 0;
  let p: usize = 0;
  for (let run = it.lowerRuns, end = run + <usize>it.lowerCount * RUN; run < end; run += RUN) {
    const length = <usize>load<u32>(run);
    const single = p + (<usize>load<u32>(run, 4) << 2);
    for (const stop = single + <usize>load<u32>(run, 8); p < stop; p++) {
      const step: usize = p < single ? 16 : 4;
      if (what == MATES) findMatesOfRow(it, p, slot, step, length);
      else if (what == VALUES) takeRow(it, A, p, slot, step, length);
      else if (!factorRow(it, p, slot, step, length)) return load<i32>(it.order + (p << 2));
      slot += slotsToNext(p < single ? single - p : 0, length);
    }
  }
  return -1;
}

/**
 * Takes the values of the row in place p, whose part of L has `length` entries from `slot` on, `step` bytes from
 * index to index.
 */
function takeRow(it: Ilu0, A: Operator, p: usize, slot: usize, step: usize, length: usize): void {
  const bytes = <usize>it.n << 2;
  const starts = it.scratch + bytes;
  const row = load<u32>(it.order + (p << 2));
  const lower = it.lower + (slot << 3);
  const lowerEnd = lower + ((length * step) << 1);
  const start = <usize>load<u32>(starts + (p << 2));
  const upper = it.upper + ((start >> 1) << 3);
  const upperStep: usize = start & 1 ? 16 : 4;
  const upperEnd = upper + ((<usize>load<u32>(starts + bytes + (p << 2)) * upperStep) << 1);
  const pivot = it.inverse + (p << 3);
  if (A.kind == DIA) {
    const values = A.data + (<usize>(row >> 3) * <usize>(A.count << 6) + (<usize>(row & 7) << 3));
    let d = A.pattern;
    d = takeDiagonals(it, d, values, row, it.lowerIndices + (slot << 2), step, lower, lowerEnd);
    while (load<i32>(d) != 0) d += 4;
    const at = d - A.pattern;
    store<f64>(pivot, load<f64>(values + (at << 4)));
    const indices = it.upperIndices + ((start >> 1) << 2);
    takeDiagonals(it, d, values + (at << 4), row, indices, upperStep, upper, upperEnd);
  } else {
    const first = load<u32>(it.scratch + (<usize>row << 2));
    const gap: usize = first & 1 ? 32 : 8;
    let source = A.data + (<usize>(first >> 1) << 3);
    for (let to = lower; to < lowerEnd; to += step << 1, source += gap) store<f64>(to, load<f64>(source));
    store<f64>(pivot, load<f64>(source));
    source += gap;
    for (let to = upper; to < upperEnd; to += upperStep << 1, source += gap) store<f64>(to, load<f64>(source));
  }
}

/**
 * Copies entries of a row from among the diagonals; `offsets` and `values` are where to begin in the row. Returns
 * where in the offsets it stopped.
 */
// @ts-ignore: decorator
@inline
function takeDiagonals(
  it: Ilu0,
  offsets: usize,
  values: usize,
  row: i32,
  indices: usize,
  step: usize,
  to: usize,
  end: usize,
): usize {
  for (; to < end; to += step << 1, indices += step) {
    const offset = load<i32>(it.order + (<usize>load<u32>(indices) << 2)) - row;
    for (; load<i32>(offsets) != offset; offsets += 4) values += 64;
    store<f64>(to, load<f64>(values));
  }
  return offsets;
}

/** As `takeRow`. */
function findMatesOfRow(it: Ilu0, p: usize, slot: usize, step: usize, length: usize): void {
  const places = it.scratch;
  const starts = places + (<usize>it.n << 2);
  const lengths = starts + (<usize>it.n << 2);
  // The columns of the row are those marked with its own number, plus one.
  const mark = <u32>p + 1;
  const lower = it.lowerIndices + (slot << 2);
  const lowerEnd = lower + length * step;
  for (let i = lower; i < lowerEnd; i += step) store<u32>(places + (<usize>load<u32>(i) << 2), mark);
  const start = <usize>load<u32>(starts + (p << 2));
  const upperStep: usize = start & 1 ? 16 : 4;
  let upper = it.upperIndices + ((start >> 1) << 2);
  for (const end = upper + <usize>load<u32>(lengths + (p << 2)) * upperStep; upper < end; upper += upperStep) {
    store<u32>(places + (<usize>load<u32>(upper) << 2), mark);
  }
  let mates = it.mates + (slot << 2);
  for (let i = lower; i < lowerEnd; i += step, mates += step) {
    const k = <usize>load<u32>(i) << 2;
    const first = <usize>load<u32>(starts + k);
    const gap: usize = first & 1 ? 16 : 4;
    let mate = NONE;
    let others: u32 = 0;
    let other = it.upperIndices + ((first >> 1) << 2);
    for (const end = other + <usize>load<u32>(lengths + k) * gap; other < end; other += gap) {
      const column = <usize>load<u32>(other);
      if (column == p) mate = <u32>((other - it.upperIndices) >> 2) << 1;
      else if (load<u32>(places + (column << 2)) == mark) others = 1;
    }
    store<u32>(mates, mate | others);
  }
}

/** As `takeRow`: l_ik = a_ik / u_kk; a_ij -= l_ik u_kj for the j > k that row i has. False without a pivot. */
function factorRow(it: Ilu0, p: usize, slot: usize, step: usize, length: usize): bool {
  const indices = it.lowerIndices + (slot << 2);
  const end = indices + length * step;
  let marked = false;
  let pivot = load<f64>(it.inverse + (p << 3));
  let mates = it.mates + (slot << 2);
  let value = it.lower + (slot << 3);
  for (let i = indices; i < end; i += step, mates += step, value += step << 1) {
    const k = <usize>load<u32>(i);
    const factor = load<f64>(value) * load<f64>(it.inverse + (k << 3));
    store<f64>(value, factor);
    const mate = load<u32>(mates);
    if (mate < NONE) pivot -= factor * load<f64>(it.upper + (<usize>(mate >> 1) << 3));
    if (mate & 1) {
      if (!marked) markRow(it, p, slot, step, length, ~0);
      marked = true;
      eliminate(it, k, factor);
    }
  }
  if (marked) markRow(it, p, slot, step, length, 0);
  const inverse = 1 / pivot;
  store<f64>(it.inverse + (p << 3), inverse);
  return isFinite(inverse) && inverse != 0;
}

/** Subtracts `factor` times row k of U from the marked row, but for its pivot. */
function eliminate(it: Ilu0, k: usize, factor: f64): void {
  const places = it.scratch;
  const starts = places + (<usize>it.n << 2);
  const lengths = starts + (<usize>it.n << 2);
  const first = <usize>load<u32>(starts + (k << 2));
  const gap: usize = first & 1 ? 16 : 4;
  let index = it.upperIndices + ((first >> 1) << 2);
  let value = it.upper + ((first >> 1) << 3);
  for (const end = index + <usize>load<u32>(lengths + (k << 2)) * gap; index < end; index += gap) {
    const target = <usize>load<u32>(places + (<usize>load<u32>(index) << 2));
    if (target) store<f64>(target, load<f64>(target) - factor * load<f64>(value));
    value += gap << 1;
  }
}

/** The address of each value of a row goes to its column in the table of places, or 0 with a mask of 0. */
function markRow(it: Ilu0, p: usize, slot: usize, step: usize, length: usize, mask: u32): void {
  const places = it.scratch;
  const starts = places + (<usize>it.n << 2);
  const lengths = starts + (<usize>it.n << 2);
  const lower = it.lowerIndices + (slot << 2);
  mark(places, lower, lower + length * step, step, it.lower + (slot << 3), mask);
  const start = <usize>load<u32>(starts + (p << 2));
  const gap: usize = start & 1 ? 16 : 4;
  const upper = it.upperIndices + ((start >> 1) << 2);
  const end = upper + <usize>load<u32>(lengths + (p << 2)) * gap;
  mark(places, upper, end, gap, it.upper + ((start >> 1) << 3), mask);
}

/** places[column] <- address of the column's value, or 0 with a mask of 0. */
// @ts-ignore: decorator
@inline
function mark(places: usize, indices: usize, end: usize, step: usize, values: usize, mask: u32): void {
  for (; indices < end; indices += step, values += step << 1) {
    store<u32>(places + (<usize>load<u32>(indices) << 2), <u32>values & mask);
  }
}

/** z <- U^-1 L^-1 r. r and z may be the same. */
export function ilu0Apply(ilu0: usize, r: usize, z: usize): void {
  const it = changetype<Ilu0>(ilu0);
  forward(it.lowerRuns, it.lowerCount, it.order, it.lowerIndices, it.lower, r, it.vector);
  const n = <usize>it.n;
  const entries = <usize>it.upperEntries;
  backward(
    it.upperRuns,
    it.upperRuns + <usize>it.upperCount * RUN,
    it.order + (n << 2),
    it.upperIndices + (entries << 2),
    it.upper + (entries << 3),
    it.inverse + (n << 3),
    it.vector + (n << 3),
    it.vector,
    z,
  );
}

/** s <- L^-1 r, s by places. */
function forward(
  runs: usize,
  count: i32,
  order: usize,
  indices: usize,
  data: usize,
  r: usize,
  s: usize,
): void {
  let to = s;
  for (const end = runs + <usize>count * RUN; runs < end; runs += RUN) {
    const bytes = <usize>load<i32>(runs) << 3;
    for (const stop = to + (<usize>load<i32>(runs, 4) << 5); to < stop; to += 32, order += 16) {
      const behind = data + (bytes << 2);
      if (ASC_FEATURE_SIMD) {
        let a = gather(r, order);
        let b = gather(r, order + 8);
        for (; data < behind; data += 32, indices += 16) {
          a = nmadd(v128.load(data), gather(s, indices), a);
          b = nmadd(v128.load(data, 16), gather(s, indices + 8), b);
        }
        v128.store(to, a);
        v128.store(to, b, 16);
      } else {
        for (let lane: usize = 0; lane < 4; lane++) {
          let sum = load<f64>(r + (<usize>load<u32>(order + (lane << 2)) << 3));
          let index = indices + (lane << 2);
          for (let value = data + (lane << 3); value < behind; value += 32, index += 16) {
            sum -= load<f64>(value) * load<f64>(s + (<usize>load<u32>(index) << 3));
          }
          store<f64>(to + (lane << 3), sum);
        }
        data = behind;
        indices += bytes << 1;
      }
    }
    for (const stop = to + (<usize>load<i32>(runs, 8) << 3); to < stop; to += 8, order += 4) {
      let sum = load<f64>(r + (<usize>load<u32>(order) << 3));
      for (const behind = data + bytes; data < behind; data += 8, indices += 4) {
        sum -= load<f64>(data) * load<f64>(s + (<usize>load<u32>(indices) << 3));
      }
      store<f64>(to, sum);
    }
  }
}

/** s <- U^-1 s, and z the same by rows. All arrays are given by their ends, but s and z. */
function backward(
  firstRun: usize,
  run: usize,
  order: usize,
  indices: usize,
  data: usize,
  inverse: usize,
  to: usize,
  s: usize,
  z: usize,
): void {
  while (run > firstRun) {
    run -= RUN;
    const bytes = <usize>load<i32>(run) << 3;
    for (const stop = to - (<usize>load<i32>(run, 8) << 3); to > stop; ) {
      to -= 8;
      order -= 4;
      inverse -= 8;
      let sum = load<f64>(to);
      // From the far end, so that the neighbour that was just computed is waited for last.
      for (const behind = data - bytes; data > behind; ) {
        data -= 8;
        indices -= 4;
        sum -= load<f64>(data) * load<f64>(s + (<usize>load<u32>(indices) << 3));
      }
      sum *= load<f64>(inverse);
      store<f64>(to, sum);
      store<f64>(z + (<usize>load<u32>(order) << 3), sum);
    }
    for (const stop = to - (<usize>load<i32>(run, 4) << 5); to > stop; ) {
      to -= 32;
      order -= 16;
      inverse -= 32;
      const behind = data - (bytes << 2);
      if (ASC_FEATURE_SIMD) {
        let a = v128.load(to);
        let b = v128.load(to, 16);
        while (data > behind) {
          data -= 32;
          indices -= 16;
          a = nmadd(v128.load(data), gather(s, indices), a);
          b = nmadd(v128.load(data, 16), gather(s, indices + 8), b);
        }
        a = f64x2.mul(a, v128.load(inverse));
        b = f64x2.mul(b, v128.load(inverse, 16));
        v128.store(to, a);
        v128.store(to, b, 16);
        scatter(a, order, z);
        scatter(b, order + 8, z);
      } else {
        for (let lane: usize = 0; lane < 4; lane++) {
          let sum = load<f64>(to + (lane << 3));
          let index = indices + (lane << 2);
          for (let value = data + (lane << 3); value > behind + (lane << 3); ) {
            value -= 32;
            index -= 16;
            sum -= load<f64>(value) * load<f64>(s + (<usize>load<u32>(index) << 3));
          }
          sum *= load<f64>(inverse + (lane << 3));
          store<f64>(to + (lane << 3), sum);
          store<f64>(z + (<usize>load<u32>(order + (lane << 2)) << 3), sum);
        }
        data = behind;
        indices -= bytes << 1;
      }
    }
  }
}
