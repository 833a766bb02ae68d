import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/diffusion/random.ts';
import { loadTensors, type Tensors } from '../../../src/training/index.ts';
import {
  attention,
  averagePool2,
  conv2d,
  groupNorm,
  maxPool2,
  silu,
} from '../../../src/training/tensors/ops.ts';

/** An operation on tensors of these shapes; `range` are the bounds of the values of its inputs. */
interface Case {
  shapes: number[][];
  range?: [number, number];
  apply(tf: Tensors, inputs: Tensor[]): Tensor;
}

const image = (tensor: Tensor) => tensor as Tensor4D;
const pair = [
  [3, 4],
  [3, 4],
];

const CASES: Record<string, Case> = {
  add: { shapes: pair, apply: (tf, [a, b]) => tf.add(a, b) },
  'add of a channel vector': { shapes: [[2, 3, 3, 4], [4]], apply: (tf, [a, b]) => tf.add(a, b) },
  'add of a scalar': { shapes: [[], [2, 5]], apply: (tf, [a, b]) => tf.add(a, b) },
  addN: { shapes: [...pair, [3, 4]], apply: (tf, inputs) => tf.addN(inputs) },
  sub: {
    shapes: [
      [2, 1, 4],
      [3, 1],
    ],
    apply: (tf, [a, b]) => tf.sub(a, b),
  },
  mul: { shapes: [[2, 3, 3, 4], [4]], apply: (tf, [a, b]) => tf.mul(a, b) },
  'mul of an image by a number each': {
    shapes: [
      [2, 3, 3, 4],
      [2, 1, 1, 1],
    ],
    apply: (tf, [a, b]) => tf.mul(a, b),
  },
  div: { shapes: [[2, 3], [3]], range: [0.5, 1.5], apply: (tf, [a, b]) => tf.div(a, b) },
  squaredDifference: { shapes: [[2, 3], [3]], apply: (tf, [a, b]) => tf.squaredDifference(a, b) },
  maximum: { shapes: pair, apply: (tf, [a, b]) => tf.maximum(a, b) },
  minimum: { shapes: pair, apply: (tf, [a, b]) => tf.minimum(a, b) },
  pow: { shapes: pair, range: [0.5, 2], apply: (tf, [a, b]) => tf.pow(a, b) },
  abs: { shapes: [[3, 4]], apply: (tf, [x]) => tf.abs(x) },
  clipByValue: { shapes: [[3, 4]], apply: (tf, [x]) => tf.clipByValue(x, -0.5, 0.5) },
  cos: { shapes: [[3, 4]], apply: (tf, [x]) => tf.cos(x) },
  sin: { shapes: [[3, 4]], apply: (tf, [x]) => tf.sin(x) },
  exp: { shapes: [[3, 4]], apply: (tf, [x]) => tf.exp(x) },
  log: { shapes: [[3, 4]], range: [0.5, 2], apply: (tf, [x]) => tf.log(x) },
  clone: { shapes: [[3, 4]], apply: (tf, [x]) => tf.clone(x) },
  neg: { shapes: [[3, 4]], apply: (tf, [x]) => tf.neg(x) },
  reciprocal: { shapes: [[3, 4]], range: [0.5, 2], apply: (tf, [x]) => tf.reciprocal(x) },
  relu: { shapes: [[3, 4]], apply: (tf, [x]) => tf.relu(x) },
  rsqrt: { shapes: [[3, 4]], range: [0.5, 2], apply: (tf, [x]) => tf.rsqrt(x) },
  sqrt: { shapes: [[3, 4]], range: [0.5, 2], apply: (tf, [x]) => tf.sqrt(x) },
  square: { shapes: [[3, 4]], apply: (tf, [x]) => tf.square(x) },
  sigmoid: { shapes: [[3, 4]], apply: (tf, [x]) => tf.sigmoid(x) },
  softplus: { shapes: [[3, 4]], apply: (tf, [x]) => tf.softplus(x) },
  tanh: { shapes: [[3, 4]], apply: (tf, [x]) => tf.tanh(x) },
  where: {
    shapes: pair,
    apply: (tf, [a, b]) => tf.where(tf.tensor2d([1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1], [3, 4], 'bool'), a, b),
  },
  cast: { shapes: [[3, 4]], apply: (tf, [x]) => tf.cast(x, 'float32') },
  reshape: { shapes: [[3, 4]], apply: (tf, [x]) => tf.reshape(x, [2, 6]) },
  expandDims: { shapes: [[3, 4]], apply: (tf, [x]) => tf.expandDims(x, 1) },
  transpose: { shapes: [[2, 3, 4, 5]], apply: (tf, [x]) => tf.transpose(x, [0, 3, 1, 2]) },
  concat: {
    shapes: [
      [2, 3, 3, 4],
      [2, 3, 3, 1],
    ],
    apply: (tf, [a, b]) => tf.concat([a, b], -1),
  },
  slice: { shapes: [[3, 4]], apply: (tf, [x]) => tf.slice(x, [1, 1], [2, -1]) },
  pad: {
    shapes: [[3, 4]],
    apply: (tf, [x]) =>
      tf.pad(x, [
        [1, 0],
        [2, 1],
      ]),
  },
  stack: { shapes: pair, apply: (tf, [a, b]) => tf.stack([a, b], 1) },
  unstack: { shapes: [[3, 4]], apply: (tf, [x]) => tf.add(tf.unstack(x, 1)[1], tf.unstack(x, 1)[3]) },
  split: {
    shapes: [[3, 5]],
    apply: (tf, [x]) => {
      const [a, b] = tf.split(x, [3, 2], 1);
      return tf.concat([b, tf.square(a)], 1);
    },
  },
  tile: { shapes: [[3, 2]], apply: (tf, [x]) => tf.tile(x, [2, 3]) },
  broadcastTo: { shapes: [[3, 1]], apply: (tf, [x]) => tf.broadcastTo(x, [2, 3, 4]) },
  gather: { shapes: [[5, 3]], apply: (tf, [x]) => tf.gather(x, tf.tensor1d([1, 4, 1], 'int32')) },
  'gather along the second axis': {
    shapes: [[2, 5, 3]],
    apply: (tf, [x]) =>
      tf.gather(
        x,
        tf.tensor2d(
          [
            [1, 4],
            [1, 0],
          ],
          [2, 2],
          'int32',
        ),
        1,
      ),
  },
  sum: { shapes: [[2, 3, 4]], apply: (tf, [x]) => tf.sum(x, [0, 2]) },
  'sum over the first axes': { shapes: [[2, 3, 3, 4]], apply: (tf, [x]) => tf.square(tf.sum(x, [0, 1, 2])) },
  mean: { shapes: [[2, 3, 4]], apply: (tf, [x]) => tf.mean(x, [1, 2]) },
  'mean of all': { shapes: [[2, 3, 4]], apply: (tf, [x]) => tf.mean(x) },
  max: { shapes: [[3, 4]], apply: (tf, [x]) => tf.max(x, 1) },
  min: { shapes: [[3, 4]], apply: (tf, [x]) => tf.min(x, 0) },
  softmax: { shapes: [[3, 4]], apply: (tf, [x]) => tf.softmax(x) },
  'matMul of vectors': {
    shapes: [
      [1, 6],
      [6, 5],
    ],
    apply: (tf, [a, b]) => tf.matMul(a, b),
  },
  matMul: {
    shapes: [
      [18, 20],
      [20, 17],
    ],
    apply: (tf, [a, b]) => tf.matMul(a, b),
  },
  'matMul, first transposed': {
    shapes: [
      [20, 18],
      [20, 17],
    ],
    apply: (tf, [a, b]) => tf.matMul(a, b, true),
  },
  'matMul, second transposed': {
    shapes: [
      [18, 20],
      [17, 20],
    ],
    apply: (tf, [a, b]) => tf.matMul(a, b, false, true),
  },
  'matMul, both transposed': {
    shapes: [
      [20, 18],
      [17, 20],
    ],
    apply: (tf, [a, b]) => tf.matMul(a, b, true, true),
  },
  'matMul of batches': {
    shapes: [
      [3, 18, 20],
      [3, 20, 17],
    ],
    apply: (tf, [a, b]) => tf.matMul(a, b),
  },
  'matMul of a batch with one': {
    shapes: [
      [3, 4, 5],
      [1, 5, 2],
    ],
    apply: (tf, [a, b]) => tf.matMul(a, b),
  },
  'conv2d 3x3': {
    shapes: [
      [2, 5, 6, 3],
      [3, 3, 3, 4],
    ],
    apply: (tf, [x, filter]) => tf.conv2d(image(x), image(filter), 1, 'same'),
  },
  'conv2d 3x3, stride 2': {
    shapes: [
      [2, 6, 7, 3],
      [3, 3, 3, 4],
    ],
    apply: (tf, [x, filter]) => tf.conv2d(image(x), image(filter), 2, 'same'),
  },
  'conv2d 1x1': {
    shapes: [
      [2, 5, 6, 3],
      [1, 1, 3, 4],
    ],
    apply: (tf, [x, filter]) => tf.conv2d(image(x), image(filter), 1, 'same'),
  },
  'conv2d 3x3, valid': {
    shapes: [
      [1, 5, 6, 3],
      [3, 3, 3, 4],
    ],
    apply: (tf, [x, filter]) => tf.conv2d(image(x), image(filter), 1, 'valid'),
  },
  conv2dTranspose: {
    shapes: [
      [2, 3, 4, 3],
      [2, 2, 5, 3],
    ],
    apply: (tf, [x, filter]) => tf.conv2dTranspose(image(x), image(filter), [2, 6, 8, 5], 2, 'same'),
  },
  avgPool: { shapes: [[2, 6, 4, 3]], apply: (tf, [x]) => tf.avgPool(image(x), 2, 2, 'same') },
  maxPool: { shapes: [[2, 5, 4, 3]], apply: (tf, [x]) => tf.maxPool(image(x), 2, 2, 'same') },
  'maxPool of negative values': {
    shapes: [[2, 4, 4, 3]],
    range: [-2, -1],
    apply: (tf, [x]) => tf.maxPool(image(x), 2, 2, 'same'),
  },
  'conv2d with a bias': {
    shapes: [[2, 5, 6, 3], [3, 3, 3, 4], [4]],
    apply: (tf, [x, filter, bias]) =>
      conv2d(tf, image(x), image(filter), { stride: 2, bias: bias as Tensor1D }),
  },
  'conv2d of few pixels with a bias': {
    shapes: [[2, 2, 3, 4], [3, 3, 4, 15], [15]],
    apply: (tf, [x, filter, bias]) => conv2d(tf, image(x), image(filter), { bias: bias as Tensor1D }),
  },
  'dense with a bias': {
    shapes: [[3, 6], [6, 5], [5]],
    apply: (tf, [a, b, bias]) => tf.fused.matMul({ a, b, bias }),
  },
  groupNorm: {
    shapes: [[2, 5, 4, 6], [6], [6]],
    apply: (tf, [x, gamma, beta]) =>
      groupNorm(tf, image(x), gamma as Tensor1D, beta as Tensor1D, { groups: 3 }),
  },
  'groupNorm with SiLU': {
    shapes: [[2, 5, 4, 6], [6], [6]],
    apply: (tf, [x, gamma, beta]) =>
      groupNorm(tf, image(x), gamma as Tensor1D, beta as Tensor1D, { groups: 2, activation: 'silu' }),
  },
  'groupNorm with a row of beta for each image': {
    shapes: [[3, 3, 4, 6], [6], [3, 6]],
    apply: (tf, [x, gamma, beta]) =>
      groupNorm(tf, image(x), gamma as Tensor1D, beta as Tensor2D, { groups: 2, activation: 'silu' }),
  },
  silu: { shapes: [[3, 4]], range: [-4, 4], apply: (tf, [x]) => silu(tf, x) },
  attention: {
    shapes: [
      [2, 9, 8],
      [2, 9, 8],
      [2, 9, 8],
    ],
    apply: (tf, [q, k, v]) => attention(tf, q as Tensor3D, k as Tensor3D, v as Tensor3D),
  },
  'maxPool2 and averagePool2': {
    shapes: [[2, 4, 6, 3]],
    apply: (tf, [x]) => tf.add(maxPool2(tf, image(x)), averagePool2(tf, image(x))),
  },
  'nearest neighbours': {
    shapes: [[2, 3, 4, 3]],
    apply: (tf, [x]) => tf.image.resizeNearestNeighbor(image(x), [6, 8]),
  },
};

