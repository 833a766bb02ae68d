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

/**
 * GroupNorm of one image as a line for each channel, z = scale x + offset; `mean` and `inverse` (1 / deviation) are
 * those of the channel's group.
 *
 * The loops of this file go over one channel at a time, with its numbers in registers: in JavaScript each access to
 * an array costs more than the arithmetic, and a row of channel sums in an array would double the accesses. Sums are
 * in f64, in which the difference of two moments of f32 numbers is safe.
 */
interface Lines {
  mean: Float64Array;
  inverse: Float64Array;
  scale: Float64Array;
  offset: Float64Array;
}

function linesOf(
  x: Float32Array,
  gamma: Float32Array,
  beta: Float32Array,
  { groups, epsilon }: GroupNormAttributes,
): Lines {
  const channels = gamma.length;
  const width = channels / groups;
  const count = (x.length / channels) * width;
  const [mean, inverse, scale, offset] = Array.from({ length: 4 }, () => new Float64Array(channels));
  for (let start = 0; start < channels; start += width) {
    let sum = 0;
    let squares = 0;
    for (let channel = start; channel < start + width; channel++) {
      for (let at = channel; at < x.length; at += channels) {
        const value = x[at];
        sum += value;
        squares += value * value;
      }
    }
    const average = sum / count;
    const variance = Math.max(0, squares / count - average * average);
    mean.fill(average, start, start + width);
    inverse.fill(1 / Math.sqrt(variance + epsilon), start, start + width);
  }
  for (let channel = 0; channel < channels; channel++) {
    scale[channel] = inverse[channel] * gamma[channel];
    offset[channel] = beta[channel] - mean[channel] * scale[channel];
  }
  return { mean, inverse, scale, offset };
}

function follow(to: Float32Array, x: Float32Array, { scale, offset }: Lines): void {
  const channels = scale.length;
  for (let channel = 0; channel < channels; channel++) {
    const factor = scale[channel];
    const summand = offset[channel];
    for (let at = channel; at < x.length; at += channels) to[at] = x[at] * factor + summand;
  }
}

/** What belongs to one image of the batch. */
function image(values: Float32Array, batch: number, index: number): Float32Array {
  const length = values.length / batch;
  return values.subarray(index * length, (index + 1) * length);
}

/** beta has a row for all images, or one for each. */
function rowOf(beta: Float32Array, channels: number, index: number): Float32Array {
  return beta.length === channels ? beta : image(beta, beta.length / channels, index);
}

/** GroupNorm (Wu and He 2018) of x[batch, ..., channels]. */
export function groupNorm(sigmoid: Kernel): Kernel {
  return ({ inputs, attrs, backend }) => {
    const attributes = attrs as unknown as GroupNormAttributes;
    const batch = inputs.x.shape[0];
    const out = backend.makeOutput(inputs.x.shape, 'float32');
    const [z, x, gamma, beta] = [out, inputs.x, inputs.gamma, inputs.beta].map((t) => floats(backend, t));
    for (let i = 0; i < batch; i++) {
      const from = image(x, batch, i);
      follow(image(z, batch, i), from, linesOf(from, gamma, rowOf(beta, gamma.length, i), attributes));
    }
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

/** The gradients by x, gamma and beta. */
export function groupNormGradient(sigmoid: Kernel): Kernel {
  return ({ inputs, attrs, backend }) => {
    const attributes = attrs as unknown as GroupNormAttributes;
    const { dy, x, gamma, beta } = inputs;
    const outs = [x, gamma, beta].map(({ shape }) => backend.makeOutput(shape, 'float32'));
    // The sigmoid of the normalised values, which are made again in dx's memory.
    let factors: TensorInfo | undefined;
    const images = Array.from({ length: x.shape[0] }, (_, i) => i);
    const part = (tensor: TensorInfo, i: number) => image(floats(backend, tensor), images.length, i);
    const lines = images.map((i) => {
      const row = rowOf(floats(backend, beta), gamma.shape[0], i);
      return linesOf(part(x, i), floats(backend, gamma), row, attributes);
    });
    if (attributes.silu) {
      for (const i of images) follow(part(outs[0], i), part(x, i), lines[i]);
      factors = sigmoidOf(backend, outs[0], sigmoid);
    }
    const [dGamma, dBeta] = outs.slice(1).map((tensor) => floats(backend, tensor).fill(0));
    for (const i of images) {
      const d = part(outs[0], i);
      if (factors) siluDerivative(d, part(dy, i), d, part(factors, i));
      else d.set(part(dy, i));
      imageGradient(d, part(x, i), lines[i], dGamma, rowOf(dBeta, dGamma.length, i), attributes.groups);
    }
    if (factors) backend.disposeData(factors.dataId);
    return outs;
  };
}

/**
 * Turns the gradient by z of one image into that by x, in place, and adds those by gamma and beta. With h the
 * normalised x and means over the group: dx = (gamma dz - mean(gamma dz) - h mean(gamma dz h)) / deviation.
 */
function imageGradient(
  d: Float32Array,
  x: Float32Array,
  { mean, inverse, scale }: Lines,
  dGamma: Float32Array,
  dBeta: Float32Array,
  groups: number,
): void {
  const channels = scale.length;
  const width = channels / groups;
  const count = (x.length / channels) * width;
  for (let start = 0; start < channels; start += width) {
    let average = 0;
    let along = 0;
    for (let channel = start; channel < start + width; channel++) {
      let sum = 0;
      let product = 0;
      for (let at = channel; at < x.length; at += channels) {
        const value = d[at];
        sum += value;
        product += value * x[at];
      }
      product = (product - mean[channel] * sum) * inverse[channel];
      dBeta[channel] += sum;
      dGamma[channel] += product;
      average += (scale[channel] * sum) / count;
      along += (scale[channel] * inverse[channel] * product) / count;
    }
    const summand = mean[start] * along - average;
    for (let channel = start; channel < start + width; channel++) {
      const factor = scale[channel];
      for (let at = channel; at < x.length; at += channels) d[at] = factor * d[at] - along * x[at] + summand;
    }
  }
}

/** to = dy d/dz (z sigmoid(z)), given s = sigmoid(z); `to` may be z or s. */
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
