// BiCGSTAB for several systems of one pattern at once, a system a lane. Each lane has a record of its own and goes
// by the rules of `method/bicgstab`: where that looks at the true residual, starts anew or ends, the lane does, and
// the others go on. A lane that has ended keeps its x until another system is put into it.

import { csrMultiply } from '../operator/csr';
import { copy, maxAbs, multiply, norm2, subtract, zero } from '../vector/vector';
import { firstVector, Iteration, record, vectorStride } from '../method/iteration';
import { BREAKDOWN, CONVERGED, MAX_ITERATIONS, NON_FINITE, RUNNING, STAGNATED } from '../method/iteration';
import { csrMultiplyDotsLanes, csrMultiplyLanes, ilu0SolveLanes } from './csr';
import { axpyLane, clearLane, directionLanes, laneBytes, packLane } from './lanes';
import { ROW, setScalar, subtractScaledLanes, sumOf, unpackLane, updateLanes } from './lanes';

/** As in `method/bicgstab`. */
const ORTHOGONAL: f64 = 1e-14;
const CHECK_INTERVAL: i32 = 64;
const RUNAWAY: f64 = 1e3;
const JUMP: f64 = 1e10;

/** Status of a lane that has no system. */
const EMPTY: i32 = -1;

const JACOBI: i32 = 1;
const ILU0: i32 = 2;

/** Why a lane asks for its true residual. */
const CLAIM: i32 = 1;
const BROKEN: i32 = 2;
const FINISH: i32 = 3;
const CHECK: i32 = 4;

@unmanaged
class Lane extends Iteration {
  rho: f64;
  rhoBefore: f64;
  alpha: f64;
  omega: f64;
  shadowNorm: f64;
  startNorm: f64;
  age: i32;
  /** 0, or why the true residual is asked for; then the lane sits out the rest of the iteration. */
  asks: i32;
  /** FINISH: the status to end with. */
  end: i32;
}

@unmanaged
class Batch {
  n: i32;
  lanes: i32;
  kind: i32;
  indptr: usize;
  indices: usize;
  data: usize;
  factors: usize;
  diagonal: usize;
  inverse: usize;
  /** Of a vector. */
  bytes: usize;
  x: usize;
  b: usize;
  r: usize;
  shadow: usize;
  p: usize;
  v: usize;
  t: usize;
  pHat: usize;
  sHat: usize;
  /** n elements of one system. */
  scratch: usize;
  /** Rows of scalars. */
  alpha: usize;
  beta: usize;
  omega: usize;
  mask: usize;
  first: usize;
  second: usize;
  /** The records. */
  record: usize;
}

const ROWS: usize = 6;

/** Bytes of a workspace; a float, since it may be more than there is. */
export function batchSize(n: i32, lanes: i32, preconditioned: bool): f64 {
  const records = offsetof<Batch>() + ROWS * ROW + <usize>lanes * offsetof<Lane>() + 64;
  return <f64>records + <f64>(preconditioned ? 9 : 7) * vectorSize(n, lanes) + <f64>vectorStride(n);
}

function vectorSize(n: i32, lanes: i32): f64 {
  return ceil((<f64>n * <f64>lanes) / 8) * 64;
}

/**
 * Lays out a workspace, with all lanes empty. `kind`: 0 no preconditioner, 1 Jacobi, 2 ILU(0). `data` has room for
 * the values of all lanes; so have `factors` (ILU(0)) and `inverse` (inverse diagonals or pivots, `laneBytes` long).
 * `diagonal` has the places of the pivots. What is there does not matter yet.
 */
