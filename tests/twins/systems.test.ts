import { describe, expect, it } from 'vitest';
import { bicgstab } from './bicgstab.ts';
import { cg } from './cg.ts';
import { operator, toDense } from './csr.ts';
import { solve } from './dense.ts';
import { loadSystem, systemNamed, systems } from './fixtures.ts';
import { gmres } from './gmres.ts';
import { ilu0, ilu0Preconditioner } from './ilu0.ts';
import { norm2 } from './vector.ts';

const RTOL = 1e-10;
/** SciPy was given 1000 cycles of 30. */
const MAXITER = 30_000;

describe('the files', () => {
  it.each(systems)("$name is read whole, and its direct solution is SciPy's", (record) => {
    const { A, b } = loadSystem(record);
    expect(A.shape).toEqual([record.n, record.n]);
    expect(A.data.length).toBe(record.nnz);
    expect(b.length).toBe(record.n);
    if (record.direct === undefined || record.condition === null) return;
    const x = solve(toDense(A), b);
    const error = 1e-14 * record.condition * record.direct.norm;
    expect(Math.abs(norm2(x) - record.direct.norm)).toBeLessThan(error);
    for (const [i, value] of record.direct.entries) expect(Math.abs(x[i] - value)).toBeLessThan(error);
  });
});

describe('GMRES(30) with ILU(0)', () => {
  it.each(systems.filter((record) => record.gmres.ilu0.reached))(
    "$name is solved where SciPy solves it, from the left in SciPy's iterations",
    (record) => {
      const { A, b } = loadSystem(record);
      const preconditioner = ilu0Preconditioner(A);
      const right = gmres(operator(A), b, { rtol: RTOL, maxiter: MAXITER, preconditioner });
      expect(right.converged).toBe(true);
      const left = gmres(operator(A), b, { rtol: RTOL, maxiter: MAXITER, side: 'left', preconditioner });
      expect(left.converged).toBe(true);
      // Both stop by estimates of their own, so a step or two apart; restarts add to it.
      const wanted = record.gmres.ilu0.iterations;
      expect(Math.abs(left.iterations - wanted)).toBeLessThanOrEqual(2 + 0.15 * wanted);
    },
  );

  it.each(systems.filter((record) => record.gmres.ilu0.failure !== undefined))(
    '$name has no factors here either',
    (record) => {
      expect(() => ilu0(loadSystem(record).A)).toThrow('zero pivot');
    },
  );

  it('utm300 needs a longer cycle', () => {
    const { A, b } = loadSystem(systemNamed('utm300'));
    const preconditioner = ilu0Preconditioner(A);
    expect(gmres(operator(A), b, { rtol: RTOL, preconditioner }).converged).toBe(false);
    expect(gmres(operator(A), b, { rtol: RTOL, preconditioner, restart: 150 }).converged).toBe(true);
  });

  it('BiCGSTAB breaks down where the first residual is nearly empty, and keeps a usable x', () => {
    const { A, b } = loadSystem(systemNamed('circuit_rc'));
    const result = bicgstab(operator(A), b, { rtol: RTOL, preconditioner: ilu0Preconditioner(A) });
    expect(result).toMatchObject({ converged: false, breakdown: true });
    expect(result.residualNorm).toBeLessThan(2 * norm2(b));
  });

  it('a system without a solution is not solved', () => {
    const { A, b } = loadSystem(systemNamed('singular_inconsistent'));
    for (const method of [gmres, bicgstab, cg]) {
      const result = method(operator(A), b, { rtol: RTOL, maxiter: 300 });
      expect(result.converged).toBe(false);
      // The part of b that the range lacks is its mean.
      const mean = b.reduce((sum, value) => sum + value, 0) / b.length;
      expect(result.residualNorm).toBeGreaterThan(0.999 * Math.abs(mean) * Math.sqrt(b.length));
    }
  });
});

describe("residual histories are SciPy's", () => {
  const methods = { gmres, bicgstab, cg };
  const cases = systems.flatMap(({ name, histories }) =>
    (['gmres', 'bicgstab', 'cg'] as const).flatMap((method) =>
      histories?.[method] === undefined ? [] : [{ name, method, wanted: histories[method] }],
    ),
  );

  it.each(cases)('$method on $name', ({ name, method, wanted }) => {
    const { A, b } = loadSystem(systemNamed(name));
    const { history } = methods[method](operator(A), b, { rtol: 0, maxiter: wanted.length - 1 });
    expect(history.length).toBe(wanted.length);
    // Where BiCGSTAB's residual leaps up, rounding does too: 1e-6 is lost on the convection problem.
    const digits = method === 'bicgstab' ? 5 : 8;
    wanted.forEach((value, k) => {
      expect(history[k] / (norm2(b) * value)).toBeCloseTo(1, digits);
    });
  });
});
