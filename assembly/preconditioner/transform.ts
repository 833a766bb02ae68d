// The inverse of the constant-coefficient part of a five-point matrix on an H x W grid, pixel k = i W + j, in f32:
// all diagonal entries, and all couplings in a direction, replaced by their means (left and right by one mean).
//
// Sines diagonalise the couplings within a row; for each of the W sine modes a tridiagonal system over the rows is
// left (Hockney 1965, J. ACM 12). Rows are stored one after another, so that the transform is a product of matrices
// and the tridiagonal solves go over all modes of a row at a time.

import { BLOCK } from '../operator/dia';
import { madd4 } from './multigrid-level';
import { largest, powerOfTwo } from './multigrid-transfer';

@unmanaged
class Transform {
  height: i32;
  width: i32;
  /** Numbers in a row, those that fill it up included. */
  stride: i32;
  /** sines[j][k] = sqrt(2 / (W + 1)) sin(pi (j + 1) (k + 1) / (W + 1)): its own inverse. */
  sines: usize;
  /** Inverse pivots, a row of modes for each row of the grid. */
  pivots: usize;
  /** Two grids of numbers. */
  first: usize;
  second: usize;
  /** Couplings to the rows above and below, divided by the mean diagonal entry. */
  above: f32;
  below: f32;
  /** Mean diagonal entry. */
  diagonal: f64;
  /** cos(pi / (W + 1)) */
  cosine: f64;
}

/** Columns that a product makes at a time. */
const COLUMNS: i32 = 8;

function strideOf(width: i32): i32 {
  return (width + COLUMNS - 1) & ~(COLUMNS - 1);
}

/** Bytes of a transform; a float, since it may be more than there is. */
export function transformSize(height: i32, width: i32): f64 {
  const row = 4 * <f64>strideOf(width);
  return <f64>(offsetof<Transform>() + 64) + row * <f64>width + 3 * row * <f64>height;
}

/** Lays out `transformSize` bytes for a grid. */
export function transformInit(transform: usize, height: i32, width: i32): void {
  const it = changetype<Transform>(transform);
  const stride = strideOf(width);
  const row = <usize>stride << 2;
  it.height = height;
  it.width = width;
  it.stride = stride;
  it.sines = (transform + offsetof<Transform>() + 63) & ~63;
  it.pivots = it.sines + <usize>width * row;
  it.first = it.pivots + <usize>height * row;
  it.second = it.first + <usize>height * row;
  memory.fill(it.sines, 0, it.second + <usize>height * row - it.sines);
  // By rotations, which keep far more digits than f32 has: the kernel has no use for a sine otherwise.
  const angle = Math.PI / <f64>(width + 1);
  it.cosine = series(angle, 0);
  const sine = series(angle, 1);
  const norm = Math.sqrt(2 / <f64>(width + 1));
  let c: f64 = 1;
  let s: f64 = 0;
  for (let j = 0; j < width; j++) {
    const before = c;
    c = c * it.cosine - s * sine;
    s = s * it.cosine + before * sine;
    let p = c;
    let q = s;
    for (let k = 0; k < width; k++) {
      store<f32>(it.sines + <usize>j * row + (<usize>k << 2), <f32>(norm * q));
      const last = p;
      p = p * c - q * s;
      q = q * c + last * s;
    }
  }
}

/** sum of (-1)^m x^(2 m + first) / (2 m + first)!: the cosine (0) or sine (1) of 0 <= x <= pi / 2. */
function series(x: f64, first: i32): f64 {
  let term: f64 = first ? x : 1;
  let sum = term;
  for (let k = first + 1; k < 26; k += 2) {
    term *= (-x * x) / <f64>(k * (k + 1));
    sum += term;
  }
  return sum;
}

/**
 * Takes the values of a matrix: five diagonals at offsets -W, -1, 0, 1, W in blocks of eight rows (`dia.ts`).
 * Returns whether the means make an operator that can be inverted.
 */
export function transformUpdate(transform: usize, data: usize): bool {
  const it = changetype<Transform>(transform);
  const height = it.height;
  const width = it.width;
  let diagonal: f64 = 0;
  let above: f64 = 0;
  let below: f64 = 0;
  let beside: f64 = 0;
  let k = 0;
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++, k++) {
      const row = data + (<usize>((k / BLOCK) * 5 * BLOCK + k % BLOCK) << 3);
      diagonal += load<f64>(row, 128);
      if (i > 0) above += load<f64>(row);
      if (i + 1 < height) below += load<f64>(row, 256);
      if (j > 0) beside += load<f64>(row, 64);
      if (j + 1 < width) beside += load<f64>(row, 192);
    }
  }
  it.diagonal = diagonal / <f64>k;
  const vertical = <f64>max((height - 1) * width, 1) * it.diagonal;
  it.above = <f32>(above / vertical);
  it.below = <f32>(below / vertical);
  return factor(it, beside / (<f64>max(height * (width - 1), 1) * it.diagonal), <f64>it.above * <f64>it.below);
}

/** The pivots of the tridiagonal systems. `beside`: both neighbours' couplings together. */
function factor(it: Transform, beside: f64, product: f64): bool {
  const row = <usize>it.stride << 2;
  // cos((k + 1) angle) from the two before.
  let cosine = it.cosine;
  let before: f64 = 1;
  for (let k = 0; k < it.width; k++) {
    const centre = 1 + beside * cosine;
    const next = 2 * it.cosine * cosine - before;
    before = cosine;
    cosine = next;
    let pivot: f64 = 0;
    let at = it.pivots + (<usize>k << 2);
    for (let i = 0; i < it.height; i++, at += row) {
      pivot = 1 / (centre - product * pivot);
      if (!(abs(pivot) < 1e30)) return false;
      store<f32>(at, <f32>pivot);
    }
  }
  return true;
}

