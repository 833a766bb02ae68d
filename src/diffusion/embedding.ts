import { checkOptionNames, SeedspanError, show, showList } from '../errors.ts';
import { checkNdArray } from './ndarray.ts';
import { randomStream } from './random.ts';
import { checkSde } from './sde.ts';
import type { NdArray, Sde } from './types.ts';

/** How scores move pixels: by the flow that transports the density, or as one of the two papers does. */
export type EmbeddingVariant = 'transport' | 'na2024' | 'lau2025';

/** Which equation is solved, and for how long. */
export interface EmbeddingOptions {
  /** The equation that the scores belong to. */
  sde: Sde;
  /** Times of the scores' levels, rising: `report.times` of `precomputeScores`. */
  times: readonly number[];
  /** Default `transport`. */
  variant?: EmbeddingVariant;
  /** `transport` with two-component scores: which one moves the pixels, 0 along i or 1 along j. Default 0. */
  component?: 0 | 1;
  /** `lau2025`: levels used, evenly spread from the first step's to the last. Default 10, or all if there are fewer. */
  levels?: number;
  /** `lau2025`: factor of the noise. Default 0.1. */
  noise?: number;
  /** `lau2025`: seed of the noise; image i has the stream (seed, firstStream + i). Default 0. */
  seed?: number;
  /** Random stream of the first image. Default 0. */
  firstStream?: number;
  /** `all` returns every picture on the way. Default `last`. */
  keep?: 'last' | 'all';
}

/** What embedding made of pictures. */
export interface Embedding {
  /** The pictures at the end, `[images, channels, H, W]`. */
  embedded: NdArray;
  /** With `keep: 'all'`: `[images, times, channels, H, W]`, the given pictures first. */
  path?: NdArray;
  /** Times of the pictures on the way, the given pictures' first. */
  times: number[];
}

const OPTIONS = ['sde', 'times', 'variant', 'component', 'levels', 'noise', 'seed', 'firstStream', 'keep'];

/**
 * Carries pictures forward in time by the transport equation (probability-flow ODE) with pre-computed scores:
 * explicit Euler steps `x^n = x^{n-1} + (f - g^2 s / 2) dt`, pixel by pixel; f is the drift's component at the
 * pixel's value.
 *
 * - `transport`: the equation as it stands. s, f and g at t_n, `dt = t_n - t_{n-1}`.
 * - `na2024` (arXiv 2404.06661 and its program): `x_i = x_{i-1} - s_i g(2 t_i) dt / 2` with `dt = 1/N`, N the
 *   number of levels; f is left out. For `g = sigma^t`, `g(2t)` is g squared. Scores of scheme `na2024` only.
 * - `lau2025` (arXiv 2511.17634 and its program): ten of the N levels after the first, evenly spread from level 1 to
 *   N and rounded down, the first score component, f left out, plus noise:
 *   `x += -g^2 s dt / 2 + 0.1 g sqrt(dt) z`, clipped to [0, 1] after each step, without noise at level N. As in the
 *   program dt is one level's, `(t_N - t_0) / N`, not the time between the levels used: it makes a tenth of the way
 *   when N is 100.
 *
 * Scores with one channel (from `pixel-positions`) serve every channel of the pictures.
 *
 * @param pictures `[images, channels, H, W]`
 * @param scores `[images, levels, channels, H, W]` or `[images, levels, channels, 2, H, W]`, as
 *   `precomputeScores` returns them
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`, `UNKNOWN_OPTION`
 */
export function embedPictures(
  pictures: NdArray | NdArray<Float32Array>,
  scores: NdArray | NdArray<Float32Array>,
  options: EmbeddingOptions,
): Embedding {
  checkOptionNames('embedPictures', options ?? null, OPTIONS);
  const {
    sde,
    times,
    variant = 'transport',
    component = 0,
    noise = 0.1,
    seed = 0,
    firstStream = 0,
  } = options;
  const { keep = 'last' } = options;
  checkSde('embedPictures', sde);
  checkChoice('variant', variant, ['transport', 'na2024', 'lau2025']);
  checkChoice('component', component, [0, 1]);
  checkChoice('keep', keep, ['last', 'all']);
  checkNdArray('pictures', pictures, ['images', 'channels', 'H', 'W']);
  const components = checkScores(pictures.shape, scores, variant);
  const { shape } = pictures;
  checkTimes(times, scores.shape[1]);
  if (!(noise >= 0 && Number.isFinite(noise))) {
    throw new SeedspanError('INVALID_VALUE', `embedPictures: noise must not be negative, not ${show(noise)}`);
  }

  const [count, channels, height, width] = shape;
  const n = height * width;
  const last = times.length - 1;
  const used = usedLevels(variant, last, options.levels);
  const wayTimes = [times[0], ...used.map((level) => times[level])];
  const chosen = variant === 'transport' ? component : 0;
  const embedded = Float64Array.from(pictures.data);
  const path = keep === 'all' ? new Float64Array(count * wayTimes.length * channels * n) : undefined;

  for (let image = 0; image < count; image++) {
    const random = randomStream(seed, firstStream + image);
    const x = embedded.subarray(image * channels * n, (image + 1) * channels * n);
    path?.set(x, image * wayTimes.length * channels * n);
    used.forEach((level, step) => {
      const t = times[level];
      const dt = stepLength(variant, times, level);
      const g = diffusionAt(sde, t);
      const square = variant === 'na2024' ? diffusionAt(sde, 2 * t) : g * g;
      for (let c = 0; c < channels; c++) {
        const scoreChannel = scores.shape[2] === 1 ? 0 : c;
        const field = ((image * times.length + level) * scores.shape[2] + scoreChannel) * components;
        const score = scores.data.subarray((field + (components === 1 ? 0 : chosen)) * n);
        for (let k = 0; k < n; k++) {
          const at = c * n + k;
          const before = x[at];
          x[at] += -0.5 * square * score[k] * dt;
          if (variant === 'transport' && sde.drift) x[at] += sde.drift(before, before, t)[chosen] * dt;
          if (variant === 'lau2025') {
            if (level < last) x[at] += noise * g * Math.sqrt(dt) * random.normal();
            x[at] = Math.min(1, Math.max(0, x[at]));
          }
        }
      }
      path?.set(x, (image * wayTimes.length + step + 1) * channels * n);
    });
  }
  checkFinite(embedded);
  return {
    embedded: { data: embedded, shape: [...shape] },
    times: wayTimes,
    ...(path && { path: { data: path, shape: [count, wayTimes.length, channels, height, width] } }),
  };
}