describe.each(['wasm', 'cpu'])('gradients on the back end %s', (backend) => {
  it.each(Object.keys(CASES))('%s: agrees with the difference along a direction', async (name) => {
    const tf = await loadTensors({ backend });
    const { shapes, range: [low, high] = [-1, 1], apply } = CASES[name];
    const living = () => [tf.memory().numTensors, tf.backend().numDataIds()];
    const before = living();
    const random = randomStream(7, 0);
    const uniform = (shape: number[], from: number, to: number) => {
      const length = tf.util.sizeFromShape(shape);
      return Float32Array.from({ length }, () => from + (to - from) * random.uniform());
    };
    // Equally spaced values in random order: none is near enough to another, or to 0, to cross a kink.
    const count = shapes.reduce((sum, shape) => sum + tf.util.sizeFromShape(shape), 0);
    const ranks = Array.from({ length: count }, (_, i) => i)
      .map((i) => ({ i, key: random.uniform() }))
      .sort((p, q) => p.key - q.key);
    const values = shapes.map((shape) =>
      Float32Array.from(
        ranks.splice(0, tf.util.sizeFromShape(shape)),
        ({ i }) => low + ((high - low) * (i + 0.5)) / count,
      ),
    );
    const inputs = () => values.map((v, i) => tf.tensor(v, shapes[i]));
    const outputShape = tf.tidy(() => apply(tf, inputs()).shape);
    const weights = uniform(outputShape, -1, 1);
    const gradients = tf.tidy(() =>
      tf
        .grads((...given: Tensor[]) => apply(tf, given))(inputs(), tf.tensor(weights, outputShape))
        .map((gradient, i) => {
          expect(gradient.shape).toEqual(shapes[i]);
          return gradient.dataSync() as Float32Array;
        }),
    );
    // Random, but uphill in each number, so that the slope is no small difference of large numbers.
    const directions = gradients.map((gradient) =>
      gradient.map((g) => (g === 0 ? 2 * random.uniform() - 1 : Math.sign(g) * random.uniform())),
    );
    let slope = 0;
    gradients.forEach((gradient, i) => {
      slope = gradient.reduce((sum, g, k) => sum + g * directions[i][k], slope);
    });

    // A weighted sum of the output, added up in f64.
    const at = (step: number) =>
      tf.tidy(() => {
        const moved = values.map((v, i) => v.map((x, k) => x + step * directions[i][k]));
        const output = apply(
          tf,
          moved.map((v, i) => tf.tensor(v, shapes[i])),
        );
        return (output.dataSync() as Float32Array).reduce((sum, y, i) => sum + weights[i] * y, 0);
      });
    const h = 1e-3;
    const difference = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    expect(Math.abs(difference - slope)).toBeLessThan(1e-3 * slope);
    expect(living()).toEqual(before);
  });
});
