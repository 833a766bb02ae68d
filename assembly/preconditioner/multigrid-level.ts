// One grid of the multigrid preconditioner, in f32.
//
// Every row of the matrix is divided by its diagonal entry, so a level holds the four couplings only, as
// c = -a_ij / a_ii: a cell's Gauss-Seidel value is b + sum c x. Red cells (i + j even) and black ones are stored
// apart: cell (i, j) is number j >> 1 of row i of its colour. A red cell's neighbours are all black and lie in
// runs, so a sweep over one colour needs no gathers. Since 2 x 2 cells make one cell of the next level, cell
// (I, J) there is made from the numbers J of the rows 2 I and 2 I + 1.
//
// Vectors: rows of `stride` bytes with at least one idle number each, a guard row before the first and after the
// last. Couplings: `vectors` blocks of 64 bytes a row, a block having those of four cells: above (row i - 1),
// below (i + 1), left, right. What lies outside the grid has couplings of zero, and finite values.

@unmanaged
export class Level {
  height: i32;
  width: i32;
  /** Blocks of four numbers in a row of one colour. */
  vectors: i32;
  /** Which cells make one of the next level: 2 x 2, or pairs of one axis (`multigrid-join.ts`). */
  joined: i32;
  /** Bytes from one row of a vector to the next. */
  stride: usize;
  redCouplings: usize;
  blackCouplings: usize;
  /** Right-hand side, divided by the diagonal; while the levels are made, the row sums of the matrix. */
  redB: usize;
  blackB: usize;
  /** Values; while the levels are made, the diagonal. */
  redX: usize;
  blackX: usize;
  /** For red cells: share of the residual in the right-hand side of the next level's cell. */
  share: usize;
}

export const ABOVE: usize = 0;
export const BELOW: usize = 16;
export const LEFT: usize = 32;
export const RIGHT: usize = 48;
/** Bytes of the couplings of four cells. */
export const COUPLINGS: usize = 64;

/** Rows of a level, rounded up to whole cells of the next. */
// @ts-ignore: decorator
@inline
function evenRows(height: i32): i32 {
  return (height + 1) & ~1;
}

export function describe(level: Level, height: i32, width: i32): void {
  const half = (width + 1) >> 1;
  level.height = height;
  level.width = width;
  level.vectors = (half + 3) >> 2;
  level.stride = ((<usize>half + 4) & ~3) << 2;
}

/** Bytes of one vector of a colour, guards included. */
export function vectorBytes(level: Level): usize {
  return (<usize>(evenRows(level.height) + 2) * level.stride + 63) & ~63;
}

/** Bytes of the couplings of a colour. */
export function couplingBytes(level: Level): usize {
  return <usize>(evenRows(level.height) * level.vectors) * COUPLINGS;
}

/** The four vectors, from `at` on; returns the end. */
export function placeVectors(level: Level, at: usize): usize {
  const bytes = vectorBytes(level);
  const first = at + level.stride;
  level.redB = first;
  level.blackB = first + bytes;
  level.redX = first + 2 * bytes;
  level.blackX = first + 3 * bytes;
  return at + 4 * bytes;
}

/** Couplings and shares, from `at` on; returns the end. */
export function placeCouplings(level: Level, at: usize): usize {
  const bytes = couplingBytes(level);
  level.redCouplings = at;
  level.blackCouplings = at + bytes;
  level.share = at + 2 * bytes;
  return level.share + vectorBytes(level);
}

/** Stores four neighbours of a row of this level, the first at an even column, into the two colours. */
// @ts-ignore: decorator
@inline
export function storeSplit(values: v128, even: usize, odd: usize): void {
  const split = v128.shuffle<f32>(values, values, 0, 2, 1, 3);
  v128.store64_lane(even, split, 0);
  v128.store64_lane(odd, split, 1);
}

/** a * b + c in four lanes. */
// @ts-ignore: decorator
@inline
export function madd4(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}
