import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/diffusion/random.ts';
import {
  checkerboardDensity,
  DATA_SETS,
  dataSetDensity,
  type GaussianMixture,
  gaussianMixtureDensity,
} from '../../../src/training/index.ts';
import { ReflectedKernel, reflect } from '../../../src/training/supervision/heat-kernel.ts';

const [ORIGIN, LENGTH] = [-1, 3];

/** Gaussians at all images of u that can count, summed without any thought. */
function imageSum(x: number, u: number, variance: number): number {
  let sum = 0;
  for (let k = -12; k <= 12; k++) {
    for (const image of [u, 2 * ORIGIN - u]) {
      const distance = x - image - 2 * LENGTH * k;
      sum += Math.exp(-(distance ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance);
    }
  }
  return sum;
}

describe('the heat kernel between mirrors', () => {
  // Images and cosines, and the border between them at 0.1 of the squared length.
  it.each([0.003, 0.1, 0.5, 0.8999, 0.9001, 2, 20])('is the sum of images, variance %f', (variance) => {
    const kernel = new ReflectedKernel(ORIGIN, LENGTH);
    for (const u of [-1, -0.99, 0.2, 1.7, 2]) {
      for (const x of [-1, -0.7, 0.25, 1.2, 1.99, 2]) {
        kernel.evaluate(x, u, variance);
        const exact = imageSum(x, u, variance);
        if (exact < 1e-280) continue;
        expect(kernel.logDensity).toBeCloseTo(Math.log(exact), 9);
        const h = 1e-5 * Math.sqrt(variance);
        const slope =
          (Math.log(imageSum(x + h, u, variance)) - Math.log(imageSum(x - h, u, variance))) / (2 * h);
        const size = Math.max(1 / Math.sqrt(variance), Math.abs(slope));
        expect(Math.abs(kernel.score - slope) / size).toBeLessThan(1e-7);
      }
    }
  });

  it('has no slope at the mirrors, however far the source', () => {
    const kernel = new ReflectedKernel(0, 1);
    for (const variance of [1e-3, 0.05, 0.3]) {
      for (const [x, u] of [
        [0, 1],
        [1, 0],
        [0, 0.4],
        [1, 1],
      ]) {
        kernel.evaluate(x, u, variance);
        expect(Math.abs(kernel.score)).toBeLessThan(1e-9 / variance);
      }
    }
  });

  it('folds points back as often as it takes', () => {
    for (const [x, inside] of [
      [-1, -1],
      [0.5, 0.5],
      [2.5, 1.5],
      [-1.25, -0.75],
      [5.5, -0.5],
      [-7.5, -0.5],
    ]) {
      expect(reflect(x, ORIGIN, LENGTH)).toBeCloseTo(inside, 12);
    }
  });
});

/** Mean of a function over a grid of n x n midpoints of the unit square. */
function mean(n: number, of: (points: Float64Array) => Float64Array): number {
  const points = new Float64Array(2 * n * n);
  for (let k = 0; k < n * n; k++) {
    points[2 * k] = (Math.floor(k / n) + 0.5) / n;
    points[2 * k + 1] = ((k % n) + 0.5) / n;
  }
  return of(points).reduce((sum, value) => sum + value, 0) / (n * n);
}

describe.each(DATA_SETS)('the density of %s', (name) => {
  const density = dataSetDensity(name);
  const variances = [4e-4, 0.01, 0.3];
  const random = randomStream(3);

  it('has mass 1 under every noise', () => {
    for (const variance of variances) {
      expect(mean(40, (points) => density.logDensity(points, variance).map(Math.exp))).toBeCloseTo(1, 6);
    }
  });

  it('has as its score the slope of its logarithm', () => {
    for (const variance of variances) {
      const points = density.draw(20, random);
      const score = density.score(points, variance);
      const h = 1e-5 * Math.sqrt(variance);
      for (let n = 0; n < points.length; n++) {
        const at = (step: number) => {
          const moved = points.map((x, k) => (k === n ? x + step : x)).subarray(n - (n % 2), n - (n % 2) + 2);
          return density.logDensity(moved, variance)[0];
        };
        expect(Math.abs(score[n] - (at(h) - at(-h)) / (2 * h)) * Math.sqrt(variance)).toBeLessThan(1e-5);
      }
    }
  });

  it('obeys the heat equation', () => {
    const points = density.draw(10, random);
    const variance = 0.01;
    const p = (x: number, y: number, v: number) => Math.exp(density.logDensity(Float64Array.of(x, y), v)[0]);
    for (let k = 0; k < points.length; k += 2) {
      const [x, y] = [points[k], points[k + 1]];
      const rate = (p(x, y, variance + 1e-6) - p(x, y, variance - 1e-6)) / 2e-6;
      const h = 1e-3;
      const laplacian =
        (p(x + h, y, variance) +
          p(x - h, y, variance) +
          p(x, y + h, variance) +
          p(x, y - h, variance) -
          4 * p(x, y, variance)) /
        (h * h);
      expect(Math.abs(rate - laplacian / 2)).toBeLessThan(1e-3 * (p(x, y, variance) / variance));
    }
  });

  it('has the cells that its points fall into', () => {
    const [height, width] = [6, 8];
    const cells = density.cells(height, width);
    const count = 40_000;
    const share = new Float64Array(height * width);
    const points = density.draw(count, random);
    for (let k = 0; k < count; k++) {
      share[Math.floor(points[2 * k] * height) * width + Math.floor(points[2 * k + 1] * width)] += 1 / count;
    }
    // A cell of this size is too large for Gauss's rule: finer ones are summed up.
    const fine = density.cells(8 * height, 8 * width);
    for (let k = 0; k < share.length; k++) {
      let sum = 0;
      for (let n = 0; n < 64; n++) {
        const row = 8 * Math.floor(k / width) + (n >> 3);
        sum += fine.data[row * 8 * width + 8 * (k % width) + (n & 7)];
      }
      const expected = sum / 64 / (height * width);
      expect(Math.abs(share[k] - expected)).toBeLessThan(5 * Math.sqrt((expected + 1e-5) / count));
    }
    expect(cells.shape).toEqual([height, width]);
    expect(fine.data.reduce((sum, value) => sum + value, 0) / fine.data.length).toBeCloseTo(1, 3);
  });
});

it('the density of one Gaussian far from any border is the textbook one', () => {
  const means = { data: Float64Array.of(3, -4), shape: [1, 2] };
  const rectangle = { origin: [-47, -54], sides: [100, 100] } as const;
  const density = gaussianMixtureDensity({ means, deviation: 0.5, rectangle });
  const [x, y, variance] = [3.4, -5, 0.75];
  const spread = 0.25 + variance;
  const [log] = density.logDensity(Float64Array.of(x, y), variance);
  expect(log).toBeCloseTo(-((x - 3) ** 2 + (y + 4) ** 2) / (2 * spread) - Math.log(2 * Math.PI * spread), 12);
  const score = density.score(Float64Array.of(x, y), variance);
  expect([...score]).toEqual([expect.closeTo(-(x - 3) / spread, 12), expect.closeTo(-(y + 4) / spread, 12)]);
});

it('the checkerboard has a density where nearly nothing comes, on a white square', () => {
  const [x, y, variance] = [0.125, 0.375, 4e-4];
  const density = checkerboardDensity();
  // The black squares beside it and, through the mirror, above it; the mass is in their nearest edges.
  const [log] = density.logDensity(Float64Array.of(x, y), variance);
  const far = (distance: number) => {
    // Mills' ratio of the normal tail, by its continued fraction.
    const z = distance / Math.sqrt(variance);
    let ratio = z;
    for (let k = 40; k > 0; k--) ratio = z + k / ratio;
    return Math.exp((-z * z) / 2) / (Math.sqrt(2 * Math.PI) * ratio);
  };
  // Along x only the edge at 1/4 is there, the mirror at 0 shows the same square again; along y both edges are.
  expect(log).toBeCloseTo(Math.log(2 * (far(0.125) + 2 * far(0.125))), 9);
});

it('the checkerboard is even on its own squares, and nothing on the others', () => {
  expect([...checkerboardDensity(2).cells(2, 2).data]).toEqual([2, 0, 0, 2]);
  const halves = checkerboardDensity(4).cells(2, 8).data;
  expect([...halves].every((value) => Math.abs(value - 1) < 1e-14)).toBe(true);
});

describe('densities refuse', () => {
  const means = { data: Float64Array.of(0.5, 0.5), shape: [1, 2] };
  it.each<[string, object, string]>([
    [
      'a mean outside',
      { means: { data: Float64Array.of(0.5, 1.5), shape: [1, 2] }, deviation: 0.1 },
      'INVALID_VALUE',
    ],
    [
      'means of three numbers',
      { means: { data: new Float64Array(3), shape: [1, 3] }, deviation: 0.1 },
      'SHAPE_MISMATCH',
    ],
    ['a deviation of 0', { means, deviation: 0 }, 'INVALID_VALUE'],
    ['too many weights', { means, deviation: 0.1, weights: [1, 2] }, 'INVALID_VALUE'],
    ['weights of 0', { means, deviation: 0.1, weights: [0] }, 'INVALID_VALUE'],
    ['another option', { means, deviation: 0.1, weight: [1] }, 'UNKNOWN_OPTION'],
  ])('%s', (_, mixture, code) => {
    expect(() => gaussianMixtureDensity(mixture as GaussianMixture)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('an odd checkerboard, one without noise, and an unknown set', () => {
    const refused = expect.objectContaining({ code: 'INVALID_VALUE' });
    expect(() => checkerboardDensity(3)).toThrow(refused);
    expect(() => checkerboardDensity().score(Float64Array.of(0.5, 0.5), 0)).toThrow(refused);
    expect(() => dataSetDensity('circles' as 'rings')).toThrow(refused);
  });
});
