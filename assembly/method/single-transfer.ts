// From the f64 matrix and vectors of a grid to f32 by colours, and back.

import { BLOCK } from '../operator/dia';
import { ABOVE, BELOW, COUPLINGS, LEFT, Level, RIGHT } from '../preconditioner/multigrid-level';

/** Bytes from one diagonal's values to the next one's, and of a block's five. */
const NEXT: usize = <usize>BLOCK << 3;
const BLOCK_BYTES: usize = 5 * NEXT;
/** Beyond, f32 has no digits left for the diagonal. */
const MOST_COUPLING: f64 = 1e4;

/** Address of the values of the matrix's row k. */
// @ts-ignore: decorator
@inline
function rowOf(data: usize, k: i32): usize {
  return data + <usize>(k / BLOCK) * BLOCK_BYTES + (<usize>(k % BLOCK) << 3);
}

/**
 * inverse <- 1 / a_jj, couplings <- a_ij / a_jj: the matrix with its columns divided by the diagonal. False where it
 * cannot be taken: an entry of the diagonal is zero or small beside its column, or the ends of the grid's rows are
 * coupled, so that the colours do not come apart.
 */
export function takeGrid(level: Level, data: usize, inverse: usize): bool {
  const width = level.width;
  const height = level.height;
  const n = width * height;
  for (let i = 1; i < height; i++) {
    const k = i * width;
    if (load<f64>(rowOf(data, k), NEXT) != 0 || load<f64>(rowOf(data, k - 1), 3 * NEXT) != 0) return false;
  }
  if (ASC_FEATURE_SIMD) {
    const one = f64x2.splat(1);
    let row = data + 2 * NEXT;
    let to = inverse;
    for (const end = inverse + (<usize>(n & ~7) << 3); to < end; to += 64, row += BLOCK_BYTES) {
      v128.store(to, f64x2.div(one, v128.load(row)));
      v128.store(to, f64x2.div(one, v128.load(row, 16)), 16);
      v128.store(to, f64x2.div(one, v128.load(row, 32)), 32);
      v128.store(to, f64x2.div(one, v128.load(row, 48)), 48);
    }
    for (let k = n & ~7; k < n; k++) store<f64>(inverse + (<usize>k << 3), 1 / load<f64>(rowOf(data, k), 2 * NEXT));
    if (width % 8 == 0) return takeBlocks(level, data, inverse);
  } else {
    for (let k = 0; k < n; k++) store<f64>(inverse + (<usize>k << 3), 1 / load<f64>(rowOf(data, k), 2 * NEXT));
  }
  return takeCells(level, data, inverse);
}

/** The couplings, one by one. */
function takeCells(level: Level, data: usize, inverse: usize): bool {
  const width = level.width;
  const height = level.height;
  const line = <usize>width << 3;
  const bytes = <usize>(level.height * level.vectors) * COUPLINGS;
  memory.fill(level.redCouplings, 0, bytes);
  memory.fill(level.blackCouplings, 0, bytes);
  let most: f64 = 0;
  for (let i = 0; i < height; i++) {
    const block = <usize>i * <usize>level.vectors * COUPLINGS;
    for (let j = 0; j < width; j++, inverse += 8) {
      const row = rowOf(data, i * width + j);
      const number = <usize>(j >> 1);
      const place = block + (number >> 2) * COUPLINGS + ((number & 3) << 2);
      const c = ((i + j) & 1 ? level.blackCouplings : level.redCouplings) + place;
      if (i > 0) most = max(most, takeCoupling(load<f64>(row), inverse - line, c + ABOVE));
      if (j > 0) most = max(most, takeCoupling(load<f64>(row, NEXT), inverse - 8, c + LEFT));
      if (j + 1 < width) most = max(most, takeCoupling(load<f64>(row, 3 * NEXT), inverse + 8, c + RIGHT));
      if (i + 1 < height) most = max(most, takeCoupling(load<f64>(row, 4 * NEXT), inverse + line, c + BELOW));
      // An entry that nothing else tells of.
      most = max(most, 0 * load<f64>(inverse));
    }
  }
  return most <= MOST_COUPLING;
}

/** Returns the absolute value. */
// @ts-ignore: decorator
@inline
function takeCoupling(value: f64, inverse: usize, to: usize): f64 {
  const c = value * load<f64>(inverse);
  store<f32>(to, <f32>c);
  return abs(c);
}

