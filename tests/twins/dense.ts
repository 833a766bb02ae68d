/** Dense matrices in row-major order, and the textbook factorisations. */

import { norm2 } from './vector.ts';

/** Entry (i, j) is `data[i * cols + j]`. */
export interface Dense {
  rows: number;
  cols: number;
  data: Float64Array;
}

export function zeros(rows: number, cols: number): Dense {
  return { rows, cols, data: new Float64Array(rows * cols) };
}

/** From an array of rows. */
export function dense(rows: readonly (readonly number[])[]): Dense {
  return { rows: rows.length, cols: rows[0]?.length ?? 0, data: Float64Array.from(rows.flat()) };
}

/** The matrix whose columns are the given vectors. */
export function fromColumns(columns: readonly Float64Array[]): Dense {
  const A = zeros(columns[0]?.length ?? 0, columns.length);
  for (let i = 0; i < A.rows; i++) for (let j = 0; j < A.cols; j++) A.data[i * A.cols + j] = columns[j][i];
  return A;
}

/** A' */
export function transpose(A: Dense): Dense {
  const T = zeros(A.cols, A.rows);
  for (let i = 0; i < A.rows; i++) {
    for (let j = 0; j < A.cols; j++) T.data[j * A.rows + i] = A.data[i * A.cols + j];
  }
  return T;
}

/** A x */
export function multiplyVector(A: Dense, x: Float64Array): Float64Array {
  const y = new Float64Array(A.rows);
  for (let i = 0; i < A.rows; i++) for (let j = 0; j < A.cols; j++) y[i] += A.data[i * A.cols + j] * x[j];
  return y;
}

/** A B */
export function multiply(A: Dense, B: Dense): Dense {
  const C = zeros(A.rows, B.cols);
  for (let i = 0; i < A.rows; i++) {
    for (let j = 0; j < B.cols; j++) {
      let sum = 0;
      for (let k = 0; k < A.cols; k++) sum += A.data[i * A.cols + k] * B.data[k * B.cols + j];
      C.data[i * B.cols + j] = sum;
    }
  }
  return C;
}

/** max |V'V - I| for the matrix with the given columns: 0 where they are orthonormal. */
export function orthogonalityError(columns: readonly Float64Array[]): number {
  const V = fromColumns(columns);
  const G = multiply(transpose(V), V);
  let largest = 0;
  for (let i = 0; i < G.rows; i++) {
    for (let j = 0; j < G.cols; j++) {
      largest = Math.max(largest, Math.abs(G.data[i * G.cols + j] - (i === j ? 1 : 0)));
    }
  }
  return largest;
}

/**
 * P A = L U by Gaussian elimination with partial pivoting (Golub & Van Loan, *Matrix Computations*, 3.4).
 * `factors` holds U on and above the diagonal and the unit L below it; row i of P A is row
 * `permutation[i]` of A.
 *
 * @throws RangeError where a pivot is exactly zero.
 */
export function lu(A: Dense): { factors: Dense; permutation: Int32Array } {
  const n = A.rows;
  const factors: Dense = { rows: n, cols: n, data: A.data.slice() };
  const permutation = Int32Array.from({ length: n }, (_, i) => i);
  const f = factors.data;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(f[i * n + k]) > Math.abs(f[pivot * n + k])) pivot = i;
    if (f[pivot * n + k] === 0) throw new RangeError(`dense LU: zero pivot in column ${k}`);
    for (let j = 0; j < n; j++) [f[k * n + j], f[pivot * n + j]] = [f[pivot * n + j], f[k * n + j]];
    [permutation[k], permutation[pivot]] = [permutation[pivot], permutation[k]];
    for (let i = k + 1; i < n; i++) {
      f[i * n + k] /= f[k * n + k];
      for (let j = k + 1; j < n; j++) f[i * n + j] -= f[i * n + k] * f[k * n + j];
    }
  }
  return { factors, permutation };
}

/** A^-1 b by `lu`. */
export function solve(A: Dense, b: Float64Array): Float64Array {
  const { factors, permutation } = lu(A);
  const n = A.rows;
  const f = factors.data;
  const x = Float64Array.from(permutation, (row) => b[row]);
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) x[i] -= f[i * n + j] * x[j];
  return backSubstitute(factors, x);
}

/** U^-1 c, of which only the upper triangle of `U` (its first columns' square part) is read. */
export function backSubstitute(U: Dense, c: Float64Array): Float64Array {
  const n = U.cols;
  const x = c.slice(0, n);
  for (let i = n - 1; i >= 0; i--) {
    for (let j = i + 1; j < n; j++) x[i] -= U.data[i * n + j] * x[j];
    if (U.data[i * n + i] === 0) throw new RangeError(`triangular solve: zero on the diagonal in row ${i}`);
    x[i] /= U.data[i * n + i];
  }
  return x;
}

/**
 * A = Q R by Householder reflections (Golub & Van Loan, 5.2), rows >= cols.
 * Q is square and orthogonal, R has A's shape and zeros below the diagonal.
 */
export function qr(A: Dense): { Q: Dense; R: Dense } {
  const { rows: m, cols: n } = A;
  const R: Dense = { rows: m, cols: n, data: A.data.slice() };
  const Q = zeros(m, m);
  for (let i = 0; i < m; i++) Q.data[i * m + i] = 1;
  for (let k = 0; k < Math.min(n, m - 1); k++) {
    // H = I - 2 v v' maps column k of R, from row k down, to a multiple of e_k.
    const v = new Float64Array(m);
    for (let i = k; i < m; i++) v[i] = R.data[i * n + k];
    const norm = norm2(v);
    if (norm === 0) continue;
    v[k] += v[k] < 0 ? -norm : norm;
    const length = norm2(v);
    for (let i = k; i < m; i++) v[i] /= length;
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let i = k; i < m; i++) sum += v[i] * R.data[i * n + j];
      for (let i = k; i < m; i++) R.data[i * n + j] -= 2 * v[i] * sum;
    }
    for (let i = 0; i < m; i++) {
      let sum = 0;
      for (let j = k; j < m; j++) sum += Q.data[i * m + j] * v[j];
      for (let j = k; j < m; j++) Q.data[i * m + j] -= 2 * sum * v[j];
    }
    for (let i = k + 1; i < m; i++) R.data[i * n + k] = 0;
  }
  return { Q, R };
}

/** argmin_y || b - A y ||_2 for a matrix of full column rank, by `qr`. */
export function leastSquares(A: Dense, b: Float64Array): Float64Array {
  const { Q, R } = qr(A);
  return backSubstitute(R, multiplyVector(transpose(Q), b));
}