export function batchInit(
  workspace: usize,
  n: i32,
  lanes: i32,
  indptr: usize,
  indices: usize,
  data: usize,
  kind: i32,
  factors: usize,
  diagonal: usize,
  inverse: usize,
): void {
  const it = changetype<Batch>(workspace);
  it.n = n;
  it.lanes = lanes;
  it.indptr = indptr;
  it.indices = indices;
  it.data = data;
  it.kind = kind;
  it.factors = factors;
  it.diagonal = diagonal;
  it.inverse = inverse;
  it.alpha = workspace + offsetof<Batch>();
  it.beta = it.alpha + ROW;
  it.omega = it.beta + ROW;
  it.mask = it.omega + ROW;
  it.first = it.mask + ROW;
  it.second = it.first + ROW;
  it.record = it.second + ROW;
  const stride = <usize>vectorSize(n, lanes);
  it.bytes = laneBytes(n, lanes);
  it.x = firstVector(it.record, <usize>lanes * offsetof<Lane>());
  it.b = it.x + stride;
  it.r = it.b + stride;
  it.shadow = it.r + stride;
  it.p = it.shadow + stride;
  it.v = it.p + stride;
  it.t = it.v + stride;
  it.pHat = kind ? it.t + stride : it.p;
  it.sHat = kind ? it.pHat + stride : it.r;
  it.scratch = (kind ? it.sHat : it.t) + stride;
  // The padding of all vectors has to be zero.
  memory.fill(it.x, 0, it.scratch - it.x);
  for (let l = 0; l < lanes; l++) laneOf(it, l).status = EMPTY;
}

/** The record of a lane: `statusOf`, `iterationsOf` and so on read it. */
export function batchLane(workspace: usize, lane: i32): usize {
  return changetype<usize>(laneOf(changetype<Batch>(workspace), lane));
}

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
  packLane(load<i32>(it.indptr + (<usize>n << 2)), it.lanes, lane, values, it.data);
  put(it, lane, b, it.b);
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
  if (zeroStart || my.bNorm == 0) {
    zero(n, scratch);
    put(it, lane, scratch, it.x);
    copy(n, b, scratch);
    my.residualNorm = my.bNorm;
  } else {
    put(it, lane, x, it.x);
    csrMultiply(n, it.indptr, it.indices, values, x, scratch);
    my.matvecs++;
    subtract(n, b, scratch, scratch);
    my.residualNorm = isFinite(maxAbs(n, x)) ? norm2(n, scratch) : NaN;
  }
  record(my, my.residualNorm);
  if (!isFinite(my.residualNorm)) my.status = NON_FINITE;
  else if (my.residualNorm <= my.tolerance) my.status = CONVERGED;
  else if (maxiter <= 0) my.status = MAX_ITERATIONS;
  begin(it, lane);
  return my.status;
}

/** Gives a lane its preconditioner: ILU(0) factors (nnz), and inverse diagonal or pivots (n), of one system. */
export function batchPrecondition(workspace: usize, lane: i32, factors: usize, inverse: usize): void {
  const it = changetype<Batch>(workspace);
  put(it, lane, inverse, it.inverse);
  if (it.kind != ILU0) return;
  packLane(load<i32>(it.indptr + (<usize>it.n << 2)), it.lanes, lane, factors, it.factors);
}

/** Empties a lane. */
export function batchDrop(workspace: usize, lane: i32): void {
  laneOf(changetype<Batch>(workspace), lane).status = EMPTY;
}

/** x (n) <- the solution in a lane. */
export function batchTake(workspace: usize, lane: i32, x: usize): void {
  const it = changetype<Batch>(workspace);
  unpackLane(it.n, it.lanes, lane, it.x, x);
}

/** At most `count` iterations more, until a lane ends. Returns how many iterations were made. */
export function batchStep(workspace: usize, count: i32): i32 {
  const it = changetype<Batch>(workspace);
  const before = running(it);
  let made = 0;
  while (made < count && before != 0 && running(it) == before) {
    iterate(it);
    made++;
  }
  return made;
}

function laneOf(it: Batch, lane: i32): Lane {
  return changetype<Lane>(it.record + <usize>lane * offsetof<Lane>());
}

/** The lanes that run, a bit each. */
function running(it: Batch): i32 {
  let found = 0;
  for (let l = 0; l < it.lanes; l++) if (laneOf(it, l).status == RUNNING) found |= 1 << l;
  return found;
}

/** Vector of one system -> lane of a vector, the padding made zero. */
function put(it: Batch, lane: i32, source: usize, target: usize): void {
  packLane(it.n, it.lanes, lane, source, target);
  clearLane(it.n, it.n, it.lanes, lane, target);
}