/** As `takeCells`, eight cells at a time. */
function takeBlocks(level: Level, data: usize, inverse: usize): bool {
  const width = level.width;
  const line = <usize>width << 3;
  const all = i64x2.splat(-1);
  const first = i64x2(0, -1);
  const last = i64x2(-1, 0);
  let red = level.redCouplings;
  let black = level.blackCouplings;
  let most = f32x4.splat(0);
  for (let i = 0; i < level.height; i++) {
    const odd = i & 1;
    let p = odd ? black : red;
    let q = odd ? red : black;
    const hasAbove = i > 0 ? all : i64x2.splat(0);
    const hasBelow = i + 1 < level.height ? all : i64x2.splat(0);
    for (let j = 0; j < width; j += 8, data += BLOCK_BYTES, inverse += 64, p += COUPLINGS, q += COUPLINGS) {
      const left = j > 0 ? all : first;
      const right = j + 8 < width ? all : last;
      const back = inverse - line;
      most = takeEight(data, back, hasAbove, hasAbove, hasAbove, p + ABOVE, q + ABOVE, most);
      most = takeEight(data + NEXT, inverse - 8, left, all, all, p + LEFT, q + LEFT, most);
      most = takeEight(data + 3 * NEXT, inverse + 8, all, all, right, p + RIGHT, q + RIGHT, most);
      const next = inverse + line;
      most = takeEight(data + 4 * NEXT, next, hasBelow, hasBelow, hasBelow, p + BELOW, q + BELOW, most);
    }
    red += <usize>level.vectors * COUPLINGS;
    black += <usize>level.vectors * COUPLINGS;
  }
  const a = f32x4.max(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  return max<f32>(f32x4.extract_lane(a, 0), f32x4.extract_lane(a, 1)) <= <f32>MOST_COUPLING;
}

/** One coupling of eight cells. The masks are of the first pair, the next two, and the last. */
// @ts-ignore: decorator
@inline
function takeEight(
  a: usize,
  inverse: usize,
  first: v128,
  middle: v128,
  last: v128,
  even: usize,
  odd: usize,
  most: v128,
): v128 {
  const c0 = v128.and(first, f64x2.mul(v128.load(a), v128.load(inverse)));
  const c1 = v128.and(middle, f64x2.mul(v128.load(a, 16), v128.load(inverse, 16)));
  const c2 = v128.and(middle, f64x2.mul(v128.load(a, 32), v128.load(inverse, 32)));
  const c3 = v128.and(last, f64x2.mul(v128.load(a, 48), v128.load(inverse, 48)));
  const low = narrow(c0, c1);
  const high = narrow(c2, c3);
  const p = v128.shuffle<f32>(low, high, 0, 2, 4, 6);
  const q = v128.shuffle<f32>(low, high, 1, 3, 5, 7);
  v128.store(even, p);
  v128.store(odd, q);
  return f32x4.max(most, f32x4.max(f32x4.abs(p), f32x4.abs(q)));
}

/** Two pairs of f64 as four f32. */
// @ts-ignore: decorator
@inline
function narrow(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(f32x4.demote_f64x2_zero(a), f32x4.demote_f64x2_zero(b), 0, 1, 4, 5);
}

/** red, black <- scale r */
export function split(level: Level, scale: f64, r: usize, red: usize, black: usize): void {
  for (let i = 0; i < level.height; i++) {
    if (i & 1) splitRow(level.width, scale, r, black, red);
    else splitRow(level.width, scale, r, red, black);
    r += <usize>level.width << 3;
    red += level.stride;
    black += level.stride;
  }
}

function splitRow(width: i32, scale: f64, r: usize, even: usize, odd: usize): void {
  let j = 0;
  if (ASC_FEATURE_SIMD) {
    const factor = f64x2.splat(scale);
    for (; j + 8 <= width; j += 8, r += 64, even += 16, odd += 16) {
      const a = narrow(f64x2.mul(factor, v128.load(r)), f64x2.mul(factor, v128.load(r, 16)));
      const b = narrow(f64x2.mul(factor, v128.load(r, 32)), f64x2.mul(factor, v128.load(r, 48)));
      v128.store(even, v128.shuffle<f32>(a, b, 0, 2, 4, 6));
      v128.store(odd, v128.shuffle<f32>(a, b, 1, 3, 5, 7));
    }
  }
  for (; j < width; j += 2, r += 16, even += 4, odd += 4) {
    store<f32>(even, <f32>(scale * load<f64>(r)));
    if (j + 1 < width) store<f32>(odd, <f32>(scale * load<f64>(r, 8)));
  }
}

/** x <- x + scale inverse z, z being red and black. */
export function join(level: Level, scale: f64, red: usize, black: usize, inverse: usize, x: usize): void {
  const line = <usize>level.width << 3;
  for (let i = 0; i < level.height; i++) {
    if (i & 1) joinRow(level.width, scale, black, red, inverse, x);
    else joinRow(level.width, scale, red, black, inverse, x);
    inverse += line;
    x += line;
    red += level.stride;
    black += level.stride;
  }
}

function joinRow(width: i32, scale: f64, even: usize, odd: usize, inverse: usize, x: usize): void {
  let j = 0;
  if (ASC_FEATURE_SIMD) {
    const factor = f64x2.splat(scale);
    for (; j + 8 <= width; j += 8, x += 64, inverse += 64, even += 16, odd += 16) {
      const p = v128.load(even);
      const q = v128.load(odd);
      const a = v128.shuffle<f32>(p, q, 0, 4, 1, 5);
      const b = v128.shuffle<f32>(p, q, 2, 6, 3, 7);
      v128.store(x, joined(x, inverse, factor, a));
      v128.store(x, joined(x + 16, inverse + 16, factor, upper(a)), 16);
      v128.store(x, joined(x + 32, inverse + 32, factor, b), 32);
      v128.store(x, joined(x + 48, inverse + 48, factor, upper(b)), 48);
    }
  }
  for (; j < width; j += 2, x += 16, inverse += 16, even += 4, odd += 4) {
    store<f64>(x, load<f64>(x) + scale * <f64>load<f32>(even) * load<f64>(inverse));
    if (j + 1 < width) {
      store<f64>(x, load<f64>(x, 8) + scale * <f64>load<f32>(odd) * load<f64>(inverse, 8), 8);
    }
  }
}

// @ts-ignore: decorator
@inline
function joined(x: usize, inverse: usize, factor: v128, z: v128): v128 {
  const scaled = f64x2.mul(factor, f64x2.promote_low_f32x4(z));
  return f64x2.add(v128.load(x), f64x2.mul(scaled, v128.load(inverse)));
}

// @ts-ignore: decorator
@inline
function upper(a: v128): v128 {
  return v128.shuffle<f32>(a, a, 2, 3, 2, 3);
}
