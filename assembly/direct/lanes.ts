// Sums of one right-hand side, or of four whose elements lie together.

import { lanes, nmadd } from '../vector/simd';

/** Right-hand sides that are solved together. */
export const LANES: i32 = 4;

/** target - a' y, for short a. */
// @ts-ignore: decorator
@inline
export function lessDot(n: i32, a: usize, y: usize, target: f64): f64 {
  const end = a + (<usize>n << 3);
  let sum = target;
  if (ASC_FEATURE_SIMD && n >= 4) {
    let s = f64x2.replace_lane(f64x2.splat(0), 0, target);
    let t = f64x2.splat(0);
    for (const stop = a + (<usize>(n & ~3) << 3); a < stop; a += 32, y += 32) {
      s = nmadd(v128.load(a), v128.load(y), s);
      t = nmadd(v128.load(a, 16), v128.load(y, 16), t);
    }
    sum = lanes(f64x2.add(s, t));
  }
  for (; a < end; a += 8, y += 8) sum -= load<f64>(a) * load<f64>(y);
  return sum;
}

/** y <- y - f a */
// @ts-ignore: decorator
@inline
export function lessScaled(n: i32, f: f64, a: usize, y: usize): void {
  const end = a + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    const both = f64x2.splat(f);
    for (const stop = a + (<usize>(n & ~1) << 3); a < stop; a += 16, y += 16) {
      v128.store(y, nmadd(both, v128.load(a), v128.load(y)));
    }
  }
  for (; a < end; a += 8, y += 8) store<f64>(y, load<f64>(y) - f * load<f64>(a));
}

/** The four at target less a' Y. */
export function lessDot4(n: i32, a: usize, y: usize, target: usize): void {
  const end = a + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    let s = v128.load(target);
    let t = v128.load(target, 16);
    for (; a < end; a += 8, y += 32) {
      const f = v128.load_splat<f64>(a);
      s = nmadd(f, v128.load(y), s);
      t = nmadd(f, v128.load(y, 16), t);
    }
    v128.store(target, s);
    v128.store(target, t, 16);
  } else {
    for (; a < end; a += 8, y += 32) lessTimes4(load<f64>(a), y, target);
  }
}

/** Each four of Y less a_k times the four at f. */
export function lessScaled4(n: i32, f: usize, a: usize, y: usize): void {
  for (const end = a + (<usize>n << 3); a < end; a += 8, y += 32) lessTimes4(load<f64>(a), f, y);
}

/** y <- y - a x, of four. */
// @ts-ignore: decorator
@inline
export function lessTimes4(a: f64, x: usize, y: usize): void {
  if (ASC_FEATURE_SIMD) {
    const f = f64x2.splat(a);
    v128.store(y, nmadd(f, v128.load(x), v128.load(y)));
    v128.store(y, nmadd(f, v128.load(x, 16), v128.load(y, 16)), 16);
  } else {
    store<f64>(y, load<f64>(y) - a * load<f64>(x));
    store<f64>(y, load<f64>(y, 8) - a * load<f64>(x, 8), 8);
    store<f64>(y, load<f64>(y, 16) - a * load<f64>(x, 16), 16);
    store<f64>(y, load<f64>(y, 24) - a * load<f64>(x, 24), 24);
  }
}

/** x <- a x, of four. */
// @ts-ignore: decorator
@inline
export function times4(a: f64, x: usize): void {
  for (let k: usize = 0; k < 32; k += 8) store<f64>(x + k, load<f64>(x + k) * a);
}
