import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { energyDistance, slicedWasserstein, totalVariation } from '../../../src/diffusion/index.ts';
import { random } from '../../twins/random.ts';

function points(count: number, seed: number, shift = 0) {
  const next = random(seed);
  return { data: Float64Array.from({ length: 2 * count }, () => next() + shift), shape: [count, 2] };
}

describe('sliced Wasserstein-2', () => {
  it('of a set and the same one moved is the way, over the root of 2', () => {
    const a = points(200, 1);
    const b = { data: a.data.map((value, k) => value + [0.3, 0.4][k % 2]), shape: a.shape };
    expect(slicedWasserstein(a, b)).toBeCloseTo(0.5 / Math.SQRT2, 12);
    expect(slicedWasserstein(a, a)).toBe(0);
  });

  it('of sets of different size counts each point by its share', () => {
    const a = points(6, 2);
    const twice = { data: Float64Array.of(...a.data, ...a.data, ...a.data), shape: [18, 2] };
    const b = points(4, 3);
    expect(slicedWasserstein(a, twice)).toBeLessThan(1e-8);
    expect(slicedWasserstein(b, twice)).toBeCloseTo(slicedWasserstein(b, a), 12);
    expect(slicedWasserstein(a, b)).toBeCloseTo(slicedWasserstein(b, a), 12);
  });

  it('in one direction is the best of all assignments', () => {
    const permutations = (n: number): number[][] =>
      n === 0
        ? [[]]
        : permutations(n - 1).flatMap((rest) =>
            Array.from({ length: n }, (_, k) => [...rest.slice(0, k), n - 1, ...rest.slice(k)]),
          );
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 8, maxLength: 8 }),
        (values) => {
          const [a, b] = [values.slice(0, 4), values.slice(4)];
          const set = (x: number[]) => ({
            data: Float64Array.from(x.flatMap((value) => [value, 7])),
            shape: [4, 2],
          });
          const costs = permutations(4).map((order) =>
            order.reduce((sum, to, k) => sum + (a[k] - b[to]) ** 2 / 4, 0),
          );
          const wanted = Math.sqrt(Math.min(...costs));
          expect(Math.abs(slicedWasserstein(set(a), set(b), { directions: 1 }) - wanted)).toBeLessThan(1e-9);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('energy distance', () => {
  it('is that of all pairs', () => {
    const [a, b] = [points(40, 4), points(25, 5, 0.2)];
    const mean = (p: typeof a, q: typeof a) => {
      let sum = 0;
      for (let i = 0; i < p.data.length; i += 2) {
        for (let j = 0; j < q.data.length; j += 2)
          sum += Math.hypot(p.data[i] - q.data[j], p.data[i + 1] - q.data[j + 1]);
      }
      return sum / (p.shape[0] * q.shape[0]);
    };
    const wanted = 2 * mean(a, b) - mean(a, a) - mean(b, b);
    expect(energyDistance(a, b, { directions: 2000 })).toBeCloseTo(wanted, 7);
    expect(energyDistance(a, b)).toBeCloseTo(wanted, 3);
    expect(energyDistance(a, a)).toBe(0);
  });
});

describe('total variation', () => {
  const grid = { height: 2, width: 2, spacing: [1, 1], origin: [0, 0] } as const;
  const set = (...data: number[]) => ({ data: Float64Array.from(data), shape: [data.length / 2, 2] });

  it('counts shares of cells; the last ones are closed, and outside is a cell of its own', () => {
    expect(totalVariation(set(0.5, 0.5, 1.5, 0.5), set(0.1, 0.9, 2, 0), grid)).toBe(0);
    expect(totalVariation(set(0.5, 0.5), set(1.5, 1.5), grid)).toBe(1);
    expect(totalVariation(set(0.5, 0.5, 5, 5), set(0.5, 0.5, 0.5, 0.5), grid)).toBe(0.5);
    expect(totalVariation(set(-1, 0), set(0, 7), grid)).toBe(0);
  });
});

describe('bad input', () => {
  const a = points(3, 1);
  it.each([
    ['other columns', 'SHAPE_MISMATCH', () => slicedWasserstein(a, { data: a.data, shape: [2, 3] })],
    ['no points', 'SHAPE_MISMATCH', () => energyDistance(a, { data: new Float64Array(0), shape: [0, 2] })],
    [
      'no number',
      'INVALID_VALUE',
      () => slicedWasserstein(a, { data: Float64Array.of(Number.NaN, 1), shape: [1, 2] }),
    ],
    ['no directions', 'INVALID_VALUE', () => slicedWasserstein(a, a, { directions: 0 })],
    ['an unknown option', 'UNKNOWN_OPTION', () => energyDistance(a, a, { p: 1 } as never)],
    [
      'no cells',
      'INVALID_VALUE',
      () => totalVariation(a, a, { height: 0, width: 1, spacing: [1, 1], origin: [0, 0] }),
    ],
  ])('%s', (_, code, act) => {
    expect(act).toThrow(expect.objectContaining({ code }));
  });
});
