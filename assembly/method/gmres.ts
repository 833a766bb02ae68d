// GMRES(m), preconditioned from the right or from the left (Saad and Schultz 1986; Saad 2003, algorithms 9.4, 9.5).
//
// From the right, the residual that Givens rotations carry along is that of A x = b. From the left it is that of
// M^-1 A x = M^-1 b; the true one is then known at the end of a cycle only, and the cycle's own target is made
// stricter when a claim of convergence proves wrong.
//
// Without a preconditioner the basis of the last cycle and its Hessenberg matrix stay readable after the end:
// that is how a seed's Krylov subspace is made.

import { applyOperator } from '../operator/operator';
import { applyPreconditioner } from '../preconditioner/preconditioner';
import { LOOSE, orthogonalize, orthogonalizeTo } from '../subspace/arnoldi';
import { blockUpdate } from '../vector/block';
import { axpy, copy, norm2, scale, zero } from '../vector/vector';
import { begin, finish, firstVector, Iteration, record, trueResidual, vectorStride } from './iteration';
import { BREAKDOWN, CONVERGED, MAX_ITERATIONS, NON_FINITE, RUNNING, STAGNATED } from './iteration';

/** A cycle that leaves more than this share of the residual has stagnated: the next would repeat it. */
export const NO_PROGRESS: f64 = 1 - 1e-6;
/** A diagonal entry of R below this share of the largest is a singular direction, and not divided by. */
export const SINGULAR: f64 = 1e-14;

@unmanaged
export class Gmres extends Iteration {
  /** Dimension m of a cycle, and columns done in the present one. */
  restart: i32;
  columns: i32;
  left: bool;
  /** m + 1 columns. */
  V: usize;
  /** Scratch vector; between cycles the residual. */
  z: usize;
  /** Hessenberg matrix and its triangular factor, by columns of m + 1. */
  H: usize;
  R: usize;
  cosines: usize;
  sines: usize;
  /** Rotated right-hand side of the least-squares problem; m + 1. */
  g: usize;
  work: usize;
  /** Left: target of the present cycle is this share of its linear estimate. */
  strictness: f64;
  target: f64;
  /** True residual norm at the start of the cycle. */
  startNorm: f64;
  /** Largest diagonal entry of R in the cycle. */
  largest: f64;
}

/** Bytes of a workspace; a float, since it may be more than there is. */
export function gmresSize(n: i32, restart: i32): f64 {
  const m: f64 = restart;
  return <f64>(offsetof<Gmres>() + 64) + (m + 2) * <f64>vectorStride(n) + 8 * (2 * m + 4) * (m + 1);
}

/** See `begin` for the parameters; `restart` is m, `left` the side of the preconditioner. Returns the status. */
export function gmresInit(
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
  restart: i32,
  left: bool,
): i32 {
  const it = changetype<Gmres>(workspace);
  it.z = firstVector(workspace, offsetof<Gmres>());
  begin(it, operator, preconditioner, b, x, it.z, rtol, atol, maxiter, zeroStart, history, historyCapacity);
  const stride = vectorStride(it.n);
  const m = <usize>restart;
  it.restart = restart;
  it.left = left && preconditioner != 0;
  it.V = it.z + stride;
  it.H = it.V + (m + 1) * stride;
  it.R = it.H + ((m * (m + 1)) << 3);
  it.cosines = it.R + ((m * (m + 1)) << 3);
  it.sines = it.cosines + ((m + 1) << 3);
  it.g = it.sines + ((m + 1) << 3);
  it.work = it.g + ((m + 1) << 3);
  it.strictness = 1;
  it.columns = 0;
  if (it.status == RUNNING) startCycle(it);
  return it.status;
}

/** At most `count` iterations more. Returns the status. x is up to date at the end of a cycle only. */
export function gmresStep(workspace: usize, count: i32): i32 {
  const it = changetype<Gmres>(workspace);
  for (; it.status == RUNNING && count > 0; count--) iterate(it);
  return it.status;
}

/** The orthonormal columns of the last cycle, each `vectorStride(n)` bytes after the one before. */
export function gmresBasis(workspace: usize): usize {
  return changetype<Gmres>(workspace).V;
}

/** How many columns took part in the last cycle; one more is there unless it broke down. */
export function gmresColumns(workspace: usize): i32 {
  return changetype<Gmres>(workspace).columns;
}

/** The Hessenberg matrix of the last cycle, by columns of restart + 1. */
export function gmresHessenberg(workspace: usize): usize {
  return changetype<Gmres>(workspace).H;
}

/** From the residual in z. */
function startCycle(it: Gmres): void {
  const n = it.n;
  it.startNorm = it.residualNorm;
  it.columns = 0;
  it.largest = 0;
  let beta = it.residualNorm;
  if (it.left) {
    applyPreconditioner(it.preconditioner, it.z, it.V);
    beta = norm2(n, it.V);
  } else {
    copy(n, it.z, it.V);
  }
  if (!isFinite(beta)) return finish(it, NON_FINITE, it.z);
  if (beta == 0) return finish(it, BREAKDOWN, it.z);
  scale(n, 1 / beta, it.V);
  store<f64>(it.g, beta);
}

