/**
 * One multigrid V-cycle for a five-point matrix on a grid, cell by cell and in f64.
 *
 * Coarser cells are 2 x 2 finer ones (fewer at the ends of odd grids), or where couplings along one axis are much
 * stronger than along the other, two finer ones along that axis. Rows are added with weights that would make the
 * block symmetric, couplings along the joined axes are halved, and the row sum stays. Values go down as they are.
 * Sweeps are Gauss-Seidel: red cells (i + j even) and then black ones before, the other way round after.
 */

import { type Csr, toTriplets } from './csr.ts';

interface Level {
  height: number;
  width: number;
  /** Absolute diagonal entries, rows multiplied by the diagonal entry's sign. */
  diagonal: Float64Array;
  rowSum: Float64Array;
  /** -a_ij for the neighbours [di, dj] of {@link NEIGHBOURS}. */
  couplings: Float64Array[];
  /** Cells that make one of the next level, along each axis. */
  joined: readonly [number, number];
}

const NEIGHBOURS = [
  [-1, 0],
  [1, 0],
  [0, -1],
  [0, 1],
] as const;
/** The same neighbour, seen from the other side. */
const OPPOSITE = [1, 0, 3, 2];
const MOST_RATIO = 30;
/** Beyond this ratio of mean couplings, cells are joined along the stronger axis alone. */
export const ANISOTROPY = 4;

function emptyLevel(height: number, width: number): Level {
  const vector = () => new Float64Array(height * width);
  return {
    height,
    width,
    diagonal: vector(),
    rowSum: vector(),
    couplings: NEIGHBOURS.map(vector),
    joined: [2, 2],
  };
}

function finest(A: Csr, height: number, width: number): Level {
  const level = emptyLevel(height, width);
  const entries = toTriplets(A);
  const sign = new Float64Array(height * width);
  for (const [i, j, value] of entries) if (i === j) sign[i] = Math.sign(value);
  for (const [row, col, value] of entries) {
    const di = Math.floor(col / width) - Math.floor(row / width);
    const dj = (col % width) - (row % width);
    const d = NEIGHBOURS.findIndex(([p, q]) => p === di && q === dj);
    if (row === col) level.diagonal[row] = Math.abs(value);
    else if (d >= 0) level.couplings[d][row] = -sign[row] * value;
    else continue;
    level.rowSum[row] += sign[row] * value;
  }
  return level;
}

/** How much more row q weighs than row p, from their couplings to each other. */
function ratio(p: number, q: number): number {
  const least = Math.max(Math.abs(p), Math.abs(q)) / MOST_RATIO;
  return least === 0 ? 1 : Math.max(p, least) / Math.max(q, least);
}

/** Which cells are joined: by the sums of couplings along the axes, in absolute values. */
function joinedCells({ height, width, couplings }: Level): readonly [number, number] {
  const [above, below, left, right] = couplings.map((values) =>
    values.reduce((sum, value) => sum + Math.abs(value), 0),
  );
  if (above + below > ANISOTROPY * (left + right) && height > 1) return [2, 1];
  if (left + right > ANISOTROPY * (above + below) && width > 1) return [1, 2];
  return [2, 2];
}

/** The weight of each cell within its block; their mean is 1. */
function weightsOf({ height, width, couplings, joined: [rows, columns] }: Level): Float64Array {
  const weights = new Float64Array(height * width);
  // Cells outside have no couplings: a ratio of 1.
  const between = (i: number, j: number, d: number) => {
    const [k, other] = [i * width + j, (i + NEIGHBOURS[d][0]) * width + j + NEIGHBOURS[d][1]];
    const outside =
      i >= height || j >= width || i + NEIGHBOURS[d][0] >= height || j + NEIGHBOURS[d][1] >= width;
    return outside ? 1 : ratio(couplings[d][k], couplings[OPPOSITE[d]][other]);
  };
  for (let i = 0; i < height; i += rows) {
    for (let j = 0; j < width; j += columns) {
      const right = columns === 2 ? between(i, j, 3) : 0;
      const below = rows === 2 ? between(i, j, 1) : 0;
      const both =
        rows * columns === 4 ? Math.sqrt(right * between(i, j + 1, 1) * below * between(i + 1, j, 3)) : 0;
      const scale = (rows * columns) / (1 + right + below + both);
      const k = i * width + j;
      weights[k] = scale;
      if (columns === 2 && j + 1 < width) weights[k + 1] = scale * right;
      if (rows === 2 && i + 1 < height) weights[k + width] = scale * below;
      if (both > 0 && j + 1 < width && i + 1 < height) weights[k + width + 1] = scale * both;
    }
  }
  return weights;
}

