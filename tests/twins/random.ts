/** Seeded numbers, vectors and sparse matrices for tests: the same in every engine. */

import { type Csr, fromTriplets } from './csr.ts';

/** Uniform numbers in [0, 1). */
export type Random = () => number;

/** A Weyl sequence put through a 32-bit finaliser: good enough to make test data. */
export function random(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let h = state;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
  };
}

/** n numbers, uniform in [-1, 1). */
export function randomVector(n: number, next: Random): Float64Array {
  return Float64Array.from({ length: n }, () => 2 * next() - 1);
}

/** Each place is filled with probability `density`, values uniform in [-1, 1). Rows may be empty. */
export function randomSparse(shape: [number, number], density: number, next: Random): Csr {
  const triplets: [number, number, number][] = [];
  for (let i = 0; i < shape[0]; i++) {
    for (let j = 0; j < shape[1]; j++) if (next() < density) triplets.push([i, j, 2 * next() - 1]);
  }
  return fromTriplets(shape, triplets);
}

/**
 * As `randomSparse`, square, with each diagonal entry `margin` larger than the sum of the other magnitudes in
 * its row: regular, and with ILU(0) factors.
 */
export function randomDominant(n: number, density: number, next: Random, margin = 1): Csr {
  const off = randomSparse([n, n], density, next);
  const triplets: [number, number, number][] = [];
  for (let i = 0; i < n; i++) {
    let sum = margin;
    for (let p = off.indptr[i]; p < off.indptr[i + 1]; p++) {
      if (off.indices[p] === i) continue;
      triplets.push([i, off.indices[p], off.data[p]]);
      sum += Math.abs(off.data[p]);
    }
    triplets.push([i, i, sum]);
  }
  return fromTriplets([n, n], triplets);
}

/** Values uniform in [-1, 1) on the given diagonals, each entry there stored; dominant where asked. */
export function randomBanded(n: number, offsets: readonly number[], next: Random, dominant = true): Csr {
  const triplets: [number, number, number][] = [];
  for (let i = 0; i < n; i++) {
    for (const offset of offsets) {
      const j = i + offset;
      if (j < 0 || j >= n) continue;
      const shift = dominant && offset === 0 ? offsets.length + 1 : 0;
      triplets.push([i, j, 2 * next() - 1 + shift]);
    }
  }
  return fromTriplets([n, n], triplets);
}

/** A + A' of a dominant matrix: symmetric, positive definite. */
export function randomSpd(n: number, density: number, next: Random): Csr {
  const upper = randomSparse([n, n], density / 2, next);
  const triplets: [number, number, number][] = [];
  const sums = new Float64Array(n).fill(1);
  for (let i = 0; i < n; i++) {
    for (let p = upper.indptr[i]; p < upper.indptr[i + 1]; p++) {
      const j = upper.indices[p];
      if (j === i) continue;
      triplets.push([i, j, upper.data[p]], [j, i, upper.data[p]]);
      sums[i] += Math.abs(upper.data[p]);
      sums[j] += Math.abs(upper.data[p]);
    }
  }
  sums.forEach((sum, i) => {
    triplets.push([i, i, sum]);
  });
  return fromTriplets([n, n], triplets);
}
