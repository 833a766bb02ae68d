import type {
  NamedAttrMap,
  NamedTensorMap,
  Tensor,
  Tensor1D,
  Tensor2D,
  Tensor3D,
  Tensor4D,
} from '@tensorflow/tfjs-core';
import { GROUP_NORM, SILU } from './kernels/normalisation.ts';
import { TRAINED_CONVOLUTION } from './kernels/trained-convolution.ts';
import type { Tensors } from './types.ts';

/** Whether the back end in use has the kernel; others take the composition of tfjs's operations. */
function has(tf: Tensors, kernel: string): boolean {
  return tf.getKernel(kernel, tf.getBackend()) !== undefined;
}

export interface ConvolutionOptions {
  /** Default 1. */
  stride?: 1 | 2;
  /** `[outChannels]`, added to each pixel of the output. */
  bias?: Tensor1D;
}

/**
 * Convolution of x `[batch, height, width, inChannels]` with a filter `[height, width, inChannels, outChannels]`, with
 * zeros around the picture: the output's sides are `ceil(side / stride)`.
 */
export function conv2d(
  tf: Tensors,
  x: Tensor4D,
  filter: Tensor4D,
  { stride = 1, bias }: ConvolutionOptions = {},
): Tensor4D {
  const engine = tf.engine();
  // In training each filter is used once.
  if (bias !== undefined && engine.state.gradientDepth > 0 && has(tf, TRAINED_CONVOLUTION)) {
    const attributes = { strides: [stride, stride], pad: 'same', dataFormat: 'NHWC', dilations: [1, 1] };
    return engine.runKernel(
      TRAINED_CONVOLUTION,
      { x, filter, bias } as NamedTensorMap,
      attributes,
    ) as Tensor4D;
  }
  return tf.fused.conv2d({ x, filter, strides: stride, pad: 'same', bias });
}

export interface GroupNormOptions {
  groups: number;
  /** Added to the variance. Default 1e-5. */
  epsilon?: number;
  /** SiLU of the result, in the same sweep. Default `none`. */
  activation?: 'silu' | 'none';
}

/**
 * GroupNorm (Wu and He 2018) of x `[batch, height, width, channels]`: values of `channels / groups` neighbouring
 * channels of an image get mean 0 and deviation 1, then each channel its factor and its summand.
 *
 * @param gamma `[channels]`
 * @param beta `[channels]`, or `[batch, channels]` where each image has its own, such as one moved by an embedding
 *   of the time
 */
export function groupNorm(
  tf: Tensors,
  x: Tensor4D,
  gamma: Tensor1D,
  beta: Tensor1D | Tensor2D,
  { groups, epsilon = 1e-5, activation = 'none' }: GroupNormOptions,
): Tensor4D {
  const [batch, height, width, channels] = x.shape;
  if (has(tf, GROUP_NORM)) {
    const attributes = { groups, epsilon, silu: activation === 'silu' };
    return tf
      .engine()
      .runKernel(GROUP_NORM, { x, gamma, beta } as NamedTensorMap, attributes as NamedAttrMap) as Tensor4D;
  }
  const grouped = tf.reshape(x, [batch, height * width, groups, channels / groups]);
  const centred = tf.sub(grouped, tf.mean(grouped, [1, 3], true));
  const variance = tf.mean(tf.square(centred), [1, 3], true);
  const normal = tf.reshape(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), x.shape);
  const result = tf.add(tf.mul(normal, gamma), tf.reshape(beta, [-1, 1, 1, channels])) as Tensor4D;
  return activation === 'silu' ? silu(tf, result) : result;
}

/** x sigmoid(x). */
export function silu<T extends Tensor>(tf: Tensors, x: T): T {
  if (has(tf, SILU)) return tf.engine().runKernel(SILU, { x } as NamedTensorMap) as T;
  return tf.mul(x, tf.sigmoid(x));
}

/**
 * Attention of every row to every row: softmax(queries keys' / sqrt(channels)) values, over `[batch, rows, channels]`
 * (Vaswani et al. 2017, eq. 1).
 */
export function attention(tf: Tensors, queries: Tensor3D, keys: Tensor3D, values: Tensor3D): Tensor3D {
  // The few numbers of the queries are scaled, not the many of their products.
  const scaled = tf.mul(queries, 1 / Math.sqrt(queries.shape[2]));
  return tf.matMul(tf.softmax(tf.matMul(scaled, keys, false, true)), values);
}

/** Means of blocks of two by two pixels. */
export function averagePool2(tf: Tensors, x: Tensor4D): Tensor4D {
  return tf.avgPool(x, 2, 2, 'valid');
}

/** Maxima of blocks of two by two pixels. */
export function maxPool2(tf: Tensors, x: Tensor4D): Tensor4D {
  return tf.maxPool(x, 2, 2, 'valid');
}

/** Each pixel becomes a block of two by two. */
export function upsample2(tf: Tensors, x: Tensor4D): Tensor4D {
  const [, height, width] = x.shape;
  return tf.image.resizeNearestNeighbor(x, [2 * height, 2 * width]);
}
