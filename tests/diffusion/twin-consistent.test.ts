import { describe, expect, it } from 'vitest';
import { gaussianLogDensity } from '../../src/diffusion/exact.ts';
import {
  constantDiffusion,
  type PresetSde,
  varianceExploding,
  variancePreserving,
} from '../../src/diffusion/sde.ts';
import { type ConsistentOptions, consistentTwin } from '../twins/fokkerplanck-consistent.ts';
import { na2024Twin } from '../twins/fokkerplanck-papers.ts';
import { maxDifference } from './reference.ts';

type Field = (x: number, y: number, t: number) => number;

function onGrid(
  m: Field,
  height: number,
  width: number,
  t: number,
  h: readonly number[] = [1 / (height - 1), 1 / (width - 1)],
): Float64Array {
  return Float64Array.from({ length: height * width }, (_, k) =>
    m(Math.floor(k / width) * h[0], (k % width) * h[1], t),
  );
}

/** Largest error at the end time on the unit square, given the exact solution (and its values outside by default). */
function errorAgainst(exact: Field, height: number, width: number, options: ConsistentOptions): number {
  const all = { boundary: { values: exact }, linearization: 'newton' as const, ...options };
  const result = consistentTwin(onGrid(exact, height, width, 0, options.spacing), height, width, all);
  expect(Math.max(...result.changes)).toBeLessThan(1e-12);
  return maxDifference(
    result.logDensity[options.steps],
    onGrid(exact, height, width, options.T, options.spacing),
  );
}

/** Observed orders between successive errors; `counts` are intervals or time steps. */
function orders(errors: number[], counts: number[]): number[] {
  return errors.slice(1).map((error, i) => Math.log(errors[i] / error) / Math.log(counts[i + 1] / counts[i]));
}

function expectOrders(observed: number[], order: number, tolerance: number): void {
  for (const value of observed) expect(Math.abs(value - order)).toBeLessThan(tolerance);
}

const presets: PresetSde[] = [
  constantDiffusion(0.7),
  varianceExploding(2),
  variancePreserving({ betaMin: 0.5, betaMax: 2 }),
];

describe.each(presets)('consistent under $name', (sde) => {
  const { diffusion, drift } = sde;
  const gaussian: Field = (x, y, t) => gaussianLogDensity(x, y, t, { mean: [0.4, 0.6], variance: 0.2, sde });
  // The log density of one Gaussian is quadratic, so that differences are exact on it; of two it is not.
  const mixture: Field = (x, y, t) => {
    const one = gaussianLogDensity(x, y, t, { mean: [0.2, 0.3], variance: 0.06, sde });
    const other = gaussianLogDensity(x, y, t, { mean: [0.9, 0.8], variance: 0.06, sde });
    return Math.log(0.5 * Math.exp(one) + 0.5 * Math.exp(other));
  };

  it('is of order 2 in space', () => {
    const intervals = [8, 12, 16, 24];
    const errors = intervals.map((n) =>
      errorAgainst(mixture, n + 1, n + 1, { T: 0.25, steps: 4 * n, theta: 0.5, diffusion, drift }),
    );
    expectOrders(orders(errors, intervals), 2, 0.25);
  });

  it.each([
    { name: 'backward Euler', theta: 1, order: 1 },
    { name: 'Crank-Nicolson', theta: 0.5, order: 2 },
  ])('is of order $order in time by $name', ({ theta, order }) => {
    const steps = [8, 16, 32, 64];
    const errors = steps.map((count) =>
      errorAgainst(gaussian, 7, 9, { T: 0.5, steps: count, theta, diffusion, drift }),
    );
    expectOrders(orders(errors, steps), order, 0.08);
  });

  it('is of order 1 upwind', () => {
    const intervals = [12, 16, 24];
    const errors = intervals.map((n) =>
      errorAgainst(mixture, n + 1, n + 1, { T: 0.25, steps: n, diffusion, drift, advection: 'upwind' }),
    );
    expectOrders(orders(errors, intervals), 1, 0.4);
  });

  it.each([
    { boundary: 'zero', advection: 'centred', theta: 1 },
    { boundary: 'reflecting', advection: 'centred', theta: 0.5 },
    { boundary: 'reflecting', advection: 'upwind', theta: 1 },
    { boundary: { values: mixture }, advection: 'hybrid', theta: 0.5 },
  ] as const)('reaches one solution by Picard and Newton: %o', (options) => {
    const initial = onGrid(mixture, 8, 6, 0);
    const [picard, newton] = (['picard', 'newton'] as const).map((linearization) =>
      consistentTwin(initial, 8, 6, { T: 0.3, steps: 6, diffusion, drift, linearization, ...options }),
    );
    expect(maxDifference(picard.logDensity[6], newton.logDensity[6])).toBeLessThan(1e-10);
    expect(Math.max(...newton.fixedPointIterations)).toBeLessThan(Math.max(...picard.fixedPointIterations));
  });
});

