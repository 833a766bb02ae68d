// The inverse of the constant-coefficient part of a five-point matrix on an H x W grid, pixel k = i W + j, in f32:
// all diagonal entries, and all couplings in a direction, replaced by their means (left and right by one mean).
//
// Sines diagonalise the couplings within a row that ends in zeros, cosines those within a row between mirrors; for
// each of the W modes a tridiagonal system over the rows is left (Hockney 1965, J. ACM 12; Strang 1999, SIAM Review
// 41). Rows are stored one after another, so that the transform is a product of matrices and the tridiagonal solves
// go over all modes of a row at a time.

import { BLOCK } from '../operator/dia';
import { madd4 } from './multigrid-level';
import { largest, powerOfTwo } from './multigrid-transfer';
import { cosines, series, sines } from './transform-basis';

@unmanaged
class Transform {
  height: i32;
  width: i32;
  /** Numbers in a row, those that fill it up included. */
  stride: i32;
  /** Borders that the tables are for; see `ZERO`. */
  border: i32;
  /** From a row of the grid to its modes, and back: of sines, the same table. */
  forward: usize;
  backward: usize;
  /** Inverse pivots, a row of modes for each row of the grid. */
  pivots: usize;
  /** Two grids of numbers. */
  first: usize;
  second: usize;
  /** Couplings to the rows above and below, divided by the mean diagonal entry. */
  above: f32;
  below: f32;
  /** The first row's coupling to the one below, and the last one's to the one above, as far as mirrors change them. */
  firstBelow: f32;
  lastAbove: f32;
  /** What mirrors add to the diagonal of the first and the last row. */
  firstMore: f64;
  lastMore: f64;
  /** Mean diagonal entry. */
  diagonal: f64;
  /** The cosine of the angle from one mode to the next. */
  cosine: f64;
}

/** Zeros outside the grid; mirrors at its outermost points; mirrors half a step outside them. */
const ZERO: i32 = 0;
const AT_POINTS: i32 = 1;
const BETWEEN: i32 = 2;

/** Columns that a product makes at a time. */
const COLUMNS: i32 = 8;

function strideOf(width: i32): i32 {
  return (width + COLUMNS - 1) & ~(COLUMNS - 1);
}

/** Bytes of a transform; a float, since it may be more than there is. `reflecting`: by cosines, not by sines. */
export function transformSize(height: i32, width: i32, reflecting: bool): f64 {
  const row = 4 * <f64>strideOf(width);
  return <f64>(offsetof<Transform>() + 64) + (reflecting ? 2 : 1) * row * <f64>width + 3 * row * <f64>height;
}

/** Lays out `transformSize` bytes for a grid. */
export function transformInit(transform: usize, height: i32, width: i32, reflecting: bool): void {
  const it = changetype<Transform>(transform);
  const stride = strideOf(width);
  const row = <usize>stride << 2;
  it.height = height;
  it.width = width;
  it.stride = stride;
  it.forward = (transform + offsetof<Transform>() + 63) & ~63;
  it.backward = reflecting ? it.forward + <usize>width * row : it.forward;
  it.pivots = it.backward + <usize>width * row;
  it.first = it.pivots + <usize>height * row;
  it.second = it.first + <usize>height * row;
  memory.fill(it.forward, 0, it.second + <usize>height * row - it.forward);
  if (reflecting) {
    makeCosines(it, BETWEEN);
  } else {
    it.border = ZERO;
    it.cosine = series(Math.PI / <f64>(width + 1), 0);
    sines(width, row, it.forward);
  }
}

function makeCosines(it: Transform, border: i32): void {
  const steps = border == BETWEEN ? it.width : max(it.width - 1, 1);
  it.border = border;
  it.cosine = series(Math.PI / <f64>steps, 0);
  cosines(it.width, <usize>it.stride << 2, border == BETWEEN || it.width == 1, it.forward, it.backward);
}

