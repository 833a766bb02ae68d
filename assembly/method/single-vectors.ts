// Vector operations in f32, over whole vectors of a grid's colour, idle numbers included. `bytes` is a multiple of 16.
//
// Sums: each lane adds up at most CHUNK bytes in f32, and goes on in f64 then, so that a sum has the accuracy of its
// terms.

import { madd4 } from '../preconditioner/multigrid-level';

export const CHUNK: usize = 1024;

/** Sum of the four lanes. */
// @ts-ignore: decorator
@inline
export function total4(a: v128): f64 {
  const low = f64x2.promote_low_f32x4(a);
  const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(a, a, 2, 3, 2, 3));
  const sum = f64x2.add(low, high);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** c - a * b in four lanes. */
// @ts-ignore: decorator
@inline
function nmadd4(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}

/** p <- r + beta (p - omega v) */
export function singleDirection(bytes: usize, beta: f32, omega: f32, r: usize, v: usize, p: usize): void {
  const end = p + bytes;
  if (ASC_FEATURE_SIMD) {
    const bb = f32x4.splat(beta);
    const oo = f32x4.splat(omega);
    for (; p < end; p += 16, r += 16, v += 16) {
      v128.store(p, madd4(bb, nmadd4(oo, v128.load(v), v128.load(p)), v128.load(r)));
    }
  } else {
    for (; p < end; p += 4, r += 4, v += 4) {
      store<f32>(p, load<f32>(r) + beta * (load<f32>(p) - omega * load<f32>(v)));
    }
  }
}

/** y <- y + a x */
export function singleAxpy(bytes: usize, a: f32, x: usize, y: usize): void {
  const end = y + bytes;
  if (ASC_FEATURE_SIMD) {
    const aa = f32x4.splat(a);
    for (; y < end; y += 16, x += 16) v128.store(y, madd4(aa, v128.load(x), v128.load(y)));
  } else {
    for (; y < end; y += 4, x += 4) store<f32>(y, load<f32>(y) + a * load<f32>(x));
  }
}

/** y <- y - a x; returns y'y of the new y. */
export function singleSubtract(bytes: usize, a: f32, x: usize, y: usize): f64 {
  let sum: f64 = 0;
  const end = y + bytes;
  if (ASC_FEATURE_SIMD) {
    const aa = f32x4.splat(a);
    while (y < end) {
      let s = f32x4.splat(0);
      for (const stop = min(y + CHUNK, end); y < stop; y += 16, x += 16) {
        const value = nmadd4(aa, v128.load(x), v128.load(y));
        v128.store(y, value);
        s = madd4(value, value, s);
      }
      sum += total4(s);
    }
  } else {
    for (; y < end; y += 4, x += 4) {
      const value = load<f32>(y) - a * load<f32>(x);
      store<f32>(y, value);
      sum += <f64>(value * value);
    }
  }
  return sum;
}

/** y <- y + alpha p + omega r, r <- r - omega t; out[0] = r'r, out[1] = shadow'r. */
export function singleUpdate(
  bytes: usize,
  alpha: f32,
  omega: f32,
  p: usize,
  t: usize,
  shadow: usize,
  y: usize,
  r: usize,
  out: usize,
): void {
  let rr: f64 = 0;
  let rho: f64 = 0;
  const end = y + bytes;
  if (ASC_FEATURE_SIMD) {
    const aa = f32x4.splat(alpha);
    const oo = f32x4.splat(omega);
    while (y < end) {
      let c = f32x4.splat(0);
      let d = f32x4.splat(0);
      for (const stop = min(y + CHUNK, end); y < stop; y += 16, p += 16, t += 16, shadow += 16, r += 16) {
        const s = v128.load(r);
        v128.store(y, madd4(oo, s, madd4(aa, v128.load(p), v128.load(y))));
        const value = nmadd4(oo, v128.load(t), s);
        v128.store(r, value);
        c = madd4(value, value, c);
        d = madd4(value, v128.load(shadow), d);
      }
      rr += total4(c);
      rho += total4(d);
    }
  } else {
    for (; y < end; y += 4, p += 4, t += 4, shadow += 4, r += 4) {
      const s = load<f32>(r);
      store<f32>(y, load<f32>(y) + alpha * load<f32>(p) + omega * s);
      const value = s - omega * load<f32>(t);
      store<f32>(r, value);
      rr += <f64>(value * value);
      rho += <f64>(value * load<f32>(shadow));
    }
  }
  store<f64>(out, rr);
  store<f64>(out, rho, 8);
}
