// What a V-cycle does on one level: sweeps, restriction, prolongation.

import { ABOVE, BELOW, COUPLINGS, LEFT, Level, madd4, RIGHT, storeSplit } from './multigrid-level';

/** x <- b + sum c y on the cells of one colour (0: red, 1: black), y having the other colour's values. */
export function relax(level: Level, colour: i32, couplings: usize, b: usize, y: usize, x: usize): void {
  const stride = level.stride;
  for (let i = 0; i < level.height; i++) {
    const left = y - (<usize>(~(i + colour) & 1) << 2);
    relaxRow(level.vectors, stride, couplings, b, y, left, x);
    couplings += <usize>level.vectors * COUPLINGS;
    b += stride;
    y += stride;
    x += stride;
  }
}

/** `left`: the left neighbour of the row's first cell; the right one follows it. */
function relaxRow(
  vectors: i32,
  stride: usize,
  couplings: usize,
  b: usize,
  y: usize,
  left: usize,
  x: usize,
): void {
  let above = y - stride;
  let below = y + stride;
  for (const end = x + (<usize>vectors << 4); x < end; x += 16, couplings += COUPLINGS) {
    if (ASC_FEATURE_SIMD) {
      v128.store(x, f32x4.add(v128.load(b), neighbours4(couplings, above, below, left)));
    } else {
      for (let lane: usize = 0; lane < 16; lane += 4) {
        const sum = neighbours(couplings + lane, above + lane, below + lane, left + lane);
        store<f32>(x + lane, load<f32>(b + lane) + sum);
      }
    }
    above += 16;
    below += 16;
    left += 16;
    b += 16;
  }
}

/** sum c y for one cell. */
// @ts-ignore: decorator
@inline
export function neighbours(couplings: usize, above: usize, below: usize, left: usize): f32 {
  return (
    load<f32>(couplings, ABOVE) * load<f32>(above) +
    load<f32>(couplings, BELOW) * load<f32>(below) +
    load<f32>(couplings, LEFT) * load<f32>(left) +
    load<f32>(couplings, RIGHT) * load<f32>(left, 4)
  );
}

/** As `neighbours`, for four cells. */
// @ts-ignore: decorator
@inline
export function neighbours4(couplings: usize, above: usize, below: usize, left: usize): v128 {
  const p = f32x4.mul(v128.load(couplings, ABOVE), v128.load(above));
  const q = madd4(v128.load(couplings, BELOW), v128.load(below), p);
  const s = madd4(v128.load(couplings, LEFT), v128.load(left), q);
  return madd4(v128.load(couplings, RIGHT), v128.load(left, 4), s);
}

/**
 * The next level's right-hand side from the residual of the red cells; that of the black ones is zero after their
 * sweep. `x`: the red values.
 */
export function restrict(level: Level, next: Level, x: usize): void {
  const stride = level.stride;
  const bytes = <usize>level.vectors * COUPLINGS;
  for (let i = 0; i < next.height; i++) {
    const row = <usize>(2 * i) * stride;
    const target = <usize>i * next.stride;
    const even = (i & 1 ? next.blackB : next.redB) + target;
    const odd = (i & 1 ? next.redB : next.blackB) + target;
    restrictRows(level, row, level.redCouplings + <usize>(2 * i) * bytes, x + row, even, odd);
  }
}

function restrictRows(level: Level, row: usize, couplings: usize, x: usize, even: usize, odd: usize): void {
  const stride = level.stride;
  const lower = <usize>level.vectors * COUPLINGS;
  let b = level.redB + row;
  let y = level.blackX + row;
  let share = level.share + row;
  for (const end = x + (<usize>level.vectors << 4); x < end; x += 16, couplings += COUPLINGS) {
    if (ASC_FEATURE_SIMD) {
      const upper = neighbours4(couplings, y - stride, y + stride, y - 4);
      const first = f32x4.add(f32x4.sub(v128.load(b), v128.load(x)), upper);
      const under = neighbours4(couplings + lower, y, y + 2 * stride, y + stride);
      const second = f32x4.add(f32x4.sub(v128.load(b + stride), v128.load(x + stride)), under);
      storeSplit(
        madd4(v128.load(share), first, f32x4.mul(v128.load(share + stride), second)),
        even,
        odd,
      );
    } else {
      for (let lane: usize = 0; lane < 16; lane += 4) {
        const at = y + lane;
        const upper = neighbours(couplings + lane, at - stride, at + stride, at - 4);
        const first = load<f32>(b + lane) - load<f32>(x + lane) + upper;
        const under = neighbours(couplings + lower + lane, at, at + 2 * stride, at + stride);
        const second = load<f32>(b + stride + lane) - load<f32>(x + stride + lane) + under;
        const value = load<f32>(share + lane) * first + load<f32>(share + stride + lane) * second;
        store<f32>((lane & 4 ? odd : even) + ((lane >> 3) << 2), value);
      }
    }
    b += 16;
    y += 16;
    share += 16;
    even += 8;
    odd += 8;
  }
}

/** redX <- x + the next level's values on the red cells; the black ones need none before their sweep. */
export function prolong(level: Level, next: Level, x: usize): void {
  for (let i = 0; i < next.height; i++) {
    const row = <usize>(2 * i) * level.stride;
    const source = <usize>i * next.stride;
    const even = (i & 1 ? next.blackX : next.redX) + source;
    const odd = (i & 1 ? next.redX : next.blackX) + source;
    prolongRows(level.vectors, level.stride, x + row, even, odd, level.redX + row);
  }
}

function prolongRows(vectors: i32, stride: usize, x: usize, even: usize, odd: usize, out: usize): void {
  for (const end = x + (<usize>vectors << 4); x < end; x += 16, out += 16, even += 8, odd += 8) {
    if (ASC_FEATURE_SIMD) {
      const correction = v128.shuffle<f32>(v128.load64_zero(even), v128.load64_zero(odd), 0, 4, 1, 5);
      v128.store(out, f32x4.add(v128.load(x), correction));
      v128.store(out + stride, f32x4.add(v128.load(x + stride), correction));
    } else {
      for (let lane: usize = 0; lane < 16; lane += 4) {
        const correction = load<f32>((lane & 4 ? odd : even) + ((lane >> 3) << 2));
        store<f32>(out + lane, load<f32>(x + lane) + correction);
        store<f32>(out + stride + lane, load<f32>(x + stride + lane) + correction);
      }
    }
  }
}
