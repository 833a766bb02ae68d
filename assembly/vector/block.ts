// Operations with several vectors at once: the columns of a basis V, each `stride` bytes after the one before.
// Four columns are taken together, so that w is read once for four of them.

import { axpy, dot } from './vector';
import { lanes, madd } from './simd';

/** Bytes from one vector of a workspace, or column of a basis, to the next. */
export function vectorStride(n: i32): usize {
  return ((<usize>n << 3) + 63) & ~63;
}

/** h[0..k) <- V' w */
export function blockDot(n: i32, k: i32, V: usize, stride: usize, w: usize, h: usize): void {
  let j = 0;
  if (ASC_FEATURE_SIMD) {
    for (; j + 4 <= k; j += 4, V += stride << 2, h += 32) dot4(n, V, stride, w, h);
  }
  for (; j < k; j++, V += stride, h += 8) store<f64>(h, dot(n, V, w));
}

/** w <- w + sign V h */
export function blockUpdate(n: i32, k: i32, sign: f64, V: usize, stride: usize, h: usize, w: usize): void {
  let j = 0;
  if (ASC_FEATURE_SIMD) {
    for (; j + 4 <= k; j += 4, V += stride << 2, h += 32) update4(n, sign, V, stride, h, w);
  }
  for (; j < k; j++, V += stride, h += 8) axpy(n, sign * load<f64>(h), V, w);
}

function dot4(n: i32, V: usize, stride: usize, w: usize, h: usize): void {
  let p = V;
  let q = p + stride;
  let r = q + stride;
  let s = r + stride;
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  let c = f64x2.splat(0);
  let d = f64x2.splat(0);
  const end = w + (<usize>n << 3);
  for (const stop = w + (<usize>(n & ~1) << 3); w < stop; w += 16, p += 16, q += 16, r += 16, s += 16) {
    const x = v128.load(w);
    a = madd(x, v128.load(p), a);
    b = madd(x, v128.load(q), b);
    c = madd(x, v128.load(r), c);
    d = madd(x, v128.load(s), d);
  }
  let sa = lanes(a);
  let sb = lanes(b);
  let sc = lanes(c);
  let sd = lanes(d);
  if (w < end) {
    const x = load<f64>(w);
    sa += x * load<f64>(p);
    sb += x * load<f64>(q);
    sc += x * load<f64>(r);
    sd += x * load<f64>(s);
  }
  store<f64>(h, sa);
  store<f64>(h, sb, 8);
  store<f64>(h, sc, 16);
  store<f64>(h, sd, 24);
}

function update4(n: i32, sign: f64, V: usize, stride: usize, h: usize, w: usize): void {
  let p = V;
  let q = p + stride;
  let r = q + stride;
  let s = r + stride;
  const sa = sign * load<f64>(h);
  const sb = sign * load<f64>(h, 8);
  const sc = sign * load<f64>(h, 16);
  const sd = sign * load<f64>(h, 24);
  const a = f64x2.splat(sa);
  const b = f64x2.splat(sb);
  const c = f64x2.splat(sc);
  const d = f64x2.splat(sd);
  const end = w + (<usize>n << 3);
  for (const stop = w + (<usize>(n & ~1) << 3); w < stop; w += 16, p += 16, q += 16, r += 16, s += 16) {
    const ab = madd(b, v128.load(q), madd(a, v128.load(p), v128.load(w)));
    v128.store(w, madd(d, v128.load(s), madd(c, v128.load(r), ab)));
  }
  if (w < end) {
    const ab = load<f64>(w) + sa * load<f64>(p) + sb * load<f64>(q);
    store<f64>(w, ab + sc * load<f64>(r) + sd * load<f64>(s));
  }
}
