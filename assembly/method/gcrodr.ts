// GCRO-DR(m, k), preconditioned from the right (Parks, de Sturler, Mackey, Johnson and Maiti 2006, SIAM J. Sci.
// Comput. 28(5), 1651-1674): GMRES within the orthogonal complement of C = A M^-1 U, where U is a space of at most k
// vectors that slow GMRES down, kept from cycle to cycle and, if the host says so, from matrix to matrix.
//
// A cycle makes A M^-1 [U V_p] = [C V_{p+1}] G with G = [I B; 0 H], of at most m columns altogether. Afterwards U
// becomes the space of the harmonic Ritz vectors of smallest modulus in [U V_p]. They are taken from an ordered Schur
// form, which has an orthonormal basis of their span also for complex pairs and where vectors nearly coincide.
//
// Without columns in U a cycle is one of GMRES(m).

import { applyPreconditioner } from '../preconditioner/preconditioner';
import { orthogonalize } from '../subspace/arnoldi';
import { combineSize, Recycle } from '../subspace/recycle';
import { blockUpdate } from '../vector/block';
import { axpy, copy, zero } from '../vector/vector';
import { enter, Gcrodr, multiply, renew } from './gcrodr-space';
import { NO_PROGRESS, rotate, solveTriangular } from './gmres';
import { begin, finish, firstVector, record, trueResidual, vectorStride } from './iteration';
import { BREAKDOWN, CONVERGED, MAX_ITERATIONS, NON_FINITE, RUNNING, STAGNATED } from './iteration';

/** Bytes of a workspace; a float, since it may be more than there is. */
export function gcrodrSize(n: i32, restart: i32): f64 {
  const m: f64 = restart;
  const small = 3 * m * (m + 1) + 2 * m * m + 6 * (2 * m + 16);
  const vectors = (m + 2) * <f64>vectorStride(n);
  return <f64>(offsetof<Gcrodr>() + 64) + vectors + 8 * small + <f64>combineSize(restart);
}

/**
 * See `begin` for the parameters; `restart` is m, and `space` a `Recycle` of at least one column. The space is used,
 * as far as m - 1 columns, and renewed. Where A M^-1 is what it was at the end of the last solve, two products say so;
 * else there is one for each column. Returns the status.
 */
export function gcrodrInit(
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
  space: usize,
): i32 {
  const it = changetype<Gcrodr>(workspace);
  it.z = firstVector(workspace, offsetof<Gcrodr>());
  begin(it, operator, preconditioner, b, x, it.z, rtol, atol, maxiter, zeroStart, history, historyCapacity);
  const stride = vectorStride(it.n);
  const m = <usize>restart;
  const line = (m + m + 16) << 3;
  const matrix = (m * (m + 1)) << 3;
  it.restart = restart;
  it.left = false;
  it.W = it.z + stride;
  it.G = it.W + (m + 1) * stride;
  it.R = it.G + matrix;
  it.S = it.R + matrix;
  it.K = it.S + matrix;
  it.Z = it.K + ((m * m) << 3);
  it.cosines = it.Z + ((m * m) << 3);
  it.sines = it.cosines + line;
  it.g = it.sines + line;
  it.work = it.g + line;
  it.share = it.work + line;
  it.weights = it.share + line;
  it.buffer = it.weights + line;
  it.space = space;
  it.dim = min(changetype<Recycle>(space).dim, restart - 1);
  it.recycled = 0;
  it.columns = 0;
  it.idle = 0;
  if (it.status == RUNNING && it.dim > 0) enter(it);
  if (it.status == RUNNING) startCycle(it);
  return it.status;
}

/** At most `count` iterations more. Returns the status. x is up to date at the end of a cycle only. */
export function gcrodrStep(workspace: usize, count: i32): i32 {
  const it = changetype<Gcrodr>(workspace);
  for (; it.status == RUNNING && count > 0; count--) iterate(it);
  return it.status;
}

