import { describe, expect, it } from 'vitest';
import { cg } from '../twins/cg.ts';
import { type Csr, operator, product } from '../twins/csr.ts';
import { loadSystem, systemNamed } from '../twins/fixtures.ts';
import * as ilu0 from '../twins/ilu0.ts';
import { jacobi } from '../twins/jacobi.ts';
import { random, randomSpd, randomVector } from '../twins/random.ts';
import { norm2 } from '../twins/vector.ts';
import { BUILDS, expectNear, expectSame, type Room, useRoom } from './harness.ts';
import { Run } from './krylov.ts';
import {
  csrOperator,
  diaOperator,
  hostOperator,
  hostPreconditioner,
  ilu0Preconditioner,
  jacobiPreconditioner,
} from './matrices.ts';
import { diagonalMatrix, laplacian, residualNorm } from './systems.ts';

const PRECONDITIONERS = {
  none: { kernel: () => 0, twin: () => undefined },
  jacobi: { kernel: jacobiPreconditioner, twin: jacobi },
  // On a symmetric five-point pattern the factors are those of IC(0): symmetric and positive definite.
  ilu0: { kernel: ilu0Preconditioner, twin: ilu0.ilu0Preconditioner },
  function: {
    kernel: (room: Room, A: Csr) =>
      hostPreconditioner(room, A.shape[0], (r, z) => z.set(r.map((value, i) => value / (5 + (i % 3))))),
    twin: () => (r: Float64Array) => r.map((value, i) => value / (5 + (i % 3))),
  },
} as const;

const KINDS = Object.keys(PRECONDITIONERS) as (keyof typeof PRECONDITIONERS)[];

describe.each(BUILDS)('conjugate gradients, %s', (build) => {
  const room = useRoom(build);
  const A = laplacian(11, 8);
  const n = A.shape[0];
  const b = product(A, randomVector(n, random(1)));

  it.each(KINDS)('the iterates of the twin; preconditioner: %s', (kind) => {
    const { kernel, twin } = PRECONDITIONERS[kind];
    for (const x0 of [undefined, randomVector(n, random(2))]) {
      for (const maxiter of [1, 2, 5, 12]) {
        const wanted = cg(operator(A), b, { rtol: 1e-13, maxiter, x0, preconditioner: twin(A) });
        const options = { rtol: 1e-13, maxiter, x0, preconditioner: kernel(room, A) };
        const run = new Run(room, 'cg', csrOperator(room, A), b, options).step();
        const what = `maxiter ${maxiter}`;
        expect(run.iterations, what).toBe(wanted.iterations);
        expectNear(run.takeHistory(), wanted.history, wanted.history, 1e-8, what);
        expectNear(run.x, wanted.x, norm2(wanted.x), 1e-11, what);
        expectNear([run.residualNorm], [wanted.residualNorm], norm2(b), 1e-12, what);
        room.clear();
      }
    }
  });

  it('every length: the twin after three iterations', () => {
    for (let size = 1; size <= 40; size++) {
      const matrix = randomSpd(size, 0.3, random(size));
      const c = randomVector(size, random(size + 100));
      const wanted = cg(operator(matrix), c, { rtol: 1e-6, maxiter: 3 });
      const run = new Run(room, 'cg', csrOperator(room, matrix), c, { rtol: 1e-6, maxiter: 3 }).step();
      expect(run.iterations).toBe(wanted.iterations);
      expectNear(run.takeHistory(), wanted.history, norm2(c), 1e-11, `n = ${size}`);
      expectNear(run.x, wanted.x, norm2(wanted.x), 1e-11, `n = ${size}`);
      room.clear();
    }
  });

  it.each(KINDS)('solves, with any operator; preconditioner: %s', (kind) => {
    const call = (x: Float64Array, y: Float64Array): void => y.set(product(A, x));
    for (const a of [csrOperator(room, A), diaOperator(room, A), hostOperator(room, n, call)]) {
      const preconditioner = PRECONDITIONERS[kind].kernel(room, A);
      const run = new Run(room, 'cg', a, b, { preconditioner }).step();
      expect(run.status).toBe('converged');
      expect(residualNorm(A, b, run.x)).toBeLessThanOrEqual(1.00001e-10 * norm2(b));
      expectNear([run.residualNorm], [residualNorm(A, b, run.x)], norm2(b), 1e-15);
    }
  });

  it('ends after as many steps as there are eigenvalues', () => {
    const values = Array.from({ length: 30 }, (_, i) => 1 + (i % 3));
    const ones = new Float64Array(30).fill(1);
    const run = new Run(room, 'cg', csrOperator(room, diagonalMatrix(values)), ones, { rtol: 1e-13 }).step();
    expect([run.status, run.iterations]).toEqual(['converged', 3]);
    expectNear(
      run.x,
      values.map((value) => 1 / value),
      1,
      1e-13,
    );
  });

  it('one product an iteration, one more to start and to check', () => {
    const run = new Run(room, 'cg', csrOperator(room, A), b, { maxiter: 6 }).step();
    expect([run.iterations, run.matvecs]).toEqual([6, 7]);
    const warm = new Run(room, 'cg', csrOperator(room, A), b, { maxiter: 6, x0: b }).step();
    expect([warm.iterations, warm.matvecs]).toEqual([6, 8]);
  });

  it('breaks down on matrices and preconditioners that are not positive definite', () => {
    const indefinite = new Run(room, 'cg', csrOperator(room, diagonalMatrix([1, -1])), [1, 2]).step();
    expect([indefinite.status, indefinite.iterations]).toEqual(['breakdown', 0]);
    expectSame(indefinite.x, [0, 0]);
    expectNear([indefinite.residualNorm], [Math.sqrt(5)], 1, 1e-15);
    // (1, 1): p'A p = 0.
    const neutral = new Run(room, 'cg', csrOperator(room, diagonalMatrix([1, -1])), [1, 1]).step();
    expect([neutral.status, neutral.iterations]).toEqual(['breakdown', 0]);
    const negative = hostPreconditioner(room, n, (r, z) => z.set(r.map((value) => -value)));
    const run = new Run(room, 'cg', csrOperator(room, A), b, { preconditioner: negative }).step();
    expect([run.status, run.iterations]).toEqual(['breakdown', 0]);
    expectSame(run.x, new Float64Array(n));
  });

  it('an indefinite direction met later leaves the x before it', () => {
    const matrix = diagonalMatrix([10, 9, 8, -0.01]);
    const run = new Run(room, 'cg', csrOperator(room, matrix), [1, 1, 1, 0.01]).step();
    expect(run.status).toBe('breakdown');
    expect(run.iterations).toBeGreaterThan(0);
    expectNear([run.residualNorm], [residualNorm(matrix, Float64Array.of(1, 1, 1, 0.01), run.x)], 1, 1e-14);
    expect(run.residualNorm).toBeLessThan(1);
  });

  it('is not led astray when only rounding errors are left in a product that should be 0', () => {
    const { A: gyroscopic, b: c } = loadSystem(systemNamed('skew_gyroscopic'));
    const skewed = new Run(room, 'cg', csrOperator(room, gyroscopic), c).step();
    expect(skewed.status).toBe('breakdown');
    expect(skewed.residualNorm).toBeLessThanOrEqual(norm2(c) * (1 + 1e-14));
    const singular = diagonalMatrix([1, 2, 3, 4, 0]);
    const run = new Run(room, 'cg', csrOperator(room, singular), [1, 1, 1, 1, 1]).step();
    expect(run.status).toBe('breakdown');
    expect(run.residualNorm).toBeLessThan(10);
  });
});
