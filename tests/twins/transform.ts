/** The mean of a five-point matrix on a grid: what the sine and cosine transforms invert. */

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

export interface Couplings {
  centre: number;
  above: number;
  below: number;
  /** To the left and to the right, each. */
  beside: number;
}

/**
 * Constant couplings on a grid between mirrors: a neighbour outside is the point on the other side of the outermost
 * one (`points`), or the outermost one itself (`between`).
 */
export function mirrorMatrix(
  height: number,
  width: number,
  border: 'points' | 'between',
  { centre, above, below, beside }: Couplings,
): Csr {
  const n = height * width;
  const fold = (at: number, count: number): number => {
    if (at >= 0 && at < count) return at;
    if (border === 'between') return at < 0 ? 0 : count - 1;
    return at < 0 ? 1 : count - 2;
  };
  const sums = new Map<number, number>();
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const add = (p: number, q: number, value: number) => {
        const key = (i * width + j) * n + fold(p, height) * width + fold(q, width);
        sums.set(key, (sums.get(key) ?? 0) + value);
      };
      add(i, j, centre);
      if (height > 1) {
        add(i - 1, j, above);
        add(i + 1, j, below);
      }
      if (width > 1) {
        add(i, j - 1, beside);
        add(i, j + 1, beside);
      }
    }
  }
  return fromTriplets(
    [n, n],
    [...sums].map(([key, value]) => [Math.floor(key / n), key % n, value]),
  );
}

/** The mean couplings of the points that have all four neighbours. */
export function innerCouplings(A: Csr, height: number, width: number): Couplings {
  const sums = { centre: 0, above: 0, below: 0, beside: 0 };
  for (const [row, col, value] of toTriplets(A)) {
    const [i, j] = [Math.floor(row / width), row % width];
    if (i === 0 || i === height - 1 || j === 0 || j === width - 1) continue;
    if (col === row) sums.centre += value;
    else if (col === row - width) sums.above += value;
    else if (col === row + width) sums.below += value;
    else sums.beside += value / 2;
  }
  const inner = (height - 2) * (width - 2);
  return {
    centre: sums.centre / inner,
    above: sums.above / inner,
    below: sums.below / inner,
    beside: sums.beside / inner,
  };
}
