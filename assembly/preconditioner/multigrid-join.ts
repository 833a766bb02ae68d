// Levels whose couplings along one axis are much stronger than along the other: there two cells along the strong axis
// make one of the next level, until the two axes are alike, since point-wise sweeps smooth nothing along a weak axis.
//
// Joined along the columns' direction (`ROWS`: rows 2 I and 2 I + 1 become row I) a cell keeps its number; along the
// rows' direction (`COLUMNS`) the numbers of a row split into even and odd ones. Either way each new cell is made of a
// red one and a black one. See `multigrid-coarsen.ts` for the weights; only couplings along the joined axis are halved.

import { ratio } from './multigrid-coarsen';
import { neighbours, neighbours4 } from './multigrid-cycle';
import { ABOVE, BELOW, COUPLINGS, LEFT, Level, RIGHT, storeSplit } from './multigrid-level';

/** Values of `Level.joined`; 0 is 2 x 2. */
export const ROWS: i32 = 1;
export const COLUMNS: i32 = 2;

/** Beyond this ratio of mean couplings, only the stronger axis is joined. */
const ANISOTROPY: f32 = 4;

/** Which cells of a level to join, by the sums of couplings along the axes, in absolute values. */
export function joinedCells(level: Level): i32 {
  let vertical: f32 = 0;
  let horizontal: f32 = 0;
  for (let i = 0; i < level.height; i++) {
    for (let j = 0; j < level.width; j++) {
      const red = ((i + j) & 1) == 0;
      const weight = abs(load<f32>((red ? level.redX : level.blackX) + place(level, i, j >> 1)));
      const c = (red ? level.redCouplings : level.blackCouplings) + couplingPlace(level, i, j >> 1);
      vertical += weight * (abs(load<f32>(c, ABOVE)) + abs(load<f32>(c, BELOW)));
      horizontal += weight * (abs(load<f32>(c, LEFT)) + abs(load<f32>(c, RIGHT)));
    }
  }
  if (vertical > ANISOTROPY * horizontal && level.height > 1) return ROWS;
  return horizontal > ANISOTROPY * vertical && level.width > 1 ? COLUMNS : 0;
}

// @ts-ignore: decorator
@inline
function place(level: Level, i: i32, number: i32): usize {
  return <usize>i * level.stride + (<usize>number << 2);
}

// @ts-ignore: decorator
@inline
function couplingPlace(level: Level, i: i32, number: i32): usize {
  return (<usize>i * <usize>level.vectors + <usize>(number >> 2)) * COUPLINGS + (<usize>(number & 3) << 2);
}

/** The next level, and this one's shares. */
export function coarsenAlong(level: Level, next: Level): void {
  const rows = level.joined == ROWS;
  for (let i = 0; i < next.height; i++) {
    for (let j = 0; j < next.width; j++) {
      if (rows) joinPair(level, next, i, j, 2 * i, j, 2 * i + 1, j, BELOW, ABOVE, LEFT, RIGHT);
      else joinPair(level, next, i, j, i, 2 * j, i, 2 * j + 1, RIGHT, LEFT, ABOVE, BELOW);
    }
  }
}

/** Cell (i, j) of the next level from (p, q) and (s, t), which lies `to` the first one; `back` is the way back. */
function joinPair(
  level: Level,
  next: Level,
  i: i32,
  j: i32,
  p: i32,
  q: i32,
  s: i32,
  t: i32,
  to: usize,
  back: usize,
  one: usize,
  other: usize,
): void {
  const red = ((p + q) & 1) == 0;
  const a = place(level, p, q >> 1);
  const b = place(level, s, t >> 1);
  const ca = (red ? level.redCouplings : level.blackCouplings) + couplingPlace(level, p, q >> 1);
  const cb = (red ? level.blackCouplings : level.redCouplings) + couplingPlace(level, s, t >> 1);
  const da = load<f32>((red ? level.redX : level.blackX) + a);
  const db = load<f32>((red ? level.blackX : level.redX) + b);
  const ab = ratio(da * load<f32>(ca + to), db * load<f32>(cb + back));
  const wa: f32 = 2 / (1 + ab);
  const ma = wa * da;
  const mb = wa * ab * db;
  const sum = load<f32>((red ? level.redB : level.blackB) + a) + ab * load<f32>((red ? level.blackB : level.redB) + b);
  const behind: f32 = 0.5 * ma * load<f32>(ca + back);
  const ahead: f32 = 0.5 * mb * load<f32>(cb + to);
  const first = ma * load<f32>(ca + one) + mb * load<f32>(cb + one);
  const second = ma * load<f32>(ca + other) + mb * load<f32>(cb + other);
  const rowSum = wa * sum;
  const diagonal = max<f32>(
    rowSum + (behind + ahead + (first + second)),
    abs(behind) + abs(ahead) + (abs(first) + abs(second)),
  );
  const inverse: f32 = diagonal > 0 ? 1 / diagonal : 0;
  store<f32>(level.share + (red ? a : b), (red ? ma : mb) * inverse);
  const nextRed = ((i + j) & 1) == 0;
  const at = place(next, i, j >> 1);
  const c = (nextRed ? next.redCouplings : next.blackCouplings) + couplingPlace(next, i, j >> 1);
  store<f32>(c + back, behind * inverse);
  store<f32>(c + to, ahead * inverse);
  store<f32>(c + one, first * inverse);
  store<f32>(c + other, second * inverse);
  store<f32>((nextRed ? next.redX : next.blackX) + at, diagonal);
  store<f32>((nextRed ? next.redB : next.blackB) + at, rowSum);
}

