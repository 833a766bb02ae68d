import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/diffusion/random.ts';
import { loadTensors, type Tensors } from '../../../src/training/index.ts';

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
  'nearest neighbours': {
    shapes: [[2, 3, 4, 3]],
    apply: (tf, [x]) => tf.image.resizeNearestNeighbor(image(x), [6, 8]),
  },
};

describe.each(['wasm', 'cpu'])('gradients on the back end %s', (backend) => {
  it.each(Object.keys(CASES))('%s: agrees with the difference along a direction', async (name) => {
    const tf = await loadTensors({ backend });
    const { shapes, range: [low, high] = [-1, 1], apply } = CASES[name];
    const before = tf.memory().numTensors;
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
    const directions = shapes.map((shape) => uniform(shape, -1, 1));
    const outputShape = tf.tidy(
      () =>
        apply(
          tf,
          values.map((v, i) => tf.tensor(v, shapes[i])),
        ).shape,
    );
    const weights = uniform(outputShape, -1, 1);

    // A weighted sum of the output, added up in f64.
    const at = (step: number) =>
      tf.tidy(() => {
        const moved = values.map((v, i) =>
          tf.tensor(
            v.map((x, k) => x + step * directions[i][k]),
            shapes[i],
          ),
        );
        return (apply(tf, moved).dataSync() as Float32Array).reduce((sum, y, i) => sum + weights[i] * y, 0);
      });
    const slope = tf.tidy(() => {
      const gradients = tf.grads((...inputs: Tensor[]) => apply(tf, inputs))(
        values.map((v, i) => tf.tensor(v, shapes[i])),
        tf.tensor(weights, outputShape),
      );
      gradients.forEach((gradient, i) => {
        expect(gradient.shape).toEqual(shapes[i]);
      });
      return gradients.reduce(
        (sum, gradient, i) =>
          (gradient.dataSync() as Float32Array).reduce((s, g, k) => s + g * directions[i][k], sum),
        0,
      );
    });
    const h = 1e-3;
    const difference = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    expect(Math.abs(difference - slope)).toBeLessThan(1e-3 * Math.max(Math.abs(slope), 0.1));
    expect(tf.memory().numTensors).toBe(before);
  });
});
