// A square matrix by its diagonals, in blocks of eight rows: the values of diagonal d in rows 8k .. 8k + 7 lie
// together at data[(k * count + d) * 8], so that one pointer walks through the whole matrix and a product needs
// no index loads. Offsets (column - row) ascend. Values of columns outside the matrix are never read as
// products: a block in which a diagonal leaves the matrix takes the careful way.

import { lanes, madd } from '../vector/simd';
import { dotAndSquare } from '../vector/vector';

/** Rows a block. */
export const BLOCK: i32 = 8;
const BLOCK_BYTES: usize = 64;

/** y <- A x */
export function diaMultiply(n: i32, count: i32, offsets: usize, data: usize, x: usize, y: usize): void {
  const first = firstInner(n, offsets);
  const last = lastInner(n, count, offsets);
  edges(n, count, offsets, data, x, y, first, last);
  const start = <usize>first * BLOCK_BYTES;
  const values = data + <usize>count * start;
  if (ASC_FEATURE_SIMD && isGrid(count, offsets)) innerGrid(last - first, offsets, values, x + start, y + start);
  else inner(last - first, count, offsets, values, x + start, y + start);
}

/** y <- A x; out[0] = y'w, out[1] = y'y. */
export function diaMultiplyDot(
  n: i32,
  count: i32,
  offsets: usize,
  data: usize,
  x: usize,
  y: usize,
  w: usize,
  out: usize,
): void {
  if (ASC_FEATURE_SIMD && isGrid(count, offsets)) {
    gridMultiplyDot(n, offsets, data, x, y, w, out);
  } else {
    diaMultiply(n, count, offsets, data, x, y);
    dotAndSquare(n, y, w, out);
  }
}

/** The same, of a grid. */
function gridMultiplyDot(n: i32, offsets: usize, data: usize, x: usize, y: usize, w: usize, out: usize): void {
  const first = firstInner(n, offsets);
  const last = lastInner(n, 5, offsets);
  edges(n, 5, offsets, data, x, y, first, last);
  const start = <usize>first * BLOCK_BYTES;
  const stop = <usize>last * BLOCK_BYTES;
  dotAndSquare(min(first * BLOCK, n), y, w, out);
  const yw = load<f64>(out);
  const yy = load<f64>(out, 8);
  dotAndSquare(max(n - last * BLOCK, 0), y + stop, w + stop, out);
  store<f64>(out, load<f64>(out) + yw);
  store<f64>(out, load<f64>(out, 8) + yy, 8);
  innerGridDot(last - first, offsets, data + 5 * start, x + start, y + start, w + start, out);
}

/** The first block in which no diagonal leaves the matrix at the left. */
function firstInner(n: i32, offsets: usize): i32 {
  return min((n + BLOCK - 1) / BLOCK, (max(-load<i32>(offsets), 0) + BLOCK - 1) / BLOCK);
}

/** The first block after those in which none leaves it at the right; not before `firstInner`. */
function lastInner(n: i32, count: i32, offsets: usize): i32 {
  const highest = load<i32>(offsets + (<usize>(count - 1) << 2));
  return max(firstInner(n, offsets), (n - max(highest, 0)) / BLOCK);
}

/** The blocks before `first` and from `last` on. */
function edges(
  n: i32,
  count: i32,
  offsets: usize,
  data: usize,
  x: usize,
  y: usize,
  first: i32,
  last: i32,
): void {
  const blocks = (n + BLOCK - 1) / BLOCK;
  const bytes = <usize>count * BLOCK_BYTES;
  for (let k = 0; k < first; k++) edgeBlock(n, count, offsets, data + <usize>k * bytes, x, y, k * BLOCK);
  for (let k = last; k < blocks; k++) edgeBlock(n, count, offsets, data + <usize>k * bytes, x, y, k * BLOCK);
}

/** Blocks in which all diagonals stay inside the matrix. */
function inner(blocks: i32, count: i32, offsets: usize, data: usize, x: usize, y: usize): void {
  const stop = offsets + (<usize>count << 2);
  for (const end = y + <usize>blocks * BLOCK_BYTES; y < end; x += BLOCK_BYTES, y += BLOCK_BYTES) {
    if (ASC_FEATURE_SIMD) {
      let a = f64x2.splat(0);
      let b = f64x2.splat(0);
      let c = f64x2.splat(0);
      let d = f64x2.splat(0);
      for (let o = offsets; o < stop; o += 4, data += BLOCK_BYTES) {
        const p = x + (<usize>load<i32>(o) << 3);
        a = madd(v128.load(data), v128.load(p), a);
        b = madd(v128.load(data, 16), v128.load(p, 16), b);
        c = madd(v128.load(data, 32), v128.load(p, 32), c);
        d = madd(v128.load(data, 48), v128.load(p, 48), d);
      }
      v128.store(y, a);
      v128.store(y, b, 16);
      v128.store(y, c, 32);
      v128.store(y, d, 48);
    } else {
      for (let lane: usize = 0; lane < BLOCK_BYTES; lane += 8) {
        let sum: f64 = 0;
        let value = data + lane;
        for (let o = offsets; o < stop; o += 4, value += BLOCK_BYTES) {
          sum += load<f64>(value) * load<f64>(x + lane + (<usize>load<i32>(o) << 3));
        }
        store<f64>(y + lane, sum);
      }
      data += <usize>count * BLOCK_BYTES;
    }
  }
}

/** Whether the diagonals are those of a grid: -s, -1, 0, 1, t. */
function isGrid(count: i32, offsets: usize): bool {
  if (count != 5) return false;
  return load<i32>(offsets, 4) == -1 && load<i32>(offsets, 8) == 0 && load<i32>(offsets, 12) == 1;
}

