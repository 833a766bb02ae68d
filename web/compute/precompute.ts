import {
  type NdArray,
  type PointField,
  type PrecomputeReport,
  type Progress,
  parseSde,
  pictureDensity,
  pointsDensity,
  precomputeField,
  precomputeScores,
} from '../../src/diffusion/index.ts';
import { readPointsCsv } from '../../src/formats/index.ts';
import { createEngine, type Engine } from '../../src/index.ts';
import { pointSet } from '../point-sets.ts';
import type { PointSet } from '../samples.ts';
import { type Settings, sdeName } from '../settings.ts';
import type { Job } from './protocol.ts';

/** What is diffused. */
export type Source =
  | { kind: 'picture'; picture: NdArray<Float32Array> }
  | { kind: 'csv'; name: string; bytes: ArrayBuffer }
  | { kind: 'set'; name: PointSet };

export interface PrecomputeInput {
  source: Source;
  settings: Settings;
}

export type PrecomputeNews = Progress | { stage: 'field'; done: number; total: number };

export interface PrecomputeOutput {
  height: number;
  width: number;
  spacing: readonly [number, number];
  times: number[];
  /** `[levels, H, W]`. */
  logDensity: Float64Array;
  /** `[levels, 2, H, W]`; of `na2024` `[levels, H, W]`: a difference along the flattened index. */
  scores: Float64Array;
  components: 1 | 2;
  report: PrecomputeReport;
  /** Of a picture: grey values `[H, W]`. Of points: how many there are. */
  picture: Float32Array | undefined;
  count: number | undefined;
  /** What the points travel in, and the share of the paper that dots cover at its end. */
  field: PointField;
  cover: number;
  /** Milliseconds that the field took. */
  fieldTime: number;
}

/** Points of a set that comes with the page. */
const SET_COUNT = 4000;
/** Most points of a file: more says no more about a density on these grids. */
const MOST_POINTS = 1e6;
/** Least density, as of `logDensityFromSamples`. */
const FLOOR = 1e-10;
/** Share of the paper that points' dots cover. */
const POINTS_COVER = 0.25;

export const runPrecompute: Job<'precompute'> = async ({ source, settings }, { signal, tell }) => {
  const engine = await createEngine();
  try {
    const start = await startOf(source, settings, engine);
    const { height, width } = start;
    const unit = 1 / (Math.max(height, width) - 1);
    const spacing = settings.scheme === 'na2024' ? 1 : unit;
    const { logDensity, scores, report } = await precomputeScores({
      ...start.input,
      scheme: settings.scheme,
      sde: parseSde(sdeName(settings)),
      steps: settings.levels,
      seed: settings.seed,
      spacing,
      fixedPoint: { rtol: settings.tolerance },
      engine,
      signal,
      onProgress: tell,
    });
    tell({ stage: 'field', done: 0, total: 1 });
    const began = performance.now();
    const field = await precomputeField(start.density, { engine, signal });
    const fieldTime = performance.now() - began;
    const result: PrecomputeOutput = {
      height,
      width,
      spacing: [spacing, spacing],
      times: report.times,
      logDensity: logDensity.data,
      scores: scores.data,
      components: settings.scheme === 'na2024' ? 1 : 2,
      report,
      picture: source.kind === 'picture' ? source.picture.data : undefined,
      count: start.count,
      field,
      cover: start.cover,
      fieldTime,
    };
    return { result, transfer: [logDensity.data.buffer, scores.data.buffer, field.density.data.buffer] };
  } finally {
    engine.dispose();
  }
};

async function startOf(source: Source, settings: Settings, engine: Engine) {
  if (source.kind === 'picture') {
    const { data, shape } = source.picture;
    const [, height, width] = shape;
    const density = pictureDensity(source.picture, { ink: settings.ink });
    const cover = density.data.reduce((sum, value) => sum + value, 0) / density.data.length;
    const images: NdArray<Float32Array> = { data, shape: [1, 1, height, width] };
    return { height, width, input: { images }, density, cover, count: undefined };
  }
  const points =
    source.kind === 'set'
      ? pointSet(source.name, SET_COUNT, settings.seed)
      : readPointsCsv(source.bytes, { maxPoints: MOST_POINTS });
  const { density: tight } = await pointsDensity(points, { size: settings.size, engine });
  // That scheme is defined for square grids only.
  const density = settings.scheme === 'na2024' ? squared(tight) : tight;
  const [height, width] = density.shape;
  const data = logOf(density.data, Math.max(height, width));
  const initialLogDensity: NdArray = { data, shape: [1, 1, height, width] };
  return {
    height,
    width,
    input: { initialLogDensity },
    density,
    cover: POINTS_COVER,
    count: points.shape[0],
  };
}

/** With empty cells on both sides of the shorter axis. */
function squared({ data, shape: [height, width] }: NdArray): NdArray {
  const side = Math.max(height, width);
  const [top, left] = [(side - height) >> 1, (side - width) >> 1];
  const cells = new Float64Array(side * side);
  for (let i = 0; i < height; i++)
    cells.set(data.subarray(i * width, (i + 1) * width), (top + i) * side + left);
  return { data: cells, shape: [side, side] };
}

/** Logarithm of a density with `sum p dx dy = 1` in the square's units, floored. */
function logOf(density: Float64Array, cells: number): Float64Array {
  const total = density.reduce((sum, value) => sum + value, 0) / (cells - 1) ** 2;
  return density.map((value) => Math.log(Math.max(value / total, FLOOR)));
}
