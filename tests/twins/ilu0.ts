/**
 * ILU(0): incomplete factors on the pattern of A (Saad, *Iterative Methods for Sparse Linear Systems*, 2nd
 * ed., algorithm 10.4, the IKJ order). They are what makes (L U)_ij = A_ij on the pattern, with L unit lower
 * and U upper triangular, both zero off the pattern.
 */

import type { Csr, Operator } from './csr.ts';

function find(A: Csr, i: number, j: number): number {
  for (let p = A.indptr[i]; p < A.indptr[i + 1]; p++) if (A.indices[p] === j) return p;
  return -1;
}

function pivot(LU: Csr, i: number): number {
  const p = find(LU, i, i);
  const value = p < 0 ? 0 : LU.data[p];
  if (value === 0) throw new RangeError(`ILU(0): zero pivot in row ${i}`);
  return value;
}

/**
 * The factors in A's own pattern: L without its unit diagonal below, U on and above the diagonal.
 *
 * @throws RangeError where a pivot is missing or zero.
 */
export function ilu0(A: Csr): Csr {
  const LU: Csr = { ...A, data: A.data.slice() };
  for (let i = 0; i < A.shape[0]; i++) {
    for (let p = A.indptr[i]; p < A.indptr[i + 1] && A.indices[p] < i; p++) {
      const k = A.indices[p];
      LU.data[p] /= pivot(LU, k);
      // row i <- row i - l_ik row k, where both k's column and the place in row i exist
      for (let q = A.indptr[k]; q < A.indptr[k + 1]; q++) {
        if (A.indices[q] <= k) continue;
        const place = find(A, i, A.indices[q]);
        if (place >= 0) LU.data[place] -= LU.data[p] * LU.data[q];
      }
    }
    pivot(LU, i);
  }
  return LU;
}

/** z with L U z = r: L y = r forwards, then U z = y backwards. */
export function solveIlu0(LU: Csr, r: Float64Array): Float64Array {
  const n = LU.shape[0];
  const z = r.slice();
  for (let i = 0; i < n; i++) {
    for (let p = LU.indptr[i]; p < LU.indptr[i + 1]; p++) {
      if (LU.indices[p] < i) z[i] -= LU.data[p] * z[LU.indices[p]];
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let p = LU.indptr[i]; p < LU.indptr[i + 1]; p++) {
      if (LU.indices[p] > i) z[i] -= LU.data[p] * z[LU.indices[p]];
    }
    z[i] /= pivot(LU, i);
  }
  return z;
}

/** The preconditioner of A: r -> (L U)^-1 r. */
export function ilu0Preconditioner(A: Csr): Operator {
  const LU = ilu0(A);
  return (r) => solveIlu0(LU, r);
}
