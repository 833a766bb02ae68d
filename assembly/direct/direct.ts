// A direct solver for one pattern: ordering and analysis are made once, numbers as often as wanted.
//
// Three ways to factor. Symmetric values with a positive diagonal: L D L' by fronts. A pattern that is nearly
// symmetric: LU by fronts, pivots on the diagonal. Where one of those is refused by the threshold, and for all other
// patterns: LU by columns with exchanges of rows. Rows are scaled by powers of two before LU, each to a largest entry
// between 1 and 2.

import { maxAbs } from '../vector/vector';
import { integerAt, numberAt, setInteger, setNumber } from './access';
import { Columns, FACTORED, factorColumns, makeColumns, NO_MEMORY, refactorColumns } from './columns';
import { Fronts, makeFronts, releaseFronts } from './fronts';
import { factorFronts } from './multifrontal';
import {
  Direct,
  DONE,
  LDL,
  LDL_FRONTS,
  LU_COLUMNS,
  LU_FRONTS,
  LU_ONLY,
  NONE,
  NOT_FINITE,
  OUT_OF_MEMORY,
  SINGULAR,
} from './record';

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
