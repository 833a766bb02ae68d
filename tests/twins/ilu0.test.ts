import { describe, expect, it } from 'vitest';
import { type Csr, entry, fromTriplets, toDense, toTriplets } from './csr.ts';
import { type Dense, lu, multiply, multiplyVector, solve, zeros } from './dense.ts';
import { ilu0, solveIlu0 } from './ilu0.ts';
import { jacobi } from './jacobi.ts';
import { random, randomBanded, randomDominant, randomVector } from './random.ts';
import { differenceMaxabs, relativeDifference } from './vector.ts';

function triangles(LU: Csr): { L: Dense; U: Dense } {
  const n = LU.shape[0];
  const L = zeros(n, n);
  const U = zeros(n, n);
  for (let i = 0; i < n; i++) L.data[i * n + i] = 1;
  for (const [i, j, value] of toTriplets(LU)) (i > j ? L : U).data[i * n + j] = value;
  return { L, U };
}

describe('ILU(0)', () => {
  it('equals a factorisation worked out by hand', () => {
    // Places (1, 2) and (2, 1) are empty, so the products that belong there are dropped.
    const A = fromTriplets(
      [3, 3],
      [
        [0, 0, 2],
        [0, 1, 4],
        [0, 2, 6],
        [1, 0, 1],
        [1, 1, 3],
        [2, 0, 3],
        [2, 2, 10],
      ],
    );
    expect([...ilu0(A).data]).toEqual([2, 4, 6, 0.5, 1, 1.5, 1]);
  });

  it.each([1, 2, 9, 30])('of a tridiagonal matrix (n = %i) is the dense LU without exchanges', (n) => {
    const next = random(n);
    const A = randomBanded(n, [-1, 0, 1], next);
    const { factors, permutation } = lu(toDense(A));
    expect([...permutation]).toEqual(Array.from({ length: n }, (_, i) => i));
    expect(differenceMaxabs(toDense(ilu0(A)).data, factors.data)).toBeLessThan(1e-15);
    const r = randomVector(n, next);
    expect(relativeDifference(solveIlu0(ilu0(A), r), solve(toDense(A), r))).toBeLessThan(1e-14);
  });

  it.each([
    [10, 0.5],
    [25, 0.2],
    [40, 0.08],
  ])('has (L U)_ij = A_ij on the pattern (n = %i, density %f)', (n, density) => {
    const A = randomDominant(n, density, random(n));
    const { L, U } = triangles(ilu0(A));
    const LU = multiply(L, U);
    for (const [i, j, value] of toTriplets(A)) expect(LU.data[i * n + j]).toBeCloseTo(value, 13);
    // Fill exists and was dropped: otherwise this would be a complete factorisation.
    expect(LU.data.some((value, p) => Math.abs(value - toDense(A).data[p]) > 1e-3)).toBe(true);
  });

  it('solves with both factors', () => {
    const n = 20;
    const next = random(5);
    const LU = ilu0(randomDominant(n, 0.3, next));
    const { L, U } = triangles(LU);
    const z = randomVector(n, next);
    const r = multiplyVector(L, multiplyVector(U, z));
    expect(relativeDifference(solveIlu0(LU, r), z)).toBeLessThan(1e-14);
  });

  it('names the row of a pivot that is missing or becomes zero', () => {
    const missing = fromTriplets(
      [2, 2],
      [
        [0, 1, 1],
        [1, 0, 1],
        [1, 1, 1],
      ],
    );
    expect(() => ilu0(missing)).toThrow('zero pivot in row 0');
    const vanishing = fromTriplets(
      [2, 2],
      [
        [0, 0, 1],
        [0, 1, 2],
        [1, 0, 2],
        [1, 1, 4],
      ],
    );
    expect(() => ilu0(vanishing)).toThrow('zero pivot in row 1');
  });
});

describe('Jacobi', () => {
  it('divides by the diagonal', () => {
    const A = randomDominant(6, 0.5, random(1));
    const z = jacobi(A)(new Float64Array(6).fill(1));
    z.forEach((value, i) => {
      expect(value).toBe(1 / entry(A, i, i));
    });
  });

  it('names the row of a zero', () => {
    expect(() => jacobi(fromTriplets([2, 2], [[0, 0, 1]]))).toThrow('zero diagonal in row 1');
  });
});
