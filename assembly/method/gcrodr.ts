// GCRO-DR(m, k), preconditioned from the right (Parks, de Sturler, Mackey, Johnson and Maiti 2006, SIAM J. Sci.
// Comput. 28(5), 1651-1674): GMRES within the orthogonal complement of C = A M^-1 U, where U is a space of at most k
// vectors that slow GMRES down, kept from cycle to cycle and, if the host says so, from matrix to matrix.
//
// A cycle makes A M^-1 [U V_p] = [C V_{p+1}] G with G = [I B; 0 H], of at most m columns altogether. Afterwards U
// becomes the space of the harmonic Ritz vectors of smallest modulus in [U V_p]. They are taken from an ordered Schur
// form, which has an orthonormal basis of their span also for complex pairs and where vectors nearly coincide.
//
// Without columns in U a cycle is one of GMRES(m).

import { applyOperator } from '../operator/operator';
import { applyPreconditioner } from '../preconditioner/preconditioner';
import { LOOSE, orthogonalize, orthogonalizeTo } from '../subspace/arnoldi';
import { combine, combineSize, inner, Recycle } from '../subspace/recycle';
import { schur } from '../subspace/schur';
import { blockUpdate } from '../vector/block';
import { axpy, copy, distanceSquared, norm2, scale, zero } from '../vector/vector';
import { Gmres, NO_PROGRESS, rotate, SINGULAR, solveTriangular } from './gmres';
import { begin, finish, firstVector, record, trueResidual, vectorStride } from './iteration';
import { BREAKDOWN, CONVERGED, MAX_ITERATIONS, NON_FINITE, RUNNING, STAGNATED } from './iteration';

/** A column of A M^-1 U of which less than this share is new goes, with its vector: the rest is rounding errors. */
const DEPENDENT: f64 = 1e-10;
/**
 * Images that are so near those of the last solve say that A M^-1 is the same: a cycle that believes it reduces the
 * residual by as much, and the next begins from the true one.
 */
const SAME: f64 = 1e-8;

@unmanaged
class Gcrodr extends Gmres {
  /** A `Recycle`; its U is the method's own. */
  space: usize;
  /** Most columns of U, and those of the present cycle. */
  dim: i32;
  recycled: i32;
  /** m + 1 columns, C and V. */
  W: usize;
  /** By columns of m + 1, but for its first columns, which are the identity's. */
  G: usize;
  /** C' r at the start of the cycle, in m + 1. */
  share: usize;
  /** Cycles in a row that won nothing. */
  idle: i32;
  /** 1 / ||u|| of the columns of U. */
  weights: usize;
  /** Small matrices: that of the harmonic Ritz values, its Schur vectors, and images in terms of W. */
  K: usize;
  Z: usize;
  S: usize;
  buffer: usize;
}

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

/** w <- A M^-1 v; with a preconditioner w may be v. */
function multiply(it: Gcrodr, v: usize, w: usize, scratch: usize): void {
  if (it.preconditioner) {
    applyPreconditioner(it.preconditioner, v, scratch);
    applyOperator(it.operator, scratch, w);
  } else {
    applyOperator(it.operator, v, w);
  }
  it.matvecs++;
}

/** Brings the images of the space that came in up to date, and U with them. */
function enter(it: Gcrodr): void {
  const n = it.n;
  const space = changetype<Recycle>(it.space);
  const stride = vectorStride(n);
  const size = min(space.size, it.dim);
  if (size == 0) return;
  const scratch = it.W + <usize>it.restart * stride;
  multiply(it, space.U, it.W, scratch);
  if (sqrt(distanceSquared(n, it.W, space.C)) <= SAME && keepsImages(it, size)) {
    memory.copy(it.W, space.C, <usize>size * stride);
    it.recycled = size;
    space.size = size;
    return;
  }
  for (let j: usize = 1; j < <usize>size; j++) multiply(it, space.U + j * stride, it.W + j * stride, scratch);
  // From here on nothing of the host's runs: U and C change together.
  let kept = 0;
  for (let j = 0; j < size; j++) {
    const w = it.W + <usize>kept * stride;
    const u = space.U + <usize>kept * stride;
    if (kept < j) {
      copy(n, it.W + <usize>j * stride, w);
      copy(n, space.U + <usize>j * stride, u);
    }
    const norm = orthogonalize(n, kept, it.W, stride, w, it.share, it.work);
    if (!(norm > DEPENDENT * norm2(kept + 1, it.share))) continue;
    blockUpdate(n, kept, -1, space.U, stride, it.share, u);
    scale(n, 1 / norm, u);
    kept++;
  }
  it.recycled = kept;
  saveImages(it);
}

/** Does a mixture of all columns, too, have the image that it had? */
function keepsImages(it: Gcrodr, size: i32): bool {
  const n = it.n;
  const space = changetype<Recycle>(it.space);
  const stride = vectorStride(n);
  const v = it.W + <usize>(it.restart - 1) * stride;
  const scratch = v + stride;
  for (let j = 0; j < size; j++) store<f64>(it.work + (<usize>j << 3), 1 - <f64>j / <f64>(2 * size));
  zero(n, v);
  blockUpdate(n, size, 1, space.U, stride, it.work, v);
  const w = it.preconditioner ? v : scratch;
  multiply(it, v, w, scratch);
  blockUpdate(n, size, -1, space.C, stride, it.work, w);
  return norm2(n, w) <= SAME * norm2(size, it.work);
}

