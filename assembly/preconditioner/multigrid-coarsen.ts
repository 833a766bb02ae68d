// The coarser levels of the multigrid preconditioner.
//
// The next level's cell is made of 2 x 2 cells, by transfers that are constant on them. The plain Galerkin operator
// of these is too stiff by two for diffusion, so the couplings are halved (Braess 1995, Computing 55), and the
// diagonal makes up for it: the row sum is that of the cells.
//
// A matrix of diffusion in a varying medium, or with a drift, is symmetric in a weighted product as a rule:
// w_i a_ij = w_j a_ji. Its rows have to be added with these weights, or the next level has the wrong drift. The
// ratios of couplings within the 2 x 2 cells give them; they are 1 where the matrix is symmetric.

import { ABOVE, BELOW, COUPLINGS, LEFT, Level, RIGHT, storeSplit } from './multigrid-level';

/** How far the weights of two neighbours may be apart. */
const MOST_RATIO: f32 = 30;
/** Keeps 0 / 0 out. */
const SMALLEST: f32 = 1e-37;

/** The next level, and this one's shares. */
export function coarsen(level: Level, next: Level): void {
  const lower = <usize>level.vectors * COUPLINGS;
  for (let i = 0; i < next.height; i++) {
    const row = <usize>(2 * i) * level.stride;
    const target = <usize>i * next.stride;
    const targetCouplings = <usize>i * <usize>next.vectors * COUPLINGS;
    const odd = i & 1;
    coarsenRows(
      level,
      row,
      level.redCouplings + <usize>(2 * i) * lower,
      level.blackCouplings + <usize>(2 * i) * lower,
      (odd ? next.blackCouplings : next.redCouplings) + targetCouplings,
      (odd ? next.redCouplings : next.blackCouplings) + targetCouplings,
      (odd ? next.blackX : next.redX) + target,
      (odd ? next.redX : next.blackX) + target,
      (odd ? next.blackB : next.redB) + target,
      (odd ? next.redB : next.blackB) + target,
    );
  }
}

