import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leverageRows, leverageScores, symmetricEigen } from '../../src/diffusion/choose-seeds-leverage.ts';
import { kMedoids } from '../../src/diffusion/choose-seeds-medoids.ts';

/** Of points in the plane. */
function distancesOf(points: readonly (readonly [number, number])[]): Float64Array {
  return Float64Array.from(points.flatMap(([x, y]) => points.map(([u, v]) => Math.hypot(x - u, y - v))));
}

function deviationOf(distances: Float64Array, n: number, medoids: readonly number[]): number {
  let total = 0;
  for (let i = 0; i < n; i++) total += Math.min(...medoids.map((medoid) => distances[medoid * n + i]));
  return total;
}

/** All sets of k of the numbers below n. */
function subsets(n: number, k: number, from = 0): number[][] {
  if (k === 0) return [[]];
  const all: number[][] = [];
  for (let i = from; i <= n - k; i++) for (const rest of subsets(n, k - 1, i + 1)) all.push([i, ...rest]);
  return all;
}

const coordinate = fc.double({ min: -1, max: 1, noNaN: true });
const points = fc.array(fc.tuple(coordinate, coordinate), { minLength: 2, maxLength: 9 });

describe('k-medoids', () => {
  it('of tiny sets are as good as the best of all subsets, or nearly', () => {
    let [cases, best] = [0, 0];
    fc.assert(
      fc.property(points, fc.integer({ min: 1, max: 4 }), (set, wish) => {
        const n = set.length;
        const k = Math.min(n, wish);
        const distances = distancesOf(set);
        const { medoids, deviation, nearest } = kMedoids(distances, n, k);
        expect(new Set(medoids).size).toBe(k);
        expect(deviation).toBeCloseTo(deviationOf(distances, n, medoids), 12);
        for (let i = 0; i < n; i++) {
          const own = distances[medoids[nearest[i]] * n + i];
          expect(own).toBe(Math.min(...medoids.map((medoid) => distances[medoid * n + i])));
        }
        const least = Math.min(...subsets(n, k).map((subset) => deviationOf(distances, n, subset)));
        // PAM ends where no single swap helps, which is not always the best of all.
        expect(deviation).toBeLessThanOrEqual(1.5 * least + 1e-12);
        cases++;
        if (deviation <= least * (1 + 1e-12) + 1e-12) best++;
      }),
      { seed: 3, numRuns: 400 },
    );
    expect(best / cases).toBeGreaterThan(0.95);
  });

  it('end where no single swap helps', () => {
    fc.assert(
      fc.property(points, fc.integer({ min: 1, max: 5 }), (set, wish) => {
        const n = set.length;
        const k = Math.min(n, wish);
        const distances = distancesOf(set);
        const { medoids, deviation } = kMedoids(distances, n, k);
        for (let place = 0; place < k; place++) {
          for (let row = 0; row < n; row++) {
            const swapped = deviationOf(
              distances,
              n,
              medoids.map((medoid, k) => (k === place ? row : medoid)),
            );
            expect(swapped).toBeGreaterThanOrEqual(deviation * (1 - 1e-9) - 1e-12);
          }
        }
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  it('find groups that lie apart', () => {
    const set = Array.from({ length: 30 }, (_, k) => {
      const angle = 2 * Math.PI * (k % 3);
      return [100 * (k % 3) + Math.cos(angle + k) * (k / 40), Math.sin(k) * (k / 40)] as const;
    });
    const { medoids, nearest } = kMedoids(distancesOf(set), 30, 3);
    expect(medoids.map((medoid) => medoid % 3).sort()).toEqual([0, 1, 2]);
    for (let i = 0; i < 30; i++) expect(medoids[nearest[i]] % 3).toBe(i % 3);
  });

  it('of equal points are the first, each its own', () => {
    const { medoids, nearest, deviation } = kMedoids(new Float64Array(25), 5, 3);
    expect(medoids).toEqual([0, 1, 2]);
    expect(deviation).toBe(0);
    expect([...nearest.subarray(0, 3)]).toEqual([0, 1, 2]);
  });
});

interface Case {
  name: string;
  matrix: number[][];
  rank: number;
  values: number[];
  scores: number[];
  pivots: number[];
}
const CASES = JSON.parse(
  readFileSync(new URL('../fixtures/leverage/leverage.json', import.meta.url), 'utf8'),
) as Case[];

const gramOf = (matrix: number[][]) =>
  Float64Array.from(matrix.flatMap((a) => matrix.map((b) => a.reduce((sum, v, k) => sum + v * b[k], 0))));

describe.each(CASES)(
  'against the singular values of NumPy: $name',
  ({ matrix, rank, values, scores, pivots }) => {
    const n = matrix.length;
    const gram = gramOf(matrix);

    it('eigenvalues of the Gram matrix are their squares, eigenvectors are orthonormal', () => {
      const { values: own, vectors } = symmetricEigen(gram, n);
      const most = values[0] ** 2;
      for (let k = 0; k < n; k++) {
        expect(Math.abs(own[k] - (values[k] ?? 0) ** 2) / most).toBeLessThan(1e-13);
        for (let j = 0; j <= k; j++) {
          let product = 0;
          for (let i = 0; i < n; i++) product += vectors[k * n + i] * vectors[j * n + i];
          expect(product).toBeCloseTo(j === k ? 1 : 0, 12);
        }
      }
    });

    it('leverage scores', () => {
      const own = leverageScores(gram, n, rank).scores;
      for (let i = 0; i < n; i++) expect(own[i]).toBeCloseTo(scores[i], 8);
    });

    it('rows by QR with column pivoting', () => {
      expect(leverageRows(gram, n, rank)).toEqual(pivots);
    });
  },
);

describe('leverage', () => {
  it('takes one of two equal rows, and no more rows than there is rank', () => {
    const rows = [
      [3, 0, 0],
      [3, 0, 0],
      [0, 2, 0],
      [0, 0, 1],
      [0, 2, 0],
    ];
    expect(
      leverageRows(gramOf(rows), 5, 3)
        .map((row) => rows[row].join())
        .sort(),
    ).toEqual(['0,0,1', '0,2,0', '3,0,0']);
    expect(leverageRows(gramOf(rows), 5, 5)).toHaveLength(3);
    expect(leverageRows(new Float64Array(25), 5, 2)).toEqual([]);
  });
});
