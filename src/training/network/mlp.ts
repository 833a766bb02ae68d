import type { Tensor, Tensor1D, Tensor2D, Variable } from '@tensorflow/tfjs-core';
import { randomStream } from '../../diffusion/random.ts';
import { checkOptionNames, SeedspanError } from '../../errors.ts';
import { checkCount } from '../../solver/options.ts';
import { checkRectangle, checkVariances, type Rectangle, UNIT_SQUARE } from '../plane.ts';
import { silu } from '../tensors/ops.ts';
import type { Tensors } from '../tensors/types.ts';
import type { Network } from './types.ts';

/** Size and seed of a network for points of the plane. */
export interface MlpOptions {
  /** Variances of the noise, `[least, greatest]`: t in [0, 1] is the place of the logarithm between theirs. */
  variances: readonly [number, number];
  /** Where the points lie. Default: the unit square. */
  rectangle?: Rectangle;
  /** Numbers in a hidden layer. Default 96. */
  width?: number;
  /** Hidden layers. Default 3. */
  layers?: number;
  /** Waves along each axis that the network is shown the point by: 1 to this many half turns. Default 8. */
  frequencies?: number;
  /** Of the first weights. Default 0. */
  seed?: number;
}

export type ResolvedMlpOptions = Required<MlpOptions>;

/** Stream of the first weights. */
const WEIGHTS = 0x6d6c70;
/** Waves of the time. */
const TIME_FREQUENCIES = 4;
const KNOWN = ['variances', 'rectangle', 'width', 'layers', 'frequencies', 'seed'] as const;

/**
 * A score of points of the plane under noise, as a network: points `[batch, 2]` and times `[batch]` to scores
 * `[batch, 2]`. Dense layers with SiLU; the point and the time come as numbers and as sines and cosines of them, and
 * the output is divided by the deviation of the noise, so that the layers learn a number of order 1 at every time
 * (Song et al., 2021, appendix C). The waves are those that a rectangle with reflecting border has: half turns.
 *
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION`
 */
export function createMlp(tf: Tensors, options: MlpOptions): Network {
  const resolved = resolve(options);
  const { variances, rectangle, width, layers: depth, frequencies, seed } = resolved;
  const parameters = new Map<string, Variable>();
  const random = randomStream(seed, WEIGHTS);
  const waves = 2 * frequencies + TIME_FREQUENCIES;
  const sizes = [3 + 2 * waves, ...new Array<number>(depth).fill(width)];
  const hidden = sizes.slice(1).map((size, k) => dense(`hidden.${k}`, sizes[k], size, Math.sqrt(2)));
  const out = dense('out', width, 2, 0.1);
  const [least, greatest] = variances.map(Math.log);
  let disposed = false;

  /** Weights normal with variance gain^2 / inputs (He et al., 2015), biases 0. */
  function dense(name: string, from: number, to: number, gain: number): (x: Tensor2D) => Tensor2D {
    const scale = gain / Math.sqrt(from);
    const values = Float32Array.from({ length: from * to }, () => scale * random.normal());
    const weight = tf.tidy(() => tf.variable(tf.tensor2d(values, [from, to])));
    const bias = tf.tidy(() => tf.variable(tf.zeros([to])));
    parameters.set(`${name}.weight`, weight).set(`${name}.bias`, bias);
    return (x) => tf.add(tf.matMul(x, weight as unknown as Tensor2D), bias);
  }

  function apply(x: Tensor, t: Tensor1D): Tensor {
    if (disposed) throw new SeedspanError('DISPOSED', 'the network was disposed');
    checkInput(x, t);
    const { origin, sides } = rectangle;
    const place = tf.div(tf.sub(x, tf.tensor1d([...origin])), tf.tensor1d([...sides]));
    // From 0 to pi across the rectangle and the times.
    const inputs = tf.mul(tf.concat([place, tf.reshape(t, [-1, 1])], 1), Math.PI) as Tensor2D;
    const angles = tf.matMul(inputs, tf.tensor2d(frequencyMatrix(frequencies), [3, waves]));
    const centred = tf.sub(tf.mul(inputs, 2 / Math.PI), 1);
    let y = tf.concat([centred, tf.sin(angles), tf.cos(angles)], 1) as Tensor2D;
    for (const layer of hidden) y = silu(tf, layer(y));
    const precision = tf.exp(tf.mul(-0.5, tf.add(tf.mul(t, greatest - least), least)));
    return tf.mul(out(y), tf.reshape(precision, [-1, 1]));
  }

  return {
    tf,
    kind: 'mlp',
    options: resolved,
    parameters,
    apply,
    dispose() {
      disposed = true;
      for (const parameter of parameters.values()) parameter.dispose();
    },
  };
}

/** `[3, waves]`: how fast each wave turns with the two components and the time. */
function frequencyMatrix(frequencies: number): number[] {
  const waves = 2 * frequencies + TIME_FREQUENCIES;
  const matrix = new Array<number>(3 * waves).fill(0);
  for (let k = 0; k < frequencies; k++) {
    matrix[k] = k + 1;
    matrix[waves + frequencies + k] = k + 1;
  }
  for (let k = 0; k < TIME_FREQUENCIES; k++) matrix[2 * waves + 2 * frequencies + k] = k + 1;
  return matrix;
}

function resolve(options: MlpOptions): ResolvedMlpOptions {
  const where = 'createMlp';
  checkOptionNames(where, options ?? null, KNOWN);
  const { variances, rectangle = UNIT_SQUARE, width = 96, layers = 3, frequencies = 8, seed = 0 } = options;
  checkVariances(where, variances);
  checkRectangle(where, rectangle);
  checkCount(where, 'width', width, 1);
  checkCount(where, 'layers', layers, 1);
  checkCount(where, 'frequencies', frequencies, 1);
  return { variances, rectangle, width, layers, frequencies, seed };
}

function checkInput(x: Tensor, t: Tensor1D): void {
  if (x.rank === 2 && x.shape[1] === 2 && t.rank === 1 && t.shape[0] === x.shape[0]) return;
  throw new SeedspanError(
    'SHAPE_MISMATCH',
    `the network takes points [batch, 2] and times [batch], not [${x.shape.join(', ')}] and [${t.shape.join(', ')}]`,
  );
}
