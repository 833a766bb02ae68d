import { describe, expect, it } from 'vitest';
import { type Csr, operator, product } from '../twins/csr.ts';
import { gmres } from '../twins/gmres.ts';
import * as ilu0 from '../twins/ilu0.ts';
import { jacobi } from '../twins/jacobi.ts';
import { random, randomVector } from '../twins/random.ts';
import { norm2 } from '../twins/vector.ts';
import { BUILDS, expectNear, expectSame, type Room, replaced, useRoom } from './harness.ts';
import { Run } from './krylov.ts';
import {
  csrOperator,
  diaOperator,
  hostOperator,
  hostPreconditioner,
  ilu0Preconditioner,
  jacobiPreconditioner,
} from './matrices.ts';
import { convection, cyclicShift, diagonalMatrix, residualNorm, skew } from './systems.ts';

/** The same preconditioner in the kernel and as the twin's function. */
const PRECONDITIONERS = {
  none: { kernel: () => 0, twin: () => undefined },
  jacobi: { kernel: jacobiPreconditioner, twin: jacobi },
  ilu0: { kernel: ilu0Preconditioner, twin: ilu0.ilu0Preconditioner },
  function: {
    kernel: (room: Room, A: Csr) =>
      hostPreconditioner(room, A.shape[0], (r, z) => z.set(r.map((value, i) => value / (5 + (i % 3))))),
    twin: () => (r: Float64Array) => r.map((value, i) => value / (5 + (i % 3))),
  },
} as const;

const KINDS = Object.keys(PRECONDITIONERS) as (keyof typeof PRECONDITIONERS)[];
const SIDES = ['right', 'left'] as const;

