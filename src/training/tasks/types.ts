import type { NdArray } from '../../diffusion/types.ts';

/** Pictures to train on: `[images, channels, H, W]`, values in [0, 1]. */
export type TrainingPictures = NdArray | NdArray<Float32Array>;

/**
 * What a step trains on. The loss of every task is the mean over the samples of
 * `weight * sum over pixels and channels of (scale * network(x, t) + z)^2`.
 */
export interface Batch {
  samples: number;
  /** What the network is shown, `[samples, H, W, channels]`. */
  x: Float32Array;
  /** The normal noise that is in it, in the same layout. */
  z: Float32Array;
  /** Time that the network is told, one a sample, in [0, 1]. */
  t: Float32Array;
  /** Number of each sample's picture. */
  index: Int32Array;
  scale: Float32Array;
  weight: Float32Array;
}

/** What there is to learn: a batch for every step, which depends on seed and step alone. */
export interface Task {
  /** Steps of an epoch. */
  readonly stepsPerEpoch: number;
  /** @param step from 0 */
  batch(step: number): Batch;
}

/** What a task draws at a step. */
export type Purpose = 'noise' | 'choice' | 'dropout';

const PURPOSES: readonly Purpose[] = ['noise', 'choice', 'dropout'];
/** Streams below are those of densities, embeddings and samplers. */
const FIRST_STREAM = 2 ** 44;

/** The random stream of a step, by purpose: a run that goes on from a step draws what it would have drawn. */
export function stepStream(step: number, purpose: Purpose): number {
  return FIRST_STREAM + PURPOSES.length * step + PURPOSES.indexOf(purpose);
}

/** An empty batch. */
export function newBatch(samples: number, size: number): Batch {
  return {
    samples,
    x: new Float32Array(samples * size),
    z: new Float32Array(samples * size),
    t: new Float32Array(samples),
    index: new Int32Array(samples),
    scale: new Float32Array(samples),
    weight: new Float32Array(samples),
  };
}

/**
 * Fills a sample: noise `z` in the order channels, H, W of the pictures, and `x = mean(k) + deviation z`, both stored
 * with the channels last.
 */
export function fillSample(
  batch: Batch,
  sample: number,
  shape: readonly number[],
  normal: () => number,
  mean: (k: number) => number,
  deviation: number,
): void {
  const [channels, height, width] = shape;
  const pixels = height * width;
  const start = sample * channels * pixels;
  for (let c = 0; c < channels; c++) {
    for (let k = 0; k < pixels; k++) {
      const z = normal();
      const at = start + k * channels + c;
      batch.z[at] = z;
      batch.x[at] = mean(c * pixels + k) + deviation * z;
    }
  }
}
