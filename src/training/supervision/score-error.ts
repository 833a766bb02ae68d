import { randomStream } from '../../diffusion/random.ts';
import { checkOptionNames } from '../../errors.ts';
import { checkCount } from '../../solver/options.ts';
import type { Network } from '../network/types.ts';
import { checkVariances, timeScale } from '../plane.ts';
import type { PlaneDensity } from './densities.ts';
import { reflect } from './heat-kernel.ts';

/** Points with noise, and the exact scores there. */
export interface HeldOutScores {
  /** Two numbers a point. */
  points: Float64Array;
  /** Of each point's noise. */
  variances: Float64Array;
  /** Two numbers a point. */
  scores: Float64Array;
}

/**
 * Points of a density under noise of variances even in the logarithm, with the exact score at each: what no training
 * has seen, and what no grid or solver has to do with.
 *
 * @param options `variances`, least and greatest; `times`, default 64, in the middle of as many equal pieces;
 *   `points` at each, default 64; `seed`, default 0, in streams apart from those of a training with the same seed
 * @throws SeedspanError `INVALID_VALUE`, `INVALID_TYPE`, `UNKNOWN_OPTION`
 */
export function heldOutScores(
  density: PlaneDensity,
  options: { variances: readonly [number, number]; times?: number; points?: number; seed?: number },
): HeldOutScores {
  const where = 'heldOutScores';
  checkOptionNames(where, options ?? null, ['variances', 'times', 'points', 'seed']);
  const { variances, times = 64, points: count = 64, seed = 0 } = options;
  checkVariances(where, variances);
  checkCount(where, 'times', times, 1);
  checkCount(where, 'points', count, 1);
  const { origin, sides } = density.rectangle;
  const random = randomStream(seed, HELD_OUT);
  const total = times * count;
  const held = {
    points: new Float64Array(2 * total),
    variances: new Float64Array(total),
    scores: new Float64Array(2 * total),
  };
  for (let k = 0; k < times; k++) {
    const variance = variances[0] * (variances[1] / variances[0]) ** ((k + 0.5) / times);
    const points = density
      .draw(count, random)
      .map((x, n) => reflect(x + Math.sqrt(variance) * random.normal(), origin[n % 2], sides[n % 2]));
    held.points.set(points, 2 * count * k);
    held.scores.set(density.score(points, variance), 2 * count * k);
    held.variances.fill(variance, count * k, count * (k + 1));
  }
  return held;
}

/** Far from the streams of steps. */
const HELD_OUT = 2 ** 52;

/** The network's score at points, two numbers each, under noise of a variance each. */
export function networkScores(network: Network, points: Float64Array, variances: Float64Array): Float64Array {
  const { timeOf } = timeScale('networkScores', network);
  const { tf } = network;
  const scores = tf.tidy(() =>
    network
      .apply(
        tf.tensor2d(Float32Array.from(points), [variances.length, 2]),
        tf.tensor1d(Float32Array.from(variances, timeOf)),
      )
      .dataSync(),
  );
  return Float64Array.from(scores);
}

/**
 * How far scores are from the exact ones: `E variance || s - exact ||^2` over `E variance || exact ||^2`. 0 is
 * exact; a score of 0 everywhere has 1.
 *
 * @param scores two numbers for each held-out point
 */
export function scoreError(scores: ArrayLike<number>, held: HeldOutScores): number {
  let error = 0;
  let size = 0;
  for (let k = 0; k < held.scores.length; k++) {
    const variance = held.variances[k >> 1];
    error += variance * (scores[k] - held.scores[k]) ** 2;
    size += variance * held.scores[k] ** 2;
  }
  return error / size;
}
