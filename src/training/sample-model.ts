import {
  drawNoise,
  randomStream,
  SAMPLERS,
  type SamplerName,
  type ScoreFunction,
  sample,
  sampleRk45,
  samplingTimes,
} from '../diffusion/index.ts';
import { checkNdArray } from '../diffusion/ndarray.ts';
import type { NdArray } from '../diffusion/types.ts';
import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { checkChoice, checkCount } from '../solver/options.ts';
import { yieldToHost } from '../solver/yield.ts';
import { noisyPictures } from './measures/baselines.ts';
import { type ScoreModel, scoreOf } from './model.ts';
import { equationOf } from './settings.ts';
import { ddpmSchedule } from './tasks/schedule.ts';

/** The papers' own samplers, and those for any score. */
export const MODEL_SAMPLERS = ['lau2025', 'na2024', ...(Object.keys(SAMPLERS) as SamplerName[])] as const;

/** A name of a way to sample a model. */
export type ModelSampler = (typeof MODEL_SAMPLERS)[number];

/** How a model is sampled. */
export interface SampleModelOptions {
  /**
   * - `lau2025` (arXiv 2511.17634), for models of that variant: `x <- x + g^2 s dt + 0.1 g sqrt(dt) z`, clipped to
   *   [0, 1], without noise at the last step.
   * - `na2024` (arXiv 2404.06661): the probability flow by RK45 with rtol = atol = 1e-3, from t = 1 to 1e-3.
   * - the samplers of `seedspan/diffusion`; those which need the variance of the noise (`ddpm`, `ddim`,
   *   `predictor-corrector`) are not for `lau2025`, whose network knows one noise alone.
   *
   * Default: that of the variant; `ddpm` for DDPM.
   */
  sampler?: ModelSampler;
  /**
   * How many to draw. Default 1.
   */
  count?: number;
  /** Steps of the sampler; not for `rk45` and `na2024`, which choose theirs. Default 50; `ddpm`: all of the schedule's. */
  steps?: number;
  /** Of the random draws. Default 0. */
  seed?: number;
  /**
   * Where to start. Absent: from noise, that is N(0, I) for `na2024`'s sampler, clipped noise of deviation `noise` about
   * grey for `lau2025`'s, and the end of the equation else. With a picture, `[channels, H, W]`: from
   * `noisyPictures(picture)`, for `lau2025`'s sampler as it is, for the others at the time whose noise level matches; for
   * `na2024`'s sampler from `(1 - pictureWeight) N(0, sigma^2) + pictureWeight picture`, as in the paper, with the
   * variance at t = 1 as sigma^2. (With g(1)^2, the other reading, the network is shown more noise than it was trained
   * on, and what it draws remains noise.)
   */
  picture?: NdArray | NdArray<Float32Array>;
  /** Deviation of the noise on the picture. Default 0.506. */
  noise?: number;
  /** The sampler `na2024` alone, from a picture: default 0.1. */
  pictureWeight?: number;
  /** Number of the picture that the network is told where it was trained on several. Default 0. */
  image?: number;
  signal?: AbortSignal;
  /** Called after each step. What it throws ends the sampling. */
  onProgress?: (progress: { step: number; steps: number }) => void;
}

/** The samples of a model, and what they took. */
export interface ModelSamples {
  /** `[count, channels, H, W]`, not clipped (but by the sampler of `lau2025`). */
  pictures: NdArray;
  /** The noisy pictures that it started from, where it started from a picture; not with `na2024`'s sampler. */
  start?: NdArray;
  /** How often the network was run, a sample. */
  evaluations: number;
}

const WHERE = 'sampleModel';
const NAMES = [
  'sampler',
  'count',
  'steps',
  'seed',
  'picture',
  'noise',
  'pictureWeight',
  'image',
  'signal',
  'onProgress',
];
/** First time of the papers' equations, and factor of the noise of `lau2025`'s sampler. */
const [EPSILON, LAU_NOISE] = [1e-3, 0.1];
const NEEDS_VARIANCE: readonly string[] = ['ddpm', 'ddim', 'predictor-corrector'];
const OWN_STEPS: readonly string[] = ['na2024', 'rk45'];

/** Options with the defaults in place, and what all ways share. */
interface Draw {
  model: ScoreModel;
  score: ScoreFunction;
  /** `[count, channels, H, W]` */
  shape: number[];
  steps: number;
  seed: number;
  noise: number;
  /** One for each sample. */
  pictures: NdArray | undefined;
  options: SampleModelOptions;
}

