import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FixedPointMonitor, worse } from '../../src/diffusion/fixed-point.ts';
import { precomputeScores } from '../../src/diffusion/precompute.ts';
import { constantDiffusion, varianceExploding } from '../../src/diffusion/sde.ts';
import type { PrecomputeOptions, Scheme } from '../../src/diffusion/types.ts';
import { createEngine } from '../../src/solver/create-engine.ts';
import type { Engine } from '../../src/solver/engine.ts';
import type { SolveStatus } from '../../src/solver/types.ts';
import { consistentTwin } from '../twins/fokkerplanck-consistent.ts';
import { batch, bumps, onGrid } from './fields.ts';
import { reference } from './reference.ts';

/** The end of a loop with these measures, and after how many; `open` where it would go on. */
function end(measures: number[], settings = { rtol: 1e-6, maxiter: 50 }): [SolveStatus | 'open', number] {
  const monitor = new FixedPointMonitor(settings);
  for (const [k, measure] of measures.entries()) {
    const status = monitor.update(measure, k + 1);
    if (status !== undefined) return [status, k + 1];
  }
  return ['open', measures.length];
}

const powers = (base: number, count: number) => Array.from({ length: count }, (_, k) => base ** k);

describe('the end of a fixed-point loop', () => {
  it('converged: at the tolerance, or below', () => {
    expect(end([1, 1e-3, 1e-6])).toEqual(['converged', 3]);
    expect(end([0])).toEqual(['converged', 1]);
    expect(end([1, 0], { rtol: 0, maxiter: 9 })).toEqual(['converged', 2]);
  });

  it('max-iterations: when as many are done, and not before', () => {
    expect(end(powers(0.5, 9), { rtol: 1e-6, maxiter: 10 })[0]).toBe('open');
    expect(end(powers(0.5, 20), { rtol: 1e-6, maxiter: 10 })).toEqual(['max-iterations', 10]);
    expect(end([1], { rtol: 1e-6, maxiter: 1 })).toEqual(['max-iterations', 1]);
  });

  it('a tolerance met in the last iteration is met', () => {
    expect(end([1, 1e-7], { rtol: 1e-6, maxiter: 2 })).toEqual(['converged', 2]);
  });

  it('stagnated: five iterations that win less than a tenth, in all', () => {
    expect(end([1, ...Array<number>(9).fill(1)])).toEqual(['stagnated', 6]);
    expect(end([1, 0.1, 0.09, 0.095, 0.2, 0.1, 0.0901, 0.0901])).toEqual(['stagnated', 8]);
    expect(end([1, 2, 4, 8, 16, 32, 64])).toEqual(['stagnated', 6]);
  });

  it('slow is not stagnated: a tenth in five iterations is enough', () => {
    expect(end(powers(0.97, 300), { rtol: 1e-3, maxiter: 1000 })[0]).toBe('converged');
    expect(end(powers(0.985, 300), { rtol: 1e-3, maxiter: 1000 })[0]).toBe('stagnated');
  });

  it('a bad beginning is forgiven when what follows is better', () => {
    expect(end([1, 5, 20, 3, 0.5, 0.01, 1e-4, 1e-7])).toEqual(['converged', 8]);
  });

  it('non-finite: at once', () => {
    expect(end([1, Number.NaN])).toEqual(['non-finite', 2]);
    expect(end([Infinity])).toEqual(['non-finite', 1]);
  });

  it('always comes, whatever the measures are', () => {
    const measures = Array.from({ length: 100 }, (_, k) => 1 / (1 + k));
    expect(end(measures, { rtol: 0, maxiter: 1e9 })[0]).toBe('stagnated');
  });

  it('orders the ends from good to bad', () => {
    const order: SolveStatus[] = ['converged', 'max-iterations', 'stagnated', 'breakdown', 'non-finite'];
    for (const [i, a] of order.entries()) {
      for (const [j, b] of order.entries()) expect(worse(a, b)).toBe(order[Math.max(i, j)]);
    }
  });
});