describe.each(BUILDS)('GMRES, %s', (build) => {
  const room = useRoom(build);
  const A = convection(11, 8);
  const n = A.shape[0];
  const b = product(A, randomVector(n, random(1)));

  describe.each(KINDS)('preconditioner: %s', (kind) => {
    it.each(SIDES)('from the %s: the iterates of the twin', (side) => {
      const { kernel, twin } = PRECONDITIONERS[kind];
      const x0 = randomVector(n, random(2));
      for (const start of [undefined, x0]) {
        for (const restart of [5, 30]) {
          for (const maxiter of [1, 4, 5, 12]) {
            const wanted = gmres(operator(A), b, {
              rtol: 1e-13,
              maxiter,
              restart,
              side,
              x0: start,
              preconditioner: twin(A),
            });
            const preconditioner = kernel(room, A);
            const run = new Run(room, 'gmres', csrOperator(room, A), b, {
              rtol: 1e-13,
              maxiter,
              restart,
              side,
              x0: start,
              preconditioner,
            }).step();
            const what = `restart ${restart}, maxiter ${maxiter}`;
            expect(run.iterations, what).toBe(wanted.iterations);
            // The kernel's first entry is the true residual, on both sides.
            const history = run.takeHistory();
            const scale = wanted.history.slice(1).map((norm) => norm + 1e-6 * wanted.history[0]);
            expectNear(history.subarray(1), wanted.history.slice(1), scale, 1e-8, what);
            expectNear(run.x, wanted.x, norm2(wanted.x), 1e-11, what);
            expectNear([run.residualNorm], [wanted.residualNorm], norm2(b), 1e-12, what);
            room.clear();
          }
        }
      }
    });

    it.each(SIDES)('from the %s: solves, with any operator', (side) => {
      const call = (x: Float64Array, y: Float64Array): void => y.set(product(A, x));
      for (const a of [csrOperator(room, A), diaOperator(room, A), hostOperator(room, n, call)]) {
        const preconditioner = PRECONDITIONERS[kind].kernel(room, A);
        const run = new Run(room, 'gmres', a, b, { preconditioner, side, restart: 8 }).step();
        expect(run.status).toBe('converged');
        expect(residualNorm(A, b, run.x)).toBeLessThanOrEqual(1.00001e-10 * norm2(b));
        expectNear([run.residualNorm], [residualNorm(A, b, run.x)], norm2(b), 1e-15);
      }
    });
  });

  it.each(['none', 'ilu0'] as const)('residuals fall, and are the true ones; preconditioner: %s', (kind) => {
    for (const restart of [3, 10, 40]) {
      const preconditioner = PRECONDITIONERS[kind].kernel(room, A);
      const a = csrOperator(room, A);
      const whole = new Run(room, 'gmres', a, b, { restart, preconditioner }).step();
      const history = whole.takeHistory();
      for (let k = 1; k < history.length; k++) {
        expect(history[k]).toBeLessThanOrEqual(history[k - 1] * (1 + 1e-12) + 1e-15 * norm2(b));
      }
      // Stopped at any iteration, the estimate is the residual of the x that it gives.
      for (let maxiter = 1; maxiter < history.length && history[maxiter] > 1e-6 * norm2(b); maxiter++) {
        const run = new Run(room, 'gmres', a, b, { restart, preconditioner, maxiter }).step();
        const outside = residualNorm(A, b, run.x);
        expectNear([run.estimate], [outside], outside, 1e-8, `maxiter ${maxiter}`);
        expectNear([run.estimate], [history[maxiter]], history[maxiter], 1e-12);
      }
      room.clear();
    }
  });

  it('from the left, a preconditioner that hides a part of the residual does not end it early', () => {
    const weights = Float64Array.from({ length: n }, (_, i) => (i % 4 === 0 ? 1e-6 : 1));
    const preconditioner = hostPreconditioner(room, n, (r, z) =>
      z.set(r.map((value, i) => weights[i] * value)),
    );
    const options = { preconditioner, side: 'left', restart: 40, rtol: 1e-8 } as const;
    const run = new Run(room, 'gmres', csrOperator(room, A), b, options).step();
    expect(run.status).toBe('converged');
    expect(residualNorm(A, b, run.x)).toBeLessThanOrEqual(1.00001e-8 * norm2(b));
  });

  it('x changes at the end of a cycle only', () => {
    const run = new Run(room, 'gmres', csrOperator(room, A), b, { restart: 6 });
    expectSame(run.step(5).x, new Float64Array(n));
    const first = run.step(1).x;
    expect(norm2(first)).toBeGreaterThan(0);
    expectSame(run.step(5).x, first);
    expect(residualNorm(A, b, run.step(1).x)).toBeLessThan(residualNorm(A, b, first));
  });

  it('ends early with the exact solution when the subspace is invariant', () => {
    // Three different eigenvalues: three steps.
    const values = Array.from({ length: 30 }, (_, i) => 1 + (i % 3));
    const ones = new Float64Array(30).fill(1);
    const run = new Run(room, 'gmres', csrOperator(room, diagonalMatrix(values)), ones, {
      rtol: 1e-14,
    }).step();
    expect([run.status, run.iterations]).toEqual(['converged', 3]);
    expectNear(
      run.x,
      values.map((value) => 1 / value),
      1,
      1e-14,
    );
  });

  it('a cyclic shift makes no progress until the last step', () => {
    const size = 10;
    const e0 = replaced(new Float64Array(size), 0, 1);
    const a = csrOperator(room, cyclicShift(size));
    const run = new Run(room, 'gmres', a, e0).step();
    expect([run.status, run.iterations]).toEqual(['converged', size]);
    expectSame(run.takeHistory(), [...new Array(size).fill(1), 0]);
    const short = new Run(room, 'gmres', a, e0, { restart: size - 1 }).step();
    expect([short.status, short.iterations, short.residualNorm]).toEqual(['stagnated', size - 1, 1]);
    expectSame(short.x, new Float64Array(size));
  });

  it('maxiter inside a cycle is no stagnation', () => {
    const a = csrOperator(room, cyclicShift(10));
    for (const maxiter of [1, 3, 9]) {
      const run = new Run(room, 'gmres', a, replaced(new Float64Array(10), 0, 1), { maxiter }).step();
      expect([run.status, run.iterations]).toEqual(['max-iterations', maxiter]);
    }
  });

  it('GMRES(1) stagnates on a rotation', () => {
    const run = new Run(room, 'gmres', csrOperator(room, skew(2)), [1, 0], { restart: 1 }).step();
    expect([run.status, run.iterations, run.residualNorm]).toEqual(['stagnated', 1, 1]);
    expect(new Run(room, 'gmres', csrOperator(room, skew(2)), [1, 0], { restart: 2 }).step().status).toBe(
      'converged',
    );
  });

  it('breaks down on a nilpotent matrix, and keeps the start', () => {
    const nilpotent: Csr = {
      shape: [2, 2],
      indptr: Int32Array.of(0, 1, 1),
      indices: Int32Array.of(1),
      data: Float64Array.of(1),
    };
    const run = new Run(room, 'gmres', csrOperator(room, nilpotent), [1, 0]).step();
    expect([run.status, run.residualNorm]).toEqual(['breakdown', 1]);
    expectSame(run.x, [0, 0]);
    expectSame(run.takeHistory(), [1, 1]);
  });

  it('a preconditioner that gives zero or NaN ends it honestly', () => {
    for (const side of SIDES) {
      const zero = hostPreconditioner(room, n, (_, z) => void z.fill(0));
      const run = new Run(room, 'gmres', csrOperator(room, A), b, { preconditioner: zero, side }).step();
      expect(run.status).toBe('breakdown');
      expectNear([run.residualNorm], [norm2(b)], norm2(b), 1e-14);
      const nan = hostPreconditioner(room, n, (_, z) => void z.fill(Number.NaN));
      expect(
        new Run(room, 'gmres', csrOperator(room, A), b, { preconditioner: nan, side }).step().status,
      ).toBe('non-finite');
    }
  });

  it('a matrix of tiny or huge numbers is solved as any other', () => {
    const wanted = new Run(room, 'gmres', csrOperator(room, A), b).step();
    for (const scale of [2 ** 530, 2 ** -570]) {
      const scaled = { ...A, data: A.data.map((value) => scale * value) };
      const run = new Run(room, 'gmres', csrOperator(room, scaled), b).step();
      expect([run.status, run.iterations]).toEqual(['converged', wanted.iterations]);
      expectNear(
        run.x.map((value) => value * scale),
        wanted.x,
        norm2(wanted.x),
        1e-9,
      );
    }
  });
});
