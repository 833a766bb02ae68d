// Vectors of several systems, interleaved: element i of the system in lane l is at [i * lanes + l], of two or four
// lanes. A vector is padded with zeros to a multiple of four f64, so that a pass takes 32 bytes and there is no tail.
//
// A scalar that each lane has for itself stands in a row of four places, one for each f64 of a pass: with two lanes
// it stands there twice, and a sum is in two parts. What one lane computes does not depend on the others.

import { madd, nmadd } from '../vector/simd';

/** Bytes of a row of scalars, and of a pass. */
export const ROW: usize = 32;

/** Bytes of a vector of n elements in each lane, padded. */
export function laneBytes(n: i32, lanes: i32): usize {
  return ((<usize>n * <usize>lanes << 3) + ROW - 1) & ~(ROW - 1);
}

/** target[i * lanes + lane] <- source[i] */
export function packLane(n: i32, lanes: i32, lane: i32, source: usize, target: usize): void {
  const stride = <usize>lanes << 3;
  target += <usize>lane << 3;
  for (const end = source + (<usize>n << 3); source < end; source += 8, target += stride) {
    store<f64>(target, load<f64>(source));
  }
}

/** target[i] <- source[i * lanes + lane] */
export function unpackLane(n: i32, lanes: i32, lane: i32, source: usize, target: usize): void {
  const stride = <usize>lanes << 3;
  source += <usize>lane << 3;
  for (const end = target + (<usize>n << 3); target < end; target += 8, source += stride) {
    store<f64>(target, load<f64>(source));
  }
}

/** Zero from element `from` of one lane on, the padding included. */
export function clearLane(from: i32, n: i32, lanes: i32, lane: i32, x: usize): void {
  const stride = <usize>lanes << 3;
  const end = x + laneBytes(n, lanes);
  for (x += ((<usize>from * <usize>lanes) << 3) + (<usize>lane << 3); x < end; x += stride) store<f64>(x, 0);
}

/** y <- y + a x, in one lane. */
export function axpyLane(n: i32, lanes: i32, lane: i32, a: f64, x: usize, y: usize): void {
  const stride = <usize>lanes << 3;
  x += <usize>lane << 3;
  y += <usize>lane << 3;
  for (; n > 0; n--, x += stride, y += stride) store<f64>(y, load<f64>(y) + a * load<f64>(x));
}

/** Puts one lane's scalar into a row. */
export function setScalar(row: usize, lanes: i32, lane: i32, value: f64): void {
  for (let k = lane; k < 4; k += lanes) store<f64>(row + (<usize>k << 3), value);
}

/** One lane's sum out of a row. */
export function sumOf(row: usize, lanes: i32, lane: i32): f64 {
  const sum = load<f64>(row + (<usize>lane << 3));
  return lanes == 4 ? sum : sum + load<f64>(row + (<usize>lane << 3), 16);
}

/** p <- r + beta (p - omega v) */
export function directionLanes(bytes: usize, beta: usize, omega: usize, r: usize, v: usize, p: usize): void {
  if (ASC_FEATURE_SIMD) {
    const b = v128.load(beta);
    const c = v128.load(beta, 16);
    const o = v128.load(omega);
    const q = v128.load(omega, 16);
    for (const end = p + bytes; p < end; p += 32, r += 32, v += 32) {
      v128.store(p, madd(b, nmadd(o, v128.load(v), v128.load(p)), v128.load(r)));
      v128.store(p, madd(c, nmadd(q, v128.load(v, 16), v128.load(p, 16)), v128.load(r, 16)), 16);
    }
  } else {
    for (let k: usize = 0; k < ROW; k += 8) {
      const b = load<f64>(beta + k);
      const o = load<f64>(omega + k);
      for (let at = k; at < bytes; at += ROW) {
        store<f64>(p + at, load<f64>(r + at) + b * (load<f64>(p + at) - o * load<f64>(v + at)));
      }
    }
  }
}

