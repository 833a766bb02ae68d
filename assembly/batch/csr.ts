// Products and triangular solves for matrices of one pattern, in lanes: entry e of the matrix in lane l is at
// data[e * lanes + l]. One index serves all lanes, and a recurrence over the rows, which one system has to wait for,
// runs in all of them at once.

import { madd, nmadd } from '../vector/simd';
import { dotAndSquareLanes, laneBytes } from './lanes';

/** y <- A x */
export function csrMultiplyLanes(
  n: i32,
  lanes: i32,
  indptr: usize,
  indices: usize,
  data: usize,
  x: usize,
  y: usize,
): void {
  if (!ASC_FEATURE_SIMD) multiplyScalar(n, lanes, indptr, indices, data, x, y);
  else if (lanes == 4) multiply4(n, indptr, indices, data, x, y);
  else multiply2(n, indptr, indices, data, x, y);
}

function multiply2(n: i32, indptr: usize, indices: usize, data: usize, x: usize, y: usize): void {
  let stop = indices;
  for (const end = indptr + (<usize>n << 2); indptr < end; indptr += 4, y += 16) {
    let sum = f64x2.splat(0);
    stop += <usize>(load<i32>(indptr, 4) - load<i32>(indptr)) << 2;
    for (; indices < stop; indices += 4, data += 16) {
      sum = madd(v128.load(data), v128.load(x + (<usize>load<u32>(indices) << 4)), sum);
    }
    v128.store(y, sum);
  }
}

function multiply4(n: i32, indptr: usize, indices: usize, data: usize, x: usize, y: usize): void {
  let stop = indices;
  for (const end = indptr + (<usize>n << 2); indptr < end; indptr += 4, y += 32) {
    let a = f64x2.splat(0);
    let b = f64x2.splat(0);
    stop += <usize>(load<i32>(indptr, 4) - load<i32>(indptr)) << 2;
    for (; indices < stop; indices += 4, data += 32) {
      const at = x + (<usize>load<u32>(indices) << 5);
      a = madd(v128.load(data), v128.load(at), a);
      b = madd(v128.load(data, 16), v128.load(at, 16), b);
    }
    v128.store(y, a);
    v128.store(y, b, 16);
  }
}

/** As `csrMultiplyLanes`, and rows of sums besides: yw <- y'w, yy <- y'y. */
export function csrMultiplyDotsLanes(
  n: i32,
  lanes: i32,
  indptr: usize,
  indices: usize,
  data: usize,
  x: usize,
  y: usize,
  w: usize,
  yw: usize,
  yy: usize,
): void {
  if (!ASC_FEATURE_SIMD) {
    multiplyScalar(n, lanes, indptr, indices, data, x, y);
    dotAndSquareLanes(laneBytes(n, lanes), y, w, yw, yy);
  } else if (lanes == 4) multiplyDots4(n, indptr, indices, data, x, y, w, yw, yy);
  else multiplyDots2(n, indptr, indices, data, x, y, w, yw, yy);
}

function multiplyDots2(
  n: i32,
  indptr: usize,
  indices: usize,
  data: usize,
  x: usize,
  y: usize,
  w: usize,
  yw: usize,
  yy: usize,
): void {
  let stop = indices;
  let p = f64x2.splat(0);
  let q = f64x2.splat(0);
  for (const end = indptr + (<usize>n << 2); indptr < end; indptr += 4, y += 16, w += 16) {
    let sum = f64x2.splat(0);
    stop += <usize>(load<i32>(indptr, 4) - load<i32>(indptr)) << 2;
    for (; indices < stop; indices += 4, data += 16) {
      sum = madd(v128.load(data), v128.load(x + (<usize>load<u32>(indices) << 4)), sum);
    }
    v128.store(y, sum);
    p = madd(sum, v128.load(w), p);
    q = madd(sum, sum, q);
  }
  v128.store(yw, p);
  v128.store(yw, f64x2.splat(0), 16);
  v128.store(yy, q);
  v128.store(yy, f64x2.splat(0), 16);
}

