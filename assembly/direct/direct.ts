// A direct solver for one pattern: ordering and analysis are made once, numbers as often as wanted.
//
// Three ways to factor. Symmetric values with a positive diagonal: L D L' by fronts. A pattern that is nearly
// symmetric: LU by fronts, pivots on the diagonal. Where one of those is refused by the threshold, and for all other
// patterns: LU by columns with exchanges of rows. Rows are scaled by powers of two before LU, each to a largest entry
// between 1 and 2.

import { allocate, release } from '../memory/arena';
import { maxAbs } from '../vector/vector';
import { integerAt, integers, numberAt, setInteger, setNumber } from './access';
import {
  Columns,
  FACTORED,
  factorColumns,
  makeColumns,
  NO_MEMORY,
  refactorColumns,
  releaseColumns,
} from './columns';
import { degreeRoom, degreeWork, minimumDegree } from './degree';
import { dissectionWork, nestedDissection } from './dissection';
import { Fronts, makeFronts, releaseFronts } from './fronts';
import { factorFronts } from './multifrontal';
import { byColumns, symmetrized } from './pattern';
import { spareColumn, transversalWork } from './transversal';
import { postorder } from './tree';

/** What `directFactor` returns. */
const DONE: i32 = 0;
const SINGULAR: i32 = 1;
const OUT_OF_MEMORY: i32 = 2;
const NOT_FINITE: i32 = 3;

/** How to order. */
const AUTO: i32 = 0;
const DEGREE: i32 = 1;
const DISSECTION: i32 = 2;
const AS_IT_IS: i32 = 3;

/** What factors to make: the best, LU, or L D L' also with negative pivots. */
const LU_ONLY: i32 = 1;
const LDL: i32 = 2;

/** What factors there are. */
export const NONE: i32 = 0;
export const LU_FRONTS: i32 = 1;
export const LDL_FRONTS: i32 = 2;
export const LU_COLUMNS: i32 = 3;

/** Operations a row from which a second ordering is tried, and the share of them that it must do with. */
const WORTH_DISSECTION: f64 = 6000;
const WORTH_CHANGE: f64 = 0.9;

/** Fronts make a pattern symmetric; where that adds more than this share, columns are used. */
const MOST_ADDED: f64 = 0.5;

@unmanaged
export class Direct {
  n: i32;
  /** The matrix; its values are those last factored. */
  indptr: usize;
  indices: usize;
  data: usize;
  /** What was asked for. */
  kind: i32;
  threshold: f64;
  /** What was taken. */
  ordering: i32;
  form: i32;
  /** The column without a pivot, where the matrix is singular; else -1. */
  singular: i32;
  /** A column that makes every matrix of this pattern singular; else -1. */
  spare: i32;
  /** The last factors were made without a new analysis. */
  reused: bool;
  /** The pattern is symmetric; near enough for fronts; and fronts have not failed. */
  symmetric: bool;
  frontal: bool;
  definite: bool;
  /** order[k]: what is eliminated as number k; its inverse, and the tree. */
  order: usize;
  place: usize;
  parent: usize;
  counts: usize;
  /** The pattern of A + A' without diagonal. */
  start: usize;
  list: usize;
  /** Factors of the rows, and the values times these. */
  scale: usize;
  scaled: usize;
  /** Scratch of the solves: 4 n f64 each, then three vectors. */
  y: usize;
  gather: usize;
  r: usize;
  w: usize;
  kept: usize;
  /** The largest componentwise backward error of the last refined solution. */
  backwardError: f64;
  fronts: usize;
  columns: usize;
  plan: usize;
  graph: usize;
}

export function directSize(): usize {
  return offsetof<Direct>();
}

/**
 * Orders and analyses a pattern of ascending columns. `ordering`: 0 the one that suits it, 1 minimum degree,
 * 2 nested dissection, 3 as it is. `kind`: 0 what suits the values, 1 LU, 2 L D L' where the values are symmetric.
 * Returns 0, or 2 when there is no memory; `directRelease` gives back what there is in either case.
 */
