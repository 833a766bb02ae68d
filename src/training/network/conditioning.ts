import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { silu } from '../tensors/ops.ts';
import type { Tensors } from '../tensors/types.ts';
import type { LayerFactory } from './layers.ts';
import type { ResolvedUnetOptions } from './unet-options.ts';

/** What the blocks are told beside the picture. */
export interface Conditioning {
  /** Length of the vector. */
  channels: number;
  /** `[batch, channels]`. */
  of(t: Tensor1D, index: Tensor1D | undefined): Tensor2D;
}

/** The embeddings of time and image, added, with SiLU at their end; undefined where there is neither. */
export function createConditioning(
  tf: Tensors,
  layers: LayerFactory,
  options: ResolvedUnetOptions,
): Conditioning | undefined {
  const { width, timeEmbedding, images } = options;
  const channels = 4 * width;
  const time = timeEmbedding === 'none' ? undefined : timeLayers(tf, layers, options, channels);
  const image = images > 0 ? layers.embedding('image', images, channels) : undefined;
  if (time === undefined && image === undefined) return undefined;
  return {
    channels,
    of(t, index) {
      const parts: Tensor2D[] = [];
      if (time !== undefined) parts.push(time(t));
      if (image !== undefined && index !== undefined) parts.push(image(index));
      return silu(
        tf,
        parts.reduce((sum, part) => tf.add(sum, part)),
      );
    },
  };
}

function timeLayers(
  tf: Tensors,
  layers: LayerFactory,
  { width, timeEmbedding, timeScale }: ResolvedUnetOptions,
  channels: number,
): (t: Tensor1D) => Tensor2D {
  const half = Math.max(4, Math.ceil(width / 2));
  const linear = timeEmbedding === 'linear' ? layers.dense('time.0', 1, 2 * half) : undefined;
  const first = layers.dense('time.1', 2 * half, channels);
  const second = layers.dense('time.2', channels, channels);
  const waves = (column: Tensor2D): Tensor2D => {
    const frequencies = Float32Array.from(
      { length: half },
      (_, k) => timeScale * Math.exp((-Math.log(10000) * k) / (half - 1)),
    );
    const angles = tf.mul(column, tf.tensor2d(frequencies, [1, half]));
    return tf.concat([tf.sin(angles), tf.cos(angles)], 1) as Tensor2D;
  };
  return (t) => {
    const column = tf.reshape(t, [t.size, 1]) as Tensor2D;
    return second(silu(tf, first(linear === undefined ? waves(column) : linear(column))));
  };
}
