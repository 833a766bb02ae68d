import { SeedspanError } from '../errors.ts';
import { yieldToHost } from '../solver/yield.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { logDensitiesWith } from './density.ts';
import { GridSystem } from './grid-system.ts';
import { KernelDensities } from './kernel-densities.ts';
import type { ResolvedOptions } from './options.ts';
import { Run, type Shape } from './run.ts';
import { solveConsistent } from './scheme-consistent.ts';
import { solveLau2025 } from './scheme-lau2025.ts';
import { solveNa2024 } from './scheme-na2024.ts';
import type { OperatorSettings } from './shared-operator.ts';
import type {
  NdArray,
  PrecomputeReport,
  Progress,
  SharingDecision,
  StageTimes,
  StepReport,
} from './types.ts';

/** What all images of a call have in common. */
export interface Plan {
  settings: ResolvedOptions;
  /** Times of the levels. */
  times: Float64Array;
  /** Who gets a multigrid preconditioner of its own. */
  operators: OperatorSettings['mode'];
  /** With `seed-operator`: which of the images is the seed; -1: none of them, and its fields are in `seedFields`. */
  seedImage: number;
  /** The first channel's, `[levels, H, W]`. */
  seedFields?: Float64Array;
  /** The input is pictures, not log densities. */
  pictures: boolean;
}

/** `[images, channels, H, W]`, and the random stream of each image. */
export interface Input extends NdArray<Float32Array | Float64Array> {
  streams: readonly number[];
  /** Where the results go, at least as large as they are; without it, into new arrays. */
  room?: Room;
}

/** Memory for log densities and scores. */
export interface Room {
  logDensity: Float64Array;
  scores: Float64Array;
}

/** What became of some images. */
export interface Fields {
  shape: Shape;
  /** `[images, levels, channels, H, W]`. */
  logDensity: NdArray;
  scores: NdArray;
  /** By level, then image. */
  steps: StepReport[];
  images: PrecomputeReport['images'];
  matvecs: number;
  peclet: PrecomputeReport['peclet'];
  time: StageTimes;
  /** About multigrid preconditioners. */
  decisions: SharingDecision[];
}

export interface FieldHooks {
  signal: AbortSignal | undefined;
  onProgress: ((progress: Progress) => void) | undefined;
}

/** Densities, fields and scores of images, in this thread. */
export async function computeFields(
  kernel: Kernel,
  plan: Plan,
  input: Input,
  hooks: FieldHooks,
): Promise<Fields> {
  const time: StageTimes = { density: 0, assembly: 0, projection: 0, solve: 0, score: 0 };
  const initial = plan.pictures ? await startDensities(kernel, plan, input, hooks, time) : (input as NdArray);
  checkOpen(kernel);
  const { settings, times } = plan;
  const [images, channels, height, width] = initial.shape;
  const shape: Shape = { images, channels, height, width, levels: times.length };
  const n = height * width;
  const spacing = settings.spacing ?? unitSpacing(height, width);
  // Before the work: what there is no room for should show at once.
  const { logDensity, scores } = makeFields(shape, settings, input.room);
  // Where all images are seeds, none is left to learn from them.
  const { projection } = settings;
  const shared = projection && images > projection.seeds.length ? projection : undefined;
  const run = new Run({
    kernel,
    shape,
    sde: settings.sde,
    times,
    spacing,
    fixedPoint: settings.fixedPoint,
    rtol: settings.rtol,
    seeds: shared?.seeds ?? [],
    seedImage: plan.seedImage,
    seedFields: plan.seedFields,
    logDensity: logDensity.data,
    time,
    ...hooks,
  });
  for (let image = 0; image < images; image++) {
    for (let channel = 0; channel < channels; channel++) {
      const start = (image * channels + channel) * n;
      run.field(image, 0, channel).set(initial.data.subarray(start, start + n));
    }
  }
  const { scheme } = settings;
  const step = scheme === 'na2024' ? height : width;
  // The paper's sweeps come back to each level, the others do not.
  const places = scheme === 'na2024' ? (shape.levels - 1) * channels : 1;
  const operator: OperatorSettings = {
    mode: plan.operators,
    seed: plan.seedImage,
    accelerated: settings.fixedPoint.inner === 'accelerated',
  };
  const linear = { ...settings, projection: shared, operator };
  const system = new GridSystem(kernel, shape, step, linear, spacing, places);
  try {
    if (scheme === 'na2024') await solveNa2024(run, system);
    else if (scheme === 'lau2025') await solveLau2025(run, system);
    else await solveConsistent(run, system, settings);
    await run.pause();
    differenceScores(run, settings, system, scores.data);
    run.complete();
  } finally {
    system.dispose();
  }
  const { steps, matvecs, peclet } = run;
  const decisions = system.operator?.decisions ?? [];
  return { shape, logDensity, scores, steps, images: run.images, matvecs, peclet, time, decisions };
}

