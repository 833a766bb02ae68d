// Scheme `consistent` without a matrix: the residual of a time step, and the cells that are too steep for centred
// differences. See `consistent.ts` for the equation and the border values.
//
// Both go over the grid row by row. A row beside the border gets its missing neighbours from `ghosts`, a row of
// scratch; the first and the last point of a row are treated by themselves, those between in pairs.

import { lanes, madd, nmadd } from '../vector/simd';
import { CENTRED, neighbour, pecletNumber, UPWIND } from './consistent-cell';

/** The row above row 0 or below the last one: that of its mirror, or 0, plus the constants at `border`. */
function fillGhosts(width: i32, reflecting: bool, mirror: usize, border: usize, ghosts: usize): void {
  for (const end = ghosts + (<usize>width << 3); ghosts < end; ghosts += 8, mirror += 8, border += 8) {
    store<f64>(ghosts, neighbour(true, reflecting, 0, mirror, border));
  }
}

/**
 * r <- base - m - tau (L(m) + what the border adds): minus the non-linear residual at m. Returns r'r. Parameters as
 * of `consistentAssemble`; `ghosts` are 2 W numbers of scratch.
 */
export function consistentResidual(
  height: i32,
  width: i32,
  dx: f64,
  dy: f64,
  D: f64,
  tau: f64,
  advection: i32,
  reflecting: bool,
  m: usize,
  base: usize,
  fx: usize,
  fy: usize,
  border: usize,
  ghosts: usize,
  r: usize,
): f64 {
  const line = <usize>width << 3;
  const last = m + <usize>(height - 1) * line;
  const left = border + 2 * line;
  const right = left + (<usize>height << 3);
  fillGhosts(width, reflecting, m + line, border, ghosts);
  fillGhosts(width, reflecting, last - line, border + line, ghosts + line);
  let sum: f64 = 0;
  for (let i = 0; i < height; i++) {
    const above = i == 0 ? ghosts : m - line;
    const below = i == height - 1 ? ghosts + line : m + line;
    const down = <usize>i << 3;
    for (let j = 0; j < width; j++) {
      if (ASC_FEATURE_SIMD && j == 1 && advection == CENTRED) {
        const pairs = (width - 2) >> 1;
        sum += fx
          ? driftingPairs(pairs, dx, dy, D, tau, above + 8, m + 8, below + 8, base + 8, fx + 8, fy + 8, r + 8)
          : residualPairs(pairs, dx, dy, D, tau, above + 8, m + 8, below + 8, base + 8, r + 8);
        j += 2 * pairs;
      }
      const at = <usize>j << 3;
      const p = m + at;
      const centre = load<f64>(p);
      const before = neighbour(j == 0, reflecting, p - 8, p + 8, left + down);
      const behind = neighbour(j == width - 1, reflecting, p + 8, p - 8, right + down);
      const f = fx ? load<f64>(fx + at) : 0;
      const x = rate(dx, D, advection, f, load<f64>(above + at), centre, load<f64>(below + at));
      const y = rate(dy, D, advection, fy ? load<f64>(fy + at) : 0, before, centre, behind);
      const value = load<f64>(base + at) - centre - tau * (x + y);
      store<f64>(r + at, value);
      sum += value * value;
    }
    m += line;
    base += line;
    r += line;
    if (fx) fx += line;
    if (fy) fy += line;
  }
  return sum;
}

/** `pairs` times two points between the first and the last of their row, by centred differences, without drift. */
function residualPairs(
  pairs: i32,
  dx: f64,
  dy: f64,
  D: f64,
  tau: f64,
  above: usize,
  m: usize,
  below: usize,
  base: usize,
  r: usize,
): f64 {
  return eachPair(false, pairs, dx, dy, D, tau, above, m, below, base, 0, 0, r);
}

/** As `residualPairs`, with drift. */
function driftingPairs(
  pairs: i32,
  dx: f64,
  dy: f64,
  D: f64,
  tau: f64,
  above: usize,
  m: usize,
  below: usize,
  base: usize,
  fx: usize,
  fy: usize,
  r: usize,
): f64 {
  return eachPair(true, pairs, dx, dy, D, tau, above, m, below, base, fx, fy, r);
}

/** The loop of the two, compiled once with drift and once without. */
// @ts-ignore: decorator
@inline
function eachPair(
  drift: bool,
  pairs: i32,
  dx: f64,
  dy: f64,
  D: f64,
  tau: f64,
  above: usize,
  m: usize,
  below: usize,
  base: usize,
  fx: usize,
  fy: usize,
  r: usize,
): f64 {
  // Of plain differences x of m: tau D / (4 h^2) x^2 - tau f / (2 h) x = x (square x - f wind).
  const squareX = f64x2.splat((tau * D) / (4 * dx * dx));
  const squareY = f64x2.splat((tau * D) / (4 * dy * dy));
  const windX = f64x2.splat((-0.5 * tau) / dx);
  const windY = f64x2.splat((-0.5 * tau) / dy);
  const spreadX = f64x2.splat((tau * D) / (dx * dx));
  const spreadY = f64x2.splat((tau * D) / (dy * dy));
  const centre = f64x2.splat(1 + 2 * tau * D * (1 / (dx * dx) + 1 / (dy * dy)));
  let s = f64x2.splat(0);
  for (const end = r + (<usize>pairs << 4); r < end; r += 16, m += 16, above += 16, below += 16, base += 16) {
    const p = v128.load(below);
    const q = v128.load(above);
    const x = f64x2.sub(p, q);
    let v = f64x2.mul(squareX, x);
    if (drift) {
      v = madd(windX, v128.load(fx), v);
      fx += 16;
    }
    let value = nmadd(centre, v128.load(m), v128.load(base));
    value = madd(x, v, madd(spreadX, f64x2.add(p, q), value));
    const a = v128.load(m, 8);
    const b = v128.load(m - 8);
    const y = f64x2.sub(a, b);
    v = f64x2.mul(squareY, y);
    if (drift) {
      v = madd(windY, v128.load(fy), v);
      fy += 16;
    }
    value = madd(y, v, madd(spreadY, f64x2.add(a, b), value));
    v128.store(r, value);
    s = madd(value, value, s);
  }
  return lanes(s);
}

