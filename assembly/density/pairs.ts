// The density of pixel pairs (arXiv 2404.06661): a bins x bins histogram on [0, 1]^2, smoothed along both axes,
// looked up bilinearly at the pairs themselves.
//
// With K the smoothing matrix (row q: the effect of bin q on all) and H the histogram, the density is K' H K. It
// is wanted at a few thousand bins of 65,536: there each costs one product of two rows.

import { axpy, dot } from '../vector/vector';

/**
 * density[k] <- the smoothed density at (x[k], y[k]), each bin floored at `floor` before it is interpolated.
 * `weight` is what one pair adds to its bin. K has bins x bins numbers, `columns` is K transposed, and `once` is
 * scratch of the same size.
 */
export function pairDensity(
  n: i32,
  bins: i32,
  weight: f64,
  floor: f64,
  K: usize,
  columns: usize,
  once: usize,
  x: usize,
  y: usize,
  density: usize,
): void {
  const row = <usize>bins << 3;
  memory.fill(once, 0, <usize>bins * row);
  // Row i: the pairs whose x is in bin i, smoothed along y. Transposed, row j holds, over the bins of x, the
  // histogram smoothed along y at bin j; a dot product with a column of K smooths it along x.
  for (let k: usize = 0; k < <usize>n << 3; k += 8) {
    const i = bin(load<f64>(x + k), bins);
    const j = bin(load<f64>(y + k), bins);
    axpy(bins, weight, K + <usize>j * row, once + <usize>i * row);
  }
  transpose(bins, once);
  for (let k: usize = 0; k < <usize>n << 3; k += 8) {
    const cx = min(<f64>bins * load<f64>(x + k), <f64>(bins - 1));
    const cy = min(<f64>bins * load<f64>(y + k), <f64>(bins - 1));
    const i = min(<i32>Math.floor(cx), bins - 2);
    const j = min(<i32>Math.floor(cy), bins - 2);
    const a = cx - i;
    const b = cy - j;
    const p = columns + <usize>i * row;
    const q = once + <usize>j * row;
    const lower = (1 - a) * max(dot(bins, p, q), floor) + a * max(dot(bins, p + row, q), floor);
    const upper = (1 - a) * max(dot(bins, p, q + row), floor) + a * max(dot(bins, p + row, q + row), floor);
    store<f64>(density + k, (1 - b) * lower + b * upper);
  }
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