/**
 * As `inner`, for a grid. The three middle diagonals share their loads of x, shifted by shuffles. Each vector is
 * stored before the next is begun: V8 moves loads up to the last store before them, and with all of a block in one
 * go it runs out of registers.
 */
function innerGrid(blocks: i32, offsets: usize, data: usize, x: usize, y: usize): void {
  grid(false, blocks, offsets, data, x, y, y, 0);
}

/** As `innerGrid`; adds y'w and y'y of these rows to out[0] and out[1]. */
function innerGridDot(
  blocks: i32,
  offsets: usize,
  data: usize,
  x: usize,
  y: usize,
  w: usize,
  out: usize,
): void {
  grid(true, blocks, offsets, data, x, y, w, out);
}

/** The loop of the two, compiled once with the dots and once without. */
// @ts-ignore: decorator
@inline
function grid(
  dots: bool,
  blocks: i32,
  offsets: usize,
  data: usize,
  x: usize,
  y: usize,
  w: usize,
  out: usize,
): void {
  let p = x + (<usize>load<i32>(offsets) << 3);
  let q = x + (<usize>load<i32>(offsets, 16) << 3);
  let r = x;
  let yw0 = f64x2.splat(0);
  let yw1 = f64x2.splat(0);
  let yy0 = f64x2.splat(0);
  let yy1 = f64x2.splat(0);
  const end = y + <usize>blocks * BLOCK_BYTES;
  for (; y < end; y += 64, w += 64, data += 320, p += 64, q += 64, r += 64) {
    const x0 = v128.load(r);
    const left = v128.shuffle<f64>(v128.load(r - 16), x0, 1, 2);
    const x1 = v128.load(r, 16);
    const right0 = v128.shuffle<f64>(x0, x1, 1, 2);
    let a = f64x2.mul(v128.load(data), v128.load(p));
    a = madd(v128.load(data, 64), left, a);
    a = madd(v128.load(data, 128), x0, a);
    a = madd(v128.load(data, 192), right0, a);
    a = madd(v128.load(data, 256), v128.load(q), a);
    v128.store(y, a);
    if (dots) {
      yw0 = madd(a, v128.load(w), yw0);
      yy0 = madd(a, a, yy0);
    }
    const x2 = v128.load(r, 32);
    const right1 = v128.shuffle<f64>(x1, x2, 1, 2);
    let b = f64x2.mul(v128.load(data, 16), v128.load(p, 16));
    b = madd(v128.load(data, 80), right0, b);
    b = madd(v128.load(data, 144), x1, b);
    b = madd(v128.load(data, 208), right1, b);
    b = madd(v128.load(data, 272), v128.load(q, 16), b);
    v128.store(y, b, 16);
    if (dots) {
      yw1 = madd(b, v128.load(w, 16), yw1);
      yy1 = madd(b, b, yy1);
    }
    const x3 = v128.load(r, 48);
    const right2 = v128.shuffle<f64>(x2, x3, 1, 2);
    let c = f64x2.mul(v128.load(data, 32), v128.load(p, 32));
    c = madd(v128.load(data, 96), right1, c);
    c = madd(v128.load(data, 160), x2, c);
    c = madd(v128.load(data, 224), right2, c);
    c = madd(v128.load(data, 288), v128.load(q, 32), c);
    v128.store(y, c, 32);
    if (dots) {
      yw0 = madd(c, v128.load(w, 32), yw0);
      yy0 = madd(c, c, yy0);
    }
    const x4 = v128.load(r, 64);
    const right3 = v128.shuffle<f64>(x3, x4, 1, 2);
    let d = f64x2.mul(v128.load(data, 48), v128.load(p, 48));
    d = madd(v128.load(data, 112), right2, d);
    d = madd(v128.load(data, 176), x3, d);
    d = madd(v128.load(data, 240), right3, d);
    d = madd(v128.load(data, 304), v128.load(q, 48), d);
    v128.store(y, d, 48);
    if (dots) {
      yw1 = madd(d, v128.load(w, 48), yw1);
      yy1 = madd(d, d, yy1);
    }
  }
  if (dots) {
    store<f64>(out, load<f64>(out) + lanes(f64x2.add(yw0, yw1)));
    store<f64>(out, load<f64>(out, 8) + lanes(f64x2.add(yy0, yy1)), 8);
  }
}

/** Rows `row` .. `row` + 7, as far as they exist, each diagonal as far as it stays inside. */
function edgeBlock(n: i32, count: i32, offsets: usize, data: usize, x: usize, y: usize, row: i32): void {
  const end = min(row + BLOCK, n);
  for (let i = row; i < end; i++) store<f64>(y + (<usize>i << 3), 0);
  for (let d = 0; d < count; d++, data += BLOCK_BYTES) {
    const offset = load<i32>(offsets + (<usize>d << 2));
    const from = max(row, -offset);
    const to = min(end, n - offset);
    if (ASC_FEATURE_SIMD && from == row && to == row + BLOCK) {
      const target = y + (<usize>row << 3);
      const source = x + (<usize>(row + offset) << 3);
      for (let c: usize = 0; c < BLOCK_BYTES; c += 16) {
        v128.store(target + c, madd(v128.load(data + c), v128.load(source + c), v128.load(target + c)));
      }
      continue;
    }
    for (let i = from; i < to; i++) {
      const target = y + (<usize>i << 3);
      const product = load<f64>(data + (<usize>(i - row) << 3)) * load<f64>(x + (<usize>(i + offset) << 3));
      store<f64>(target, load<f64>(target) + product);
    }
  }
}
