import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/diffusion/random.ts';
import {
  convolution,
  convolutionGradients,
  groupNormalisation,
  type Picture,
  picture,
  poolingGradient,
  product,
  type Window,
} from './network.ts';

const random = randomStream(3);
const dot = (a: Picture, b: Picture) => a.values.reduce((sum, value, i) => sum + value * b.values[i], 0);

describe('the twins of the layers', () => {
  it('convolve as written out by hand: sums of neighbours, zeros around', () => {
    const x: Picture = { shape: [1, 1, 4, 1], values: Float64Array.of(1, 2, 3, 4) };
    const filter: Picture = { shape: [1, 3, 1, 1], values: Float64Array.of(1, 10, 100) };
    const run = (stride: number, pad: Window['pad']) => [
      ...convolution(x, filter, { size: [1, 3], stride, pad }).values,
    ];
    expect(run(1, 'same')).toEqual([210, 321, 432, 43]);
    expect(run(1, 'valid')).toEqual([321, 432]);
    // As in TensorFlow, the zero that makes the number even goes behind.
    expect(run(2, 'same')).toEqual([321, 43]);
  });

  it.each([1, 2])('have gradients that are the adjoints of the convolution, stride %i', (stride) => {
    const window: Window = { size: [3, 3], stride, pad: 'same' };
    const x = picture([2, 5, 4, 2], random.normal);
    const filter = picture([3, 3, 2, 3], random.normal);
    const y = convolution(x, filter, window);
    const dy = picture(y.shape, random.normal);
    const gradients = convolutionGradients(x, filter, window, dy);
    expect(dot(gradients.x, x)).toBeCloseTo(dot(dy, y), 10);
    expect(dot(gradients.filter, filter)).toBeCloseTo(dot(dy, y), 10);
  });

  it('pool as written out by hand', () => {
    const x: Picture = { shape: [1, 1, 3, 1], values: Float64Array.of(-5, -2, -7) };
    const dy: Picture = { shape: [1, 1, 2, 1], values: Float64Array.of(6, 8) };
    const window: Window = { size: [1, 2], stride: 2, pad: 'same' };
    expect([...poolingGradient('max', x, window, dy).values]).toEqual([0, 6, 8]);
    expect([...poolingGradient('mean', x, window, dy).values]).toEqual([3, 3, 8]);
  });

  it('normalise each group to mean 0 and deviation 1', () => {
    const x = picture([2, 3, 4, 6], random.normal);
    const y = groupNormalisation(x, new Float64Array(6).fill(1), new Float64Array(12), 2, 0);
    const group = y.values.filter((_, i) => i < 72 && i % 6 < 3);
    expect(group.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 12);
    expect(group.reduce((sum, value) => sum + value ** 2, 0) / group.length).toBeCloseTo(1, 12);
  });

  it('multiply matrices', () => {
    const result = product(Float64Array.of(1, 2, 3, 4), Float64Array.of(5, 6, 7, 8), [2, 2, 2]);
    expect([...result]).toEqual([19, 22, 43, 50]);
  });
});