/** One row of the next level. The last six parameters are its places for even and odd columns. */
function coarsenRows(
  level: Level,
  row: usize,
  red: usize,
  black: usize,
  evenCouplings: usize,
  oddCouplings: usize,
  evenDiagonal: usize,
  oddDiagonal: usize,
  evenSum: usize,
  oddSum: usize,
): void {
  const stride = level.stride;
  const lower = <usize>level.vectors * COUPLINGS;
  const redD = level.redX + row;
  const blackD = level.blackX + row;
  const redS = level.redB + row;
  const blackS = level.blackB + row;
  const share = level.share + row;
  const bytes = <usize>level.vectors << 4;
  for (let at: usize = 0; at < bytes; at += 16, red += COUPLINGS, black += COUPLINGS) {
    const half = at >> 1;
    // The half of a block of four couplings that this step fills.
    const to = (at >> 5) * COUPLINGS + (half & 8);
    if (ASC_FEATURE_SIMD) {
      // d: diagonal; a, b, c, d: upper left, upper right, lower left, lower right.
      const da = v128.load(redD + at);
      const db = v128.load(blackD + at);
      const dc = v128.load(blackD + stride + at);
      const dd = v128.load(redD + stride + at);
      const ab = ratio4(f32x4.mul(da, v128.load(red, RIGHT)), f32x4.mul(db, v128.load(black, LEFT)));
      const ac = ratio4(f32x4.mul(da, v128.load(red, BELOW)), f32x4.mul(dc, v128.load(black + lower, ABOVE)));
      const bd = ratio4(f32x4.mul(db, v128.load(black, BELOW)), f32x4.mul(dd, v128.load(red + lower, ABOVE)));
      const cd = ratio4(f32x4.mul(dc, v128.load(black + lower, RIGHT)), f32x4.mul(dd, v128.load(red + lower, LEFT)));
      const wd = f32x4.sqrt(f32x4.mul(f32x4.mul(ab, bd), f32x4.mul(ac, cd)));
      const one = f32x4.splat(1);
      const wa = f32x4.div(f32x4.splat(4), f32x4.add(f32x4.add(one, ab), f32x4.add(ac, wd)));
      const sum = f32x4.add(
        f32x4.add(v128.load(redS + at), f32x4.mul(ab, v128.load(blackS + at))),
        f32x4.add(
          f32x4.mul(ac, v128.load(blackS + stride + at)),
          f32x4.mul(wd, v128.load(redS + stride + at)),
        ),
      );
      const ma = f32x4.mul(wa, da);
      const mb = f32x4.mul(f32x4.mul(wa, ab), db);
      const mc = f32x4.mul(f32x4.mul(wa, ac), dc);
      const md = f32x4.mul(f32x4.mul(wa, wd), dd);
      const above = pair4(ma, v128.load(red, ABOVE), mb, v128.load(black, ABOVE));
      const below = pair4(mc, v128.load(black + lower, BELOW), md, v128.load(red + lower, BELOW));
      const left = pair4(ma, v128.load(red, LEFT), mc, v128.load(black + lower, LEFT));
      const right = pair4(mb, v128.load(black, RIGHT), md, v128.load(red + lower, RIGHT));
      const rowSum = f32x4.mul(wa, sum);
      const out = f32x4.add(f32x4.add(above, below), f32x4.add(left, right));
      const most = f32x4.add(
        f32x4.add(f32x4.abs(above), f32x4.abs(below)),
        f32x4.add(f32x4.abs(left), f32x4.abs(right)),
      );
      const diagonal = f32x4.max(f32x4.add(rowSum, out), most);
      const inverse = v128.and(f32x4.div(one, diagonal), f32x4.gt(diagonal, f32x4.splat(0)));
      v128.store(share + at, f32x4.mul(ma, inverse));
      v128.store(share + stride + at, f32x4.mul(md, inverse));
      storeSplit(f32x4.mul(above, inverse), evenCouplings + to + ABOVE, oddCouplings + to + ABOVE);
      storeSplit(f32x4.mul(below, inverse), evenCouplings + to + BELOW, oddCouplings + to + BELOW);
      storeSplit(f32x4.mul(left, inverse), evenCouplings + to + LEFT, oddCouplings + to + LEFT);
      storeSplit(f32x4.mul(right, inverse), evenCouplings + to + RIGHT, oddCouplings + to + RIGHT);
      storeSplit(diagonal, evenDiagonal + half, oddDiagonal + half);
      storeSplit(rowSum, evenSum + half, oddSum + half);
    } else {
      for (let lane: usize = 0; lane < 16; lane += 4) {
        const p = red + lane;
        const q = black + lane;
        const here = at + lane;
        const da = load<f32>(redD + here);
        const db = load<f32>(blackD + here);
        const dc = load<f32>(blackD + stride + here);
        const dd = load<f32>(redD + stride + here);
        const ab = ratio(da * load<f32>(p, RIGHT), db * load<f32>(q, LEFT));
        const ac = ratio(da * load<f32>(p, BELOW), dc * load<f32>(q + lower, ABOVE));
        const bd = ratio(db * load<f32>(q, BELOW), dd * load<f32>(p + lower, ABOVE));
        const cd = ratio(dc * load<f32>(q + lower, RIGHT), dd * load<f32>(p + lower, LEFT));
        const wd = sqrt<f32>(ab * bd * (ac * cd));
        const wa: f32 = 4 / (1 + ab + (ac + wd));
        const sum =
          load<f32>(redS + here) +
          ab * load<f32>(blackS + here) +
          (ac * load<f32>(blackS + stride + here) + wd * load<f32>(redS + stride + here));
        const ma = wa * da;
        const mb = wa * ab * db;
        const mc = wa * ac * dc;
        const md = wa * wd * dd;
        const above: f32 = 0.5 * (ma * load<f32>(p, ABOVE) + mb * load<f32>(q, ABOVE));
        const below: f32 = 0.5 * (mc * load<f32>(q + lower, BELOW) + md * load<f32>(p + lower, BELOW));
        const left: f32 = 0.5 * (ma * load<f32>(p, LEFT) + mc * load<f32>(q + lower, LEFT));
        const right: f32 = 0.5 * (mb * load<f32>(q, RIGHT) + md * load<f32>(p + lower, RIGHT));
        const rowSum = wa * sum;
        const diagonal = max<f32>(
          rowSum + (above + below + (left + right)),
          abs(above) + abs(below) + (abs(left) + abs(right)),
        );
        const inverse: f32 = diagonal > 0 ? 1 / diagonal : 0;
        store<f32>(share + here, ma * inverse);
        store<f32>(share + stride + here, md * inverse);
        const number = half + ((lane >> 3) << 2);
        const target = (lane & 4 ? oddCouplings : evenCouplings) + to + ((lane >> 3) << 2);
        store<f32>(target, above * inverse, ABOVE);
        store<f32>(target, below * inverse, BELOW);
        store<f32>(target, left * inverse, LEFT);
        store<f32>(target, right * inverse, RIGHT);
        store<f32>((lane & 4 ? oddDiagonal : evenDiagonal) + number, diagonal);
        store<f32>((lane & 4 ? oddSum : evenSum) + number, rowSum);
      }
    }
  }
}

/**
 * p / q, kept within bounds; the bound itself where just one of the two is a coupling of the usual sign. 1 where
 * both are zero.
 */
// @ts-ignore: decorator
@inline
export function ratio(p: f32, q: f32): f32 {
  const least = max<f32>(abs(p), abs(q)) * (1 / MOST_RATIO) + SMALLEST;
  return max<f32>(p, least) / max<f32>(q, least);
}

// @ts-ignore: decorator
@inline
function ratio4(p: v128, q: v128): v128 {
  const most = f32x4.max(f32x4.abs(p), f32x4.abs(q));
  const least = f32x4.add(f32x4.mul(most, f32x4.splat(1 / MOST_RATIO)), f32x4.splat(SMALLEST));
  return f32x4.div(f32x4.max(p, least), f32x4.max(q, least));
}

/** Half of a b + c d: two couplings to one cell of the next level. */
// @ts-ignore: decorator
@inline
function pair4(a: v128, b: v128, c: v128, d: v128): v128 {
  return f32x4.mul(f32x4.splat(0.5), f32x4.add(f32x4.mul(a, b), f32x4.mul(c, d)));
}
