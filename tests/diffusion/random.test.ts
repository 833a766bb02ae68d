import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/diffusion/random.ts';

/** Seed 42, stream 7: from tests/fixtures/diffusion/random.py, an independent xoshiro128**. */
const PINNED = [0.022654528112345806, 0.3421123357307031, 0.4993284665454252];

const draw = (count: number, next: () => number) => Array.from({ length: count }, next);

describe('uniform numbers', () => {
  it('fill [0, 1) evenly', () => {
    const count = 100_000;
    const random = randomStream(1);
    const observed = new Array<number>(50).fill(0);
    for (const value of draw(count, () => random.uniform())) {
      expect(value >= 0 && value < 1).toBe(true);
      observed[Math.floor(value * 50)]++;
    }
    const chiSquare = observed.reduce((sum, value) => sum + (value - count / 50) ** 2 / (count / 50), 0);
    // 99.9 % quantile of chi-square with 49 degrees of freedom.
    expect(chiSquare).toBeLessThan(85.4);
  });

  it('are evenly spread in their low bits too', () => {
    const random = randomStream(2);
    const observed = [0, 0, 0, 0];
    for (let i = 0; i < 40_000; i++) observed[(random.uniform() * 2 ** 53) % 4]++;
    expect(observed.every((value) => Math.abs(value - 10_000) < 400)).toBe(true);
  });

  it('are not correlated with the next, nor with the neighbouring streams', () => {
    const first = randomStream(3, 0);
    const second = randomStream(3, 1);
    const otherSeed = randomStream(4, 0);
    const [a, b, c] = [first, second, otherSeed].map((stream) => draw(20_000, () => stream.uniform() - 0.5));
    const correlation = (x: number[], y: number[]) =>
      (12 * x.slice(0, y.length).reduce((sum, value, i) => sum + value * y[i], 0)) / y.length;
    // Standard deviation 0.007.
    expect(Math.abs(correlation(a, a.slice(1)))).toBeLessThan(0.03);
    expect(Math.abs(correlation(a, b))).toBeLessThan(0.03);
    expect(Math.abs(correlation(a, c))).toBeLessThan(0.03);
  });
});

describe('normal numbers', () => {
  it('have the moments of the standard normal distribution', () => {
    const random = randomStream(5);
    const values = draw(100_000, () => random.normal());
    const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / values.length;
    expect(Math.abs(moment(1))).toBeLessThan(0.015);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.02);
    expect(Math.abs(moment(3))).toBeLessThan(0.05);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.15);
    const within = values.filter((value) => Math.abs(value) < 1).length / values.length;
    expect(Math.abs(within - 0.6827)).toBeLessThan(0.006);
  });
});

describe('streams', () => {
  const seeds = fc.maxSafeNat();

  it('are the same for the same seed and index', () => {
    fc.assert(
      fc.property(seeds, seeds, (seed, index) => {
        const [one, other] = [randomStream(seed, index), randomStream(seed, index)];
        expect(draw(5, () => one.uniform())).toEqual(draw(5, () => other.uniform()));
      }),
    );
  });

  it('differ for every seed and index', () => {
    fc.assert(
      fc.property(fc.tuple(seeds, seeds), fc.tuple(seeds, seeds), (one, other) => {
        fc.pre(one[0] !== other[0] || one[1] !== other[1]);
        expect(randomStream(...one).uniform()).not.toBe(randomStream(...other).uniform());
      }),
    );
    const firsts = Array.from({ length: 10_000 }, (_, index) => randomStream(0, index).uniform());
    expect(new Set(firsts).size).toBe(firsts.length);
  });

  it('do not change from release to release', () => {
    const random = randomStream(42, 7);
    expect(draw(3, () => random.uniform())).toEqual(PINNED);
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('refuse the seed %s', (seed) => {
    expect(() => randomStream(seed)).toThrow(/seed must be an integer/);
    expect(() => randomStream(0, seed)).toThrow(/stream index must be an integer/);
  });

  it('refuse a seed that is no number', () => {
    expect(() => randomStream('1' as unknown as number)).toThrow(/seed must be a number/);
  });
});
