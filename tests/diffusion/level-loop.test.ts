import { describe, expect, it } from 'vitest';
import { type PrecomputeOptions, precomputeScores } from '../../src/diffusion/index.ts';
import { constantDiffusion, variancePreserving } from '../../src/diffusion/sde.ts';
import { batch, bumps } from './fields.ts';
import { relativeError } from './reference.ts';

const initialLogDensity = batch(
  [
    [bumps(12, 17, 1), bumps(12, 17, 2)],
    [bumps(12, 17, 3), bumps(12, 17, 4)],
  ],
  12,
  17,
);

const square = batch([[bumps(13, 13, 1)], [bumps(13, 13, 2)]], 13, 13);

/** Where the loop of each scheme ends, and how far two answers that meet that tolerance may lie apart. */
const CASES: [string, PrecomputeOptions, number][] = [
  ['lau2025', { scheme: 'lau2025', steps: 20 }, 2e-5],
  ['lau2025 with drift', { scheme: 'lau2025', steps: 20, sde: variancePreserving({ betaMax: 2 }) }, 2e-5],
  ['consistent, Newton', { linearization: 'newton' }, 1e-6],
  ['consistent, Picard', { linearization: 'picard' }, 1e-6],
  ['consistent, Crank-Nicolson', { timeStepping: 'crank-nicolson' }, 1e-6],
  ['consistent, upwind, drift', { advection: 'upwind', sde: variancePreserving({ betaMax: 2 }) }, 1e-6],
];

describe('inner solves no tighter than the loop needs', () => {
  it.each(CASES)('%s: the same answer for fewer iterations', async (_, options, tolerance) => {
    // The paper's diagonal knows one spacing only, so its scheme wants a square grid.
    const field = options.scheme === 'lau2025' ? square : initialLogDensity;
    const preconditioner = 'none';
    const common = {
      initialLogDensity: field,
      sde: constantDiffusion(0.3),
      steps: 8,
      preconditioner,
      ...options,
    } as const;
    const strict = await precomputeScores({ ...common, fixedPoint: { inner: 'strict', maxiter: 30 } });
    const adaptive = await precomputeScores({ ...common, fixedPoint: { inner: 'adaptive' } });
    expect(strict.report.status).toBe('converged');
    expect(adaptive.report.status).toBe('converged');
    expect(relativeError(adaptive.logDensity.data, strict.logDensity.data)).toBeLessThan(tolerance);
    expect(relativeError(adaptive.scores.data, strict.scores.data)).toBeLessThan(tolerance);
    expect(adaptive.report.iterations).toBeLessThan(strict.report.iterations);
    const { rtol } = options.scheme === 'lau2025' ? { rtol: 1e-6 } : { rtol: 1e-8 };
    for (const step of adaptive.report.steps) {
      expect(step.change).toBeLessThanOrEqual(rtol);
      expect(step.residual).toBe(step.change);
    }
  });

  it('are the default where nothing speaks against them', async () => {
    const iterations = async (options: Partial<PrecomputeOptions>) =>
      (await precomputeScores({ initialLogDensity, steps: 4, preconditioner: 'none', ...options })).report
        .iterations;
    const adaptive = await iterations({ fixedPoint: { inner: 'adaptive' } });
    const strict = await iterations({ fixedPoint: { inner: 'strict' } });
    expect(adaptive).toBeLessThan(strict);
    expect(await iterations({})).toBe(adaptive);
    expect(await iterations({ rtol: 1e-10 })).toBe(strict);
  });

  it.each([{ start: 'zero' }, { sharing: 'projection' }, { rtol: 1e-9 }] as const)(
    'do not go with %o',
    async (options) => {
      const asked = precomputeScores({ initialLogDensity, fixedPoint: { inner: 'adaptive' }, ...options });
      await expect(asked).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    },
  );
});

