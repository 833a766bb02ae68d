// Half sweeps over a grid in f32: what a cell of one colour gets from its four neighbours, which are all of the other
// colour. Layout of vectors and couplings: `multigrid-level.ts`. Idle numbers are zero, and stay so.

import { neighbours, neighbours4 } from '../preconditioner/multigrid-cycle';
import { COUPLINGS, Level, madd4 } from '../preconditioner/multigrid-level';
import { CHUNK, total4 } from './single-vectors';

export const RED: i32 = 0;
export const BLACK: i32 = 1;

/** x <- C y on the cells of a colour. */
export function couple(level: Level, colour: i32, y: usize, x: usize): void {
  sweep(false, false, level, colour, y, y, x, x, 0);
}

/** x <- b - C y */
export function eliminate(level: Level, colour: i32, b: usize, y: usize, x: usize): void {
  sweep(true, false, level, colour, b, y, x, x, 0);
}

/** x <- b - C y; out[0] = x'w, out[1] = x'x. */
export function eliminateDot(
  level: Level,
  colour: i32,
  b: usize,
  y: usize,
  x: usize,
  w: usize,
  out: usize,
): void {
  sweep(true, true, level, colour, b, y, x, w, out);
}

/** The rows of the three, compiled once for each. */
// @ts-ignore: decorator
@inline
function sweep(
  minus: bool,
  dots: bool,
  level: Level,
  colour: i32,
  b: usize,
  y: usize,
  x: usize,
  w: usize,
  out: usize,
): void {
  const stride = level.stride;
  const bytes = <usize>level.vectors << 4;
  let couplings = colour == RED ? level.redCouplings : level.blackCouplings;
  let xw: f64 = 0;
  let xx: f64 = 0;
  for (let i = 0; i < level.height; i++) {
    let left = y - (<usize>(~(i + colour) & 1) << 2);
    let above = y - stride;
    let below = y + stride;
    let to = x;
    for (const end = x + bytes; to < end; ) {
      if (ASC_FEATURE_SIMD) {
        let p = f32x4.splat(0);
        let q = f32x4.splat(0);
        for (const stop = min(to + CHUNK, end); to < stop; to += 16, couplings += COUPLINGS) {
          let value = neighbours4(couplings, above, below, left);
          if (minus) value = f32x4.sub(v128.load(b), value);
          v128.store(to, value);
          if (dots) {
            p = madd4(value, v128.load(w), p);
            q = madd4(value, value, q);
            w += 16;
          }
          if (minus) b += 16;
          above += 16;
          below += 16;
          left += 16;
        }
        if (dots) {
          xw += total4(p);
          xx += total4(q);
        }
      } else {
        for (let lane: usize = 0; lane < 16; lane += 4) {
          let value = neighbours(couplings + lane, above + lane, below + lane, left + lane);
          if (minus) value = load<f32>(b + lane) - value;
          store<f32>(to + lane, value);
          if (dots) {
            xw += <f64>(value * load<f32>(w + lane));
            xx += <f64>(value * value);
          }
        }
        to += 16;
        couplings += COUPLINGS;
        above += 16;
        below += 16;
        left += 16;
        if (dots) w += 16;
        if (minus) b += 16;
      }
    }
    x += stride;
    y += stride;
    if (minus) b += stride - bytes;
    if (dots) w += stride - bytes;
  }
  if (dots) {
    store<f64>(out, xw);
    store<f64>(out, xx, 8);
  }
}
