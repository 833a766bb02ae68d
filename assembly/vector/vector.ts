// Dense vector operations. `n` counts elements, pointers are byte addresses of f64 arrays.
//
// SIMD loops take eight elements a pass (four v128, so that a sum has four independent accumulators); the rest,
// up to seven, is scalar. The scalar build runs the last loop alone.

import { lanes, madd, nmadd } from './simd';

/** x' y */
export function dot(n: i32, x: usize, y: usize): f64 {
  let sum: f64 = 0;
  const end = x + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    let a = f64x2.splat(0);
    let b = f64x2.splat(0);
    let c = f64x2.splat(0);
    let d = f64x2.splat(0);
    for (const stop = x + (<usize>(n & ~7) << 3); x < stop; x += 64, y += 64) {
      a = madd(v128.load(x), v128.load(y), a);
      b = madd(v128.load(x, 16), v128.load(y, 16), b);
      c = madd(v128.load(x, 32), v128.load(y, 32), c);
      d = madd(v128.load(x, 48), v128.load(y, 48), d);
    }
    sum = lanes(f64x2.add(f64x2.add(a, b), f64x2.add(c, d)));
  }
  for (; x < end; x += 8, y += 8) sum += load<f64>(x) * load<f64>(y);
  return sum;
}

/** max |x_i|; NaN when an element is NaN. */
export function maxAbs(n: i32, x: usize): f64 {
  let most: f64 = 0;
  const end = x + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    let a = f64x2.splat(0);
    let b = f64x2.splat(0);
    let c = f64x2.splat(0);
    let d = f64x2.splat(0);
    for (const stop = x + (<usize>(n & ~7) << 3); x < stop; x += 64) {
      a = f64x2.max(a, f64x2.abs(v128.load(x)));
      b = f64x2.max(b, f64x2.abs(v128.load(x, 16)));
      c = f64x2.max(c, f64x2.abs(v128.load(x, 32)));
      d = f64x2.max(d, f64x2.abs(v128.load(x, 48)));
    }
    a = f64x2.max(f64x2.max(a, b), f64x2.max(c, d));
    most = max(f64x2.extract_lane(a, 0), f64x2.extract_lane(a, 1));
  }
  for (; x < end; x += 8) most = max(most, abs(load<f64>(x)));
  return most;
}

/** ||x||_2, also where squares overflow or vanish. */
export function norm2(n: i32, x: usize): f64 {
  const square = dot(n, x, x);
  if (square > 1e-280 && square < f64.MAX_VALUE) return sqrt(square);
  const scale = maxAbs(n, x);
  if (scale == 0 || !isFinite(scale)) return scale;
  const end = x + (<usize>n << 3);
  let sum: f64 = 0;
  for (; x < end; x += 8) {
    const value = load<f64>(x) / scale;
    sum += value * value;
  }
  return scale * sqrt(sum);
}

/** y <- y + a x */
export function axpy(n: i32, a: f64, x: usize, y: usize): void {
  const end = x + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    const aa = f64x2.splat(a);
    for (const stop = x + (<usize>(n & ~7) << 3); x < stop; x += 64, y += 64) {
      v128.store(y, madd(aa, v128.load(x), v128.load(y)));
      v128.store(y, madd(aa, v128.load(x, 16), v128.load(y, 16)), 16);
      v128.store(y, madd(aa, v128.load(x, 32), v128.load(y, 32)), 32);
      v128.store(y, madd(aa, v128.load(x, 48), v128.load(y, 48)), 48);
    }
  }
  for (; x < end; x += 8, y += 8) store<f64>(y, load<f64>(y) + a * load<f64>(x));
}

/** y <- x + a y */
export function xpay(n: i32, x: usize, a: f64, y: usize): void {
  const end = x + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    const aa = f64x2.splat(a);
    for (const stop = x + (<usize>(n & ~7) << 3); x < stop; x += 64, y += 64) {
      v128.store(y, madd(aa, v128.load(y), v128.load(x)));
      v128.store(y, madd(aa, v128.load(y, 16), v128.load(x, 16)), 16);
      v128.store(y, madd(aa, v128.load(y, 32), v128.load(x, 32)), 32);
      v128.store(y, madd(aa, v128.load(y, 48), v128.load(x, 48)), 48);
    }
  }
  for (; x < end; x += 8, y += 8) store<f64>(y, load<f64>(x) + a * load<f64>(y));
}

/** x <- a x */
export function scale(n: i32, a: f64, x: usize): void {
  const end = x + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    const aa = f64x2.splat(a);
    for (const stop = x + (<usize>(n & ~7) << 3); x < stop; x += 64) {
      v128.store(x, f64x2.mul(aa, v128.load(x)));
      v128.store(x, f64x2.mul(aa, v128.load(x, 16)), 16);
      v128.store(x, f64x2.mul(aa, v128.load(x, 32)), 32);
      v128.store(x, f64x2.mul(aa, v128.load(x, 48)), 48);
    }
  }
  for (; x < end; x += 8) store<f64>(x, a * load<f64>(x));
}

