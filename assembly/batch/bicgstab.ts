// BiCGSTAB for several systems of one pattern at once, a system a lane. Each lane has a record of its own and goes
// by the rules of `method/bicgstab`: where that looks at the true residual, starts anew or ends, the lane does, and
// the others go on. A lane that has ended keeps its x until another system is put into it. T is the type of the
// lanes; those in f32 are refined (`residual`).

import { csrMultiply } from '../operator/csr';
import { copy, maxAbs, norm2, subtract, zero } from '../vector/vector';
import { record } from '../method/iteration';
import { BREAKDOWN, CONVERGED, MAX_ITERATIONS, NON_FINITE, RUNNING } from '../method/iteration';
import { multiplyCsrDotsLanes, solveLanes } from './csr';
import { axpyLane, clearLane, directionLanes, multiplyLanes, packLane, setMask } from './lanes';
import { setScalar, subtractScaledLanes, sumOf, unpackLane, updateLanes } from './lanes';
import { answer, BROKEN, CHECK, CLAIM, FINISH, orthogonal, REFINE, REFINED } from './residual';
import { Batch, begin, EMPTY, entries, ILU0, JACOBI, Lane, laneOf, powerOfTwo, put } from './workspace';
import { rightHandSideOf, solutionOf, valuesOf } from './workspace';

export { batchInit, batchLane, batchSize } from './workspace';

const CHECK_INTERVAL: i32 = 64;

/** Single precision: rows that are this much smaller than the largest have too few digits in its sums. */
const FAINT: f64 = 1e-16;

/**
 * Puts a system into a lane, whatever was there: `values` (nnz), b and x (n each) as one system has them. Returns
 * its status. The preconditioner is `batchPrecondition`'s. `zeroStart`: x counts as 0.
 */
export function batchStart(
  workspace: usize,
  lane: i32,
  values: usize,
  b: usize,
  x: usize,
  rtol: f64,
  atol: f64,
  maxiter: i32,
  zeroStart: bool,
): i32 {
  const it = changetype<Batch>(workspace);
  const my = laneOf(it, lane);
  const n = it.n;
  const scratch = it.scratch;
  my.n = n;
  my.status = RUNNING;
  my.iterations = 0;
  my.maxiter = maxiter;
  my.matvecs = 0;
  my.historyCapacity = 0;
  my.historyCount = 0;
  my.claimedNorm = Infinity;
  my.asks = 0;
  my.bNorm = norm2(n, b);
  my.tolerance = max(rtol * my.bNorm, atol);
  const cold = zeroStart || my.bNorm == 0;
  if (cold) {
    copy(n, b, scratch);
    my.residualNorm = my.bNorm;
  } else {
    csrMultiply(n, it.indptr, it.indices, values, x, scratch);
    my.matvecs++;
    subtract(n, b, scratch, scratch);
    my.residualNorm = isFinite(maxAbs(n, x)) ? norm2(n, scratch) : NaN;
  }
  my.bestNorm = my.residualNorm;
  my.bestAt = 0;
  record(my, my.residualNorm);
  if (!isFinite(my.residualNorm)) my.status = NON_FINITE;
  else if (my.residualNorm <= my.tolerance) my.status = CONVERGED;
  else if (maxiter <= 0) my.status = MAX_ITERATIONS;
  if (it.single) {
    begin<f32>(it, lane);
    keepSystem(it, lane, values, b, x, cold);
  } else {
    begin<f64>(it, lane);
    my.scale = 1;
    packLane<f64>(entries(it), it.lanes, lane, 1, values, it.data);
    put<f64>(it, lane, 1, b, it.b);
    if (cold) zero(n, scratch);
    put<f64>(it, lane, 1, cold ? scratch : x, it.x);
  }
  return my.status;
}

/** A system in single precision: in double as it is, in its lane with values of at most 2. */
function keepSystem(it: Batch, lane: i32, values: usize, b: usize, x: usize, cold: bool): void {
  const my = laneOf(it, lane);
  const nnz = entries(it);
  copy(nnz, values, valuesOf(it, lane));
  copy(it.n, b, rightHandSideOf(it, lane));
  if (cold) zero(it.n, solutionOf(it, lane));
  else copy(it.n, x, solutionOf(it, lane));
  my.scale = powerOfTwo(maxAbs(nnz, values));
  packLane<f32>(nnz, it.lanes, lane, 1 / my.scale, values, it.data);
  clearLane<f32>(0, it.n, it.lanes, lane, it.x);
  if (my.status == RUNNING && losesRows(it, values, FAINT * my.scale)) my.status = BREAKDOWN;
}

