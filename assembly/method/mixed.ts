// BiCGSTAB for five-point matrices on a grid, in single precision within double.
//
// The cells are coloured like a chess board. A red cell's neighbours are all black, so the red unknowns can be
// eliminated, and what is left for the black ones is better conditioned (half of the iterations), half as large,
// and as cheap to multiply with: (I - C_br C_rb) z_b = r_b - C_br r_r, the matrix being (I + C) D with the diagonal
// D and x = D^-1 z (Saad 2003, section 14.3.3). The residual of the whole system is that of the black cells.
//
// The recursion runs on them in f32. When its residual is down by some digits, what it has found is added to x, the
// residual b - A x is computed in f64, and the recursion goes on from that (van der Vorst & Ye 2000, SIAM J. Sci.
// Comput. 22: residual replacement). Where this does not get on, BiCGSTAB in f64 takes over from the x that there is.

import { Operator } from '../operator/operator';
import { couplingBytes, describe, Level, vectorBytes } from '../preconditioner/multigrid-level';
import { largest, powerOfTwo } from '../preconditioner/multigrid-transfer';
import { Bicgstab, bicgstabSize, bicgstabStep, placeVectors, start } from './bicgstab';
import { begin, CONVERGED, firstVector, MAX_ITERATIONS, record, RUNNING } from './iteration';
import { trueResidual, vectorStride } from './iteration';
import { BLACK, couple, eliminate, eliminateDot, RED } from './single-sweeps';
import { join, split, takeGrid } from './single-transfer';
import { singleAxpy, singleDirection, singleSubtract, singleUpdate } from './single-vectors';

/** What a round in f32 may divide the residual by: beyond, its rounding errors show. */
const MOST_REDUCTION: f64 = 1e-5;
/** A last round aims a little below the tolerance, lest rounding errors make another one necessary. */
const MARGIN: f64 = 0.9;
/** As in `bicgstab.ts`, for f32. */
const ORTHOGONAL: f64 = 1e-7;
/** Iterations after which the residual has to be halved. */
const PATIENCE: i32 = 64;
/** A round that starts this far below the first gets a new scale: f32 has an end. */
const RESCALE: f64 = 1e-12;

@unmanaged
class Mixed extends Bicgstab {
  /** f32 it is, still. */
  single: bool;
  /** The matrix is there in f32, and a round has begun. */
  prepared: bool;
  /** Natural order: 1 / a_kk. */
  inverse: usize;
  /** In f32, by colours: the right-hand side of a round and the solution on the red cells; the black ones' vectors. */
  redB: usize;
  redX: usize;
  blackR: usize;
  blackShadow: usize;
  blackP: usize;
  blackV: usize;
  blackT: usize;
  blackX: usize;
  /** From the first row of these vectors to the end of the last. */
  bytes: usize;
  /** What f32 counts in: a power of two. */
  unit: f64;
  scaleNorm: f64;
  /** True residual norm at the round's start, and where the round ends. */
  roundNorm: f64;
  target: f64;
  /** Recursive residual norm PATIENCE iterations ago, or at the round's start. */
  checkedNorm: f64;
}

// @ts-ignore: decorator
@inline
function levelOf(it: Mixed): Level {
  return changetype<Level>(changetype<usize>(it) + offsetof<Mixed>());
}

/** Bytes of a workspace; a float, since it may be more than there is. */
export function mixedSize(height: i32, width: i32, preconditioned: bool): f64 {
  const n = height * width;
  const rows = <f64>height + 3;
  const half = <f64>width / 2 + 5;
  // Two colours' couplings and eight vectors; the residual and the inverse diagonal in f64.
  const single = rows * half * (2 * 16 + 8 * 4) + 10 * 64 + 2 * <f64>vectorStride(n);
  const record = <f64>(offsetof<Mixed>() + offsetof<Level>());
  return record + max(single, bicgstabSize(n, preconditioned)) + 64;
}

/**
 * See `begin` for the parameters. The operator has the diagonals -width, -1, 0, 1, width of a grid; `preconditioner`
 * is for f64, should that be needed. Returns the status.
 */
