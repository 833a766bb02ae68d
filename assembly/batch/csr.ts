// Products and triangular solves for matrices of one pattern, in lanes of type T: entry e of the matrix in lane l is at
// data[e * lanes + l]. One index serves all lanes, and a recurrence over the rows, which one system has to wait for,
// runs in all of them at once. The lanes of an element are 16 bytes (narrow) or 32 (wide).

import { addSums, BLOCK, clearSums, multiplyAdd, multiplySubtract, PASS } from './lanes';

// @ts-ignore: decorator
@inline
function isWide<T>(lanes: i32): bool {
  return <usize>lanes * sizeof<T>() == PASS;
}

/** Where the sums of a block end, of rows whose starts are at `indptr`. */
// @ts-ignore: decorator
@inline
function blockEnd<T>(indptr: usize, end: usize): usize {
  return sizeof<T>() == 8 ? end : min(end, indptr + (<usize>BLOCK << 2));
}

/** y <- A x */
export function multiplyCsrLanes<T>(
  n: i32,
  lanes: i32,
  indptr: usize,
  indices: usize,
  data: usize,
  x: usize,
  y: usize,
): void {
  if (!ASC_FEATURE_SIMD) multiplyScalar<T>(n, lanes, indptr, indices, data, x, y);
  else if (isWide<T>(lanes)) multiplyWide<T>(n, indptr, indices, data, x, y);
  else multiplyNarrow<T>(n, indptr, indices, data, x, y);
}

function multiplyNarrow<T>(n: i32, indptr: usize, indices: usize, data: usize, x: usize, y: usize): void {
  let stop = indices;
  for (const end = indptr + (<usize>n << 2); indptr < end; indptr += 4, y += 16) {
    let sum = v128.splat<T>(0);
    stop += <usize>(load<i32>(indptr, 4) - load<i32>(indptr)) << 2;
    for (; indices < stop; indices += 4, data += 16) {
      sum = multiplyAdd<T>(v128.load(data), v128.load(x + (<usize>load<u32>(indices) << 4)), sum);
    }
    v128.store(y, sum);
  }
}

function multiplyWide<T>(n: i32, indptr: usize, indices: usize, data: usize, x: usize, y: usize): void {
  let stop = indices;
  for (const end = indptr + (<usize>n << 2); indptr < end; indptr += 4, y += 32) {
    let a = v128.splat<T>(0);
    let b = v128.splat<T>(0);
    stop += <usize>(load<i32>(indptr, 4) - load<i32>(indptr)) << 2;
    for (; indices < stop; indices += 4, data += 32) {
      const at = x + (<usize>load<u32>(indices) << 5);
      a = multiplyAdd<T>(v128.load(data), v128.load(at), a);
      b = multiplyAdd<T>(v128.load(data, 16), v128.load(at, 16), b);
    }
    v128.store(y, a);
    v128.store(y, b, 16);
  }
}

/** As `multiplyCsrLanes`, and rows of sums besides: yw <- y'w, yy <- y'y. */
export function multiplyCsrDotsLanes<T>(
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
  clearSums<T>(yw);
  clearSums<T>(yy);
  if (!ASC_FEATURE_SIMD) {
    multiplyScalar<T>(n, lanes, indptr, indices, data, x, y);
    dotsScalar<T>(n, lanes, y, w, yw, yy);
  } else if (isWide<T>(lanes)) multiplyDotsWide<T>(n, indptr, indices, data, x, y, w, yw, yy);
  else multiplyDotsNarrow<T>(n, indptr, indices, data, x, y, w, yw, yy);
}

function multiplyDotsNarrow<T>(
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
  const zero = v128.splat<T>(0);
  for (const end = indptr + (<usize>n << 2); indptr < end; ) {
    let p = zero;
    let q = zero;
    for (const pause = blockEnd<T>(indptr, end); indptr < pause; indptr += 4, y += 16, w += 16) {
      let sum = zero;
      stop += <usize>(load<i32>(indptr, 4) - load<i32>(indptr)) << 2;
      for (; indices < stop; indices += 4, data += 16) {
        sum = multiplyAdd<T>(v128.load(data), v128.load(x + (<usize>load<u32>(indices) << 4)), sum);
      }
      v128.store(y, sum);
      p = multiplyAdd<T>(sum, v128.load(w), p);
      q = multiplyAdd<T>(sum, sum, q);
    }
    addSums<T>(yw, p, zero);
    addSums<T>(yy, q, zero);
  }
}

