import type { Tensor } from '@tensorflow/tfjs-core';
import type { Tensors } from '../types.ts';
import type { GradientRule, GradientRules } from './rule.ts';

/** Rules for sums, means, extremes, and the softmax. */
export function reductionGradients(tf: Tensors): GradientRules {
  /** dy with the axes back that the reduction took, each of length 1. */
  const kept = (dy: Tensor, x: Tensor, axis: unknown): Tensor => {
    const axes = tf.util.parseAxisParam((axis ?? null) as number[], x.shape);
    return tf.reshape(dy, tf.backend_util.expandShapeToKeepDim(reducedShape(x, axes), axes));
  };
  const reducedShape = (x: Tensor, axes: number[]) => x.shape.filter((_, i) => !axes.includes(i));
  const extreme: GradientRule = {
    inputs: ['x'],
    output: true,
    // Max has its axes as reductionIndices, Min as axis.
    gradient: (dy, [x, y], { reductionIndices, axis = reductionIndices }) => ({
      x: () => {
        const where = tf.cast(tf.equal(x, kept(y, x, axis)), 'float32');
        return tf.mul(kept(dy, x, axis), where);
      },
    }),
  };
  return {
    Max: extreme,
    Min: extreme,
    Mean: {
      inputs: ['x'],
      gradient: (dy, [x], { axis }) => ({
        x: () => tf.mul(kept(dy, x, axis), tf.fill(x.shape, dy.size / x.size)),
      }),
    },
    Softmax: {
      output: true,
      gradient: (dy, [y], { dim }) => ({
        logits: () => {
          const product = tf.mul(dy, y);
          return tf.sub(product, tf.mul(tf.sum(product, dim as number, true), y));
        },
      }),
    },
    Sum: {
      inputs: ['x'],
      gradient: (dy, [x], { axis }) => ({ x: () => tf.mul(kept(dy, x, axis), tf.onesLike(x)) }),
    },
  };
}
