import type { NamedAttrMap, NamedTensorMap, Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { Tensors } from '../types.ts';
import { type GradientRules, sumToShape } from './rule.ts';

type Shape4 = Tensor4D['shape'];

/** Rules for products of matrices, convolutions, pooling and the repetition of pixels. */
export function linearGradients(tf: Tensors): GradientRules {
  const run = (kernel: string, inputs: Record<string, Tensor>, attrs: Record<string, unknown>): Tensor =>
    tf.engine().runKernel(kernel, inputs as NamedTensorMap, attrs as unknown as NamedAttrMap);
  const reduced = (gradient: Tensor, shape: number[]) => sumToShape(tf, gradient, shape);
  return {
    BatchMatMul: {
      inputs: ['a', 'b'],
      gradient: (dy, [a, b], { transposeA, transposeB }) => ({
        a: () =>
          reduced(
            transposeA ? tf.matMul(b, dy, transposeB as boolean, true) : tf.matMul(dy, b, false, !transposeB),
            a.shape,
          ),
        b: () =>
          reduced(
            transposeB ? tf.matMul(dy, a, true, transposeA as boolean) : tf.matMul(a, dy, !transposeA, false),
            b.shape,
          ),
      }),
    },
    Conv2D: {
      inputs: ['x', 'filter'],
      gradient: (dy, [x, filter], attrs) => {
        if (!tf.backend_util.tupleValuesAreOne(attrs.dilations as number[])) {
          throw new Error('the gradient of conv2d is there for dilation 1 alone');
        }
        return {
          x: () => run('Conv2DBackpropInput', { dy, filter }, { ...attrs, inputShape: x.shape }),
          filter: () => run('Conv2DBackpropFilter', { x, dy }, { ...attrs, filterShape: filter.shape }),
        };
      },
    },
    Conv2DBackpropInput: {
      inputs: ['dy', 'filter'],
      gradient: (ddx, [dy, filter], attrs) => ({
        dy: () => run('Conv2D', { x: ddx, filter }, { dilations: [1, 1], ...attrs }),
        filter: () => run('Conv2DBackpropFilter', { x: ddx, dy }, { ...attrs, filterShape: filter.shape }),
      }),
    },
    AvgPool: {
      inputs: ['x'],
      gradient: (dy, [x], attrs) => ({ x: () => run('AvgPoolGrad', { dy, input: x }, attrs) }),
    },
    MaxPool: {
      inputs: ['x'],
      output: true,
      gradient: (dy, [x, y], attrs) => ({ x: () => run('MaxPoolGrad', { dy, input: x, output: y }, attrs) }),
    },
    ResizeNearestNeighbor: {
      inputs: ['images'],
      gradient: (dy, [images], attrs) => ({
        images: () => {
          const [, height, width] = images.shape as Shape4;
          const [, toHeight, toWidth] = dy.shape as Shape4;
          const factors: [number, number] = [toHeight / height, toWidth / width];
          const whole = factors.every(Number.isInteger) && !attrs.alignCorners && !attrs.halfPixelCenters;
          if (!whole) return run('ResizeNearestNeighborGrad', { images, dy }, attrs);
          // Each pixel became a block: its gradient is the block's sum. The cpu kernel for it is wrong for batches.
          return tf.mul(tf.avgPool(dy as Tensor4D, factors, factors, 'valid'), factors[0] * factors[1]);
        },
      }),
    },
  };
}
