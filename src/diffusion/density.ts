import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { checkCount } from '../solver/options.ts';
import { logDensityOfPairs, type PairDensity, plainPairDensity } from './density-pairs.ts';
import {
  drawPixelPositions,
  logDensityOfSamples,
  type MatrixProduct,
  plainProduct,
} from './density-positions.ts';
import { checkNdArray, checkUnitRange } from './ndarray.ts';
import type { DensityKind, NdArray } from './types.ts';

/** How pictures become log densities. */
export interface InitialDensityOptions {
  /** Seed of the draws of `pixel-positions`. Default 0. */
  seed?: number;
  /** Random stream of the first image; the others follow. Default 0. For pictures handed over a part at a time. */
  firstStream?: number;
  /** Looked at before each image. */
  signal?: AbortSignal;
}

/**
 * The log densities from which the schemes start.
 *
 * `pixel-pairs`: one a channel, `pixelPairsLogDensity`; pictures must be square.
 * `pixel-positions`: one an image, `logDensityFromSamples` of `drawPixelPositions`, so the result has one channel.
 * Image i draws from the random stream (seed, firstStream + i): it gets the same density in any batch.
 *
 * @param images `[images, channels, H, W]`, values in [0, 1]
 * @returns `[images, channels or 1, H, W]`
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`, `UNKNOWN_OPTION`; the signal's reason
 *   when aborted
 */
export function initialLogDensity(
  images: NdArray | NdArray<Float32Array>,
  kind: DensityKind,
  options: InitialDensityOptions = {},
): NdArray {
  return logDensitiesWith(PLAIN, images, kind, options);
}

/** The two sums that take the time. */
export interface DensityTools {
  pairDensity: PairDensity;
  product: MatrixProduct;
}

const PLAIN: DensityTools = { pairDensity: plainPairDensity, product: plainProduct };

/** As `initialLogDensity`, with other tools than plain JavaScript. */
export function logDensitiesWith(
  tools: DensityTools,
  images: NdArray | NdArray<Float32Array>,
  kind: DensityKind,
  options: InitialDensityOptions,
): NdArray {
  checkOptionNames('initialLogDensity', options, ['seed', 'firstStream', 'signal']);
  const { seed = 0, firstStream = 0, signal } = options;
  checkCount('initialLogDensity', 'firstStream', firstStream, 0);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new SeedspanError(
      'INVALID_TYPE',
      `initialLogDensity: signal must be an AbortSignal, not ${show(signal)}`,
    );
  }
  if (kind !== 'pixel-pairs' && kind !== 'pixel-positions') {
    throw new SeedspanError(
      'INVALID_VALUE',
      `density must be pixel-pairs or pixel-positions, not ${show(kind)}`,
    );
  }
  checkNdArray('images', images, ['images', 'channels', 'H', 'W']);
  checkUnitRange('images', images.data);
  const [count, channels, height, width] = images.shape;
  const n = height * width;
  const fields = kind === 'pixel-pairs' ? channels : 1;
  const data = new Float64Array(count * fields * n);
  for (let i = 0; i < count; i++) {
    signal?.throwIfAborted();
    const image = images.data.subarray(i * channels * n, (i + 1) * channels * n);
    if (kind === 'pixel-pairs') {
      for (let c = 0; c < channels; c++) {
        const channel = image.subarray(c * n, (c + 1) * n);
        data.set(logDensityOfPairs(channel, height, width, tools.pairDensity), (i * channels + c) * n);
      }
    } else {
      const picture = { data: image, shape: [channels, height, width] } as NdArray;
      const samples = drawPixelPositions(picture, { seed, stream: firstStream + i });
      data.set(logDensityOfSamples(samples, { height, width }, tools.product), i * n);
    }
  }
  return { data, shape: [count, fields, height, width] };
}