function multiplyDotsWide<T>(
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
  for (const end = indptr + (<usize>n << 2); indptr < end; ) {
    let p = v128.splat<T>(0);
    let q = v128.splat<T>(0);
    let r = v128.splat<T>(0);
    let s = v128.splat<T>(0);
    for (const pause = blockEnd<T>(indptr, end); indptr < pause; indptr += 4, y += 32, w += 32) {
      let a = v128.splat<T>(0);
      let b = v128.splat<T>(0);
      stop += <usize>(load<i32>(indptr, 4) - load<i32>(indptr)) << 2;
      for (; indices < stop; indices += 4, data += 32) {
        const at = x + (<usize>load<u32>(indices) << 5);
        a = multiplyAdd<T>(v128.load(data), v128.load(at), a);
        b = multiplyAdd<T>(v128.load(data, 16), v128.load(at, 16), b);
      }
      v128.store(y, a);
      v128.store(y, b, 16);
      p = multiplyAdd<T>(a, v128.load(w), p);
      q = multiplyAdd<T>(b, v128.load(w, 16), q);
      r = multiplyAdd<T>(a, a, r);
      s = multiplyAdd<T>(b, b, s);
    }
    addSums<T>(yw, p, q);
    addSums<T>(yy, r, s);
  }
}

function multiplyScalar<T>(
  n: i32,
  lanes: i32,
  indptr: usize,
  indices: usize,
  data: usize,
  x: usize,
  y: usize,
): void {
  const stride = <usize>lanes * sizeof<T>();
  for (let lane: usize = 0; lane < stride; lane += sizeof<T>()) {
    for (let i = 0; i < n; i++) {
      let sum: T = 0;
      const stop = load<i32>(indptr + (<usize>i << 2), 4);
      for (let entry = load<i32>(indptr + (<usize>i << 2)); entry < stop; entry++) {
        const column = <usize>load<u32>(indices + (<usize>entry << 2));
        sum += load<T>(data + lane + <usize>entry * stride) * load<T>(x + lane + column * stride);
      }
      store<T>(y + lane + <usize>i * stride, sum);
    }
  }
}

/** yw <- yw + y'w, yy <- yy + y'y */
function dotsScalar<T>(n: i32, lanes: i32, y: usize, w: usize, yw: usize, yy: usize): void {
  const stride = <usize>lanes * sizeof<T>();
  for (let lane = 0; lane < lanes; lane++, y += sizeof<T>(), w += sizeof<T>(), yw += 8, yy += 8) {
    for (let i = 0; i < n; ) {
      let product: T = 0;
      let square: T = 0;
      for (const stop = sizeof<T>() == 8 ? n : min(n, i + BLOCK); i < stop; i++) {
        const value = load<T>(y + <usize>i * stride);
        product += value * load<T>(w + <usize>i * stride);
        square += value * value;
      }
      store<f64>(yw, load<f64>(yw) + <f64>product);
      store<f64>(yy, load<f64>(yy) + <f64>square);
    }
  }
}

/**
 * z <- U^-1 L^-1 r, of factors that `ilu0Factor` made of each system and `packLane` put side by side. r and z may be
 * the same.
 */
export function solveLanes<T>(
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
  if (!ASC_FEATURE_SIMD) solveScalar<T>(n, lanes, indptr, indices, data, diagonal, inverse, r, z);
  else if (isWide<T>(lanes)) solveWide<T>(n, indptr, indices, data, diagonal, inverse, r, z);
  else solveNarrow<T>(n, indptr, indices, data, diagonal, inverse, r, z);
}

