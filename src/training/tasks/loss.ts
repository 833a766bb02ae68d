import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { Network } from '../network/types.ts';
import type { Batch } from './types.ts';

/** The tensors of a batch, for as long as its step lasts. */
export interface BatchTensors {
  x: Tensor;
  z: Tensor;
  t: Tensor1D;
  index: Tensor1D;
  scale: Tensor;
  weight: Tensor1D;
}

/** @param shape of a sample, channels last */
export function toTensors({ tf }: Network, batch: Batch, shape: readonly number[]): BatchTensors {
  const { samples } = batch;
  return {
    x: tf.tensor(batch.x, [samples, ...shape]),
    z: tf.tensor(batch.z, [samples, ...shape]),
    t: tf.tensor1d(batch.t),
    index: tf.tensor1d(batch.index, 'int32'),
    scale: tf.tensor(batch.scale, [samples, ...shape.map(() => 1)]),
    weight: tf.tensor1d(batch.weight),
  };
}

/**
 * Mean over the samples of `weight * sum((scale * network(x, t) + z)^2)`. With `scale = lambda(t)` and
 * `weight = 1 / (2 g^2)` it is the loss of arXiv 2404.06661 and 2511.17634, which they name sliced Wasserstein; with
 * `scale = -1` and one over the number of pixels that of DDPM.
 *
 * @param indexed whether the network is told the picture's number
 */
export function regressionLoss(
  network: Network,
  { x, z, t, index, scale, weight }: BatchTensors,
  { indexed, dropoutSeed }: { indexed: boolean; dropoutSeed: number },
): Scalar {
  const { tf } = network;
  const output = network.apply(x, t, { training: true, dropoutSeed, ...(indexed && { index }) });
  const error = tf.square(tf.add(tf.mul(output, scale), z));
  const perSample = tf.sum(tf.reshape(error, [x.shape[0], -1]), 1);
  return tf.mean(tf.mul(perSample, weight)) as Scalar;
}
