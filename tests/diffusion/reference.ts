import { readFileSync } from 'node:fs';
import { readNpy } from '../../src/formats/npy.ts';

/** A reference array as float64: outputs of the papers' own programs, and pictures they were run on. */
export function reference(name: string): { data: Float64Array; shape: number[] } {
  const { data, shape } = readNpy(
    readFileSync(new URL(`../fixtures/reference/${name}.npy`, import.meta.url)),
  );
  return { data: Float64Array.from(data), shape: [...shape] };
}

/** Largest difference over the largest value. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  return maxDifference(actual, expected) / maxDifference(expected, new Float64Array(expected.length));
}

/** Largest difference; infinite when the lengths differ or a value is NaN. */
export function maxDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
    most = Math.max(most, difference);
  }
  return most;
}
