import { describe, expect, it } from 'vitest';
import { precomputeScores } from '../../src/diffusion/precompute.ts';
import { constantDiffusion, varianceExploding } from '../../src/diffusion/sde.ts';
import { batch, bumps } from './fields.ts';

const given = batch([[bumps(4, 4, 0)], [bumps(4, 4, 1)]], 4, 4);

describe('input that is unusual, and right', () => {
  it('options given as undefined are those not given', async () => {
    const names = [
      'density',
      'seed',
      'scheme',
      'sde',
      'steps',
      'T',
      'spacing',
      'rtol',
      'fixedPoint',
      'method',
    ];
    const more = ['start', 'sharing', 'projection', 'signal', 'onProgress', 'engine', 'images', 'boundary'];
    const nothing = Object.fromEntries([...names, ...more].map((name) => [name, undefined]));
    const plain = await precomputeScores({ initialLogDensity: given });
    const same = await precomputeScores({ initialLogDensity: given, ...nothing });
    expect(same.scores).toEqual(plain.scores);
    const nested = { rtol: undefined, maxiter: undefined };
    const inside = await precomputeScores({ initialLogDensity: given, fixedPoint: nested });
    expect(inside.scores).toEqual(plain.scores);
    const shared = await precomputeScores({ initialLogDensity: given, sharing: 'projection' });
    const projection = { kind: undefined };
    const sharedToo = await precomputeScores({ initialLogDensity: given, sharing: 'projection', projection });
    expect(sharedToo.scores).toEqual(shared.scores);
  });

  it('nothing that is given is written to', async () => {
    const data = Object.freeze(given.shape) && given.data.slice();
    await precomputeScores({ initialLogDensity: { data, shape: given.shape }, steps: 2 });
    expect(data).toEqual(given.data);
  });

  it('no diffusion and no drift: nothing moves', async () => {
    for (const scheme of ['consistent', 'lau2025', 'na2024'] as const) {
      const { logDensity } = await precomputeScores({
        initialLogDensity: given,
        scheme,
        sde: constantDiffusion(0),
        steps: 3,
      });
      const size = logDensity.data.length / 2;
      for (let k = 0; k < 3 * 16; k++)
        expect(logDensity.data[size + k]).toBeCloseTo(given.data[16 + (k % 16)], 9);
    }
  });

  it('the smallest grid, one step, in every scheme', async () => {
    for (const scheme of ['consistent', 'lau2025', 'na2024'] as const) {
      const result = await precomputeScores({
        initialLogDensity: { data: Float64Array.of(0.1, -0.2, 0.3, 0.4), shape: [1, 1, 2, 2] },
        scheme,
        sde: varianceExploding(1.5),
        steps: scheme === 'na2024' ? 2 : 1,
        sharing: 'projection',
      });
      expect(result.report.status).toBe('converged');
      expect(result.logDensity.shape).toEqual([1, 2, 1, 2, 2]);
      expect(result.scores.shape).toEqual(scheme === 'na2024' ? [1, 2, 1, 2, 2] : [1, 2, 1, 2, 2, 2]);
    }
  });

  it('a log density of zeros stays zero', async () => {
    for (const scheme of ['consistent', 'lau2025', 'na2024'] as const) {
      const initialLogDensity = { data: new Float64Array(2 * 16), shape: [2, 1, 4, 4] };
      const { logDensity, report } = await precomputeScores({
        initialLogDensity,
        scheme,
        sharing: 'projection',
      });
      expect(report.status).toBe('converged');
      expect(logDensity.data.every((m) => m === 0)).toBe(true);
    }
  });
});