/** z_i <- x_i y_i */
export function multiply(n: i32, x: usize, y: usize, z: usize): void {
  const end = x + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    for (const stop = x + (<usize>(n & ~7) << 3); x < stop; x += 64, y += 64, z += 64) {
      v128.store(z, f64x2.mul(v128.load(x), v128.load(y)));
      v128.store(z, f64x2.mul(v128.load(x, 16), v128.load(y, 16)), 16);
      v128.store(z, f64x2.mul(v128.load(x, 32), v128.load(y, 32)), 32);
      v128.store(z, f64x2.mul(v128.load(x, 48), v128.load(y, 48)), 48);
    }
  }
  for (; x < end; x += 8, y += 8, z += 8) store<f64>(z, load<f64>(x) * load<f64>(y));
}

/** z <- x - y */
export function subtract(n: i32, x: usize, y: usize, z: usize): void {
  const end = x + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    for (const stop = x + (<usize>(n & ~7) << 3); x < stop; x += 64, y += 64, z += 64) {
      v128.store(z, f64x2.sub(v128.load(x), v128.load(y)));
      v128.store(z, f64x2.sub(v128.load(x, 16), v128.load(y, 16)), 16);
      v128.store(z, f64x2.sub(v128.load(x, 32), v128.load(y, 32)), 32);
      v128.store(z, f64x2.sub(v128.load(x, 48), v128.load(y, 48)), 48);
    }
  }
  for (; x < end; x += 8, y += 8, z += 8) store<f64>(z, load<f64>(x) - load<f64>(y));
}

/** y <- x */
export function copy(n: i32, x: usize, y: usize): void {
  memory.copy(y, x, <usize>n << 3);
}

/** x <- 0 */
export function zero(n: i32, x: usize): void {
  memory.fill(x, 0, <usize>n << 3);
}

/** (x - y)' (x - y) */
export function distanceSquared(n: i32, x: usize, y: usize): f64 {
  let sum: f64 = 0;
  const end = x + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    let a = f64x2.splat(0);
    let b = f64x2.splat(0);
    for (const stop = x + (<usize>(n & ~3) << 3); x < stop; x += 32, y += 32) {
      const p = f64x2.sub(v128.load(x), v128.load(y));
      const q = f64x2.sub(v128.load(x, 16), v128.load(y, 16));
      a = madd(p, p, a);
      b = madd(q, q, b);
    }
    sum = lanes(f64x2.add(a, b));
  }
  for (; x < end; x += 8, y += 8) {
    const d = load<f64>(x) - load<f64>(y);
    sum += d * d;
  }
  return sum;
}

/** out[0] = x' y, out[1] = x' x, in one pass. */
export function dotAndSquare(n: i32, x: usize, y: usize, out: usize): void {
  let xy: f64 = 0;
  let xx: f64 = 0;
  const end = x + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    let a = f64x2.splat(0);
    let b = f64x2.splat(0);
    let c = f64x2.splat(0);
    let d = f64x2.splat(0);
    for (const stop = x + (<usize>(n & ~3) << 3); x < stop; x += 32, y += 32) {
      const p = v128.load(x);
      const q = v128.load(x, 16);
      a = madd(p, v128.load(y), a);
      b = madd(q, v128.load(y, 16), b);
      c = madd(p, p, c);
      d = madd(q, q, d);
    }
    xy = lanes(f64x2.add(a, b));
    xx = lanes(f64x2.add(c, d));
  }
  for (; x < end; x += 8, y += 8) {
    const v = load<f64>(x);
    xy += v * load<f64>(y);
    xx += v * v;
  }
  store<f64>(out, xy);
  store<f64>(out, xx, 8);
}

/** y <- y - a x, returns y' y of the new y. */
export function subtractScaledAndSquare(n: i32, a: f64, x: usize, y: usize): f64 {
  let sum: f64 = 0;
  const end = x + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    const aa = f64x2.splat(a);
    let s = f64x2.splat(0);
    let t = f64x2.splat(0);
    for (const stop = x + (<usize>(n & ~3) << 3); x < stop; x += 32, y += 32) {
      const p = nmadd(aa, v128.load(x), v128.load(y));
      const q = nmadd(aa, v128.load(x, 16), v128.load(y, 16));
      v128.store(y, p);
      v128.store(y, q, 16);
      s = madd(p, p, s);
      t = madd(q, q, t);
    }
    sum = lanes(f64x2.add(s, t));
  }
  for (; x < end; x += 8, y += 8) {
    const v = load<f64>(y) - a * load<f64>(x);
    store<f64>(y, v);
    sum += v * v;
  }
  return sum;
}
