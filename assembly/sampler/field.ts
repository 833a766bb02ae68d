// A field of scores over H x W cells, from cell averages p of a density, in conservation form.
//
// A point at u, in cells from the corner, lies in cell (floor u_0, floor u_1). Along an axis the gradient is the
// difference of neighbours at a face of the cell, linear in between, and zero at the border; over the cell's own p it
// is the score. So the flux p s is continuous from cell to cell, its divergence is the five-point difference of p, and
// points that move with it keep the mass of every cell.

/** Bytes of a cell: lower face's x and y, then what is added on the way to the upper face. */
const CELL: usize = 32;

/**
 * cells <- the scores of p, times cx along the rows' index and cy along the columns'. A cell without density has
 * score zero: no point has a reason to be there.
 */
export function cellScores(height: i32, width: i32, cx: f64, cy: f64, p: usize, cells: usize): void {
  const row = <usize>width << 3;
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++, p += 8, cells += CELL) {
      const here = load<f64>(p);
      const over = here > 0 ? 1 / here : 0;
      const x = i > 0 ? cx * ((here - load<f64>(p - row)) * over) : 0;
      const y = j > 0 ? cy * ((here - load<f64>(p - 8)) * over) : 0;
      const nextX = i < height - 1 ? cx * ((load<f64>(p + row) - here) * over) : 0;
      const nextY = j < width - 1 ? cy * ((load<f64>(p + 8) - here) * over) : 0;
      store<f64>(cells, x);
      store<f64>(cells, y, 8);
      store<f64>(cells, nextX - x, 16);
      store<f64>(cells, nextY - y, 24);
    }
  }
}

/** The field at a point, scalar: one component. `index` is that of the point's cell along this axis. */
// @ts-ignore: decorator
@inline
export function component(cell: usize, u: f64, index: i32): f64 {
  return load<f64>(cell) + (u - <f64>index) * load<f64>(cell, 16);
}

/** The cell that holds a coordinate; the last one is closed. What is no number has cell 0. */
// @ts-ignore: decorator
@inline
export function cellOf(u: f64, count: i32): i32 {
  return max(0, min(<i32>u, count - 1));
}

/** Address of cell (i, j). */
// @ts-ignore: decorator
@inline
export function addressOf(cells: usize, width: i32, i: i32, j: i32): usize {
  return cells + <usize>(i * width + j) * CELL;
}

/** Brings a coordinate that left [0, count] back by reflection, as often as it takes. */
// @ts-ignore: decorator
@inline
export function fold(u: f64, count: f64): f64 {
  // Few points leave, and the division takes long.
  if (u >= 0 && u <= count) return u;
  const period = 2 * count;
  const y = abs(u);
  const z = y - period * floor(y / period);
  return max(0, min(z, period - z));
}

/** Both cell numbers in the low i32 lanes; `last` has the last cells'. */
// @ts-ignore: decorator
@inline
export function cellsOf(u: v128, last: v128): v128 {
  return i32x4.max_s(i32x4.splat(0), i32x4.min_s(i32x4.trunc_sat_f64x2_s_zero(u), last));
}

/** The field at a point, both components. */
// @ts-ignore: decorator
@inline
export function fieldAt(cells: usize, width: i32, u: v128, last: v128): v128 {
  const index = cellsOf(u, last);
  const cell = addressOf(cells, width, i32x4.extract_lane(index, 0), i32x4.extract_lane(index, 1));
  const part = f64x2.sub(u, f64x2.convert_low_i32x4_s(index));
  return f64x2.add(v128.load(cell), f64x2.mul(part, v128.load(cell, 16)));
}

/** As `fold`, of both coordinates. */
// @ts-ignore: decorator
@inline
export function foldBoth(u: v128, period: v128): v128 {
  const half = f64x2.mul(period, f64x2.splat(0.5));
  if (!v128.any_true(v128.or(f64x2.lt(u, f64x2.splat(0)), f64x2.gt(u, half)))) return u;
  const y = f64x2.abs(u);
  const z = f64x2.sub(y, f64x2.mul(period, f64x2.floor(f64x2.div(y, period))));
  return f64x2.max(f64x2.splat(0), f64x2.min(z, f64x2.sub(period, z)));
}