/** Log densities of pictures, `[images, channels, H, W]`, one after the other. */
async function startDensities(
  kernel: Kernel,
  { settings: { density, seed } }: Plan,
  { data, shape, streams }: Input,
  { signal, onProgress }: FieldHooks,
  time: StageTimes,
): Promise<NdArray> {
  const began = performance.now();
  const [count, ...rest] = shape;
  const size = data.length / count;
  const tools = new KernelDensities(kernel);
  const parts: NdArray[] = [];
  try {
    for (let i = 0; i < count; i++) {
      const one = { data: data.subarray(i * size, (i + 1) * size), shape: [1, ...rest] } as NdArray;
      parts.push(logDensitiesWith(tools, one, density, { seed, firstStream: streams[i] }));
      onProgress?.({ stage: 'density', done: i + 1, total: count });
      await yieldToHost();
      signal?.throwIfAborted();
    }
  } finally {
    tools.dispose();
  }
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  parts.forEach((part, i) => {
    all.set(part.data, i * part.data.length);
  });
  time.density = performance.now() - began;
  return { data: all, shape: [count, ...parts[0].shape.slice(1)] };
}

/** data <- the scores of all levels, the given one included. */
function differenceScores(run: Run, settings: ResolvedOptions, system: GridSystem, data: Float64Array): void {
  const began = performance.now();
  const { images, channels, height, width, levels } = run.shape;
  const n = height * width;
  const components = settings.scheme === 'na2024' ? 1 : 2;
  const [dx, dy] = run.spacing;
  const { exports } = run.kernel;
  for (let image = 0; image < images; image++) {
    for (let level = 0; level < levels; level++) {
      for (let channel = 0; channel < channels; channel++) {
        const to = ((image * levels + level) * channels + channel) * components * n;
        system.x.view.set(run.field(image, level, channel));
        if (components === 1) {
          exports.flatDifference(n, dx, system.x.pointer, system.b.pointer);
        } else {
          const order = settings.scheme === 'lau2025' ? 0 : 1;
          exports.gradient(
            height,
            width,
            dx,
            dy,
            order,
            system.x.pointer,
            system.b.pointer,
            system.last.pointer,
          );
          data.set(system.last.view, to + n);
        }
        data.set(system.b.view, to);
      }
    }
  }
  run.time.score = performance.now() - began;
}

/** The grid's where none is given: outermost points on the unit square's border. */
export function unitSpacing(height: number, width: number): readonly [number, number] {
  return [1 / (height - 1), 1 / (width - 1)];
}

/** Arrays for log densities and scores, new ones unless there is room. */
export function makeFields(
  { images, levels, channels, height, width }: Shape,
  { scheme }: ResolvedOptions,
  room?: Room,
): { logDensity: NdArray; scores: NdArray } {
  const leading = [images, levels, channels];
  const inner = scheme === 'na2024' ? [height, width] : [2, height, width];
  const make = (shape: number[], what: string, data: Float64Array | undefined): NdArray => {
    const length = shape.reduce((product, size) => product * size, 1);
    return { data: data?.subarray(0, length) ?? allocate(length, what), shape };
  };
  return {
    logDensity: make([...leading, height, width], 'the log densities', room?.logDensity),
    scores: make([...leading, ...inner], 'the scores', room?.scores),
  };
}

function allocate(length: number, what: string): Float64Array {
  try {
    return new Float64Array(length);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const message = `precomputeScores: no room for ${what}, ${length} numbers; take fewer images or steps`;
    throw new SeedspanError('OUT_OF_MEMORY', message, { length }, { cause: error });
  }
}

function checkOpen(kernel: Kernel): void {
  if (kernel.closed) throw new SeedspanError('DISPOSED', 'the engine was disposed of meanwhile');
}
