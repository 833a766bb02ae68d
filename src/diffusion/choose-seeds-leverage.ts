import { square } from '../elementary.ts';

/** Directions beyond those asked for, which hasten the iteration. */
const EXTRA = 8;
const MOST_ITERATIONS = 300;
/** Of ||A v - lambda v||, over the largest eigenvalue. */
const TOLERANCE = 1e-11;
/** Of what Jacobi leaves beside the diagonal, over the matrix's norm. */
const JACOBI_TOLERANCE = 1e-16;
/** Of an eigenvalue that is not rounding, over the largest. */
const LEAST_VALUE = 1e-13;

/** The largest eigenvalues, falling, and their eigenvectors, row after row. */
export interface Eigenpairs {
  values: Float64Array;
  /** count x n */
  vectors: Float64Array;
}

/**
 * All eigenpairs of a symmetric matrix by Jacobi's rotations, cyclically (Golub and Van Loan, Matrix Computations,
 * section 8.5).
 *
 * @param matrix n x n, row-major
 */
export function symmetricEigen(matrix: Float64Array, n: number): Eigenpairs {
  const A = matrix.slice();
  const V = new Float64Array(n * n);
  for (let i = 0; i < n; i++) V[i * n + i] = 1;
  const scale = Math.sqrt(A.reduce((total, value) => total + square(value), 0));
  for (let rotated = true; rotated; ) {
    rotated = false;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (!(Math.abs(A[p * n + q]) > JACOBI_TOLERANCE * scale)) continue;
        rotated = true;
        rotate(A, V, n, p, q);
      }
    }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => A[j * n + j] - A[i * n + i] || i - j);
  const vectors = new Float64Array(n * n);
  for (const [to, from] of order.entries()) vectors.set(V.subarray(from * n, (from + 1) * n), to * n);
  return { values: Float64Array.from(order, (i) => A[i * n + i]), vectors };
}

/** A <- J' A J with A[p, q] = 0 then; rows p and q of V alike. */
function rotate(A: Float64Array, V: Float64Array, n: number, p: number, q: number): void {
  const tau = (A[q * n + q] - A[p * n + p]) / (2 * A[p * n + q]);
  const t = (tau < 0 ? -1 : 1) / (Math.abs(tau) + Math.sqrt(1 + tau * tau));
  const c = 1 / Math.sqrt(1 + t * t);
  const s = t * c;
  const turn = (X: Float64Array, i: number, j: number): void => {
    const [a, b] = [X[i], X[j]];
    X[i] = c * a - s * b;
    X[j] = s * a + c * b;
  };
  for (let k = 0; k < n; k++) turn(A, k * n + p, k * n + q);
  for (let k = 0; k < n; k++) turn(A, p * n + k, q * n + k);
  for (let k = 0; k < n; k++) turn(V, p * n + k, q * n + k);
  A[p * n + q] = 0;
  A[q * n + p] = 0;
}

/**
 * The largest eigenpairs of a symmetric positive semidefinite matrix, by iteration on a subspace with Rayleigh-Ritz
 * steps (Golub and Van Loan, section 8.2.4), from `pivotRows`' rows of the matrix: nothing is drawn.
 *
 * @param matrix n x n, row-major
 */
export function dominantEigen(matrix: Float64Array, n: number, count: number): Eigenpairs {
  const size = Math.min(n, count + EXTRA);
  const start = size < n ? pivotRows(matrix, n, size) : [];
  // All of it, or as many as there is rank for.
  if (start.length < size) return leading(symmetricEigen(matrix, n), n, count);
  let Q = new Float64Array(size * n);
  for (const [k, row] of start.entries()) Q.set(matrix.subarray(row * n, (row + 1) * n), k * n);
  for (let iteration = 1; ; iteration++) {
    orthonormalise(Q, size, n);
    const product = timesTranspose(Q, matrix, size, n, n);
    const { values, vectors } = symmetricEigen(timesTranspose(Q, product, size, size, n), size);
    const pairs = { values, vectors: times(vectors, Q, size, size, n) };
    Q = times(vectors, product, size, size, n);
    const done = residual(pairs, Q, count, n) <= TOLERANCE * values[0];
    if (done || iteration === MOST_ITERATIONS) return leading(pairs, n, count);
  }
}

function leading({ values, vectors }: Eigenpairs, n: number, count: number): Eigenpairs {
  return { values: values.slice(0, count), vectors: vectors.slice(0, count * n) };
}

/** The largest ||A v - lambda v||, `product` being A v row by row. */
function residual({ values, vectors }: Eigenpairs, product: Float64Array, count: number, n: number): number {
  let most = 0;
  for (let k = 0; k < count; k++) {
    let total = 0;
    for (let i = k * n; i < (k + 1) * n; i++) total += square(product[i] - values[k] * vectors[i]);
    most = Math.max(most, Math.sqrt(total));
  }
  return most;
}

