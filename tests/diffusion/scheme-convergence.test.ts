import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gaussianLogDensity, gaussianScore } from '../../src/diffusion/exact.ts';
import { precomputeScores } from '../../src/diffusion/precompute.ts';
import {
  constantDiffusion,
  type PresetSde,
  varianceExploding,
  variancePreserving,
} from '../../src/diffusion/sde.ts';
import type { PrecomputeOptions } from '../../src/diffusion/types.ts';
import { createEngine } from '../../src/solver/create-engine.ts';
import type { Engine } from '../../src/solver/engine.ts';
import { batch, type Field, onGrid, orders, part } from './fields.ts';
import { maxDifference } from './reference.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  expect(engine.bytesInUse).toBe(0);
  engine.dispose();
});

/** An exact solution and its gradient. */
interface Exact {
  m: Field;
  score: [Field, Field];
}

/** Largest errors of log density and score at the end time, the border included. */
async function errorsOf(
  { m, score }: Exact,
  height: number,
  width: number,
  options: PrecomputeOptions & { T: number; steps: number },
): Promise<{ m: number; score: number }> {
  const { T, steps } = options;
  const { spacing = [1 / (height - 1), 1 / (width - 1)] } = options;
  const [dx, dy] = typeof spacing === 'number' ? [spacing, spacing] : spacing;
  const grid = (field: Field, t: number) => onGrid(field, height, width, t, [dx, dy]);
  const result = await precomputeScores({
    initialLogDensity: batch([[grid(m, 0)]], height, width),
    boundary: { values: m },
    engine,
    rtol: 1e-12,
    fixedPoint: { rtol: 1e-11 },
    ...options,
  });
  expect(result.report.status).toBe('converged');
  const scores = score.map((component, a) =>
    maxDifference(part(result.scores, 0, steps, 0, a), grid(component, T)),
  );
  return { m: maxDifference(part(result.logDensity, 0, steps, 0), grid(m, T)), score: Math.max(...scores) };
}

function expectOrders(errors: number[], counts: number[], order: number, tolerance: number): void {
  for (const observed of orders(errors, counts)) expect(Math.abs(observed - order)).toBeLessThan(tolerance);
}

function gaussian(sde: PresetSde, mean: [number, number], variance: number): Exact {
  const start = { mean, variance, sde };
  return {
    m: (x, y, t) => gaussianLogDensity(x, y, t, start),
    score: [(x, y, t) => gaussianScore(x, y, t, start)[0], (x, y, t) => gaussianScore(x, y, t, start)[1]],
  };
}

/** The equation of the density itself is linear: the mean of two solutions is one. */
function mixture(one: Exact, other: Exact): Exact {
  const share: Field = (x, y, t) => 1 / (1 + Math.exp(other.m(x, y, t) - one.m(x, y, t)));
  return {
    m: (x, y, t) => Math.log(0.5 * Math.exp(one.m(x, y, t)) + 0.5 * Math.exp(other.m(x, y, t))),
    score: [0, 1].map(
      (a): Field =>
        (x, y, t) => {
          const weight = share(x, y, t);
          return weight * one.score[a](x, y, t) + (1 - weight) * other.score[a](x, y, t);
        },
    ) as [Field, Field],
  };
}

const PRESETS: PresetSde[] = [
  constantDiffusion(0.7),
  varianceExploding(2),
  // An Ornstein-Uhlenbeck process.
  variancePreserving({ betaMin: 0.5, betaMax: 2 }),
];

