// From the method's f64 vectors to the first level's, by colours, and back.

import { Level } from './multigrid-level';

/** The largest |r_k| that is a number; a NaN among them does not matter. */
export function largest(n: i32, r: usize): f64 {
  let most: f64 = 0;
  const end = r + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    let a = f64x2.splat(0);
    let b = a;
    let c = a;
    let d = a;
    for (const stop = r + (<usize>(n & ~7) << 3); r < stop; r += 64) {
      a = f64x2.pmax(a, f64x2.abs(v128.load(r)));
      b = f64x2.pmax(b, f64x2.abs(v128.load(r, 16)));
      c = f64x2.pmax(c, f64x2.abs(v128.load(r, 32)));
      d = f64x2.pmax(d, f64x2.abs(v128.load(r, 48)));
    }
    a = f64x2.pmax(f64x2.pmax(a, b), f64x2.pmax(c, d));
    most = max(f64x2.extract_lane(a, 0), f64x2.extract_lane(a, 1));
  }
  for (; r < end; r += 8) {
    const value = abs(load<f64>(r));
    if (value > most) most = value;
  }
  return most;
}

/** The biased exponent of `most`, kept where its power of two and the inverse one are finite. */
export function powerOfTwo(most: f64): u64 {
  return min<u64>(max<u64>((reinterpret<u64>(most) >> 52) & 0x7ff, 1), 2045);
}

/** b <- scale r / a_ii, in units of the first diagonal entry. */
export function enter(level: Level, redInverse: usize, blackInverse: usize, scale: f64, r: usize): void {
  const stride = level.stride;
  for (let i = 0; i < level.height; i++) {
    const row = <usize>i * stride;
    const red = level.redB + row;
    const black = level.blackB + row;
    if (i & 1) enterRow(level.width, scale, r, blackInverse + row, redInverse + row, black, red);
    else enterRow(level.width, scale, r, redInverse + row, blackInverse + row, red, black);
    r += <usize>level.width << 3;
  }
}

function enterRow(
  width: i32,
  scale: f64,
  r: usize,
  evenInverse: usize,
  oddInverse: usize,
  even: usize,
  odd: usize,
): void {
  let j = 0;
  if (ASC_FEATURE_SIMD) {
    const factor = f64x2.splat(scale);
    for (; j + 8 <= width; j += 8, r += 64, even += 16, odd += 16, evenInverse += 16, oddInverse += 16) {
      const a = scaled4(v128.load(r), v128.load(r, 16), factor);
      const b = scaled4(v128.load(r, 32), v128.load(r, 48), factor);
      v128.store(even, f32x4.mul(v128.shuffle<f32>(a, b, 0, 2, 4, 6), v128.load(evenInverse)));
      v128.store(odd, f32x4.mul(v128.shuffle<f32>(a, b, 1, 3, 5, 7), v128.load(oddInverse)));
    }
  }
  for (; j < width; j += 2, r += 16, even += 4, odd += 4, evenInverse += 4, oddInverse += 4) {
    store<f32>(even, <f32>(scale * load<f64>(r)) * load<f32>(evenInverse));
    if (j + 1 < width) store<f32>(odd, <f32>(scale * load<f64>(r, 8)) * load<f32>(oddInverse));
  }
}

// @ts-ignore: decorator
@inline
function scaled4(a: v128, b: v128, factor: v128): v128 {
  const p = f32x4.demote_f64x2_zero(f64x2.mul(a, factor));
  const q = f32x4.demote_f64x2_zero(f64x2.mul(b, factor));
  return v128.shuffle<f32>(p, q, 0, 1, 4, 5);
}

/** z <- scale x. Returns a sum of all values: not finite if one of them is not. */
export function leave(level: Level, scale: f64, z: usize): f64 {
  const stride = level.stride;
  let sum: f64 = 0;
  for (let i = 0; i < level.height; i++) {
    const red = level.redX + <usize>i * stride;
    const black = level.blackX + <usize>i * stride;
    if (i & 1) sum += leaveRow(level.width, scale, black, red, z);
    else sum += leaveRow(level.width, scale, red, black, z);
    z += <usize>level.width << 3;
  }
  return sum;
}

function leaveRow(width: i32, scale: f64, even: usize, odd: usize, z: usize): f64 {
  let sum: f64 = 0;
  let j = 0;
  if (ASC_FEATURE_SIMD) {
    const factor = f64x2.splat(scale);
    let total = f32x4.splat(0);
    for (; j + 8 <= width; j += 8, z += 64, even += 16, odd += 16) {
      const p = v128.load(even);
      const q = v128.load(odd);
      total = f32x4.add(total, f32x4.add(p, q));
      const a = v128.shuffle<f32>(p, q, 0, 4, 1, 5);
      const b = v128.shuffle<f32>(p, q, 2, 6, 3, 7);
      v128.store(z, f64x2.mul(factor, f64x2.promote_low_f32x4(a)));
      v128.store(z, f64x2.mul(factor, f64x2.promote_low_f32x4(upper(a))), 16);
      v128.store(z, f64x2.mul(factor, f64x2.promote_low_f32x4(b)), 32);
      v128.store(z, f64x2.mul(factor, f64x2.promote_low_f32x4(upper(b))), 48);
    }
    sum = <f64>f32x4.extract_lane(total, 0) + <f64>f32x4.extract_lane(total, 1);
    sum += <f64>f32x4.extract_lane(total, 2) + <f64>f32x4.extract_lane(total, 3);
  }
  for (; j < width; j += 2, z += 16, even += 4, odd += 4) {
    const p = <f64>load<f32>(even);
    store<f64>(z, scale * p);
    sum += p;
    if (j + 1 < width) {
      const q = <f64>load<f32>(odd);
      store<f64>(z, scale * q, 8);
      sum += q;
    }
  }
  return sum;
}

// @ts-ignore: decorator
@inline
function upper(a: v128): v128 {
  return v128.shuffle<f32>(a, a, 2, 3, 2, 3);
}