/** Begins with the residual in `scratch` as first direction and as shadow. */
function begin(it: Batch, lane: i32): void {
  const my = laneOf(it, lane);
  put(it, lane, it.scratch, it.r);
  put(it, lane, it.scratch, it.shadow);
  // The first direction is r + 0 (p - 0 v), whatever was in p and v.
  clearLane(0, it.n, it.lanes, lane, it.p);
  clearLane(0, it.n, it.lanes, lane, it.v);
  my.shadowNorm = my.residualNorm;
  my.startNorm = my.residualNorm;
  my.rho = my.residualNorm * my.residualNorm;
  my.age = 0;
}

function product(it: Batch, x: usize, y: usize): void {
  csrMultiplyLanes(it.n, it.lanes, it.indptr, it.indices, it.data, x, y);
}

/** y <- A x; first <- y'w, second <- y'y */
function productDots(it: Batch, x: usize, y: usize, w: usize): void {
  csrMultiplyDotsLanes(it.n, it.lanes, it.indptr, it.indices, it.data, x, y, w, it.first, it.second);
}

function precondition(it: Batch, r: usize, z: usize): void {
  if (it.kind == JACOBI) multiply(<i32>(it.bytes >> 3), it.inverse, r, z);
  if (it.kind != ILU0) return;
  ilu0SolveLanes(it.n, it.lanes, it.indptr, it.indices, it.factors, it.diagonal, it.inverse, r, z);
}

function iterate(it: Batch): void {
  const lanes = it.lanes;
  // p <- r + beta (p - omega v)
  for (let l = 0; l < lanes; l++) {
    const my = laneOf(it, l);
    const goesOn = my.status == RUNNING && my.age > 0;
    my.asks = 0;
    setScalar(it.beta, lanes, l, goesOn ? (my.rho / my.rhoBefore) * (my.alpha / my.omega) : 0);
    setScalar(it.omega, lanes, l, goesOn ? my.omega : 0);
  }
  directionLanes(it.bytes, it.beta, it.omega, it.r, it.v, it.p);
  // v <- A M^-1 p, alpha <- rho / (shadow' v)
  precondition(it, it.p, it.pHat);
  productDots(it, it.pHat, it.v, it.shadow);
  for (let l = 0; l < lanes; l++) {
    const my = laneOf(it, l);
    setScalar(it.alpha, lanes, l, my.status == RUNNING && findAlpha(it, my, l) ? my.alpha : 0);
  }
  // s <- r - alpha v, in the place of r
  subtractScaledLanes(it.bytes, it.alpha, it.v, it.r, it.first);
  for (let l = 0; l < lanes; l++) if (takesPart(it, l)) lookAtHalf(it, l);
  answer(it);
  let left = false;
  for (let l = 0; l < lanes; l++) left = left || takesPart(it, l);
  if (!left) return;
  // t <- A M^-1 s, omega <- t's / t't
  precondition(it, it.r, it.sHat);
  productDots(it, it.sHat, it.t, it.r);
  for (let l = 0; l < lanes; l++) {
    const my = laneOf(it, l);
    const part = takesPart(it, l);
    if (part) {
      const square = sumOf(it.second, lanes, l);
      my.matvecs++;
      my.omega = square == 0 ? 0 : sumOf(it.first, lanes, l) / square;
    }
    setScalar(it.alpha, lanes, l, part ? my.alpha : 0);
    setScalar(it.omega, lanes, l, part ? my.omega : 0);
    setScalar(it.mask, lanes, l, reinterpret<f64>(part ? <i64>-1 : <i64>0));
  }
  // x <- x + alpha M^-1 p + omega M^-1 s, r <- s - omega t
  const rr = it.first;
  const rho = it.second;
  updateLanes(it.bytes, it.alpha, it.omega, it.mask, it.pHat, it.sHat, it.t, it.shadow, it.x, it.r, rr, rho);
  for (let l = 0; l < lanes; l++) {
    // Who asked for the first half has had the answer.
    if (takesPart(it, l)) lookAtWhole(it, l);
    else laneOf(it, l).asks = 0;
  }
  answer(it);
}

