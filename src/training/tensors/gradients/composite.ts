import type { NamedAttrMap, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import { GROUP_NORM, GROUP_NORM_GRADIENT, SILU, SILU_GRADIENT } from '../kernels/normalisation.ts';
import type { Tensors } from '../types.ts';
import type { GradientRules } from './rule.ts';

/** Rules for this package's own kernels. */
export function compositeGradients(tf: Tensors): GradientRules {
  return {
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
