// What all methods share: a record that says where a solve stands, and the rules of how it may end.
//
// A method has `size` (bytes of its workspace), `init` (start from x) and `step` (go on for some iterations). The
// workspace begins with the record below; the vectors follow. x and b belong to the host.
//
// Stop test: ||b - A x|| <= tolerance = max(rtol ||b||, atol), on the residual computed from b, A and x anew.

import { applyOperator, Operator } from '../operator/operator';
export { vectorStride } from '../vector/block';
import { copy, dot, maxAbs, norm2, subtract, zero } from '../vector/vector';

export const RUNNING: i32 = 0;
export const CONVERGED: i32 = 1;
export const MAX_ITERATIONS: i32 = 2;
export const BREAKDOWN: i32 = 3;
export const STAGNATED: i32 = 4;
export const NON_FINITE: i32 = 5;

@unmanaged
export class Iteration {
  status: i32;
  n: i32;
  iterations: i32;
  maxiter: i32;
  /** Products with A. */
  matvecs: i32;
  historyCapacity: i32;
  historyCount: i32;
  /** Residual norms go here, one an iteration, the initial one first. */
  history: usize;
  operator: usize;
  /** 0: none. */
  preconditioner: usize;
  b: usize;
  x: usize;
  bNorm: f64;
  tolerance: f64;
  /** ||b - A x||, as last computed from b, A and x. */
  residualNorm: f64;
  /** The residual norm that the recursion carries along. */
  estimate: f64;
  /** The true one when the recursive one last met the tolerance in vain. */
  claimedNorm: f64;
  /** The recursive one is believed: an inner solve, whose outer loop computes the residual anyway. */
  inner: bool;
}

/** Where the vectors of a workspace begin, after a record of `record` bytes. */
export function firstVector(workspace: usize, record: usize): usize {
  return (workspace + record + 63) & ~63;
}

/**
 * Fills the record and computes r = b - A x. `zeroStart`: x is to be 0 (it is set), so r = b costs no product.
 * May end the solve at once: b = 0 has x = 0, the start may be good enough, or something is not finite.
 */
export function begin(
  it: Iteration,
  operator: usize,
  preconditioner: usize,
  b: usize,
  x: usize,
  r: usize,
  rtol: f64,
  atol: f64,
  maxiter: i32,
  zeroStart: bool,
  history: usize,
  historyCapacity: i32,
): void {
  const n = changetype<Operator>(operator).n;
  it.n = n;
  it.status = RUNNING;
  it.iterations = 0;
  it.maxiter = maxiter;
  it.matvecs = 0;
  it.operator = operator;
  it.preconditioner = preconditioner;
  it.b = b;
  it.x = x;
  it.history = history;
  it.historyCapacity = historyCapacity;
  it.historyCount = 0;
  it.claimedNorm = Infinity;
  it.inner = false;
  it.bNorm = norm2(n, b);
  it.tolerance = max(rtol * it.bNorm, atol);
  if (zeroStart || it.bNorm == 0) {
    zero(n, x);
    copy(n, b, r);
    it.residualNorm = it.bNorm;
  } else {
    trueResidual(it, r);
  }
  record(it, it.residualNorm);
  if (!isFinite(it.residualNorm)) it.status = NON_FINITE;
  else if (it.residualNorm <= it.tolerance) it.status = CONVERGED;
  else if (maxiter <= 0) it.status = MAX_ITERATIONS;
}

/** r <- b - A x; keeps and returns its norm. Where A does not see that x has overflowed, this does: NaN. */
export function trueResidual(it: Iteration, r: usize): f64 {
  applyOperator(it.operator, it.x, r);
  it.matvecs++;
  subtract(it.n, it.b, r, r);
  // The sum of squares is the faster test, and settles it unless it overflows.
  const finite = isFinite(dot(it.n, it.x, it.x)) || isFinite(maxAbs(it.n, it.x));
  it.residualNorm = finite ? norm2(it.n, r) : NaN;
  return it.residualNorm;
}

/** Notes the residual norm of the recursion, in the history too if there is one with room. */
export function record(it: Iteration, norm: f64): void {
  it.estimate = norm;
  if (it.historyCount >= it.historyCapacity) return;
  store<f64>(it.history + (<usize>it.historyCount << 3), norm);
  it.historyCount++;
}

/** The recursive residual meets the tolerance: does the true one? r gets it, for a new start if need be. */
export function claim(it: Iteration, r: usize): void {
  if (it.inner) {
    it.status = CONVERGED;
    it.residualNorm = it.estimate;
    return;
  }
  const norm = trueResidual(it, r);
  if (norm <= it.tolerance) it.status = CONVERGED;
  else if (!isFinite(norm)) it.status = NON_FINITE;
  else if (norm > 0.5 * it.claimedNorm) it.status = STAGNATED;
  else if (it.iterations >= it.maxiter) it.status = MAX_ITERATIONS;
  it.claimedNorm = norm;
}

/** Ends the solve with `status`, unless the true residual says better or worse. r is scratch. */
export function finish(it: Iteration, status: i32, r: usize): void {
  const norm = trueResidual(it, r);
  if (!isFinite(norm)) it.status = NON_FINITE;
  else if (norm <= it.tolerance) it.status = CONVERGED;
  else it.status = status;
}

/**
 * After `init`: makes this an inner solve of a non-linear loop, which may end when the residual is down to `share`
 * of the start's, also where that is above the tolerance. BiCGSTAB and CG then believe the residual of their
 * recursion: the loop computes that of its next iterate anyway.
 */
export function loosen(workspace: usize, share: f64): void {
  const it = changetype<Iteration>(workspace);
  it.tolerance = max(it.tolerance, share * it.residualNorm);
  it.inner = true;
}

export function statusOf(workspace: usize): i32 {
  return changetype<Iteration>(workspace).status;
}

export function iterationsOf(workspace: usize): i32 {
  return changetype<Iteration>(workspace).iterations;
}

export function matvecsOf(workspace: usize): i32 {
  return changetype<Iteration>(workspace).matvecs;
}

export function residualNormOf(workspace: usize): f64 {
  return changetype<Iteration>(workspace).residualNorm;
}

export function estimateOf(workspace: usize): f64 {
  return changetype<Iteration>(workspace).estimate;
}

export function rightHandSideNormOf(workspace: usize): f64 {
  return changetype<Iteration>(workspace).bNorm;
}

/** Entries in the history since it was last taken; empties it. */
export function takeHistory(workspace: usize): i32 {
  const it = changetype<Iteration>(workspace);
  const count = it.historyCount;
  it.historyCount = 0;
  return count;
}
