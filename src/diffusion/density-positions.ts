import { exp, log, power } from '../elementary.ts';
import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { checkNdArray, checkUnitRange } from './ndarray.ts';
import { randomStream } from './random.ts';
import type { NdArray } from './types.ts';

/** Added to the brightness, so that black pixels are drawn too. */
const BASE_WEIGHT = 0.1;
const FLOOR = 1e-10;
/** Largest exponent that may be split into factors: keeps clear of overflow, and 13 digits. */
const MAX_EXPONENT = 300;

/** How positions are drawn from a picture. */
export interface DrawOptions {
  /** Points to draw. Default 2000. */
  count?: number;
  /** Standard deviation of the jitter, in units of the picture's side. Default 0.01. */
  jitter?: number;
  /** Default 0. */
  seed?: number;
  /** Index of the random stream: the image's. Default 0. */
  stream?: number;
}

/**
 * Draws pixel positions of a picture, bright pixels more often (arXiv 2511.17634 and its program).
 *
 * Pixel (i, j) is drawn, with replacement, with weight `mean over channels + 0.1`; its position is
 * `(i/(H-1), j/(W-1))` plus normal jitter in each component, clipped to [0, 1].
 *
 * @param image `[channels, H, W]`, values in [0, 1], H and W at least 2
 * @returns count x 2 values, row-major
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`, `UNKNOWN_OPTION`
 */
export function drawPixelPositions(
  image: NdArray | NdArray<Float32Array>,
  options: DrawOptions = {},
): Float64Array {
  checkOptionNames('drawPixelPositions', options, ['count', 'jitter', 'seed', 'stream']);
  const { count = 2000, jitter = 0.01, seed = 0, stream = 0 } = options;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `drawPixelPositions: count must be a positive integer, not ${show(count)}`,
    );
  }
  if (!(jitter >= 0 && Number.isFinite(jitter))) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `drawPixelPositions: jitter must not be negative, not ${show(jitter)}`,
    );
  }
  checkNdArray('image', image, ['channels', 'H', 'W']);
  checkUnitRange('image', image.data);
  const [channels, height, width] = image.shape;
  checkGrid(height, width);
  const random = randomStream(seed, stream);
  const cumulative = cumulativeWeights(image.data, channels, height * width);
  const points = new Float64Array(2 * count);
  for (let s = 0; s < count; s++) {
    const pixel = firstAbove(cumulative, random.uniform() * cumulative[cumulative.length - 1]);
    const x = Math.floor(pixel / width) / (height - 1) + jitter * random.normal();
    const y = (pixel % width) / (width - 1) + jitter * random.normal();
    points[2 * s] = Math.min(1, Math.max(0, x));
    points[2 * s + 1] = Math.min(1, Math.max(0, y));
  }
  return points;
}

function cumulativeWeights(data: ArrayLike<number>, channels: number, pixels: number): Float64Array {
  const cumulative = new Float64Array(pixels);
  let sum = 0;
  for (let k = 0; k < pixels; k++) {
    let brightness = 0;
    for (let c = 0; c < channels; c++) brightness += data[c * pixels + k];
    sum += brightness / channels + BASE_WEIGHT;
    cumulative[k] = sum;
  }
  return cumulative;
}