describe('accelerated loops', () => {
  const accelerated = { inner: 'accelerated' } as const;

  it.each(CASES)('%s: the same answer, by multigrid cycles alone', async (_, options, tolerance) => {
    const field = options.scheme === 'lau2025' ? square : initialLogDensity;
    const common = { initialLogDensity: field, sde: constantDiffusion(0.3), steps: 8, ...options } as const;
    const strict = await precomputeScores({ ...common, fixedPoint: { inner: 'strict', maxiter: 30 } });
    const fast = await precomputeScores({
      ...common,
      fixedPoint: accelerated,
      preconditioner: 'multigrid',
    });
    expect(fast.report.status).toBe('converged');
    expect(relativeError(fast.logDensity.data, strict.logDensity.data)).toBeLessThan(tolerance);
    expect(relativeError(fast.scores.data, strict.scores.data)).toBeLessThan(tolerance);
    const [, channels] = field.shape;
    for (const step of fast.report.steps) {
      expect(step.solves).toBe(channels);
      expect(step.residual).toBe(step.change);
      expect(step.change).toBeLessThanOrEqual(options.scheme === 'lau2025' ? 1e-6 : 1e-8);
      expect(step.fixedPointIterations).toBeLessThan(20);
    }
  });

  it('na2024: the same answer, one solve a level', async () => {
    const field = batch([[bumps(13, 13, 1), bumps(13, 13, 2)]], 13, 13);
    const run = (inner: 'strict' | 'adaptive' | 'accelerated') =>
      precomputeScores({ initialLogDensity: field, scheme: 'na2024', steps: 10, fixedPoint: { inner } });
    const [strict, adaptive, fast] = [await run('strict'), await run('adaptive'), await run('accelerated')];
    expect(fast.report.status).toBe('converged');
    expect(fast.report.solves).toBe(2 * 9);
    expect(adaptive.report.solves).toBeGreaterThan(2 * 9);
    expect(relativeError(fast.logDensity.data, strict.logDensity.data)).toBeLessThan(1e-6);
    for (const step of fast.report.steps) expect(step.change).toBeLessThanOrEqual(2e-8);
  });

  it('na2024: a field whose scores are too large for it is left to the other loop', async () => {
    const values = Float64Array.from({ length: 169 }, (_, k) => (k % 4 < 2 ? 5 : -5) * (1 + Math.sin(k)));
    const steep = batch([[values]], 13, 13);
    const run = (inner: 'adaptive' | 'accelerated') =>
      precomputeScores({ initialLogDensity: steep, scheme: 'na2024', steps: 4, fixedPoint: { inner } });
    const [adaptive, fast] = [await run('adaptive'), await run('accelerated')];
    expect(fast.report.status).toBe(adaptive.report.status);
    expect(fast.report.solves).toBeGreaterThan(3);
    expect(relativeError(fast.logDensity.data, adaptive.logDensity.data)).toBeLessThan(1e-6);
  });

  it.each(['zero', 'reflecting'] as const)('a loop cut short says so, boundary %s', async (boundary) => {
    const run = (maxiter: number) =>
      precomputeScores({
        initialLogDensity,
        sde: constantDiffusion(2),
        steps: 4,
        boundary,
        fixedPoint: { maxiter },
      });
    expect((await run(1)).report.status).toBe('max-iterations');
    expect((await run(30)).report.status).toBe('converged');
  });

  it('are the default where nothing asks for linear solves', async () => {
    const solves = async (options: Partial<PrecomputeOptions>) =>
      (await precomputeScores({ initialLogDensity, sde: constantDiffusion(2), steps: 4, ...options })).report
        .solves;
    expect(await solves({})).toBe(16);
    expect(await solves({ method: 'bicgstab' })).toBeGreaterThan(16);
    expect(await solves({ linearization: 'newton' })).toBeGreaterThan(16);
  });
});

describe('multigrid for the stiff levels', () => {
  it.each(['strict', 'adaptive'] as const)(
    'the same answer for a share of the iterations, %s',
    async (inner) => {
      const stiff = batch([[bumps(24, 31, 1)], [bumps(24, 31, 2)]], 24, 31);
      const run = (options: Partial<PrecomputeOptions>) =>
        precomputeScores({
          initialLogDensity: stiff,
          sde: constantDiffusion(3),
          steps: 5,
          fixedPoint: { inner },
          ...options,
        });
      const plain = await run({ preconditioner: 'none' });
      const multigrid = await run({ preconditioner: 'multigrid' });
      const auto = await run({});
      expect(plain.report.status).toBe('converged');
      expect(multigrid.report.status).toBe('converged');
      expect(relativeError(multigrid.logDensity.data, plain.logDensity.data)).toBeLessThan(1e-6);
      expect(multigrid.report.iterations).toBeLessThan(plain.report.iterations / 3);
      expect(auto.report.iterations).toBe(multigrid.report.iterations);
      const gmres = await run({ preconditioner: 'multigrid', method: 'gmres' });
      expect(gmres.report.status).toBe('converged');
      expect(relativeError(gmres.logDensity.data, plain.logDensity.data)).toBeLessThan(1e-6);
    },
  );

  it('is not for na2024', async () => {
    const asked = precomputeScores({
      initialLogDensity: square,
      scheme: 'na2024',
      preconditioner: 'multigrid',
    });
    await expect(asked).rejects.toMatchObject({ code: 'INVALID_VALUE' });
  });
});
