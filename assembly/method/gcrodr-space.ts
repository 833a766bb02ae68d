// The space of GCRO-DR: U and C = A M^-1 U, brought up to date when a solve begins, and renewed after each cycle.

import { applyOperator } from '../operator/operator';
import { applyPreconditioner } from '../preconditioner/preconditioner';
import { orthogonalize } from '../subspace/arnoldi';
import { combine, inner, Recycle } from '../subspace/recycle';
import { schur } from '../subspace/schur';
import { blockUpdate } from '../vector/block';
import { axpy, copy, distanceSquared, norm2, scale, zero } from '../vector/vector';
import { Gmres, SINGULAR } from './gmres';
import { vectorStride } from './iteration';

/** A column of A M^-1 U of which less than this share is new goes, with its vector: the rest is rounding errors. */
const DEPENDENT: f64 = 1e-10;
/**
 * Images that are so near those of the last solve say that A M^-1 is the same: a cycle that believes it reduces the
 * residual by as much, and the next begins from the true one.
 */
const SAME: f64 = 1e-8;

@unmanaged
export class Gcrodr extends Gmres {
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

/** w <- A M^-1 v; with a preconditioner w may be v. */
export function multiply(it: Gcrodr, v: usize, w: usize, scratch: usize): void {
  if (it.preconditioner) {
    applyPreconditioner(it.preconditioner, v, scratch);
    applyOperator(it.operator, scratch, w);
  } else {
    applyOperator(it.operator, v, w);
  }
  it.matvecs++;
}

/** Brings the images of the space that came in up to date, and U with them. */
export function enter(it: Gcrodr): void {
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

/**
 * U <- the space of the harmonic Ritz vectors of A M^-1 of smallest modulus in [U V_p], C <- its image. They are
 * V z with G' G z = theta G' W' V z, here G^+ W' V z = z / theta. The rotations have made G = [I B; 0 Q R] already.
 */
export function renew(it: Gcrodr, brokeDown: bool): void {
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
