import type { KernelConfig } from '@tensorflow/tfjs-core';
import type { Tensors } from '../types.ts';
import { convolutionFilterGradient } from './filter-gradient.ts';
import { type Kernel, kernelFunction } from './heap.ts';
import { convolutionInputGradient } from './input-gradient.ts';
import { batchMatMul } from './matmul.ts';
import {
  GROUP_NORM,
  GROUP_NORM_GRADIENT,
  groupNorm,
  groupNormGradient,
  SILU,
  SILU_GRADIENT,
  silu,
  siluGradient,
} from './normalisation.ts';
import { averagePoolGradient, maxPoolGradient } from './pooling.ts';
import { sumOverLeadingAxes, unsortedSegmentSum } from './sums.ts';
import { TRAINED_CONVOLUTION, trainedConvolution } from './trained-convolution.ts';

const BACKEND = 'wasm';
/**
 * Gives the `wasm` back end what it lacks for training, and puts its slow or wrong kernels right. Registers once; no
 * other back end is touched.
 */
export function registerKernels(tf: Tensors): void {
  // The registry is one for all copies of this module.
  if (tf.getKernel(GROUP_NORM, BACKEND) !== undefined) return;
  const original = (name: string) => kernelFunction(tf.getKernel(name, BACKEND));
  const kernels: Record<string, Kernel> = {
    BatchMatMul: batchMatMul(tf, original('BatchMatMul')),
    Conv2DBackpropFilter: convolutionFilterGradient(tf, original('BatchMatMul')),
    Conv2DBackpropInput: convolutionInputGradient(tf, original('Conv2D'), original('BatchMatMul')),
    MaxPoolGrad: maxPoolGradient(tf),
    AvgPoolGrad: averagePoolGradient(tf),
    Sum: sumOverLeadingAxes(tf, original('Sum')),
    UnsortedSegmentSum: unsortedSegmentSum(),
    [TRAINED_CONVOLUTION]: trainedConvolution(tf, original('FusedConv2D'), original('BatchMatMul')),
    [GROUP_NORM]: groupNorm(original('Sigmoid')),
    [GROUP_NORM_GRADIENT]: groupNormGradient(original('Sigmoid')),
    [SILU]: silu(original('Sigmoid')),
    [SILU_GRADIENT]: siluGradient(original('Sigmoid')),
  };
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    const before = tf.getKernel(kernelName, BACKEND);
    if (before !== undefined) tf.unregisterKernel(kernelName, BACKEND);
    tf.registerKernel({
      ...before,
      kernelName,
      backendName: BACKEND,
      kernelFunc: kernel as unknown as KernelConfig['kernelFunc'],
    });
  }
}
