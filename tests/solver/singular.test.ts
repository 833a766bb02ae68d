import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CsrMatrix,
  createEngine,
  csr,
  type Engine,
  fromDense,
  fromTriplets,
  poisson2d,
  type SolveOptions,
} from '../../src/index.ts';
import { loadSystem, systemNamed } from '../twins/fixtures.ts';
import { expectClose, expectHonest, fromTwin, METHODS, norm, STORAGES, vector } from './helpers.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => engine.dispose());

/** Solves by every method and storage, and checks that each result is what it says. */
function solveAll(A: CsrMatrix, b: ArrayLike<number>, options: SolveOptions = {}) {
  return METHODS.flatMap((method) =>
    STORAGES.map((storage) => {
      const result = engine.solve(A, b, { ...options, method, storage });
      expectHonest(A, b, result, options);
      return { ...result };
    }),
  );
}

describe('systems without a solution, or with many', () => {
  it('a singular consistent system is solved by one of its solutions', () => {
    const { A: twin, b } = loadSystem(systemNamed('singular_consistent'));
    const A = fromTwin(twin);
    for (const preconditioner of ['none', 'ilu0'] as const) {
      expect(engine.solve(A, b, { rtol: 1e-10, preconditioner }).status).toBe('converged');
    }
    solveAll(A, b, { rtol: 1e-10 });
  });

  it('a singular inconsistent one is not', () => {
    const { A: twin, b } = loadSystem(systemNamed('singular_inconsistent'));
    const A = fromTwin(twin);
    for (const result of solveAll(A, b, { maxiter: 2000 })) expect(result.converged).toBe(false);
    expect(engine.solve(A, b, { maxiter: 2000, restart: 256 }).status).not.toBe('converged');
  });

  it('the zero matrix, stored or not', () => {
    const stored = csr({ shape: [3, 3], indptr: [0, 1, 2, 3], indices: [0, 1, 2], data: [0, 0, 0] });
    const empty = csr({ shape: [3, 3], indptr: [0, 0, 0, 0], indices: [], data: [] });
    for (const A of [stored, empty]) {
      for (const result of solveAll(A, [1, 2, 3])) {
        expect(result.status).toBe('breakdown');
        expect(result.residualNorm).toBeCloseTo(Math.sqrt(14), 14);
      }
      for (const result of solveAll(A, [0, 0, 0])) expect(result.status).toBe('converged');
    }
  });

  it('empty rows', () => {
    const A = fromTriplets({ shape: [4, 4], row: [0, 0, 2, 3], col: [0, 1, 2, 3], data: [2, 1, 3, 4] });
    for (const result of solveAll(A, [1, 1, 1, 1])) expect(result.converged).toBe(false);
    const possible = engine.solve(A, [1, 0, 1, 1]);
    expect(possible.status).toBe('converged');
    expectHonest(A, [1, 0, 1, 1], possible);
  });

  it('skew-symmetric: every Galerkin method breaks down, GMRES does not', () => {
    const A = fromDense([
      [0, 1],
      [-1, 0],
    ]);
    solveAll(A, [1, 2]);
    expect(engine.solve(A, [1, 2], { method: 'cg' }).status).toBe('breakdown');
    const result = engine.solve(A, [1, 2]);
    expect(result.status).toBe('converged');
    expectClose(result.x, [-2, 1], 1e-12);
  });

  it('a cyclic shift: GMRES makes no progress before its last step, and stagnates when restarted', () => {
    const n = 12;
    const row = Array.from({ length: n }, (_, i) => i);
    const A = fromTriplets({ shape: [n, n], row, col: row.map((i) => (i + 1) % n), data: row.map(() => 1) });
    const b = Float64Array.from(row, (i) => (i === 0 ? 1 : 0));
    expect(engine.solve(A, b)).toMatchObject({ status: 'converged', iterations: n });
    expect(engine.solve(A, b, { restart: n - 1 })).toMatchObject({ status: 'stagnated', residualNorm: 1 });
    solveAll(A, b);
  });

  it('indefinite, with cg', () => {
    const A = fromDense([
      [1, 0, 0],
      [0, -2, 0],
      [0, 0, 3],
    ]);
    expect(engine.solve(A, [1, 2, 1], { method: 'cg' }).status).toBe('breakdown');
    expect(engine.solve(A, [1, 2, 1]).status).toBe('converged');
    solveAll(A, [1, 2, 1]);
  });
});

