// Vectors of several systems, interleaved: element i of the system in lane l is at [i * lanes + l], in f64 (two or
// four lanes) or f32 (four or eight); T is the type. A vector is padded with zeros to a multiple of 32 bytes, a pass,
// so that there is no tail.
//
// A scalar that each lane has for itself stands in a row of as many T as a pass has: with the smaller number of lanes
// it stands there twice. Sums are rows of f64, with the smaller number of lanes in two parts. In f32 the terms are
// summed in blocks, and the blocks in f64: the error does not grow with n. What one lane computes does not depend on
// the others.

/** Bytes of a pass. */
export const PASS: usize = 32;

/** Bytes of a row: a pass of scalars, or a sum for each of them. */
export const ROW: usize = 64;

/** Terms of a place that are summed in f32. */
export const BLOCK: i32 = 64;

/** a * b + c in all places: fused where the build has relaxed SIMD, two roundings elsewhere. */
// @ts-ignore: decorator
@inline
export function multiplyAdd<T>(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<T>(a, b, c);
  return v128.add<T>(v128.mul<T>(a, b), c);
}

/** c - a * b in all places. */
// @ts-ignore: decorator
@inline
export function multiplySubtract<T>(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_nmadd<T>(a, b, c);
  return v128.sub<T>(c, v128.mul<T>(a, b));
}

/** Bytes of a vector of n elements in each lane, padded. */
export function laneBytes<T>(n: i32, lanes: i32): usize {
  return (<usize>n * <usize>lanes * sizeof<T>() + PASS - 1) & ~(PASS - 1);
}

/** target[i * lanes + lane] <- factor * source[i], a vector of one system in f64 */
export function packLane<T>(n: i32, lanes: i32, lane: i32, factor: f64, source: usize, target: usize): void {
  const stride = <usize>lanes * sizeof<T>();
  target += <usize>lane * sizeof<T>();
  for (const end = source + (<usize>n << 3); source < end; source += 8, target += stride) {
    store<T>(target, <T>(factor * load<f64>(source)));
  }
}

/** target[i] <- source[i * lanes + lane] */
export function unpackLane<T>(n: i32, lanes: i32, lane: i32, source: usize, target: usize): void {
  const stride = <usize>lanes * sizeof<T>();
  source += <usize>lane * sizeof<T>();
  for (const end = target + (<usize>n << 3); target < end; target += 8, source += stride) {
    store<f64>(target, <f64>load<T>(source));
  }
}

/** Zero from element `from` of one lane on, the padding included. */
export function clearLane<T>(from: i32, n: i32, lanes: i32, lane: i32, x: usize): void {
  const stride = <usize>lanes * sizeof<T>();
  const end = x + laneBytes<T>(n, lanes);
  for (x += (<usize>from * <usize>lanes + <usize>lane) * sizeof<T>(); x < end; x += stride) store<T>(x, 0);
}

/** x <- a x, in one lane. */
export function scaleLane<T>(n: i32, lanes: i32, lane: i32, a: f64, x: usize): void {
  const stride = <usize>lanes * sizeof<T>();
  const factor = <T>a;
  for (x += <usize>lane * sizeof<T>(); n > 0; n--, x += stride) store<T>(x, factor * load<T>(x));
}

/** y <- y + a x, in one lane. */
export function axpyLane<T>(n: i32, lanes: i32, lane: i32, a: f64, x: usize, y: usize): void {
  const stride = <usize>lanes * sizeof<T>();
  const factor = <T>a;
  x += <usize>lane * sizeof<T>();
  y += <usize>lane * sizeof<T>();
  for (; n > 0; n--, x += stride, y += stride) store<T>(y, load<T>(y) + factor * load<T>(x));
}

/** x'y of one lane, summed in f64. */
export function dotLane<T>(n: i32, lanes: i32, lane: i32, x: usize, y: usize): f64 {
  const stride = <usize>lanes * sizeof<T>();
  let sum: f64 = 0;
  x += <usize>lane * sizeof<T>();
  y += <usize>lane * sizeof<T>();
  for (; n > 0; n--, x += stride, y += stride) sum += <f64>load<T>(x) * <f64>load<T>(y);
  return sum;
}

