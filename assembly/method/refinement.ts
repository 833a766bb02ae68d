// Iterative refinement: x <- x + M^-1 (b - A x), M the factors of A or of a matrix near it (Wilkinson 1963; Higham 2002,
// chapter 12). With a direct solver's factors the first step is the solve itself. It ends when the tolerance is met, or
// when a step hardly lowers the true residual; a step that would raise it is taken back.

import { applyPreconditioner } from '../preconditioner/preconditioner';
import { axpy, copy } from '../vector/vector';
import {
  BREAKDOWN,
  begin,
  CONVERGED,
  finish,
  firstVector,
  Iteration,
  MAX_ITERATIONS,
  NON_FINITE,
  RUNNING,
  record,
  STAGNATED,
  trueResidual,
  vectorStride,
} from './iteration';

/** A step that leaves more than this share of the residual is the last one. */
const SLOWEST: f64 = 0.9;

@unmanaged
class Refinement extends Iteration {
  r: usize;
  /** M^-1 r */
  z: usize;
  /** The x before the step. */
  kept: usize;
}

/** Bytes of a workspace; a float, since it may be more than there is. */
export function refinementSize(n: i32): f64 {
  return <f64>(offsetof<Refinement>() + 64) + 3 * <f64>vectorStride(n);
}

/** See `begin` for the parameters. Without a preconditioner there are no factors: a breakdown. Returns the status. */
export function refinementInit(
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
): i32 {
  const it = changetype<Refinement>(workspace);
  it.r = firstVector(workspace, offsetof<Refinement>());
  begin(it, operator, preconditioner, b, x, it.r, rtol, atol, maxiter, zeroStart, history, historyCapacity);
  const stride = vectorStride(it.n);
  it.z = it.r + stride;
  it.kept = it.z + stride;
  if (it.status == RUNNING && !preconditioner) finish(it, BREAKDOWN, it.r);
  return it.status;
}

/** At most `count` steps more. Returns the status. */
export function refinementStep(workspace: usize, count: i32): i32 {
  const it = changetype<Refinement>(workspace);
  for (; it.status == RUNNING && count > 0; count--) improve(it);
  return it.status;
}

function improve(it: Refinement): void {
  const n = it.n;
  const before = it.residualNorm;
  copy(n, it.x, it.kept);
  applyPreconditioner(it.preconditioner, it.r, it.z);
  axpy(n, 1, it.z, it.x);
  const norm = trueResidual(it, it.r);
  it.iterations++;
  if (norm <= it.tolerance) {
    it.status = CONVERGED;
  } else if (!(norm < before)) {
    copy(n, it.kept, it.x);
    finish(it, isFinite(norm) ? STAGNATED : NON_FINITE, it.r);
  } else if (norm > SLOWEST * before) {
    it.status = STAGNATED;
  } else if (it.iterations >= it.maxiter) {
    it.status = MAX_ITERATIONS;
  }
  record(it, it.residualNorm);
}