function stepLength(variant: EmbeddingVariant, times: readonly number[], level: number): number {
  const last = times.length - 1;
  if (variant === 'na2024') return 1 / times.length;
  return variant === 'lau2025' ? (times[last] - times[0]) / last : times[level] - times[level - 1];
}

/** Levels that a step ends at, in order. */
function usedLevels(variant: EmbeddingVariant, last: number, levels?: number): number[] {
  if (variant !== 'lau2025') {
    if (levels !== undefined) {
      throw new SeedspanError(
        'INVALID_VALUE',
        `embedPictures: levels is an option of lau2025, not of ${variant}`,
      );
    }
    return Array.from({ length: last }, (_, i) => i + 1);
  }
  if (levels !== undefined && !(Number.isSafeInteger(levels) && levels >= 1 && levels <= last)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `embedPictures: levels must be from 1 to ${last}, not ${show(levels)}`,
    );
  }
  const count = levels ?? Math.min(10, last);
  if (count === 1) return [1];
  return Array.from({ length: count }, (_, i) => Math.floor(1 + (i * (last - 1)) / (count - 1)));
}

/** Checks the scores against the pictures; returns the number of their components. */
function checkScores(
  pictures: readonly number[],
  scores: NdArray | NdArray<Float32Array>,
  variant: EmbeddingVariant,
): 1 | 2 {
  const scalar = ['images', 'levels', 'channels', 'H', 'W'];
  const vector = ['images', 'levels', 'channels', '2', 'H', 'W'];
  const single = variant === 'na2024' || (variant === 'transport' && scores?.shape?.length === 5);
  checkNdArray('scores', scores, single ? scalar : vector);
  const [images, , channels] = scores.shape;
  const fits =
    images === pictures[0] &&
    (channels === pictures[1] || channels === 1) &&
    (single || scores.shape[3] === 2) &&
    scores.shape.at(-2) === pictures[2] &&
    scores.shape.at(-1) === pictures[3];
  if (!fits) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `embedPictures: scores [${showList(scores.shape)}] do not fit pictures [${pictures.join(', ')}]: expected [${(single ? scalar : vector).join(', ')}] with the same images, H and W, and as many channels or one`,
      { scores: scores.shape, pictures },
    );
  }
  return single ? 1 : 2;
}

function checkTimes(times: readonly number[], levels: number): void {
  if (!Array.isArray(times) || times.length !== levels || levels < 2) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `embedPictures: times must have one entry for each of the scores' ${levels} levels, of which two are needed, not ${show(times)}`,
    );
  }
  times.forEach((t, i) => {
    if (Number.isFinite(t) && t >= 0 && (i === 0 || t > times[i - 1])) return;
    throw new SeedspanError(
      'INVALID_VALUE',
      `embedPictures: times must rise and not be negative; times[${i}] is ${t}`,
    );
  });
}

function checkChoice(name: string, value: unknown, choices: readonly unknown[]): void {
  if (choices.includes(value)) return;
  throw new SeedspanError(
    'INVALID_VALUE',
    `embedPictures: ${name} must be one of ${choices.join(', ')}, not ${show(value)}`,
  );
}

function diffusionAt(sde: Sde, t: number): number {
  const g = sde.diffusion(t);
  if (Number.isFinite(g) && g >= 0) return g;
  throw new SeedspanError(
    'INVALID_VALUE',
    `embedPictures: sde.diffusion(${t}) is ${show(g)}, not a number from 0`,
    { t },
  );
}

function checkFinite(data: Float64Array): void {
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  throw new SeedspanError(
    'INVALID_VALUE',
    `embedPictures: value ${bad} became ${data[bad]}: the drift or the scores are too large`,
  );
}
