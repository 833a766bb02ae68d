import type {
  NamedAttrMap,
  NamedTensorMap,
  Tensor,
  Tensor1D,
  Tensor2D,
  Tensor4D,
} from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RandomStream, randomStream } from '../../../src/diffusion/random.ts';
import { loadTensors, type Tensors } from '../../../src/training/index.ts';
import { TRAINED_CONVOLUTION } from '../../../src/training/tensors/kernels/trained-convolution.ts';
import { attention, conv2d, groupNorm, silu, upsample2 } from '../../../src/training/tensors/ops.ts';
import {
  convolution,
  convolutionGradients,
  groupNormalisation,
  outputSize,
  type Picture,
  picture,
  poolingGradient,
  product,
  sigmoidLinear,
  type Window,
} from '../../twins/network.ts';

let tf: Tensors;
let random: RandomStream;
let before: { tensors: number; buffers: number };

/** What lives: a kernel that forgets one of its own buffers leaves no tensor. */
const living = () => ({ tensors: tf.memory().numTensors, buffers: tf.backend().numDataIds() });

beforeEach(async () => {
  tf = await loadTensors();
  random = randomStream(11);
  before = living();
});

afterEach(() => {
  expect(living()).toEqual(before);
});

const tensorOf = ({ values, shape }: Picture) => tf.tensor4d(Float32Array.from(values), shape);

/** Runs a kernel of the back end in use, and gives its outputs' values and shapes. */
function run(
  name: string,
  inputs: Record<string, Picture>,
  attrs: Record<string, unknown>,
): { shape: number[]; values: Float32Array } {
  return tf.tidy(() => {
    const tensors = Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, tensorOf(value)]));
    const out = tf.engine().runKernel(name, tensors as NamedTensorMap, attrs as NamedAttrMap) as Tensor;
    return { shape: out.shape, values: out.dataSync() as Float32Array };
  });
}

/** Within `tolerance` of the largest value. */
function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 2e-6): void {
  expect(actual.length).toBe(expected.length);
  const largest = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  for (let i = 0; i < expected.length; i++) {
    if (!(Math.abs(actual[i] - expected[i]) <= tolerance * largest)) {
      expect.fail(`at ${i}: ${actual[i]} instead of ${expected[i]}, largest ${largest}`);
    }
  }
}

const WINDOWS: [x: Picture['shape'], outChannels: number, window: Window][] = [
  [[1, 8, 8, 3], 16, { size: [3, 3], stride: 1, pad: 'same' }],
  [[2, 7, 5, 4], 3, { size: [3, 3], stride: 1, pad: 'same' }],
  [[3, 4, 4, 1], 1, { size: [3, 3], stride: 1, pad: 'same' }],
  [[2, 1, 1, 5], 2, { size: [3, 3], stride: 1, pad: 'same' }],
  [[2, 6, 9, 2], 5, { size: [2, 4], stride: 1, pad: 'same' }],
  [[2, 6, 9, 2], 5, { size: [3, 2], stride: 1, pad: 'valid' }],
  [[2, 5, 6, 7], 9, { size: [1, 1], stride: 1, pad: 'same' }],
  [[1, 8, 8, 3], 4, { size: [3, 3], stride: 2, pad: 'same' }],
  [[2, 7, 5, 4], 3, { size: [3, 3], stride: 2, pad: 'same' }],
  [[2, 7, 8, 3], 4, { size: [3, 3], stride: 2, pad: 'valid' }],
  [[2, 6, 5, 3], 4, { size: [1, 1], stride: 2, pad: 'same' }],
  [[2, 8, 7, 3], 2, { size: [2, 2], stride: 3, pad: 'same' }],
  // Few pixels for the channels.
  [[2, 3, 2, 5], 49, { size: [3, 3], stride: 1, pad: 'same' }],
  [[1, 6, 5, 3], 66, { size: [3, 2], stride: 1, pad: 'valid' }],
  // More images than the filter's gradient takes at a time.
  [[13, 24, 24, 16], 1, { size: [3, 3], stride: 1, pad: 'same' }],
  [[31, 32, 24, 16], 1, { size: [3, 3], stride: 2, pad: 'same' }],
];