/** Index of the first entry greater than `value`, which is below the last entry. */
function firstAbove(cumulative: Float64Array, value: number): number {
  let [low, high] = [0, cumulative.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Log density of sample points on the unit square's grid: Gaussian kernel density estimate with the points'
 * covariance and Scott's bandwidth (D. W. Scott, Multivariate Density Estimation, 1992; `n^(-1/6)` in the
 * plane), floored at 1e-10, normalised to `sum p dx dy = 1` with `dx = 1/(H-1)`, `dy = 1/(W-1)`.
 *
 * @param samples n x 2 values, row-major, n at least 2
 * @param grid `height` and `width`, at least 2
 * @returns H W values, row-major; component 0 of the samples runs along the rows' index
 * @throws SeedspanError `INVALID_VALUE` when the points lie on a line; `SHAPE_MISMATCH`
 */
export function logDensityFromSamples(
  samples: Float64Array,
  grid: { height: number; width: number },
): Float64Array {
  return logDensityOfSamples(samples, grid, plainProduct);
}

/** The product of an H x n matrix, row-major, and an n x W one. */
export type MatrixProduct = (
  left: Float64Array,
  right: Float64Array,
  height: number,
  n: number,
  width: number,
) => Float64Array;

/** In plain JavaScript. */
export const plainProduct: MatrixProduct = (left, right, height, n, width) => {
  const product = new Float64Array(height * width);
  for (let s = 0; s < n; s++) {
    for (let i = 0; i < height; i++) {
      const factor = left[i * n + s];
      for (let j = 0; j < width; j++) product[i * width + j] += factor * right[s * width + j];
    }
  }
  return product;
};

/** As `logDensityFromSamples`, with the sum over the samples by `product`. */
export function logDensityOfSamples(
  samples: Float64Array,
  grid: { height: number; width: number },
  product: MatrixProduct,
): Float64Array {
  const { height, width } = grid;
  checkGrid(height, width);
  const kernel = scottKernel(samples);
  const x = Float64Array.from({ length: height }, (_, i) => i / (height - 1));
  const y = Float64Array.from({ length: width }, (_, j) => j / (width - 1));
  const density = isMild(kernel, samples)
    ? sumFactored(kernel, samples, x, y, product)
    : sumDirectly(kernel, samples, x, y);
  let total = 0;
  for (let k = 0; k < density.length; k++) {
    density[k] = Math.max(density[k] * kernel.factor, FLOOR);
    total += density[k];
  }
  const mass = total / ((height - 1) * (width - 1));
  return density.map((value) => log(value / mass));
}

/** `factor exp(-(a u^2 + 2 b u v + c v^2) / 2)`, (u, v) the way from a sample. */
interface Kernel {
  a: number;
  b: number;
  c: number;
  factor: number;
}

function scottKernel(samples: Float64Array): Kernel {
  const n = samples.length / 2;
  if (!Number.isInteger(n) || n < 2) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `logDensityFromSamples: samples must be n x 2 with n at least 2, but have ${samples.length} values`,
      { length: samples.length },
    );
  }
  const bad = samples.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new SeedspanError('INVALID_VALUE', `logDensityFromSamples: samples[${bad}] is ${samples[bad]}`, {
      index: bad,
    });
  }
  const mean = [0, 0];
  for (let s = 0; s < n; s++) {
    mean[0] += samples[2 * s] / n;
    mean[1] += samples[2 * s + 1] / n;
  }
  let [xx, xy, yy] = [0, 0, 0];
  for (let s = 0; s < n; s++) {
    const u = samples[2 * s] - mean[0];
    const v = samples[2 * s + 1] - mean[1];
    xx += (u * u) / (n - 1);
    xy += (u * v) / (n - 1);
    yy += (v * v) / (n - 1);
  }
  const determinant = xx * yy - xy * xy;
  // What rounding alone leaves of a determinant that is zero.
  if (!(determinant > 1e-14 * xx * yy)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      'logDensityFromSamples: the samples lie on one line or in one point, so their covariance is singular; a density needs samples that spread in both directions',
      { covariance: [xx, xy, yy] },
    );
  }
  const bandwidth = power(n, -1 / 3);
  return {
    a: yy / (determinant * bandwidth),
    b: -xy / (determinant * bandwidth),
    c: xx / (determinant * bandwidth),
    factor: 1 / (2 * Math.PI * n * bandwidth * Math.sqrt(determinant)),
  };
}

/** Whether no exponent of `sumFactored` can come near the limits of floating point. */
function isMild({ a, b, c }: Kernel, samples: Float64Array): boolean {
  const reach = samples.reduce((most, value) => Math.max(most, Math.abs(value - 0.5)), 0.5) + 0.5;
  return 0.5 * (a + 2 * Math.abs(b) + c) * reach * reach <= MAX_EXPONENT;
}

/**
 * With positions taken from the square's centre, `u v = x y - x q - p y + p q` for a sample (p, q): the mixed
 * term splits as the others do, and the sum over samples is a product of an H x n and an n x W matrix.
 */
function sumFactored(
  { a, b, c }: Kernel,
  samples: Float64Array,
  x: Float64Array,
  y: Float64Array,
  product: MatrixProduct,
): Float64Array {
  const [height, width] = [x.length, y.length];
  const n = samples.length / 2;
  const left = new Float64Array(height * n);
  const right = new Float64Array(n * width);
  for (let s = 0; s < n; s++) {
    const p = samples[2 * s] - 0.5;
    const q = samples[2 * s + 1] - 0.5;
    for (let i = 0; i < height; i++) {
      const u = x[i] - 0.5 - p;
      left[i * n + s] = exp(-0.5 * a * u * u + b * q * (x[i] - 0.5) - b * p * q);
    }
    for (let j = 0; j < width; j++) {
      const v = y[j] - 0.5 - q;
      right[s * width + j] = exp(-0.5 * c * v * v + b * p * (y[j] - 0.5));
    }
  }
  const sum = product(left, right, height, n, width);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) sum[i * width + j] *= exp(-b * (x[i] - 0.5) * (y[j] - 0.5));
  }
  return sum;
}

function sumDirectly(
  { a, b, c }: Kernel,
  samples: Float64Array,
  x: Float64Array,
  y: Float64Array,
): Float64Array {
  const sum = new Float64Array(x.length * y.length);
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < y.length; j++) {
      for (let s = 0; s < samples.length; s += 2) {
        const u = x[i] - samples[s];
        const v = y[j] - samples[s + 1];
        sum[i * y.length + j] += exp(-0.5 * (a * u * u + 2 * b * u * v + c * v * v));
      }
    }
  }
  return sum;
}

function checkGrid(height: number, width: number): void {
  for (const [name, value] of Object.entries({ height, width })) {
    if (Number.isSafeInteger(value) && value >= 2) continue;
    throw new SeedspanError(
      'INVALID_VALUE',
      `pixel-positions density: ${name} must be at least 2, not ${show(value)}`,
      {
        [name]: value,
      },
    );
  }
}
