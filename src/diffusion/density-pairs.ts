import { SeedspanError } from '../errors.ts';
import { checkUnitRange } from './ndarray.ts';

const BINS = 256;
const FLOOR = 1e-300;

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
  checkUnitRange('pixel-pairs density', channel);
  const mirrored = Float64Array.from(channel, (_, k) => channel[(k % width) * width + Math.floor(k / width)]);
  const density = smoothedHistogram(mirrored, channel);
  return mirrored.map((x, k) => Math.log(bilinear(density, BINS * x, BINS * channel[k])));
}

/** Smoothed density of the pairs on BINS x BINS bins, floored. */
function smoothedHistogram(x: ArrayLike<number>, y: ArrayLike<number>): Float64Array {
  const n = x.length;
  const kernel = smoothingMatrix(BINS * n ** (-1 / 6));
  const unit = (BINS * BINS) / n;
  // Most bins are empty, so the first axis is smoothed pair by pair.
  const half = new Float64Array(BINS * BINS);
  for (let k = 0; k < n; k++) {
    const row = bin(y[k]) * BINS;
    const column = bin(x[k]) * BINS;
    for (let i = 0; i < BINS; i++) half[row + i] += unit * kernel[column + i];
  }
  const density = new Float64Array(BINS * BINS);
  for (let j = 0; j < BINS; j++) {
    for (let q = 0; q < BINS; q++) {
      const weight = kernel[q * BINS + j];
      for (let i = 0; i < BINS; i++) density[j * BINS + i] += weight * half[q * BINS + i];
    }
  }
  return density.map((value) => Math.max(value, FLOOR));
}

/** The last bin is closed: 1 belongs to it. */
function bin(value: number): number {
  return Math.min(BINS - 1, Math.floor(BINS * value));
}

/**
 * Gaussian smoothing of BINS values as a matrix, row q the effect of bin q: truncated at 4 sigma, normalised,
 * and reflected about the edges (d c b a | a b c d | d c b a), as often as the kernel is wide.
 */
function smoothingMatrix(sigma: number): Float64Array {
  const radius = Math.floor(4 * sigma + 0.5);
  const weights = Float64Array.from({ length: radius + 1 }, (_, d) =>
    Math.exp((-0.5 * d * d) / (sigma * sigma)),
  );
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
  return matrix;
}

/** Value at bin coordinates (x, y), clipped to the bins; `density` has y as its slow index. */
function bilinear(density: Float64Array, x: number, y: number): number {
  const [cx, cy] = [Math.min(x, BINS - 1), Math.min(y, BINS - 1)];
  const i = Math.min(Math.floor(cx), BINS - 2);
  const j = Math.min(Math.floor(cy), BINS - 2);
  const [a, b] = [cx - i, cy - j];
  const at = j * BINS + i;
  return (
    (1 - a) * (1 - b) * density[at] +
    a * (1 - b) * density[at + 1] +
    (1 - a) * b * density[at + BINS] +
    a * b * density[at + BINS + 1]
  );
}