/**
 * Draws pictures from a trained model. The same seed gives the same pictures on the same machine.
 *
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`, `UNKNOWN_OPTION`, `DISPOSED`; the signal's
 *   reason when aborted
 */
export async function sampleModel(
  model: ScoreModel,
  options: SampleModelOptions = {},
): Promise<ModelSamples> {
  checkOptionNames(WHERE, options, NAMES);
  const { settings } = model;
  const ownSampler = settings.method === 'ddpm' ? 'ddpm' : settings.variant;
  const { sampler = ownSampler, count = 1, seed = 0, noise = 0.506, image = 0 } = options;
  checkChoice(WHERE, 'sampler', sampler, MODEL_SAMPLERS);
  checkCount(WHERE, 'count', count, 1);
  checkCount(WHERE, 'steps', options.steps, 1);
  if (options.steps !== undefined && OWN_STEPS.includes(sampler)) {
    fail(`the sampler ${sampler} chooses its steps; leave steps away`);
  }
  if (options.pictureWeight !== undefined && sampler !== 'na2024') {
    fail(`pictureWeight is for the sampler na2024, not for ${sampler}`);
  }
  const steps = options.steps ?? (sampler === 'ddpm' ? settings.schedule.steps : 50);
  const shape = [count, ...model.shape];
  const pictures = repeated(model, options.picture, count);
  const draw = { model, score: scoreOf(model, image), shape, steps, seed, noise, pictures, options };
  if (sampler === 'lau2025') return drawLau2025(draw);
  if (sampler === 'na2024') return drawNa2024(draw);
  return drawWith(sampler, draw);
}

