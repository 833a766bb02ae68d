import { describe, expect, it } from 'vitest';
import {
  anisotropic2d,
  type CsrMatrix,
  convectionDiffusion2d,
  poisson2d,
  randomDiagonallyDominant,
} from '../../src/sparse/index.ts';
import { expectError } from './expect-error.ts';

/** The operator on a function, by its grid values; the function is zero on the boundary. */
function apply(A: CsrMatrix, nx: number, ny: number, u: (x: number, y: number) => number): Float64Array {
  const values = Array.from({ length: nx * ny }, (_, k) =>
    u((Math.floor(k / ny) + 1) / (nx + 1), ((k % ny) + 1) / (ny + 1)),
  );
  return A.multiply(values);
}

/** Largest difference between the discrete operator, per area, and the exact one. */
function worst(
  A: CsrMatrix,
  nx: number,
  ny: number,
  u: (x: number, y: number) => number,
  exact: typeof u,
): number {
  const area = 1 / (nx + 1) / (ny + 1);
  const seen = apply(A, nx, ny, u).map((value) => value / area);
  return Math.max(
    ...apply(identityLike(nx * ny), nx, ny, exact).map((value, k) => Math.abs(value - seen[k])),
  );
}

const identityLike = (n: number) => randomDiagonallyDominant({ n, perRow: 0 });

describe('poisson2d', () => {
  it('is the five-point matrix', () => {
    expect(Array.from(poisson2d(2, 2).toDense())).toEqual([
      4, -1, -1, 0, -1, 4, 0, -1, -1, 0, 4, -1, 0, -1, -1, 4,
    ]);
    expect(Array.from(poisson2d(1, 1).toDense())).toEqual([4]);
    expect(poisson2d(3, 5).nnz).toBe(5 * 15 - 2 * 3 - 2 * 5);
  });

  it('is exact for quadratics', () => {
    // u = x (1 - x) y (1 - y): third derivatives along an axis vanish.
    const u = (x: number, y: number) => x * (1 - x) * y * (1 - y);
    const minusLaplace = (x: number, y: number) => 2 * y * (1 - y) + 2 * x * (1 - x);
    expect(worst(poisson2d(7, 7), 7, 7, u, minusLaplace)).toBeLessThan(1e-12);
  });
});

describe('convectionDiffusion2d', () => {
  const u = (x: number, y: number) => x * (1 - x) * y * (1 - y);
  const exact = (x: number, y: number) =>
    0.5 * (2 * y * (1 - y) + 2 * x * (1 - x)) + 3 * (1 - 2 * x) * y * (1 - y) - 2 * x * (1 - x) * (1 - 2 * y);
  const options = { wind: [3, -2] as const, diffusion: 0.5 };

  it('is exact for quadratics with centred differences, on unequal spacings', () => {
    expect(worst(convectionDiffusion2d({ nx: 6, ny: 9, ...options }), 6, 9, u, exact)).toBeLessThan(1e-12);
  });

  it('is of first order with upwind differences', () => {
    const error = (n: number) =>
      worst(convectionDiffusion2d({ nx: n, ny: n, ...options, advection: 'upwind' }), n, n, u, exact);
    const order = Math.log2(error(15) / error(31));
    expect(order).toBeGreaterThan(0.9);
    expect(order).toBeLessThan(1.1);
  });

  it('has no positive neighbour with upwind differences, however strong the wind', () => {
    const A = convectionDiffusion2d({ nx: 4, ny: 4, wind: [1e3, -1e3], diffusion: 0.1, advection: 'upwind' });
    const diagonal = A.diagonal();
    expect(Math.min(...diagonal)).toBeGreaterThan(0);
    expect(Array.from(A.data).filter((value) => value > 0).length).toBe(diagonal.length);
  });

  it('refuses bad options', () => {
    expectError(() => convectionDiffusion2d({ nx: 0, ny: 2 }), 'INVALID_VALUE', /nx/);
    expectError(() => convectionDiffusion2d({ nx: 2, ny: 2, diffusion: 0 }), 'INVALID_VALUE', /diffusion/);
    expectError(() => convectionDiffusion2d({ nx: 2, ny: 2, wind: [1] as never }), 'INVALID_VALUE', /wind/);
    expectError(
      () => convectionDiffusion2d({ nx: 2, ny: 2, advection: 'down' as never }),
      'INVALID_VALUE',
      /"down"/,
    );
    expectError(() => convectionDiffusion2d({ nx: 2, ny: 2, winds: [] } as never), 'UNKNOWN_OPTION', /winds/);
  });
});

describe('anisotropic2d', () => {
  it('is -u_xx - epsilon u_yy', () => {
    const u = (x: number, y: number) => x * (1 - x) * y * (1 - y);
    const exact = (x: number, y: number) => 2 * y * (1 - y) + 0.1 * 2 * x * (1 - x);
    expect(worst(anisotropic2d({ nx: 7, ny: 7, epsilon: 0.1 }), 7, 7, u, exact)).toBeLessThan(1e-12);
  });

  it('refuses bad options', () => {
    expectError(() => anisotropic2d({ nx: 2, ny: 2, epsilon: -1 }), 'INVALID_VALUE', /epsilon/);
    expectError(() => poisson2d(2.5, 2), 'INVALID_VALUE', /nx/);
  });
});

describe('randomDiagonallyDominant', () => {
  it('is strictly diagonally dominant, and depends on its seed alone', () => {
    const A = randomDiagonallyDominant({ n: 50, perRow: 6, seed: 3 });
    const diagonal = A.diagonal();
    for (let i = 0; i < 50; i++) {
      const row = A.data.subarray(A.indptr[i], A.indptr[i + 1]);
      const beside = row.reduce((sum, value) => sum + Math.abs(value), 0) - diagonal[i];
      expect(diagonal[i]).toBeGreaterThan(beside);
    }
    expect(randomDiagonallyDominant({ n: 50, perRow: 6, seed: 3 })).toEqual(A);
    expect(Array.from(randomDiagonallyDominant({ n: 50, perRow: 6, seed: 4 }).data)).not.toEqual(
      Array.from(A.data),
    );
  });

  it('takes n = 0 and n = 1', () => {
    expect(randomDiagonallyDominant({ n: 0 }).nnz).toBe(0);
    expect(Array.from(randomDiagonallyDominant({ n: 1 }).toDense())).toEqual([1]);
  });

  it('draws evenly', () => {
    const { indices } = randomDiagonallyDominant({ n: 1000, perRow: 20, seed: 1 });
    const counts = new Float64Array(10);
    for (const j of indices) counts[Math.floor(j / 100)]++;
    // About 2100 in each tenth, standard deviation 45.
    for (const count of counts) expect(Math.abs(count - indices.length / 10)).toBeLessThan(250);
  });
});