export function mixedInit(
  workspace: usize,
  operator: usize,
  preconditioner: usize,
  b: usize,
  x: usize,
  rtol: f64,
  atol: f64,
  maxiter: i32,
  zeroStart: bool,
  history: usize,
  historyCapacity: i32,
  height: i32,
  width: i32,
): i32 {
  const it = changetype<Mixed>(workspace);
  it.single = true;
  it.prepared = false;
  it.r = firstVector(workspace, offsetof<Mixed>() + offsetof<Level>());
  const level = levelOf(it);
  describe(level, height, width);
  begin(it, operator, preconditioner, b, x, it.r, rtol, atol, maxiter, zeroStart, history, historyCapacity);
  return it.status;
}

/** At most `count` iterations more. Returns the status. */
export function mixedStep(workspace: usize, count: i32): i32 {
  const it = changetype<Mixed>(workspace);
  if (it.single && !it.prepared && it.status == RUNNING && count > 0) prepare(it);
  for (; it.single && it.status == RUNNING && count > 0; count--) iterate(it);
  return it.single ? it.status : bicgstabStep(workspace, count);
}

/** Whether f32 has done it all. */
export function mixedIsSingle(workspace: usize): bool {
  return changetype<Mixed>(workspace).single;
}

function iterate(it: Mixed): void {
  const level = levelOf(it);
  const bytes = it.bytes;
  const pair = changetype<usize>(it) + offsetof<Mixed>('first');
  // p <- r + beta (p - omega v)
  if (it.age == 0) memory.copy(it.blackP, it.blackR, bytes);
  else {
    const beta = (it.rho / it.rhoBefore) * (it.alpha / it.omega);
    singleDirection(bytes, <f32>beta, <f32>it.omega, it.blackR, it.blackV, it.blackP);
  }
  // v <- (I - C_br C_rb) p, alpha <- rho / (shadow' v)
  couple(level, RED, it.blackP, it.redX);
  eliminateDot(level, BLACK, it.blackP, it.redX, it.blackV, it.blackShadow, pair);
  it.matvecs++;
  const sigma = it.first;
  it.alpha = it.rho / sigma;
  if (!isFinite(it.alpha) || abs(sigma) <= ORTHOGONAL * it.shadowNorm * sqrt(it.second)) return restart(it);
  // s <- r - alpha v, in the place of r
  const half = it.unit * sqrt(singleSubtract(bytes, <f32>it.alpha, it.blackV, it.blackR));
  it.iterations++;
  if (half <= it.target) {
    singleAxpy(bytes, <f32>it.alpha, it.blackP, it.blackX);
    record(it, half);
    return closeRound(it, false);
  }
  // t <- (I - C_br C_rb) s, omega <- t's / t't
  couple(level, RED, it.blackR, it.redX);
  eliminateDot(level, BLACK, it.blackR, it.redX, it.blackT, it.blackR, pair);
  it.matvecs++;
  it.omega = it.second == 0 ? 0 : it.first / it.second;
  singleUpdate(
    bytes,
    <f32>it.alpha,
    <f32>it.omega,
    it.blackP,
    it.blackT,
    it.blackShadow,
    it.blackX,
    it.blackR,
    pair,
  );
  it.rhoBefore = it.rho;
  it.rho = it.second;
  it.age++;
  const norm = it.unit * sqrt(it.first);
  record(it, norm);
  if (!isFinite(norm)) goOnInDouble(it);
  else if (norm <= it.target) closeRound(it, true);
  else if (it.iterations >= it.maxiter) closeRound(it, false);
  else if (it.omega == 0 || abs(it.rho) <= ORTHOGONAL * it.shadowNorm * sqrt(it.first)) restart(it);
  else if (it.age % PATIENCE == 0) {
    if (!(norm <= 0.5 * it.checkedNorm)) restart(it);
    else it.checkedNorm = norm;
  }
}

