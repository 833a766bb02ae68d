/** Matrices and vectors for the kernel, of all shapes and of extreme numbers, from a short description. */

import { randomStream } from '../../../src/diffusion/index.ts';
import { type CsrMatrix, fromTriplets } from '../../../src/index.ts';

export const PATTERNS = [
  'dense',
  'random',
  'symmetric',
  'tridiagonal',
  'diagonal',
  'permutation',
  'arrow',
  'no-diagonal',
  'empty-rows',
  'grid',
  'grid-reflecting',
  'empty',
] as const;
export const NUMBERS = [
  'mild',
  'dominant',
  'ones',
  'zeros',
  'signed-zeros',
  'huge',
  'tiny',
  'denormal',
  'mixed',
] as const;

export interface SystemCase {
  height: number;
  width: number;
  pattern: (typeof PATTERNS)[number];
  numbers: (typeof NUMBERS)[number];
  b: (typeof NUMBERS)[number];
  seed: number;
}

const EXTREMES = [0, -0, 1, -1, 1e300, -1e300, 1.7e308, 5e-324, -5e-324, 2.2e-308, 1e-160, 1e160, 3, 1 / 3];

/** Finite numbers of a kind. */
export function numbers(
  kind: SystemCase['numbers'],
  count: number,
  seed: number,
  stream: number,
): Float64Array {
  const { uniform, normal } = randomStream(seed, stream);
  const make: Record<SystemCase['numbers'], () => number> = {
    mild: normal,
    dominant: () => -uniform(),
    ones: () => 1,
    zeros: () => 0,
    'signed-zeros': () => (uniform() < 0.5 ? 0 : -0),
    huge: () => 1e307 * (uniform() - 0.5) * 10,
    tiny: () => 1e-300 * normal(),
    denormal: () => 5e-324 * Math.floor(uniform() * 100),
    mixed: () => EXTREMES[Math.floor(uniform() * EXTREMES.length)],
  };
  return Float64Array.from({ length: count }, make[kind]);
}

/** The places of the entries, the diagonal's first where there is one. */
function places({ height, width, pattern, seed }: SystemCase): [row: number, column: number][] {
  const n = height * width;
  const { uniform } = randomStream(seed, 0);
  const all = Array.from({ length: n }, (_, i) => i);
  const diagonal = all.map((i): [number, number] => [i, i]);
  const off = (keep: (i: number, j: number) => boolean) =>
    all.flatMap((i) => all.filter((j) => j !== i && keep(i, j)).map((j): [number, number] => [i, j]));
  switch (pattern) {
    case 'dense':
      return [...diagonal, ...off((i, j) => n < 64 || Math.abs(i - j) < 6)];
    case 'random':
      return [...diagonal, ...off(() => uniform() < Math.min(0.2, 6 / n))];
    case 'symmetric': {
      const lower = off((i, j) => j < i && uniform() < Math.min(0.2, 4 / n));
      return [...diagonal, ...lower, ...lower.map(([i, j]): [number, number] => [j, i])];
    }
    case 'tridiagonal':
      return [...diagonal, ...off((i, j) => Math.abs(i - j) === 1)];
    case 'diagonal':
      return diagonal;
    case 'permutation':
      return all.map((i) => [i, (i * 7 + 3) % n]);
    case 'arrow':
      return [...diagonal, ...off((i, j) => i === 0 || j === 0)];
    case 'no-diagonal':
      return off(() => uniform() < Math.min(0.4, 8 / n));
    case 'empty-rows':
      return [...diagonal, ...off(() => uniform() < Math.min(0.3, 6 / n))].filter(([i]) => i % 3 !== 1);
    case 'empty':
      return [];
    default:
      return [
        ...diagonal,
        ...off(
          (i, j) =>
            Math.abs(i - j) === width ||
            (Math.abs(i - j) === 1 && Math.floor(i / width) === Math.floor(j / width)),
        ),
      ];
  }
}

/** A square matrix; duplicates are not made, since `fromTriplets` sums them. */
export function matrixOf(system: SystemCase, stream = 1): CsrMatrix {
  const n = system.height * system.width;
  const at = places(system);
  const values = numbers(system.numbers, at.length, system.seed, stream);
  if (system.numbers === 'dominant') {
    const sums = new Float64Array(n).fill(0.01);
    at.forEach(([i, j], k) => {
      if (i !== j) sums[i] -= values[k];
    });
    at.forEach(([i, j], k) => {
      if (i === j) values[k] = sums[i];
    });
  }
  return fromTriplets({
    shape: [n, n],
    row: at.map(([i]) => i),
    col: at.map(([, j]) => j),
    data: values,
  });
}
