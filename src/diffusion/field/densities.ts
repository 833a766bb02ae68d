import { log, power } from '../../elementary.ts';
import { checkOptionNames, SeedspanError, show, showList } from '../../errors.ts';
import { createEngine } from '../../solver/create-engine.ts';
import type { Engine } from '../../solver/engine.ts';
import { checkChoice, checkCount } from '../../solver/options.ts';
import { checkNdArray, checkUnitRange } from '../ndarray.ts';
import type { NdArray } from '../types.ts';
import { HeatFlow } from './heat-flow.ts';
import { checkEngine } from './point-field.ts';

/** The least paper that is left, so that a black pixel asks for a finite number of dots. */
const LEAST_PAPER = 0.04;

/**
 * The density of a picture's dots: `-log(brightness)`, the mean over the channels floored at 0.04. Dots that fall at
 * random, over each other too, leave `exp(-cover)` of the paper where they cover `cover` of it in sum, so with this
 * density and as much cover in all as its mean, what is left has the picture's brightness.
 *
 * @param picture `[channels, H, W]`, values in [0, 1]
 * @param options `ink`: `dark` dots on light paper, the default, or `light` ones on dark paper: `-log(1 - brightness)`
 * @returns `[H, W]`, for `precomputeField`; its mean is the cover. All 0 for a picture that needs no dots.
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`, `UNKNOWN_OPTION`
 */
export function pictureDensity(
  picture: NdArray | NdArray<Float32Array>,
  options: { ink?: 'dark' | 'light' } = {},
): NdArray {
  const where = 'pictureDensity';
  checkOptionNames(where, options, ['ink']);
  const { ink = 'dark' } = options;
  checkChoice(where, 'ink', ink, ['dark', 'light']);
  checkNdArray(`${where}: picture`, picture, ['channels', 'H', 'W']);
  checkUnitRange(`${where}: picture`, picture.data);
  const [channels, height, width] = picture.shape;
  const cells = height * width;
  const data = new Float64Array(cells);
  for (let k = 0; k < cells; k++) {
    let brightness = 0;
    for (let c = 0; c < channels; c++) brightness += picture.data[c * cells + k] / channels;
    const paper = Math.min(1, ink === 'dark' ? brightness : 1 - brightness);
    data[k] = 0 - log(Math.max(LEAST_PAPER, paper));
  }
  return { data, shape: [height, width] };
}

/** How points become a density. */
export interface PointsDensityOptions {
  /** Cells along the longer side. Default 128. */
  size?: number;
  /** Deviation of the smoothing, in the points' units; 0: none. Default: chosen by cross-validation. */
  bandwidth?: number;
  /** Room around the points, as a share of the longer side. Default 0.05. */
  margin?: number;
  /** Used and left open. Without it, one is made and disposed of. */
  engine?: Engine;
}

/** A density made of points, and where its cells lie. */
export interface PointsDensity {
  /** `[H, W]`, for `precomputeField`. */
  density: NdArray;
  /** Side of a cell, and corner of the grid, for `precomputeField`. */
  spacing: number;
  origin: [number, number];
  /** Deviation of the smoothing. */
  bandwidth: number;
}

/** Deviations of the smoothing that are tried, in cells: from half a cell to a third of the grid. */
const TRIED = 24;

/**
 * The density of points of the plane on a grid: they are counted by cells, and smoothed by the heat equation with
 * reflecting border (a kernel density estimate whose kernel knows the border; Botev, Grotowski and Kroese, 2010).
 *
 * Without `bandwidth` the smoothing is that of the greatest leave-one-out likelihood among 24: each point is judged
 * by the density that all others make, at its cell. That suits data of several clumps, which a rule by the standard
 * deviation smooths away.
 *
 * @param points `[count, 2]`, at least 2 that differ
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`, `UNKNOWN_OPTION`, `OUT_OF_MEMORY`
 */
