// A space that GCRO-DR keeps: columns U and their images C = A M^-1 U, C' C = I, for the matrix A and the
// preconditioner M that it was last used with. The columns come in the order of their worth.

import { blockDot, blockUpdate, vectorStride } from '../vector/block';
import { axpy } from '../vector/vector';

/** Rows that are taken at a time: those of thirty columns stay in the first cache. */
const ROWS: i32 = 128;

@unmanaged
export class Recycle {
  n: i32;
  /** Most columns. */
  dim: i32;
  /** Columns there are. */
  size: i32;
  U: usize;
  /** 0 in a space for one solve, whose method knows its own images. */
  C: usize;
}

/** Bytes; `images`: with room for C, for a space that goes from solve to solve. */
export function recycleSize(n: i32, dim: i32, images: bool): f64 {
  return <f64>(offsetof<Recycle>() + 64) + <f64>(images ? 2 : 1) * <f64>dim * <f64>vectorStride(n);
}

/** An empty space. */
export function recycleInit(space: usize, n: i32, dim: i32, images: bool): void {
  const it = changetype<Recycle>(space);
  it.n = n;
  it.dim = dim;
  it.size = 0;
  it.U = (space + offsetof<Recycle>() + 63) & ~63;
  it.C = images ? it.U + <usize>dim * vectorStride(n) : 0;
}

export function recycleClear(space: usize): void {
  changetype<Recycle>(space).size = 0;
}

export function recycleColumns(space: usize): i32 {
  return changetype<Recycle>(space).size;
}

/** U, each column `vectorStride(n)` bytes after the one before. */
export function recycleBasis(space: usize): usize {
  return changetype<Recycle>(space).U;
}

/** C, laid out as U. */
export function recycleImages(space: usize): usize {
  return changetype<Recycle>(space).C;
}

/** Bytes that `combine` needs for `count` columns. */
export function combineSize(count: i32): usize {
  return <usize>(count * ROWS) << 3;
}

/**
 * The first `count` columns of X <- [X V] S, where X has k columns, V has p, and S k + p rows, by columns `lead` bytes
 * apart. X and V are each a basis of columns `stride` bytes apart, and may follow one another.
 */
export function combine(
  n: i32,
  k: i32,
  X: usize,
  p: i32,
  V: usize,
  stride: usize,
  count: i32,
  S: usize,
  lead: usize,
  buffer: usize,
): void {
  for (let row = 0; row < n; row += ROWS) {
    const rows = min(ROWS, n - row);
    const bytes = <usize>rows << 3;
    const at = <usize>row << 3;
    memory.fill(buffer, 0, combineSize(count));
    for (let j = 0; j < count; j++) {
      const column = buffer + combineSize(j);
      const s = S + <usize>j * lead;
      blockUpdate(rows, k, 1, X + at, stride, s, column);
      blockUpdate(rows, p, 1, V + at, stride, s + (<usize>k << 3), column);
    }
    for (let j = 0; j < count; j++) memory.copy(X + <usize>j * stride + at, buffer + combineSize(j), bytes);
  }
}

/** F <- W' X, of w and k columns that are `stride` bytes apart; F by columns `lead` bytes apart. */
export function inner(
  n: i32,
  w: i32,
  W: usize,
  k: i32,
  X: usize,
  stride: usize,
  F: usize,
  lead: usize,
  work: usize,
): void {
  for (let j: usize = 0; j < <usize>k; j++) memory.fill(F + j * lead, 0, <usize>w << 3);
  for (let row = 0; row < n; row += ROWS) {
    const at = <usize>row << 3;
    for (let j: usize = 0; j < <usize>k; j++) {
      blockDot(min(ROWS, n - row), w, W + at, stride, X + j * stride + at, work);
      axpy(w, 1, work, F + j * lead);
    }
  }
}
