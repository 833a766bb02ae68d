/** The five-point systems of the log-density equation, on a square grid with zero outside. */

import { type Csr, fromTriplets } from './csr.ts';

export interface FivePointSystem {
  A: Csr;
  b: Float64Array;
}

/**
 * One backward Euler step with f = 0 and grid spacing 1, linearised at the field m itself, which is the
 * right-hand side too. With q = 1/2 g^2 dt and e_i = q/2 (m[i+1,j] - m[i-1,j]) / 2, e_j likewise, m = 0
 * outside: the diagonal is 1 + 4 q, the entry of neighbour i+1 is -q - e_i, of i-1 it is -q + e_i, the same in
 * j with e_j. Neighbours outside the grid are dropped. Row (i, j) is i n + j.
 *
 * @param field m, n x n in C order.
 */
export function fivePoint(field: Float64Array, n: number, q: number): FivePointSystem {
  const m = (i: number, j: number) => (i < 0 || j < 0 || i >= n || j >= n ? 0 : field[i * n + j]);
  const triplets: [number, number, number][] = [];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const row = i * n + j;
      const ei = ((q / 2) * (m(i + 1, j) - m(i - 1, j))) / 2;
      const ej = ((q / 2) * (m(i, j + 1) - m(i, j - 1))) / 2;
      triplets.push([row, row, 1 + 4 * q]);
      if (i + 1 < n) triplets.push([row, row + n, -q - ei]);
      if (i > 0) triplets.push([row, row - n, -q + ei]);
      if (j + 1 < n) triplets.push([row, row + 1, -q - ej]);
      if (j > 0) triplets.push([row, row - 1, -q + ej]);
    }
  }
  return { A: fromTriplets([n * n, n * n], triplets), b: field.slice() };
}

/** The two regimes of q that the measurements speak of. */
export const REGIMES = { mild: 0.6, stiff: 15 } as const;

/**
 * The grid whose five-point pattern (offsets -W, -1, 0, 1, W, and n a multiple of W) holds all entries of A, row by
 * row; one row of cells where no entry is more than one off the diagonal; undefined where there is none.
 */
export function gridOf(A: Csr): { height: number; width: number } | undefined {
  const n = A.shape[0];
  let width = 0;
  for (let i = 0; i < n; i++) {
    for (let p = A.indptr[i]; p < A.indptr[i + 1]; p++) {
      const distance = Math.abs(A.indices[p] - i);
      if (distance <= 1 || distance === width) continue;
      if (width !== 0) return undefined;
      width = distance;
    }
  }
  if (width === 0) return { height: Math.min(n, 1), width: n };
  return n % width === 0 ? { height: n / width, width } : undefined;
}