describe.each(PRESETS)('consistent meets the exact solutions of $name', (sde) => {
  // The log density of one Gaussian is quadratic, and differences are exact on it; of two it is not.
  const single = gaussian(sde, [0.4, 0.6], 0.2);
  const pair = mixture(gaussian(sde, [0.2, 0.3], 0.06), gaussian(sde, [0.9, 0.8], 0.06));

  it.each(['newton', 'picard'] as const)(
    'order 2 in space, log density and score, by %s',
    async (linearization) => {
      const intervals = [8, 12, 16, 24];
      const errors = [];
      for (const n of intervals) {
        // Time steps so small that their error is not seen.
        const options = {
          T: 0.25,
          steps: 4 * n,
          timeStepping: 'crank-nicolson',
          sde,
          linearization,
        } as const;
        errors.push(await errorsOf(pair, n + 1, 1.5 * n + 1, options));
      }
      expectOrders(
        errors.map((error) => error.m),
        intervals,
        2,
        0.25,
      );
      // The one-sided differences at the border have the larger constant.
      expectOrders(
        errors.map((error) => error.score),
        intervals,
        2,
        0.4,
      );
    },
  );

  it.each([
    { timeStepping: 'backward-euler', order: 1 },
    { timeStepping: 'crank-nicolson', order: 2 },
  ] as const)('order $order in time by $timeStepping', async ({ timeStepping, order }) => {
    const counts = [8, 16, 32, 64];
    const errors = [];
    for (const steps of counts) {
      errors.push(await errorsOf(single, 7, 9, { T: 0.5, steps, timeStepping, sde, spacing: [0.15, 0.1] }));
    }
    expectOrders(
      errors.map((error) => error.m),
      counts,
      order,
      0.08,
    );
    expectOrders(
      errors.map((error) => error.score),
      counts,
      order,
      0.1,
    );
  });

  it('order 1 in space with upwind differences', async () => {
    const intervals = [16, 24, 32, 48];
    const errors = [];
    for (const n of intervals) {
      const options = { T: 0.25, steps: 2 * n, timeStepping: 'crank-nicolson', sde } as const;
      errors.push(await errorsOf(pair, n + 1, n + 1, { ...options, advection: 'upwind' }));
    }
    expectOrders(
      errors.map((error) => error.m),
      intervals,
      1,
      0.4,
    );
  });
});

describe('consistent with borders that need no values', () => {
  const g = 0.6;
  const decay = g * g * Math.PI ** 2;
  const sde = constantDiffusion(g);

  it('reflecting: order 2 on a cosine, which has no slope at the border', async () => {
    const wave = (t: number) => 0.5 * Math.exp(-decay * t);
    const p: Field = (x, y, t) => 1 + wave(t) * Math.cos(Math.PI * x) * Math.cos(Math.PI * y);
    const slope = (a: number, b: number, t: number) =>
      -Math.PI * wave(t) * Math.sin(Math.PI * a) * Math.cos(Math.PI * b);
    const exact: Exact = {
      m: (x, y, t) => Math.log(p(x, y, t)),
      score: [(x, y, t) => slope(x, y, t) / p(x, y, t), (x, y, t) => slope(y, x, t) / p(x, y, t)],
    };
    // On coarser grids the error at the border, of order 3 here, is the largest.
    const intervals = [16, 20, 24, 32];
    const errors = [];
    for (const n of intervals) {
      const options = { T: 0.2, steps: 2 * n, timeStepping: 'crank-nicolson', sde } as const;
      errors.push(await errorsOf(exact, n + 1, 2 * n + 1, { ...options, boundary: 'reflecting' }));
    }
    expectOrders(
      errors.map((error) => error.m),
      intervals,
      2,
      0.2,
    );
    expectOrders(
      errors.map((error) => error.score),
      intervals,
      2,
      0.4,
    );
  });

  it('reflecting: the stationary density of a drift stays, to the last digits', async () => {
    const m: Field = (x, y) => -0.5 * (x * x + y * y);
    const ou: PrecomputeOptions['sde'] = { drift: (x, y) => [-x, -y], diffusion: () => Math.SQRT2 };
    const result = await precomputeScores({
      initialLogDensity: batch([[onGrid(m, 9, 7, 0)]], 9, 7),
      sde: ou,
      steps: 5,
      engine,
    });
    for (let level = 1; level <= 5; level++) {
      expect(maxDifference(part(result.logDensity, 0, level, 0), onGrid(m, 9, 7, 0))).toBeLessThan(1e-12);
    }
  });

  it('zero: order 2 on a sine above 1, which is 1 outside', async () => {
    // The outermost unknowns lie one spacing inside a square of side 1.
    const intervals = [8, 12, 16, 24];
    const errors = [];
    for (const n of intervals) {
      const h = 1 / n;
      const arch = (x: number) => Math.sin(Math.PI * (x + h));
      const m: Field = (x, y, t) => Math.log(1 + 2 * Math.exp(-decay * t) * arch(x) * arch(y));
      const exact: Exact = { m, score: [m, m] };
      const options = { T: 0.2, steps: 2 * n, timeStepping: 'crank-nicolson', sde } as const;
      errors.push(await errorsOf(exact, n - 1, n - 1, { ...options, spacing: h, boundary: 'zero' }));
    }
    expectOrders(
      errors.map((error) => error.m),
      intervals,
      2,
      0.2,
    );
  });
});

