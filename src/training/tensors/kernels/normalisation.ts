import type { TensorInfo } from '@tensorflow/tfjs-core';
import { floats, type Heap, type Kernel } from './heap.ts';

/** The kernel computes GroupNorm, and SiLU after it where the attribute says so. */
export const GROUP_NORM = 'SeedspanGroupNorm';
export const GROUP_NORM_GRADIENT = 'SeedspanGroupNormGradient';

export interface GroupNormAttributes {
  groups: number;
  epsilon: number;
  silu: boolean;
}

/** Mean and 1 / deviation for each channel of one image; those of a group are the same. Sums in f64. */
interface Moments {
  mean: Float64Array;
  inverse: Float64Array;
}

function moments(x: Float32Array, channels: number, groups: number, epsilon: number): Moments {
  const width = channels / groups;
  const count = (x.length / channels) * width;
  const mean = new Float64Array(channels);
  const inverse = new Float64Array(channels);
  const perGroup = (sums: Float64Array, finish: (sum: number) => number) => {
    for (let first = 0; first < channels; first += width) {
      const sum = sums.subarray(first, first + width).reduce((total, value) => total + value, 0);
      sums.fill(finish(sum / count), first, first + width);
    }
  };
  for (let at = 0; at < x.length; ) {
    for (let channel = 0; channel < channels; channel++) mean[channel] += x[at++];
  }
  perGroup(mean, (value) => value);
  for (let at = 0; at < x.length; ) {
    for (let channel = 0; channel < channels; channel++) {
      const centred = x[at++] - mean[channel];
      inverse[channel] += centred * centred;
    }
  }
  perGroup(inverse, (variance) => 1 / Math.sqrt(variance + epsilon));
  return { mean, inverse };
}

/** Scale and offset of each channel of one image: normalised and scaled values are `x * scale + offset`. */
function line(
  { mean, inverse }: Moments,
  gamma: Float32Array,
  beta: Float32Array,
): [scale: Float64Array, offset: Float64Array] {
  const scale = inverse.map((value, channel) => value * gamma[channel]);
  return [scale, scale.map((value, channel) => beta[channel] - mean[channel] * value)];
}

/** What belongs to one image of the batch. */
function image(values: Float32Array, batch: number, index: number): Float32Array {
  const length = values.length / batch;
  return values.subarray(index * length, (index + 1) * length);
}

/** beta has a row for all images, or one for each. */
function rowOf(beta: Float32Array, channels: number, index: number): Float32Array {
  return beta.length === channels ? beta : beta.subarray(index * channels, (index + 1) * channels);
}

function normalise(
  to: Float32Array,
  x: Float32Array,
  [gamma, beta]: [Float32Array, Float32Array],
  batch: number,
  { groups, epsilon }: GroupNormAttributes,
): void {
  const channels = gamma.length;
  for (let i = 0; i < batch; i++) {
    const from = image(x, batch, i);
    const [scale, offset] = line(moments(from, channels, groups, epsilon), gamma, rowOf(beta, channels, i));
    const result = image(to, batch, i);
    for (let at = 0; at < from.length; ) {
      for (let channel = 0; channel < channels; channel++, at++) {
        result[at] = from[at] * scale[channel] + offset[channel];
      }
    }
  }
}

/** GroupNorm (Wu and He 2018) of x[batch, ..., channels]. */
export function groupNorm(sigmoid: Kernel): Kernel {
  return ({ inputs: { x, gamma, beta }, attrs, backend }) => {
    const attributes = attrs as unknown as GroupNormAttributes;
    const out = backend.makeOutput(x.shape, 'float32');
    const parameters = (): [Float32Array, Float32Array] => [floats(backend, gamma), floats(backend, beta)];
    normalise(floats(backend, out), floats(backend, x), parameters(), x.shape[0], attributes);
    if (attributes.silu) multiplyBySigmoid(backend, out, sigmoid);
    return out;
  };
}

function sigmoidOf(heap: Heap, x: TensorInfo, sigmoid: Kernel): TensorInfo {
  return sigmoid({ inputs: { x }, attrs: {}, backend: heap }) as TensorInfo;
}

function multiplyBySigmoid(heap: Heap, tensor: TensorInfo, sigmoid: Kernel): void {
  const factors = sigmoidOf(heap, tensor, sigmoid);
  const values = floats(heap, tensor);
  const s = floats(heap, factors);
  for (let at = 0; at < values.length; at++) values[at] *= s[at];
  heap.disposeData(factors.dataId);
}

/**
 * The gradients by x, gamma and beta. With z = gamma h + beta, h the normalised x of deviation 1, and means over the
 * group: dx = (gamma dz - mean(gamma dz) - h mean(gamma dz h)) / deviation.
 */
