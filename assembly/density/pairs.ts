// The density of pixel pairs (arXiv 2404.06661): a bins x bins histogram on [0, 1]^2, smoothed along both axes,
// looked up bilinearly at the pairs themselves.
//
// With K the smoothing matrix, which is symmetric, and H the histogram, the density is K H K. It is wanted at a few
// thousand bins of 65,536: there each costs one product of two rows.

import { lanes, madd } from '../vector/simd';
import { axpy } from '../vector/vector';

/**
 * density[k] <- the smoothed density at (x[k], y[k]), k < wanted, each bin floored at `floor` before it is
 * interpolated. `weight` is what one of the n pairs adds to its bin. K has bins x bins numbers, and `once` is scratch
 * of the same size.
 */
export function pairDensity(
  n: i32,
  wanted: i32,
  bins: i32,
  weight: f64,
  floor: f64,
  K: usize,
  once: usize,
  x: usize,
  y: usize,
  density: usize,
): void {
  const row = <usize>bins << 3;
  memory.fill(once, 0, <usize>bins * row);
  // Row i: the pairs whose x is in bin i, smoothed along y. Transposed, row j holds, over the bins of x, the
  // histogram smoothed along y at bin j; a dot product with a row of K smooths it along x.
  for (let k: usize = 0; k < <usize>n << 3; k += 8) {
    const i = bin(load<f64>(x + k), bins);
    const j = bin(load<f64>(y + k), bins);
    axpy(bins, weight, K + <usize>j * row, once + <usize>i * row);
  }
  transpose(bins, once);
  for (let k: usize = 0; k < <usize>wanted << 3; k += 8) {
    const cx = min(<f64>bins * load<f64>(x + k), <f64>(bins - 1));
    const cy = min(<f64>bins * load<f64>(y + k), <f64>(bins - 1));
    const i = min(<i32>Math.floor(cx), bins - 2);
    const j = min(<i32>Math.floor(cy), bins - 2);
    store<f64>(density + k, bilinear(bins, cx - i, cy - j, floor, K + <usize>i * row, once + <usize>j * row));
  }
}

/** The products of the rows p and p + 1 with q and q + 1, floored, and interpolated at (a, b) between them. */
function bilinear(bins: i32, a: f64, b: f64, floor: f64, p: usize, q: usize): f64 {
  const row = <usize>bins << 3;
  const end = p + row;
  let s: f64 = 0;
  let t: f64 = 0;
  let u: f64 = 0;
  let v: f64 = 0;
  if (ASC_FEATURE_SIMD) {
    let ss = f64x2.splat(0);
    let tt = ss;
    let uu = ss;
    let vv = ss;
    for (const stop = p + (<usize>(bins & ~1) << 3); p < stop; p += 16, q += 16) {
      const p0 = v128.load(p);
      const q0 = v128.load(q);
      ss = madd(p0, q0, ss);
      const p1 = v128.load(p + row);
      tt = madd(p1, q0, tt);
      const q1 = v128.load(q + row);
      uu = madd(p0, q1, uu);
      vv = madd(p1, q1, vv);
    }
    s = lanes(ss);
    t = lanes(tt);
    u = lanes(uu);
    v = lanes(vv);
  }
  for (; p < end; p += 8, q += 8) {
    s += load<f64>(p) * load<f64>(q);
    t += load<f64>(p + row) * load<f64>(q);
    u += load<f64>(p) * load<f64>(q + row);
    v += load<f64>(p + row) * load<f64>(q + row);
  }
  const lower = (1 - a) * max(s, floor) + a * max(t, floor);
  return (1 - b) * lower + b * ((1 - a) * max(u, floor) + a * max(v, floor));
}

/** The last bin is closed: 1 belongs to it. */
function bin(value: f64, bins: i32): i32 {
  return min(bins - 1, <i32>Math.floor(<f64>bins * value));
}

/** Side of the tiles of `transpose`: two of them fit the nearest cache. */
const TILE: usize = 16;

/** A <- A', in place, tile by tile. */
export function transpose(size: i32, A: usize): void {
  const n = <usize>size;
  const row = n << 3;
  for (let top: usize = 0; top < n; top += TILE) {
    for (let left: usize = 0; left <= top; left += TILE) {
      for (let i = top; i < min(top + TILE, n); i++) {
        for (let j = left; j < min(left + TILE, i); j++) {
          const p = A + i * row + (j << 3);
          const q = A + j * row + (i << 3);
          const value = load<f64>(p);
          store<f64>(p, load<f64>(q));
          store<f64>(q, value);
        }
      }
    }
  }
}