/** From the residual in z: its part within the span of C is set aside, which U can solve for. */
function startCycle(it: Gcrodr): void {
  const n = it.n;
  const k = it.recycled;
  const stride = vectorStride(n);
  it.V = it.W + <usize>k * stride;
  it.H = it.G + ((<usize>k * <usize>(it.restart + 1) + <usize>k) << 3);
  it.startNorm = it.residualNorm;
  it.columns = 0;
  it.largest = 0;
  copy(n, it.z, it.V);
  const norm = orthogonalize(n, k, it.W, stride, it.V, it.share, it.work);
  if (!isFinite(it.startNorm)) return finish(it, NON_FINITE, it.z);
  if (it.startNorm == 0) return finish(it, BREAKDOWN, it.z);
  store<f64>(it.g, norm);
  if (norm <= it.tolerance) endCycle(it, false, true);
}

function iterate(it: Gcrodr): void {
  const n = it.n;
  const j = it.columns;
  const k = it.recycled;
  const stride = vectorStride(n);
  const v = it.V + <usize>j * stride;
  const w = v + stride;
  multiply(it, v, w, it.z);
  it.iterations++;
  const lead = <usize>(it.restart + 1) << 3;
  const column = it.G + <usize>(k + j) * lead;
  memory.fill(column, 0, lead);
  // The strict test, other than in GMRES: V becomes C, and what is lost in one cycle doubles in each of the next.
  const norm = orthogonalize(n, k + j + 1, it.W, stride, w, column, it.work);
  if (!isFinite(load<f64>(column))) return finish(it, NON_FINITE, it.z);
  const estimate = rotate(it, j, <usize>j * lead);
  it.columns = j + 1;
  record(it, estimate);
  if (norm == 0 || estimate <= it.tolerance || k + j + 1 == it.restart || it.iterations >= it.maxiter) {
    endCycle(it, norm == 0, estimate <= it.tolerance);
  }
}

/** x <- x + M^-1 (U y + V s) with H s = g and y = C' r - B s, then decides how to go on. */
function endCycle(it: Gcrodr, brokeDown: bool, claimed: bool): void {
  const n = it.n;
  const k = it.recycled;
  const p = it.columns;
  const stride = vectorStride(n);
  const lead = <usize>(it.restart + 1) << 3;
  const space = changetype<Recycle>(it.space);
  solveTriangular(it);
  blockUpdate(k, p, -1, it.G + <usize>k * lead, lead, it.work, it.share);
  zero(n, it.z);
  blockUpdate(n, p, 1, it.V, stride, it.work, it.z);
  blockUpdate(n, k, 1, space.U, stride, it.share, it.z);
  // Only a space that is kept has a use for what the last cycle learnt.
  const last = claimed || it.iterations >= it.maxiter;
  if (p > 0 && it.dim > 0 && (space.C != 0 || !last)) renew(it, brokeDown);
  if (it.preconditioner) {
    const scratch = it.W + <usize>it.restart * stride;
    applyPreconditioner(it.preconditioner, it.z, scratch);
    axpy(n, 1, scratch, it.x);
  } else {
    axpy(n, 1, it.z, it.x);
  }
  const norm = trueResidual(it, it.z);
  // A claim that proved wrong is worth a try from the new residual only if it won something. After a whole cycle that
  // won nothing the next has another space, once.
  const ended = brokeDown || claimed;
  const least = ended ? 0.5 * it.startNorm : NO_PROGRESS * it.startNorm;
  it.idle = norm > least ? it.idle + 1 : 0;
  const whole = k + p == it.restart && it.idle > (it.recycled > 0 ? 1 : 0);
  if (norm <= it.tolerance) it.status = CONVERGED;
  else if (!isFinite(norm)) it.status = NON_FINITE;
  else if (it.idle > 0 && (ended || whole)) it.status = brokeDown ? BREAKDOWN : STAGNATED;
  else if (it.iterations >= it.maxiter) it.status = MAX_ITERATIONS;
  if (it.status == RUNNING) startCycle(it);
}
