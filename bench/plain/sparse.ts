// Sparse products and ILU(0) on typed arrays.

export interface Csr {
  n: number;
  indptr: Int32Array;
  indices: Int32Array;
  data: Float64Array;
}

/** y <- A x */
export function csrMultiply({ n, indptr, indices, data }: Csr, x: Float64Array, y: Float64Array): void {
  let k = 0;
  for (let i = 0; i < n; i++) {
    const stop = indptr[i + 1];
    let sum = 0;
    for (; k < stop; k++) sum += data[k] * x[indices[k]];
    y[i] = sum;
  }
}

/** y <- A'x */
export function csrMultiplyTransposed(
  { n, indptr, indices, data }: Csr,
  x: Float64Array,
  y: Float64Array,
): void {
  y.fill(0);
  let k = 0;
  for (let i = 0; i < n; i++) {
    const value = x[i];
    for (const stop = indptr[i + 1]; k < stop; k++) y[indices[k]] += data[k] * value;
  }
}

/**
 * The five diagonals of a matrix on a grid, an array each, the value of row i at i. Vectors have `width` zeros
 * before and after them, so that a product needs no special rows.
 */
export interface Diagonals {
  n: number;
  width: number;
  below: Float64Array;
  left: Float64Array;
  centre: Float64Array;
  right: Float64Array;
  above: Float64Array;
}

export function diagonals(A: Csr, width: number): Diagonals {
  const { n, indptr, indices, data } = A;
  const make = () => new Float64Array(n);
  const it = { n, width, below: make(), left: make(), centre: make(), right: make(), above: make() };
  const byOffset = new Map([
    [-width, it.below],
    [-1, it.left],
    [0, it.centre],
    [1, it.right],
    [width, it.above],
  ]);
  for (let i = 0; i < n; i++) {
    for (let k = indptr[i]; k < indptr[i + 1]; k++) byOffset.get(indices[k] - i)![i] = data[k];
  }
  return it;
}

/** y <- A x */
export function diaMultiply(A: Diagonals, x: Float64Array, y: Float64Array): void {
  const { n, width, below, left, centre, right, above } = A;
  for (let i = 0; i < n; i++) {
    const at = i + width;
    const sum = below[i] * x[i] + left[i] * x[at - 1] + centre[i] * x[at];
    y[at] = sum + right[i] * x[at + 1] + above[i] * x[at + width];
  }
}

/** As `diaMultiply`; returns y'u. */
export function diaMultiplyDot(A: Diagonals, x: Float64Array, y: Float64Array, u: Float64Array): number {
  const { n, width, below, left, centre, right, above } = A;
  let total = 0;
  for (let i = 0; i < n; i++) {
    const at = i + width;
    const sum =
      below[i] * x[i] +
      left[i] * x[at - 1] +
      centre[i] * x[at] +
      (right[i] * x[at + 1] + above[i] * x[at + width]);
    y[at] = sum;
    total += sum * u[at];
  }
  return total;
}

/** As `diaMultiply`; out <- y'x, y'y, y'u, x'u. */
export function diaMultiplyDots(
  A: Diagonals,
  x: Float64Array,
  y: Float64Array,
  u: Float64Array,
  out: Float64Array,
): void {
  const { n, width, below, left, centre, right, above } = A;
  let yx = 0;
  let yy = 0;
  let yu = 0;
  let xu = 0;
  for (let i = 0; i < n; i++) {
    const at = i + width;
    const own = x[at];
    const sum =
      below[i] * x[i] +
      left[i] * x[at - 1] +
      centre[i] * own +
      (right[i] * x[at + 1] + above[i] * x[at + width]);
    y[at] = sum;
    yx += sum * own;
    yy += sum * sum;
    yu += sum * u[at];
    xu += own * u[at];
  }
  out[0] = yx;
  out[1] = yy;
  out[2] = yu;
  out[3] = xu;
}

export interface Ilu0 {
  data: Float64Array;
  /** Place of each pivot, and its inverse. */
  diagonal: Int32Array;
  inverse: Float64Array;
  work: Int32Array;
}

export function ilu0Room({ n, data }: Csr): Ilu0 {
  return {
    data: data.slice(),
    diagonal: new Int32Array(n),
    inverse: new Float64Array(n),
    work: new Int32Array(n).fill(-1),
  };
}

/** L and U of A on its pattern, in `M`, whose data are A's values at first. */
export function ilu0Factor({ n, indptr, indices }: Csr, { data, diagonal, inverse, work }: Ilu0): void {
  for (let i = 0; i < n; i++) {
    const start = indptr[i];
    const end = indptr[i + 1];
    for (let k = start; k < end; k++) work[indices[k]] = k;
    let k = start;
    for (; indices[k] < i; k++) {
      const row = indices[k];
      const factor = data[k] * inverse[row];
      data[k] = factor;
      for (let p = diagonal[row] + 1; p < indptr[row + 1]; p++) {
        const place = work[indices[p]];
        if (place >= 0) data[place] -= factor * data[p];
      }
    }
    diagonal[i] = k;
    inverse[i] = 1 / data[k];
    for (let p = start; p < end; p++) work[indices[p]] = -1;
  }
}

/** z <- U^-1 L^-1 r */
export function ilu0Solve({ n, indptr, indices }: Csr, M: Ilu0, r: Float64Array, z: Float64Array): void {
  const { data, diagonal, inverse } = M;
  for (let i = 0; i < n; i++) {
    let sum = r[i];
    for (let k = indptr[i]; k < diagonal[i]; k++) sum -= data[k] * z[indices[k]];
    z[i] = sum;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = z[i];
    for (let k = diagonal[i] + 1; k < indptr[i + 1]; k++) sum -= data[k] * z[indices[k]];
    z[i] = sum * inverse[i];
  }
}