/** Rows in the order of Cholesky's process with pivoting on a Gram matrix: each the farthest from those before it. */
export function pivotRows(matrix: Float64Array, n: number, count: number): number[] {
  const chosen: number[] = [];
  const left = Float64Array.from({ length: n }, (_, i) => matrix[i * n + i]);
  const least = 1e-13 * Math.max(...left);
  const columns: Float64Array[] = [];
  while (chosen.length < count) {
    let pivot = 0;
    for (let i = 1; i < n; i++) if (left[i] > left[pivot]) pivot = i;
    if (!(left[pivot] > least)) break;
    const scale = 1 / Math.sqrt(left[pivot]);
    const column = Float64Array.from({ length: n }, (_, i) => {
      let value = matrix[pivot * n + i];
      for (const earlier of columns) value -= earlier[pivot] * earlier[i];
      return scale * value;
    });
    for (let i = 0; i < n; i++) left[i] -= square(column[i]);
    left[pivot] = -Infinity;
    columns.push(column);
    chosen.push(pivot);
  }
  return chosen;
}

/** Rows made orthonormal one after the other (modified Gram-Schmidt, twice). */
function orthonormalise(Q: Float64Array, rows: number, n: number): void {
  for (let k = 0; k < rows; k++) {
    const row = Q.subarray(k * n, (k + 1) * n);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < k; j++) {
        const earlier = Q.subarray(j * n, (j + 1) * n);
        const share = dot(row, earlier);
        for (let i = 0; i < n; i++) row[i] -= share * earlier[i];
      }
      const length = Math.sqrt(dot(row, row)) || 1;
      for (let i = 0; i < n; i++) row[i] /= length;
    }
  }
}

/** The sum of products of two rows of one length. */
export function dot(a: Float64Array, b: Float64Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  const whole = a.length - (a.length % 4);
  for (let i = 0; i < whole; i += 4) {
    s0 += a[i] * b[i];
    s1 += a[i + 1] * b[i + 1];
    s2 += a[i + 2] * b[i + 2];
    s3 += a[i + 3] * b[i + 3];
  }
  for (let i = whole; i < a.length; i++) s0 += a[i] * b[i];
  return s0 + s1 + (s2 + s3);
}

/** A B': rows of n numbers with each other. */
export function timesTranspose(
  A: Float64Array,
  B: Float64Array,
  rows: number,
  columns: number,
  n: number,
): Float64Array {
  const row = (X: Float64Array, i: number) => X.subarray(i * n, (i + 1) * n);
  const product = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) product[i * columns + j] = dot(row(A, i), row(B, j));
  }
  return product;
}

/** A B: `rows` sums of `inner` rows of n numbers. */
function times(
  A: Float64Array,
  B: Float64Array,
  rows: number,
  inner: number,
  n: number,
): Float64Array<ArrayBuffer> {
  const product = new Float64Array(rows * n);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const share = A[i * inner + k];
      for (let j = 0; j < n; j++) product[i * n + j] += share * B[k * n + j];
    }
  }
  return product;
}

/**
 * Leverage scores of the rows of a matrix F: their squared lengths in its `rank` dominant left singular vectors
 * (Mahoney and Drineas, CUR matrix decompositions for improved data analysis, PNAS 106(3), 2009). They add up to
 * `rank`.
 *
 * @param gram F F', n x n
 * @returns scores, and U, n x rank by columns
 */
export function leverageScores(
  gram: Float64Array,
  n: number,
  rank: number,
): { scores: Float64Array; vectors: Float64Array } {
  const { values, vectors } = dominantEigen(gram, n, rank);
  const scores = new Float64Array(n);
  for (let k = 0; k < rank; k++) {
    // Beyond the matrix's rank singular vectors are anybody's.
    if (!(values[k] > LEAST_VALUE * values[0])) vectors.fill(0, k * n, (k + 1) * n);
    for (let i = 0; i < n; i++) scores[i] += square(vectors[k * n + i]);
  }
  return { scores, vectors };
}

/**
 * Rows by leverage, without two that stand for the same: QR with column pivoting on U'. The first has the largest
 * score, each further one the largest of what those before it leave of the scores.
 */
export function leverageRows(gram: Float64Array, n: number, count: number): number[] {
  const { vectors } = leverageScores(gram, n, count);
  const projector = new Float64Array(n * n);
  for (let k = 0; k < count; k++) {
    const u = vectors.subarray(k * n, (k + 1) * n);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) projector[i * n + j] += u[i] * u[j];
  }
  return pivotRows(projector, n, count);
}
