import { checkNdArray } from '../../diffusion/ndarray.ts';
import { type RandomStream, randomStream } from '../../diffusion/random.ts';
import type { NdArray } from '../../diffusion/types.ts';
import { checkOptionNames, SeedspanError } from '../../errors.ts';
import { checkCount } from '../../solver/options.ts';
import type { Network } from '../network/types.ts';
import { checkInside, checkRectangle, type Rectangle, timeScale } from '../plane.ts';
import { ReflectedKernel, reflect } from './heat-kernel.ts';
import {
  SUPERVISION_KNOWN,
  type SupervisionOptions,
  type SupervisionResult,
  trainOnTargets,
} from './loop.ts';

/** How a network of points is trained by denoising. */
export interface DenoisingOptions extends SupervisionOptions {
  /** Whose border reflects the points, as a field's does. Default: that of the network's options. */
  rectangle?: Rectangle;
  /**
   * Other points of the data, new ones each step, over which each target is averaged in proportion to how likely x
   * came from them (stable target field; Xu, Tong and Jaakkola, 2023): less noise in the targets, for as many
   * evaluations of the transition density more, and a bias that falls with their number. Default 0: none.
   */
  references?: number;
}

/** Where points come from: a set of them, `[count, 2]`, or new ones each step, two numbers each. */
export type PointSource = NdArray | ((count: number, random: RandomStream) => Float64Array);

/**
 * Denoising score matching (Vincent, 2011): trains a network on `variance || s(x, t) - grad log p(x | x_0) ||^2`, x
 * the data point x_0 with noise of that variance, reflected at the border; mean over the data, the noise, and times
 * even in the logarithm of the variance. The transition density p(x | x_0) is that between mirrors, in closed form,
 * so that the minimiser is the score of the very process that `precomputeField` computes.
 *
 * @param network of points of the plane, with `variances` among its options: `createMlp`. It ends with the averaged
 *   weights.
 * @param data in the rectangle
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`, `UNKNOWN_OPTION`; the signal's reason when
 *   aborted; what the callback or the source throws
 */
export async function trainDenoising(
  network: Network,
  data: PointSource,
  options: DenoisingOptions,
): Promise<SupervisionResult> {
  const where = 'trainDenoising';
  checkOptionNames(where, options ?? null, [...SUPERVISION_KNOWN, 'rectangle', 'references']);
  const { variances, varianceAt, rectangle: own } = timeScale(where, network);
  const { seed = 0, rectangle = own, references = 0, ...shared } = options;
  checkRectangle(where, rectangle);
  checkCount(where, 'references', references, 0);
  const draw = typeof data === 'function' ? data : drawFrom(where, data);
  const { origin, sides } = rectangle;
  const transition = new Transition(rectangle);
  return trainOnTargets(where, network, { ...shared, seed }, (batch, step) => {
    const random = randomStream(seed, step);
    const points = draw(batch.size, random);
    checkInside(`${where}: data`, points, rectangle);
    const others = references > 0 ? draw(references, random) : new Float64Array(0);
    for (let k = 0; k < batch.size; k++) {
      // One from each of as many equal pieces as there are points.
      const time = (k + random.uniform()) / batch.size;
      const variance = Math.min(varianceAt(time), variances[1]);
      const deviation = Math.sqrt(variance);
      const x = [0, 1].map((axis) =>
        reflect(points[2 * k + axis] + deviation * random.normal(), origin[axis], sides[axis]),
      );
      const target = transition.score(x, points.subarray(2 * k, 2 * k + 2), others, variance);
      for (const axis of [0, 1]) {
        batch.points[2 * k + axis] = x[axis];
        batch.targets[2 * k + axis] = deviation * target[axis];
        batch.deviations[2 * k + axis] = deviation;
      }
      batch.times[k] = time;
    }
  });
}

/** The score of where a point goes, given where it came from, or may have come from. */
class Transition {
  readonly #kernels: readonly ReflectedKernel[];
  readonly #score = new Float64Array(2);

  constructor({ origin, sides }: Rectangle) {
    this.#kernels = [0, 1].map((axis) => new ReflectedKernel(origin[axis], sides[axis]));
  }

  /** Mean of the scores over its own source and the others, each as likely as it makes x. It is overwritten. */
  score(x: readonly number[], own: Float64Array, others: Float64Array, variance: number): Float64Array {
    const [p, q] = this.#kernels;
    const score = this.#score;
    p.evaluate(x[0], own[0], variance);
    q.evaluate(x[1], own[1], variance);
    const log = p.logDensity + q.logDensity;
    score[0] = p.score;
    score[1] = q.score;
    let total = 1;
    for (let k = 0; k < others.length; k += 2) {
      p.evaluate(x[0], others[k], variance);
      q.evaluate(x[1], others[k + 1], variance);
      // x may be in the tail of its own source: another can be far more likely, but not beyond all numbers.
      const part = Math.exp(Math.min(600, p.logDensity + q.logDensity - log));
      total += part;
      score[0] += part * p.score;
      score[1] += part * q.score;
    }
    score[0] /= total;
    score[1] /= total;
    return score;
  }
}

/** Draws from a set, with replacement. */
function drawFrom(where: string, data: NdArray): (count: number, random: RandomStream) => Float64Array {
  checkNdArray(`${where}: data`, data, ['count', '2']);
  const [total, components] = data.shape;
  if (components !== 2) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${where}: data must be [count, 2], not [${data.shape.join(', ')}]`,
    );
  }
  return (count, random) => {
    const points = new Float64Array(2 * count);
    for (let k = 0; k < count; k++) {
      const from = 2 * Math.floor(random.uniform() * total);
      points[2 * k] = data.data[from];
      points[2 * k + 1] = data.data[from + 1];
    }
    return points;
  };
}