/**
 * Takes the values of a matrix: five diagonals at offsets -W, -1, 0, 1, W in blocks of eight rows (`dia.ts`).
 * Returns whether the means make an operator that can be inverted.
 */
export function transformUpdate(transform: usize, data: usize): bool {
  const it = changetype<Transform>(transform);
  if (it.border == ZERO) return takeMeans(it, data, 0);
  // Means without the border's entries, which tell where the mirrors are: at the points they double the coupling to
  // the only neighbour, half a step outside they leave it.
  const height = it.height;
  const width = it.width;
  let border = BETWEEN;
  if (width > 2 && height > 0) {
    const row = height >> 1;
    border = mirrors(data, row * width, 192, row * width + 1, 64, 192);
  } else if (height > 2) {
    border = mirrors(data, width >> 1, 256, width + (width >> 1), 0, 256);
  } else if (width > 1) {
    border = AT_POINTS;
  }
  if (border != it.border) makeCosines(it, border);
  return takeMeans(it, data, 1);
}

/** Whether the border point k couples by about as much as both sides of its neighbour l together, or as one. */
function mirrors(data: usize, k: i32, towards: usize, l: i32, one: usize, other: usize): i32 {
  const coupling = load<f64>(rowOf(data, k) + towards);
  const both = load<f64>(rowOf(data, l) + one) + load<f64>(rowOf(data, l) + other);
  return abs(coupling - both) < abs(coupling - 0.5 * both) ? AT_POINTS : BETWEEN;
}

/** Address of the values of the matrix's row k. */
// @ts-ignore: decorator
@inline
function rowOf(data: usize, k: i32): usize {
  return data + (<usize>((k / BLOCK) * 5 * BLOCK + k % BLOCK) << 3);
}

/** The means, of the points `margin` and more off the border as far as there are such. */
function takeMeans(it: Transform, data: usize, margin: i32): bool {
  const height = it.height;
  const width = it.width;
  const rows = height > 2 * margin ? margin : 0;
  const columns = width > 2 * margin ? margin : 0;
  let diagonal: f64 = 0;
  let above: f64 = 0;
  let below: f64 = 0;
  let beside: f64 = 0;
  for (let i = rows; i < height - rows; i++) {
    for (let j = columns; j < width - columns; j++) {
      const row = rowOf(data, i * width + j);
      diagonal += load<f64>(row, 128);
      if (i > 0) above += load<f64>(row);
      if (i + 1 < height) below += load<f64>(row, 256);
      if (j > 0) beside += load<f64>(row, 64);
      if (j + 1 < width) beside += load<f64>(row, 192);
    }
  }
  // Points at the border have one neighbour less, or twice the other one.
  const h = <f64>(rows > 0 || height == 1 ? height - 2 * rows : it.border == AT_POINTS ? 2 * height - 2 : height - 1);
  const w = <f64>(columns > 0 || width == 1 ? width - 2 * columns : it.border == AT_POINTS ? 2 * width - 2 : width - 1);
  diagonal /= <f64>(height - 2 * rows) * <f64>(width - 2 * columns);
  above /= h * <f64>(width - 2 * columns);
  below /= h * <f64>(width - 2 * columns);
  beside /= w * <f64>(height - 2 * rows);
  if (it.border == BETWEEN) {
    // Of two points in a row both have a mirror's share in their diagonal entry.
    if (width == 2) diagonal -= 0.5 * beside;
    if (height == 2) diagonal -= 0.5 * (above + below);
  }
  it.diagonal = diagonal;
  it.above = <f32>(above / diagonal);
  it.below = <f32>(below / diagonal);
  reflect(it);
  return factor(it, beside / diagonal);
}

/** What mirrors make of the first and the last row of the grid. */
function reflect(it: Transform): void {
  const points = it.border == AT_POINTS && it.height > 1;
  const between = it.border == BETWEEN;
  it.firstBelow = points ? it.below + it.above : it.below;
  it.lastAbove = points ? it.above + it.below : it.above;
  it.firstMore = between ? it.above : 0;
  it.lastMore = between ? it.below : 0;
}

