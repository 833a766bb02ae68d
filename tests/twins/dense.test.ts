import { describe, expect, it } from 'vitest';
import * as D from './dense.ts';
import { random, randomVector } from './random.ts';
import { differenceMaxabs, dot, maxabs, norm2 } from './vector.ts';

function randomDense(rows: number, cols: number, seed: number): D.Dense {
  return { rows, cols, data: randomVector(rows * cols, random(seed)) };
}

describe('dense LU', () => {
  it('solves a system worked out by hand, with a row exchange', () => {
    const A = D.dense([
      [0, 2, 1],
      [1, -2, -3],
      [-1, 1, 2],
    ]);
    expect([...D.solve(A, Float64Array.of(-8, 0, 3))]).toEqual([-4, -5, 2]);
  });

  it('has P A = L U with |l_ij| <= 1', () => {
    const n = 17;
    const A = randomDense(n, n, 1);
    const { factors, permutation } = D.lu(A);
    const L = D.zeros(n, n);
    const U = D.zeros(n, n);
    const PA = D.zeros(n, n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        PA.data[i * n + j] = A.data[permutation[i] * n + j];
        L.data[i * n + j] = i === j ? 1 : i > j ? factors.data[i * n + j] : 0;
        U.data[i * n + j] = i <= j ? factors.data[i * n + j] : 0;
      }
    }
    expect(differenceMaxabs(D.multiply(L, U).data, PA.data)).toBeLessThan(1e-14);
    expect(maxabs(L.data)).toBe(1);
  });

  it('solves the Hilbert-like matrix whose inverse is known: second differences', () => {
    // The inverse of tridiag(-1, 2, -1) is min(i, j) (n + 1 - max(i, j)) / (n + 1), counted from 1.
    const n = 9;
    const A = D.zeros(n, n);
    for (let i = 0; i < n; i++) {
      A.data[i * n + i] = 2;
      if (i > 0) A.data[i * n + i - 1] = -1;
      if (i + 1 < n) A.data[i * n + i + 1] = -1;
    }
    for (let k = 1; k <= n; k++) {
      const unit = new Float64Array(n);
      unit[k - 1] = 1;
      D.solve(A, unit).forEach((value, i) => {
        expect(value).toBeCloseTo((Math.min(i + 1, k) * (n + 1 - Math.max(i + 1, k))) / (n + 1), 13);
      });
    }
  });

  it('refuses a singular matrix', () => {
    const singular = D.dense([
      [1, 2],
      [2, 4],
    ]);
    expect(() => D.solve(singular, Float64Array.of(1, 1))).toThrow('zero pivot in column 1');
  });
});

describe('dense QR', () => {
  it.each([
    [1, 1],
    [6, 6],
    [12, 5],
    [9, 1],
  ])('of %i x %i is orthogonal times triangular', (rows, cols) => {
    const A = randomDense(rows, cols, 10 * rows + cols);
    const { Q, R } = D.qr(A);
    const columns = Array.from({ length: rows }, (_, j) =>
      Float64Array.from({ length: rows }, (_, i) => Q.data[i * rows + j]),
    );
    expect(D.orthogonalityError(columns)).toBeLessThan(1e-14);
    expect(differenceMaxabs(D.multiply(Q, R).data, A.data)).toBeLessThan(1e-14);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < Math.min(i, cols); j++) expect(R.data[i * cols + j]).toBe(0);
    }
  });

  it('fits a straight line as the normal equations do', () => {
    // t = 0, 1, 2, 3 and b = 1, 3, 4, 4: intercept 1.5, slope 1.
    const A = D.dense([
      [1, 0],
      [1, 1],
      [1, 2],
      [1, 3],
    ]);
    const y = D.leastSquares(A, Float64Array.of(1, 3, 4, 4));
    expect(y[0]).toBeCloseTo(1.5, 14);
    expect(y[1]).toBeCloseTo(1, 14);
  });

  it('leaves a residual orthogonal to the columns', () => {
    const A = randomDense(20, 7, 3);
    const b = randomVector(20, random(4));
    const y = D.leastSquares(A, b);
    const r = b.map((value, i) => value - D.multiplyVector(A, y)[i]);
    const At = D.transpose(A);
    expect(maxabs(D.multiplyVector(At, r))).toBeLessThan(1e-14);
    expect(norm2(r) ** 2 + norm2(D.multiplyVector(A, y)) ** 2).toBeCloseTo(dot(b, b), 13);
  });
});
