import { setFlagsFromString } from 'node:v8';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logDensityFromSamples } from '../../src/diffusion/density-positions.ts';
import { precomputeScores } from '../../src/diffusion/precompute.ts';
import { varianceExploding } from '../../src/diffusion/sde.ts';
import type { NdArray, PrecomputeOptions, PrecomputeResult } from '../../src/diffusion/types.ts';
import { createEngine } from '../../src/solver/create-engine.ts';
import type { Engine } from '../../src/solver/engine.ts';
import { BUILDS } from '../../src/wasm/builds.ts';
import { part } from './fields.ts';
import { maxDifference, reference, relativeError } from './reference.ts';

setFlagsFromString('--experimental-wasm-relaxed-simd');

/** What the program of arXiv 2404.06661 was run on, and with what. */
const PUBLISHED_NA = [
  {
    name: 'two pictures of 16 x 16, sigma 5, 20 levels',
    files: 'na2024',
    pictures: 'na2024_images',
    size: 16,
    options: { sde: varianceExploding(5), steps: 20 },
    iterations: [6, 6],
  },
  {
    name: '32 x 32, sigma 2, 10 levels',
    files: 'na2024_alps32',
    pictures: 'na2024_alps32_image',
    size: 32,
    options: { sde: varianceExploding(2), steps: 10 },
    iterations: [7],
  },
];

/** The same of arXiv 2511.17634. */
const PUBLISHED_LAU = [
  {
    name: 'without drift',
    files: 'lau2025_cat16',
    sde: { diffusion: () => 0.5 },
    iterations: [5, 4, 4, 4, 4, 4, ...Array<number>(14).fill(3)],
  },
  {
    name: 'with drift',
    files: 'lau2025_cat16_drift',
    sde: {
      diffusion: (t: number) => 0.5 + t,
      drift: (x: number, y: number, t: number) => [-0.5 * x * (1 + t), -0.5 * y * (1 + t)] as const,
    },
    iterations: [5, ...Array<number>(19).fill(4)],
  },
];

function given({ data }: { data: Float64Array }, channels: number, size: number): NdArray {
  return { data, shape: [data.length / (channels * size * size), channels, size, size] };
}

describe.each(BUILDS)('the published programs, kernel %s', (build) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createEngine({ build });
  });
  afterAll(() => {
    expect(engine.bytesInUse).toBe(0);
    engine.dispose();
  });

  describe.each(PUBLISHED_NA)('na2024: $name', ({ files, pictures, size, options, iterations }) => {
    const scores = reference(`${files}_scores`);

    function expectPublished(result: PrecomputeResult): void {
      expect(result.scores.shape).toEqual(scores.shape);
      expect(result.logDensity.shape).toEqual(scores.shape);
      // The program keeps its fields in float32 between the solves; measured here: 9.4e-8 and 1.1e-7.
      expect(relativeError(result.scores.data, scores.data)).toBeLessThan(1e-6);
      expect(result.report.images.map((image) => image.fixedPointIterations)).toEqual(iterations);
      expect(result.report.images.map((image) => image.changes.length)).toEqual(iterations);
      expect(result.report.status).toBe('converged');
      expect(result.report.build).toBe(build);
    }

    const strict = { scheme: 'na2024', fixedPoint: { inner: 'strict' }, ...options } as const;

    it('from the log density', async () => {
      const initialLogDensity = given(reference(`${files}_initial_log_density`), 3, size);
      expectPublished(await precomputeScores({ initialLogDensity, engine, ...strict }));
    });

    it('by inner solves no tighter than the loop needs, for a fraction of the iterations', async () => {
      const initialLogDensity = given(reference(`${files}_initial_log_density`), 3, size);
      const plain = await precomputeScores({ initialLogDensity, scheme: 'na2024', engine, ...options });
      const slow = await precomputeScores({ initialLogDensity, engine, ...strict });
      expect(plain.report.status).toBe('converged');
      expect(relativeError(plain.scores.data, scores.data)).toBeLessThan(1e-6);
      expect(relativeError(plain.scores.data, slow.scores.data)).toBeLessThan(5e-7);
      expect(relativeError(plain.logDensity.data, slow.logDensity.data)).toBeLessThan(5e-7);
      expect(plain.report.iterations).toBeLessThan(slow.report.iterations / 2);
    });

    it('from the pictures', async () => {
      const images = given(reference(pictures), 3, size);
      expectPublished(await precomputeScores({ images, engine, ...strict }));
    });
  });

  describe.each(PUBLISHED_LAU)('lau2025 $name', ({ files, sde, iterations }) => {
    const logDensity = reference(`${files}_log_density`);
    const scores = reference(`${files}_scores`);

    async function expectPublished(initial: Float64Array): Promise<void> {
      const options: PrecomputeOptions = { scheme: 'lau2025', steps: 20, sde, engine };
      const initialLogDensity = { data: initial, shape: [1, 1, 16, 16] };
      const result = await precomputeScores({ initialLogDensity, ...options });
      expect(result.logDensity.shape).toEqual([1, 21, 1, 16, 16]);
      expect(result.scores.shape).toEqual([1, 21, 1, 2, 16, 16]);
      // Measured: 4e-13.
      expect(maxDifference(result.logDensity.data, logDensity.data)).toBeLessThan(1e-11);
      for (let level = 0; level <= 20; level++) {
        for (const component of [0, 1]) {
          const wanted = scores.data
            .slice(level * 512, (level + 1) * 512)
            .filter((_, at) => at % 2 === component);
          expect(maxDifference(part(result.scores, 0, level, 0, component), wanted)).toBeLessThan(1e-11);
        }
      }
      expect(result.report.steps.map((step) => step.fixedPointIterations)).toEqual(iterations);
      expect(result.report.status).toBe('converged');
      expect(result.report.times[20]).toBe(1);
    }

    it('from the log density', () => expectPublished(logDensity.data.slice(0, 256)));

    it('from the samples', () => {
      const samples = reference('lau2025_cat16_samples');
      return expectPublished(logDensityFromSamples(samples.data, { height: 16, width: 16 }));
    });
  });
});