function coarsen(fine: Level, weights: Float64Array): Level {
  const [rows, columns] = fine.joined;
  const coarse = emptyLevel(Math.ceil(fine.height / rows), Math.ceil(fine.width / columns));
  for (let i = 0; i < fine.height; i++) {
    for (let j = 0; j < fine.width; j++) {
      const k = i * fine.width + j;
      const [I, J] = [Math.floor(i / rows), Math.floor(j / columns)];
      const cell = I * coarse.width + J;
      coarse.rowSum[cell] += weights[k] * fine.rowSum[k];
      NEIGHBOURS.forEach(([di, dj], d) => {
        const leaves = Math.floor((i + di) / rows) !== I || Math.floor((j + dj) / columns) !== J;
        const share = (di === 0 ? columns : rows) === 2 ? 0.5 : 1;
        if (leaves) coarse.couplings[d][cell] += share * weights[k] * fine.couplings[d][k];
      });
    }
  }
  for (let cell = 0; cell < coarse.diagonal.length; cell++) {
    const out = coarse.couplings.map((values) => values[cell]);
    const sum = out.reduce((total, value) => total + value, coarse.rowSum[cell]);
    const most = out.reduce((total, value) => total + Math.abs(value), 0);
    coarse.diagonal[cell] = Math.max(sum, most);
  }
  return coarse;
}

/** sum -a_ij x_j over the neighbours of cell (i, j). */
function fromNeighbours({ height, width, couplings }: Level, i: number, j: number, x: Float64Array): number {
  let sum = 0;
  NEIGHBOURS.forEach(([di, dj], d) => {
    const [p, q] = [i + di, j + dj];
    if (p >= 0 && p < height && q >= 0 && q < width) sum += couplings[d][i * width + j] * x[p * width + q];
  });
  return sum;
}

function sweep(level: Level, colour: 0 | 1, b: Float64Array, x: Float64Array): void {
  for (let i = 0; i < level.height; i++) {
    for (let j = (i + colour) % 2; j < level.width; j += 2) {
      const k = i * level.width + j;
      x[k] = (b[k] + fromNeighbours(level, i, j, x)) / level.diagonal[k];
    }
  }
}

function cycle(
  levels: Level[],
  weights: Float64Array[],
  l: number,
  b: Float64Array,
  sweeps: number,
): Float64Array {
  const level = levels[l];
  const { height, width, diagonal } = level;
  const x = new Float64Array(height * width);
  if (l === levels.length - 1) {
    if (diagonal[0] > 0) x[0] = b[0] / diagonal[0];
    return x;
  }
  for (let s = 0; s < sweeps; s++) for (const colour of [0, 1] as const) sweep(level, colour, b, x);
  const next = levels[l + 1];
  const rest = new Float64Array(next.diagonal.length);
  const [rows, columns] = level.joined;
  const cellOf = (i: number, j: number) => Math.floor(i / rows) * next.width + Math.floor(j / columns);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const k = i * width + j;
      const residual = b[k] - diagonal[k] * x[k] + fromNeighbours(level, i, j, x);
      rest[cellOf(i, j)] += weights[l][k] * residual;
    }
  }
  // A cell without a diagonal entry has no equation.
  for (let k = 0; k < rest.length; k++) if (next.diagonal[k] === 0) rest[k] = 0;
  const correction = cycle(levels, weights, l + 1, rest, sweeps);
  for (let k = 0; k < x.length; k++) {
    x[k] += correction[cellOf(Math.floor(k / width), k % width)];
  }
  for (let s = 0; s < sweeps; s++) for (const colour of [1, 0] as const) sweep(level, colour, b, x);
  return x;
}

/** r -> M^-1 r */
export function multigrid(A: Csr, height: number, width: number, sweeps: number, stretched = false) {
  const levels = [finest(A, height, width)];
  const weights: Float64Array[] = [];
  for (let last = levels[0]; last.height > 1 || last.width > 1; last = levels[levels.length - 1]) {
    if (stretched) last.joined = joinedCells(last);
    weights.push(weightsOf(last));
    levels.push(coarsen(last, weights[weights.length - 1]));
  }
  const sign = new Float64Array(height * width);
  for (const [i, j, value] of toTriplets(A)) if (i === j) sign[i] = Math.sign(value);
  return (r: Float64Array): Float64Array =>
    cycle(
      levels,
      weights,
      0,
      r.map((value, k) => sign[k] * value),
      sweeps,
    );
}
