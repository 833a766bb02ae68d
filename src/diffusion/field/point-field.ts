import { power, square } from '../../elementary.ts';
import { checkOptionNames, SeedspanError, show } from '../../errors.ts';
import { createEngine } from '../../solver/create-engine.ts';
import { Engine } from '../../solver/engine.ts';
import { checkCount } from '../../solver/options.ts';
import { yieldToHost } from '../../solver/yield.ts';
import { checkNdArray } from '../ndarray.ts';
import type { NdArray } from '../types.ts';
import { HeatFlow } from './heat-flow.ts';

/**
 * Densities of a point of the plane under growing noise: what `sampleField` runs backward. The point diffuses as
 * `dX = dW` in the time v, the variance that it has gained, in a rectangle whose border reflects it. Any equation
 * without drift is that one in another time: `varianceExploding` and `constantDiffusion` reach v at the t where
 * `transition(t).variance` is v.
 */
export interface PointField {
  /** H x W cells. */
  height: number;
  width: number;
  /** The corner of cell (0, 0); component 0 runs along the rows' index. */
  origin: readonly [number, number];
  /** Sides of a cell. */
  spacing: readonly [number, number];
  /** The variance at each level, rising from 0. */
  variances: Float64Array;
  /** `[levels, H, W]`: mean density over each cell, `sum p dx dy = 1` at every level. */
  density: NdArray;
}

/** Levels, borders and engine of a field of points. */
export interface PointFieldOptions {
  /** Levels besides the given one. Default 60. */
  levels?: number;
  /** Variance of the last level. Default: the longer side, squared; the density is nearly even then. */
  variance?: number;
  /** Variance of the first level after 0; those between grow geometrically. Default 0.1 of a cell's, squared side. */
  firstVariance?: number;
  /** Side of a cell, or [dx, dy]. Default: the longer side of the grid is 1. */
  spacing?: number | readonly [number, number];
  /** Corner of the grid. Default [0, 0]. */
  origin?: readonly [number, number];
  signal?: AbortSignal;
  /** Used and left open. Without it, one is made and disposed of. */
  engine?: Engine;
}

const KNOWN = ['levels', 'variance', 'firstVariance', 'spacing', 'origin', 'signal', 'engine'] as const;

/**
 * Pre-computes the densities under growing noise of a density on cells, from which `sampleField` draws: the
 * Fokker-Planck equation without drift and with reflecting border, `p_v = (lap p) / 2`, by five-point differences in
 * conservation form. It is solved for p itself, exactly in v (see `heat-flow.ts`), so that mass is kept to rounding;
 * the logarithm's equation, which `precomputeScores` solves, is not in conservation form and keeps it only to the
 * order of its differences.
 *
 * @param density `[H, W]`, not negative, not all 0; any scale. A pixel is a cell.
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`, `UNKNOWN_OPTION`, `OUT_OF_MEMORY`; the
 *   signal's reason when aborted
 * @example
 * ```ts
 * const field = await precomputeField({ data: darkness, shape: [64, 64] });
 * const { points } = await sampleField(field, { count: 200_000, steps: 50 });
 * ```
 */
