import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { precomputeScores } from '../../src/diffusion/precompute.ts';
import { varianceExploding } from '../../src/diffusion/sde.ts';
import { createEngine } from '../../src/solver/create-engine.ts';
import type { Engine } from '../../src/solver/engine.ts';
import { lau2025Twin, na2024Twin } from '../twins/fokkerplanck-papers.ts';
import { batch, bumps, part } from './fields.ts';
import { maxDifference, relativeError } from './reference.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  expect(engine.bytesInUse).toBe(0);
  engine.dispose();
});

describe('lau2025 against the plain program, where there are no published arrays', () => {
  it.each([
    { height: 7, width: 7, drift: false },
    { height: 8, width: 7, drift: true },
    { height: 6, width: 9, drift: true },
    { height: 2, width: 2, drift: true },
    { height: 3, width: 2, drift: false },
  ])('$height x $width, drift $drift', async ({ height, width, drift }) => {
    // dy over dx is no more than 8/5 here: the published diagonal, with dx for both, is still large enough.
    const fields = [0, 1].map((seed) => bumps(height, width, seed));
    const sde = {
      diffusion: (t: number) => 0.2 + 0.2 * t,
      drift: drift
        ? (x: number, y: number, t: number) => [0.5 * y - x * (1 + t), 0.3 * x * x - 0.4 * y] as const
        : undefined,
    };
    const [T, steps] = [0.6, 4];
    const result = await precomputeScores({
      initialLogDensity: batch(
        fields.map((field) => [field]),
        height,
        width,
      ),
      scheme: 'lau2025',
      sde,
      T,
      steps,
      engine,
    });
    for (const [image, field] of fields.entries()) {
      const twin = lau2025Twin(field, height, width, { T, steps, ...sde });
      const counts = result.report.steps
        .filter((step) => step.image === image)
        .map((step) => step.fixedPointIterations);
      expect(counts).toEqual(twin.fixedPointIterations);
      for (let level = 0; level <= steps; level++) {
        expect(maxDifference(part(result.logDensity, image, level, 0), twin.logDensity[level])).toBeLessThan(
          1e-10,
        );
        for (const a of [0, 1]) {
          const ours = part(result.scores, image, level, 0, a);
          expect(maxDifference(ours, twin.scores[level][a])).toBeLessThan(1e-9);
        }
      }
    }
  });

  it('a spacing that is given stands in for the unit square’s', async () => {
    // On a square of side L with f = 0, all is as on the unit square with g / L.
    const initialLogDensity = batch([[bumps(8, 8, 0)]], 8, 8);
    const common = { initialLogDensity, scheme: 'lau2025', steps: 3, engine } as const;
    const unit = await precomputeScores({ ...common, sde: { diffusion: () => 0.3 } });
    const wide = await precomputeScores({ ...common, sde: { diffusion: () => 1.5 }, spacing: 5 / 7 });
    expect(maxDifference(wide.logDensity.data, unit.logDensity.data)).toBeLessThan(1e-10);
    const scaled = unit.scores.data.map((s) => s / 5);
    expect(maxDifference(wide.scores.data, scaled)).toBeLessThan(1e-10);
  });
});

describe('na2024 against the plain program, where there are no published arrays', () => {
  it.each([
    { size: 2, sigma: 2, levels: 3, dh: 1 },
    { size: 5, sigma: 5, levels: 2, dh: 1 },
    { size: 7, sigma: 3, levels: 8, dh: 0.5 },
    { size: 9, sigma: 5, levels: 12, dh: 2 },
    { size: 9, sigma: 10, levels: 5, dh: 4 },
  ])('$size x $size, sigma $sigma, $levels levels, dh $dh', async ({ size, sigma, levels, dh }) => {
    const images = [0, 1].map((seed) => [0, 1, 2].map((channel) => bumps(size, size, seed - channel)));
    const result = await precomputeScores({
      initialLogDensity: batch(images, size, size),
      scheme: 'na2024',
      sde: varianceExploding(sigma),
      steps: levels,
      spacing: dh,
      rtol: 1e-13,
      engine,
    });
    for (const [image, channels] of images.entries()) {
      const twin = na2024Twin(channels, size, { sigma, levels, dh });
      const { changes, status } = result.report.images[image];
      expect(status).toBe('converged');
      expect(changes).toHaveLength(twin.changes.length);
      expect(relativeError(changes.slice(0, 2), twin.changes.slice(0, 2))).toBeLessThan(1e-9);
      for (let level = 0; level < levels; level++) {
        expect(result.report.times[level]).toBeCloseTo(twin.times[level], 14);
        for (const channel of [0, 1, 2]) {
          const m = twin.logDensity[level][channel];
          expect(relativeError(part(result.logDensity, image, level, channel), m)).toBeLessThan(1e-9);
          const scores = twin.scores[level][channel];
          expect(relativeError(part(result.scores, image, level, channel), scores)).toBeLessThan(1e-9);
        }
      }
    }
  });

  it('T is the last time, and T / N the time step', async () => {
    // With constant g the times of the levels do not matter, only g^2 T / N does.
    const initialLogDensity = batch([[bumps(6, 6, 0)]], 6, 6);
    const common = { initialLogDensity, scheme: 'na2024', steps: 5, engine } as const;
    const one = await precomputeScores({ ...common, sde: { diffusion: () => 1 } });
    const four = await precomputeScores({ ...common, T: 4, sde: { diffusion: () => 0.5 } });
    expect(four.report.times.at(-1)).toBe(4);
    expect(maxDifference(four.logDensity.data, one.logDensity.data)).toBeLessThan(1e-12);
  });
});