function repeated(
  { shape }: ScoreModel,
  picture: NdArray | NdArray<Float32Array> | undefined,
  count: number,
): NdArray | undefined {
  if (picture === undefined) return undefined;
  checkNdArray(`${WHERE}: picture`, picture, ['channels', 'H', 'W']);
  if (!shape.every((length, axis) => length === picture.shape[axis])) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${WHERE}: the model is for pictures [${shape.join(', ')}], not [${picture.shape.join(', ')}]`,
    );
  }
  const data = new Float64Array(count * picture.data.length);
  for (let k = 0; k < count; k++) data.set(picture.data, k * picture.data.length);
  return { data, shape: [count, ...shape] };
}

async function drawLau2025({ model, score, shape, steps, seed, noise, pictures, options }: Draw) {
  const { settings } = model;
  if (settings.method !== 'score-embedding' || settings.variant !== 'lau2025') {
    fail('the sampler lau2025 is for models of that variant');
  }
  const sde = equationOf(settings);
  const grey = { data: new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(0.5), shape };
  const start = noisyPictures(pictures ?? grey, { noise, seed });
  const x = start.data.slice();
  const size = x.length / shape[0];
  const streams = Array.from({ length: shape[0] }, (_, k) => randomStream(seed, 2 * k + 1));
  const dt = 1 / steps;
  for (let i = 0; i < steps; i++) {
    options.signal?.throwIfAborted();
    const t = 1 - i / steps;
    const g = sde.diffusion(t);
    const s = await score(x, t);
    for (let k = 0; k < x.length; k++) {
      const added =
        i < steps - 1 ? LAU_NOISE * g * Math.sqrt(dt) * streams[Math.floor(k / size)].normal() : 0;
      x[k] = Math.min(1, Math.max(0, x[k] + g * g * s[k] * dt + added));
    }
    options.onProgress?.({ step: i + 1, steps });
    await yieldToHost();
  }
  return { pictures: { data: x, shape }, ...(pictures && { start }), evaluations: steps };
}

async function drawNa2024({ model, score, shape, seed, pictures, options }: Draw): Promise<ModelSamples> {
  const { settings } = model;
  if (settings.method !== 'score-embedding') fail('the sampler na2024 is not for DDPM; rk45 is');
  const { pictureWeight = 0.1, signal } = options;
  if (!(pictureWeight >= 0 && pictureWeight <= 1)) {
    fail(`pictureWeight must lie in [0, 1], not be ${show(pictureWeight)}`);
  }
  const sde = equationOf(settings);
  const deviation = pictures === undefined ? 1 : (1 - pictureWeight) * Math.sqrt(sde.transition(1).variance);
  const x = drawNoise(shape, {
    sde: { ...sde, transition: () => ({ scale: 1, variance: deviation ** 2 }) },
    seed,
  });
  if (pictures !== undefined) {
    for (let k = 0; k < x.data.length; k++) x.data[k] += pictureWeight * pictures.data[k];
  }
  const { x: end, evaluations } = await sampleRk45(score, x, [1, EPSILON], {
    sde,
    rtol: 1e-3,
    atol: 1e-3,
    control: 'batch',
    ...(signal && { signal }),
  });
  return { pictures: end, evaluations };
}

async function drawWith(sampler: SamplerName, draw: Draw): Promise<ModelSamples> {
  const { model, score, shape, steps, seed, noise, pictures, options } = draw;
  const { settings } = model;
  if (settings.method !== 'ddpm' && settings.variant === 'lau2025' && NEEDS_VARIANCE.includes(sampler)) {
    fail(
      `the sampler ${sampler} needs the score at every noise level, and a model of lau2025 knows one; take lau2025, or ${Object.keys(
        SAMPLERS,
      )
        .filter((name) => !NEEDS_VARIANCE.includes(name))
        .join(', ')}`,
    );
  }
  const sde = equationOf(settings);
  const start = pictures && noisyPictures(pictures, { noise, seed });
  const from = start === undefined ? 1 : timeOfNoise(model, noise);
  const times = timesOf(model, sampler, from, steps);
  const x =
    start === undefined ? drawNoise(shape, { sde, seed }) : toState(model, start, sde.transition(from));
  const report = ({ i }: { i: number }) => options.onProgress?.({ step: i + 1, steps: times.length - 1 });
  const { signal } = options;
  // A callback of rk45 costs an evaluation, and would see the begin alone.
  const watched =
    sampler === 'rk45' ? { control: 'batch' as const } : options.onProgress && { callback: report };
  const drawn = await sample(sampler, score, x, times, { sde, seed, ...watched, ...(signal && { signal }) });
  return {
    pictures: toPictures(model, drawn.x),
    ...(start && { start }),
    evaluations: drawn.evaluations,
  };
}

/** The time at which the noise beside the unscaled picture has this deviation. */
function timeOfNoise({ settings }: ScoreModel, noise: number): number {
  if (settings.method === 'ddpm') {
    const schedule = ddpmSchedule(settings.schedule);
    // In a state, 2 p - 1, the noise is twice as large as in the picture.
    return Math.max(1, schedule.stepOfNoise(2 * noise)) / schedule.steps;
  }
  const { transition } = equationOf(settings);
  let [low, high] = [EPSILON, 1];
  if (transition(high).variance <= noise ** 2) return high;
  while (high - low > 1e-12) {
    const middle = (low + high) / 2;
    if (transition(middle).variance < noise ** 2) low = middle;
    else high = middle;
  }
  return high;
}

function timesOf({ settings }: ScoreModel, sampler: SamplerName, from: number, steps: number): number[] {
  if (settings.method !== 'ddpm') {
    return Array.from(samplingTimes({ steps: sampler === 'rk45' ? 1 : steps, from, to: EPSILON }));
  }
  const all = settings.schedule.steps;
  const first = Math.round(from * all);
  // The network was told whole steps; the noise cannot be told at step 0, where all but these two end before it.
  const last = sampler === 'ddpm' || sampler === 'ddim' ? 0 : 1;
  const count = Math.min(sampler === 'rk45' ? 1 : steps, first - last);
  if (count < 1) fail(`there are no steps from the noise level of step ${first} on; give more noise`);
  return Array.from({ length: count + 1 }, (_, i) => Math.round(first + (i * (last - first)) / count) / all);
}

function toState({ settings }: ScoreModel, { data, shape }: NdArray, { scale }: { scale: number }): NdArray {
  const state =
    settings.method === 'ddpm' ? (value: number) => scale * (2 * value - 1) : (value: number) => value;
  return { data: data.map(state), shape };
}

function toPictures({ settings }: ScoreModel, { data, shape }: NdArray): NdArray {
  return settings.method === 'ddpm' ? { data: data.map((value) => (value + 1) / 2), shape } : { data, shape };
}

function fail(what: string): never {
  throw new SeedspanError('INVALID_VALUE', `${WHERE}: ${what}`);
}