/** As `restrict`, for a level that is joined along one axis. */
export function restrictAlong(level: Level, next: Level, x: usize): void {
  const rows = level.joined == ROWS;
  const count = rows ? 2 * next.height : next.height;
  for (let i = 0; i < count; i++) {
    const k = rows ? i >> 1 : i;
    const target = <usize>k * next.stride;
    const even = (k & 1 ? next.blackB : next.redB) + target;
    const odd = (k & 1 ? next.redB : next.blackB) + target;
    if (rows) restrictRow(level, i, x, i & 1 ? odd : even, 0);
    else restrictRow(level, i, x, even, odd);
  }
}

/** The residual of the red cells of row i, in their shares, into `even` and `odd`, or without `odd` straight. */
function restrictRow(level: Level, i: i32, x: usize, even: usize, odd: usize): void {
  const stride = level.stride;
  const row = <usize>i * stride;
  let couplings = level.redCouplings + <usize>i * <usize>level.vectors * COUPLINGS;
  let b = level.redB + row;
  let y = level.blackX + row;
  let share = level.share + row;
  const shift: usize = i & 1 ? 0 : 4;
  x += row;
  for (const end = x + (<usize>level.vectors << 4); x < end; x += 16, couplings += COUPLINGS) {
    if (ASC_FEATURE_SIMD) {
      const sum = neighbours4(couplings, y - stride, y + stride, y - shift);
      const residual = f32x4.add(f32x4.sub(v128.load(b), v128.load(x)), sum);
      const value = f32x4.mul(v128.load(share), residual);
      if (odd) storeSplit(value, even, odd);
      else v128.store(even, value);
    } else {
      for (let lane: usize = 0; lane < 16; lane += 4) {
        const sum = neighbours(couplings + lane, y + lane - stride, y + lane + stride, y + lane - shift);
        const value = load<f32>(share + lane) * (load<f32>(b + lane) - load<f32>(x + lane) + sum);
        if (odd) store<f32>((lane & 4 ? odd : even) + ((lane >> 3) << 2), value);
        else store<f32>(even + lane, value);
      }
    }
    b += 16;
    y += 16;
    share += 16;
    if (odd) {
      even += 8;
      odd += 8;
    } else {
      even += 16;
    }
  }
}

/** As `prolong`, for a level that is joined along one axis. */
export function prolongAlong(level: Level, next: Level, x: usize): void {
  const rows = level.joined == ROWS;
  const count = rows ? 2 * next.height : next.height;
  for (let i = 0; i < count; i++) {
    const k = rows ? i >> 1 : i;
    const source = <usize>k * next.stride;
    const even = (k & 1 ? next.blackX : next.redX) + source;
    const odd = (k & 1 ? next.redX : next.blackX) + source;
    const row = <usize>i * level.stride;
    if (rows) prolongRow(level.vectors, x + row, i & 1 ? odd : even, 0, level.redX + row);
    else prolongRow(level.vectors, x + row, even, odd, level.redX + row);
  }
}

function prolongRow(vectors: i32, x: usize, even: usize, odd: usize, out: usize): void {
  for (const end = x + (<usize>vectors << 4); x < end; x += 16, out += 16) {
    if (ASC_FEATURE_SIMD) {
      let correction = v128.load64_zero(even);
      if (odd) correction = v128.shuffle<f32>(correction, v128.load64_zero(odd), 0, 4, 1, 5);
      else correction = v128.load(even);
      v128.store(out, f32x4.add(v128.load(x), correction));
    } else {
      for (let lane: usize = 0; lane < 16; lane += 4) {
        const from = odd ? (lane & 4 ? odd : even) + ((lane >> 3) << 2) : even + lane;
        store<f32>(out + lane, load<f32>(x + lane) + load<f32>(from));
      }
    }
    even += odd ? 8 : 16;
    if (odd) odd += 8;
  }
}
