// The parts of `batch` by themselves, for the host; `single`: the lanes are f32.

import { multiplyCsrDotsLanes, multiplyCsrLanes, solveLanes } from './csr';
import { packLane as pack, unpackLane as unpack } from './lanes';

/** target[i * lanes + lane] <- source[i] */
export function packLane(n: i32, lanes: i32, single: bool, lane: i32, source: usize, target: usize): void {
  if (single) pack<f32>(n, lanes, lane, 1, source, target);
  else pack<f64>(n, lanes, lane, 1, source, target);
}

/** target[i] <- source[i * lanes + lane] */
export function unpackLane(n: i32, lanes: i32, single: bool, lane: i32, source: usize, target: usize): void {
  if (single) unpack<f32>(n, lanes, lane, source, target);
  else unpack<f64>(n, lanes, lane, source, target);
}

/** y <- A x */
export function csrMultiplyLanes(
  n: i32,
  lanes: i32,
  single: bool,
  indptr: usize,
  indices: usize,
  data: usize,
  x: usize,
  y: usize,
): void {
  if (single) multiplyCsrLanes<f32>(n, lanes, indptr, indices, data, x, y);
  else multiplyCsrLanes<f64>(n, lanes, indptr, indices, data, x, y);
}

/** As `csrMultiplyLanes`, and rows of sums besides, in f64: yw <- y'w, yy <- y'y. */
export function csrMultiplyDotsLanes(
  n: i32,
  lanes: i32,
  single: bool,
  indptr: usize,
  indices: usize,
  data: usize,
  x: usize,
  y: usize,
  w: usize,
  yw: usize,
  yy: usize,
): void {
  if (single) multiplyCsrDotsLanes<f32>(n, lanes, indptr, indices, data, x, y, w, yw, yy);
  else multiplyCsrDotsLanes<f64>(n, lanes, indptr, indices, data, x, y, w, yw, yy);
}

/** z <- U^-1 L^-1 r, of factors side by side. r and z may be the same. */
export function ilu0SolveLanes(
  n: i32,
  lanes: i32,
  single: bool,
  indptr: usize,
  indices: usize,
  data: usize,
  diagonal: usize,
  inverse: usize,
  r: usize,
  z: usize,
): void {
  if (single) solveLanes<f32>(n, lanes, indptr, indices, data, diagonal, inverse, r, z);
  else solveLanes<f64>(n, lanes, indptr, indices, data, diagonal, inverse, r, z);
}
