/** The schemes' equations row by row, as plainly as they can be written: what the kernel's matrices are held against. */

export interface Grid {
  height: number;
  width: number;
  dx: number;
  dy: number;
}

/** One row of a five-point matrix: the entries at the offsets -W, -1, 0, 1, W. */
export type Row = [below: number, left: number, centre: number, right: number, above: number];

/** Position of pixel k, and whether its neighbours along the two axes are in the grid. */
export function place({ height, width }: Grid, k: number) {
  const [i, j] = [Math.floor(k / width), k % width];
  return { i, j, inside: { lower: [i > 0, j > 0], upper: [i < height - 1, j < width - 1] } };
}

/** d m / d x_a at pixel k: centred, at the border one-sided of the first or the second order. */
export function slope(grid: Grid, m: Float64Array, k: number, a: 0 | 1, order: 1 | 2): number {
  const { i, j } = place(grid, k);
  const h = [grid.dx, grid.dy][a];
  const stride = [grid.width, 1][a];
  const count = [grid.height, grid.width][a];
  const at = [i, j][a];
  const side = at === 0 ? 1 : at === count - 1 ? -1 : 0;
  if (side === 0) return (m[k + stride] - m[k - stride]) / (2 * h);
  const [near, far] = [m[k + side * stride], m[k + 2 * side * stride]];
  if (order === 1 || count < 3) return (side * (near - m[k])) / h;
  return (side * (4 * near - 3 * m[k] - far)) / (2 * h);
}

/** Row k of `lau2025`, by the formulas of the paper's program. */
export function lauRow(
  grid: Grid,
  k: number,
  g: number,
  dt: number,
  m: Float64Array,
  f: [Float64Array, Float64Array] | undefined,
): Row {
  const { inside } = place(grid, k);
  const sides = ([0, 1] as const).map((a) => {
    const h = [grid.dx, grid.dy][a];
    // Twice the centred difference times h; one-sided differences come out doubled.
    const difference = 2 * h * slope(grid, m, k, a, 1);
    const along = (f?.[a][k] ?? 0) - (0.25 * g * g * difference) / h;
    return {
      lower: inside.lower[a] ? (-(g * g) / h - along) / (2 * h) : 0,
      upper: inside.upper[a] ? (-(g * g) / h + along) / (2 * h) : 0,
    };
  });
  const centre = 1 / dt + (2 * g * g) / (grid.dx * grid.dx);
  return [sides[0].lower, sides[1].lower, centre, sides[1].upper, sides[0].upper];
}

export interface ConsistentCase extends Grid {
  D: number;
  tau: number;
  advection: 0 | 1 | 2;
  newton: boolean;
  reflecting: boolean;
  f: [Float64Array, Float64Array] | undefined;
  /** Constants of the neighbours outside: above, below, before, behind. */
  border: Float64Array;
}

/** The neighbour of pixel k along axis a, `which` 1 the upper and -1 the lower; outside, what the border makes of it. */
function neighbour(it: ConsistentCase, m: Float64Array, k: number, a: 0 | 1, which: 1 | -1): number {
  const { i, j, inside } = place(it, k);
  const stride = [it.width, 1][a];
  if ((which === 1 ? inside.upper : inside.lower)[a]) return m[k + which * stride];
  const start = a === 0 ? 0 : 2 * it.width;
  const length = a === 0 ? it.width : it.height;
  const constant = it.border[start + (which === 1 ? length : 0) + (a === 0 ? j : i)];
  return (it.reflecting ? m[k - which * stride] : 0) + constant;
}

/** v_a = f_a - D d_a m at pixel k. */
function velocity(it: ConsistentCase, m: Float64Array, k: number, a: 0 | 1): number {
  const h = [it.dx, it.dy][a];
  const difference = neighbour(it, m, k, a, 1) - neighbour(it, m, k, a, -1);
  return (it.f?.[a][k] ?? 0) - (it.D * difference) / (2 * h);
}

/** The largest cell Peclet number |v| h / (2 D) over the axes at pixel k. */
export function peclet(it: ConsistentCase, k: number, m: Float64Array): number {
  const numbers = ([0, 1] as const).map((a) => {
    const v = velocity(it, m, k, a);
    return v === 0 ? 0 : (Math.abs(v) * [it.dx, it.dy][a]) / (2 * it.D);
  });
  return Math.max(...numbers);
}

/** m[k] + tau L(m) at pixel k, with the velocity taken from `wind`, and the upwind side from `side`. */
function equation(
  it: ConsistentCase,
  k: number,
  m: Float64Array,
  wind: Float64Array,
  side: Float64Array,
): number {
  let sum = m[k];
  for (const a of [0, 1] as const) {
    const h = [it.dx, it.dy][a];
    const [lower, upper] = [neighbour(it, m, k, a, -1), neighbour(it, m, k, a, 1)];
    const judged = velocity(it, side, k, a);
    let difference = (upper - lower) / (2 * h);
    if (it.advection === 1 || (it.advection === 2 && Math.abs(judged) * h > 2 * it.D)) {
      difference = judged > 0 ? (m[k] - lower) / h : (upper - m[k]) / h;
    }
    sum += it.tau * (velocity(it, wind, k, a) * difference - (it.D * (upper - 2 * m[k] + lower)) / (h * h));
  }
  return sum;
}

/**
 * Row k of the linearisation of `consistent` at m, and the right-hand side with which the next iterate solves the
 * equation `m + tau L(m) = base`. Derivatives by differences of the equation itself, which is linear in m with the
 * wind held (Picard), and quadratic without (Newton): differences of any length are exact.
 */
export function consistentRow(
  it: ConsistentCase,
  k: number,
  m: Float64Array,
  base: Float64Array,
): { row: Row; b: number } {
  const value = (moved: Float64Array) => equation(it, k, moved, it.newton ? moved : m, m);
  const derivative = (column: number): number => {
    const [more, less] = [m.slice(), m.slice()];
    more[column] += 1;
    less[column] -= 1;
    return (value(more) - value(less)) / 2;
  };
  const { i, j } = place(it, k);
  const { height, width } = it;
  const row: Row = [
    i > 0 ? derivative(k - width) : 0,
    j > 0 ? derivative(k - 1) : 0,
    derivative(k),
    j < width - 1 ? derivative(k + 1) : 0,
    i < height - 1 ? derivative(k + width) : 0,
  ];
  const product =
    row[2] * m[k] +
    (i > 0 ? row[0] * m[k - width] : 0) +
    (j > 0 ? row[1] * m[k - 1] : 0) +
    (j < width - 1 ? row[3] * m[k + 1] : 0) +
    (i < height - 1 ? row[4] * m[k + width] : 0);
  // A m - b is the residual of the equation at m.
  return { row, b: product - (value(m) - base[k]) };
}

/** Minus the residual of the equation at pixel k: base - (m + tau L(m)). */
export function consistentResidualAt(
  it: ConsistentCase,
  k: number,
  m: Float64Array,
  base: Float64Array,
): number {
  return base[k] - equation(it, k, m, m, m);
}