/** z <- M^-1 r */
export function transformApply(transform: usize, r: usize, z: usize): void {
  const it = changetype<Transform>(transform);
  const exponent = powerOfTwo(largest(it.height * it.width, r));
  const row = <usize>it.stride << 2;
  const scale = reinterpret<f64>((2046 - exponent) << 52);
  for (let i = 0, from = r, to = it.first; i < it.height; i++, to += row) {
    for (let j: usize = 0; j < <usize>it.width; j++, from += 8) store<f32>(to + (j << 2), <f32>(scale * load<f64>(from)));
  }
  multiplySines(it, it.first, it.second);
  solveRows(it, it.second);
  multiplySines(it, it.second, it.first);
  const back = reinterpret<f64>(exponent << 52) / it.diagonal;
  for (let i = 0, from = it.first, to = z; i < it.height; i++, from += row) {
    for (let j: usize = 0; j < <usize>it.width; j++, to += 8) store<f64>(to, back * <f64>load<f32>(from + (j << 2)));
  }
}

/** The tridiagonal systems of all modes, in place. */
function solveRows(it: Transform, x: usize): void {
  const row = <usize>it.stride << 2;
  scaleRow(it.stride, it.pivots, x);
  for (let i = 1; i < it.height; i++) {
    x += row;
    addRow(it.stride, -it.above, x - row, x);
    scaleRow(it.stride, it.pivots + <usize>i * row, x);
  }
  for (let i = it.height - 2; i >= 0; i--) {
    x -= row;
    substituteRow(it.stride, -it.below, it.pivots + <usize>i * row, x + row, x);
  }
}

/** x <- p x */
function scaleRow(n: i32, p: usize, x: usize): void {
  for (const end = x + (<usize>n << 2); x < end; x += 16, p += 16) {
    if (ASC_FEATURE_SIMD) v128.store(x, f32x4.mul(v128.load(p), v128.load(x)));
    else for (let l: usize = 0; l < 16; l += 4) store<f32>(x + l, load<f32>(p + l) * load<f32>(x + l));
  }
}

/** x <- x + a y */
function addRow(n: i32, a: f32, y: usize, x: usize): void {
  for (const end = x + (<usize>n << 2); x < end; x += 16, y += 16) {
    if (ASC_FEATURE_SIMD) v128.store(x, madd4(f32x4.splat(a), v128.load(y), v128.load(x)));
    else for (let l: usize = 0; l < 16; l += 4) store<f32>(x + l, load<f32>(x + l) + a * load<f32>(y + l));
  }
}

/** x <- x + a p y */
function substituteRow(n: i32, a: f32, p: usize, y: usize, x: usize): void {
  for (const end = x + (<usize>n << 2); x < end; x += 16, y += 16, p += 16) {
    if (ASC_FEATURE_SIMD) {
      v128.store(x, madd4(f32x4.mul(f32x4.splat(a), v128.load(p)), v128.load(y), v128.load(x)));
    } else {
      for (let l: usize = 0; l < 16; l += 4) {
        store<f32>(x + l, load<f32>(x + l) + a * load<f32>(p + l) * load<f32>(y + l));
      }
    }
  }
}

/** y <- x S, four rows at a time as far as they go. */
function multiplySines(it: Transform, x: usize, y: usize): void {
  const row = <usize>it.stride << 2;
  let i = 0;
  if (ASC_FEATURE_SIMD) for (; i + 4 <= it.height; i += 4, x += 4 * row, y += 4 * row) fourRows(it, x, y);
  for (; i < it.height; i++, x += row, y += row) {
    memory.fill(y, 0, row);
    for (let j = 0; j < it.width; j++) {
      addRow(it.stride, load<f32>(x + (<usize>j << 2)), it.sines + <usize>j * row, y);
    }
  }
}

function fourRows(it: Transform, x: usize, y: usize): void {
  const row = <usize>it.stride << 2;
  const end = x + (<usize>it.width << 2);
  for (let column: usize = 0; column < row; column += 32) {
    let a0 = f32x4.splat(0);
    let b0 = a0;
    let c0 = a0;
    let d0 = a0;
    let a1 = a0;
    let b1 = a0;
    let c1 = a0;
    let d1 = a0;
    let s = it.sines + column;
    for (let p = x; p < end; p += 4, s += row) {
      const s0 = v128.load(s);
      const s1 = v128.load(s, 16);
      const a = v128.load32_splat(p);
      a0 = madd4(a, s0, a0);
      a1 = madd4(a, s1, a1);
      const b = v128.load32_splat(p + row);
      b0 = madd4(b, s0, b0);
      b1 = madd4(b, s1, b1);
      const c = v128.load32_splat(p + 2 * row);
      c0 = madd4(c, s0, c0);
      c1 = madd4(c, s1, c1);
      const d = v128.load32_splat(p + 3 * row);
      d0 = madd4(d, s0, d0);
      d1 = madd4(d, s1, d1);
    }
    const to = y + column;
    v128.store(to, a0);
    v128.store(to, a1, 16);
    v128.store(to + row, b0);
    v128.store(to + row, b1, 16);
    v128.store(to + 2 * row, c0);
    v128.store(to + 2 * row, c1, 16);
    v128.store(to + 3 * row, d0);
    v128.store(to + 3 * row, d1, 16);
  }
}
