// Products of two sets of columns. Four columns of one with two of the other at a time, over a tile of rows that
// stays in the first cache while all pairs are taken.

import { blockDot } from '../vector/block';
import { dot } from '../vector/vector';
import { lanes, madd } from '../vector/simd';

const TILE: i32 = 256;

/** G <- V' W, k x k by columns. */
export function crossGram(n: i32, k: i32, V: usize, vStride: usize, W: usize, wStride: usize, G: usize): void {
  const bytes = <usize>k << 3;
  if (!ASC_FEATURE_SIMD) {
    for (let j: usize = 0; j < <usize>k; j++) blockDot(n, k, V, vStride, W + j * wStride, G + j * bytes);
    return;
  }
  memory.fill(G, 0, <usize>k * bytes);
  tiles(false, n, k, V, vStride, W, wStride, G);
  const fours = k & ~3;
  for (let j: usize = 0; j < <usize>k; j++) {
    for (let i = <usize>fours; i < <usize>k; i++) {
      store<f64>(G + j * bytes + (i << 3), dot(n, V + i * vStride, W + j * wStride));
    }
  }
  if (k & 1) blockDot(n, fours, V, vStride, W + <usize>(k - 1) * wStride, G + <usize>(k - 1) * bytes);
}

/** G <- W' W, k x k. */
export function gram(n: i32, k: i32, W: usize, stride: usize, G: usize): void {
  const bytes = <usize>k << 3;
  memory.fill(G, 0, <usize>k * bytes);
  if (ASC_FEATURE_SIMD) tiles(true, n, k, W, stride, W, stride, G);
  for (let i = <usize>(ASC_FEATURE_SIMD ? k & ~3 : 0); i < <usize>k; i++) {
    blockDot(n, <i32>i + 1, W, stride, W + i * stride, G + i * bytes);
    for (let j: usize = 0; j < i; j++) store<f64>(G + j * bytes + (i << 3), load<f64>(G + i * bytes + (j << 3)));
  }
  // The tiles leave the entries below the diagonal, and some above.
  for (let j: usize = 0; j < <usize>k; j++) {
    for (let i = j + 1; i < <usize>k; i++) {
      store<f64>(G + i * bytes + (j << 3), load<f64>(G + j * bytes + (i << 3)));
    }
  }
}

/** Adds to G the products of fours of V with pairs of W; `lower`: as far as they reach the diagonal or below it. */
function tiles(lower: bool, n: i32, k: i32, V: usize, vStride: usize, W: usize, wStride: usize, G: usize): void {
  const bytes = <usize>k << 3;
  for (let row = 0; row < n; row += TILE) {
    const count = min(TILE, n - row);
    const start = <usize>row << 3;
    for (let j = 0; j + 2 <= k; j += 2) {
      const w = W + start + <usize>j * wStride;
      for (let i = lower ? j & ~3 : 0; i + 4 <= k; i += 4) {
        fourByTwo(count, V + start + <usize>i * vStride, vStride, w, wStride, G + <usize>j * bytes + (<usize>i << 3), bytes);
      }
    }
  }
}

function fourByTwo(n: i32, V: usize, vStride: usize, w: usize, wStride: usize, g: usize, bytes: usize): void {
  let p = V;
  let q = p + vStride;
  let r = q + vStride;
  let s = r + vStride;
  let u = w + wStride;
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  let c = f64x2.splat(0);
  let d = f64x2.splat(0);
  let e = f64x2.splat(0);
  let f = f64x2.splat(0);
  let h = f64x2.splat(0);
  let l = f64x2.splat(0);
  const end = w + (<usize>n << 3);
  for (const stop = w + (<usize>(n & ~1) << 3); w < stop; w += 16, u += 16, p += 16, q += 16, r += 16, s += 16) {
    const x = v128.load(w);
    const y = v128.load(u);
    const v0 = v128.load(p);
    a = madd(x, v0, a);
    e = madd(y, v0, e);
    const v1 = v128.load(q);
    b = madd(x, v1, b);
    f = madd(y, v1, f);
    const v2 = v128.load(r);
    c = madd(x, v2, c);
    h = madd(y, v2, h);
    const v3 = v128.load(s);
    d = madd(x, v3, d);
    l = madd(y, v3, l);
  }
  if (w < end) {
    const x = f64x2.replace_lane(f64x2.splat(0), 0, load<f64>(w));
    const y = f64x2.replace_lane(f64x2.splat(0), 0, load<f64>(u));
    a = madd(x, v128.load64_zero(p), a);
    b = madd(x, v128.load64_zero(q), b);
    c = madd(x, v128.load64_zero(r), c);
    d = madd(x, v128.load64_zero(s), d);
    e = madd(y, v128.load64_zero(p), e);
    f = madd(y, v128.load64_zero(q), f);
    h = madd(y, v128.load64_zero(r), h);
    l = madd(y, v128.load64_zero(s), l);
  }
  add(g, a, b);
  add(g + 16, c, d);
  add(g + bytes, e, f);
  add(g + bytes + 16, h, l);
}

/** g[0] += the sum of a's lanes, g[1] += that of b's. */
// @ts-ignore: decorator
@inline
function add(g: usize, a: v128, b: v128): void {
  store<f64>(g, load<f64>(g) + lanes(a));
  store<f64>(g, load<f64>(g, 8) + lanes(b), 8);
}