export function groupNormGradient(sigmoid: Kernel): Kernel {
  return ({ inputs: { dy, x, gamma, beta }, attrs, backend }) => {
    const attributes = attrs as unknown as GroupNormAttributes;
    const batch = x.shape[0];
    const dxOut = backend.makeOutput(x.shape, 'float32');
    const dGammaOut = backend.makeOutput(gamma.shape, 'float32');
    const dBetaOut = backend.makeOutput(beta.shape, 'float32');
    const z = attributes.silu ? backend.makeOutput(x.shape, 'float32') : undefined;
    if (z !== undefined) {
      const parameters: [Float32Array, Float32Array] = [floats(backend, gamma), floats(backend, beta)];
      normalise(floats(backend, z), floats(backend, x), parameters, batch, attributes);
    }
    const factors = z && sigmoidOf(backend, z, sigmoid);
    const dx = floats(backend, dxOut);
    if (z !== undefined && factors !== undefined) {
      siluDerivative(dx, floats(backend, dy), floats(backend, z), floats(backend, factors));
      backend.disposeData(z.dataId);
      backend.disposeData(factors.dataId);
    } else {
      dx.set(floats(backend, dy));
    }

    const channels = gamma.shape[0];
    const dGamma = floats(backend, dGammaOut).fill(0);
    const dBeta = floats(backend, dBetaOut).fill(0);
    for (let i = 0; i < batch; i++) {
      const sums = imageGradient(
        image(dx, batch, i),
        image(floats(backend, x), batch, i),
        floats(backend, gamma),
        attributes,
      );
      const rowOfBeta = rowOf(dBeta, channels, i);
      for (let channel = 0; channel < channels; channel++) {
        dGamma[channel] += sums.gamma[channel];
        rowOfBeta[channel] += sums.beta[channel];
      }
    }
    return [dxOut, dGammaOut, dBetaOut];
  };
}

/** Turns the gradient by z of one image into that by x, in place; gives back those by gamma and beta. */
function imageGradient(
  d: Float32Array,
  x: Float32Array,
  gamma: Float32Array,
  { groups, epsilon }: GroupNormAttributes,
): { gamma: Float64Array; beta: Float64Array } {
  const channels = gamma.length;
  const width = channels / groups;
  const count = (x.length / channels) * width;
  const { mean, inverse } = moments(x, channels, groups, epsilon);
  const sums = { gamma: new Float64Array(channels), beta: new Float64Array(channels) };
  for (let at = 0; at < x.length; ) {
    for (let channel = 0; channel < channels; channel++, at++) {
      sums.beta[channel] += d[at];
      sums.gamma[channel] += d[at] * (x[at] - mean[channel]);
    }
  }
  // dx = first d + second x + third.
  const first = new Float64Array(channels);
  const second = new Float64Array(channels);
  const third = new Float64Array(channels);
  for (let channel = 0; channel < channels; channel++) sums.gamma[channel] *= inverse[channel];
  for (let start = 0; start < channels; start += width) {
    let average = 0;
    let along = 0;
    for (let channel = start; channel < start + width; channel++) {
      average += (gamma[channel] * sums.beta[channel]) / count;
      along += (gamma[channel] * sums.gamma[channel]) / count;
    }
    for (let channel = start; channel < start + width; channel++) {
      first[channel] = inverse[channel] * gamma[channel];
      second[channel] = -(inverse[channel] ** 2) * along;
      third[channel] = -inverse[channel] * average - mean[channel] * second[channel];
    }
  }
  for (let at = 0; at < x.length; ) {
    for (let channel = 0; channel < channels; channel++, at++) {
      d[at] = first[channel] * d[at] + second[channel] * x[at] + third[channel];
    }
  }
  return sums;
}

/** to = dy d/dz (z sigmoid(z)), given s = sigmoid(z). */
function siluDerivative(to: Float32Array, dy: Float32Array, z: Float32Array, s: Float32Array): void {
  for (let at = 0; at < to.length; at++) to[at] = dy[at] * s[at] * (1 + z[at] * (1 - s[at]));
}

export const SILU = 'SeedspanSilu';
export const SILU_GRADIENT = 'SeedspanSiluGradient';

/** x sigmoid(x). */
export function silu(sigmoid: Kernel): Kernel {
  return ({ inputs: { x }, backend }) => {
    const out = sigmoidOf(backend, x, sigmoid);
    const values = floats(backend, x);
    const results = floats(backend, out);
    for (let at = 0; at < values.length; at++) results[at] *= values[at];
    return out;
  };
}

export function siluGradient(sigmoid: Kernel): Kernel {
  return ({ inputs: { dy, x }, backend }) => {
    const out = sigmoidOf(backend, x, sigmoid);
    const results = floats(backend, out);
    siluDerivative(results, floats(backend, dy), floats(backend, x), results);
    return out;
  };
}
