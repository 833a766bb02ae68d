import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { precomputeScores } from '../../src/diffusion/precompute.ts';
import type { PrecomputeOptions, Sde } from '../../src/diffusion/types.ts';
import { createEngine } from '../../src/solver/create-engine.ts';
import type { Engine } from '../../src/solver/engine.ts';
import { consistentTwin } from '../twins/fokkerplanck-consistent.ts';
import { batch, bumps, part } from './fields.ts';
import { maxDifference } from './reference.ts';

const SDES: Record<string, Sde> = {
  'no drift': { diffusion: (t) => 0.4 + t },
  'a drift': {
    diffusion: (t) => 0.3 + 0.5 * t,
    drift: (x, y, t) => [0.8 * y - x * (1 + t), 0.5 * x * x - 0.6 * y + 0.2 * t],
  },
};

const BOUNDARIES = {
  zero: 'zero',
  reflecting: 'reflecting',
  values: { values: (x: number, y: number, t: number) => 0.5 * x - y * y + 0.3 * t * x },
} as const;

/** Grids that are not square, with spacings that are not the same along the two axes; then the smallest there is. */
const GRIDS: { height: number; width: number; spacing?: [number, number] }[] = [
  { height: 6, width: 9 },
  { height: 7, width: 5, spacing: [0.31, 0.17] },
  { height: 2, width: 3, spacing: [0.4, 0.5] },
];

interface Case {
  drift: string;
  linearization: 'picard' | 'newton';
  timeStepping: 'backward-euler' | 'crank-nicolson';
  boundary: keyof typeof BOUNDARIES;
  advection: 'centred' | 'upwind' | 'hybrid';
}

const CASES: Case[] = Object.keys(SDES).flatMap((drift) =>
  (['picard', 'newton'] as const).flatMap((linearization) =>
    (['backward-euler', 'crank-nicolson'] as const).flatMap((timeStepping) =>
      (['zero', 'reflecting', 'values'] as const).flatMap((boundary) =>
        (['centred', 'upwind', 'hybrid'] as const).map((advection) => ({
          drift,
          linearization,
          timeStepping,
          boundary,
          advection,
        })),
      ),
    ),
  ),
);

describe('consistent against a plain solver of the same discrete equation', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createEngine();
  });
  afterAll(() => {
    expect(engine.bytesInUse).toBe(0);
    engine.dispose();
  });

  it.each(CASES)('$linearization, $timeStepping, border $boundary, $advection, $drift', async (it) => {
    const sde = SDES[it.drift];
    const boundary = BOUNDARIES[it.boundary];
    const { linearization, timeStepping, advection } = it;
    const [T, steps] = [0.3, 3];
    for (const { height, width, spacing } of GRIDS) {
      // Two pictures of two channels, of which `hybrid` finds the steep one partly upwind.
      const fields = [1, 3].map((size) => [0, 1].map((seed) => bumps(height, width, seed, size)));
      const options: PrecomputeOptions = { scheme: 'consistent', sde, steps, T, spacing, engine, boundary };
      const result = await precomputeScores({
        initialLogDensity: batch(fields, height, width),
        ...options,
        linearization,
        timeStepping,
        advection,
        rtol: 1e-13,
        fixedPoint: { rtol: 1e-12, maxiter: 60 },
      });
      expect(result.report.status).toBe('converged');
      for (const [image, channels] of fields.entries()) {
        for (const [channel, field] of channels.entries()) {
          const twin = consistentTwin(field, height, width, {
            T,
            steps,
            ...sde,
            spacing,
            theta: timeStepping === 'backward-euler' ? 1 : 0.5,
            linearization,
            boundary,
            advection,
          });
          expect(Math.max(...twin.changes)).toBeLessThan(1e-12);
          for (let level = 0; level <= steps; level++) {
            const ours = part(result.logDensity, image, level, channel);
            expect(maxDifference(ours, twin.logDensity[level])).toBeLessThan(1e-9);
          }
        }
      }
    }
  });

  it('counts the cells whose Peclet number is over 1, at the final iterates', async () => {
    const [height, width, T] = [6, 9, 0.3];
    const spacing: [number, number] = [0.2, 0.3];
    const { diffusion, drift } = SDES['a drift'];
    const field = bumps(height, width, 0, 6);
    const result = await precomputeScores({
      initialLogDensity: batch([[field]], height, width),
      sde: { diffusion, drift },
      steps: 3,
      T,
      spacing,
      boundary: 'zero',
      engine,
    });
    let [cells, max] = [0, 0];
    for (let level = 1; level <= 3; level++) {
      const t = (level * T) / 3;
      const m = part(result.logDensity, 0, level, 0);
      const at = (i: number, j: number) =>
        i < 0 || j < 0 || i >= height || j >= width ? 0 : m[i * width + j];
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++) {
          const f = drift!(i * spacing[0], j * spacing[1], t);
          const differences = [at(i + 1, j) - at(i - 1, j), at(i, j + 1) - at(i, j - 1)];
          const numbers = differences.map((difference, a) => {
            const v = f[a] - (0.5 * diffusion(t) ** 2 * difference) / (2 * spacing[a]);
            return (Math.abs(v) * spacing[a]) / diffusion(t) ** 2;
          });
          if (Math.max(...numbers) > 1) cells++;
          max = Math.max(max, ...numbers);
        }
      }
    }
    expect(cells).toBeGreaterThan(5);
    expect(result.report.peclet).toEqual({ cells, of: 3 * height * width, max: expect.closeTo(max, 10) });
  });
});
