import type { Tensor } from '@tensorflow/tfjs-core';
import type { Tensors } from '../types.ts';
import type { GradientRule, GradientRules } from './rule.ts';

/** Rules for functions of one value: dx = dy f'(x), with f' from x or from y = f(x), whichever is cheaper. */
export function elementwiseGradients(tf: Tensors): GradientRules {
  const ofInput = (derivative: (dy: Tensor, x: Tensor) => Tensor, name = 'x'): GradientRule => ({
    inputs: [name],
    gradient: (dy, [x]) => ({ [name]: () => derivative(dy, x) }),
  });
  const ofOutput = (derivative: (dy: Tensor, y: Tensor) => Tensor): GradientRule => ({
    output: true,
    gradient: (dy, [y]) => ({ x: () => derivative(dy, y) }),
  });
  const linear = (gradient: (dy: Tensor) => Tensor): GradientRule => ({
    gradient: (dy) => ({ x: () => gradient(dy) }),
  });
  return {
    Abs: ofInput((dy, x) => tf.mul(dy, tf.sign(x))),
    Cast: linear((dy) => tf.cast(dy, 'float32')),
    ClipByValue: {
      inputs: ['x'],
      gradient: (dy, [x], { clipValueMin, clipValueMax }) => ({
        x: () => {
          const inside = tf.logicalAnd(
            tf.greaterEqual(x, clipValueMin as number),
            tf.lessEqual(x, clipValueMax as number),
          );
          return tf.mul(dy, tf.cast(inside, 'float32'));
        },
      }),
    },
    Cos: ofInput((dy, x) => tf.neg(tf.mul(dy, tf.sin(x)))),
    Exp: ofOutput((dy, y) => tf.mul(dy, y)),
    Identity: linear((dy) => tf.clone(dy)),
    Log: ofInput((dy, x) => tf.div(dy, x)),
    Neg: linear((dy) => tf.neg(dy)),
    Reciprocal: ofOutput((dy, y) => tf.neg(tf.mul(dy, tf.square(y)))),
    Relu: ofInput((dy, x) => tf.mul(dy, tf.step(x))),
    Rsqrt: ofOutput((dy, y) => tf.mul(dy, tf.mul(-0.5, tf.mul(y, tf.square(y))))),
    Select: {
      inputs: ['condition'],
      gradient: (dy, [condition]) => ({
        condition: () => tf.zeros(condition.shape),
        t: () => tf.mul(dy, tf.cast(condition, 'float32')),
        e: () => tf.mul(dy, tf.cast(tf.logicalNot(condition as Tensor), 'float32')),
      }),
    },
    Sigmoid: ofOutput((dy, y) => tf.mul(dy, tf.mul(y, tf.sub(1, y)))),
    Sin: ofInput((dy, x) => tf.mul(dy, tf.cos(x))),
    Softplus: ofInput((dy, x) => tf.mul(dy, tf.sigmoid(x))),
    Sqrt: ofOutput((dy, y) => tf.div(dy, tf.mul(2, y))),
    Square: ofInput((dy, x) => tf.mul(dy, tf.mul(2, x))),
    Tanh: ofOutput((dy, y) => tf.mul(dy, tf.sub(1, tf.square(y)))),
  };
}
