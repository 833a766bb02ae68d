import type { Tensor } from '@tensorflow/tfjs-core';
import type { Tensors } from '../types.ts';
import { type GradientRules, sumToShape } from './rule.ts';

/** Rules for kernels of two operands, which are broadcast against each other. */
export function arithmeticGradients(tf: Tensors): GradientRules {
  const reduced = (gradient: Tensor, shape: number[]) => sumToShape(tf, gradient, shape);
  const where = (condition: Tensor, gradient: Tensor): Tensor =>
    tf.mul(gradient, tf.cast(condition, 'float32'));
  const inputs = ['a', 'b'];
  return {
    Add: {
      inputs,
      gradient: (dy, [a, b]) => ({ a: () => reduced(dy, a.shape), b: () => reduced(dy, b.shape) }),
    },
    AddN: {
      allInputs: true,
      gradient: (dy, saved) => saved.map(() => () => tf.clone(dy)),
    },
    Sub: {
      inputs,
      gradient: (dy, [a, b]) => ({
        a: () => reduced(dy, a.shape),
        b: () => tf.neg(reduced(dy, b.shape)),
      }),
    },
    Multiply: {
      inputs,
      gradient: (dy, [a, b]) => ({
        a: () => reduced(tf.mul(dy, b), a.shape),
        b: () => reduced(tf.mul(dy, a), b.shape),
      }),
    },
    RealDiv: {
      inputs,
      gradient: (dy, [a, b]) => ({
        a: () => reduced(tf.div(dy, b), a.shape),
        b: () => tf.neg(reduced(tf.div(tf.mul(dy, a), tf.square(b)), b.shape)),
      }),
    },
    SquaredDifference: {
      inputs,
      gradient: (dy, [a, b]) => {
        const gradient = () => tf.mul(dy, tf.mul(2, tf.sub(a, b)));
        return { a: () => reduced(gradient(), a.shape), b: () => tf.neg(reduced(gradient(), b.shape)) };
      },
    },
    Maximum: {
      inputs,
      gradient: (dy, [a, b]) => ({
        a: () => reduced(where(tf.greaterEqual(a, b), dy), a.shape),
        b: () => reduced(where(tf.less(a, b), dy), b.shape),
      }),
    },
    Minimum: {
      inputs,
      gradient: (dy, [a, b]) => ({
        a: () => reduced(where(tf.lessEqual(a, b), dy), a.shape),
        b: () => reduced(where(tf.greater(a, b), dy), b.shape),
      }),
    },
    Pow: {
      inputs,
      output: true,
      gradient: (dy, [a, b, y]) => ({
        a: () => reduced(tf.mul(dy, tf.mul(b, tf.pow(a, tf.sub(b, 1)))), a.shape),
        // Where the base is not positive, the exponent has no gradient.
        b: () =>
          reduced(tf.mul(dy, tf.where(tf.greater(a, 0), tf.mul(y, tf.log(a)), tf.zerosLike(y))), b.shape),
      }),
    },
  };
}
