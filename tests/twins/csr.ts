/** Compressed sparse rows: row i holds the entries `indptr[i] .. indptr[i + 1] - 1`. */

import { type Dense, zeros } from './dense.ts';

export interface Csr {
  shape: [number, number];
  indptr: Int32Array;
  /** Columns, ascending in every row. */
  indices: Int32Array;
  data: Float64Array;
}

/** A linear map: a new vector for the one given. */
export type Operator = (x: Float64Array) => Float64Array;

/** y_i = sum_j A_ij x_j */
export function product(A: Csr, x: Float64Array): Float64Array {
  const y = new Float64Array(A.shape[0]);
  for (let i = 0; i < A.shape[0]; i++) {
    for (let p = A.indptr[i]; p < A.indptr[i + 1]; p++) y[i] += A.data[p] * x[A.indices[p]];
  }
  return y;
}

/** |A| |x|: what rounding errors of a product are relative to. */
export function productMagnitude(A: Csr, x: Float64Array): Float64Array {
  return product({ ...A, data: A.data.map(Math.abs) }, x.map(Math.abs));
}

/** y_j = sum_i A_ij x_i */
export function transposedProduct(A: Csr, x: Float64Array): Float64Array {
  const y = new Float64Array(A.shape[1]);
  for (let i = 0; i < A.shape[0]; i++) {
    for (let p = A.indptr[i]; p < A.indptr[i + 1]; p++) y[A.indices[p]] += A.data[p] * x[i];
  }
  return y;
}

/** The product as an operator. */
export function operator(A: Csr): Operator {
  return (x) => product(A, x);
}

/** b - A x */
export function residual(apply: Operator, b: Float64Array, x: Float64Array): Float64Array {
  const Ax = apply(x);
  return b.map((value, i) => value - Ax[i]);
}

/** Entry (i, j), 0 where none is stored. */
export function entry(A: Csr, i: number, j: number): number {
  for (let p = A.indptr[i]; p < A.indptr[i + 1]; p++) if (A.indices[p] === j) return A.data[p];
  return 0;
}

/** The main diagonal, 0 where no entry is stored. */
export function diagonal(A: Csr): Float64Array {
  return Float64Array.from({ length: Math.min(...A.shape) }, (_, i) => entry(A, i, i));
}

/** From coordinates: rows in order, columns ascending, values of one place summed in the order given. */
export function fromTriplets(
  shape: [number, number],
  triplets: readonly (readonly [row: number, col: number, value: number])[],
): Csr {
  const rows = Array.from({ length: shape[0] }, () => new Map<number, number>());
  for (const [i, j, value] of triplets) rows[i].set(j, (rows[i].get(j) ?? 0) + value);
  const sorted = rows.map((row) => [...row].sort(([a], [b]) => a - b));
  const indptr = new Int32Array(shape[0] + 1);
  sorted.forEach((row, i) => {
    indptr[i + 1] = indptr[i] + row.length;
  });
  const entries = sorted.flat();
  return {
    shape,
    indptr,
    indices: Int32Array.from(entries, ([col]) => col),
    data: Float64Array.from(entries, ([, value]) => value),
  };
}

/** All entries as coordinates, row by row. */
export function toTriplets(A: Csr): [row: number, col: number, value: number][] {
  const triplets: [number, number, number][] = [];
  for (let i = 0; i < A.shape[0]; i++) {
    for (let p = A.indptr[i]; p < A.indptr[i + 1]; p++) triplets.push([i, A.indices[p], A.data[p]]);
  }
  return triplets;
}

export function toDense(A: Csr): Dense {
  const D = zeros(...A.shape);
  for (const [i, j, value] of toTriplets(A)) D.data[i * D.cols + j] = value;
  return D;
}
