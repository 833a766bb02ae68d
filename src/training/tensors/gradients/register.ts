import type { GradConfig } from '@tensorflow/tfjs-core';
import type { Tensors } from '../types.ts';
import { arithmeticGradients } from './arithmetic.ts';
import { compositeGradients } from './composite.ts';
import { elementwiseGradients } from './elementwise.ts';
import { linearGradients } from './linear.ts';
import { reductionGradients } from './reduction.ts';
import { shapeGradients } from './shape.ts';

/**
 * Teaches tfjs-core, which alone knows no gradients, those of the kernels that networks and losses are made of.
 * They are written in its own functions, so any back end has them. Where the program has registered a gradient
 * already, that one stays.
 */
export function registerGradients(tf: Tensors): void {
  const rules = {
    ...arithmeticGradients(tf),
    ...compositeGradients(tf),
    ...elementwiseGradients(tf),
    ...linearGradients(tf),
    ...reductionGradients(tf),
    ...shapeGradients(tf),
  };
  for (const [kernelName, { inputs, allInputs, output, gradient }] of Object.entries(rules)) {
    if (tf.getGradient(kernelName) !== undefined) continue;
    tf.registerGradient({
      kernelName,
      inputsToSave: inputs,
      saveAllInputs: allInputs,
      outputsToSave: output ? [true] : undefined,
      gradFunc: gradient as GradConfig['gradFunc'],
    });
  }
}