describe('small sizes', () => {
  it('n = 0', () => {
    const A = csr({ shape: [0, 0], indptr: [0], indices: [], data: [] });
    for (const preconditioner of ['none', 'jacobi', 'ilu0'] as const) {
      for (const result of solveAll(A, [], { preconditioner })) {
        expect(result).toMatchObject({ status: 'converged', iterations: 0, residualNorm: 0 });
      }
    }
    expect(engine.solve(() => {}, []).status).toBe('converged');
  });

  it('n = 1', () => {
    const A = fromDense([[4]]);
    for (const result of solveAll(A, [6])) {
      expect(result).toMatchObject({ status: 'converged', iterations: 1 });
      expect([...result.x]).toEqual([1.5]);
    }
    for (const result of solveAll(A, [6], { preconditioner: 'jacobi', history: true })) {
      expect([...result.x]).toEqual([1.5]);
    }
  });
});

describe('right-hand sides and starts', () => {
  const A = poisson2d(5, 6);
  const b = vector(30);

  it('b = 0 has x = 0, whatever x0 is', () => {
    const zero = new Float64Array(30);
    for (const x0 of [undefined, vector(30, 3)]) {
      for (const result of solveAll(A, zero, { x0, rtol: 1e-10, preconditioner: 'ilu0' })) {
        expect(result).toMatchObject({ status: 'converged', iterations: 0, residualNorm: 0 });
        expect(result.x).toEqual(zero);
      }
    }
  });

  it('an exact start needs no iteration', () => {
    const x0 = Float64Array.from({ length: 30 }, (_, i) => i % 5);
    const exact = A.multiply(x0);
    for (const result of solveAll(A, exact, { x0, rtol: 0 })) {
      expect(result).toMatchObject({ status: 'converged', iterations: 0, residualNorm: 0, matvecs: 1 });
      expect(result.x).toEqual(x0);
    }
  });

  it('x0 is not changed', () => {
    const x0 = vector(30, 3);
    const kept = x0.slice();
    solveAll(A, b, { x0 });
    expect(x0).toEqual(kept);
  });

  it('rtol 0: ends, at the level of rounding, and says how', () => {
    for (const result of solveAll(A, b, { rtol: 0 })) {
      expect(['stagnated', 'converged', 'breakdown']).toContain(result.status);
      expect(result.residualNorm).toBeLessThan(1e-14 * norm(b));
    }
  });

  it('atol alone, and the larger of the two', () => {
    for (const result of solveAll(A, b, { rtol: 0, atol: 1e-3 })) {
      expect(result.converged).toBe(true);
      expect(result.residualNorm).toBeLessThanOrEqual(1e-3);
      expect(result.residualNorm).toBeGreaterThan(1e-9);
    }
    for (const result of solveAll(A, b, { rtol: 1e-12, atol: 1e3 })) expect(result.iterations).toBe(0);
  });

  it('maxiter 0 and 1', () => {
    for (const result of solveAll(A, b, { maxiter: 0 })) {
      expect(result).toMatchObject({ status: 'max-iterations', iterations: 0, matvecs: 0 });
      expect(result.x).toEqual(new Float64Array(30));
    }
    const x0 = vector(30, 3);
    for (const result of solveAll(A, b, { maxiter: 0, x0 })) expect(result.x).toEqual(x0);
    for (const result of solveAll(A, b, { maxiter: 1 })) {
      expect(result).toMatchObject({ status: 'max-iterations', iterations: 1 });
    }
  });
});

describe('huge and tiny numbers', () => {
  const scales = [1e200, 1e-200, 1e150, 1e-150, 1e300, 1e-290];
  const b = vector(36);

  it.each(scales)('entries times %f', (scale) => {
    const P = poisson2d(6, 6);
    const scaled = poisson2d(6, 6).setData(P.data.map((value) => value * scale));
    const scaledB = b.map((value) => value * scale);
    for (const [A, c] of [[scaled, b] as const, [P, scaledB] as const, [scaled, scaledB] as const]) {
      for (const preconditioner of ['none', 'jacobi', 'ilu0'] as const) {
        solveAll(A, c, { preconditioner });
        expect(engine.solve(A, c, { preconditioner }).status).toBe('converged');
      }
    }
  });

  it('entries of very different size', () => {
    const A = fromDense([
      [1e150, 0, 1],
      [0, 1e-150, 0],
      [0, 1, 1],
    ]);
    solveAll(A, [1, 1, 1]);
    solveAll(A, [1e150, 1e-150, 1], { preconditioner: 'jacobi' });
  });

  it('a product that overflows is not finite', () => {
    const A = fromDense([
      [1e300, 1e300],
      [-1e300, 1e300],
    ]);
    for (const result of solveAll(A, [1e300, 1e300], { x0: [1e10, 1e10] }))
      expect(result.status).toBe('non-finite');
  });
});

it('values changed to NaN or infinity behind the back end the solve', () => {
  for (const value of [Number.NaN, Infinity, -Infinity]) {
    for (const at of [0, 7, 40]) {
      const A = poisson2d(4, 4);
      A.data[at] = value;
      for (const result of solveAll(A, vector(16))) expect(result.status).toBe('non-finite');
    }
  }
});
