import { describe, expect, it } from 'vitest';
import * as vector from './vector.ts';

const x = Float64Array.of(3, -4, 0);
const y = Float64Array.of(1, 2, -5);

describe('vector operations against values worked out by hand', () => {
  it('dot, norms and differences', () => {
    expect(vector.dot(x, y)).toBe(-5);
    expect(vector.norm2(x)).toBe(5);
    expect(vector.maxabs(y)).toBe(5);
    expect([...vector.difference(x, y)]).toEqual([2, -6, 5]);
    expect(vector.differenceNorm(x, y)).toBeCloseTo(Math.sqrt(65), 14);
    expect(vector.differenceMaxabs(x, y)).toBe(6);
    expect(vector.relativeDifference(y, x)).toBeCloseTo(Math.sqrt(65) / 5, 14);
    expect(vector.relativeDifference(x, new Float64Array(3))).toBe(5);
  });

  it('in-place operations', () => {
    const z = y.slice();
    vector.axpy(2, x, z);
    expect([...z]).toEqual([7, -6, -5]);
    vector.xpay(x, -1, z);
    expect([...z]).toEqual([-4, 2, 5]);
    vector.scale(-3, z);
    expect([...z]).toEqual([12, -6, -15]);
    vector.copy(x, z);
    expect([...z]).toEqual([3, -4, 0]);
  });

  it('norms at the limits of the number range', () => {
    expect(vector.norm2(Float64Array.of(3e200, 4e200))).toBeCloseTo(5e200, -190);
    expect(vector.norm2(Float64Array.of(3e-200, 4e-200)) / 5e-200).toBeCloseTo(1, 14);
    expect(vector.norm2(new Float64Array(0))).toBe(0);
    expect(vector.norm2(Float64Array.of(1, Number.NaN, 2))).toBeNaN();
    expect(vector.norm2(Float64Array.of(1, -Infinity))).toBe(Infinity);
  });
});
