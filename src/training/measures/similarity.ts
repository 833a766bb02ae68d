import { checkNdArray } from '../../diffusion/ndarray.ts';
import type { NdArray } from '../../diffusion/types.ts';
import { checkOptionNames, SeedspanError } from '../../errors.ts';
import { checkCount } from '../../solver/options.ts';

/** A picture or several: `[..., H, W]`, values meant for [0, 1]. */
export type Pictures = NdArray | NdArray<Float32Array>;

/** Constants of the structural similarity for values from 0 to 1 (Wang, Bovik, Sheikh and Simoncelli, 2004). */
const C1 = 0.01 ** 2;
const C2 = 0.03 ** 2;

/** Mean of the squared differences. */
export function meanSquaredError(a: Pictures, b: Pictures): number {
  checkPair('meanSquaredError', a, b);
  let sum = 0;
  for (let k = 0; k < a.data.length; k++) sum += (a.data[k] - b.data[k]) ** 2;
  return sum / a.data.length;
}

/** Peak signal-to-noise ratio in dB, the peak being 1: `-10 log10 mse`, Infinity for equal pictures. */
export function peakSignalToNoise(a: Pictures, b: Pictures): number {
  return -10 * Math.log10(meanSquaredError(a, b));
}

/**
 * Windowed structural similarity, as scikit-image's `structural_similarity` defines it for a data range of 1: uniform
 * windows, sample covariances (one less than the window's pixels in the denominator), the mean over all windows that
 * lie inside, and over channels and pictures. The library `ssim.js` rounds to 8 bits, makes pictures grey and divides
 * by the number of pixels: in grey, with windows of 7, it agrees to three digits; in colour it measures something else.
 *
 * @param options `window`: side in pixels, odd, at most the picture's; default 7
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`, `UNKNOWN_OPTION`
 */
export function windowedSimilarity(a: Pictures, b: Pictures, options: { window?: number } = {}): number {
  const where = 'windowedSimilarity';
  checkOptionNames(where, options, ['window']);
  checkPair(where, a, b);
  const { window = 7 } = options;
  checkCount(where, 'window', window, 3);
  const [height, width] = a.shape.slice(-2);
  if (window % 2 === 0 || window > Math.min(height, width)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: window must be odd and at most the picture's side, ${Math.min(height, width)}, not ${window}`,
    );
  }
  const n = height * width;
  let sum = 0;
  for (let start = 0; start < a.data.length; start += n) {
    for (let i = 0; i + window <= height; i++) {
      for (let j = 0; j + window <= width; j++) {
        const at = start + i * width + j;
        const pair = moments(window * window, (k) => {
          const place = at + Math.floor(k / window) * width + (k % window);
          return [a.data[place], b.data[place]];
        });
        sum += similarity(pair, 1, 1);
      }
    }
  }
  return sum / ((a.data.length / n) * (height - window + 1) * (width - window + 1));
}

/**
 * Structural similarity with one mean, variance and covariance over all pixels and channels, properly normalised: all
 * second moments have the same denominator, so it is at most 1. It does not see where in the picture an error is, and
 * swings widely; report it beside {@link windowedSimilarity}.
 */
export function globalSimilarity(a: Pictures, b: Pictures): number {
  return overAll('globalSimilarity', a, b, 1);
}

/**
 * {@link globalSimilarity} as the program of arXiv 2511.17634 computes it: the covariance has n - 1 in the denominator
 * and the variances n, so that equal pictures get more than 1 (1.0003 at 32 x 32 in colour).
 */
export function publishedGlobalSimilarity(a: Pictures, b: Pictures): number {
  const n = a?.data?.length;
  return overAll('publishedGlobalSimilarity', a, b, n / (n - 1));
}

/** All measures of a picture against the one that it should be. */
export interface PictureMeasures {
  mse: number;
  /** dB */
  psnr: number;
  /** {@link windowedSimilarity}, absent where the picture is smaller than the window. */
  ssim?: number;
  globalSsim: number;
  publishedGlobalSsim: number;
}

/** The measures of `a` against `b`, values clipped to [0, 1] first, as both papers do. */
export function pictureMeasures(a: Pictures, b: Pictures): PictureMeasures {
  checkPair('pictureMeasures', a, b);
  const [p, q] = [clipped(a), clipped(b)];
  const fits = Math.min(...a.shape.slice(-2)) >= 7;
  return {
    mse: meanSquaredError(p, q),
    psnr: peakSignalToNoise(p, q),
    ...(fits && { ssim: windowedSimilarity(p, q) }),
    globalSsim: globalSimilarity(p, q),
    publishedGlobalSsim: publishedGlobalSimilarity(p, q),
  };
}

function clipped({ data, shape }: Pictures): NdArray {
  return { data: Float64Array.from(data, (value) => Math.min(1, Math.max(0, value))), shape };
}

interface Moments {
  count: number;
  meanA: number;
  meanB: number;
  /** Sums of squared and mixed deviations. */
  aa: number;
  bb: number;
  ab: number;
}

/** Means, then deviations from them: differences of large sums would lose digits. */
function moments(count: number, pair: (k: number) => readonly [number, number]): Moments {
  let [meanA, meanB] = [0, 0];
  for (let k = 0; k < count; k++) {
    const [a, b] = pair(k);
    meanA += a / count;
    meanB += b / count;
  }
  let [aa, bb, ab] = [0, 0, 0];
  for (let k = 0; k < count; k++) {
    const [a, b] = pair(k);
    aa += (a - meanA) ** 2;
    bb += (b - meanB) ** 2;
    ab += (a - meanA) * (b - meanB);
  }
  return { count, meanA, meanB, aa, bb, ab };
}

/** Second moments are divided by `count - less`, the mixed one also multiplied by `mixed`. */
function similarity({ count, meanA, meanB, aa, bb, ab }: Moments, less: 0 | 1, mixed: number): number {
  const n = count - less;
  const luminance = (2 * meanA * meanB + C1) / (meanA ** 2 + meanB ** 2 + C1);
  return (luminance * ((2 * mixed * ab) / n + C2)) / ((aa + bb) / n + C2);
}

function overAll(where: string, a: Pictures, b: Pictures, mixed: number): number {
  checkPair(where, a, b);
  return similarity(
    moments(a.data.length, (k) => [a.data[k], b.data[k]]),
    0,
    mixed,
  );
}

/** Refuses what is no picture, and two that differ in shape. */
export function checkPair(where: string, a: Pictures, b: Pictures): void {
  for (const [name, picture] of [
    ['a', a],
    ['b', b],
  ] as const) {
    checkPictures(`${where}: ${name}`, picture);
  }
  if (a.shape.length === b.shape.length && a.shape.every((n, k) => n === b.shape[k])) return;
  throw new SeedspanError(
    'SHAPE_MISMATCH',
    `${where}: the pictures have different shapes, [${a.shape.join(', ')}] and [${b.shape.join(', ')}]`,
  );
}

export function checkPictures(name: string, picture: Pictures): void {
  const rank = Math.max(2, Array.isArray(picture?.shape) ? picture.shape.length : 2);
  const axes = Array.from({ length: rank }, (_, k) => ['W', 'H'][rank - 1 - k] ?? '...');
  checkNdArray(name, picture, axes);
}
