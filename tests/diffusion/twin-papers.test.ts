import { describe, expect, it } from 'vitest';
import { lau2025Twin, na2024Twin } from '../twins/fokkerplanck-papers.ts';
import { maxDifference, reference, relativeError } from './reference.ts';

describe('the plain na2024 against the published program', () => {
  it.each([
    { image: 0, iterations: 6 },
    { image: 1, iterations: 6 },
  ])('image $image, 16 x 16, sigma 5, 20 levels', ({ image, iterations }) => {
    const scores = reference('na2024_scores');
    checkNa('na2024_initial_log_density', image, 16, { sigma: 5, levels: 20 }, scores.data, iterations);
  });

  it('32 x 32, sigma 2, 10 levels', () => {
    const scores = reference('na2024_alps32_scores');
    checkNa('na2024_alps32_initial_log_density', 0, 32, { sigma: 2, levels: 10 }, scores.data, 7);
  });

  function checkNa(
    name: string,
    image: number,
    size: number,
    options: { sigma: number; levels: number },
    scores: Float64Array,
    iterations: number,
  ): void {
    const n = size * size;
    const { data } = reference(name);
    const initial = [0, 1, 2].map((c) => data.slice((3 * image + c) * n, (3 * image + c + 1) * n));
    const result = na2024Twin(initial, size, options);
    const whole = Float64Array.from(result.scores.flat().flatMap((field) => [...field]));
    const expected = scores.subarray(image * whole.length, (image + 1) * whole.length);
    // The program keeps m and scores in float32.
    expect(relativeError(whole, expected)).toBeLessThan(1e-6);
    expect(result.changes).toHaveLength(iterations);
  }
});

describe('the plain lau2025 against the published program', () => {
  it.each([
    { name: 'lau2025_cat16', options: { diffusion: () => 0.5 } },
    {
      name: 'lau2025_cat16_drift',
      options: {
        diffusion: (t: number) => 0.5 + t,
        drift: (x: number, y: number, t: number) => [-0.5 * x * (1 + t), -0.5 * y * (1 + t)] as const,
      },
    },
  ])('$name', ({ name, options }) => {
    const expected = reference(`${name}_log_density`);
    const result = lau2025Twin(expected.data.slice(0, 256), 16, 16, { T: 1, steps: 20, ...options });
    const m = Float64Array.from(result.logDensity.flatMap((field) => [...field]));
    expect(relativeError(m, expected.data)).toBeLessThan(1e-12);
    const pairs = result.scores.flatMap(([sx, sy]) => [...sx].flatMap((value, k) => [value, sy[k]]));
    const scores = reference(`${name}_scores`).data;
    expect(maxDifference(pairs, scores)).toBeLessThan(1e-11);
  });
});
