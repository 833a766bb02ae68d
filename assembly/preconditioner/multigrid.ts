// Multigrid as a preconditioner for five-point matrices on an H x W grid, pixel k = i W + j: one V-cycle in f32,
// with red-black Gauss-Seidel sweeps. Sweeps before are red-black, those after black-red, so that the cycle is
// symmetric where the matrix is. It is linear but for rounding, and always the same: nothing in it depends on r.

import { coarsen } from './multigrid-coarsen';
import { prolong, relax, restrict } from './multigrid-cycle';
import { COLUMNS, coarsenAlong, joinedCells, prolongAlong, restrictAlong, ROWS } from './multigrid-join';
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
  /** Cells may be joined along one axis, as the values want it; else the levels are always the same. */
  stretched: bool;
  /** Of the first level's vectors: first / a_ii. */
  redInverse: usize;
  blackInverse: usize;
  /** All vectors of all levels lie together. */
  vectors: usize;
  vectorsEnd: usize;
  /** Where couplings of all levels are. */
  couplings: usize;
  couplingsEnd: usize;
  /** Absolute value of the matrix's first diagonal entry. */
  first: f64;
}

// @ts-ignore: decorator
@inline
function levelOf(multigrid: usize, l: i32): Level {
  return changetype<Level>(multigrid + offsetof<Multigrid>() + <usize>l * offsetof<Level>());
}

/**
 * Bytes of a multigrid; a float, since it may be more than there is. `stretched`: couplings along one axis may be
 * much stronger than along the other, for which it takes more levels, and half as much memory again.
 */
export function multigridSize(height: i32, width: i32, stretched: bool): f64 {
  const fixed = <f64>(offsetof<Multigrid>() + <usize>MOST_LEVELS * (offsetof<Level>() + 512) + 128);
  return fixed + 52 * numbers(height, width, stretched) + 8 * firstNumbers(height, width);
}

/** Numbers of one colour's vector on the first level, idle ones included. */
function firstNumbers(height: i32, width: i32): f64 {
  return (<f64>height + 3) * (<f64>width / 2 + 5);
}

/** The same, of all levels: a red and a black cell have 32 bytes of couplings, 16 of vectors and 4 of shares. */
function numbers(height: i32, width: i32, stretched: bool): f64 {
  let h = <f64>height;
  let w = <f64>width;
  // The last level has one cell.
  let sum: f64 = 4 * 9;
  if (stretched) {
    // Each level has half the cells of the one before, but while one axis is joined the other keeps its idle ones.
    const columns = 5.5 * h * (halvings(width) + 2) + 4 * w;
    const rows = 2 * w * (halvings(height) + 2) + 11 * h;
    return sum + h * w + max(columns, rows) + 1000;
  }
  for (; h > 1 || w > 1; h = Math.ceil(h / 2), w = Math.ceil(w / 2)) sum += (h + 3) * (w / 2 + 5);
  return sum;
}

/** How often `size` can be halved. */
function halvings(size: i32): f64 {
  let count = 0;
  for (; size > 1; size = (size + 1) >> 1) count++;
  return count;
}

/** Lays out `multigridSize` bytes for a grid. `sweeps`: 1 or more. */
export function multigridInit(multigrid: usize, height: i32, width: i32, sweeps: i32, stretched: bool): void {
  const it = changetype<Multigrid>(multigrid);
  it.sweeps = sweeps;
  it.stretched = stretched;
  const first = levelOf(multigrid, 0);
  describe(first, height, width);
  first.joined = 0;
  const bytes = vectorBytes(first);
  it.redInverse = (multigrid + offsetof<Multigrid>() + <usize>MOST_LEVELS * offsetof<Level>() + 63) & ~63;
  it.blackInverse = it.redInverse + bytes;
  it.vectors = it.blackInverse + bytes;
  // Of 52 bytes 16 are of vectors.
  const room = <usize>(16 * numbers(height, width, stretched)) + <usize>MOST_LEVELS * 4 * 64;
  it.couplings = (it.vectors + room + 63) & ~63;
  it.vectorsEnd = placeVectors(first, it.vectors);
  it.couplingsEnd = placeCouplings(first, it.couplings);
  it.count = 1;
  if (!stretched) while (addLevel(it, multigrid)) {}
  memory.fill(it.redInverse, 0, it.couplingsEnd - it.redInverse);
}

/** Lays out one more level after the last, whose `joined` is set. Returns whether there was one to add. */
function addLevel(it: Multigrid, multigrid: usize): bool {
  const last = levelOf(multigrid, it.count - 1);
  const height = last.height;
  const width = last.width;
  const joined = last.joined;
  if (height <= 1 && width <= 1) return false;
  const next = levelOf(multigrid, it.count);
  describe(next, joined == COLUMNS ? height : (height + 1) >> 1, joined == ROWS ? width : (width + 1) >> 1);
  next.joined = 0;
  it.vectorsEnd = placeVectors(next, it.vectorsEnd);
  it.couplingsEnd = placeCouplings(next, it.couplingsEnd);
  it.count++;
  return true;
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
  if (it.stretched) {
    makeStretched(it, multigrid);
  } else {
    for (let l = 0; l + 1 < it.count; l++) coarsen(levelOf(multigrid, l), levelOf(multigrid, l + 1));
  }
  memory.fill(it.vectors, 0, it.vectorsEnd - it.vectors);
  return -1;
}

/** Lays out the levels anew, each as the one before wants it. */
function makeStretched(it: Multigrid, multigrid: usize): void {
  const first = levelOf(multigrid, 0);
  it.count = 1;
  it.vectorsEnd = placeVectors(first, it.vectors);
  it.couplingsEnd = placeCouplings(first, it.couplings);
  for (;;) {
    const level = levelOf(multigrid, it.count - 1);
    level.joined = joinedCells(level);
    const vectors = it.vectorsEnd;
    const couplings = it.couplingsEnd;
    if (!addLevel(it, multigrid)) return;
    memory.fill(vectors, 0, it.vectorsEnd - vectors);
    memory.fill(couplings, 0, it.couplingsEnd - couplings);
    const next = levelOf(multigrid, it.count - 1);
    if (level.joined) coarsenAlong(level, next);
    else coarsen(level, next);
  }
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
    if (level.joined) restrictAlong(level, levelOf(multigrid, l + 1), red);
    else restrict(level, levelOf(multigrid, l + 1), red);
  }
  // One cell is left, which has no neighbours.
  const coarsest = levelOf(multigrid, last);
  store<f32>(coarsest.redX, load<f32>(coarsest.redB));
  for (let l = last - 1; l >= 0; l--) {
    const level = levelOf(multigrid, l);
    const x = sweeps > 1 ? level.redX : level.redB;
    if (level.joined) prolongAlong(level, levelOf(multigrid, l + 1), x);
    else prolong(level, levelOf(multigrid, l + 1), x);
    for (let s = 0; s < sweeps; s++) {
      relax(level, 1, level.blackCouplings, level.blackB, level.redX, level.blackX);
      relax(level, 0, level.redCouplings, level.redB, level.blackX, level.redX);
    }
  }
}