export function directInit(
  direct: usize,
  n: i32,
  indptr: usize,
  indices: usize,
  ordering: i32,
  kind: i32,
  threshold: f64,
): i32 {
  const it = changetype<Direct>(direct);
  memory.fill(direct, 0, offsetof<Direct>());
  const nnz = integerAt(indptr, n);
  it.n = n;
  it.indptr = indptr;
  it.indices = indices;
  it.kind = kind;
  it.threshold = threshold;
  it.singular = -1;
  it.definite = true;
  const vector = <usize>n << 3;
  it.plan = allocate(12 * vector + (<usize>nnz << 3) + 4 * integers(n));
  it.graph = allocate(integers(n + 1) + 2 * integers(nnz));
  if (!it.plan || !it.graph) return OUT_OF_MEMORY;
  it.scale = it.plan;
  it.y = it.scale + vector;
  it.gather = it.y + 4 * vector;
  it.r = it.gather + 4 * vector;
  it.w = it.r + vector;
  it.kept = it.w + vector;
  it.scaled = it.kept + vector;
  it.order = it.scaled + (<usize>nnz << 3);
  it.place = it.order + integers(n);
  it.parent = it.place + integers(n);
  it.counts = it.parent + integers(n);
  it.start = it.graph;
  it.list = it.graph + integers(n + 1);

  const transposed = allocate(integers(n + 1) + integers(nnz));
  if (!transposed) return OUT_OF_MEMORY;
  const rows = transposed + integers(n + 1);
  byColumns(n, indptr, indices, transposed, rows, 0);
  const entries = symmetrized(n, indptr, indices, transposed, rows, it.start, it.list);
  release(transposed);
  let diagonal = 0;
  for (let i = 0; i < n; i++) {
    for (let p = integerAt(indptr, i); p < integerAt(indptr, i + 1); p++) {
      diagonal += i32(integerAt(indices, p) == i);
    }
  }
  it.symmetric = entries == nnz - diagonal;
  it.frontal = diagonal == n && <f64>entries <= (1 + MOST_ADDED) * <f64>(nnz - diagonal);
  it.spare = -1;
  if (diagonal < n) {
    const work = allocate(transversalWork(n));
    if (!work) return OUT_OF_MEMORY;
    it.spare = spareColumn(n, indptr, indices, work);
    release(work);
    // There will be no factors.
    if (it.spare >= 0) ordering = AS_IT_IS;
  }
  return analyse(it, ordering, entries) ? DONE : OUT_OF_MEMORY;
}

/** Orders, and finds the tree and the counts. */
function analyse(it: Direct, ordering: i32, entries: i32): bool {
  const n = it.n;
  if (!arrange(it, ordering == AUTO ? DEGREE : ordering, entries)) return false;
  if (ordering != AUTO || workOf(it) < WORTH_DISSECTION * <f64>n) return true;
  // A second ordering takes no longer than a small part of the factorisation.
  const first = allocate(integers(n));
  if (!first) return false;
  memory.copy(first, it.order, <usize>n << 2);
  const work = workOf(it);
  let done = arrange(it, DISSECTION, entries);
  if (done && workOf(it) > WORTH_CHANGE * work) {
    memory.copy(it.order, first, <usize>n << 2);
    it.ordering = DEGREE;
    done = grow(it);
  }
  release(first);
  return done;
}

/** Fills `order`, and all that follows from it. */
function arrange(it: Direct, ordering: i32, entries: i32): bool {
  const n = it.n;
  it.ordering = ordering;
  if (ordering == DEGREE) {
    const room = degreeRoom(n, entries);
    const list = allocate(integers(room) + degreeWork(n));
    if (!list) return false;
    memory.copy(list, it.list, <usize>entries << 2);
    minimumDegree(n, it.start, list, room, it.order, list + integers(room));
    release(list);
  } else if (ordering == DISSECTION) {
    const work = allocate(dissectionWork(n, entries));
    if (!work) return false;
    nestedDissection(n, it.start, it.list, it.order, work);
    release(work);
  } else {
    for (let k = 0; k < n; k++) setInteger(it.order, k, k);
  }
  return grow(it);
}