/** xy <- x'y, xx <- x'x */
export function dotAndSquareLanes(bytes: usize, x: usize, y: usize, xy: usize, xx: usize): void {
  if (ASC_FEATURE_SIMD) {
    let a = f64x2.splat(0);
    let b = f64x2.splat(0);
    let c = f64x2.splat(0);
    let d = f64x2.splat(0);
    for (const end = x + bytes; x < end; x += 32, y += 32) {
      const p = v128.load(x);
      const q = v128.load(x, 16);
      a = madd(p, v128.load(y), a);
      b = madd(q, v128.load(y, 16), b);
      c = madd(p, p, c);
      d = madd(q, q, d);
    }
    v128.store(xy, a);
    v128.store(xy, b, 16);
    v128.store(xx, c);
    v128.store(xx, d, 16);
  } else {
    for (let k: usize = 0; k < ROW; k += 8) {
      let product: f64 = 0;
      let square: f64 = 0;
      for (let at = k; at < bytes; at += ROW) {
        const value = load<f64>(x + at);
        product += value * load<f64>(y + at);
        square += value * value;
      }
      store<f64>(xy + k, product);
      store<f64>(xx + k, square);
    }
  }
}

/** y <- y - a x, yy <- y'y of the new y. */
export function subtractScaledLanes(bytes: usize, a: usize, x: usize, y: usize, yy: usize): void {
  if (ASC_FEATURE_SIMD) {
    const first = v128.load(a);
    const second = v128.load(a, 16);
    let c = f64x2.splat(0);
    let d = f64x2.splat(0);
    for (const end = x + bytes; x < end; x += 32, y += 32) {
      const p = nmadd(first, v128.load(x), v128.load(y));
      const q = nmadd(second, v128.load(x, 16), v128.load(y, 16));
      v128.store(y, p);
      v128.store(y, q, 16);
      c = madd(p, p, c);
      d = madd(q, q, d);
    }
    v128.store(yy, c);
    v128.store(yy, d, 16);
  } else {
    for (let k: usize = 0; k < ROW; k += 8) {
      const factor = load<f64>(a + k);
      let square: f64 = 0;
      for (let at = k; at < bytes; at += ROW) {
        const value = load<f64>(y + at) - factor * load<f64>(x + at);
        store<f64>(y + at, value);
        square += value * value;
      }
      store<f64>(yy + k, square);
    }
  }
}

/**
 * x <- x + alpha p + omega s where `mask` has all bits set, r <- r - omega t; rr <- r'r, rho <- shadow'r. s may be r.
 */
export function updateLanes(
  bytes: usize,
  alpha: usize,
  omega: usize,
  mask: usize,
  p: usize,
  s: usize,
  t: usize,
  shadow: usize,
  x: usize,
  r: usize,
  rr: usize,
  rho: usize,
): void {
  if (ASC_FEATURE_SIMD) {
    const a = v128.load(alpha);
    const b = v128.load(alpha, 16);
    const o = v128.load(omega);
    const q = v128.load(omega, 16);
    const m = v128.load(mask);
    const n = v128.load(mask, 16);
    let c = f64x2.splat(0);
    let d = f64x2.splat(0);
    let e = f64x2.splat(0);
    let f = f64x2.splat(0);
    for (const end = x + bytes; x < end; x += 32, p += 32, s += 32, t += 32, shadow += 32, r += 32) {
      let old = v128.load(x);
      v128.store(x, v128.bitselect(madd(o, v128.load(s), madd(a, v128.load(p), old)), old, m));
      old = v128.load(x, 16);
      v128.store(x, v128.bitselect(madd(q, v128.load(s, 16), madd(b, v128.load(p, 16), old)), old, n), 16);
      let value = nmadd(o, v128.load(t), v128.load(r));
      v128.store(r, value);
      c = madd(value, value, c);
      e = madd(value, v128.load(shadow), e);
      value = nmadd(q, v128.load(t, 16), v128.load(r, 16));
      v128.store(r, value, 16);
      d = madd(value, value, d);
      f = madd(value, v128.load(shadow, 16), f);
    }
    v128.store(rr, c);
    v128.store(rr, d, 16);
    v128.store(rho, e);
    v128.store(rho, f, 16);
  } else {
    for (let k: usize = 0; k < ROW; k += 8) {
      const a = load<f64>(alpha + k);
      const o = load<f64>(omega + k);
      const free = load<i64>(mask + k) != 0;
      let square: f64 = 0;
      let product: f64 = 0;
      for (let at = k; at < bytes; at += ROW) {
        if (free) {
          store<f64>(x + at, load<f64>(x + at) + a * load<f64>(p + at) + o * load<f64>(s + at));
        }
        const value = load<f64>(r + at) - o * load<f64>(t + at);
        store<f64>(r + at, value);
        square += value * value;
        product += value * load<f64>(shadow + at);
      }
      store<f64>(rr + k, square);
      store<f64>(rho + k, product);
    }
  }
}
