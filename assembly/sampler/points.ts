// Steps of many points of the plane in a field of scores. A point is two numbers, in cells from the corner of the
// grid; the border reflects. Point k has the random numbers of (seed, k, step), whatever else is in memory.

import { addressOf, cellOf, component, fieldAt, fold, foldBoth } from './field';
import { normalPair, philox, uniform } from './philox';

/** The counter's last word: what a draw is for. */
const FOR_START: u32 = 0;
const FOR_NOISE: u32 = 1;

/** Random words and the two normal numbers made of them. */
const scratch = memory.data(32, 16);

/**
 * x[k] <- a draw from the density whose cells are filled evenly. `rows[i]` is the mass of the rows up to i, and
 * `cells[i][j]` that of the cells of row i up to j.
 */
export function drawPoints(
  count: i32,
  height: i32,
  width: i32,
  rows: usize,
  cells: usize,
  seedLow: u32,
  seedHigh: u32,
  first: f64,
  x: usize,
): void {
  let point = <u64>first;
  for (const end = x + (<usize>count << 4); x < end; x += 16, point++) {
    philox(<u32>point, <u32>(point >> 32), 0, FOR_START, seedLow, seedHigh, scratch);
    const share = uniform(scratch) * lastOf(rows, height);
    const i = indexOf(rows, height, share);
    const row = cells + (<usize>(i * width) << 3);
    const part = uniform(scratch + 8) * lastOf(row, width);
    const j = indexOf(row, width, part);
    store<f64>(x, placeIn(rows, i, share));
    store<f64>(x, placeIn(row, j, part), 8);
  }
}

function lastOf(sums: usize, count: i32): f64 {
  return load<f64>(sums + (<usize>(count - 1) << 3));
}

/** Index of the first of the running sums that is greater than `value`, which is below the last. */
function indexOf(sums: usize, count: i32, value: f64): i32 {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<f64>(sums + (<usize>middle << 3)) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Where the running sum, linear over each cell, reaches `value`, which lies in cell `index`. */
function placeIn(sums: usize, index: i32, value: f64): f64 {
  const at = sums + (<usize>index << 3);
  const below = index > 0 ? load<f64>(at - 8) : 0;
  return <f64>index + (value - below) / (load<f64>(at) - below);
}

/**
 * out[k] <- x[k] + field at x[k] + noise, reflected. The noise is `noiseX`, `noiseY` times standard normal numbers;
 * none are drawn where both are 0. `out` may be x.
 */
export function movePoints(
  count: i32,
  height: i32,
  width: i32,
  cells: usize,
  noiseX: f64,
  noiseY: f64,
  seedLow: u32,
  seedHigh: u32,
  first: f64,
  step: u32,
  x: usize,
  out: usize,
): void {
  const noisy = noiseX != 0 || noiseY != 0;
  const normals = scratch + 16;
  let point = <u64>first;
  store<f64>(normals, 0);
  store<f64>(normals, 0, 8);
  const end = x + (<usize>count << 4);
  if (ASC_FEATURE_SIMD) {
    const last = i32x4(height - 1, width - 1, 0, 0);
    const period = f64x2(2 * <f64>height, 2 * <f64>width);
    const noise = f64x2(noiseX, noiseY);
    for (; x < end; x += 16, out += 16, point++) {
      if (noisy) {
        philox(<u32>point, <u32>(point >> 32), step, FOR_NOISE, seedLow, seedHigh, scratch);
        normalPair(scratch, normals);
      }
      const u = v128.load(x);
      const moved = f64x2.add(u, fieldAt(cells, width, u, last));
      v128.store(out, foldBoth(f64x2.add(moved, f64x2.mul(noise, v128.load(normals))), period));
    }
  } else {
    for (; x < end; x += 16, out += 16, point++) {
      if (noisy) {
        philox(<u32>point, <u32>(point >> 32), step, FOR_NOISE, seedLow, seedHigh, scratch);
        normalPair(scratch, normals);
      }
      const u = load<f64>(x);
      const v = load<f64>(x, 8);
      const i = cellOf(u, height);
      const j = cellOf(v, width);
      const cell = addressOf(cells, width, i, j);
      const nextU = u + component(cell, u, i) + noiseX * load<f64>(normals);
      const nextV = v + component(cell + 8, v, j) + noiseY * load<f64>(normals, 8);
      store<f64>(out, fold(nextU, height));
      store<f64>(out, fold(nextV, width), 8);
    }
  }
}

/** x[k] <- x[k] + half of the field `before` at x[k] and of `after` where the former alone leads: Heun's method. */
export function movePointsHeun(
  count: i32,
  height: i32,
  width: i32,
  before: usize,
  after: usize,
  x: usize,
): void {
  const end = x + (<usize>count << 4);
  if (ASC_FEATURE_SIMD) {
    const last = i32x4(height - 1, width - 1, 0, 0);
    const period = f64x2(2 * <f64>height, 2 * <f64>width);
    const half = f64x2.splat(0.5);
    for (; x < end; x += 16) {
      const u = v128.load(x);
      const k = fieldAt(before, width, u, last);
      const l = fieldAt(after, width, foldBoth(f64x2.add(u, k), period), last);
      v128.store(x, foldBoth(f64x2.add(u, f64x2.mul(half, f64x2.add(k, l))), period));
    }
  } else {
    for (; x < end; x += 16) {
      const u = load<f64>(x);
      const v = load<f64>(x, 8);
      let i = cellOf(u, height);
      let j = cellOf(v, width);
      let cell = addressOf(before, width, i, j);
      const ku = component(cell, u, i);
      const kv = component(cell + 8, v, j);
      const nextU = fold(u + ku, height);
      const nextV = fold(v + kv, width);
      i = cellOf(nextU, height);
      j = cellOf(nextV, width);
      cell = addressOf(after, width, i, j);
      store<f64>(x, fold(u + 0.5 * (ku + component(cell, nextU, i)), height));
      store<f64>(x, fold(v + 0.5 * (kv + component(cell + 8, nextV, j)), width), 8);
    }
  }
}