function solveNarrow<T>(
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
  let before = v128.splat<T>(0);
  for (let i = 0; i < n; i++) {
    const last = load<i32>(diagonal + (<usize>i << 2)) - 1;
    let sum = v128.load(r + (<usize>i << 4));
    let entry = load<i32>(indptr + (<usize>i << 2));
    for (; entry < last; entry++) {
      const at = z + (<usize>load<u32>(indices + (<usize>entry << 2)) << 4);
      sum = multiplySubtract<T>(v128.load(data + (<usize>entry << 4)), v128.load(at), sum);
    }
    if (entry == last) {
      const column = load<i32>(indices + (<usize>entry << 2));
      if (column != i - 1) before = v128.load(z + (<usize>column << 4));
      sum = multiplySubtract<T>(v128.load(data + (<usize>entry << 4)), before, sum);
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
      sum = multiplySubtract<T>(v128.load(data + (<usize>entry << 4)), v128.load(at), sum);
    }
    if (entry == first) {
      const column = load<i32>(indices + (<usize>entry << 2));
      if (column != i + 1) before = v128.load(z + (<usize>column << 4));
      sum = multiplySubtract<T>(v128.load(data + (<usize>entry << 4)), before, sum);
    }
    before = v128.mul<T>(sum, v128.load(inverse + (<usize>i << 4)));
    v128.store(z + (<usize>i << 4), before);
  }
}

function solveWide<T>(
  n: i32,
  indptr: usize,
  indices: usize,
  data: usize,
  diagonal: usize,
  inverse: usize,
  r: usize,
  z: usize,
): void {
  // As in `solveNarrow`.
  let a = v128.splat<T>(0);
  let b = v128.splat<T>(0);
  for (let i = 0; i < n; i++) {
    const row = <usize>i << 5;
    const last = load<i32>(diagonal + (<usize>i << 2)) - 1;
    let c = v128.load(r + row);
    let d = v128.load(r + row, 16);
    let entry = load<i32>(indptr + (<usize>i << 2));
    for (; entry < last; entry++) {
      const at = z + (<usize>load<u32>(indices + (<usize>entry << 2)) << 5);
      const value = data + (<usize>entry << 5);
      c = multiplySubtract<T>(v128.load(value), v128.load(at), c);
      d = multiplySubtract<T>(v128.load(value, 16), v128.load(at, 16), d);
    }
    if (entry == last) {
      const column = load<i32>(indices + (<usize>entry << 2));
      const value = data + (<usize>entry << 5);
      if (column != i - 1) {
        a = v128.load(z + (<usize>column << 5));
        b = v128.load(z + (<usize>column << 5), 16);
      }
      c = multiplySubtract<T>(v128.load(value), a, c);
      d = multiplySubtract<T>(v128.load(value, 16), b, d);
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
      c = multiplySubtract<T>(v128.load(value), v128.load(at), c);
      d = multiplySubtract<T>(v128.load(value, 16), v128.load(at, 16), d);
    }
    if (entry == first) {
      const column = load<i32>(indices + (<usize>entry << 2));
      const value = data + (<usize>entry << 5);
      if (column != i + 1) {
        a = v128.load(z + (<usize>column << 5));
        b = v128.load(z + (<usize>column << 5), 16);
      }
      c = multiplySubtract<T>(v128.load(value), a, c);
      d = multiplySubtract<T>(v128.load(value, 16), b, d);
    }
    a = v128.mul<T>(c, v128.load(inverse + row));
    b = v128.mul<T>(d, v128.load(inverse + row, 16));
    v128.store(z + row, a);
    v128.store(z + row, b, 16);
  }
}

function solveScalar<T>(
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
  const stride = <usize>lanes * sizeof<T>();
  for (let lane: usize = 0; lane < stride; lane += sizeof<T>()) {
    for (let i = 0; i < n; i++) {
      let sum = load<T>(r + lane + <usize>i * stride);
      const stop = load<i32>(diagonal + (<usize>i << 2));
      for (let entry = load<i32>(indptr + (<usize>i << 2)); entry < stop; entry++) {
        const column = <usize>load<u32>(indices + (<usize>entry << 2));
        sum -= load<T>(data + lane + <usize>entry * stride) * load<T>(z + lane + column * stride);
      }
      store<T>(z + lane + <usize>i * stride, sum);
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = load<T>(z + lane + <usize>i * stride);
      const stop = load<i32>(indptr + (<usize>i << 2), 4);
      for (let entry = load<i32>(diagonal + (<usize>i << 2)) + 1; entry < stop; entry++) {
        const column = <usize>load<u32>(indices + (<usize>entry << 2));
        sum -= load<T>(data + lane + <usize>entry * stride) * load<T>(z + lane + column * stride);
      }
      store<T>(z + lane + <usize>i * stride, sum * load<T>(inverse + lane + <usize>i * stride));
    }
  }
}
