// The first level of the multigrid preconditioner, from the five diagonals of a matrix.

import { BLOCK } from '../operator/dia';
import { ABOVE, BELOW, COUPLINGS, LEFT, Level, RIGHT, storeSplit } from './multigrid-level';

/** Bytes from one diagonal's values to the next one's, and of a block's five. */
const NEXT: usize = <usize>BLOCK << 3;
const BLOCK_BYTES: usize = 5 * NEXT;
/** Diagonal entries may differ by this factor from the first. */
const MOST_SPREAD: f64 = 1e30;

/** Address of the values of the matrix's row k. */
// @ts-ignore: decorator
@inline
function rowOf(data: usize, k: i32): usize {
  return data + <usize>(k / BLOCK) * BLOCK_BYTES + (<usize>(k % BLOCK) << 3);
}

/**
 * Takes the values. The inverses get first / a_ii, red and black, in rows like the vectors; `first` is the absolute
 * value of the matrix's first diagonal entry. Returns -1, or the first row whose diagonal entry cannot be used.
 */
export function takeMatrix(level: Level, data: usize, first: f64, redInverse: usize, blackInverse: usize): i32 {
  const width = level.width;
  for (let i = 0; i < level.height; i++) {
    if (ASC_FEATURE_SIMD) {
      // Four cells lie together then. What they cannot tell apart is left to the other way.
      if (width % 4 == 0 && takeFours(level, i, data, first, redInverse, blackInverse)) continue;
    }
    const failed = takeCells(level, i, data, first, redInverse, blackInverse);
    if (failed >= 0) return i * width + failed;
  }
  return -1;
}

/** One row of the grid. Returns -1, or the first column whose diagonal entry cannot be used. */
function takeCells(
  level: Level,
  i: i32,
  data: usize,
  first: f64,
  redInverse: usize,
  blackInverse: usize,
): i32 {
  const width = level.width;
  for (let j = 0; j < width; j++) {
    const red = ((i + j) & 1) == 0;
    const number = <usize>(j >> 1);
    const place = <usize>i * level.stride + (number << 2);
    const block = <usize>i * <usize>level.vectors + (number >> 2);
    const couplings = (red ? level.redCouplings : level.blackCouplings) + block * COUPLINGS + ((number & 3) << 2);
    const row = rowOf(data, i * width + j);
    const diagonal = load<f64>(row, 2 * NEXT);
    const relative = abs(diagonal) / first;
    if (!(relative <= MOST_SPREAD && relative >= 1 / MOST_SPREAD)) return j;
    const factor = -1 / diagonal;
    const above = i > 0 ? factor * load<f64>(row) : 0;
    const left = j > 0 ? factor * load<f64>(row, NEXT) : 0;
    const right = j + 1 < width ? factor * load<f64>(row, 3 * NEXT) : 0;
    const below = i + 1 < level.height ? factor * load<f64>(row, 4 * NEXT) : 0;
    store<f32>(couplings, <f32>above, ABOVE);
    store<f32>(couplings, <f32>below, BELOW);
    store<f32>(couplings, <f32>left, LEFT);
    store<f32>(couplings, <f32>right, RIGHT);
    store<f32>((red ? redInverse : blackInverse) + place, <f32>(first / diagonal));
    store<f32>((red ? level.redX : level.blackX) + place, <f32>relative);
    const sum = 1 - (above + below + (left + right));
    store<f32>((red ? level.redB : level.blackB) + place, <f32>(relative * sum));
  }
  return -1;
}