/** The tree of `order`, which is brought into its postorder. */
function grow(it: Direct): bool {
  const work = allocate(3 * integers(it.n));
  if (!work) return false;
  postorder(it.n, it.start, it.list, it.order, it.place, it.parent, it.counts, work);
  release(work);
  return true;
}

/** Multiplications of an L D L' factorisation, twice. */
function workOf(it: Direct): f64 {
  let sum: f64 = 0;
  for (let k = 0; k < it.n; k++) sum += <f64>integerAt(it.counts, k) * <f64>integerAt(it.counts, k);
  return sum;
}

/** Gives back all but the record. */
export function directRelease(direct: usize): void {
  const it = changetype<Direct>(direct);
  releaseFronts(it.fronts);
  releaseColumns(it.columns);
  release(it.plan);
  release(it.graph);
  memory.fill(direct, 0, offsetof<Direct>());
}

/**
 * Factors; `data` stays where it is, for residuals. Returns 0, 1 where the matrix is singular (`directColumn` says
 * where), 2 when there is no memory, 3 where a value is not finite.
 */
export function directFactor(direct: usize, data: usize): i32 {
  const it = changetype<Direct>(direct);
  it.data = data;
  it.form = NONE;
  it.singular = -1;
  it.reused = true;
  if (!isFinite(maxAbs(integerAt(it.indptr, it.n), data))) return NOT_FINITE;
  it.singular = it.spare;
  if (it.spare >= 0) return SINGULAR;
  if (it.frontal && it.symmetric && it.definite && it.kind != LU_ONLY && isSymmetric(it)) {
    unscaled(it);
    if (!provideFronts(it, true)) return OUT_OF_MEMORY;
    if (factorFronts(it.fronts, data, it.kind == LDL, onDiagonal(it)) < 0) {
      it.form = LDL_FRONTS;
      return DONE;
    }
    it.definite = false;
  }
  equilibrate(it);
  if (it.frontal) {
    if (!provideFronts(it, false)) return OUT_OF_MEMORY;
    if (factorFronts(it.fronts, it.scaled, false, onDiagonal(it)) < 0) {
      it.form = LU_FRONTS;
      return DONE;
    }
    it.frontal = false;
    dropFronts(it);
  }
  return factorByColumns(it);
}

/**
 * The threshold of fronts, whose only choice is to be given up: much lower than where rows can be exchanged (0.001 for
 * 0.1), and refinement mends it; partial pivoting stays what it is.
 */
function onDiagonal(it: Direct): f64 {
  return it.threshold * it.threshold * it.threshold;
}

function factorByColumns(it: Direct): i32 {
  if (!it.columns) {
    it.columns = makeColumns(it.n, it.indptr, it.indices, it.order);
    if (!it.columns) return OUT_OF_MEMORY;
  }
  let result = NO_MEMORY;
  const known = changetype<Columns>(it.columns).analysed;
  if (known) result = refactorColumns(it.columns, it.scaled, it.threshold);
  if (result != FACTORED) {
    it.reused = false;
    result = factorColumns(it.columns, it.scaled, it.threshold);
  }
  if (result == NO_MEMORY) return OUT_OF_MEMORY;
  if (result != FACTORED) {
    it.singular = integerAt(it.order, result);
    return SINGULAR;
  }
  it.form = LU_COLUMNS;
  return DONE;
}

/** Fronts of this kind, from now on. */
function provideFronts(it: Direct, symmetric: bool): bool {
  if (it.fronts && changetype<Fronts>(it.fronts).symmetric == symmetric) return true;
  dropFronts(it);
  it.reused = false;
  it.fronts = makeFronts(
    it.n,
    it.indptr,
    it.indices,
    it.start,
    it.list,
    it.order,
    it.place,
    it.parent,
    it.counts,
    symmetric,
  );
  return it.fronts != 0;
}

