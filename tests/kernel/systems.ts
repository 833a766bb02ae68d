/** Systems of some kinds. All numbers are sums and products of small ones: the same in every engine. */

import { type Csr, fromTriplets, operator, residual } from '../twins/csr.ts';
import { norm2 } from '../twins/vector.ts';

type Triplet = [row: number, col: number, value: number];

/** Five-point operator of -u_xx - u_yy + c u + p u_x + q u_y on a grid, by central differences. */
export function grid(width: number, height: number, { c = 0, p = 0, q = 0 } = {}): Csr {
  const triplets: Triplet[] = [];
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const row = i * width + j;
      triplets.push([row, row, 4 + c]);
      if (j > 0) triplets.push([row, row - 1, -1 - p / 2]);
      if (j + 1 < width) triplets.push([row, row + 1, -1 + p / 2]);
      if (i > 0) triplets.push([row, row - width, -1 - q / 2]);
      if (i + 1 < height) triplets.push([row, row + width, -1 + q / 2]);
    }
  }
  return fromTriplets([width * height, width * height], triplets);
}

/** Symmetric, positive definite. */
export const laplacian = (width: number, height: number): Csr => grid(width, height, { c: 0.1 });

/** Not symmetric. */
export const convection = (width: number, height: number): Csr =>
  grid(width, height, { c: 0.2, p: 0.7, q: -0.4 });

/** (A x)_i = x_(i-1): a full cycle of GMRES makes no progress until the last step. */
export function cyclicShift(n: number): Csr {
  return fromTriplets(
    [n, n],
    Array.from({ length: n }, (_, i): Triplet => [i, (i + n - 1) % n, 1]),
  );
}

/** A' = -A, without a zero eigenvalue for even n. */
export function skew(n: number): Csr {
  const triplets: Triplet[] = [];
  for (let i = 0; i + 1 < n; i++) triplets.push([i, i + 1, 1], [i + 1, i, -1]);
  return fromTriplets([n, n], triplets);
}

export function diagonalMatrix(values: readonly number[]): Csr {
  const triplets = values.map((value, i): Triplet => [i, i, value]);
  return fromTriplets([values.length, values.length], triplets);
}

/** ||b - A x||, outside the kernel. */
export function residualNorm(A: Csr, b: Float64Array, x: Float64Array): number {
  return norm2(residual(operator(A), b, x));
}