function multiplyDots4(
  n: i32,
  indptr: usize,
  indices: usize,
  data: usize,
  x: usize,
  y: usize,
  w: usize,
  yw: usize,
  yy: usize,
): void {
  let stop = indices;
  let p = f64x2.splat(0);
  let q = f64x2.splat(0);
  let r = f64x2.splat(0);
  let s = f64x2.splat(0);
  for (const end = indptr + (<usize>n << 2); indptr < end; indptr += 4, y += 32, w += 32) {
    let a = f64x2.splat(0);
    let b = f64x2.splat(0);
    stop += <usize>(load<i32>(indptr, 4) - load<i32>(indptr)) << 2;
    for (; indices < stop; indices += 4, data += 32) {
      const at = x + (<usize>load<u32>(indices) << 5);
      a = madd(v128.load(data), v128.load(at), a);
      b = madd(v128.load(data, 16), v128.load(at, 16), b);
    }
    v128.store(y, a);
    v128.store(y, b, 16);
    p = madd(a, v128.load(w), p);
    q = madd(b, v128.load(w, 16), q);
    r = madd(a, a, r);
    s = madd(b, b, s);
  }
  v128.store(yw, p);
  v128.store(yw, q, 16);
  v128.store(yy, r);
  v128.store(yy, s, 16);
}

function multiplyScalar(
  n: i32,
  lanes: i32,
  indptr: usize,
  indices: usize,
  data: usize,
  x: usize,
  y: usize,
): void {
  const stride = <usize>lanes << 3;
  for (let lane: usize = 0; lane < stride; lane += 8) {
    for (let i = 0; i < n; i++) {
      let sum: f64 = 0;
      const stop = load<i32>(indptr + (<usize>i << 2), 4);
      for (let entry = load<i32>(indptr + (<usize>i << 2)); entry < stop; entry++) {
        const column = <usize>load<u32>(indices + (<usize>entry << 2));
        sum += load<f64>(data + lane + <usize>entry * stride) * load<f64>(x + lane + column * stride);
      }
      store<f64>(y + lane + <usize>i * stride, sum);
    }
  }
}

/**
 * z <- U^-1 L^-1 r, of factors that `ilu0Factor` made of each system and `packLane` put side by side. r and z may be
 * the same.
 */
export function ilu0SolveLanes(
  n: i32,
  lanes: i32,
  indptr: usize,
  indices: usize,
  data: usize,
  diagonal: usize,
  inverse: usize,
  r: usize,
  z: usize,
): void {
  if (!ASC_FEATURE_SIMD) solveScalar(n, lanes, indptr, indices, data, diagonal, inverse, r, z);
  else if (lanes == 4) solve4(n, indptr, indices, data, diagonal, inverse, r, z);
  else solve2(n, indptr, indices, data, diagonal, inverse, r, z);
}

function solve2(
  n: i32,
  indptr: usize,
  indices: usize,
  data: usize,
  diagonal: usize,
  inverse: usize,
  r: usize,
  z: usize,
): void {
  // The row before, which is mostly the last that a row waits for: it need not go through memory.
  let before = f64x2.splat(0);
  for (let i = 0; i < n; i++) {
    const last = load<i32>(diagonal + (<usize>i << 2)) - 1;
    let sum = v128.load(r + (<usize>i << 4));
    let entry = load<i32>(indptr + (<usize>i << 2));
    for (; entry < last; entry++) {
      const at = z + (<usize>load<u32>(indices + (<usize>entry << 2)) << 4);
      sum = nmadd(v128.load(data + (<usize>entry << 4)), v128.load(at), sum);
    }
    if (entry == last) {
      const column = load<i32>(indices + (<usize>entry << 2));
      if (column != i - 1) before = v128.load(z + (<usize>column << 4));
      sum = nmadd(v128.load(data + (<usize>entry << 4)), before, sum);
    }
    v128.store(z + (<usize>i << 4), sum);
    before = sum;
  }
  for (let i = n - 1; i >= 0; i--) {
    const first = load<i32>(diagonal + (<usize>i << 2)) + 1;
    let sum = v128.load(z + (<usize>i << 4));
    let entry = load<i32>(indptr + (<usize>i << 2), 4) - 1;
    for (; entry > first; entry--) {
      const at = z + (<usize>load<u32>(indices + (<usize>entry << 2)) << 4);
      sum = nmadd(v128.load(data + (<usize>entry << 4)), v128.load(at), sum);
    }
    if (entry == first) {
      const column = load<i32>(indices + (<usize>entry << 2));
      if (column != i + 1) before = v128.load(z + (<usize>column << 4));
      sum = nmadd(v128.load(data + (<usize>entry << 4)), before, sum);
    }
    before = f64x2.mul(sum, v128.load(inverse + (<usize>i << 4)));
    v128.store(z + (<usize>i << 4), before);
  }
}