/** As `takeCells`, four cells at a time. Returns whether all diagonal entries can be used. */
function takeFours(
  level: Level,
  i: i32,
  data: usize,
  first: f64,
  redInverse: usize,
  blackInverse: usize,
): bool {
  const width = level.width;
  const place = <usize>i * level.stride;
  const blocks = <usize>i * <usize>level.vectors * COUPLINGS;
  const odd = i & 1;
  // Where the even and the odd columns' values go.
  const p = (odd ? level.blackCouplings : level.redCouplings) + blocks;
  const q = (odd ? level.redCouplings : level.blackCouplings) + blocks;
  const evenInverse = (odd ? blackInverse : redInverse) + place;
  const oddInverse = (odd ? redInverse : blackInverse) + place;
  const evenX = (odd ? level.blackX : level.redX) + place;
  const oddX = (odd ? level.redX : level.blackX) + place;
  const evenB = (odd ? level.blackB : level.redB) + place;
  const oddB = (odd ? level.redB : level.blackB) + place;
  const all = i64x2.splat(-1);
  const hasAbove = i > 0 ? all : i64x2.splat(0);
  const hasBelow = i + 1 < level.height ? all : i64x2.splat(0);
  const least = f64x2.splat(1 / MOST_SPREAD);
  const most = f64x2.splat(MOST_SPREAD);
  let usable = all;
  for (let j = 0; j < width; j += 4) {
    const row = rowOf(data, i * width + j);
    const d = v128.load(row, 2 * NEXT);
    const e = v128.load(row, 2 * NEXT + 16);
    const f = f64x2.div(f64x2.splat(-1), d);
    const g = f64x2.div(f64x2.splat(-1), e);
    const above0 = v128.and(hasAbove, f64x2.mul(f, v128.load(row)));
    const above1 = v128.and(hasAbove, f64x2.mul(g, v128.load(row, 16)));
    const below0 = v128.and(hasBelow, f64x2.mul(f, v128.load(row, 4 * NEXT)));
    const below1 = v128.and(hasBelow, f64x2.mul(g, v128.load(row, 4 * NEXT + 16)));
    const left0 = v128.and(j > 0 ? all : i64x2(0, -1), f64x2.mul(f, v128.load(row, NEXT)));
    const left1 = f64x2.mul(g, v128.load(row, NEXT + 16));
    const right0 = f64x2.mul(f, v128.load(row, 3 * NEXT));
    const right1 = v128.and(
      j + 4 < width ? all : i64x2(-1, 0),
      f64x2.mul(g, v128.load(row, 3 * NEXT + 16)),
    );
    const relative0 = f64x2.div(f64x2.abs(d), f64x2.splat(first));
    const relative1 = f64x2.div(f64x2.abs(e), f64x2.splat(first));
    usable = v128.and(usable, v128.and(f64x2.le(relative0, most), f64x2.ge(relative0, least)));
    usable = v128.and(usable, v128.and(f64x2.le(relative1, most), f64x2.ge(relative1, least)));
    const sum0 = f64x2.add(f64x2.add(above0, below0), f64x2.add(left0, right0));
    const sum1 = f64x2.add(f64x2.add(above1, below1), f64x2.add(left1, right1));
    const to = <usize>(j >> 3) * COUPLINGS + (<usize>(j & 4) << 1);
    const half = <usize>j << 1;
    const one = f64x2.splat(1);
    storeSplit(narrow(above0, above1), p + to + ABOVE, q + to + ABOVE);
    storeSplit(narrow(below0, below1), p + to + BELOW, q + to + BELOW);
    storeSplit(narrow(left0, left1), p + to + LEFT, q + to + LEFT);
    storeSplit(narrow(right0, right1), p + to + RIGHT, q + to + RIGHT);
    const scale = f64x2.splat(-first);
    storeSplit(narrow(f64x2.mul(scale, f), f64x2.mul(scale, g)), evenInverse + half, oddInverse + half);
    storeSplit(narrow(relative0, relative1), evenX + half, oddX + half);
    const b0 = f64x2.mul(relative0, f64x2.sub(one, sum0));
    const b1 = f64x2.mul(relative1, f64x2.sub(one, sum1));
    storeSplit(narrow(b0, b1), evenB + half, oddB + half);
  }
  return i64x2.all_true(usable);
}

/** Two pairs of f64 as four f32. */
// @ts-ignore: decorator
@inline
function narrow(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(f32x4.demote_f64x2_zero(a), f32x4.demote_f64x2_zero(b), 0, 1, 4, 5);
}
