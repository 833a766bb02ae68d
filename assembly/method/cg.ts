// Conjugate gradients with a preconditioner (Hestenes and Stiefel 1952; Saad 2003, algorithm 9.1), for symmetric
// positive definite A and M. Started anew from the true residual as BiCGSTAB is.

import { applyOperator } from '../operator/operator';
import { applyPreconditioner } from '../preconditioner/preconditioner';
import { axpy, copy, dot, norm2, subtractScaledAndSquare, xpay } from '../vector/vector';
import { begin, claim, finish, firstVector, Iteration, record, trueResidual, vectorStride } from './iteration';
import { BREAKDOWN, MAX_ITERATIONS, NON_FINITE, RUNNING } from './iteration';

/** Below this share of ||p|| ||A p||, p' A p is taken for zero: only rounding errors are left in it. */
const ORTHOGONAL: f64 = 1e-14;

@unmanaged
class Cg extends Iteration {
  r: usize;
  p: usize;
  /** A p */
  q: usize;
  /** M^-1 r; without a preconditioner r itself. */
  z: usize;
  /** r' z of the iteration before; 0: the next direction is z alone. */
  rho: f64;
}

/** Bytes of a workspace; a float, since it may be more than there is. */
export function cgSize(n: i32, preconditioned: bool): f64 {
  return <f64>(offsetof<Cg>() + 64) + <f64>(preconditioned ? 4 : 3) * <f64>vectorStride(n);
}

/** See `begin` for the parameters. Returns the status. */
export function cgInit(
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
  const it = changetype<Cg>(workspace);
  it.r = firstVector(workspace, offsetof<Cg>());
  begin(it, operator, preconditioner, b, x, it.r, rtol, atol, maxiter, zeroStart, history, historyCapacity);
  const stride = vectorStride(it.n);
  it.p = it.r + stride;
  it.q = it.p + stride;
  it.z = preconditioner ? it.q + stride : it.r;
  it.rho = 0;
  return it.status;
}

/** At most `count` iterations more. Returns the status. */
export function cgStep(workspace: usize, count: i32): i32 {
  const it = changetype<Cg>(workspace);
  for (; it.status == RUNNING && count > 0; count--) iterate(it);
  return it.status;
}

function iterate(it: Cg): void {
  const n = it.n;
  // z <- M^-1 r, p <- z + (rho / rhoBefore) p
  if (it.preconditioner) applyPreconditioner(it.preconditioner, it.r, it.z);
  const rho = dot(n, it.r, it.z);
  if (it.rho == 0) copy(n, it.z, it.p);
  else xpay(n, it.z, rho / it.rho, it.p);
  it.rho = rho;
  // q <- A p, alpha <- rho / p'q
  applyOperator(it.operator, it.p, it.q);
  it.matvecs++;
  const curvature = dot(n, it.p, it.q);
  // Not positive: A (or M) is not positive definite, and a step would lead anywhere. NaN ends here as well.
  const least = ORTHOGONAL * norm2(n, it.p) * norm2(n, it.q);
  if (!(curvature > least) || !(rho > 0)) return finish(it, BREAKDOWN, it.q);
  const alpha = rho / curvature;
  // x <- x + alpha p, r <- r - alpha q
  axpy(n, alpha, it.p, it.x);
  const norm = sqrt(subtractScaledAndSquare(n, alpha, it.q, it.r));
  it.iterations++;
  record(it, norm);
  if (!isFinite(norm)) finish(it, NON_FINITE, it.q);
  else if (norm <= it.tolerance) verify(it);
  else if (it.iterations >= it.maxiter) finish(it, MAX_ITERATIONS, it.q);
}

/** The recursive residual meets the tolerance. If the true one does not, goes on from it. */
function verify(it: Cg): void {
  claim(it, it.r);
  it.rho = 0;
}