/** Takes the matrix, and begins the first round from the residual in r. */
function prepare(it: Mixed): void {
  const level = levelOf(it);
  it.prepared = true;
  const size = vectorBytes(level);
  it.inverse = it.r + vectorStride(it.n);
  level.redCouplings = it.inverse + vectorStride(it.n);
  level.blackCouplings = level.redCouplings + couplingBytes(level);
  const vectors = level.blackCouplings + couplingBytes(level);
  it.bytes = <usize>level.height * level.stride;
  if (!takeGrid(level, changetype<Operator>(it.operator).data, it.inverse)) return goOnInDouble(it);
  memory.fill(vectors, 0, 8 * size);
  it.redB = vectors + level.stride;
  it.redX = it.redB + size;
  it.blackR = it.redX + size;
  it.blackShadow = it.blackR + size;
  it.blackP = it.blackShadow + size;
  it.blackV = it.blackP + size;
  it.blackT = it.blackV + size;
  it.blackX = it.blackT + size;
  openRound(it, false);
}

/** From the true residual in r; `goOn`: with the directions of the round before. */
function openRound(it: Mixed, goOn: bool): void {
  const level = levelOf(it);
  it.roundNorm = it.residualNorm;
  goOn = goOn && it.roundNorm > RESCALE * it.scaleNorm;
  if (!goOn) {
    it.scaleNorm = it.roundNorm;
    it.unit = reinterpret<f64>(powerOfTwo(largest(it.n, it.r)) << 52);
  }
  split(level, 1 / it.unit, it.r, it.redB, it.blackT);
  const pair = changetype<usize>(it) + offsetof<Mixed>('first');
  const shadow = goOn ? it.blackShadow : it.blackR;
  eliminateDot(level, BLACK, it.blackT, it.redB, it.blackR, shadow, pair);
  memory.fill(it.blackX, 0, it.bytes);
  it.rho = it.first;
  if (!goOn) {
    memory.copy(it.blackShadow, it.blackR, it.bytes);
    it.shadowNorm = sqrt(it.second);
    it.age = 0;
  }
  const norm = it.unit * sqrt(it.second);
  it.checkedNorm = norm;
  it.target = roundTarget(it);
  // The elimination may be enough.
  if (norm <= it.target) {
    it.estimate = norm;
    closeRound(it, true);
  }
}

/** The rounds that are needed share the digits that are missing. */
function roundTarget(it: Mixed): f64 {
  const left = it.tolerance / it.roundNorm;
  if (left >= MOST_REDUCTION) return it.inner ? it.tolerance : MARGIN * it.tolerance;
  return it.roundNorm * max(sqrt(left), MOST_REDUCTION);
}

/** Adds what was found to x. Ends the solve, or begins the next round. */
function closeRound(it: Mixed, goOn: bool): void {
  const level = levelOf(it);
  eliminate(level, RED, it.redB, it.blackX, it.redX);
  join(level, it.unit, it.redX, it.blackX, it.inverse, it.x);
  if (it.inner && it.estimate <= it.tolerance) {
    it.status = CONVERGED;
    it.residualNorm = it.estimate;
    return;
  }
  const norm = trueResidual(it, it.r);
  if (norm <= it.tolerance) it.status = CONVERGED;
  else if (norm <= 0.5 * it.roundNorm) {
    if (it.iterations >= it.maxiter) it.status = MAX_ITERATIONS;
    else openRound(it, goOn);
  } else {
    // Worse than before: without it.
    if (!(norm <= it.roundNorm)) {
      join(level, -it.unit, it.redX, it.blackX, it.inverse, it.x);
      trueResidual(it, it.r);
    }
    goOnInDouble(it);
  }
}

/** The recursion cannot go on. A new start helps if anything was won. */
function restart(it: Mixed): void {
  if (it.estimate <= 0.5 * it.roundNorm) closeRound(it, false);
  else goOnInDouble(it);
}

/** From the x and the r of the last round's start. */
function goOnInDouble(it: Mixed): void {
  it.single = false;
  if (it.iterations >= it.maxiter) it.status = MAX_ITERATIONS;
  placeVectors(it);
  start(it);
}
