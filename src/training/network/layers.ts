import type { Tensor1D, Tensor2D, Tensor3D, Tensor4D, Variable } from '@tensorflow/tfjs-core';
import { type RandomStream, randomStream } from '../../diffusion/random.ts';
import { attention, conv2d, groupNorm } from '../tensors/ops.ts';
import type { Tensors } from '../tensors/types.ts';
import { groupCount } from './unet-options.ts';

export type Layer<T = Tensor4D> = (x: T) => T;

/** GroupNorm; `shift`, `[batch, channels]`, is added to its channels before the activation. */
export type Norm = (x: Tensor4D, shift?: Tensor2D) => Tensor4D;

/** Sets numbers to zero with the chance that the options say, and scales the others so that the mean stays. */
export type Dropout = Layer;

/** Streams of random numbers: far from those that number images or samples. */
const WEIGHTS = 0x77656967;
const MASKS = 0x6d61736b;

/**
 * How weights begin: `fan-in` evenly within 1 / sqrt(fan in), as PyTorch's layers do; `fan-average` evenly with
 * variance 2 / (fan in + fan out) and biases of zero, as Ho et al. 2020; `zero`.
 */
export type Start = 'fan-in' | 'fan-average' | 'zero';

/**
 * Makes the layers of a network and keeps their parameters, in the order in which they are made. What the network
 * is not told it does not have: there is no layer whose parameters no output depends on.
 */
export class LayerFactory {
  readonly parameters = new Map<string, Variable>();
  readonly #tf: Tensors;
  readonly #start: Start;
  readonly #groups: number;
  readonly #random: RandomStream;

  constructor(tf: Tensors, start: Start, groups: number, seed: number) {
    this.#tf = tf;
    this.#start = start;
    this.#groups = groups;
    this.#random = randomStream(seed, WEIGHTS);
  }

  /** Square filter, zeros around the picture, output of `ceil(side / stride)`. */
  conv(name: string, side: number, from: number, to: number, stride: 1 | 2 = 1, start = this.#start): Layer {
    const tf = this.#tf;
    const fanIn = side * side * from;
    const filter = this.#weight(`${name}.weight`, [side, side, from, to], fanIn, side * side * to, start);
    const bias = this.#bias(`${name}.bias`, to, fanIn, start) as unknown as Tensor1D;
    return (x) => conv2d(tf, x, filter as unknown as Tensor4D, { stride, bias });
  }

  dense(name: string, from: number, to: number): Layer<Tensor2D> {
    const tf = this.#tf;
    const weight = this.#weight(`${name}.weight`, [from, to], from, to, this.#start);
    const bias = this.#bias(`${name}.bias`, to, from, this.#start);
    return (x) => tf.add(tf.matMul(x, weight as unknown as Tensor2D), bias);
  }

  groupNorm(name: string, channels: number, activation: 'silu' | 'none' = 'silu'): Norm {
    const tf = this.#tf;
    const groups = groupCount(channels, this.#groups);
    const gamma = this.#variable(`${name}.weight`, [channels], () => 1) as unknown as Tensor1D;
    const beta = this.#variable(`${name}.bias`, [channels], () => 0) as unknown as Tensor1D;
    return (x, shift) => {
      const moved = shift === undefined ? beta : (tf.add(shift, beta) as Tensor2D);
      return groupNorm(tf, x, gamma, moved, { groups, activation });
    };
  }

  /** Single-headed attention over all pixels, on normalised input and added to it. */
  attention(name: string, channels: number): Layer {
    const tf = this.#tf;
    const norm = this.groupNorm(`${name}.norm`, channels, 'none');
    const [query, key, value] = ['query', 'key', 'value'].map((part) =>
      this.conv(`${name}.${part}`, 1, channels, channels),
    );
    const out = this.#start === 'fan-average' ? 'zero' : this.#start;
    const project = this.conv(`${name}.out`, 1, channels, channels, 1, out);
    return (x) => {
      const [batch, height, width] = x.shape;
      const pixels = (y: Tensor4D): Tensor3D => tf.reshape(y, [batch, height * width, channels]);
      const normal = norm(x);
      const mixed = attention(tf, pixels(query(normal)), pixels(key(normal)), pixels(value(normal)));
      return tf.add(x, project(tf.reshape(mixed, x.shape)));
    };
  }

  /** A row of the table for each number; zeros for a number outside the table. */
  embedding(name: string, rows: number, columns: number): (index: Tensor1D) => Tensor2D {
    const tf = this.#tf;
    const table = this.#variable(`${name}.weight`, [rows, columns], () => this.#random.normal());
    return (index) => {
      const picked = tf.oneHot(tf.cast(index, 'int32'), rows) as Tensor2D;
      return tf.matMul(tf.cast(picked, 'float32'), table as unknown as Tensor2D);
    };
  }

  dispose(): void {
    for (const parameter of this.parameters.values()) parameter.dispose();
    this.parameters.clear();
  }

  #weight(name: string, shape: number[], fanIn: number, fanOut: number, start: Start): Variable {
    const bound = start === 'fan-in' ? Math.sqrt(1 / fanIn) : Math.sqrt(6 / (fanIn + fanOut));
    return this.#variable(name, shape, start === 'zero' ? () => 0 : () => this.#uniform(bound));
  }

  #bias(name: string, length: number, fanIn: number, start: Start): Variable {
    const bound = Math.sqrt(1 / fanIn);
    return this.#variable(name, [length], start === 'fan-in' ? () => this.#uniform(bound) : () => 0);
  }

  #uniform(bound: number): number {
    return bound * (2 * this.#random.uniform() - 1);
  }

  #variable(name: string, shape: number[], next: () => number): Variable {
    const tf = this.#tf;
    const length = shape.reduce((product, size) => product * size, 1);
    const values = new Float32Array(length);
    // Float32Array.from takes eight times as long.
    for (let k = 0; k < length; k++) values[k] = next();
    const variable = tf.tidy(() => tf.variable(tf.tensor(values, shape)));
    this.parameters.set(name, variable);
    return variable;
  }
}

/** Dropout whose masks are those of the seed, one stream for each place in the network, in order. */
export function seededDropout(tf: Tensors, rate: number, seed: number): Dropout {
  let place = 0;
  const scale = 1 / (1 - rate);
  return (x) => {
    const { uniform } = randomStream(seed, MASKS + place++);
    const mask = new Float32Array(x.size);
    for (let k = 0; k < mask.length; k++) mask[k] = uniform() < rate ? 0 : scale;
    return tf.mul(x, tf.tensor(mask, x.shape)) as Tensor4D;
  };
}
