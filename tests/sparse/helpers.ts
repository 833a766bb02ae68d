import fc from 'fast-check';
import { SparseMatrix } from 'ml-sparse-matrix';
import { expect } from 'vitest';
import type { CsrMatrix } from '../../src/sparse/index.ts';

/** [[4, 0, -1], [0, 0, 0], [2, 5, 0]] */
export const valid = () => ({
  shape: [3, 3] as [number, number],
  indptr: [0, 2, 2, 4],
  indices: [0, 2, 0, 1],
  data: [4, -1, 2, 5],
});
export const dense = [4, 0, -1, 0, 0, 0, 2, 5, 0];

/** Sums entries into a full matrix: independent of everything sparse. */
export function addUp(
  shape: readonly [number, number],
  entries: readonly (readonly [number, number, number])[],
): number[] {
  const full = new Array<number>(shape[0] * shape[1]).fill(0);
  for (const [i, j, value] of entries) full[i * shape[1] + j] += value;
  return full;
}

export function expectWellFormed(A: CsrMatrix): void {
  expect(A.indptr[0]).toBe(0);
  expect(A.indptr[A.shape[0]]).toBe(A.nnz);
  expect(A.indices.length).toBe(A.nnz);
  expect(A.data.length).toBe(A.nnz);
  for (let i = 0; i < A.shape[0]; i++) {
    for (let p = A.indptr[i] + 1; p < A.indptr[i + 1]; p++)
      expect(A.indices[p]).toBeGreaterThan(A.indices[p - 1]);
  }
}

/** Shape and entries, with small integer values: their sums are exact. */
export const triplets = fc
  .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }))
  .chain(([rows, columns]) =>
    fc.record({
      shape: fc.constant([rows, columns] as [number, number]),
      entries: fc.array(
        fc.tuple(
          fc.integer({ min: 0, max: rows - 1 }),
          fc.integer({ min: 0, max: columns - 1 }),
          fc.integer({ min: -9, max: 9 }),
        ),
        { maxLength: 30 },
      ),
    }),
  );

/** That library's matrix of these rows. */
export function mlSparse(rows: readonly (readonly number[])[]): SparseMatrix {
  const matrix = new SparseMatrix(rows.length, rows[0].length);
  for (const [i, row] of rows.entries()) for (const [j, value] of row.entries()) matrix.set(i, j, value);
  return matrix;
}
