import { embedPictures, type PresetSde, precomputeScores, randomStream } from '../../diffusion/index.ts';
import type { NdArray } from '../../diffusion/types.ts';
import { fillSample, newBatch, stepStream, type Task, type TrainingPictures } from './types.ts';

export type EmbeddingName = 'lau2025' | 'na2024';

/** What decides on the pre-computed scores, and on the loss. */
export interface ScoreEmbeddingSettings {
  variant: EmbeddingName;
  /** `none`: the picture itself at every time, the papers' method without its point. */
  embedding: 'scores' | 'none';
  sde: PresetSde;
  /** Time steps of the pre-computation. */
  levels: number;
  /** Grid spacing; undefined: the scheme's default. */
  spacing?: number;
  /** Relative tolerance of its fixed-point loop; undefined: the scheme's default. */
  tolerance?: number;
  /** `lau2025`: the constant lambda. */
  lambda: number;
  batchSize: number;
  seed: number;
}

/** First time level of `na2024`, as in `precomputeScores`. */
const EPSILON = 1e-3;
/** `lau2025`: embedded pictures on the way, as far as there are levels, and how often an epoch takes each. */
const [ON_THE_WAY, REPEATS] = [10, 2];

/**
 * The papers' task: denoise the embedded pictures. Everything is as in the papers' programs, where these say more than
 * the papers.
 */
export async function scoreEmbeddingTask(
  pictures: TrainingPictures,
  settings: ScoreEmbeddingSettings,
  signal?: AbortSignal,
): Promise<Task> {
  const { variant, embedding, sde, levels: steps, spacing, tolerance: rtol, seed } = settings;
  if (embedding === 'none') return create(pictures, settings, undefined);
  const { scores, report } = await precomputeScores({
    images: pictures,
    scheme: variant,
    sde,
    steps,
    seed,
    ...(spacing !== undefined && { spacing }),
    ...(rtol !== undefined && { fixedPoint: { rtol } }),
    // A picture's scores must not depend on the others'.
    sharing: 'none',
    ...(signal && { signal }),
  });
  return create(pictures, settings, { scores, times: report.times });
}

interface Scores {
  scores: NdArray;
  times: number[];
}

function create(pictures: TrainingPictures, settings: ScoreEmbeddingSettings, given?: Scores): Task {
  return settings.variant === 'lau2025'
    ? lau2025Task(pictures, settings, given)
    : na2024Task(pictures, settings, given);
}

/**
 * arXiv 2511.17634: ten embedded pictures, number k at the time k / 11, each twice in an epoch and in this order, with
 * noise of deviation lambda; the mean of the squared errors over 2 g^2.
 */
function lau2025Task(pictures: TrainingPictures, settings: ScoreEmbeddingSettings, given?: Scores): Task {
  const { sde, lambda, levels, batchSize, seed } = settings;
  const [images, ...shape] = pictures.shape;
  const size = pictures.data.length / images;
  const path = given && {
    ...embedPictures(pictures, given.scores, {
      sde,
      times: given.times,
      variant: 'lau2025',
      seed,
      keep: 'all',
    }),
  };
  const stops = Math.min(ON_THE_WAY, levels);
  const items = images * stops * REPEATS;
  return {
    stepsPerEpoch: Math.ceil(items / batchSize),
    batch(step) {
      const first = (step % Math.ceil(items / batchSize)) * batchSize;
      const samples = Math.min(batchSize, items - first);
      const batch = newBatch(samples, size);
      const { normal } = randomStream(seed, stepStream(step, 'noise'));
      for (let sample = 0; sample < samples; sample++) {
        const item = first + sample;
        const image = Math.floor(item / (stops * REPEATS));
        const stop = 1 + Math.floor((item % (stops * REPEATS)) / REPEATS);
        const t = Math.min(0.99, Math.max(0.01, stop / (stops + 1)));
        const from = path?.path?.data ?? pictures.data;
        const start = (path === undefined ? image : image * (stops + 1) + stop) * size;
        fillSample(batch, sample, shape, normal, (k) => from[start + k], lambda);
        batch.t[sample] = t;
        batch.index[sample] = image;
        batch.scale[sample] = lambda;
        batch.weight[sample] = 1 / (2 * sde.diffusion(t) ** 2 * size);
      }
      return batch;
    },
  };
}

/**
 * arXiv 2404.06661: a batch is one picture's, at the times `eps + i (1 - dt/2 - eps) / N + (u - eps) dt / 2`,
 * i = 0..N-1, dt = 1/N, u uniform, embedded anew along these times, with noise of the equation's own deviation
 * lambda(t); the sum of the squared errors over 2 g^2. Of the samples (N, or as many times N as fill a batch) the
 * batch size is drawn without replacement.
 */
function na2024Task(pictures: TrainingPictures, settings: ScoreEmbeddingSettings, given?: Scores): Task {
  const { sde, levels: N, batchSize, seed } = settings;
  const [images, ...shape] = pictures.shape;
  const size = pictures.data.length / images;
  const dt = 1 / N;
  const picture = (image: number) => ({
    data: pictures.data.subarray(image * size, (image + 1) * size) as Float64Array,
    shape: [1, ...shape],
  });
  const perImage = given === undefined ? 0 : given.scores.data.length / images;
  const pathOf = (image: number, times: number[]) =>
    given &&
    embedPictures(
      picture(image),
      {
        data: given.scores.data.subarray(image * perImage, (image + 1) * perImage),
        shape: [1, ...given.scores.shape.slice(1)],
      },
      { sde, times, variant: 'na2024', keep: 'all' },
    ).path?.data;
  return {
    stepsPerEpoch: images,
    batch(step) {
      const image = step % images;
      const choice = randomStream(seed, stepStream(step, 'choice'));
      const { normal } = randomStream(seed, stepStream(step, 'noise'));
      const ways = Array.from({ length: Math.ceil(batchSize / N) }, () => {
        const times = Array.from(
          { length: N },
          (_, i) => EPSILON + (i * (1 - dt / 2 - EPSILON)) / N + ((choice.uniform() - EPSILON) * dt) / 2,
        );
        return { times, path: pathOf(image, times) };
      });
      const batch = newBatch(batchSize, size);
      const chosen = draw(ways.length * N, batchSize, choice.uniform);
      for (const [sample, number] of chosen.entries()) {
        const { times, path } = ways[Math.floor(number / N)];
        const t = times[number % N];
        const lambda = Math.sqrt(sde.transition(t).variance);
        const start = path === undefined ? image * size : (number % N) * size;
        const from = path ?? pictures.data;
        // The network is shown pictures as 2 x - 1.
        fillSample(batch, sample, shape, normal, (k) => 2 * from[start + k] - 1, 2 * lambda);
        batch.t[sample] = t;
        batch.index[sample] = image;
        batch.scale[sample] = lambda;
        batch.weight[sample] = 1 / (2 * sde.diffusion(t) ** 2);
      }
      return batch;
    },
  };
}

/** `count` of the numbers below `total`, rising. */
function draw(total: number, count: number, uniform: () => number): number[] {
  const numbers = Array.from({ length: total }, (_, k) => k);
  for (let k = 0; k < count; k++) {
    const other = k + Math.floor(uniform() * (total - k));
    [numbers[k], numbers[other]] = [numbers[other], numbers[k]];
  }
  return numbers.slice(0, count).sort((a, b) => a - b);
}
