import { square } from '../../elementary.ts';
import { checkOptionNames, SeedspanError, show, showList } from '../../errors.ts';
import { checkCount } from '../../solver/options.ts';
import { checkNdArray } from '../ndarray.ts';
import type { NdArray } from '../types.ts';

/** How many directions a distance looks along. */
export interface DirectionOptions {
  /** Directions that the plane is projected on, evenly spaced in half a turn. Default 32. */
  directions?: number;
}

/**
 * Sliced Wasserstein-2 distance of two sets of points of the plane (Bonneel, Rabin, Peyre and Pfister, 2015): the
 * root of the mean, over the directions, of the squared Wasserstein-2 distance of the projections, which sorting
 * gives exactly. The sets may differ in size. Its floor is what two sets drawn from the same density have.
 *
 * @param a `[count, 2]`
 * @param b `[count, 2]`
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`, `UNKNOWN_OPTION`
 */
export function slicedWasserstein(a: NdArray, b: NdArray, options: DirectionOptions = {}): number {
  const mean = overDirections('slicedWasserstein', a, b, options, (p, q) => {
    let sum = 0;
    // Both quantile functions are steps; the next one of either ends a piece where both are constant.
    for (let i = 0, j = 0, at = 0; i < p.length && j < q.length; ) {
      const [ends, other] = [(i + 1) / p.length, (j + 1) / q.length];
      const end = Math.min(ends, other);
      sum += (end - at) * square(p[i] - q[j]);
      at = end;
      if (ends <= end) i++;
      if (other <= end) j++;
    }
    return sum;
  });
  return Math.sqrt(mean);
}

/**
 * Energy distance `2 E|A - B| - E|A - A'| - E|B - B'|` of two sets of points of the plane (Szekely and Rizzo, 2013),
 * all pairs counted, a point with itself too: zero for equal sets, and not a root. A length of the plane is pi / 2
 * times the mean of its projections, so it is taken from sorted projections: exact in the limit of many directions.
 *
 * @param a `[count, 2]`
 * @param b `[count, 2]`
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`, `UNKNOWN_OPTION`
 */
export function energyDistance(a: NdArray, b: NdArray, options: DirectionOptions = {}): number {
  // On a line it is twice the integral of the squared difference of the distribution functions.
  const mean = overDirections('energyDistance', a, b, options, (p, q) => {
    let sum = 0;
    let at = Math.min(p[0], q[0]);
    for (let i = 0, j = 0; i < p.length || j < q.length; ) {
      const next = Math.min(i < p.length ? p[i] : Infinity, j < q.length ? q[j] : Infinity);
      sum += 2 * (next - at) * square(i / p.length - j / q.length);
      at = next;
      while (i < p.length && p[i] === next) i++;
      while (j < q.length && q[j] === next) j++;
    }
    return sum;
  });
  return 0.5 * Math.PI * mean;
}

/**
 * Total variation distance on a grid, `sum |n_a / N_a - n_b / N_b| / 2` over its cells: from 0 to 1. Points outside
 * count as a cell of their own.
 *
 * @param a `[count, 2]`
 * @param b `[count, 2]`
 * @param grid `height` and `width` in cells, `spacing` [dx, dy] and `origin`: a `PointField` is one
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`
 */
export function totalVariation(
  a: NdArray,
  b: NdArray,
  grid: {
    height: number;
    width: number;
    spacing: readonly [number, number];
    origin: readonly [number, number];
  },
): number {
  const where = 'totalVariation';
  checkPoints(where, 'a', a);
  checkPoints(where, 'b', b);
  const { height, width, spacing, origin } = grid ?? {};
  checkCount(where, 'height', height ?? null, 1);
  checkCount(where, 'width', width ?? null, 1);
  const isPair = (pair: unknown) => Array.isArray(pair) && pair.length === 2 && pair.every(Number.isFinite);
  if (!isPair(spacing) || !isPair(origin) || !spacing.every((h) => h > 0)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: the grid must be { height, width, spacing: [dx, dy], origin: [x, y] }, or a PointField, not ${show(grid)}`,
    );
  }
  const difference = new Float64Array(height * width + 1);
  for (const [{ data }, sign] of [
    [a, 2],
    [b, -2],
  ] as const) {
    for (let k = 0; k < data.length; k += 2) {
      const [i, j] = [0, 1].map((axis) =>
        cellOf((data[k + axis] - origin[axis]) / spacing[axis], [height, width][axis]),
      );
      difference[i < 0 || j < 0 ? height * width : i * width + j] += sign / data.length;
    }
  }
  return 0.5 * difference.reduce((sum, value) => sum + Math.abs(value), 0);
}

/** The last cell is closed; -1 outside. */
function cellOf(u: number, count: number): number {
  return u >= 0 && u <= count ? Math.min(Math.floor(u), count - 1) : -1;
}

function overDirections(
  where: string,
  a: NdArray,
  b: NdArray,
  options: DirectionOptions,
  distance: (p: Float64Array, q: Float64Array) => number,
): number {
  checkOptionNames(where, options, ['directions']);
  const { directions = 32 } = options;
  checkCount(where, 'directions', directions, 1);
  checkPoints(where, 'a', a);
  checkPoints(where, 'b', b);
  let sum = 0;
  for (let k = 0; k < directions; k++) {
    const angle = (Math.PI * k) / directions;
    sum += distance(projected(a.data, angle), projected(b.data, angle));
  }
  return sum / directions;
}

/** Sorted. */
function projected(points: Float64Array, angle: number): Float64Array {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const values = new Float64Array(points.length / 2);
  for (let k = 0; k < values.length; k++) values[k] = c * points[2 * k] + s * points[2 * k + 1];
  return values.sort();
}

function checkPoints(where: string, name: string, points: NdArray): void {
  checkNdArray(`${where}: ${name}`, points, ['count', '2']);
  if (points.shape[1] === 2) return;
  throw new SeedspanError(
    'SHAPE_MISMATCH',
    `${where}: ${name} must be points of the plane, [count, 2], not [${showList(points.shape)}] ${show(points.data)}`,
  );
}
