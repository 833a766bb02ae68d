// Solves with the factors, refined where that is asked for, and an estimate of the condition.

import { copy, maxAbs } from '../vector/vector';
import { integerAt, numberAt, setNumber } from './access';
import { Columns } from './columns';
import {
  columnsLowerBackward,
  columnsLowerForward,
  columnsUpperBackward,
  columnsUpperForward,
} from './columns-solve';
import { lowerBackward, lowerForward, upperBackward, upperForward } from './frontal-solve';
import { Fronts } from './fronts';
import { LANES } from './lanes';
import { Direct, LDL_FRONTS, LU_COLUMNS } from './record';

/** x <- A^-1 b, or A'^-1 b. The two may be the same. */
export function directSolve(direct: usize, b: usize, x: usize, transposed: bool): void {
  const it = changetype<Direct>(direct);
  const y = it.y;
  const rows = rowsOf(it);
  const from = transposed ? it.order : rows;
  const to = transposed ? rows : it.order;
  for (let k = 0; k < it.n; k++) {
    const i = integerAt(from, k);
    setNumber(y, k, transposed ? numberAt(b, i) : numberAt(b, i) * numberAt(it.scale, i));
  }
  substitute(it, transposed, false);
  for (let k = 0; k < it.n; k++) {
    const i = integerAt(to, k);
    setNumber(x, i, transposed ? numberAt(y, k) * numberAt(it.scale, i) : numberAt(y, k));
  }
}

/** The same for `count` right-hand sides, each `stride` bytes after the one before, as the solutions. */
export function directSolveMany(
  direct: usize,
  count: i32,
  b: usize,
  x: usize,
  stride: usize,
  transposed: bool,
): void {
  const it = changetype<Direct>(direct);
  const rows = rowsOf(it);
  const from = transposed ? it.order : rows;
  const to = transposed ? rows : it.order;
  for (; count > 1; count -= LANES, b += stride * LANES, x += stride * LANES) {
    const used = min(count, LANES);
    for (let k = 0; k < it.n; k++) {
      const i = integerAt(from, k);
      const factor = transposed ? 1 : numberAt(it.scale, i);
      for (let c = 0; c < LANES; c++) {
        setNumber(it.y, k * LANES + c, c < used ? numberAt(b + <usize>c * stride, i) * factor : 0);
      }
    }
    substitute(it, transposed, true);
    for (let k = 0; k < it.n; k++) {
      const i = integerAt(to, k);
      const factor = transposed ? numberAt(it.scale, i) : 1;
      for (let c = 0; c < used; c++) setNumber(x + <usize>c * stride, i, numberAt(it.y, k * LANES + c) * factor);
    }
  }
  if (count == 1) directSolve(direct, b, x, transposed);
}

/** The row of each pivot. */
function rowsOf(it: Direct): usize {
  return it.form == LU_COLUMNS ? changetype<Columns>(it.columns).rowOfPivot : it.order;
}

/** The triangular solves, on y. */
function substitute(it: Direct, transposed: bool, four: bool): void {
  const y = it.y;
  if (it.form == LU_COLUMNS) {
    const columns = changetype<Columns>(it.columns);
    if (transposed) {
      columnsUpperForward(columns, y, four);
      columnsLowerBackward(columns, y, four);
    } else {
      columnsLowerForward(columns, y, four);
      columnsUpperBackward(columns, y, four);
    }
    return;
  }
  const fronts = changetype<Fronts>(it.fronts);
  if (it.form == LDL_FRONTS) {
    upperForward(fronts, y, it.gather, true, four);
    upperBackward(fronts, y, it.gather, four);
  } else if (transposed) {
    upperForward(fronts, y, it.gather, false, four);
    lowerBackward(fronts, y, four);
  } else {
    lowerForward(fronts, y, four);
    upperBackward(fronts, y, it.gather, four);
  }
}

/**
 * r <- b - A x, or with A'. Returns the componentwise backward error, max |r_i| / (|A| |x| + |b|)_i (Oettli, Prager
 * 1964); NaN where x is not finite.
 */