describe('convergence to the equation', () => {
  const sigma = 0.01;
  const eps = 1e-3;
  const sde = varianceExploding(sigma);
  const side = 6;
  const { m: exact } = gaussian(sde, [side / 2, side / 2], 0.4);

  /** Error at t = 1 in the middle square, two wide, where the border's zeros are not felt. */
  function middleError(m: Float64Array, n: number): number {
    const h = side / (n - 1);
    const expected = onGrid(exact, n, n, 1, [h, h]);
    const near = (at: number) => Math.abs(at * h - side / 2) < 1.001;
    const inside = (_: number, k: number) => near(Math.floor(k / n)) && near(k % n);
    return maxDifference(m.filter(inside), expected.filter(inside));
  }

  // Why na2024 cannot. With D = g^2/2, backward Euler puts -D dt/h^2 on all four neighbours, which with 4 D dt/h^2 on
  // the diagonal makes a second difference, and the advection term -D grad m~ . grad m puts opposite signs on the two
  // neighbours of an axis. The published rows have the two the other way round: +D dt/h^2 on the neighbours behind
  // the diagonal, -D dt/h^2 on those before it, and the score's term with one sign on both. The diagonal's share, that
  // grows as 1/h^2, is balanced by nothing then. And the one score that a pixel has is the difference along the flat
  // index: the same for both axes, and over the ends of the rows.
  it('consistent converges, na2024 does not, from the same start with the same zeros outside', async () => {
    // Spacings 1/2, 1/3, 1/4, 1/5: the middle square has its border on the grid each time.
    const sizes = [13, 19, 25, 31];
    const errors: { published: number; ours: number }[] = [];
    for (const n of sizes) {
      const spacing = side / (n - 1);
      const levels = 2 * (n - 1);
      const initialLogDensity = batch([[onGrid(exact, n, n, eps, [spacing, spacing])]], n, n);
      const common = { initialLogDensity, spacing, engine };
      const published = await precomputeScores({
        ...common,
        scheme: 'na2024',
        sde,
        steps: levels,
        fixedPoint: { maxiter: 8 },
      });
      const ours = await precomputeScores({
        ...common,
        sde: { diffusion: (t) => sde.diffusion(eps + t) },
        steps: levels,
        T: 1 - eps,
        boundary: 'zero',
      });
      errors.push({
        published: middleError(part(published.logDensity, 0, levels - 1, 0), n),
        ours: middleError(part(ours.logDensity, 0, levels, 0), n),
      });
    }
    const ours = errors.map((error) => error.ours);
    const published = errors.map((error) => error.published);
    expectOrders(
      ours,
      sizes.map((n) => n - 1),
      1,
      0.2,
    );
    expect(ours[3]).toBeLessThan(0.05);
    for (const error of published) expect(error).toBeGreaterThan(1);
    expect(published[3]).toBeGreaterThan(published[0]);
  });
});
