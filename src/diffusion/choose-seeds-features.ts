import { dot } from './choose-seeds-leverage.ts';
import type { NdArray, Scheme } from './types.ts';

/** Fields with more points a side are averaged over blocks: distances hardly change, and cost less. */
const MOST_POINTS = 16;

/** What tells images apart: a row of numbers each. */
export type SeedFeatures = 'coefficients' | 'log-density' | 'pixels';

/** Rows of equal length, one an image, without their mean. */
export interface FeatureRows {
  data: Float64Array;
  count: number;
  length: number;
}

/**
 * What the matrices of a scheme are made of at the first level: in `na2024` the difference of a log density along
 * the rows' order, in the others its differences along both axes. With `gradient` false the fields as they are.
 *
 * @param fields `[images, channels, H, W]`
 */
export function featureRows(
  { data, shape }: NdArray | NdArray<Float32Array>,
  scheme: Scheme,
  gradient: boolean,
): FeatureRows {
  const [count, channels, height, width] = shape;
  const n = height * width;
  const parts: ((field: ArrayLike<number>, k: number) => number)[] = !gradient
    ? [(field, k) => field[k]]
    : scheme === 'na2024'
      ? [(field, k) => field[Math.min(k + 1, n - 1)] - field[Math.max(k - 1, 0)]]
      : [
          (field, k) => field[k + width < n ? k + width : k] - field[k >= width ? k - width : k],
          (field, k) => field[k % width < width - 1 ? k + 1 : k] - field[k % width > 0 ? k - 1 : k],
        ];
  const down = Math.min(height, MOST_POINTS);
  const across = Math.min(width, MOST_POINTS);
  const length = channels * parts.length * down * across;
  const rows = new Float64Array(count * length);
  for (let image = 0; image < count; image++) {
    let to = image * length;
    for (let channel = 0; channel < channels; channel++) {
      const start = (image * channels + channel) * n;
      const field = data.subarray(start, start + n);
      for (const part of parts) {
        for (let k = 0; k < n; k++) {
          const i = Math.floor((Math.floor(k / width) * down) / height);
          const j = Math.floor(((k % width) * across) / width);
          rows[to + i * across + j] += part(field, k);
        }
        to += down * across;
      }
    }
  }
  // About the first row before their mean: equal images leave zeros, not rounding.
  const first = rows.slice(0, length);
  const mean = new Float64Array(length);
  for (let p = 0; p < rows.length; p++) {
    rows[p] -= first[p % length];
    mean[p % length] += rows[p] / count;
  }
  for (let p = 0; p < rows.length; p++) rows[p] -= mean[p % length];
  return { data: rows, count, length };
}

/** The products of all rows with each other. */
export function gramMatrix({ data, count, length }: FeatureRows): Float64Array {
  const gram = new Float64Array(count * count);
  const row = (i: number) => data.subarray(i * length, (i + 1) * length);
  for (let i = 0; i < count; i++) {
    const mine = row(i);
    for (let j = 0; j <= i; j++) {
      gram[i * count + j] = dot(mine, row(j));
      gram[j * count + i] = gram[i * count + j];
    }
  }
  return gram;
}

/** Euclidean distances of rows whose products are known; of equal rows exactly 0. */
export function distanceMatrix(gram: Float64Array, n: number): Float64Array {
  const distances = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const squared = gram[i * n + i] + gram[j * n + j] - 2 * gram[i * n + j];
      distances[i * n + j] = Math.sqrt(Math.max(0, squared));
      distances[j * n + i] = distances[i * n + j];
    }
  }
  return distances;
}
