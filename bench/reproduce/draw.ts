import { type NdArray, randomStream, sample, varianceExploding } from '../../src/diffusion/index.ts';
import {
  bestBlur,
  type DdpmSchedule,
  ddpmSchedule,
  globalSimilarity,
  noisyPictures,
  type PictureMeasures,
  pictureMeasures,
  type ScoreModel,
  sampleModel,
  scoreOf,
} from '../../src/training/index.ts';
import type { Measure } from './passage.ts';
import type { Case, Draw } from './plan.ts';

/** `[images, channels, H, W]`, values in [0, 1]. */
export type Pictures = NdArray<Float32Array>;

/** Of arXiv 2511.17634: deviation of the noise on the picture that is denoised. */
const NOISE = 0.506;
/** Of arXiv 2404.06661: sampling starts from `(1 - WEIGHT) N(0, SIGMA^2) + WEIGHT picture`, as `sampleModel` reads it. */
const WEIGHT = 0.1;
const SIGMA = Math.sqrt(varianceExploding(5).transition(1).variance);
/** The streams of `noisyPictures`, apart from those of the samplers. */
const STREAM = 2 ** 52;

export function pictureOf({ data, shape }: NdArray<Float32Array> | NdArray, image: number): NdArray {
  const [, ...rest] = shape;
  const size = rest.reduce((product, length) => product * length, 1);
  return { data: Float64Array.from(data.subarray(image * size, (image + 1) * size)), shape: rest };
}

function joined(parts: readonly NdArray[]): NdArray {
  const size = parts[0].data.length;
  const data = new Float64Array(parts.length * size);
  parts.forEach((part, k) => {
    data.set(part.data, k * size);
  });
  return { data, shape: [parts.length, ...parts[0].shape] };
}

/** A picture for each of those that the model was trained on. The same seed starts all arms from the same noise. */
export async function drawPictures(
  model: ScoreModel,
  draw: Draw,
  { pictures, variant, steps, seed }: { pictures: Pictures; seed: number } & Pick<Case, 'variant' | 'steps'>,
): Promise<NdArray> {
  const parts: NdArray[] = [];
  for (let image = 0; image < pictures.shape[0]; image++) {
    const picture = pictureOf(pictures, image);
    parts.push(await drawOne(model, draw, { picture, image, variant, steps, seed: seed * 64 + image }));
  }
  return joined(parts);
}

interface One extends Pick<Case, 'variant' | 'steps'> {
  picture: NdArray;
  image: number;
  seed: number;
}

async function drawOne(model: ScoreModel, draw: Draw, one: One): Promise<NdArray> {
  const { picture, image, variant, steps, seed } = one;
  const whole = async (options: Parameters<typeof sampleModel>[1]) => {
    const { pictures } = await sampleModel(model, { image, seed, ...options });
    return { data: pictures.data, shape: picture.shape };
  };
  if (draw === 'own')
    return whole(variant === 'lau2025' ? { picture, noise: NOISE } : { picture, pictureWeight: WEIGHT });
  if (draw === 'noise') return whole({ sampler: 'ddpm', steps: steps.ddpm });
  if (draw === 'ddim') return whole({ sampler: 'ddim', steps: steps.ddim });
  return fromNoisy(model, one);
}

/** Deviation of the noise beside the unscaled picture that each paper samples from. */
const noiseOf = (variant: Case['variant']) =>
  variant === 'lau2025' ? NOISE : ((1 - WEIGHT) * SIGMA) / WEIGHT;

/**
 * DDPM from the same noise on the picture, at the step which has as much. The noise is not clipped as it is for score
 * embedding: DDPM has learnt what normal noise looks like, and would be handicapped.
 */
async function fromNoisy(model: ScoreModel, { picture, image, variant, steps, seed }: One): Promise<NdArray> {
  const schedule: DdpmSchedule = ddpmSchedule(model.settings.schedule);
  // A state holds 2 p - 1, in which the picture is twice as large.
  const first = schedule.stepOfNoise(2 * noiseOf(variant));
  const { scale, variance } = schedule.transition(first / schedule.steps);
  const { normal } = randomStream(seed, STREAM);
  const data = picture.data.map((value) => scale * (2 * value - 1) + Math.sqrt(variance) * normal());
  const count = Math.min(steps.ddpm, first);
  const times = Array.from(
    { length: count + 1 },
    (_, i) => Math.round((first * (count - i)) / count) / schedule.steps,
  );
  const start = { data, shape: [1, ...picture.shape] };
  const { x } = await sample('ddpm', scoreOf(model, image), start, times, { sde: schedule, seed });
  return { data: x.data.map((value) => (value + 1) / 2), shape: picture.shape };
}

/** Means over the pictures. */
export function measureAll(drawn: NdArray, pictures: Pictures): Record<Measure, number> {
  const each = Array.from({ length: pictures.shape[0] }, (_, image) =>
    pictureMeasures(pictureOf(drawn, image), pictureOf(pictures, image)),
  );
  return meanOf(each);
}

function meanOf(each: readonly PictureMeasures[]): Record<Measure, number> {
  const mean = (of: (one: PictureMeasures) => number) =>
    each.reduce((sum, one) => sum + of(one), 0) / each.length;
  return {
    mse: mean(({ mse }) => mse),
    psnr: mean(({ psnr }) => psnr),
    ssim: mean(({ ssim }) => ssim as number),
    globalSsim: mean(({ globalSsim }) => globalSsim),
    publishedGlobalSsim: mean(({ publishedGlobalSsim }) => publishedGlobalSsim),
  };
}

/** What needs no training. */
export interface Baselines {
  noisy: { pictures: NdArray; measures: Record<Measure, number> };
  /** The blur with the best windowed similarity, and that with the best global one, told the truth. */
  blur: { pictures: NdArray; measures: Record<Measure, number> };
  globalBlur: { pictures: NdArray; measures: Record<Measure, number> };
}

/** Of the noise that sampling starts from with this seed. */
export function baselines(pictures: Pictures, variant: Case['variant'], seed: number): Baselines {
  const all = Array.from({ length: pictures.shape[0] }, (_, image) => {
    const picture = pictureOf(pictures, image);
    const noisy = noisyOf(picture, variant, seed * 64 + image);
    return {
      noisy: { picture: noisy, measures: pictureMeasures(noisy, picture) },
      blur: bestBlur(noisy, picture),
      globalBlur: bestBlur(noisy, picture, globalSimilarity),
    };
  });
  const of = (kind: keyof Baselines) => ({
    pictures: joined(all.map((one) => one[kind].picture)),
    measures: meanOf(all.map((one) => one[kind].measures)),
  });
  return { noisy: of('noisy'), blur: of('blur'), globalBlur: of('globalBlur') };
}

function noisyOf(picture: NdArray, variant: Case['variant'], seed: number): NdArray {
  if (variant === 'lau2025') {
    const { data } = noisyPictures(
      { data: picture.data, shape: [1, ...picture.shape] },
      { noise: NOISE, seed },
    );
    return { data, shape: picture.shape };
  }
  const { normal } = randomStream(seed, STREAM);
  // As strong as the picture was, so that a blur has its brightness.
  const noise = noiseOf(variant);
  return { data: picture.data.map((value) => value + noise * normal()), shape: picture.shape };
}