/** Whether a row has values, but none of at least `least`. */
function losesRows(it: Batch, values: usize, least: f64): bool {
  let row = it.indptr;
  for (const end = row + (<usize>it.n << 2); row < end; row += 4) {
    const start = values + (<usize>load<i32>(row) << 3);
    const stop = values + (<usize>load<i32>(row, 4) << 3);
    let at = start;
    while (at < stop && !(abs(load<f64>(at)) >= least)) at += 8;
    if (at < stop) continue;
    for (at = start; at < stop; at += 8) if (load<f64>(at) != 0) return true;
  }
  return false;
}

/** Gives a lane its preconditioner: ILU(0) factors (nnz), and inverse diagonal or pivots (n), of one system. */
export function batchPrecondition(workspace: usize, lane: i32, factors: usize, inverse: usize): void {
  const it = changetype<Batch>(workspace);
  const scale = laneOf(it, lane).scale;
  if (it.single) put<f32>(it, lane, scale, inverse, it.inverse);
  else put<f64>(it, lane, 1, inverse, it.inverse);
  if (it.kind != ILU0) return;
  if (it.single) packFactors(it, lane, 1 / scale, factors);
  else packLane<f64>(entries(it), it.lanes, lane, 1, factors, it.factors);
}

/** L is that of the matrix, whatever its scale, and U is scaled. */
function packFactors(it: Batch, lane: i32, factor: f64, factors: usize): void {
  const stride = <usize>it.lanes << 2;
  let target = it.factors + (<usize>lane << 2);
  let end = factors;
  for (let i: usize = 0, last = <usize>it.n << 2; i < last; i += 4) {
    const start = load<i32>(it.indptr + i);
    const pivot = end + (<usize>(load<i32>(it.diagonal + i) - start) << 3);
    end += <usize>(load<i32>(it.indptr + i, 4) - start) << 3;
    for (; factors < pivot; factors += 8, target += stride) store<f32>(target, <f32>load<f64>(factors));
    for (; factors < end; factors += 8, target += stride) store<f32>(target, <f32>(factor * load<f64>(factors)));
  }
}

/** Empties a lane. */
export function batchDrop(workspace: usize, lane: i32): void {
  laneOf(changetype<Batch>(workspace), lane).status = EMPTY;
}

/** x (n) <- the solution in a lane. */
export function batchTake(workspace: usize, lane: i32, x: usize): void {
  const it = changetype<Batch>(workspace);
  if (it.single) copy(it.n, solutionOf(it, lane), x);
  else unpackLane<f64>(it.n, it.lanes, lane, it.x, x);
}

/** At most `count` iterations more, until a lane ends. Returns how many iterations were made. */
export function batchStep(workspace: usize, count: i32): i32 {
  const it = changetype<Batch>(workspace);
  const before = running(it);
  let made = 0;
  while (made < count && before != 0 && running(it) == before) {
    if (it.single) iterate<f32>(it);
    else iterate<f64>(it);
    made++;
  }
  return made;
}

/** The lanes that run, a bit each. */
function running(it: Batch): i32 {
  let found = 0;
  for (let l = 0; l < it.lanes; l++) if (laneOf(it, l).status == RUNNING) found |= 1 << l;
  return found;
}

/** y <- A x; first <- y'w, second <- y'y */
function productDots<T>(it: Batch, x: usize, y: usize, w: usize): void {
  multiplyCsrDotsLanes<T>(it.n, it.lanes, it.indptr, it.indices, it.data, x, y, w, it.first, it.second);
}

function precondition<T>(it: Batch, r: usize, z: usize): void {
  if (it.kind == JACOBI) multiplyLanes<T>(it.bytes, it.inverse, r, z);
  if (it.kind != ILU0) return;
  solveLanes<T>(it.n, it.lanes, it.indptr, it.indices, it.factors, it.diagonal, it.inverse, r, z);
}

