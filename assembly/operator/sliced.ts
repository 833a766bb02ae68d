// A sparse matrix by rows in slices (sliced ELL; Kreutzer, Hager, Wellein, Fehske and Bishop 2014, SIAM J. Sci.
// Comput. 36(5)). Rows of one length are taken together, so that no loop's length has to be guessed and four rows
// advance side by side: entry e of rows p .. p + 3 lies in four slots one after the other, then entry e + 1. What
// is left of a length, up to three rows, follows as single rows, entry after entry. Nothing is padded.
//
// The rows are sorted by length within windows of `WINDOW` rows (`order`: the row in each place; `slice-order.ts`),
// and runs describe the slices: entries a row, slices, single rows behind them; three i32 each. No run crosses
// from one window to the next. Columns keep their numbers.

import { lanes, madd } from '../vector/simd';

/** Rows a slice. */
export const SLICE: usize = 4;
/** Rows that are sorted among themselves: few enough for what they read of x to stay near. */
export const WINDOW: i32 = 256;
/** Bytes of a run. */
export const RUN: usize = 12;

/** The elements of x at two indices. */
// @ts-ignore: decorator
@inline
export function gather(x: usize, indices: usize): v128 {
  const first = v128.load64_zero(x + (<usize>load<u32>(indices) << 3));
  return v128.load64_lane(x + (<usize>load<u32>(indices, 4) << 3), first, 1);
}

/** x[index] <- the lanes of a, for two indices. */
// @ts-ignore: decorator
@inline
export function scatter(a: v128, indices: usize, x: usize): void {
  v128.store64_lane(x + (<usize>load<u32>(indices) << 3), a, 0);
  v128.store64_lane(x + (<usize>load<u32>(indices, 4) << 3), a, 1);
}

/** The sum over `count` entries, one after the other, of value * x[index]. */
// @ts-ignore: decorator
@inline
export function sparseDot(count: i32, indices: usize, data: usize, x: usize): f64 {
  let sum: f64 = 0;
  const end = data + (<usize>count << 3);
  if (ASC_FEATURE_SIMD) {
    let a = f64x2.splat(0);
    for (const stop = data + (<usize>(count & ~1) << 3); data < stop; data += 16, indices += 8) {
      a = madd(v128.load(data), gather(x, indices), a);
    }
    sum = lanes(a);
  }
  for (; data < end; data += 8, indices += 4) {
    sum += load<f64>(data) * load<f64>(x + (<usize>load<u32>(indices) << 3));
  }
  return sum;
}

/**
 * From the first slot of a row to that of the next: `left` rows, this one included, are in slices before the single
 * ones begin.
 */
// @ts-ignore: decorator
@inline
export function slotsToNext(left: usize, length: usize): usize {
  if (left == 0) return length;
  // The first row of the next slice begins behind the last entry of this one.
  return left % SLICE == 1 ? SLICE * length - (SLICE - 1) : 1;
}

/** y <- A x */
export function slicedMultiply(
  runs: usize,
  count: i32,
  order: usize,
  indices: usize,
  data: usize,
  x: usize,
  y: usize,
): void {
  for (const end = runs + <usize>count * RUN; runs < end; runs += RUN) {
    const length = load<i32>(runs);
    const bytes = <usize>length << 3;
    for (const stop = order + (<usize>load<i32>(runs, 4) << 4); order < stop; order += 16) {
      const behind = data + (bytes << 2);
      if (ASC_FEATURE_SIMD) {
        let a = f64x2.splat(0);
        let b = f64x2.splat(0);
        for (; data < behind; data += 32, indices += 16) {
          a = madd(v128.load(data), gather(x, indices), a);
          b = madd(v128.load(data, 16), gather(x, indices + 8), b);
        }
        scatter(a, order, y);
        scatter(b, order + 8, y);
      } else {
        for (let lane: usize = 0; lane < 4; lane++) {
          let sum: f64 = 0;
          let index = indices + (lane << 2);
          for (let value = data + (lane << 3); value < behind; value += 32, index += 16) {
            sum += load<f64>(value) * load<f64>(x + (<usize>load<u32>(index) << 3));
          }
          store<f64>(y + (<usize>load<u32>(order + (lane << 2)) << 3), sum);
        }
        data = behind;
        indices += bytes << 1;
      }
    }
    for (const stop = order + (<usize>load<i32>(runs, 8) << 2); order < stop; order += 4) {
      store<f64>(y + (<usize>load<u32>(order) << 3), sparseDot(length, indices, data, x));
      data += bytes;
      indices += bytes >> 1;
    }
  }
}