describe('boundaries of consistent', () => {
  const g = 0.6;
  const cosine: Field = (x, y, t) =>
    Math.log(1 + 0.5 * Math.exp(-g * g * Math.PI ** 2 * t) * Math.cos(Math.PI * x) * Math.cos(Math.PI * y));

  it('reflecting: order 2 on a cosine, which has no slope at the border', () => {
    const intervals = [6, 8, 12, 16];
    const errors = intervals.map((n) =>
      errorAgainst(cosine, n + 1, n + 1, {
        T: 0.2,
        steps: 2 * n,
        theta: 0.5,
        diffusion: () => g,
        boundary: 'reflecting',
      }),
    );
    expectOrders(orders(errors, intervals), 2, 0.2);
  });

  it('reflecting: the stationary density of a drift stays', () => {
    const stationary: Field = (x, y) => -0.5 * (x * x + y * y);
    const { drift, diffusion } = variancePreserving();
    const error = errorAgainst(stationary, 9, 7, {
      T: 0.5,
      steps: 5,
      drift,
      diffusion,
      boundary: 'reflecting',
    });
    expect(error).toBeLessThan(1e-12);
  });

  it('zero: order 2 on a sine that vanishes one spacing outside', () => {
    const decay = (g * Math.PI) ** 2;
    const intervals = [8, 10, 14, 18];
    const errors = intervals.map((n) => {
      // The outermost unknowns lie one spacing inside a square of side 1.
      const h = 1 / n;
      const arch = (x: number) => Math.sin(Math.PI * (x + h));
      const exact: Field = (x, y, t) => Math.log(1 + 2 * Math.exp(-decay * t) * arch(x) * arch(y));
      const options = { T: 0.2, steps: 2 * n, theta: 0.5, diffusion: () => g, spacing: [h, h] as const };
      return errorAgainst(exact, n - 1, n - 1, { ...options, boundary: 'zero' });
    });
    expectOrders(orders(errors, intervals), 2, 0.2);
  });
});

describe('advection of consistent', () => {
  const initial = onGrid((x, y) => 3 * x - 2 * x * y + y * y, 7, 7, 0);
  const run = (advection: 'centred' | 'upwind' | 'hybrid', speed: number, g: number) =>
    consistentTwin(initial, 7, 7, {
      T: 0.05,
      steps: 2,
      diffusion: () => g,
      drift: () => [speed, -speed],
      advection,
      boundary: { values: (x, y) => 3 * x - 2 * x * y + y * y },
    }).logDensity[2];

  it('hybrid is centred where cells are mild and upwind where they are steep', () => {
    expect(run('hybrid', 0.1, 1)).toEqual(run('centred', 0.1, 1));
    expect(run('hybrid', 5, 0.2)).toEqual(run('upwind', 5, 0.2));
    expect(run('hybrid', 5, 0)).toEqual(run('upwind', 5, 0));
    expect(maxDifference(run('centred', 5, 0.2), run('upwind', 5, 0.2))).toBeGreaterThan(1e-3);
  });
});

describe('convergence to the equation', () => {
  const sigma = 0.01;
  const eps = 1e-3;
  const sde = varianceExploding(sigma);
  const side = 6;
  const variance = 0.4;
  const exact: Field = (x, y, t) =>
    gaussianLogDensity(x, y, t, { mean: [side / 2, side / 2], variance, sde });

  /** Error at t = 1 in the middle, where the border's zeros are not felt. */
  function middleError(m: Float64Array, n: number): number {
    const expected = onGrid(exact, n, n, 1, [side / (n - 1), side / (n - 1)]);
    const near = (at: number) => Math.abs((at * side) / (n - 1) - side / 2) < 1.001;
    const inside = (_: number, k: number) => near(Math.floor(k / n)) && near(k % n);
    return maxDifference(m.filter(inside), expected.filter(inside));
  }

  it('consistent converges, na2024 does not, from the same start with the same zeros outside', () => {
    // Spacings 1/2, 1/3, 1/4, 1/5: the middle square, two wide, has its border on the grid each time.
    const sizes = [13, 19, 25, 31];
    const errors = sizes.map((n) => {
      const h = side / (n - 1);
      const levels = 2 * (n - 1);
      const initial = onGrid(exact, n, n, eps, [h, h]);
      const published = na2024Twin([initial], n, { sigma, levels, dh: h, eps, maxiter: 8 });
      const ours = consistentTwin(initial, n, n, {
        T: 1 - eps,
        steps: levels,
        diffusion: (t) => sde.diffusion(eps + t),
        spacing: [h, h],
        linearization: 'newton',
      });
      return [middleError(published.logDensity[levels - 1][0], n), middleError(ours.logDensity[levels], n)];
    });
    const [published, ours] = [0, 1].map((which) => errors.map((pair) => pair[which]));
    expectOrders(
      orders(
        ours,
        sizes.map((n) => n - 1),
      ),
      1,
      0.2,
    );
    expect(ours[3]).toBeLessThan(0.05);
    for (const error of published) expect(error).toBeGreaterThan(1);
    expect(published[3]).toBeGreaterThan(published[0]);
  });
});
