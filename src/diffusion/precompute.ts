import { SeedspanError } from '../errors.ts';
import { createEngine } from '../solver/create-engine.ts';
import type { Engine } from '../solver/engine.ts';
import type { SolveStatus } from '../solver/types.ts';
import { yieldToHost } from '../solver/yield.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { logDensitiesWith } from './density.ts';
import { worse } from './fixed-point.ts';
import { GridSystem } from './grid-system.ts';
import { KernelDensities } from './kernel-densities.ts';
import { checkUnitRange } from './ndarray.ts';
import { type ResolvedOptions, resolveOptions } from './options.ts';
import { Run, type Shape } from './run.ts';
import { solveConsistent } from './scheme-consistent.ts';
import { solveLau2025 } from './scheme-lau2025.ts';
import { solveNa2024 } from './scheme-na2024.ts';
import type { OperatorSettings } from './shared-operator.ts';
import type {
  NdArray,
  PrecomputeOptions,
  PrecomputeReport,
  PrecomputeResult,
  SharingDecision,
  StageTimes,
} from './types.ts';

/**
 * Solves the log-density Fokker-Planck equation for a batch of pictures or log densities, and differences the
 * scores. See `types.ts` for options and results.
 *
 * A solve or loop that falls short of its tolerance is a status in the report, not an error.
 *
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION`, `SHAPE_MISMATCH`, `OUT_OF_MEMORY`,
 *   `DISPOSED`; the signal's reason when aborted. Nothing is left in the engine then.
 * @example
 * ```ts
 * const { scores, report } = await precomputeScores({ images, scheme: 'consistent', steps: 20 });
 * ```
 */
export async function precomputeScores(options: PrecomputeOptions): Promise<PrecomputeResult> {
  const began = performance.now();
  const settings = resolveOptions(options);
  const [images] = (options.images ?? options.initialLogDensity!).shape;
  checkSeeds(settings, images);
  const times = levelTimes(settings, images);
  checkDiffusion(settings, times);
  options.engine?.checkAlive('the engine');
  options.signal?.throwIfAborted();
  const time: StageTimes = { density: 0, assembly: 0, projection: 0, solve: 0, score: 0 };
  const engine = options.engine ?? (await createEngine());
  try {
    const initial = await startDensities(engine.kernel, options, settings, time);
    engine.checkAlive('the engine');
    return await compute(engine, initial, times, options, settings, time, began);
  } finally {
    if (engine !== options.engine) engine.dispose();
  }
}

/** `[images, channels, H, W]`: the given log densities, or those of the pictures, one after the other. */
async function startDensities(
  kernel: Kernel,
  options: PrecomputeOptions,
  settings: ResolvedOptions,
  time: StageTimes,
): Promise<NdArray> {
  const { initialLogDensity: given, images, signal, onProgress } = options;
  if (given !== undefined) return given;
  const began = performance.now();
  const pictures = images!;
  checkUnitRange('images', pictures.data);
  const [count, ...rest] = pictures.shape;
  const size = pictures.data.length / count;
  const tools = new KernelDensities(kernel);
  const parts: NdArray[] = [];
  try {
    for (let i = 0; i < count; i++) {
      const one = { data: pictures.data.subarray(i * size, (i + 1) * size), shape: [1, ...rest] } as NdArray;
      const { density, seed } = settings;
      parts.push(logDensitiesWith(tools, one, density, { seed, firstStream: i }));
      onProgress?.({ stage: 'density', done: i + 1, total: count });
      await yieldToHost();
      signal?.throwIfAborted();
    }
  } finally {
    tools.dispose();
  }
  const data = new Float64Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  parts.forEach((part, i) => {
    data.set(part.data, i * part.data.length);
  });
  time.density = performance.now() - began;
  return { data, shape: [count, ...parts[0].shape.slice(1)] };
}