export async function pointsDensity(
  points: NdArray,
  options: PointsDensityOptions = {},
): Promise<PointsDensity> {
  const where = 'pointsDensity';
  checkOptionNames(where, options, ['size', 'bandwidth', 'margin', 'engine']);
  const { size = 128, margin = 0.05 } = options;
  checkNdArray(`${where}: points`, points, ['count', '2']);
  if (points.shape[1] !== 2) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${where}: points must be [count, 2], not [${showList(points.shape)}]`,
    );
  }
  checkCount(where, 'size', size, 2);
  for (const [name, value] of Object.entries({ margin, bandwidth: options.bandwidth ?? 0 })) {
    if (typeof value === 'number' && value >= 0 && value < Infinity) continue;
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: ${name} must be finite and not negative, not ${show(value)}`,
    );
  }
  checkEngine(where, options.engine, undefined);
  const grid = gridAround(where, points.data, size, margin);
  const counts = count(points.data, grid);
  const engine = options.engine ?? (await createEngine());
  let flow: HeatFlow | undefined;
  try {
    const { height, width, spacing, origin } = grid;
    flow = new HeatFlow(engine.kernel, height, width, [spacing, spacing]);
    const bandwidth = options.bandwidth ?? likeliest(flow, counts, spacing, points.shape[0]);
    const data = flow.apply(counts, bandwidth * bandwidth);
    return { density: { data, shape: [height, width] }, spacing, origin, bandwidth };
  } finally {
    flow?.dispose();
    if (engine !== options.engine) engine.dispose();
  }
}

interface Grid {
  height: number;
  width: number;
  spacing: number;
  origin: [number, number];
}

function gridAround(where: string, points: Float64Array, size: number, margin: number): Grid {
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  for (let k = 0; k < points.length; k++) {
    low[k % 2] = Math.min(low[k % 2], points[k]);
    high[k % 2] = Math.max(high[k % 2], points[k]);
  }
  const longest = Math.max(high[0] - low[0], high[1] - low[1]);
  if (!(longest > 0 && longest < Infinity)) {
    throw new SeedspanError('INVALID_VALUE', `${where}: all points are the same, so they span no grid`);
  }
  const spacing = (longest * (1 + 2 * margin)) / size;
  const sides = [0, 1].map((axis) => {
    return Math.max(
      2,
      Math.min(size, Math.ceil((high[axis] - low[axis] + 2 * margin * longest) / spacing - 1e-9)),
    );
  });
  const origin = [0, 1].map((axis) => 0.5 * (low[axis] + high[axis] - sides[axis] * spacing));
  return { height: sides[0], width: sides[1], spacing, origin: [origin[0], origin[1]] };
}

function count(points: Float64Array, { height, width, spacing, origin }: Grid): Float64Array {
  const counts = new Float64Array(height * width);
  const cell = (value: number, axis: 0 | 1, last: number) =>
    Math.max(0, Math.min(last, Math.floor((value - origin[axis]) / spacing)));
  for (let k = 0; k < points.length; k += 2) {
    counts[cell(points[k], 0, height - 1) * width + cell(points[k + 1], 1, width - 1)]++;
  }
  return counts;
}

function likeliest(flow: HeatFlow, counts: Float64Array, spacing: number, n: number): number {
  const [least, most] = [0.5 * spacing, (spacing * Math.max(flow.height, flow.width)) / 3];
  let best = { bandwidth: least, likelihood: -Infinity };
  for (let k = 0; k < TRIED; k++) {
    const bandwidth = least * power(most / least, k / (TRIED - 1));
    const smooth = flow.apply(counts, bandwidth * bandwidth);
    const own = flow.kept(bandwidth * bandwidth);
    let likelihood = 0;
    for (let cell = 0; cell < counts.length; cell++) {
      // What the others leave there; alone, a point is as good as impossible.
      const others = Math.max((smooth[cell] - own[cell]) / (n - 1), Number.MIN_VALUE);
      if (counts[cell] > 0) likelihood += counts[cell] * log(others);
    }
    if (likelihood > best.likelihood) best = { bandwidth, likelihood };
  }
  return best.bandwidth;
}
