import { extname } from 'node:path';
import type { Command } from 'commander';
import {
  drawFromField,
  energyDistance,
  type FieldStep,
  type NdArray,
  type PointField,
  pictureDensity,
  pointsDensity,
  precomputeField,
  sampleField,
  slicedWasserstein,
  totalVariation,
} from '../diffusion/index.ts';
import { SeedspanError, showList } from '../errors.ts';
import { readNpy, readPointsCsv, writeNpy } from '../formats/index.ts';
import { createEngine, type Engine } from '../index.ts';
import { readParsed } from '../node/files.ts';
import {
  checkOutputFile,
  type Dots,
  readPicture,
  StippleAnimation,
  type StippleOptions,
  stippleToPng,
  stippleToSvg,
  writeFileWhole,
} from '../node/index.ts';
import { duration } from '../node/report/words.ts';
import { type Context, textTable, toJson } from './context.ts';
import { progressBar } from './progress.ts';
import {
  ANIMATED,
  checkUsage,
  fieldCommand,
  type SampleFieldCommandOptions,
  SIZE,
} from './sample-field-options.ts';

/** Data fill a part of their rectangle, and their dots should not run together there. */
const DATA_COVER = 0.15;
const FRAME = { frame: 60, last: 2500 };

/** The density to sample, where it lies, and what it was made of. */
interface Source {
  density: NdArray;
  spacing?: number;
  origin?: [number, number];
  bandwidth?: number;
  /** Area of the dots over that of the picture. */
  cover?: number;
}

/** `[count, 2]` from a .npy or text file. */
async function readPoints(path: string): Promise<NdArray> {
  if (extname(path).toLowerCase() !== '.npy') return readParsed(path, readPointsCsv);
  const { data, shape } = await readParsed(path, readNpy);
  if (shape.length !== 2 || shape[1] !== 2) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${path}: points must be (count, 2), not (${showList(shape)})`,
      { path },
    );
  }
  return { data: Float64Array.from(data), shape };
}

/** Components of pictures run down and to the right, those of data to the right and up. */
function turned({ data, shape }: NdArray): NdArray {
  const points = new Float64Array(data.length);
  for (let k = 0; k < data.length; k += 2) {
    points[k] = -data[k + 1];
    points[k + 1] = data[k];
  }
  return { data: points, shape };
}

function turnedBack({ data, shape }: NdArray): NdArray {
  const points = new Float64Array(data.length);
  for (let k = 0; k < data.length; k += 2) {
    points[k] = data[k + 1];
    points[k + 1] = -data[k] + 0;
  }
  return { data: points, shape };
}

async function readSource(options: SampleFieldCommandOptions, engine: Engine): Promise<Source> {
  const { picture, data, bandwidth, ink, normalise } = options;
  if (picture !== undefined) {
    const [, height, width] = (await readPicture(picture, { channels: 1 })).shape;
    const size = options.size ?? SIZE.picture;
    // Enlarged, a picture would only be blurred.
    const scale = Math.min(1, size / Math.max(height, width));
    const small = [height, width].map((side) => Math.max(2, Math.round(side * scale))) as [number, number];
    const { data: pixels, shape } = await readPicture(picture, { channels: 1, size: small, normalise });
    const density = pictureDensity({ data: pixels, shape }, { ink });
    const cover = density.data.reduce((sum, value) => sum + value, 0) / density.data.length;
    if (cover > 0) return { density, cover };
    throw new SeedspanError(
      'INVALID_VALUE',
      `${picture}: nothing is to be drawn: all pixels have the paper's colour`,
      { path: picture },
    );
  }
  const points = turned(await readPoints(data ?? ''));
  const size = options.size ?? SIZE.data;
  const density = await pointsDensity(points, { size, engine, bandwidth });
  return { ...density, cover: DATA_COVER };
}

function lookOf({ ink, pixels: size, radius }: SampleFieldCommandOptions, { cover }: Source): StippleOptions {
  return {
    ink,
    size,
    ...(radius === undefined ? {} : { radius }),
    ...(cover === undefined ? {} : { cover }),
  };
}

function dotsOf(points: NdArray, { height, width, spacing, origin }: PointField): Dots {
  return { points: points.data, extent: [height * spacing[0], width * spacing[1]], origin };
}

/** Distances to a second set of as many direct draws, and those of two such sets. */
async function measure(points: NdArray, field: PointField, engine: Engine) {
  const [count] = points.shape;
  const draw = (seed: number) => drawFromField(field, { count, seed, engine });
  // Seeds that nobody gives.
  const [first, second] = [await draw(2 ** 52 + 1), await draw(2 ** 52 + 2)];
  const row = (distance: (a: NdArray, b: NdArray) => number) => ({
    samples: distance(points, first),
    floor: distance(second, first),
  });
  return {
    slicedWasserstein: row((a, b) => slicedWasserstein(a, b)),
    totalVariation: row((a, b) => totalVariation(a, b, field)),
    energyDistance: row((a, b) => energyDistance(a, b)),
  };
}

