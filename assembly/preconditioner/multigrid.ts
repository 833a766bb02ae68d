// Multigrid as a preconditioner for five-point matrices on an H x W grid, pixel k = i W + j: one V-cycle in f32,
// with red-black Gauss-Seidel sweeps. Sweeps before are red-black, those after black-red, so that the cycle is
// symmetric where the matrix is. It is linear but for rounding, and always the same: nothing in it depends on r.

import { coarsen } from './multigrid-coarsen';
import { prolong, relax, restrict } from './multigrid-cycle';
import { describe, Level, placeCouplings, placeVectors, vectorBytes } from './multigrid-level';
import { takeMatrix } from './multigrid-matrix';
import { enter, largest, leave, powerOfTwo } from './multigrid-transfer';

/** Levels of a grid with 2^31 cells in a row. */
const MOST_LEVELS: i32 = 32;

@unmanaged
class Multigrid {
  /** Red-black sweeps before and after the next level's turn. */
  sweeps: i32;
  count: i32;
  /** Of the first level's vectors: first / a_ii. */
  redInverse: usize;
  blackInverse: usize;
  /** All vectors of all levels lie together. */
  vectors: usize;
  vectorsEnd: usize;
  /** Absolute value of the matrix's first diagonal entry. */
  first: f64;
}

// @ts-ignore: decorator
@inline
function levelOf(multigrid: usize, l: i32): Level {
  return changetype<Level>(multigrid + offsetof<Multigrid>() + <usize>l * offsetof<Level>());
}

/** Bytes of a multigrid; a float, since it may be more than there is. */
export function multigridSize(height: i32, width: i32): f64 {
  // A red and a black cell have 32 bytes of couplings, 16 of vectors and 4 of shares, and 8 of inverses on the first
  // level. Rows have idle numbers at their ends.
  let bytes: f64 = <f64>(offsetof<Multigrid>() + <usize>MOST_LEVELS * (offsetof<Level>() + 512) + 64);
  let h = <f64>height;
  let w = <f64>width;
  const first = (h + 3) * (w / 2 + 5) * 8;
  for (; h > 1 || w > 1; h = Math.ceil(h / 2), w = Math.ceil(w / 2)) bytes += (h + 3) * (w / 2 + 5) * 52;
  // The last level has one cell.
  return bytes + first + 4 * 9 * 52;
}

/** Lays out `multigridSize` bytes for a grid. `sweeps`: 1 or more. */
export function multigridInit(multigrid: usize, height: i32, width: i32, sweeps: i32): void {
  const it = changetype<Multigrid>(multigrid);
  it.sweeps = sweeps;
  let count = 0;
  for (let h = height, w = width; ; h = (h + 1) >> 1, w = (w + 1) >> 1) {
    describe(levelOf(multigrid, count), h, w);
    count++;
    if (h <= 1 && w <= 1) break;
  }
  it.count = count;
  let at = (multigrid + offsetof<Multigrid>() + <usize>MOST_LEVELS * offsetof<Level>() + 63) & ~63;
  it.vectors = at;
  for (let l = 0; l < count; l++) at = placeVectors(levelOf(multigrid, l), at);
  it.vectorsEnd = at;
  for (let l = 0; l < count; l++) at = placeCouplings(levelOf(multigrid, l), at);
  const bytes = vectorBytes(levelOf(multigrid, 0));
  it.redInverse = at;
  it.blackInverse = at + bytes;
  memory.fill(it.vectors, 0, at + 2 * bytes - it.vectors);
}

/**
 * Takes the values of a matrix: five diagonals at offsets -W, -1, 0, 1, W in blocks of eight rows (`dia.ts`).
 * Couplings across the ends of the grid's rows are left out. Returns -1, or the first row whose diagonal entry is
 * zero, not finite, or 1e30 times larger or smaller than that of row 0.
 */
export function multigridUpdate(multigrid: usize, data: usize): i32 {
  const it = changetype<Multigrid>(multigrid);
  memory.fill(it.vectors, 0, it.vectorsEnd - it.vectors);
  it.first = abs(load<f64>(data, 128));
  const failed = takeMatrix(levelOf(multigrid, 0), data, it.first, it.redInverse, it.blackInverse);
  if (failed >= 0) return failed;
  for (let l = 0; l + 1 < it.count; l++) coarsen(levelOf(multigrid, l), levelOf(multigrid, l + 1));
  memory.fill(it.vectors, 0, it.vectorsEnd - it.vectors);
  return -1;
}

/** z <- M^-1 r */
export function multigridApply(multigrid: usize, r: usize, z: usize): void {
  const it = changetype<Multigrid>(multigrid);
  const fine = levelOf(multigrid, 0);
  // By a power of two, so that nothing but the range of f32 changes.
  const exponent = powerOfTwo(largest(fine.height * fine.width, r));
  enter(fine, it.redInverse, it.blackInverse, reinterpret<f64>((2046 - exponent) << 52), r);
  cycle(multigrid, it.count, it.sweeps);
  const sum = leave(fine, reinterpret<f64>(exponent << 52) / it.first, z);
  // Idle numbers have to be finite for the next time.
  if (!isFinite(sum)) memory.fill(it.vectors, 0, it.vectorsEnd - it.vectors);
}

function cycle(multigrid: usize, count: i32, sweeps: i32): void {
  const last = count - 1;
  for (let l = 0; l < last; l++) {
    const level = levelOf(multigrid, l);
    // From x = 0 the red half of the first sweep gives x = b.
    let red = level.redB;
    relax(level, 1, level.blackCouplings, level.blackB, red, level.blackX);
    for (let s = 1; s < sweeps; s++) {
      red = level.redX;
      relax(level, 0, level.redCouplings, level.redB, level.blackX, red);
      relax(level, 1, level.blackCouplings, level.blackB, red, level.blackX);
    }
    restrict(level, levelOf(multigrid, l + 1), red);
  }
  // One cell is left, which has no neighbours.
  const coarsest = levelOf(multigrid, last);
  store<f32>(coarsest.redX, load<f32>(coarsest.redB));
  for (let l = last - 1; l >= 0; l--) {
    const level = levelOf(multigrid, l);
    prolong(level, levelOf(multigrid, l + 1), sweeps > 1 ? level.redX : level.redB);
    for (let s = 0; s < sweeps; s++) {
      relax(level, 1, level.blackCouplings, level.blackB, level.redX, level.blackX);
      relax(level, 0, level.redCouplings, level.redB, level.blackX, level.redX);
    }
  }
}