describe('convolution', () => {
  it.each(WINDOWS)(
    'of %j to %i channels by %j has the gradients of the twin',
    (shape, outChannels, window) => {
      const x = picture(shape, random.normal);
      const filter = picture([...window.size, shape[3], outChannels], random.normal);
      const dy = picture([shape[0], ...outputSize(x, window), outChannels], random.normal);
      const { stride: strides, pad } = window;
      const attributes = { strides, pad, dataFormat: 'NHWC' };
      const expected = convolutionGradients(x, filter, window, dy);

      const byInput = run('Conv2DBackpropInput', { dy, filter }, { ...attributes, inputShape: shape });
      expect(byInput.shape).toEqual(shape);
      expectClose(byInput.values, expected.x.values);

      const byFilter = run('Conv2DBackpropFilter', { x, dy }, { ...attributes, filterShape: filter.shape });
      expect(byFilter.shape).toEqual(filter.shape);
      expectClose(byFilter.values, expected.filter.values);
    },
  );

  it.each([1, 2] as const)('adds a bias, with stride %i', (stride) => {
    const x = picture([2, 5, 6, 3], random.normal);
    const filter = picture([3, 3, 3, 4], random.normal);
    const bias = Float32Array.from({ length: 4 }, random.normal);
    const plain = convolution(x, filter, { size: [3, 3], stride, pad: 'same' });
    const values = tf.tidy(() =>
      conv2d(tf, tensorOf(x), tensorOf(filter), { stride, bias: tf.tensor1d(bias) }).dataSync(),
    );
    expectClose(
      values,
      plain.values.map((value, i) => value + bias[i % 4]),
    );
  });

  it.each(WINDOWS)(
    'of %j to %i channels by %j, for training, is that of the twin, with a bias',
    (shape, outChannels, window) => {
      const x = picture(shape, random.normal);
      const filter = picture([...window.size, shape[3], outChannels], random.normal);
      const bias = Float32Array.from({ length: outChannels }, random.normal);
      const expected = convolution(x, filter, window);
      tf.tidy(() => {
        const inputs = { x: tensorOf(x), filter: tensorOf(filter), bias: tf.tensor1d(bias) };
        const strides = [window.stride, window.stride];
        const attributes = { strides, pad: window.pad, dataFormat: 'NHWC', dilations: [1, 1] };
        const out = tf
          .engine()
          .runKernel(TRAINED_CONVOLUTION, inputs as unknown as NamedTensorMap, attributes) as Tensor;
        expect(out.shape).toEqual(expected.shape);
        expectClose(
          out.dataSync(),
          expected.values.map((value, i) => value + bias[i % outChannels]),
        );
      });
    },
  );

  it('sees a filter that was assigned anew, and keeps no packed copy of the old ones', () => {
    const shape: Picture['shape'] = [3, 3, 64, 64];
    const window: Window = { size: [3, 3], stride: 1, pad: 'same' };
    const x = picture([1, 4, 4, 64], random.normal);
    const filter = picture(shape, random.normal);
    const heapSize = () => (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.length;
    const input = tensorOf(x);
    const variable = tf.tidy(() => tf.variable(tensorOf(filter)));
    const convolved = () => tf.tidy(() => conv2d(tf, input, variable as unknown as Tensor4D).dataSync());
    expectClose(convolved(), convolution(x, filter, window).values, 1e-5);
    let before = 0;
    // Kept copies would be 147 KB each, 44 MB in all.
    for (let i = 1; i <= 300; i++) {
      filter.values.reverse();
      tf.tidy(() => variable.assign(tensorOf(filter)));
      const values = convolved();
      if (i % 150 === 1) expectClose(values, convolution(x, filter, window).values, 1e-5);
      if (i === 50) before = heapSize();
    }
    expect(heapSize()).toBe(before);
    tf.dispose([input, variable]);
  });
});

describe('pooling', () => {
  const shapes: Picture['shape'][] = [
    [1, 4, 4, 3],
    [3, 5, 7, 2],
  ];
  const windows: Window[] = [
    { size: [2, 2], stride: 2, pad: 'same' },
    { size: [2, 2], stride: 2, pad: 'valid' },
    { size: [3, 3], stride: 2, pad: 'same' },
    { size: [3, 2], stride: 1, pad: 'same' },
  ];
  const signs = { 'of both signs': 0, 'all negative': -10 };
  const cases = shapes.flatMap((shape) =>
    windows.flatMap((window) =>
      Object.entries(signs).map(([name, shift]) => ({ shape, window, name, shift })),
    ),
  );

  it.each(cases)(
    '$shape by $window, values $name, has the gradients of the twin',
    ({ shape, window, shift }) => {
      const x = picture(shape, () => random.normal() + shift);
      const dy = picture([shape[0], ...outputSize(x, window), shape[3]], random.normal);
      const attributes = { filterSize: window.size, strides: window.stride, pad: window.pad };
      const mean = run('AvgPoolGrad', { dy, input: x }, attributes);
      expectClose(mean.values, poolingGradient('mean', x, window, dy).values);
      const max = run('MaxPoolGrad', { dy, input: x, output: dy }, attributes);
      expectClose(max.values, poolingGradient('max', x, window, dy).values);
    },
  );
});

describe('products of matrices', () => {
  const sizes: [number, number, number][] = [
    [1, 1, 1],
    [3, 5, 2],
    [17, 33, 9],
    [40, 24, 31],
  ];
  const flags = [false, true];
  const cases = sizes.flatMap((size) =>
    [1, 3].flatMap((batch) =>
      flags.flatMap((transposeA) => flags.map((transposeB) => ({ size, batch, transposeA, transposeB }))),
    ),
  );

  /** The same matrix with rows and columns swapped. */
  function swapped(values: Float64Array, rows: number, columns: number): Float64Array {
    return values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]);
  }

  it.each(cases)('$size, batch $batch, transposed $transposeA $transposeB', (given) => {
    const { size, batch, transposeA, transposeB } = given;
    const [rows, inner, columns] = size;
    const values: { a: number[]; b: number[]; out: number[] } = { a: [], b: [], out: [] };
    for (let i = 0; i < batch; i++) {
      const a = picture([1, 1, rows, inner], random.normal).values;
      const b = picture([1, 1, inner, columns], random.normal).values;
      values.a.push(...(transposeA ? swapped(a, rows, inner) : a));
      values.b.push(...(transposeB ? swapped(b, inner, columns) : b));
      values.out.push(...product(a, b, size));
    }
    tf.tidy(() => {
      const a = tf.tensor3d(values.a, transposeA ? [batch, inner, rows] : [batch, rows, inner]);
      const b = tf.tensor3d(values.b, transposeB ? [batch, columns, inner] : [batch, inner, columns]);
      const out = tf.matMul(a, b, transposeA, transposeB);
      expect(out.shape).toEqual([batch, rows, columns]);
      expectClose(out.dataSync(), values.out);
    });
  });

  it('take one matrix for all of a batch, on either side', () => {
    tf.tidy(() => {
      const many = tf.tensor3d(Float32Array.from({ length: 1080 }, random.normal), [3, 18, 20]);
      const one = tf.tensor2d(Float32Array.from({ length: 360 }, random.normal), [20, 18]);
      const pairs: [Tensor, Tensor][] = [
        [tf.matMul(many, one), tf.stack(tf.unstack(many).map((part) => tf.matMul(part, one)))],
        [tf.matMul(one, many), tf.stack(tf.unstack(many).map((part) => tf.matMul(one, part)))],
      ];
      for (const [actual, expected] of pairs) expectClose(actual.dataSync(), expected.dataSync());
    });
  });

  it('refuse shapes that do not fit', () => {
    const zeros = (shape: [number, number]) => tf.zeros(shape) as Tensor2D;
    expect(() => tf.tidy(() => tf.matMul(zeros([3, 4]), zeros([5, 2])))).toThrow(/inner shapes/);
  });
});

