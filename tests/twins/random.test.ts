import { describe, expect, it } from 'vitest';
import { diagonal, entry, toDense, toTriplets } from './csr.ts';
import { transpose } from './dense.ts';
import { random, randomBanded, randomDominant, randomSparse, randomSpd, randomVector } from './random.ts';

describe('test data', () => {
  it('is uniform enough, and the same for the same seed', () => {
    const next = random(1);
    const values = Array.from({ length: 20000 }, next);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    expect(mean).toBeCloseTo(1 / 2, 2);
    expect(square).toBeCloseTo(1 / 12, 2);
    expect(randomVector(5, random(7))).toEqual(randomVector(5, random(7)));
    expect(randomVector(5, random(7))).not.toEqual(randomVector(5, random(8)));
  });

  it('makes the matrices it promises', () => {
    expect(toTriplets(randomSparse([40, 50], 0.1, random(2))).length / 2000).toBeCloseTo(0.1, 1);
    const dominant = randomDominant(20, 0.3, random(3));
    diagonal(dominant).forEach((d, i) => {
      const row = toTriplets(dominant).filter(([r, c]) => r === i && c !== i);
      expect(d).toBeCloseTo(1 + row.reduce((sum, [, , value]) => sum + Math.abs(value), 0), 12);
    });
    const spd = toDense(randomSpd(20, 0.3, random(4)));
    expect(transpose(spd)).toEqual(spd);
    const banded = randomBanded(10, [-3, 0, 1], random(5));
    expect(new Set(toTriplets(banded).map(([i, j]) => j - i))).toEqual(new Set([-3, 0, 1]));
    expect(toTriplets(banded).length).toBe(10 + 7 + 9);
    expect(Math.abs(entry(banded, 4, 4))).toBeGreaterThan(2);
  });
});
