import { describe, expect, it } from 'vitest';
import { type EmbeddingOptions, embedPictures } from '../../src/diffusion/embedding.ts';
import { gaussianScore } from '../../src/diffusion/exact.ts';
import { randomStream } from '../../src/diffusion/random.ts';
import { constantDiffusion, varianceExploding, variancePreserving } from '../../src/diffusion/sde.ts';
import type { NdArray } from '../../src/diffusion/types.ts';
import { maxDifference } from './reference.ts';

function noise(seed: number, shape: number[]): NdArray {
  const random = randomStream(seed);
  return {
    data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.uniform()),
    shape,
  };
}

describe('by hand', () => {
  const picture: NdArray = { data: Float64Array.of(0.5, 1), shape: [1, 1, 1, 2] };

  it('na2024: x - s g(2t) dt / 2, dt one over the number of levels', () => {
    const scores: NdArray = { data: Float64Array.of(9, 9, 1, -2, 0.5, 4), shape: [1, 3, 1, 1, 2] };
    const result = embedPictures(picture, scores, {
      sde: varianceExploding(4),
      times: [0.25, 0.5, 1],
      variant: 'na2024',
      keep: 'all',
    });
    // g(2 t): 4 at t = 0.5, 16 at t = 1.
    const first = [0.5 - (0.5 * 1 * 4) / 3, 1 + (0.5 * 2 * 4) / 3];
    const second = [first[0] - (0.5 * 0.5 * 16) / 3, first[1] - (0.5 * 4 * 16) / 3];
    expect(maxDifference(result.path?.data ?? [], [0.5, 1, ...first, ...second])).toBeLessThan(1e-14);
    expect(result.path?.shape).toEqual([1, 3, 1, 1, 2]);
    expect(maxDifference(result.embedded.data, second)).toBeLessThan(1e-14);
    expect(result.times).toEqual([0.25, 0.5, 1]);
  });

  const pairs: NdArray = {
    // [level][component][pixel]
    data: Float64Array.of(9, 9, 9, 9, 1, -2, 3, 4, 0.5, 4, -1, 1),
    shape: [1, 3, 1, 2, 1, 2],
  };
  const options: EmbeddingOptions = { sde: constantDiffusion(0.5), times: [0, 0.5, 1.5] };

  it.each([
    { component: 0 as const, expected: [0.5 - 0.125 * (1 * 0.5 + 0.5), 1 - 0.125 * (-2 * 0.5 + 4)] },
    { component: 1 as const, expected: [0.5 - 0.125 * (3 * 0.5 - 1), 1 - 0.125 * (4 * 0.5 + 1)] },
  ])('transport by component $component', ({ component, expected }) => {
    const { embedded, path } = embedPictures(picture, pairs, { ...options, component });
    expect(maxDifference(embedded.data, expected)).toBeLessThan(1e-14);
    expect(path).toBeUndefined();
  });

  it('transport with a drift at the pixel value', () => {
    const sde = { diffusion: () => 0, drift: (x: number, y: number, t: number) => [t * x, -y] as const };
    const { embedded } = embedPictures(picture, pairs, { ...options, sde });
    expect(maxDifference(embedded.data, [0.5 * 1.25 * 2.5, 1.25 * 2.5])).toBeLessThan(1e-14);
    const other = embedPictures(picture, pairs, { ...options, sde, component: 1 });
    expect(maxDifference(other.embedded.data, [0, 0])).toBeLessThan(1e-14);
  });

  it('lau2025 without noise: first component, clipped', () => {
    const times = [0, 1, 2];
    const { embedded } = embedPictures(picture, pairs, { ...options, times, variant: 'lau2025', noise: 0 });
    // 1 + 0.25 is clipped to 1 before the second step.
    expect(maxDifference(embedded.data, [0.5 - 0.125 * 1.5, 1 - 0.125 * 4])).toBeLessThan(1e-14);
  });
});

describe('lau2025', () => {
  const pictures = noise(1, [2, 3, 4, 5]);
  const scores = noise(2, [2, 21, 1, 2, 4, 5]);
  const times = Array.from({ length: 21 }, (_, i) => i / 20);
  const options: EmbeddingOptions = { sde: varianceExploding(2), times, variant: 'lau2025', seed: 11 };

  it('equals plain loops over ten of 20 levels, each a step of one level', () => {
    const expected = pictures.data.slice();
    for (let image = 0; image < 2; image++) {
      const random = randomStream(11, image);
      // As numpy.linspace(1, 20, 10, dtype=int).
      for (const level of [1, 3, 5, 7, 9, 11, 13, 15, 17, 20]) {
        const g = 2 ** (level / 20);
        for (let c = 0; c < 3; c++) {
          for (let k = 0; k < 20; k++) {
            const at = (image * 3 + c) * 20 + k;
            const score = scores.data[(image * 21 + level) * 40 + k];
            const added = level === 20 ? 0 : 0.1 * g * Math.sqrt(0.05) * random.normal();
            const moved = expected[at] - 0.5 * g * g * score * 0.05 + added;
            expected[at] = Math.min(1, Math.max(0, moved));
          }
        }
      }
    }
    const result = embedPictures(pictures, scores, options);
    expect(maxDifference(result.embedded.data, expected)).toBeLessThan(1e-12);
    expect(result.times).toHaveLength(11);
    expect(result.times[10]).toBe(1);
  });

  it('is the same for the same seed, in any batch, and other for another', () => {
    const whole = embedPictures(pictures, scores, options).embedded.data;
    expect(embedPictures(pictures, scores, options).embedded.data).toEqual(whole);
    const second = embedPictures(
      { data: pictures.data.slice(60), shape: [1, 3, 4, 5] },
      { data: scores.data.slice(21 * 40), shape: [1, 21, 1, 2, 4, 5] },
      { ...options, firstStream: 1 },
    );
    expect(second.embedded.data).toEqual(whole.slice(60));
    expect(embedPictures(pictures, scores, { ...options, seed: 12 }).embedded.data).not.toEqual(whole);
  });

  it('takes the levels asked for, or all when there are few', () => {
    expect(embedPictures(pictures, scores, { ...options, levels: 3 }).times).toEqual(
      [0, 1, 10, 20].map((i) => i / 20),
    );
    const few = noise(3, [2, 4, 1, 2, 4, 5]);
    expect(embedPictures(pictures, few, { ...options, times: [0, 1, 2, 3] }).times).toEqual([0, 1, 2, 3]);
  });
});