describe('runs that cannot converge', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createEngine();
  });
  afterAll(() => {
    expect(engine.bytesInUse).toBe(0);
    engine.dispose();
  });

  it.each(['zero', 'last-iterate'] as const)(
    'na2024 ends with a tolerance that rounding does not allow, start %s',
    async (start) => {
      const { data } = reference('na2024_initial_log_density');
      const { report } = await precomputeScores({
        initialLogDensity: { data: data.slice(0, 768), shape: [1, 3, 16, 16] },
        scheme: 'na2024',
        engine,
        start,
        rtol: 1e-14,
        fixedPoint: { rtol: 1e-18, maxiter: 1000 },
      });
      const { changes, status } = report.images[0];
      expect(changes.length).toBeLessThan(40);
      expect(Math.min(...changes)).toBeLessThan(1e-13);
      // From the last iterate a solve that has nothing to do changes nothing at all.
      const wanted = start === 'zero' ? 'stagnated' : 'converged';
      expect(report.status).toBe(wanted);
      expect(status).toBe(wanted);
      for (const step of report.steps) expect(step.status).toBe(wanted);
      if (start === 'last-iterate') expect(changes.at(-1)).toBe(0);
    },
  );

  it.each([
    { how: 'comes near too slowly', n: 19, status: 'max-iterations' },
    { how: 'goes nowhere', n: 31, status: 'stagnated' },
  ])('na2024 whose policy iteration $how says so', async ({ n, status }) => {
    const h = 6 / (n - 1);
    const field = onGrid((x, y) => -((x - 3) ** 2 + (y - 3) ** 2) / 0.8, n, n, 0, [h, h]);
    const { report } = await precomputeScores({
      initialLogDensity: batch([[field]], n, n),
      scheme: 'na2024',
      sde: varianceExploding(0.01),
      spacing: h,
      steps: 2 * (n - 1),
      fixedPoint: { inner: 'strict' },
      engine,
    });
    expect(report.status).toBe(status);
    expect(report.images[0].changes.at(-1)).toBeGreaterThan(1e-4);
  });

  it.each(['picard', 'newton'] as const)(
    'consistent by %s in a field that is too steep for it',
    async (linearization) => {
      const field = bumps(6, 9, 1, 6);
      const options = { T: 0.3, steps: 3, diffusion: (t: number) => 0.4 + t };
      const twin = consistentTwin(field, 6, 9, { ...options, linearization, boundary: 'zero', maxiter: 100 });
      // The plain solver of the same equation does not get there either: what is reported is no fault of the kernel's.
      expect(Math.max(...twin.changes)).toBeGreaterThan(1e-3);
      const run = (maxiter: number) =>
        precomputeScores({
          initialLogDensity: batch([[field]], 6, 9),
          sde: { diffusion: options.diffusion },
          T: 0.3,
          steps: 3,
          linearization,
          boundary: 'zero',
          fixedPoint: { maxiter },
          engine,
        });
      const { report } = await run(100);
      expect(report.status).toBe('stagnated');
      expect(report.images[0].fixedPointIterations).toBeLessThan(20);
      expect(Math.max(...report.images[0].changes)).toBeGreaterThan(1e-3);
      const cut = (await run(2)).report;
      expect(cut.status).toBe('max-iterations');
      for (const step of cut.steps) {
        expect(step.fixedPointIterations).toBeLessThanOrEqual(2);
        if (step.change > 1e-8) expect(step.status).toBe('max-iterations');
      }
    },
  );

  it('consistent: upwind differences settle where centred ones do not', async () => {
    const { report } = await precomputeScores({
      initialLogDensity: batch([[bumps(6, 9, 1, 6)]], 6, 9),
      sde: { diffusion: (t) => 0.4 + t },
      T: 0.3,
      steps: 3,
      boundary: 'zero',
      advection: 'upwind',
      engine,
    });
    expect(report.status).toBe('converged');
  });

  it('lau2025 stops after five solves, as published, and says so', async () => {
    const { report } = await precomputeScores({
      initialLogDensity: batch([[bumps(8, 8, 0)]], 8, 8),
      scheme: 'lau2025',
      steps: 3,
      fixedPoint: { rtol: 1e-15 },
      engine,
    });
    expect(report.status).toBe('max-iterations');
    expect(report.steps.map((step) => step.fixedPointIterations)).toEqual([5, 5, 5]);
    expect(report.solves).toBe(15);
  });

  it('a linear solve that falls short is seen in the report', async () => {
    const { report } = await precomputeScores({
      initialLogDensity: batch([[bumps(8, 8, 0)]], 8, 8),
      scheme: 'lau2025',
      steps: 2,
      rtol: 0,
      engine,
    });
    expect(report.status).toBe('stagnated');
    for (const step of report.steps) expect(step.residual).toBeLessThan(1e-13);
  });

  it.each([0, 1])('na2024: one channel whose solves fall short is enough, channel %i', async (channel) => {
    // With b = 0 a solve has nothing to do, and converges to any tolerance.
    const channels: Float64Array[] = [new Float64Array(64), new Float64Array(64)];
    channels[channel] = bumps(8, 8, 0);
    const { report } = await precomputeScores({
      initialLogDensity: batch([channels], 8, 8),
      scheme: 'na2024',
      steps: 3,
      rtol: 0,
      engine,
    });
    expect(report.images[0].changes.at(-1)).toBeLessThan(2e-8);
    for (const step of report.steps) expect(step.status).toBe('stagnated');
    expect(report.status).toBe('stagnated');
  });

  it.each<{ scheme: Scheme; options: PrecomputeOptions }>([
    { scheme: 'na2024', options: {} },
    { scheme: 'lau2025', options: {} },
    { scheme: 'consistent', options: {} },
    { scheme: 'consistent', options: { linearization: 'picard', timeStepping: 'crank-nicolson' } },
    { scheme: 'consistent', options: { advection: 'hybrid', boundary: 'zero' } },
    { scheme: 'lau2025', options: { method: 'gmres', start: 'zero' } },
    { scheme: 'consistent', options: { method: 'gmres', start: 'zero' } },
  ])(
    '$scheme, $options: numbers that overflow end non-finite, and do not hang',
    async ({ scheme, options }) => {
      for (const size of [1e155, 1e300, 1e308]) {
        const field = bumps(8, 8, 0).map((_, k) => (k % 3 === 0 ? size : -size));
        const { report } = await precomputeScores({
          initialLogDensity: batch([[field]], 8, 8),
          scheme,
          sde: scheme === 'na2024' ? varianceExploding(5) : constantDiffusion(2),
          steps: 4,
          engine,
          ...options,
        });
        expect(report.status).toBe('non-finite');
        expect(report.images[0].status).toBe('non-finite');
      }
    },
  );
});