describe('sums', () => {
  it.each([[[0]], [[0, 1, 2]], [[2, 0, 1]], [[3]], [[1, 2]], [[0, 1, 2, 3]]])('over axes %j', (axes) => {
    const x = picture([2, 3, 5, 7], random.normal);
    const kept = [0, 1, 2, 3].filter((axis) => !axes.includes(axis));
    const expected = new Map<string, number>();
    x.values.forEach((value, i) => {
      const place = [Math.floor(i / 105), Math.floor(i / 35) % 3, Math.floor(i / 7) % 5, i % 7];
      const key = kept.map((axis) => place[axis]).join();
      expected.set(key, (expected.get(key) ?? 0) + value);
    });
    tf.tidy(() => {
      const sum = tf.sum(tensorOf(x), axes);
      expect(sum.shape).toEqual(kept.map((axis) => x.shape[axis]));
      expectClose(sum.dataSync(), [...expected.values()]);
      const same = tf.sum(tensorOf(x), axes, true);
      expect(same.shape).toEqual(x.shape.map((side, axis) => (axes.includes(axis) ? 1 : side)));
      expectClose(same.dataSync(), [...expected.values()]);
    });
  });

  it('of rows by segment, negative numbers left out', () => {
    const rows = tf.tidy(() => {
      const x = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]);
      return tf.unsortedSegmentSum(x, tf.tensor1d([2, 0, 2, -1], 'int32'), 4).arraySync();
    });
    expect(rows).toEqual([
      [3, 4],
      [0, 0],
      [6, 8],
      [0, 0],
    ]);
  });

  it('of whole numbers stay whole numbers', () => {
    const sum = tf.tidy(() => {
      const total = tf.sum(tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32'), 0);
      expect(total.dtype).toBe('int32');
      return total.arraySync();
    });
    expect(sum).toEqual([4, 6]);
  });
});

