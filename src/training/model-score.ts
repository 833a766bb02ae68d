import {
  type Parametrisation,
  type PresetSde,
  type ScoreFunction,
  type Transition,
  toScore,
} from '../diffusion/index.ts';
import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { checkChoice, checkCount } from '../solver/options.ts';
import type { Network } from './network/types.ts';

/** How a network's output becomes a score. */
export interface ModelScoreOptions {
  /** What the network's output stands for. */
  parametrisation: Parametrisation;
  /** The equation whose score it is; `score` does not need it. */
  sde?: PresetSde;
  /** Of a sample: `[channels, H, W]`. */
  shape: readonly [number, number, number];
  /** Whether the network is shown 2 x - 1 in the place of x. Default false. */
  centred?: boolean;
  /** Number of the picture that the network is told, where it has an embedding of it. */
  index?: number;
  /** Samples that go through the network at a time. Default 16. */
  batchSize?: number;
}

/**
 * The score that a network has learnt, for any sampler of `seedspan/diffusion`. States are `[samples, channels, H, W]`;
 * the network is run with the channels last, in single precision, without dropout.
 *
 * @returns it throws `SHAPE_MISMATCH` for states that are no whole samples, `INVALID_VALUE` for `epsilon` and `v` at
 *   variance 0
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION`
 */
export function modelScore(network: Network, options: ModelScoreOptions): ScoreFunction {
  const where = 'modelScore';
  checkOptionNames(where, options ?? null, [
    'parametrisation',
    'sde',
    'shape',
    'centred',
    'index',
    'batchSize',
  ]);
  const { parametrisation, sde, shape, centred = false, index, batchSize = 16 } = options;
  checkChoice(where, 'parametrisation', parametrisation ?? 'none given', ['score', 'epsilon', 'v']);
  checkCount(where, 'batchSize', batchSize, 1);
  if (parametrisation !== 'score' && sde === undefined) {
    throw new SeedspanError('INVALID_VALUE', `${where}: ${parametrisation} needs sde, the equation`);
  }
  checkShape(where, shape);
  checkIndex(where, network, index);
  const size = shape.reduce((product, length) => product * length, 1);

  return async (x, t) => {
    if (x.length === 0 || x.length % size !== 0) {
      throw new SeedspanError(
        'SHAPE_MISMATCH',
        `${where}: ${x.length} numbers are no samples of [${shape.join(', ')}]`,
      );
    }
    const score = new Float64Array(x.length);
    const transition = sde?.transition(t);
    if (parametrisation !== 'score') checkNoise(parametrisation, t, transition);
    for (let start = 0; start < x.length; start += batchSize * size) {
      const part = x.subarray(start, start + batchSize * size);
      const output = await evaluate(network, part, t, shape, { centred, index });
      forEachPlace(part.length / size, shape, (planar, last) => {
        score[start + planar] = output[last];
      });
    }
    if (transition !== undefined) toScore(parametrisation, x, score, transition);
    return score;
  };
}

function checkShape(where: string, shape: unknown): void {
  if (!Array.isArray(shape) || shape.length !== 3) {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${where}: shape must be [channels, H, W] of a sample, not ${show(shape)}`,
    );
  }
  for (const length of shape) checkCount(where, 'an entry of shape', length, 1);
}

/** To the network another number is one without an embedding, which is no error there. */
function checkIndex(where: string, network: Network, index: number | undefined): void {
  checkCount(where, 'index', index, 0);
  const { images } = network.options as { images?: number };
  if (index === undefined || images === undefined || index < images) return;
  throw new SeedspanError(
    'INVALID_VALUE',
    `${where}: index is ${index}, but the network has an embedding of ${images} pictures (counted from 0)`,
    { index, images },
  );
}

/** Where there is no noise there is none to be told. */
function checkNoise(parametrisation: Parametrisation, t: number, transition: Transition | undefined): void {
  if (transition !== undefined && transition.variance > 0) return;
  throw new SeedspanError(
    'INVALID_VALUE',
    `modelScore: the variance at t = ${t} is ${transition?.variance}, and ${parametrisation} gives no score there; let sampling end before`,
    { t },
  );
}

async function evaluate(
  network: Network,
  x: Float64Array,
  t: number,
  shape: readonly [number, number, number],
  { centred, index }: { centred: boolean; index: number | undefined },
): Promise<Float32Array> {
  const { tf } = network;
  const [channels, height, width] = shape;
  const samples = x.length / (channels * height * width);
  const shown = new Float32Array(x.length);
  forEachPlace(samples, shape, (planar, last) => {
    shown[last] = centred ? 2 * x[planar] - 1 : x[planar];
  });
  const output = tf.tidy(() =>
    network.apply(tf.tensor(shown, [samples, height, width, channels]), tf.fill([samples], t), {
      ...(index !== undefined && { index: tf.fill([samples], index, 'int32') }),
    }),
  );
  try {
    return await output.data<'float32'>();
  } finally {
    output.dispose();
  }
}

/** Pairs of places: `[samples, channels, H, W]`, and `[samples, H, W, channels]`. */
function forEachPlace(
  samples: number,
  [channels, height, width]: readonly [number, number, number],
  visit: (planar: number, last: number) => void,
): void {
  const pixels = height * width;
  for (let sample = 0; sample < samples; sample++) {
    const start = sample * channels * pixels;
    for (let c = 0; c < channels; c++) {
      for (let k = 0; k < pixels; k++) visit(start + c * pixels + k, start + k * channels + c);
    }
  }
}