async function compute(
  engine: Engine,
  initial: NdArray,
  times: Float64Array,
  options: PrecomputeOptions,
  settings: ResolvedOptions,
  time: StageTimes,
  began: number,
): Promise<PrecomputeResult> {
  const [images, channels, height, width] = initial.shape;
  const { scheme } = settings;
  const levels = times.length;
  const shape: Shape = { images, channels, height, width, levels };
  const n = height * width;
  const spacing = settings.spacing ?? [1 / (height - 1), 1 / (width - 1)];
  const logDensity = allocate(images * levels * channels * n, 'the log densities');
  // Before the work: what there is no room for should show at once.
  const components = scheme === 'na2024' ? 1 : 2;
  const scoreData = allocate(images * levels * channels * components * n, 'the scores');
  // Where all images are seeds, none is left to learn from them.
  const shared =
    settings.projection && images > settings.projection.seeds.length ? settings.projection : undefined;
  const run = new Run({
    kernel: engine.kernel,
    shape,
    sde: settings.sde,
    times,
    spacing,
    fixedPoint: settings.fixedPoint,
    rtol: settings.rtol,
    seeds: shared?.seeds ?? [],
    seedImage: settings.seedImage,
    logDensity,
    time,
    signal: options.signal,
    onProgress: options.onProgress,
  });
  for (let image = 0; image < images; image++) {
    for (let channel = 0; channel < channels; channel++) {
      const start = (image * channels + channel) * n;
      run.field(image, 0, channel).set(initial.data.subarray(start, start + n));
    }
  }
  const step = scheme === 'na2024' ? height : width;
  // The paper's sweeps come back to each level, the others do not.
  const places = scheme === 'na2024' ? (levels - 1) * channels : 1;
  const { sharing, seedImage } = settings;
  const operator: OperatorSettings = {
    mode: images > 1 && sharing !== 'projection' ? sharing : 'none',
    seed: seedImage,
    accelerated: settings.fixedPoint.inner === 'accelerated',
  };
  const linear = { ...settings, projection: shared, operator };
  const system = new GridSystem(engine.kernel, shape, step, linear, spacing, places);
  try {
    if (scheme === 'na2024') await solveNa2024(run, system);
    else if (scheme === 'lau2025') await solveLau2025(run, system);
    else await solveConsistent(run, system, settings);
    await run.pause();
    differenceScores(run, settings, system, scoreData);
    run.complete();
    const inner = components === 1 ? [height, width] : [2, height, width];
    return {
      logDensity: { data: logDensity, shape: [images, levels, channels, height, width] },
      scores: { data: scoreData, shape: [images, levels, channels, ...inner] },
      report: makeReport(
        run,
        { ...settings, projection: shared },
        sharingDecisions(settings, images, system),
        options,
        engine,
        performance.now() - began,
      ),
    };
  } finally {
    system.dispose();
  }
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

function makeReport(
  run: Run,
  settings: ResolvedOptions,
  decisions: SharingDecision[],
  options: PrecomputeOptions,
  engine: Engine,
  total: number,
): PrecomputeReport {
  // The paper's sweeps book their measure themselves, one a sweep.
  const sweeps = settings.scheme === 'na2024' && settings.fixedPoint.inner === 'strict';
  for (const step of run.steps) {
    const image = run.images[step.image];
    image.status = worse(image.status, step.status);
    image.fixedPointIterations = Math.max(image.fixedPointIterations, step.fixedPointIterations);
    image.solves += step.solves;
    image.iterations += step.iterations;
    if (!sweeps) image.changes.push(step.change);
  }
  const sum = (name: 'solves' | 'iterations') => run.images.reduce((all, image) => all + image[name], 0);
  return {
    scheme: settings.scheme,
    sde: settings.sde.name ?? 'custom',
    density: options.initialLogDensity === undefined ? settings.density : 'given',
    sharing: settings.projection === undefined ? sharedOperators(run) : 'projection',
    decisions,
    projection: settings.projection,
    method: settings.method,
    build: engine.build,
    shape: run.shape,
    times: Array.from(run.times),
    status: run.images.reduce<SolveStatus>((all, image) => worse(all, image.status), 'converged'),
    images: run.images,
    steps: run.steps,
    solves: sum('solves'),
    iterations: sum('iterations'),
    matvecs: run.matvecs,
    time: { ...run.time, total },
    peclet: run.peclet,
  };
}

/** Whether a preconditioner has served others than the image and level that it was made of. */
function sharedOperators(run: Run): 'none' | 'seed-operator' {
  return run.steps.some(({ operatorAge = 0 }) => operatorAge > 0) ? 'seed-operator' : 'none';
}

function sharingDecisions(
  { sharing, scheme, preconditioner }: ResolvedOptions,
  images: number,
  { operator }: GridSystem,
): SharingDecision[] {
  if (sharing === 'none' || sharing === 'projection') return [];
  const none = (reason: string) => [{ level: 1, image: 0, operators: 0, served: 0, reason }];
  if (scheme === 'na2024') return none('scheme na2024 has no multigrid to share');
  if (preconditioner === 'none') return none('preconditioner none leaves nothing to share');
  if (images === 1) return none('one image has no other to share with');
  const decisions = operator?.decisions ?? [];
  return decisions.length > 0 ? decisions : none('no level was stiff enough for multigrid');
}

/** `na2024` has N levels from eps to T; the others N + 1 from 0 to T, or those given. */
function levelTimes({ scheme, T, steps, times }: ResolvedOptions, images: number): Float64Array {
  const levels = times?.length ?? (scheme === 'na2024' ? steps : steps + 1);
  if (images * levels > MOST_STEP_REPORTS) {
    throw new SeedspanError(
      'OUT_OF_MEMORY',
      `precomputeScores: ${images} images at ${levels} time levels are over ${MOST_STEP_REPORTS} fields; take fewer images or steps`,
      { images, levels },
    );
  }
  if (times !== undefined) return times;
  const first = scheme === 'na2024' ? NA_FIRST_TIME : 0;
  return Float64Array.from({ length: levels }, (_, i) => first + (i * (T - first)) / (levels - 1));
}

/** Beyond it the report alone, one entry an image and level, does not fit beside the fields. */
const MOST_STEP_REPORTS = 2 ** 22;

/** eps of arXiv 2404.06661. */
const NA_FIRST_TIME = 1e-3;

function checkDiffusion({ sde }: ResolvedOptions, times: Float64Array): void {
  for (const t of times) {
    const g: unknown = sde.diffusion(t);
    if (typeof g === 'number' && Number.isFinite(g) && g >= 0) continue;
    throw new SeedspanError(
      'INVALID_VALUE',
      `precomputeScores: sde.diffusion(${t}) returned ${String(g)}, must be a finite number, not negative`,
      { t, g },
    );
  }
}

function checkSeeds({ projection, seedImage }: ResolvedOptions, images: number): void {
  if (seedImage >= images) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `precomputeScores: seedImage is ${seedImage}, but there are ${images} images (counted from 0)`,
      { option: 'seedImage' },
    );
  }
  for (const seed of projection?.seeds ?? []) {
    if (seed < images) continue;
    throw new SeedspanError(
      'INVALID_VALUE',
      `precomputeScores: projection.seeds has ${seed}, but there are ${images} images (counted from 0)`,
    );
  }
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