describe.each(['wasm', 'cpu'])('composite operations on the back end %s', (backend) => {
  beforeEach(async () => {
    await loadTensors({ backend });
    before = living();
  });

  const cases: [Picture['shape'], number, 'one' | 'each'][] = [
    [[1, 4, 4, 8], 2, 'one'],
    [[3, 5, 3, 6], 3, 'each'],
    [[2, 1, 1, 4], 1, 'each'],
    [[2, 3, 3, 5], 5, 'one'],
  ];
  it.each(cases)('GroupNorm of %j in %i groups, beta for %s image', (shape, groups, rows) => {
    const [batch, , , channels] = shape;
    const x = picture(shape, () => 3 + 2 * random.normal());
    const gamma = picture([1, 1, 1, channels], random.normal).values;
    const row = picture([1, 1, rows === 'one' ? 1 : batch, channels], random.normal).values;
    const beta =
      rows === 'one' ? Float64Array.from({ length: batch * channels }, (_, i) => row[i % channels]) : row;
    const expected = groupNormalisation(x, gamma, beta, groups, 1e-5).values;
    tf.tidy(() => {
      const scale = tf.tensor1d(Float32Array.from(gamma));
      const shift = (
        rows === 'one'
          ? tf.tensor1d(Float32Array.from(row))
          : tf.tensor2d(Float32Array.from(row), [batch, channels])
      ) as Tensor1D;
      const input = tensorOf(x);
      expectClose(groupNorm(tf, input, scale, shift, { groups }).dataSync(), expected, 1e-5);
      const active = groupNorm(tf, input, scale, shift, { groups, activation: 'silu' });
      expectClose(active.dataSync(), expected.map(sigmoidLinear), 1e-5);
    });
  });

  it('SiLU', () => {
    const x = picture([2, 3, 3, 5], () => 10 * random.normal());
    const values = tf.tidy(() => silu(tf, tensorOf(x)).dataSync());
    expectClose(values, x.values.map(sigmoidLinear));
  });

  it('attention: each row a mean of the values, weighted by likeness', () => {
    const [queries, keys, values] = [0, 1, 2].map(() => picture([1, 2, 5, 8], random.normal));
    const expected = queries.values.map((_, at) => {
      const [sample, row, channel] = [Math.floor(at / 40), Math.floor(at / 8), at % 8];
      const others = Array.from({ length: 5 }, (_, k) => 5 * sample + k);
      const likeness = others.map((other) => {
        const products = Array.from(
          { length: 8 },
          (_, c) => queries.values[8 * row + c] * keys.values[8 * other + c],
        );
        return Math.exp(products.reduce((sum, value) => sum + value, 0) / Math.sqrt(8));
      });
      const total = likeness.reduce((sum, value) => sum + value, 0);
      return others.reduce(
        (sum, other, k) => sum + (likeness[k] / total) * values.values[8 * other + channel],
        0,
      );
    });
    tf.tidy(() => {
      const [q, k, v] = [queries, keys, values].map((p) =>
        tf.tensor3d(Float32Array.from(p.values), [2, 5, 8]),
      );
      expectClose(attention(tf, q, k, v).dataSync(), expected, 1e-5);
    });
  });

  it('upsample2 makes blocks', () => {
    const rows = tf.tidy(() => upsample2(tf, tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1])).dataSync());
    expect([...rows]).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
  });
});