function dropFronts(it: Direct): void {
  releaseFronts(it.fronts);
  it.fronts = 0;
}

/** Whether a_ij = a_ji for all, with a diagonal that suits the kind asked for. The pattern is symmetric. */
function isSymmetric(it: Direct): bool {
  const n = it.n;
  // Row j's entries beyond its diagonal are met in ascending order, as i ascends. `place` is needed later, y is not.
  const cursor = it.y;
  for (let i = 0; i < n; i++) {
    const end = integerAt(it.indptr, i + 1);
    let p = integerAt(it.indptr, i);
    for (; integerAt(it.indices, p) < i; p++) {
      const j = integerAt(it.indices, p);
      const mirror = integerAt(cursor, j);
      if (numberAt(it.data, p) != numberAt(it.data, mirror)) return false;
      setInteger(cursor, j, mirror + 1);
    }
    if (p < end && it.kind != LDL && !(numberAt(it.data, p) > 0)) return false;
    setInteger(cursor, i, p + 1);
  }
  return true;
}

function unscaled(it: Direct): void {
  for (let i = 0; i < it.n; i++) setNumber(it.scale, i, 1);
}

/** Powers of two that bring the largest entry of each row to between 1 and 2. */
function equilibrate(it: Direct): void {
  for (let i = 0; i < it.n; i++) {
    const begin = integerAt(it.indptr, i);
    const end = integerAt(it.indptr, i + 1);
    const exponent = <i64>(reinterpret<u64>(maxAbs(end - begin, it.data + (<usize>begin << 3))) >> 52);
    const factor = reinterpret<f64>(<u64>min(max(2046 - exponent, 1), 2046) << 52);
    setNumber(it.scale, i, factor);
    for (let p = begin; p < end; p++) setNumber(it.scaled, p, numberAt(it.data, p) * factor);
  }
}

/** 0: none, 1 and 3: LU by fronts and by columns, 2: L D L' by fronts. */
export function directForm(direct: usize): i32 {
  return changetype<Direct>(direct).form;
}

/** The ordering that was taken: 1 minimum degree, 2 nested dissection, 3 as it is. */
export function directOrdering(direct: usize): i32 {
  return changetype<Direct>(direct).ordering;
}

/** i32 array of n: what is eliminated when. */
export function directOrder(direct: usize): usize {
  return changetype<Direct>(direct).order;
}

/** The column without a pivot; -1 where none lacks one. */
export function directColumn(direct: usize): i32 {
  return changetype<Direct>(direct).singular;
}

export function directReused(direct: usize): bool {
  return changetype<Direct>(direct).reused;
}

/** Entries of the factors as they are stored, both diagonals counted once: of L and U, or of L and D. */
export function directNonzeros(direct: usize): f64 {
  const it = changetype<Direct>(direct);
  if (it.form == LU_COLUMNS) {
    const columns = changetype<Columns>(it.columns);
    return <f64>it.n + <f64>integerAt(columns.lowerStart, it.n) + <f64>integerAt(columns.upperStart, it.n);
  }
  if (it.form == NONE) return 0;
  const fronts = changetype<Fronts>(it.fronts);
  let sum = <f64>fronts.valueCount;
  if (it.form == LDL_FRONTS) {
    // The pivots' blocks are stored whole, and are symmetric.
    for (let s = 0; s < fronts.count; s++) {
      const p = <f64>(integerAt(fronts.first, s + 1) - integerAt(fronts.first, s));
      sum -= (p * (p - 1)) / 2;
    }
  }
  return sum;
}

/** The entries that factors with pivots on the diagonal would have without explicit zeros, of L alone. */
export function directFill(direct: usize): f64 {
  const it = changetype<Direct>(direct);
  let sum: f64 = 0;
  for (let k = 0; k < it.n; k++) sum += <f64>integerAt(it.counts, k);
  return sum;
}