/** Puts one lane's scalar into a row. */
export function setScalar<T>(row: usize, lanes: i32, lane: i32, value: f64): void {
  const stride = <usize>lanes * sizeof<T>();
  for (let at = <usize>lane * sizeof<T>(); at < PASS; at += stride) store<T>(row + at, <T>value);
}

/** Lets one lane's places of a row have all bits set, or none. */
export function setMask<T>(row: usize, lanes: i32, lane: i32, on: bool): void {
  const stride = <usize>lanes * sizeof<T>();
  for (let at = <usize>lane * sizeof<T>(); at < PASS; at += stride) {
    memory.fill(row + at, on ? 0xff : 0, sizeof<T>());
  }
}

/** One lane's sum out of a row. */
export function sumOf<T>(row: usize, lanes: i32, lane: i32): f64 {
  const sum = load<f64>(row + (<usize>lane << 3));
  const other = <usize>(lane + lanes);
  return other * sizeof<T>() < PASS ? sum + load<f64>(row + (other << 3)) : sum;
}

/** A row of sums <- 0 */
export function clearSums<T>(row: usize): void {
  memory.fill(row, 0, (PASS / sizeof<T>()) << 3);
}

/** row <- row + the sums of a block */
// @ts-ignore: decorator
@inline
export function addSums<T>(row: usize, a: v128, b: v128): void {
  if (sizeof<T>() == 8) {
    v128.store(row, f64x2.add(v128.load(row), a));
    v128.store(row, f64x2.add(v128.load(row, 16), b), 16);
  } else {
    addPromoted(row, a);
    addPromoted(row + 32, b);
  }
}

// @ts-ignore: decorator
@inline
function addPromoted(row: usize, a: v128): void {
  const upper = v128.shuffle<f32>(a, a, 2, 3, 2, 3);
  v128.store(row, f64x2.add(v128.load(row), f64x2.promote_low_f32x4(a)));
  v128.store(row, f64x2.add(v128.load(row, 16), f64x2.promote_low_f32x4(upper)), 16);
}

/** Bytes of a vector whose terms are summed together. */
// @ts-ignore: decorator
@inline
function blockBytes<T>(bytes: usize): usize {
  return sizeof<T>() == 8 ? bytes : <usize>BLOCK * PASS;
}

/** p <- r + beta (p - omega v) */
export function directionLanes<T>(bytes: usize, beta: usize, omega: usize, r: usize, v: usize, p: usize): void {
  if (ASC_FEATURE_SIMD) {
    const b = v128.load(beta);
    const c = v128.load(beta, 16);
    const o = v128.load(omega);
    const q = v128.load(omega, 16);
    for (const end = p + bytes; p < end; p += 32, r += 32, v += 32) {
      let next = multiplySubtract<T>(o, v128.load(v), v128.load(p));
      v128.store(p, multiplyAdd<T>(b, next, v128.load(r)));
      next = multiplySubtract<T>(q, v128.load(v, 16), v128.load(p, 16));
      v128.store(p, multiplyAdd<T>(c, next, v128.load(r, 16)), 16);
    }
  } else {
    for (let k: usize = 0; k < PASS; k += sizeof<T>()) {
      const b = load<T>(beta + k);
      const o = load<T>(omega + k);
      for (let at = k; at < bytes; at += PASS) {
        store<T>(p + at, load<T>(r + at) + b * (load<T>(p + at) - o * load<T>(v + at)));
      }
    }
  }
}

/** z <- x times y, element by element */
export function multiplyLanes<T>(bytes: usize, x: usize, y: usize, z: usize): void {
  if (ASC_FEATURE_SIMD) {
    for (const end = z + bytes; z < end; z += 32, x += 32, y += 32) {
      v128.store(z, v128.mul<T>(v128.load(x), v128.load(y)));
      v128.store(z, v128.mul<T>(v128.load(x, 16), v128.load(y, 16)), 16);
    }
  } else {
    for (let at: usize = 0; at < bytes; at += sizeof<T>()) store<T>(z + at, load<T>(x + at) * load<T>(y + at));
  }
}

