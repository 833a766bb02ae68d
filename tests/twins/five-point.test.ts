import { describe, expect, it } from 'vitest';
import { bicgstab } from './bicgstab.ts';
import { operator, product } from './csr.ts';
import * as dia from './dia.ts';
import { fivePoint, REGIMES } from './five-point.ts';
import { loadAnchor } from './fixtures.ts';
import { gmres } from './gmres.ts';
import { ilu0Preconditioner } from './ilu0.ts';
import { differenceMaxabs, differenceNorm, maxabs, norm2, relativeDifference } from './vector.ts';

describe('five-point systems', () => {
  it('has the coefficients of the formula, worked out by hand on 2 x 2', () => {
    const { A, b } = fivePoint(Float64Array.of(1, 2, 3, 4), 2, 2);
    // e_i = m[i+1] - m[i-1] over 2 for q = 2: 1.5, 2, -0.5, -1; e_j: 1, -0.5, 2, -1.5.
    expect([...A.indptr]).toEqual([0, 3, 6, 9, 12]);
    expect([...A.indices]).toEqual([0, 1, 2, 0, 1, 3, 0, 2, 3, 1, 2, 3]);
    expect([...A.data]).toEqual([9, -3, -3.5, -2.5, 9, -4, -2.5, 9, -4, -3, -3.5, 9]);
    expect([...b]).toEqual([1, 2, 3, 4]);
  });

  // Iterations from zero to a relative residual of 1e-8; counts differ by a few with the order of summation.
  const cases = [
    { size: 32, regime: 'mild', bicgstabCount: [11, 14], gmresCount: [21, 24], iluCount: [4, 6] },
    { size: 32, regime: 'stiff', bicgstabCount: [60, 76], gmresCount: [103, 113], iluCount: [14, 18] },
    { size: 64, regime: 'mild', bicgstabCount: [11, 14], gmresCount: [22, 24], iluCount: [4, 6] },
    { size: 64, regime: 'stiff', bicgstabCount: [56, 72], gmresCount: [111, 121], iluCount: [17, 21] },
  ] as const;

  it.each(cases)('$size x $size, $regime: the direct solution, in the iterations it takes', (wanted) => {
    const { data, n } = loadAnchor(`field_${wanted.size}`);
    const exact = loadAnchor(`solution_${wanted.regime}_${wanted.size}`).data;
    expect(n).toBe(wanted.size);
    const { A, b } = fivePoint(data, n, REGIMES[wanted.regime]);
    expect(differenceNorm(product(A, exact), b) / norm2(b)).toBeLessThan(1e-13);

    const check = (result: ReturnType<typeof gmres>, [least, most]: readonly [number, number]) => {
      expect(result.converged).toBe(true);
      // The error is at most ||A^-1|| times the residual, and ||A^-1|| is below 2 here.
      expect(differenceNorm(result.x, exact)).toBeLessThan(2e-8 * norm2(b));
      expect(result.iterations).toBeGreaterThanOrEqual(least);
      expect(result.iterations).toBeLessThanOrEqual(most);
    };
    check(bicgstab(operator(A), b), wanted.bicgstabCount);
    check(gmres(operator(A), b, { restart: 30 }), wanted.gmresCount);
    check(bicgstab(operator(A), b, { preconditioner: ilu0Preconditioner(A) }), wanted.iluCount);

    const tight = bicgstab(operator(A), b, { rtol: 1e-13 });
    expect(relativeDifference(tight.x, exact)).toBeLessThan(1e-12);
    const diagonals = dia.fromCsr(A);
    expect([...diagonals.offsets]).toEqual([-n, -1, 0, 1, n]);
    const Ax = product(A, exact);
    expect(differenceMaxabs(dia.product(diagonals, exact), Ax)).toBeLessThan(1e-15 * maxabs(Ax) * 100);
  });
});
