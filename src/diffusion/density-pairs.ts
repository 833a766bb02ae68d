import { exp, log, power } from '../elementary.ts';
import { SeedspanError } from '../errors.ts';
import { checkUnitRange } from './ndarray.ts';

/** Bins along an axis of the histogram. */
export const BINS = 256;
/** The least density of a bin. */
export const FLOOR = 1e-300;

/** Density of all pairs (x[k], y[k]) at the first `wanted` of them. */
export type PairDensity = (x: ArrayLike<number>, y: ArrayLike<number>, wanted: number) => Float64Array;

/**
 * Log density of one channel by the histogram of pixel pairs (arXiv 2404.06661 and its program).
 *
 * Pixel (r, c) gives the pair (value at (c, r), value at (r, c)). The pairs' 256 x 256 histogram on [0, 1]^2,
 * as a density, is smoothed by a Gaussian of `256 n^(-1/6)` bins (n pairs), floored at 1e-300, looked up
 * bilinearly at each pixel's own pair, and its logarithm taken.
 *
 * @param channel n = height width values in [0, 1], row-major
 * @returns log density at each pixel, row-major
 * @throws SeedspanError `SHAPE_MISMATCH` when the channel is not square; `INVALID_VALUE`
 */
export function pixelPairsLogDensity(
  channel: ArrayLike<number>,
  height: number,
  width: number,
): Float64Array {
  checkUnitRange('pixel-pairs density', channel);
  return logDensityOfPairs(channel, height, width, plainPairDensity);
}

/** As `pixelPairsLogDensity`, of values that are known to lie in [0, 1], with the smoothing by `density`. */
export function logDensityOfPairs(
  channel: ArrayLike<number>,
  height: number,
  width: number,
  density: PairDensity,
): Float64Array {
  if (height !== width) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `pixel-pairs density: a pixel is paired with its mirror image across the diagonal, so pictures must be square, not ${height} x ${width}; crop them, or use pixel-positions`,
      { height, width },
    );
  }
  const n = height * width;
  if (channel.length !== n) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `pixel-pairs density: ${height} x ${width} needs ${n} values, not ${channel.length}`,
      { height, width, length: channel.length },
    );
  }
  // Pixels across the diagonal from each other have the same pair the other way round, and so the same density: it
  // is looked up on the diagonal and on one side of it, whose pairs come first.
  const wanted = (height * (height + 1)) / 2;
  const x = new Float64Array(n);
  const y = new Float64Array(n);
  for (let r = 0, k = 0, other = wanted; r < height; r++) {
    for (let c = 0; c <= r; c++) {
      const [above, below] = [channel[c * width + r], channel[r * width + c]];
      [x[k], y[k]] = [above, below];
      k++;
      if (c === r) continue;
      [x[other], y[other]] = [below, above];
      other++;
    }
  }
  const found = density(x, y, wanted);
  const result = new Float64Array(n);
  for (let r = 0, k = 0; r < height; r++) {
    for (let c = 0; c <= r; c++, k++) {
      const value = log(found[k]);
      result[r * width + c] = value;
      result[c * width + r] = value;
    }
  }
  return result;
}

/** In plain JavaScript. */
export const plainPairDensity: PairDensity = (x, y, wanted) => {
  const density = smoothedHistogram(x, y);
  return Float64Array.from({ length: wanted }, (_, k) => bilinear(density, BINS * x[k], BINS * y[k]));
};

/**
 * Smoothed density of the pairs at bin (i, j), x and y, floored. The look-ups ask for a few thousand bins of
 * 65,536, so the second axis is smoothed where a bin is asked for, and only there.
 */
function smoothedHistogram(x: ArrayLike<number>, y: ArrayLike<number>): (i: number, j: number) => number {
  const n = x.length;
  const kernel = smoothingMatrix(n);
  const unit = (BINS * BINS) / n;
  // Most bins are empty, so the first axis is smoothed pair by pair. Row i has bin i of x, smoothed, over y.
  const half = new Float64Array(BINS * BINS);
  for (let k = 0; k < n; k++) {
    const row = bin(y[k]) * BINS;
    const column = bin(x[k]) * BINS;
    for (let i = 0; i < BINS; i++) half[row + i] += unit * kernel[column + i];
  }
  const rows = transposed(half);
  const weights = transposed(kernel);
  const density = new Float64Array(BINS * BINS).fill(Number.NaN);
  return (i, j) => {
    const at = j * BINS + i;
    if (Number.isNaN(density[at])) {
      let sum = 0;
      for (let q = 0, p = i * BINS, w = j * BINS; q < BINS; q++) sum += weights[w++] * rows[p++];
      density[at] = Math.max(sum, FLOOR);
    }
    return density[at];
  };
}

function transposed(matrix: Float64Array): Float64Array {
  const result = new Float64Array(BINS * BINS);
  for (let i = 0; i < BINS; i++) for (let j = 0; j < BINS; j++) result[j * BINS + i] = matrix[i * BINS + j];
  return result;
}

/** The last bin is closed: 1 belongs to it. */
function bin(value: number): number {
  return Math.min(BINS - 1, Math.floor(BINS * value));
}

/** The channels of a run all have the same. */
let lastMatrix: { n: number; matrix: Float64Array } | undefined;

/**
 * Gaussian smoothing of BINS values, of n pairs, as a matrix, row q the effect of bin q: truncated at 4 sigma, normalised,
 * and reflected about the edges (d c b a | a b c d | d c b a), as often as the kernel is wide.
 */
export function smoothingMatrix(n: number): Float64Array {
  if (lastMatrix?.n === n) return lastMatrix.matrix;
  const sigma = BINS * power(n, -1 / 6);
  const radius = Math.floor(4 * sigma + 0.5);
  const weights = Float64Array.from({ length: radius + 1 }, (_, d) => exp((-0.5 * d * d) / (sigma * sigma)));
  const total = weights.reduce((sum, weight) => sum + 2 * weight, -weights[0]);
  const matrix = new Float64Array(BINS * BINS);
  for (let i = 0; i < BINS; i++) {
    for (let d = -radius; d <= radius; d++) {
      const period = 2 * BINS;
      const wrapped = (((i + d) % period) + period) % period;
      const source = wrapped < BINS ? wrapped : period - 1 - wrapped;
      matrix[source * BINS + i] += weights[Math.abs(d)] / total;
    }
  }
  lastMatrix = { n, matrix };
  return matrix;
}

/** Value at bin coordinates (x, y), clipped to the bins. */
function bilinear(density: (i: number, j: number) => number, x: number, y: number): number {
  const [cx, cy] = [Math.min(x, BINS - 1), Math.min(y, BINS - 1)];
  const i = Math.min(Math.floor(cx), BINS - 2);
  const j = Math.min(Math.floor(cy), BINS - 2);
  const [a, b] = [cx - i, cy - j];
  return (
    (1 - a) * (1 - b) * density(i, j) +
    a * (1 - b) * density(i + 1, j) +
    (1 - a) * b * density(i, j + 1) +
    a * b * density(i + 1, j + 1)
  );
}