/** y <- y - a x, yy <- y'y of the new y. */
export function subtractScaledLanes<T>(bytes: usize, a: usize, x: usize, y: usize, yy: usize): void {
  clearSums<T>(yy);
  if (ASC_FEATURE_SIMD) {
    const first = v128.load(a);
    const second = v128.load(a, 16);
    for (const end = x + bytes; x < end; ) {
      let c = v128.splat<T>(0);
      let d = v128.splat<T>(0);
      for (const stop = min(end, x + blockBytes<T>(bytes)); x < stop; x += 32, y += 32) {
        const p = multiplySubtract<T>(first, v128.load(x), v128.load(y));
        const q = multiplySubtract<T>(second, v128.load(x, 16), v128.load(y, 16));
        v128.store(y, p);
        v128.store(y, q, 16);
        c = multiplyAdd<T>(p, p, c);
        d = multiplyAdd<T>(q, q, d);
      }
      addSums<T>(yy, c, d);
    }
  } else {
    for (let k: usize = 0; k < PASS; k += sizeof<T>()) {
      const factor = load<T>(a + k);
      let total: f64 = 0;
      for (let at = k; at < bytes; ) {
        let square: T = 0;
        for (const stop = min(bytes, at + blockBytes<T>(bytes)); at < stop; at += PASS) {
          const value = load<T>(y + at) - factor * load<T>(x + at);
          store<T>(y + at, value);
          square += value * value;
        }
        total += <f64>square;
      }
      store<f64>(yy + (k / sizeof<T>() << 3), total);
    }
  }
}

/**
 * x <- x + alpha p + omega s where `mask` has all bits set, r <- r - omega t; rr <- r'r, rho <- shadow'r. s may be r.
 */
export function updateLanes<T>(
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
  clearSums<T>(rr);
  clearSums<T>(rho);
  if (ASC_FEATURE_SIMD) {
    const a = v128.load(alpha);
    const b = v128.load(alpha, 16);
    const o = v128.load(omega);
    const q = v128.load(omega, 16);
    const m = v128.load(mask);
    const n = v128.load(mask, 16);
    for (const end = x + bytes; x < end; ) {
      let c = v128.splat<T>(0);
      let d = v128.splat<T>(0);
      let e = v128.splat<T>(0);
      let f = v128.splat<T>(0);
      const stop = min(end, x + blockBytes<T>(bytes));
      for (; x < stop; x += 32, p += 32, s += 32, t += 32, shadow += 32, r += 32) {
        let old = v128.load(x);
        let next = multiplyAdd<T>(o, v128.load(s), multiplyAdd<T>(a, v128.load(p), old));
        v128.store(x, v128.bitselect(next, old, m));
        old = v128.load(x, 16);
        next = multiplyAdd<T>(q, v128.load(s, 16), multiplyAdd<T>(b, v128.load(p, 16), old));
        v128.store(x, v128.bitselect(next, old, n), 16);
        let value = multiplySubtract<T>(o, v128.load(t), v128.load(r));
        v128.store(r, value);
        c = multiplyAdd<T>(value, value, c);
        e = multiplyAdd<T>(value, v128.load(shadow), e);
        value = multiplySubtract<T>(q, v128.load(t, 16), v128.load(r, 16));
        v128.store(r, value, 16);
        d = multiplyAdd<T>(value, value, d);
        f = multiplyAdd<T>(value, v128.load(shadow, 16), f);
      }
      addSums<T>(rr, c, d);
      addSums<T>(rho, e, f);
    }
  } else {
    for (let k: usize = 0; k < PASS; k += sizeof<T>()) {
      const a = load<T>(alpha + k);
      const o = load<T>(omega + k);
      const free = load<u8>(mask + k) != 0;
      const place = k / sizeof<T>() << 3;
      for (let at = k; at < bytes; ) {
        let square: T = 0;
        let product: T = 0;
        for (const stop = min(bytes, at + blockBytes<T>(bytes)); at < stop; at += PASS) {
          if (free) store<T>(x + at, load<T>(x + at) + a * load<T>(p + at) + o * load<T>(s + at));
          const value = load<T>(r + at) - o * load<T>(t + at);
          store<T>(r + at, value);
          square += value * value;
          product += value * load<T>(shadow + at);
        }
        store<f64>(rr + place, load<f64>(rr + place) + <f64>square);
        store<f64>(rho + place, load<f64>(rho + place) + <f64>product);
      }
    }
  }
}