/** v D_a m - D (second difference) along one axis. */
// @ts-ignore: decorator
@inline
function rate(h: f64, D: f64, advection: i32, f: f64, lower: f64, centre: f64, upper: f64): f64 {
  const slope = (upper - lower) / (2 * h);
  const v = f - D * slope;
  let difference = slope;
  if (advection == UPWIND || (advection != CENTRED && pecletNumber(f, D, slope, h) > 1)) {
    difference = v > 0 ? (centre - lower) / h : (upper - centre) / h;
  }
  return v * difference - (D / (h * h)) * (lower + upper - 2 * centre);
}

/**
 * How many cells have a Peclet number over 1 along some axis at m; out[0] gets the largest. `ghosts` are 2 W numbers
 * of scratch.
 */
export function countSteepCells(
  height: i32,
  width: i32,
  dx: f64,
  dy: f64,
  D: f64,
  reflecting: bool,
  m: usize,
  fx: usize,
  fy: usize,
  border: usize,
  ghosts: usize,
  out: usize,
): i32 {
  const line = <usize>width << 3;
  const last = m + <usize>(height - 1) * line;
  const left = border + 2 * line;
  const right = left + (<usize>height << 3);
  fillGhosts(width, reflecting, m + line, border, ghosts);
  fillGhosts(width, reflecting, last - line, border + line, ghosts + line);
  store<f64>(out, 0);
  let cells = 0;
  for (let i = 0; i < height; i++) {
    const above = i == 0 ? ghosts : m - line;
    const below = i == height - 1 ? ghosts + line : m + line;
    const down = <usize>i << 3;
    for (let j = 0; j < width; j++) {
      // Without diffusion the number is 0 or infinite, and a case of its own.
      if (ASC_FEATURE_SIMD && j == 1 && D > 0) {
        const pairs = (width - 2) >> 1;
        cells += countPairs(pairs, dx, dy, D, above + 8, m + 8, below + 8, fx ? fx + 8 : 0, fy ? fy + 8 : 0, out);
        j += 2 * pairs;
      }
      const at = <usize>j << 3;
      const p = m + at;
      const before = neighbour(j == 0, reflecting, p - 8, p + 8, left + down);
      const behind = neighbour(j == width - 1, reflecting, p + 8, p - 8, right + down);
      const f = fx ? load<f64>(fx + at) : 0;
      const x = pecletNumber(f, D, (load<f64>(below + at) - load<f64>(above + at)) / (2 * dx), dx);
      const y = pecletNumber(fy ? load<f64>(fy + at) : 0, D, (behind - before) / (2 * dy), dy);
      const peclet = max(x, y);
      if (peclet > 1) cells++;
      store<f64>(out, max(load<f64>(out), peclet));
    }
    m += line;
    if (fx) fx += line;
    if (fy) fy += line;
  }
  return cells;
}

/** As `countSteepCells`, for `pairs` times two points between the first and the last of their row; D > 0. */
function countPairs(
  pairs: i32,
  dx: f64,
  dy: f64,
  D: f64,
  above: usize,
  m: usize,
  below: usize,
  fx: usize,
  fy: usize,
  out: usize,
): i32 {
  const quarter = f64x2.splat(-0.25);
  const halfX = f64x2.splat((0.5 * dx) / D);
  const halfY = f64x2.splat((0.5 * dy) / D);
  const one = f64x2.splat(1);
  let most = f64x2.splat(0);
  let steep = i64x2.splat(0);
  for (const end = m + (<usize>pairs << 4); m < end; m += 16, above += 16, below += 16) {
    let x = f64x2.mul(quarter, f64x2.sub(v128.load(below), v128.load(above)));
    if (fx) {
      x = madd(halfX, v128.load(fx), x);
      fx += 16;
    }
    let y = f64x2.mul(quarter, f64x2.sub(v128.load(m, 8), v128.load(m - 8)));
    if (fy) {
      y = madd(halfY, v128.load(fy), y);
      fy += 16;
    }
    const peclet = f64x2.pmax(f64x2.abs(x), f64x2.abs(y));
    most = f64x2.pmax(most, peclet);
    steep = i64x2.sub(steep, f64x2.gt(peclet, one));
  }
  const larger = max(f64x2.extract_lane(most, 0), f64x2.extract_lane(most, 1));
  store<f64>(out, max(load<f64>(out), larger));
  return <i32>(i64x2.extract_lane(steep, 0) + i64x2.extract_lane(steep, 1));
}
