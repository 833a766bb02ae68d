/** The mean of a five-point matrix on a grid: what the sine transform inverts. */

import { type Csr, fromTriplets, toTriplets } from './csr.ts';

/**
 * Every diagonal entry, and every coupling to the row above or below, replaced by the mean of its kind; couplings
 * to the left and right by one mean. Entries across the ends of rows are left out.
 */
export function meanMatrix(A: Csr, height: number, width: number): Csr {
  const n = height * width;
  const kinds = [
    { di: 0, dj: 0, kind: 0 },
    { di: -1, dj: 0, kind: 1 },
    { di: 1, dj: 0, kind: 2 },
    { di: 0, dj: -1, kind: 3 },
    { di: 0, dj: 1, kind: 3 },
  ];
  const places: [row: number, col: number, kind: number][] = [];
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      for (const { di, dj, kind } of kinds) {
        const [p, q] = [i + di, j + dj];
        if (p >= 0 && p < height && q >= 0 && q < width) places.push([i * width + j, p * width + q, kind]);
      }
    }
  }
  const values = new Map(toTriplets(A).map(([i, j, value]) => [i * n + j, value]));
  const [sums, counts] = [new Float64Array(4), new Float64Array(4)];
  for (const [row, col, kind] of places) {
    sums[kind] += values.get(row * n + col) ?? 0;
    counts[kind]++;
  }
  return fromTriplets(
    [n, n],
    places.map(([row, col, kind]) => [row, col, sums[kind] / counts[kind]]),
  );
}
