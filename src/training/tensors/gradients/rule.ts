import type { Tensor } from '@tensorflow/tfjs-core';
import type { Tensors } from '../types.ts';

/** How the gradient of a kernel's output becomes those of its inputs. */
export interface GradientRule {
  /** Inputs that `gradient` needs, by name, in the order in which it gets them. */
  inputs?: string[];
  /** For kernels with a list of inputs: all of them. */
  allInputs?: boolean;
  /** Whether `gradient` needs the output; it comes after the inputs. */
  output?: boolean;
  /** One function an input, called only where that input's gradient is asked for; a list for a list of inputs. */
  gradient(
    dy: Tensor,
    saved: Tensor[],
    attrs: Record<string, unknown>,
  ): Record<string, () => Tensor> | (() => Tensor)[];
}

/** By the kernel's name. */
export type GradientRules = Record<string, GradientRule>;

/** Summed over the axes along which an operand of this shape was repeated. */
export function sumToShape(tf: Tensors, gradient: Tensor, shape: number[]): Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape);
  const sum = axes.length > 0 ? tf.sum(gradient, axes) : gradient;
  return tf.util.arraysEqual(sum.shape, shape) ? sum : tf.reshape(sum, shape);
}
