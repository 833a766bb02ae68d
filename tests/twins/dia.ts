/**
 * Diagonals in blocks of rows: diagonal d has the entries A[row, row + offsets[d]], and the values of
 * eight neighbouring rows lie together, so that a product loads them without an index.
 */

import type { Csr } from './csr.ts';
import { toTriplets } from './csr.ts';

/** Rows in a block. */
export const BLOCK = 8;

export interface Dia {
  shape: [number, number];
  /** Column minus row of each diagonal, ascending. */
  offsets: Int32Array;
  /** ceil(rows / BLOCK) */
  blocks: number;
  /**
   * A[row, row + offsets[d]] at `((row >> 3) * offsets.length + d) * 8 + (row & 7)`: zero where the column is
   * outside the matrix, where nothing is stored, and in the rows that fill the last block.
   */
  data: Float64Array;
}

/** Where A[row, row + offsets[d]] lies in `data`. */
export function position(row: number, d: number, diagonals: number): number {
  return (Math.floor(row / BLOCK) * diagonals + d) * BLOCK + (row % BLOCK);
}

/** The diagonals on which entries are stored, zero or not. */
export function offsetsOf(A: Csr): Int32Array {
  const offsets = new Set(toTriplets(A).map(([i, j]) => j - i));
  return Int32Array.from(offsets).sort();
}

export function fromCsr(A: Csr): Dia {
  const offsets = offsetsOf(A);
  const blocks = Math.ceil(A.shape[0] / BLOCK);
  const data = new Float64Array(blocks * offsets.length * BLOCK);
  for (const [i, j, value] of toTriplets(A)) {
    data[position(i, offsets.indexOf(j - i), offsets.length)] = value;
  }
  return { shape: A.shape, offsets, blocks, data };
}

/** y_row = sum_d A[row, row + offsets[d]] x[row + offsets[d]], over the columns that exist. */
export function product(A: Dia, x: Float64Array): Float64Array {
  const [rows, cols] = A.shape;
  const y = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    for (let d = 0; d < A.offsets.length; d++) {
      const col = row + A.offsets[d];
      if (col >= 0 && col < cols) y[row] += A.data[position(row, d, A.offsets.length)] * x[col];
    }
  }
  return y;
}