function solve4(
  n: i32,
  indptr: usize,
  indices: usize,
  data: usize,
  diagonal: usize,
  inverse: usize,
  r: usize,
  z: usize,
): void {
  // As in `solve2`.
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  for (let i = 0; i < n; i++) {
    const row = <usize>i << 5;
    const last = load<i32>(diagonal + (<usize>i << 2)) - 1;
    let c = v128.load(r + row);
    let d = v128.load(r + row, 16);
    let entry = load<i32>(indptr + (<usize>i << 2));
    for (; entry < last; entry++) {
      const at = z + (<usize>load<u32>(indices + (<usize>entry << 2)) << 5);
      const value = data + (<usize>entry << 5);
      c = nmadd(v128.load(value), v128.load(at), c);
      d = nmadd(v128.load(value, 16), v128.load(at, 16), d);
    }
    if (entry == last) {
      const column = load<i32>(indices + (<usize>entry << 2));
      const value = data + (<usize>entry << 5);
      if (column != i - 1) {
        a = v128.load(z + (<usize>column << 5));
        b = v128.load(z + (<usize>column << 5), 16);
      }
      c = nmadd(v128.load(value), a, c);
      d = nmadd(v128.load(value, 16), b, d);
    }
    v128.store(z + row, c);
    v128.store(z + row, d, 16);
    a = c;
    b = d;
  }
  for (let i = n - 1; i >= 0; i--) {
    const row = <usize>i << 5;
    const first = load<i32>(diagonal + (<usize>i << 2)) + 1;
    let c = v128.load(z + row);
    let d = v128.load(z + row, 16);
    let entry = load<i32>(indptr + (<usize>i << 2), 4) - 1;
    for (; entry > first; entry--) {
      const at = z + (<usize>load<u32>(indices + (<usize>entry << 2)) << 5);
      const value = data + (<usize>entry << 5);
      c = nmadd(v128.load(value), v128.load(at), c);
      d = nmadd(v128.load(value, 16), v128.load(at, 16), d);
    }
    if (entry == first) {
      const column = load<i32>(indices + (<usize>entry << 2));
      const value = data + (<usize>entry << 5);
      if (column != i + 1) {
        a = v128.load(z + (<usize>column << 5));
        b = v128.load(z + (<usize>column << 5), 16);
      }
      c = nmadd(v128.load(value), a, c);
      d = nmadd(v128.load(value, 16), b, d);
    }
    a = f64x2.mul(c, v128.load(inverse + row));
    b = f64x2.mul(d, v128.load(inverse + row, 16));
    v128.store(z + row, a);
    v128.store(z + row, b, 16);
  }
}

function solveScalar(
  n: i32,
  lanes: i32,
  indptr: usize,
  indices: usize,
  data: usize,
  diagonal: usize,
  inverse: usize,
  r: usize,
  z: usize,
): void {
  const stride = <usize>lanes << 3;
  for (let lane: usize = 0; lane < stride; lane += 8) {
    for (let i = 0; i < n; i++) {
      let sum = load<f64>(r + lane + <usize>i * stride);
      const stop = load<i32>(diagonal + (<usize>i << 2));
      for (let entry = load<i32>(indptr + (<usize>i << 2)); entry < stop; entry++) {
        const column = <usize>load<u32>(indices + (<usize>entry << 2));
        sum -= load<f64>(data + lane + <usize>entry * stride) * load<f64>(z + lane + column * stride);
      }
      store<f64>(z + lane + <usize>i * stride, sum);
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = load<f64>(z + lane + <usize>i * stride);
      const stop = load<i32>(indptr + (<usize>i << 2), 4);
      for (let entry = load<i32>(diagonal + (<usize>i << 2)) + 1; entry < stop; entry++) {
        const column = <usize>load<u32>(indices + (<usize>entry << 2));
        sum -= load<f64>(data + lane + <usize>entry * stride) * load<f64>(z + lane + column * stride);
      }
      store<f64>(z + lane + <usize>i * stride, sum * load<f64>(inverse + lane + <usize>i * stride));
    }
  }
}
