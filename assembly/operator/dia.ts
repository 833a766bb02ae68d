// A square matrix by its diagonals, in blocks of eight rows: the values of diagonal d in rows 8k .. 8k + 7 lie
// together at data[(k * count + d) * 8], so that one pointer walks through the whole matrix and a product needs
// no index loads. Offsets (column - row) ascend. Values of columns outside the matrix are never read as
// products: a block in which a diagonal leaves the matrix takes the careful way.

import { madd } from '../vector/simd';

/** Rows a block. */
export const BLOCK: i32 = 8;
const BLOCK_BYTES: usize = 64;

/** y <- A x */
export function diaMultiply(n: i32, count: i32, offsets: usize, data: usize, x: usize, y: usize): void {
  const blocks = (n + BLOCK - 1) / BLOCK;
  const lowest = load<i32>(offsets);
  const highest = load<i32>(offsets + (<usize>(count - 1) << 2));
  const first = min(blocks, (max(-lowest, 0) + BLOCK - 1) / BLOCK);
  const last = max(first, (n - max(highest, 0)) / BLOCK);
  const blockData = <usize>count * BLOCK_BYTES;
  for (let k = 0; k < first; k++) edgeBlock(n, count, offsets, data + <usize>k * blockData, x, y, k * BLOCK);
  const start = <usize>first * BLOCK_BYTES;
  if (count == 5) inner5(last - first, offsets, data + <usize>first * blockData, x + start, y + start);
  else inner(last - first, count, offsets, data + <usize>first * blockData, x + start, y + start);
  for (let k = last; k < blocks; k++) edgeBlock(n, count, offsets, data + <usize>k * blockData, x, y, k * BLOCK);
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

/** As `inner`, for the five diagonals of a grid problem: five pointers, no loop over the diagonals. */
function inner5(blocks: i32, offsets: usize, data: usize, x: usize, y: usize): void {
  let p = x + (<usize>load<i32>(offsets) << 3);
  let q = x + (<usize>load<i32>(offsets, 4) << 3);
  let r = x + (<usize>load<i32>(offsets, 8) << 3);
  let s = x + (<usize>load<i32>(offsets, 12) << 3);
  let t = x + (<usize>load<i32>(offsets, 16) << 3);
  const end = y + <usize>blocks * BLOCK_BYTES;
  if (ASC_FEATURE_SIMD) {
    for (; y < end; y += 64, data += 320, p += 64, q += 64, r += 64, s += 64, t += 64) {
      let a = f64x2.mul(v128.load(data), v128.load(p));
      let b = f64x2.mul(v128.load(data, 16), v128.load(p, 16));
      let c = f64x2.mul(v128.load(data, 32), v128.load(p, 32));
      let d = f64x2.mul(v128.load(data, 48), v128.load(p, 48));
      a = madd(v128.load(data, 64), v128.load(q), a);
      b = madd(v128.load(data, 80), v128.load(q, 16), b);
      c = madd(v128.load(data, 96), v128.load(q, 32), c);
      d = madd(v128.load(data, 112), v128.load(q, 48), d);
      a = madd(v128.load(data, 128), v128.load(r), a);
      b = madd(v128.load(data, 144), v128.load(r, 16), b);
      c = madd(v128.load(data, 160), v128.load(r, 32), c);
      d = madd(v128.load(data, 176), v128.load(r, 48), d);
      a = madd(v128.load(data, 192), v128.load(s), a);
      b = madd(v128.load(data, 208), v128.load(s, 16), b);
      c = madd(v128.load(data, 224), v128.load(s, 32), c);
      d = madd(v128.load(data, 240), v128.load(s, 48), d);
      v128.store(y, madd(v128.load(data, 256), v128.load(t), a));
      v128.store(y, madd(v128.load(data, 272), v128.load(t, 16), b), 16);
      v128.store(y, madd(v128.load(data, 288), v128.load(t, 32), c), 32);
      v128.store(y, madd(v128.load(data, 304), v128.load(t, 48), d), 48);
    }
  } else {
    for (; y < end; data += 256) {
      for (const stop = y + 64; y < stop; y += 8, data += 8, p += 8, q += 8, r += 8, s += 8, t += 8) {
        let sum = load<f64>(data) * load<f64>(p) + load<f64>(data, 64) * load<f64>(q);
        sum += load<f64>(data, 128) * load<f64>(r);
        sum += load<f64>(data, 192) * load<f64>(s);
        store<f64>(y, sum + load<f64>(data, 256) * load<f64>(t));
      }
    }
  }
}

/** Rows `row` .. `row` + 7, as far as they exist, each diagonal as far as it stays inside. */
function edgeBlock(n: i32, count: i32, offsets: usize, data: usize, x: usize, y: usize, row: i32): void {
  const end = min(row + BLOCK, n);
  memory.fill(y + (<usize>row << 3), 0, <usize>(end - row) << 3);
  for (let d = 0; d < count; d++, data += BLOCK_BYTES) {
    const offset = load<i32>(offsets + (<usize>d << 2));
    const from = max(row, -offset);
    const to = min(end, n - offset);
    for (let i = from; i < to; i++) {
      const target = y + (<usize>i << 3);
      const product = load<f64>(data + (<usize>(i - row) << 3)) * load<f64>(x + (<usize>(i + offset) << 3));
      store<f64>(target, load<f64>(target) + product);
    }
  }
}
