import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exp, expm1, log, log10, power, square } from '../src/elementary.ts';

/** How many doubles lie between two of one sign. */
function gap(a: number, b: number): number {
  if (Object.is(a, b)) return 0;
  const [x, y] = new BigInt64Array(new Float64Array([a, b]).buffer);
  return Number(x > y ? x - y : y - x);
}

// This engine's own functions are the reference: within an ulp of the truth, and written by others.
const pairs = [
  ['exp', exp, Math.exp, { min: -745, max: 709 }, 1],
  ['exp near 0', exp, Math.exp, { min: -1, max: 1 }, 1],
  ['expm1', expm1, Math.expm1, { min: -50, max: 709 }, 2],
  ['expm1 near 0', expm1, Math.expm1, { min: -1e-3, max: 1e-3 }, 2],
  ['log', log, Math.log, { min: 0, max: Number.MAX_VALUE, minExcluded: true }, 1],
  ['log near 1', log, Math.log, { min: 0.5, max: 2 }, 1],
  ['log10', log10, Math.log10, { min: 1e-300, max: 1e300 }, 3],
] as const;

describe('elementary functions', () => {
  it.each(pairs)('%s is that of the engine, but for the last digit', (_name, own, reference, range, most) => {
    fc.assert(
      fc.property(fc.double({ ...range, noNaN: true }), (x) => {
        expect(gap(own(x), reference(x))).toBeLessThanOrEqual(most);
      }),
      { numRuns: 5000 },
    );
  });

  it.each(pairs)('%s is right at special values', (_name, own, reference) => {
    const special = [
      0,
      -0,
      Infinity,
      -Infinity,
      Number.NaN,
      1,
      -1,
      5e-324,
      2 ** -1022,
      800,
      -800,
      709.9,
      -746,
    ];
    for (const x of special) expect(gap(own(x), reference(x)), String(x)).toBeLessThanOrEqual(2);
  });

  it('powers and squares', () => {
    expect(power(5, 0)).toBe(1);
    expect(power(1, 0.3)).toBe(1);
    expect(power(5, 0.5)).toBeCloseTo(Math.sqrt(5), 14);
    expect(power(1e-4, 3)).toBeCloseTo(1e-12, 25);
    expect(power(3, 99.5) / 3 ** 99.5).toBeCloseTo(1, 12);
    expect(power(7, -1 / 6)).toBeCloseTo(7 ** (-1 / 6), 15);
    expect(square(-3)).toBe(9);
  });

  it('are exact where the result is', () => {
    expect(exp(0)).toBe(1);
    expect(log(1)).toBe(0);
    expect(log(2)).toBe(Math.LN2);
    for (let k = 0; k < 20; k++) expect(power(5, k)).toBe(5 ** k);
    expect(power(2, -7)).toBe(1 / 128);
  });
});
