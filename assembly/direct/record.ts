// What a direct solver for one pattern holds, and its numbers for the host.

import { release } from '../memory/arena';
import { integerAt } from './access';
import { Columns, releaseColumns } from './columns';
import { Fronts, releaseFronts } from './fronts';

/** What `directFactor` returns. */
export const DONE: i32 = 0;
export const SINGULAR: i32 = 1;
export const OUT_OF_MEMORY: i32 = 2;
export const NOT_FINITE: i32 = 3;

/** What factors to make: the best, LU, or L D L' also with negative pivots. */
export const LU_ONLY: i32 = 1;
export const LDL: i32 = 2;

/** What factors there are. */
export const NONE: i32 = 0;
export const LU_FRONTS: i32 = 1;
export const LDL_FRONTS: i32 = 2;
export const LU_COLUMNS: i32 = 3;

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

/** Gives back all but the record. */
export function directRelease(direct: usize): void {
  const it = changetype<Direct>(direct);
  releaseFronts(it.fronts);
  releaseColumns(it.columns);
  release(it.plan);
  release(it.graph);
  memory.fill(direct, 0, offsetof<Direct>());
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

/** Multiplications of a factorisation with pivots on the diagonal, twice, of L D L'. */
export function directWork(direct: usize): f64 {
  const it = changetype<Direct>(direct);
  let sum: f64 = 0;
  for (let k = 0; k < it.n; k++) sum += <f64>integerAt(it.counts, k) * <f64>integerAt(it.counts, k);
  return sum;
}