/** Runs, and has not asked for its true residual in this iteration. */
function takesPart(it: Batch, lane: i32): bool {
  const my = laneOf(it, lane);
  return my.status == RUNNING && my.asks == 0;
}

/** False where the recursion breaks down here. */
function findAlpha(it: Batch, my: Lane, lane: i32): bool {
  const sigma = sumOf(it.first, it.lanes, lane);
  my.matvecs++;
  my.alpha = my.rho / sigma;
  const square = sumOf(it.second, it.lanes, lane);
  if (isFinite(my.alpha) && abs(sigma) > ORTHOGONAL * my.shadowNorm * sqrt(square)) return true;
  my.asks = BROKEN;
  return false;
}

function lookAtHalf(it: Batch, lane: i32): void {
  const my = laneOf(it, lane);
  const half = sqrt(sumOf(it.first, it.lanes, lane));
  my.iterations++;
  if (!(half <= my.tolerance)) return;
  axpyLane(it.n, it.lanes, lane, my.alpha, it.pHat, it.x);
  record(my, half);
  my.asks = CLAIM;
}

function lookAtWhole(it: Batch, lane: i32): void {
  const my = laneOf(it, lane);
  my.rhoBefore = my.rho;
  my.rho = sumOf(it.second, it.lanes, lane);
  my.age++;
  const norm = sqrt(sumOf(it.first, it.lanes, lane));
  record(my, norm);
  my.end = MAX_ITERATIONS;
  if (!isFinite(norm)) {
    my.asks = FINISH;
    my.end = NON_FINITE;
  } else if (norm <= my.tolerance) my.asks = CLAIM;
  else if (my.iterations >= my.maxiter) my.asks = FINISH;
  else if (my.omega == 0 || abs(my.rho) <= ORTHOGONAL * my.shadowNorm * norm) my.asks = BROKEN;
  else if (my.iterations % CHECK_INTERVAL == 0) my.asks = CHECK;
}

/** One product gives the true residuals of all lanes that ask; t is scratch. Each goes on or ends. */
function answer(it: Batch): void {
  let asked = false;
  for (let l = 0; l < it.lanes; l++) {
    const my = laneOf(it, l);
    asked = asked || (my.status == RUNNING && my.asks != 0);
  }
  if (!asked) return;
  product(it, it.x, it.t);
  subtract(<i32>(it.bytes >> 3), it.b, it.t, it.t);
  for (let l = 0; l < it.lanes; l++) {
    const my = laneOf(it, l);
    if (my.status == RUNNING && my.asks != 0) judge(it, l);
  }
}

function judge(it: Batch, lane: i32): void {
  const my = laneOf(it, lane);
  const n = it.n;
  const before = my.startNorm;
  unpackLane(n, it.lanes, lane, it.x, it.scratch);
  // Where A does not see that x has overflowed, this does.
  const finite = isFinite(maxAbs(n, it.scratch));
  unpackLane(n, it.lanes, lane, it.t, it.scratch);
  const norm = finite ? norm2(n, it.scratch) : NaN;
  my.residualNorm = norm;
  my.matvecs++;
  if (my.asks == CHECK) {
    if (norm <= RUNAWAY * max(min(my.estimate, JUMP * before), before)) return;
    my.status = isFinite(norm) ? BREAKDOWN : NON_FINITE;
    return;
  }
  if (norm <= my.tolerance) my.status = CONVERGED;
  else if (!isFinite(norm)) my.status = NON_FINITE;
  else if (my.asks == FINISH) my.status = my.end;
  else if (my.asks == BROKEN) {
    if (my.age == 0 || norm >= before) my.status = BREAKDOWN;
  } else {
    if (norm > 0.5 * my.claimedNorm) my.status = STAGNATED;
    else if (my.iterations >= my.maxiter) my.status = MAX_ITERATIONS;
    my.claimedNorm = norm;
  }
  if (my.status == RUNNING) begin(it, lane);
}
