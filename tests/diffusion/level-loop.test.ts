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
