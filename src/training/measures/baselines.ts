import { randomStream } from '../../diffusion/random.ts';
import type { NdArray } from '../../diffusion/types.ts';
import { checkOptionNames, SeedspanError, show } from '../../errors.ts';
import {
  checkPair,
  checkPictures,
  type PictureMeasures,
  type Pictures,
  pictureMeasures,
  windowedSimilarity,
} from './similarity.ts';

/** How pictures are made noisy. */
export interface NoiseOptions {
  /** Standard deviation. Default 0.506, as in the experiment of arXiv 2511.17634. */
  noise?: number;
  /** Default 0. Each picture (first axis) has the stream (seed, firstStream + its number). */
  seed?: number;
  /** Default 2^52, apart from the streams of training and of the samplers. */
  firstStream?: number;
  /** Whether values are brought back into [0, 1], as in the program of arXiv 2511.17634. Default true. */
  clip?: boolean;
}

/**
 * Pictures with normal noise added.
 *
 * @param pictures `[images, ..., H, W]`
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`, `UNKNOWN_OPTION`
 */
export function noisyPictures(pictures: Pictures, options: NoiseOptions = {}): NdArray {
  const where = 'noisyPictures';
  checkOptionNames(where, options, ['noise', 'seed', 'firstStream', 'clip']);
  checkPictures(`${where}: pictures`, pictures);
  const { noise = 0.506, seed = 0, firstStream = 2 ** 52, clip = true } = options;
  checkNotNegative(where, 'noise', noise);
  const data = Float64Array.from(pictures.data);
  const size = data.length / pictures.shape[0];
  for (let image = 0; image < pictures.shape[0]; image++) {
    const random = randomStream(seed, firstStream + image);
    for (let k = image * size; k < (image + 1) * size; k++) {
      const value = data[k] + noise * random.normal();
      data[k] = clip ? Math.min(1, Math.max(0, value)) : value;
    }
  }
  return { data, shape: [...pictures.shape] };
}

/**
 * Gaussian blur of each plane, as SciPy's `gaussian_filter` makes it: cut off at four deviations, the border
 * mirrored with its pixels repeated.
 *
 * @param pictures `[..., H, W]`
 * @param deviation in pixels; 0 changes nothing
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`
 */
export function gaussianBlur(pictures: Pictures, deviation: number): NdArray {
  checkPictures('gaussianBlur: pictures', pictures);
  checkNotNegative('gaussianBlur', 'deviation', deviation);
  const shape = [...pictures.shape];
  const data = Float64Array.from(pictures.data);
  const radius = Math.floor(4 * deviation + 0.5);
  if (radius === 0) return { data, shape };
  const weights = Array.from({ length: radius + 1 }, (_, k) => Math.exp(-0.5 * (k / deviation) ** 2));
  const total = weights.reduce((sum, weight) => sum + 2 * weight, -weights[0]);
  const [height, width] = shape.slice(-2);
  const along = (from: Float64Array, length: number, stride: number, start: number, to: Float64Array) => {
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let k = -radius; k <= radius; k++) {
        sum += weights[Math.abs(k)] * from[start + stride * mirrored(i + k, length)];
      }
      to[start + stride * i] = sum / total;
    }
  };
  const half = new Float64Array(data.length);
  for (let plane = 0; plane < data.length; plane += height * width) {
    for (let j = 0; j < width; j++) along(data, height, width, plane + j, half);
    for (let i = 0; i < height; i++) along(half, width, 1, plane + i * width, data);
  }
  return { data, shape };
}

function mirrored(index: number, length: number): number {
  const period = 2 * length;
  const inside = ((index % period) + period) % period;
  return inside < length ? inside : period - 1 - inside;
}

/** The best blur, and how good it is. */
export interface BlurBaseline {
  /** Deviation of the blur, in pixels. */
  deviation: number;
  picture: NdArray;
  measures: PictureMeasures;
}

const [NARROWEST, RATIO] = [0.2, 1.15];

/**
 * The Gaussian blur of `noisy` that comes nearest to `picture`: what denoising without any learning reaches, told
 * the truth. The deviation is sought on a geometric grid from 0 to half of the picture's side, then between the
 * neighbours of the best by golden section.
 *
 * @param measure what is made largest; default {@link windowedSimilarity}
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`
 */
export function bestBlur(
  noisy: Pictures,
  picture: Pictures,
  measure: (a: Pictures, b: Pictures) => number = windowedSimilarity,
): BlurBaseline {
  checkPair('bestBlur', noisy, picture);
  const widest = Math.min(...picture.shape.slice(-2)) / 2;
  const grid = [0];
  for (let deviation = NARROWEST; deviation < widest; deviation *= RATIO) grid.push(deviation);
  const at = (deviation: number) => measure(gaussianBlur(noisy, deviation), picture);
  const values = grid.map(at);
  const best = values.indexOf(Math.max(...values));
  let [low, high] = [grid[Math.max(0, best - 1)], grid[Math.min(grid.length - 1, best + 1)]];
  const golden = (Math.sqrt(5) - 1) / 2;
  while (high - low > 1e-3) {
    const [p, q] = [high - golden * (high - low), low + golden * (high - low)];
    if (at(p) > at(q)) high = q;
    else low = p;
  }
  const middle = (low + high) / 2;
  const deviation = at(middle) > values[best] ? middle : grid[best];
  const blurred = gaussianBlur(noisy, deviation);
  return { deviation, picture: blurred, measures: pictureMeasures(blurred, picture) };
}

function checkNotNegative(where: string, name: string, value: unknown): void {
  if (typeof value === 'number' && value >= 0 && value < Infinity) return;
  throw new SeedspanError(
    typeof value === 'number' ? 'INVALID_VALUE' : 'INVALID_TYPE',
    `${where}: ${name} must be a finite number, 0 or larger, not ${show(value)}`,
  );
}