/** The pivots of the tridiagonal systems. `beside`: both neighbours' couplings together. */
function factor(it: Transform, beside: f64): bool {
  const row = <usize>it.stride << 2;
  const last = it.height - 1;
  // cos(k angle), of sines from k = 1 on, from the two before.
  let cosine: f64 = it.border == ZERO ? it.cosine : 1;
  let before: f64 = it.border == ZERO ? 1 : it.cosine;
  for (let k = 0; k < it.width; k++) {
    const centre = 1 + beside * cosine;
    const next = 2 * it.cosine * cosine - before;
    before = cosine;
    cosine = next;
    let pivot: f64 = 0;
    let at = it.pivots + (<usize>k << 2);
    for (let i = 0; i <= last; i++, at += row) {
      const above = i == last ? it.lastAbove : it.above;
      const below = i == 1 ? it.firstBelow : it.below;
      const more = (i == 0 ? it.firstMore : 0) + (i == last ? it.lastMore : 0);
      pivot = 1 / (centre + more - <f64>above * <f64>below * pivot);
      if (!(abs(pivot) < MOST_PIVOT)) return false;
      store<f32>(at, <f32>pivot);
    }
  }
  return true;
}

/** A larger one is what rounding leaves of a singular matrix. */
const MOST_PIVOT: f64 = 1e12;

/** z <- M^-1 r */
export function transformApply(transform: usize, r: usize, z: usize): void {
  const it = changetype<Transform>(transform);
  const exponent = powerOfTwo(largest(it.height * it.width, r));
  const row = <usize>it.stride << 2;
  const scale = reinterpret<f64>((2046 - exponent) << 52);
  for (let i = 0, from = r, to = it.first; i < it.height; i++, to += row) {
    for (let j: usize = 0; j < <usize>it.width; j++, from += 8) store<f32>(to + (j << 2), <f32>(scale * load<f64>(from)));
  }
  multiply(it, it.forward, it.first, it.second);
  solveRows(it, it.second);
  multiply(it, it.backward, it.second, it.first);
  const back = reinterpret<f64>(exponent << 52) / it.diagonal;
  for (let i = 0, from = it.first, to = z; i < it.height; i++, from += row) {
    for (let j: usize = 0; j < <usize>it.width; j++, to += 8) store<f64>(to, back * <f64>load<f32>(from + (j << 2)));
  }
}

/** The tridiagonal systems of all modes, in place. */
function solveRows(it: Transform, x: usize): void {
  const row = <usize>it.stride << 2;
  const last = it.height - 1;
  scaleRow(it.stride, it.pivots, x);
  for (let i = 1; i <= last; i++) {
    x += row;
    addRow(it.stride, -(i == last ? it.lastAbove : it.above), x - row, x);
    scaleRow(it.stride, it.pivots + <usize>i * row, x);
  }
  for (let i = last - 1; i >= 0; i--) {
    x -= row;
    substituteRow(it.stride, -(i == 0 ? it.firstBelow : it.below), it.pivots + <usize>i * row, x + row, x);
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

/** y <- x times a table, four rows at a time as far as they go. */
function multiply(it: Transform, table: usize, x: usize, y: usize): void {
  const row = <usize>it.stride << 2;
  let i = 0;
  if (ASC_FEATURE_SIMD) for (; i + 4 <= it.height; i += 4, x += 4 * row, y += 4 * row) fourRows(it, table, x, y);
  for (; i < it.height; i++, x += row, y += row) {
    memory.fill(y, 0, row);
    for (let j = 0; j < it.width; j++) {
      addRow(it.stride, load<f32>(x + (<usize>j << 2)), table + <usize>j * row, y);
    }
  }
}

function fourRows(it: Transform, table: usize, x: usize, y: usize): void {
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
    let s = table + column;
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