function residual(it: Direct, b: usize, x: usize, transposed: bool): f64 {
  const n = it.n;
  const r = it.r;
  const w = it.w;
  copy(n, b, r);
  for (let i = 0; i < n; i++) setNumber(w, i, abs(numberAt(b, i)));
  for (let i = 0; i < n; i++) {
    let sum = numberAt(r, i);
    let size = numberAt(w, i);
    const end = integerAt(it.indptr, i + 1);
    const own = numberAt(x, i);
    for (let p = integerAt(it.indptr, i); p < end; p++) {
      const j = integerAt(it.indices, p);
      if (transposed) {
        const term = numberAt(it.data, p) * own;
        setNumber(r, j, numberAt(r, j) - term);
        setNumber(w, j, numberAt(w, j) + abs(term));
      } else {
        const term = numberAt(it.data, p) * numberAt(x, j);
        sum -= term;
        size += abs(term);
      }
    }
    if (transposed) continue;
    setNumber(r, i, sum);
    setNumber(w, i, size);
  }
  if (!isFinite(maxAbs(n, x))) return NaN;
  let most: f64 = 0;
  for (let i = 0; i < n; i++) {
    const part = abs(numberAt(r, i));
    // Where all terms vanish so does the residual.
    if (part != 0) most = max(most, part / numberAt(w, i));
  }
  return most;
}

/**
 * Improves x by at most `most` steps of refinement, as long as they halve the componentwise backward error (Arioli,
 * Demmel, Duff 1989, SIAM J. Matrix Anal. Appl. 10). Returns how many helped; `directResidual` then holds b - A x.
 */
export function directRefine(direct: usize, b: usize, x: usize, transposed: bool, most: i32): i32 {
  const it = changetype<Direct>(direct);
  const n = it.n;
  let error = residual(it, b, x, transposed);
  let steps = 0;
  while (steps < most && error > f64.EPSILON) {
    copy(n, x, it.kept);
    directSolve(direct, it.r, it.r, transposed);
    for (let i = 0; i < n; i++) setNumber(x, i, numberAt(x, i) + numberAt(it.r, i));
    const next = residual(it, b, x, transposed);
    if (!(next < error)) {
      copy(n, it.kept, x);
      residual(it, b, x, transposed);
      break;
    }
    steps++;
    const slow = next > 0.5 * error;
    error = next;
    if (slow) break;
  }
  it.backwardError = error;
  return steps;
}

/** Of the last `directRefine`: the vector b - A x. */
export function directResidual(direct: usize): usize {
  return changetype<Direct>(direct).r;
}

/** Of the last `directRefine`: the componentwise backward error. */
export function directBackwardError(direct: usize): f64 {
  return changetype<Direct>(direct).backwardError;
}

/** Most products with the inverse and its transpose together. */
const ESTIMATE_STEPS: i32 = 5;

/**
 * ||A||_1 times an estimate of ||A^-1||_1 from below, mostly within a factor of three (Hager 1984, SIAM J. Sci. Stat.
 * Comput. 5; Higham 1988, ACM TOMS 14).
 */
export function directCondition(direct: usize): f64 {
  const it = changetype<Direct>(direct);
  const n = it.n;
  if (n == 0) return 0;
  const x = it.r;
  const signs = it.w;
  const z = it.kept;
  for (let i = 0; i < n; i++) {
    setNumber(x, i, 1 / <f64>n);
    setNumber(signs, i, 0);
  }
  let estimate: f64 = 0;
  let unit = -1;
  for (let step = 0; step < ESTIMATE_STEPS; step++) {
    directSolve(direct, x, x, false);
    const now = sum(n, x);
    if (step > 0 && !(now > estimate)) break;
    estimate = now;
    let same = true;
    for (let i = 0; i < n; i++) {
      const sign: f64 = numberAt(x, i) < 0 ? -1 : 1;
      same = same && sign == numberAt(signs, i);
      setNumber(signs, i, sign);
    }
    if (same) break;
    directSolve(direct, signs, z, true);
    let largest = 0;
    for (let i = 1; i < n; i++) if (abs(numberAt(z, i)) > abs(numberAt(z, largest))) largest = i;
    if (largest == unit) break;
    unit = largest;
    memory.fill(x, 0, <usize>n << 3);
    setNumber(x, unit, 1);
  }
  // A vector that no such path finds.
  for (let i = 0; i < n; i++) {
    const size = 1 + <f64>i / <f64>max(n - 1, 1);
    setNumber(x, i, (i & 1) == 0 ? size : -size);
  }
  directSolve(direct, x, x, false);
  estimate = max(estimate, (2 * sum(n, x)) / (3 * <f64>n));
  memory.fill(z, 0, <usize>n << 3);
  const nnz = integerAt(it.indptr, n);
  for (let p = 0; p < nnz; p++) {
    const j = integerAt(it.indices, p);
    setNumber(z, j, numberAt(z, j) + abs(numberAt(it.data, p)));
  }
  return maxAbs(n, z) * estimate;
}

function sum(n: i32, x: usize): f64 {
  let total: f64 = 0;
  for (let i = 0; i < n; i++) total += abs(numberAt(x, i));
  return total;
}