describe('transport', () => {
  it('follows the flow that keeps a Gaussian: order 1 towards mean(t) + sqrt(v(t)/v(0)) (x - mean)', () => {
    const sde = variancePreserving({ betaMin: 0.5, betaMax: 2 });
    const start = { mean: [0.3, 0.3] as const, variance: 0.4, sde };
    const value = 0.9;
    const errors = [20, 40, 80].map((steps) => {
      const times = Array.from({ length: steps + 1 }, (_, i) => i / steps);
      // One pixel whose score is that of its own moving value: Euler's iterates, from the formula step by step.
      let x = value;
      const scores = times.map((t, i) => {
        const score = gaussianScore(x, 0, t, start)[0];
        if (i > 0) x += (-0.5 * sde.diffusion(t) ** 2 * (x + score)) / steps;
        return score;
      });
      const data = Float64Array.from(scores.flatMap((score) => [score, 0]));
      const picture = { data: Float64Array.of(value), shape: [1, 1, 1, 1] };
      const { embedded } = embedPictures(
        picture,
        { data, shape: [1, steps + 1, 1, 2, 1, 1] },
        { sde, times },
      );
      const { scale, variance } = sde.transition(1);
      const spread = Math.sqrt((scale * scale * 0.4 + variance) / 0.4);
      return Math.abs(embedded.data[0] - (scale * 0.3 + spread * (value - 0.3)));
    });
    expect(errors[0] / errors[1]).toBeCloseTo(2, 0);
    expect(errors[1] / errors[2]).toBeCloseTo(2, 0);
  });
});

describe('bad input', () => {
  const pictures = noise(1, [1, 3, 2, 2]);
  const scores = noise(2, [1, 3, 1, 2, 2, 2]);
  const single = noise(2, [1, 3, 3, 2, 2]);
  const good: EmbeddingOptions = { sde: constantDiffusion(1), times: [0, 1, 2] };

  it.each([
    { name: 'an unknown option', options: { step: 1 }, message: /unknown option "step"/ },
    { name: 'an unknown variant', options: { variant: 'euler' }, message: /variant must be one of/ },
    { name: 'a third component', options: { component: 2 }, message: /component must be one of 0, 1/ },
    { name: 'keep', options: { keep: 'none' }, message: /keep must be one of/ },
    { name: 'no equation', options: { sde: undefined }, message: /sde must be an object/ },
    {
      name: 'a diffusion that is not finite',
      options: { sde: { diffusion: (): number => Number.NaN } },
      message: /diffusion\(1\) is NaN/,
    },
    {
      name: 'a drift that is not finite',
      options: { sde: { diffusion: (): number => 1, drift: () => [1 / 0, 0] } },
      message: /became Infinity/,
    },
    { name: 'too few times', options: { times: [0, 1] }, message: /one entry for each/ },
    { name: 'falling times', options: { times: [0, 2, 1] }, message: /times\[2\] is 1/ },
    { name: 'two components in na2024', options: { variant: 'na2024' }, message: /scores.shape must be/ },
    { name: 'levels in transport', options: { levels: 2 }, message: /option of lau2025/ },
    {
      name: 'more levels than there are',
      options: { variant: 'lau2025', levels: 3 },
      message: /from 1 to 2/,
    },
    { name: 'negative noise', options: { variant: 'lau2025', noise: -1 }, message: /noise/ },
    { name: 'a negative seed', options: { seed: -1 }, message: /seed/ },
  ])('refuses $name', ({ options, message }) => {
    const bad = { ...good, ...options } as EmbeddingOptions;
    expect(() => embedPictures(pictures, scores, bad)).toThrow(message);
  });

  it.each([
    { name: 'other images', shape: [3, 1, 1, 2, 2, 2] },
    { name: 'other channels', shape: [1, 1, 3, 2, 2, 2].map((n, i) => (i === 2 ? 2 : n)), count: 16 },
    { name: 'three components', shape: [1, 2, 1, 3, 2, 2], count: 24 },
    { name: 'another size', shape: [1, 3, 1, 2, 4, 1] },
  ])('refuses scores with $name', ({ shape, count = 24 }) => {
    const bad = { data: new Float64Array(count), shape };
    expect(() =>
      embedPictures(pictures, bad, { ...good, times: Array.from({ length: shape[1] }, (_, i) => i) }),
    ).toThrow(/embedPictures/);
  });

  it('takes one-component scores in transport, and leaves the given pictures alone', () => {
    const before = pictures.data.slice();
    expect(embedPictures(pictures, single, good).embedded.shape).toEqual([1, 3, 2, 2]);
    expect(pictures.data).toEqual(before);
  });
});