/** diagonal <- the main diagonal; zero where nothing is stored. */
export function slicedDiagonal(
  runs: usize,
  count: i32,
  order: usize,
  indices: usize,
  data: usize,
  diagonal: usize,
): void {
  for (const end = runs + <usize>count * RUN; runs < end; runs += RUN) {
    const length = <usize>load<u32>(runs);
    const single = order + (<usize>load<u32>(runs, 4) << 4);
    for (const stop = single + (<usize>load<u32>(runs, 8) << 2); order < stop; order += 4) {
      const row = load<u32>(order);
      const wide = order < single;
      const step: usize = wide ? 16 : 4;
      let value: f64 = 0;
      for (let k: usize = 0; k < length * step; k += step) {
        if (load<u32>(indices + k) == row) value = load<f64>(data + (k << 1));
      }
      store<f64>(diagonal + (<usize>row << 3), value);
      const slots = slotsToNext(wide ? (single - order) >> 2 : 0, length);
      indices += slots << 2;
      data += slots << 3;
    }
  }
}

/**
 * Moves the values in `data` from the order of the rows (CSR) to that of the slices, window by window. `scratch`
 * has room for `WINDOW` i32 and the values of the longest window.
 */
export function slicedPack(n: i32, runs: usize, order: usize, data: usize, scratch: usize): void {
  const values = scratch + (<usize>WINDOW << 2);
  for (let first = 0; first < n; first += WINDOW) {
    const size = min(WINDOW, n - first);
    // Where each row of the window begins: its length, then the sum of those before.
    let run = runs;
    for (let p = 0; p < size; run += RUN) {
      const length = load<i32>(run);
      for (const stop = p + <i32>SLICE * load<i32>(run, 4) + load<i32>(run, 8); p < stop; p++) {
        const row = load<i32>(order + (<usize>p << 2)) - first;
        store<i32>(scratch + (<usize>row << 2), length);
      }
    }
    let entries = 0;
    for (let row: usize = 0; row < <usize>size; row++) {
      const length = load<i32>(scratch + (row << 2));
      store<i32>(scratch + (row << 2), entries);
      entries += length;
    }
    memory.copy(values, data, <usize>entries << 3);
    for (const stop = order + (<usize>size << 2); order < stop; runs += RUN) {
      const bytes = <usize>load<i32>(runs) << 3;
      for (const last = order + (<usize>load<i32>(runs, 4) << 4); order < last; order += 16) {
        const a = begin(values, scratch, order, first);
        const b = begin(values, scratch, order + 4, first);
        const c = begin(values, scratch, order + 8, first);
        const d = begin(values, scratch, order + 12, first);
        for (let at: usize = 0; at < bytes; at += 8, data += 32) {
          store<f64>(data, load<f64>(a + at));
          store<f64>(data, load<f64>(b + at), 8);
          store<f64>(data, load<f64>(c + at), 16);
          store<f64>(data, load<f64>(d + at), 24);
        }
      }
      for (const last = order + (<usize>load<i32>(runs, 8) << 2); order < last; order += 4, data += bytes) {
        memory.copy(data, begin(values, scratch, order, first), bytes);
      }
    }
  }
}

/** Address of the first value of a row in the copy of its window. */
// @ts-ignore: decorator
@inline
function begin(values: usize, starts: usize, order: usize, first: i32): usize {
  const row = <usize>(load<i32>(order) - first);
  return values + (<usize>load<u32>(starts + (row << 2)) << 3);
}

/**
 * starts[row] <- twice the first slot of each row, plus one where it is in a slice, whose next entry is four slots
 * on; lengths[row] <- its entries, unless `lengths` is 0. `order` 0: rows in their own order.
 */
export function sliceStarts(runs: usize, count: i32, order: usize, starts: usize, lengths: usize): void {
  let slot: usize = 0;
  let p: usize = 0;
  for (const end = runs + <usize>count * RUN; runs < end; runs += RUN) {
    const length = load<u32>(runs);
    const single = p + (<usize>load<i32>(runs, 4) << 4);
    for (const stop = single + (<usize>load<i32>(runs, 8) << 2); p < stop; p += 4) {
      const at = order ? <usize>load<u32>(order + p) << 2 : p;
      if (lengths) store<u32>(lengths + at, length);
      const wide = p < single;
      store<u32>(starts + at, <u32>(slot << 1) | <u32>wide);
      slot += slotsToNext(wide ? (single - p) >> 2 : 0, length);
    }
  }
}