function iterate<T>(it: Batch): void {
  const lanes = it.lanes;
  // p <- r + beta (p - omega v)
  for (let l = 0; l < lanes; l++) {
    const my = laneOf(it, l);
    const goesOn = my.status == RUNNING && my.age > 0;
    my.asks = 0;
    setScalar<T>(it.beta, lanes, l, goesOn ? (my.rho / my.rhoBefore) * (my.alpha / my.omega) : 0);
    setScalar<T>(it.omega, lanes, l, goesOn ? my.omega : 0);
  }
  directionLanes<T>(it.bytes, it.beta, it.omega, it.r, it.v, it.p);
  // v <- A M^-1 p, alpha <- rho / (shadow' v)
  precondition<T>(it, it.p, it.pHat);
  productDots<T>(it, it.pHat, it.v, it.shadow);
  for (let l = 0; l < lanes; l++) {
    const my = laneOf(it, l);
    setScalar<T>(it.alpha, lanes, l, my.status == RUNNING && findAlpha<T>(it, my, l) ? my.alpha : 0);
  }
  // s <- r - alpha v, in the place of r
  subtractScaledLanes<T>(it.bytes, it.alpha, it.v, it.r, it.first);
  for (let l = 0; l < lanes; l++) if (takesPart(it, l)) lookAtHalf<T>(it, l);
  answer<T>(it);
  let left = false;
  for (let l = 0; l < lanes; l++) left = left || takesPart(it, l);
  if (!left) return;
  // t <- A M^-1 s, omega <- t's / t't
  precondition<T>(it, it.r, it.sHat);
  productDots<T>(it, it.sHat, it.t, it.r);
  for (let l = 0; l < lanes; l++) {
    const my = laneOf(it, l);
    const part = takesPart(it, l);
    if (part) {
      const square = sumOf<T>(it.second, lanes, l);
      my.matvecs++;
      my.omega = square == 0 ? 0 : <f64>(<T>(sumOf<T>(it.first, lanes, l) / square));
    }
    setScalar<T>(it.alpha, lanes, l, part ? my.alpha : 0);
    setScalar<T>(it.omega, lanes, l, part ? my.omega : 0);
    setMask<T>(it.mask, lanes, l, part);
  }
  // x <- x + alpha M^-1 p + omega M^-1 s, r <- s - omega t
  const rr = it.first;
  const rho = it.second;
  updateLanes<T>(it.bytes, it.alpha, it.omega, it.mask, it.pHat, it.sHat, it.t, it.shadow, it.x, it.r, rr, rho);
  for (let l = 0; l < lanes; l++) {
    // Who asked for the first half has had the answer.
    if (takesPart(it, l)) lookAtWhole<T>(it, l);
    else laneOf(it, l).asks = 0;
  }
  answer<T>(it);
}

/** Runs, and has not asked for its true residual in this iteration. */
function takesPart(it: Batch, lane: i32): bool {
  const my = laneOf(it, lane);
  return my.status == RUNNING && my.asks == 0;
}

/** False where the recursion breaks down here. */
function findAlpha<T>(it: Batch, my: Lane, lane: i32): bool {
  const sigma = sumOf<T>(it.first, it.lanes, lane);
  my.matvecs++;
  // As the vectors have it.
  my.alpha = <f64>(<T>(my.rho / sigma));
  const square = sumOf<T>(it.second, it.lanes, lane);
  if (isFinite(my.alpha) && abs(sigma) > orthogonal<T>() * my.shadowNorm * sqrt(square)) return true;
  my.asks = BROKEN;
  return false;
}

function lookAtHalf<T>(it: Batch, lane: i32): void {
  const my = laneOf(it, lane);
  const half = my.unit * sqrt(sumOf<T>(it.first, it.lanes, lane));
  my.iterations++;
  if (!(half <= my.tolerance)) return;
  axpyLane<T>(it.n, it.lanes, lane, my.alpha, it.pHat, it.x);
  record(my, half);
  my.asks = CLAIM;
}

function lookAtWhole<T>(it: Batch, lane: i32): void {
  const my = laneOf(it, lane);
  my.rhoBefore = my.rho;
  my.rho = sumOf<T>(it.second, it.lanes, lane);
  my.age++;
  const size = sqrt(sumOf<T>(it.first, it.lanes, lane));
  const norm = my.unit * size;
  record(my, norm);
  my.end = MAX_ITERATIONS;
  if (!isFinite(norm)) {
    my.asks = FINISH;
    my.end = NON_FINITE;
  } else if (norm <= my.tolerance) my.asks = CLAIM;
  else if (my.iterations >= my.maxiter) my.asks = FINISH;
  else if (my.omega == 0 || abs(my.rho) <= orthogonal<T>() * my.shadowNorm * size) my.asks = BROKEN;
  else if (sizeof<T>() == 4 && norm <= REFINED * my.startNorm) my.asks = REFINE;
  else if (my.iterations % CHECK_INTERVAL == 0) my.asks = CHECK;
}
