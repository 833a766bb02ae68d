import type { NamedAttrMap, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import { GROUP_NORM, GROUP_NORM_GRADIENT, SILU, SILU_GRADIENT } from '../kernels/normalisation.ts';
import { TRAINED_CONVOLUTION } from '../kernels/trained-convolution.ts';
import type { Tensors } from '../types.ts';
import type { GradientRules } from './rule.ts';

/** Rules for this package's own kernels. */
export function compositeGradients(tf: Tensors): GradientRules {
  const run = (kernel: string, inputs: Record<string, Tensor>, attrs: Record<string, unknown>): Tensor =>
    tf.engine().runKernel(kernel, inputs as NamedTensorMap, attrs as unknown as NamedAttrMap);
  return {
    [TRAINED_CONVOLUTION]: {
      inputs: ['x', 'filter'],
      gradient: (dy, [x, filter], attrs) => ({
        x: () => run('Conv2DBackpropInput', { dy, filter }, { ...attrs, inputShape: x.shape }),
        filter: () => run('Conv2DBackpropFilter', { x, dy }, { ...attrs, filterShape: filter.shape }),
        bias: () => tf.sum(dy, [0, 1, 2]),
      }),
    },
    [GROUP_NORM]: {
      inputs: ['x', 'gamma', 'beta'],
      gradient: (dy, [x, gamma, beta], attrs) => {
        // At once: what one of the functions below would make, tfjs gives back as soon as that one has returned.
        const [dx, dGamma, dBeta] = tf
          .engine()
          .runKernel(
            GROUP_NORM_GRADIENT,
            { dy, x, gamma, beta } as NamedTensorMap,
            attrs as unknown as NamedAttrMap,
          ) as Tensor[];
        return { x: () => dx, gamma: () => dGamma, beta: () => dBeta };
      },
    },
    [SILU]: {
      inputs: ['x'],
      gradient: (dy, [x]) => ({
        x: () => tf.engine().runKernel(SILU_GRADIENT, { dy, x } as NamedTensorMap) as Tensor,
      }),
    },
  };
}
