import { checkNdArray } from '../../diffusion/ndarray.ts';
import type { RandomStream } from '../../diffusion/random.ts';
import type { NdArray } from '../../diffusion/types.ts';
import { checkOptionNames, SeedspanError } from '../../errors.ts';
import { checkInside, checkRectangle, type Rectangle, UNIT_SQUARE } from '../plane.ts';
import { ReflectedKernel, reflect } from './heat-kernel.ts';

/**
 * A density of points in a rectangle with reflecting border, known in closed form under every amount of noise. No
 * grid and no solver is in it: what fields and networks are measured against.
 */
export interface PlaneDensity {
  readonly rectangle: Rectangle;
  /** `count` points, two numbers each. */
  draw(count: number, random: RandomStream): Float64Array;
  /** Mean over each of H x W cells, for `precomputeField`. */
  cells(height: number, width: number): NdArray;
  /** Log density at each of the points once they have gained that variance. */
  logDensity(points: Float64Array, variance: number): Float64Array;
  /** Its gradient, two numbers a point. */
  score(points: Float64Array, variance: number): Float64Array;
}

/** A sum of Gaussians, whose score is known. */
export interface GaussianMixture {
  /** `[count, 2]`, in the rectangle. */
  means: NdArray;
  /** Standard deviation of every component, over 0. */
  deviation: number;
  /** One for each component, not negative; any scale. Default: all the same. */
  weights?: ArrayLike<number>;
  /** Default: the unit square. */
  rectangle?: Rectangle;
}

/** Places and weights of Gauss's rule with three points on [-1/2, 1/2], exact for polynomials up to degree 5. */
const GAUSS = [
  [-0.5 * Math.sqrt(0.6), 5 / 18],
  [0, 8 / 18],
  [0.5 * Math.sqrt(0.6), 5 / 18],
] as const;

/**
 * A mixture of round Gaussians, folded back into the rectangle at its border: diffusion makes it the same mixture
 * with a larger deviation.
 *
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`
 */
export function gaussianMixtureDensity(mixture: GaussianMixture): PlaneDensity {
  const where = 'gaussianMixtureDensity';
  checkOptionNames(where, mixture ?? null, ['means', 'deviation', 'weights', 'rectangle']);
  const { means, deviation, rectangle = UNIT_SQUARE } = mixture;
  checkRectangle(where, rectangle);
  checkNdArray(`${where}: means`, means, ['count', '2']);
  const { origin, sides } = rectangle;
  const count = means.shape[0];
  if (means.shape[1] !== 2)
    throw new SeedspanError('SHAPE_MISMATCH', `${where}: means must be [count, 2], not [${means.shape}]`);
  checkInside(`${where}: means`, means.data, rectangle);
  if (!(deviation > 0 && deviation < Infinity)) {
    throw new SeedspanError('INVALID_VALUE', `${where}: deviation must be positive, not ${deviation}`);
  }
  const weights = Float64Array.from(mixture.weights ?? new Float64Array(count).fill(1));
  const total = weights.reduce((sum, value) => sum + value, 0);
  if (weights.length !== count || !weights.every((value) => value >= 0) || !(total > 0 && total < Infinity)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: weights must be ${count} numbers, not negative, not all 0`,
    );
  }
  const cumulative = new Float64Array(count);
  let sum = 0;
  for (let k = 0; k < count; k++) {
    weights[k] /= total;
    sum += weights[k];
    cumulative[k] = sum;
  }
  const kernels = [0, 1].map((axis) => new ReflectedKernel(origin[axis], sides[axis]));

  /** Log density and score at a point, by the components' shares of the density there. */
  function at(x: number, y: number, variance: number): [number, number, number] {
    const spread = variance + deviation * deviation;
    let top = -Infinity;
    let density = 0;
    let slopeX = 0;
    let slopeY = 0;
    for (let k = 0; k < count; k++) {
      kernels[0].evaluate(x, means.data[2 * k], spread);
      kernels[1].evaluate(y, means.data[2 * k + 1], spread);
      const log = Math.log(weights[k]) + kernels[0].logDensity + kernels[1].logDensity;
      if (log > top) {
        const shrink = Math.exp(top - log);
        density *= shrink;
        slopeX *= shrink;
        slopeY *= shrink;
        top = log;
      }
      const part = log === -Infinity ? 0 : Math.exp(log - top);
      density += part;
      slopeX += part * kernels[0].score;
      slopeY += part * kernels[1].score;
    }
    return [top + Math.log(density), slopeX / density, slopeY / density];
  }

  /** Mean over each of `cells` cells of every component along an axis, `[component][cell]`. */
  function along(axis: 0 | 1, cells: number): Float64Array[] {
    const side = sides[axis] / cells;
    return Array.from({ length: count }, (_, k) =>
      Float64Array.from({ length: cells }, (_, i) => {
        let mean = 0;
        for (const [place, share] of GAUSS) {
          const x = origin[axis] + (i + 0.5 + place) * side;
          kernels[axis].evaluate(x, means.data[2 * k + axis], deviation * deviation);
          mean += share * Math.exp(kernels[axis].logDensity);
        }
        return mean;
      }),
    );
  }

  return {
    rectangle,
    draw(number, random) {
      const points = new Float64Array(2 * number);
      for (let n = 0; n < points.length; n += 2) {
        const share = random.uniform() * cumulative[count - 1];
        let k = 0;
        while (cumulative[k] <= share) k++;
        for (const axis of [0, 1]) {
          const free = means.data[2 * k + axis] + deviation * random.normal();
          points[n + axis] = reflect(free, origin[axis], sides[axis]);
        }
      }
      return points;
    },
    cells(height, width) {
      const [rows, columns] = [along(0, height), along(1, width)];
      const data = new Float64Array(height * width);
      for (let k = 0; k < count; k++) {
        for (let i = 0; i < height; i++) {
          const factor = weights[k] * rows[k][i];
          if (factor === 0) continue;
          for (let j = 0; j < width; j++) data[i * width + j] += factor * columns[k][j];
        }
      }
      return { data, shape: [height, width] };
    },
    logDensity: (points, variance) => overPoints(points, (x, y) => [at(x, y, variance)[0]]),
    score: (points, variance) => overPoints(points, (x, y) => at(x, y, variance).slice(1)),
  };
}

/** What `of` has at each point, one after the other. */
export function overPoints(points: Float64Array, of: (x: number, y: number) => number[]): Float64Array {
  const values: number[] = [];
  for (let k = 0; k < points.length; k += 2) values.push(...of(points[k], points[k + 1]));
  return Float64Array.from(values);
}