export async function precomputeField(
  density: NdArray | NdArray<Float32Array>,
  options: PointFieldOptions = {},
): Promise<PointField> {
  const where = 'precomputeField';
  checkOptionNames(where, options, KNOWN);
  const cells = checkDensity(where, density);
  const [height, width] = density.shape;
  const spacing = checkSpacing(where, options.spacing ?? 1 / Math.max(height, width));
  const origin = options.origin ?? [0, 0];
  if (!(Array.isArray(origin) && origin.length === 2 && origin.every(Number.isFinite))) {
    throw new SeedspanError('INVALID_VALUE', `${where}: origin must be two numbers, not ${show(origin)}`);
  }
  const variances = levelVariances(where, options, [height * spacing[0], width * spacing[1]], spacing);
  const { signal } = options;
  checkEngine(where, options.engine, signal);
  signal?.throwIfAborted();
  const data = allocate(where, variances.length * height * width);
  const total = cells.reduce((sum, value) => sum + value, 0) * spacing[0] * spacing[1];
  data.set(cells.map((value) => value / total));
  const start = data.subarray(0, cells.length);
  const engine = options.engine ?? (await createEngine());
  let flow: HeatFlow | undefined;
  try {
    flow = new HeatFlow(engine.kernel, height, width, spacing);
    for (let level = 1; level < variances.length; level++) {
      data.set(flow.apply(start, variances[level]), level * cells.length);
      await yieldToHost();
      signal?.throwIfAborted();
    }
  } finally {
    flow?.dispose();
    if (engine !== options.engine) engine.dispose();
  }
  return {
    height,
    width,
    origin: [origin[0], origin[1]],
    spacing,
    variances,
    density: { data, shape: [variances.length, height, width] },
  };
}

/** Refuses what is no density on cells; f64. */
function checkDensity(where: string, density: NdArray | NdArray<Float32Array>): Float64Array {
  checkNdArray(`${where}: density`, density, ['H', 'W']);
  const cells = Float64Array.from(density.data);
  const bad = cells.findIndex((value) => value < 0);
  if (bad >= 0) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: density.data[${bad}] is ${cells[bad]}, must not be negative`,
      {
        index: bad,
      },
    );
  }
  if (!cells.some((value) => value > 0)) {
    throw new SeedspanError('INVALID_VALUE', `${where}: the density is 0 everywhere`);
  }
  return cells;
}

/** One side or two, positive. */
function checkSpacing(where: string, spacing: number | readonly [number, number]): [number, number] {
  const pair = typeof spacing === 'number' ? [spacing, spacing] : spacing;
  const positive = (h: unknown) => typeof h === 'number' && h > 0 && h < Infinity;
  if (Array.isArray(pair) && pair.length === 2 && pair.every(positive)) return [pair[0], pair[1]];
  throw new SeedspanError(
    'INVALID_VALUE',
    `${where}: spacing must be a positive number or [dx, dy], not ${show(spacing)}`,
  );
}

/** Refuses an engine that is none, or was disposed of, and a signal that is none. */
export function checkEngine(where: string, engine: unknown, signal: unknown): void {
  if (engine !== undefined && !(engine instanceof Engine)) {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${where}: engine must be made by createEngine, not ${show(engine)}`,
    );
  }
  engine?.checkAlive('the engine');
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new SeedspanError('INVALID_TYPE', `${where}: signal must be an AbortSignal, not ${show(signal)}`);
  }
}

function levelVariances(
  where: string,
  options: PointFieldOptions,
  sides: readonly [number, number],
  spacing: readonly [number, number],
): Float64Array {
  const { levels = 60 } = options;
  checkCount(where, 'levels', levels, 1);
  const last: unknown = options.variance ?? square(Math.max(...sides));
  const longest = typeof last === 'number' ? last : Number.NaN;
  const first: unknown = options.firstVariance ?? Math.min(0.1 * square(Math.min(...spacing)), longest);
  if (!(typeof first === 'number' && first > 0 && first <= longest && longest < Infinity)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: firstVariance ${show(first)} must be over 0, and variance ${show(last)} finite and not below it`,
    );
  }
  const variances = new Float64Array(levels + 1);
  for (let k = 1; k < levels; k++) variances[k] = first * power(longest / first, (k - 1) / (levels - 1));
  variances[levels] = longest;
  if (levels > 1 && first === longest) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: ${levels} levels cannot lie between equal variances, ${first}`,
    );
  }
  return variances;
}

function allocate(where: string, length: number): Float64Array {
  try {
    return new Float64Array(length);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const message = `${where}: no room for ${length} numbers; take fewer levels or cells`;
    throw new SeedspanError('OUT_OF_MEMORY', message, { length }, { cause: error });
  }
}