type Measures = Awaited<ReturnType<typeof measure>>;

async function write(
  format: string,
  points: NdArray,
  field: PointField,
  animation: StippleAnimation,
  look: StippleOptions,
  options: SampleFieldCommandOptions,
): Promise<void> {
  const { out, force } = options;
  const dots = dotsOf(points, field);
  const make = async () => {
    if (format === '.png') return stippleToPng(dots, look);
    if (format === '.svg') return stippleToSvg(dots, look);
    if (format === '.npy') return writeNpy(options.data === undefined ? points : turnedBack(points));
    animation.add(dots);
    return animation.encode(format === '.webp' ? 'webp' : 'gif', FRAME);
  };
  await writeFileWhole(out, await make(), { force });
}

function asText(
  options: SampleFieldCommandOptions,
  field: PointField,
  source: Source,
  done: { time: { field: number; sampling: number }; evaluations: number; measures?: Measures },
): string {
  const { points, sampler, steps, out } = options;
  const lines = [
    `${points.toLocaleString('en')} points by ${sampler}, ${steps} steps, ${done.evaluations} looks at the field each`,
    `field of ${field.height} x ${field.width} cells, ${field.variances.length} levels: ${duration(done.time.field)}; sampling: ${duration(done.time.sampling)}`,
    ...(source.bandwidth === undefined ? [] : [`smoothing ${source.bandwidth.toPrecision(3)}`]),
  ];
  if (done.measures !== undefined) {
    const rows = Object.entries({
      'sliced Wasserstein-2': done.measures.slicedWasserstein,
      'total variation': done.measures.totalVariation,
      'energy distance': done.measures.energyDistance,
    }).map(([name, { samples, floor }]) => [name, samples.toExponential(3), floor.toExponential(3)]);
    lines.push('', textTable(['distance to direct draws', 'these points', 'two direct draws'], rows), '');
  }
  return `${[...lines, `written: ${out}`].join('\n')}\n`;
}

/** The field, the points drawn from it, and on the way the frames that an animation needs. */
async function draw(options: SampleFieldCommandOptions, format: string, engine: Engine, context: Context) {
  const { signal } = context;
  const { points: count, steps, sampler, seed, levels, eta, snr } = options;
  const source = await readSource(options, engine);
  const { density, spacing, origin } = source;
  const look = lookOf(options, source);
  const animation = new StippleAnimation(look);
  const frames = Math.min(options.frames ?? steps + 1, steps + 1) - 1;
  const shown = new Set(Array.from({ length: frames }, (_, k) => Math.round((k * steps) / frames)));
  const bar = progressBar(context);
  try {
    const began = performance.now();
    const field = await precomputeField(density, { spacing, origin, levels, engine, signal });
    const ready = performance.now();
    const callback = ({ x, i }: FieldStep) => {
      if (shown.has(i)) animation.add(dotsOf(x, field));
      bar.update('steps', i + 1, steps);
    };
    const animated = ANIMATED.includes(format) ? { callback } : {};
    const drawn = await sampleField(field, {
      count,
      steps,
      sampler,
      seed,
      eta,
      snr,
      engine,
      signal,
      ...animated,
    });
    const time = { field: ready - began, sampling: performance.now() - ready };
    return { ...drawn, field, source, look, animation, time };
  } finally {
    bar.stop();
  }
}

export function sampleFieldCommand(context: Context): Command {
  const command = fieldCommand();
  return command.action(async (options: SampleFieldCommandOptions) => {
    const { picture, data, out, force } = options;
    const format = checkUsage(command, options);
    await checkOutputFile(out, { force });
    const engine = await createEngine();
    try {
      const { points, evaluations, field, source, look, animation, time } = await draw(
        options,
        format,
        engine,
        context,
      );
      const measures = options.measures ? await measure(points, field, engine) : undefined;
      context.signal.throwIfAborted();
      await write(format, points, field, animation, look, options);
      const done = { time, evaluations, ...(measures && { measures }) };
      const document = {
        command: 'sample field',
        source: picture ?? data,
        options,
        cells: [field.height, field.width],
        levels: field.variances.length,
        bandwidth: source.bandwidth ?? null,
        ...done,
        out,
      };
      context.stdout.write(options.json ? toJson(document) : asText(options, field, source, done));
    } finally {
      engine.dispose();
    }
  });
}