function iterate(it: Gmres): void {
  const n = it.n;
  const j = it.columns;
  // In the norm that the rotations carry along; it.g still is that of the start.
  if (j == 0) {
    const share = it.tolerance / it.startNorm;
    it.target = it.left ? it.strictness * load<f64>(it.g) * share : it.tolerance;
  }
  const stride = vectorStride(n);
  const v = it.V + <usize>j * stride;
  const w = v + stride;
  // w <- A M^-1 v, or M^-1 A v
  if (!it.preconditioner) {
    applyOperator(it.operator, v, w);
  } else if (it.left) {
    applyOperator(it.operator, v, it.z);
    applyPreconditioner(it.preconditioner, it.z, w);
  } else {
    applyPreconditioner(it.preconditioner, v, it.z);
    applyOperator(it.operator, it.z, w);
  }
  it.matvecs++;
  it.iterations++;
  const column = (<usize>j * <usize>(it.restart + 1)) << 3;
  // Without a preconditioner the basis may be kept as a seed's.
  const norm = it.preconditioner
    ? orthogonalizeTo(LOOSE, n, j + 1, it.V, stride, w, it.H + column, it.work)
    : orthogonalize(n, j + 1, it.V, stride, w, it.H + column, it.work);
  if (!isFinite(load<f64>(it.H + column))) return finish(it, NON_FINITE, it.z);
  const estimate = rotate(it, j, column);
  it.columns = j + 1;
  record(it, estimate);
  if (norm == 0 || estimate <= it.target || it.columns == it.restart || it.iterations >= it.maxiter) {
    endCycle(it, norm == 0, estimate <= it.target);
  }
}

/** Brings column j of H to triangular form in R, and g along. Returns the residual norm that is left. */
export function rotate(it: Gmres, j: i32, column: usize): f64 {
  const r = it.R + column;
  memory.copy(r, it.H + column, <usize>(j + 2) << 3);
  for (let i: usize = 0; i < <usize>j << 3; i += 8) {
    const c = load<f64>(it.cosines + i);
    const s = load<f64>(it.sines + i);
    const upper = load<f64>(r + i);
    const lower = load<f64>(r + i, 8);
    store<f64>(r + i, c * upper + s * lower);
    store<f64>(r + i, c * lower - s * upper, 8);
  }
  const at = <usize>j << 3;
  const upper = load<f64>(r + at);
  const lower = load<f64>(r + at, 8);
  const radius = Math.hypot(upper, lower);
  // A singular direction: nothing can be won by it, and the residual stays as it was.
  const singular = lower == 0 && radius <= SINGULAR * it.largest;
  it.largest = max(it.largest, radius);
  const c = singular ? 1 : upper / radius;
  const s = singular ? 0 : lower / radius;
  store<f64>(it.cosines + at, c);
  store<f64>(it.sines + at, s);
  store<f64>(r + at, radius);
  const value = load<f64>(it.g + at);
  store<f64>(it.g + at, c * value);
  store<f64>(it.g + at, -s * value, 8);
  return singular ? abs(value) : abs(s * value);
}

/** x <- x + M^-1 V y with R y = g, then decides how to go on. */
function endCycle(it: Gmres, brokeDown: bool, claimed: bool): void {
  const n = it.n;
  solveTriangular(it);
  zero(n, it.z);
  blockUpdate(n, it.columns, 1, it.V, vectorStride(n), it.work, it.z);
  if (it.preconditioner && !it.left) {
    applyPreconditioner(it.preconditioner, it.z, it.V);
    axpy(n, 1, it.V, it.x);
  } else {
    axpy(n, 1, it.z, it.x);
  }
  const norm = trueResidual(it, it.z);
  // A claim that proved wrong is worth a try from the new residual only if it won something. A cycle that maxiter
  // cut short says nothing about the next.
  const ended = brokeDown || (claimed && !it.left);
  const least = ended ? 0.5 * it.startNorm : NO_PROGRESS * it.startNorm;
  const whole = ended || it.columns == it.restart;
  if (norm <= it.tolerance) it.status = CONVERGED;
  else if (!isFinite(norm)) it.status = NON_FINITE;
  else if (whole && norm > least) it.status = brokeDown ? BREAKDOWN : STAGNATED;
  else if (it.iterations >= it.maxiter) it.status = MAX_ITERATIONS;
  if (claimed) it.strictness *= 0.25;
  if (it.status == RUNNING) startCycle(it);
}

/** work <- y with R y = g, leaving out directions in which R is singular. */
export function solveTriangular(it: Gmres): void {
  const size = it.columns;
  const stride = <usize>(it.restart + 1) << 3;
  memory.copy(it.work, it.g, <usize>size << 3);
  for (let j = size - 1; j >= 0; j--) {
    const at = it.work + (<usize>j << 3);
    const column = it.R + <usize>j * stride;
    const diagonal = load<f64>(column + (<usize>j << 3));
    const y = diagonal > SINGULAR * it.largest ? load<f64>(at) / diagonal : 0;
    store<f64>(at, y);
    axpy(j, -y, column, it.work);
  }
}