function saveImages(it: Gcrodr): void {
  const space = changetype<Recycle>(it.space);
  space.size = it.recycled;
  if (space.C) memory.copy(space.C, it.W, <usize>it.recycled * vectorStride(it.n));
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
  const norm = it.preconditioner
    ? orthogonalizeTo(LOOSE, n, k + j + 1, it.W, stride, w, column, it.work)
    : orthogonalize(n, k + j + 1, it.W, stride, w, column, it.work);
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

/**
 * U <- the space of the harmonic Ritz vectors of A M^-1 of smallest modulus in [U V_p], C <- its image. They are
 * V z with G' G z = theta G' W' V z, here G^+ W' V z = z / theta. The rotations have made G = [I B; 0 Q R] already.
 */
function renew(it: Gcrodr, brokeDown: bool): void {
  const n = it.n;
  const k = it.recycled;
  const p = it.columns;
  const q = k + p;
  const rows = brokeDown ? q : q + 1;
  const stride = vectorStride(n);
  const lead = <usize>(it.restart + 1) << 3;
  const U = changetype<Recycle>(it.space).U;
  if (!solvable(it)) return;
  for (let j: usize = 0; j < <usize>k; j++) store<f64>(it.weights + (j << 3), 1 / norm2(n, U + j * stride));
  // S holds W' U for now.
  inner(n, rows, it.W, k, U, stride, it.S, lead, it.work);
  for (let j = 0; j < q; j++) harmonicColumn(it, j, rows);
  if (!schur(q, it.K, it.Z, it.work)) return;
  let count = min(it.dim, q);
  // A pair stays together.
  if (count < q && load<f64>(it.K + ((<usize>(count - 1) * <usize>q + <usize>count) << 3)) != 0) count--;
  count = orthonormalImages(it, count, rows);
  if (count == 0) return;
  combine(n, k, U, p, it.V, stride, count, it.Z, <usize>q << 3, it.buffer);
  combine(n, k, it.W, rows - k, it.V, stride, count, it.S, lead, it.buffer);
  it.recycled = count;
  saveImages(it);
}

/** R has no zero on its diagonal. */
function solvable(it: Gcrodr): bool {
  const lead = <usize>(it.restart + 1) << 3;
  for (let j: usize = 0; j < <usize>it.columns; j++) {
    if (!(load<f64>(it.R + j * lead + (j << 3)) > SINGULAR * it.largest)) return false;
  }
  return true;
}

/** Column j of K = G^+ W' [U V_p], with columns of U scaled to 1. */
function harmonicColumn(it: Gcrodr, j: i32, rows: i32): void {
  const k = it.recycled;
  const p = it.columns;
  const lead = <usize>(it.restart + 1) << 3;
  const f = it.work;
  memory.fill(f, 0, <usize>(k + p + 1) << 3);
  if (j < k) {
    memory.copy(f, it.S + <usize>j * lead, <usize>rows << 3);
    scale(rows, load<f64>(it.weights + (<usize>j << 3)), f);
  } else {
    store<f64>(f + (<usize>j << 3), 1);
  }
  const lower = f + (<usize>k << 3);
  for (let i: usize = 0; i < <usize>p << 3; i += 8) {
    const c = load<f64>(it.cosines + i);
    const s = load<f64>(it.sines + i);
    const first = load<f64>(lower + i);
    const second = load<f64>(lower + i, 8);
    store<f64>(lower + i, c * first + s * second);
    store<f64>(lower + i, c * second - s * first, 8);
  }
  for (let i = p - 1; i >= 0; i--) {
    const column = it.R + <usize>i * lead;
    const y = load<f64>(lower + (<usize>i << 3)) / load<f64>(column + (<usize>i << 3));
    store<f64>(lower + (<usize>i << 3), y);
    axpy(i, -y, column, lower);
  }
  blockUpdate(k, p, -1, it.G + <usize>k * lead, lead, lower, f);
  for (let i: usize = 0; i < <usize>k << 3; i += 8) store<f64>(f + i, load<f64>(f + i) / load<f64>(it.weights + i));
  memory.copy(it.K + ((<usize>j * <usize>(k + p)) << 3), f, <usize>(k + p) << 3);
}

/**
 * From the first `count` columns of Z: S <- the orthonormal factor of G Z, so that C <- W S, and Z <- what makes U of
 * [U V_p], each column by the same combination. Columns that depend on those before are left out; returns how many
 * are left.
 */
function orthonormalImages(it: Gcrodr, count: i32, rows: i32): i32 {
  const k = it.recycled;
  const p = it.columns;
  const q = k + p;
  const lead = <usize>(it.restart + 1) << 3;
  const bytes = <usize>q << 3;
  let kept = 0;
  for (let j: usize = 0; j < <usize>count; j++) {
    const z = it.Z + <usize>kept * bytes;
    const s = it.S + <usize>kept * lead;
    memory.copy(z, it.Z + j * bytes, bytes);
    for (let i: usize = 0; i < <usize>k << 3; i += 8) store<f64>(z + i, load<f64>(z + i) * load<f64>(it.weights + i));
    memory.fill(s, 0, lead);
    memory.copy(s, z, <usize>k << 3);
    blockUpdate(rows, p, 1, it.G + <usize>k * lead, lead, z + (<usize>k << 3), s);
    const norm = orthogonalize(rows, kept, it.S, lead, s, it.share, it.work);
    if (!(norm > DEPENDENT * norm2(kept + 1, it.share))) continue;
    blockUpdate(q, kept, -1, it.Z, bytes, it.share, z);
    scale(q, 1 / norm, z);
    kept++;
  }
  return kept;
}
