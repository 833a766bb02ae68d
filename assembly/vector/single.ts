// Vectors kept in single precision: half the memory, and half the bytes to read.

import { axpy } from './vector';
import { madd } from './simd';

/** Of f64, y <- x of f32. */
export function widen(n: i32, x: usize, y: usize): void {
  const end = y + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    for (const stop = y + (<usize>(n & ~3) << 3); y < stop; x += 16, y += 32) {
      v128.store(y, f64x2.promote_low_f32x4(v128.load64_zero(x)));
      v128.store(y, f64x2.promote_low_f32x4(v128.load64_zero(x, 8)), 16);
    }
  }
  for (; y < end; x += 4, y += 8) store<f64>(y, <f64>load<f32>(x));
}

/** Of f32, y <- x of f64, rounded. */
export function narrow(n: i32, x: usize, y: usize): void {
  const end = x + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    for (const stop = x + (<usize>(n & ~3) << 3); x < stop; x += 32, y += 16) {
      const low = f32x4.demote_f64x2_zero(v128.load(x));
      const high = f32x4.demote_f64x2_zero(v128.load(x, 16));
      v128.store(y, v128.shuffle<f64>(low, high, 0, 2));
    }
  }
  for (; x < end; x += 8, y += 4) store<f32>(y, <f32>load<f64>(x));
}

/** w <- w + V h of k columns of f32, each `stride` bytes after the one before; sums in f64. `scratch`: n f64. */
export function blockUpdateSingle(n: i32, k: i32, V: usize, stride: usize, h: usize, w: usize, scratch: usize): void {
  let j = 0;
  if (ASC_FEATURE_SIMD) for (; j + 4 <= k; j += 4, V += stride << 2, h += 32) update4(n, V, stride, h, w);
  for (; j < k; j++, V += stride, h += 8) {
    widen(n, V, scratch);
    axpy(n, load<f64>(h), scratch, w);
  }
}

function update4(n: i32, V: usize, stride: usize, h: usize, w: usize): void {
  let p = V;
  let q = p + stride;
  let r = q + stride;
  let s = r + stride;
  const a = f64x2.splat(load<f64>(h));
  const b = f64x2.splat(load<f64>(h, 8));
  const c = f64x2.splat(load<f64>(h, 16));
  const d = f64x2.splat(load<f64>(h, 24));
  const end = w + (<usize>n << 3);
  for (const stop = w + (<usize>(n & ~1) << 3); w < stop; w += 16, p += 8, q += 8, r += 8, s += 8) {
    const ab = madd(b, promote(q), madd(a, promote(p), v128.load(w)));
    v128.store(w, madd(d, promote(s), madd(c, promote(r), ab)));
  }
  if (w < end) {
    const ab = load<f64>(w) + load<f64>(h) * <f64>load<f32>(p) + load<f64>(h, 8) * <f64>load<f32>(q);
    store<f64>(w, ab + load<f64>(h, 16) * <f64>load<f32>(r) + load<f64>(h, 24) * <f64>load<f32>(s));
  }
}

// @ts-ignore: decorator
@inline
function promote(p: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(p));
}
