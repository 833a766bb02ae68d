import { describe, expect, it } from 'vitest';
import type { Pointer } from '../../src/wasm/exports.ts';
import { type Csr, operator, product } from '../twins/csr.ts';
import { orthogonalityError } from '../twins/dense.ts';
import { ilu0Preconditioner as ilu0Twin } from '../twins/ilu0.ts';
import { jacobi } from '../twins/jacobi.ts';
import { random, randomVector } from '../twins/random.ts';
import { axpy, dot, norm2 } from '../twins/vector.ts';
import { REFERENCE, RTOL, rightHandSide, systemMatrix } from './gcrodr-systems.ts';
import { BUILDS, expectNear, expectSame, type Room, replaced, useRoom } from './harness.ts';
import { Run, recycled, recycleSpace } from './krylov.ts';
import {
  csrOperator,
  hostOperator,
  hostPreconditioner,
  ilu0Preconditioner,
  jacobiPreconditioner,
} from './matrices.ts';
import { convection, cyclicShift, diagonalMatrix, laplacian, residualNorm, skew } from './systems.ts';

type Map = (x: Float64Array) => Float64Array;

/** A M^-1 U = C and C'C = I. */
function expectImages(room: Room, n: number, space: Pointer, apply: Map, tolerance = 1e-11): void {
  const U = recycled(room, n, space, 'basis');
  const C = recycled(room, n, space, 'images');
  expect(orthogonalityError(C)).toBeLessThan(tolerance);
  U.forEach((u, j) => {
    expectNear(apply(u), C[j], 1 + norm2(u), tolerance, `column ${j}`);
  });
}

/** How far the vectors lie outside the span of an orthonormal basis, in parts of their norms. */
function outside(basis: readonly Float64Array[], vectors: readonly Float64Array[]): number {
  return Math.max(
    ...vectors.map((vector) => {
      const rest = vector.slice();
      for (const v of basis) axpy(-dot(v, vector), v, rest);
      return norm2(rest) / norm2(vector);
    }),
  );
}

describe.each(BUILDS)('GCRO-DR, %s', (build) => {
  const room = useRoom(build);
  const A = convection(11, 8);
  const n = A.shape[0];
  const b = product(A, randomVector(n, random(1)));

  it.each(REFERENCE)('the history of the reference: $kind, $restart, $dim', (wanted) => {
    const { kind, restart, dim, solves, basis } = wanted;
    const rhs = rightHandSide(wanted.n);
    const space = recycleSpace(room, wanted.n, dim);
    let [own, others] = [0, 0];
    solves.forEach(({ history, gcrotmk }, step) => {
      const matrix = systemMatrix(kind, wanted.n, step);
      const run = new Run(room, 'gcro-dr', csrOperator(room, matrix), rhs, {
        rtol: RTOL,
        restart,
        space,
      }).step();
      expect(run.status).toBe('converged');
      expect(residualNorm(matrix, rhs, run.x)).toBeLessThanOrEqual(1.0001 * RTOL * norm2(rhs));
      const found = run.takeHistory();
      // The small eigenvalues magnify rounding: the three builds differ by as much.
      expectNear(found, history, history, 0.003, `step ${step}`);
      own += run.matvecs;
      others += gcrotmk;
      expectImages(room, wanted.n, space, operator(matrix));
    });
    expect(own).toBeLessThan(1.2 * others);
    const columns = basis[0].map((_, j) => Float64Array.from(basis, (row) => row[j]));
    expect(recycled(room, wanted.n, space, 'basis').length).toBe(columns.length);
    expect(outside(columns, recycled(room, wanted.n, space, 'basis'))).toBeLessThan(1e-3);
  });

  it('the first cycle is one of GMRES', () => {
    for (const preconditioner of [0, ilu0Preconditioner(room, A)]) {
      for (const restart of [1, 2, 7, 30]) {
        const options = { restart, preconditioner, maxiter: restart };
        const gmres = new Run(room, 'gmres', csrOperator(room, A), b, options).step();
        const run = new Run(room, 'gcro-dr', csrOperator(room, A), b, options).step();
        const history = gmres.takeHistory();
        const scale = history.map((norm) => norm + 1e-6 * history[0]);
        expectNear(run.takeHistory(), history, scale, 1e-9);
        expectNear(run.x, gmres.x, norm2(gmres.x), 1e-12);
        expect([run.status, run.iterations, run.matvecs]).toEqual([
          gmres.status,
          gmres.iterations,
          gmres.matvecs,
        ]);
      }
    }
  });

  it('residuals fall, and are the true ones', () => {
    const matrix = systemMatrix('outliers', 90, 0);
    const rhs = rightHandSide(90);
    const a = csrOperator(room, matrix);
    const history = new Run(room, 'gcro-dr', a, rhs, { restart: 15 }).step().takeHistory();
    for (let k = 1; k < history.length; k++) {
      expect(history[k]).toBeLessThanOrEqual(history[k - 1] * (1 + 1e-10));
    }
    for (let maxiter = 1; maxiter < history.length; maxiter += 3) {
      const run = new Run(room, 'gcro-dr', a, rhs, { restart: 15, maxiter }).step();
      const own = residualNorm(matrix, rhs, run.x);
      expectNear([run.estimate, history[maxiter]], [own, own], own + 1e-10 * norm2(rhs), 1e-3, `${maxiter}`);
      expectNear([run.residualNorm], [own], norm2(rhs), 1e-14);
    }
  });

  it('goes on where few small eigenvalues make GMRES(m) stagnate', () => {
    const matrix = systemMatrix('outliers', 90, 0);
    const rhs = rightHandSide(90);
    const options = { restart: 12, maxiter: 2000, space: recycleSpace(room, 90, 6, false) };
    const gmres = new Run(room, 'gmres', csrOperator(room, matrix), rhs, options).step();
    const run = new Run(room, 'gcro-dr', csrOperator(room, matrix), rhs, options).step();
    expect(gmres.status).not.toBe('converged');
    expect(run.status).toBe('converged');
    expect(run.iterations).toBeLessThan(200);
  });

  it('C stays orthonormal over many cycles, and the image of U', () => {
    const matrix = laplacian(40, 25);
    const size = matrix.shape[0];
    const rhs = randomVector(size, random(5));
    for (const preconditioner of [0, jacobiPreconditioner(room, matrix)]) {
      const space = recycleSpace(room, size, 8);
      const options = { restart: 12, maxiter: 400, rtol: 1e-30, atol: 0, space, preconditioner };
      const run = new Run(room, 'gcro-dr', csrOperator(room, matrix), rhs, options);
      for (let cycle = 0; cycle < 50 && run.status === 'running'; cycle++) {
        run.step(8);
        expect(orthogonalityError(recycled(room, size, space, 'images'))).toBeLessThan(1e-13);
      }
      expect(run.residualNorm).toBeLessThan(1e-12 * norm2(rhs));
      const precondition = preconditioner ? jacobi(matrix) : (x: Float64Array) => x;
      expectImages(room, size, space, (x) => operator(matrix)(precondition(x)), 1e-10);
    }
  });

  it('with a preconditioner, and a start, the space is that of A M^-1', () => {
    const apply = operator(A);
    const precondition = ilu0Twin(A);
    const space = recycleSpace(room, n, 4);
    for (let k = 0; k < 3; k++) {
      const x0 = randomVector(n, random(10 + k));
      const options = { preconditioner: ilu0Preconditioner(room, A), x0, restart: 8, space };
      const run = new Run(room, 'gcro-dr', csrOperator(room, A), b, options).step();
      expect(run.status).toBe('converged');
      expect(residualNorm(A, b, run.x)).toBeLessThanOrEqual(1.0001e-10 * norm2(b));
      expect(room.k.recycleColumns(space)).toBeGreaterThanOrEqual(3);
      expectImages(room, n, space, (x) => apply(precondition(x)));
    }
  });

  it('the same matrix again costs two products, another one for each column', () => {
    const space = recycleSpace(room, n, 6);
    const options = { restart: 12, space };
    const solve = (matrix: Csr) => new Run(room, 'gcro-dr', csrOperator(room, matrix), b, options).step();
    const cold = solve(A);
    const columns = room.k.recycleColumns(space);
    expect(columns).toBeGreaterThanOrEqual(5);
    // Each cycle checks its residual by one product.
    const cycles = (run: Run, recycledColumns: number) => {
      const { iterations } = run;
      return Math.ceil(iterations / (12 - recycledColumns)) || 1;
    };
    const again = solve(A);
    expect(again.iterations).toBeLessThan(cold.iterations);
    expect(again.matvecs).toBe(again.iterations + 2 + cycles(again, columns));
    const now = room.k.recycleColumns(space);
    const other = { ...A, data: A.data.map((value, e) => value * (1 + 0.01 * (e % 3))) };
    const changed = solve(other);
    expect(changed.matvecs).toBe(changed.iterations + now + cycles(changed, now));
    expectImages(room, n, space, operator(other));
    // A change that the first column does not see.
    const [first] = recycled(room, n, space, 'basis');
    const touched = { ...other, data: other.data.slice() };
    const row = 5;
    const at = touched.indptr[row];
    touched.data[at] += first[touched.indices[at + 1]];
    touched.data[at + 1] -= first[touched.indices[at]];
    const seen = solve(touched);
    expect(seen.status).toBe('converged');
    expectImages(room, n, space, operator(touched));
    room.k.recycleClear(space);
    expect(room.k.recycleColumns(space)).toBe(0);
    expect(solve(A).iterations).toBe(cold.iterations);
  });

  it('a start from the space alone can be enough', () => {
    const space = recycleSpace(room, n, 6);
    new Run(room, 'gcro-dr', csrOperator(room, A), b, { restart: 12, space }).step();
    const [u] = recycled(room, n, space, 'basis');
    const run = new Run(room, 'gcro-dr', csrOperator(room, A), product(A, u), { restart: 12, space }).step();
    expect([run.status, run.iterations]).toEqual(['converged', 0]);
    expectNear(run.x, u, norm2(u), 1e-10);
  });

  it('columns whose images depend on others are dropped', () => {
    const space = recycleSpace(room, n, 6);
    new Run(room, 'gcro-dr', csrOperator(room, A), b, { restart: 12, space }).step();
    const before = room.k.recycleColumns(space);
    const U = recycled(room, n, space, 'basis');
    const stride = room.k.vectorStride(n);
    const at = (j: number) => room.view(room.k.recycleBasis(space) + j * stride, n);
    // The second: twice the first. The fourth: nothing.
    at(1).set(U[0].map((value) => 2 * value));
    at(3).fill(0);
    const short = new Run(room, 'gcro-dr', csrOperator(room, A), b, { restart: 12, maxiter: 0, space });
    expect(short.status).toBe('max-iterations');
    const other = { ...A, data: A.data.map((value) => 1.5 * value) };
    const run = new Run(room, 'gcro-dr', csrOperator(room, other), b, { restart: 12, space });
    expect(room.k.recycleColumns(space)).toBe(before - 2);
    expectImages(room, n, space, operator(other));
    expect(run.step().status).toBe('converged');
    expectImages(room, n, space, operator(other));
    // Not a number among them: all that it spoils go, and the solve is a cold one.
    at(0).fill(Number.NaN);
    const spoilt = new Run(room, 'gcro-dr', csrOperator(room, A), b, { restart: 12, space }).step();
    expect(spoilt.status).toBe('converged');
    expectImages(room, n, space, operator(A));
  });

  it('a space with more columns than a cycle has is used as far as it goes', () => {
    const space = recycleSpace(room, n, 20);
    for (const restart of [30, 6, 2, 1, 30]) {
      const run = new Run(room, 'gcro-dr', csrOperator(room, A), b, { restart, space, maxiter: 5000 }).step();
      expect(run.status, `restart ${restart}`).toBe('converged');
      if (restart > 1) expect(room.k.recycleColumns(space)).toBeLessThan(restart);
      expectImages(room, n, space, operator(A));
    }
  });

  it('a zero right-hand side, and a start that is good enough, leave the space alone', () => {
    const space = recycleSpace(room, n, 6);
    const exact = new Run(room, 'gcro-dr', csrOperator(room, A), b, { restart: 12, space }).step();
    const U = recycled(room, n, space, 'basis');
    const zero = new Run(room, 'gcro-dr', csrOperator(room, A), new Float64Array(n), { restart: 12, space });
    expect([zero.status, zero.iterations]).toEqual(['converged', 0]);
    expectSame(zero.x, new Float64Array(n));
    const options = { restart: 12, space, rtol: 1e-9, x0: exact.x };
    expect(new Run(room, 'gcro-dr', csrOperator(room, A), b, options).status).toBe('converged');
    recycled(room, n, space, 'basis').forEach((u, j) => {
      expectSame(u, U[j]);
    });
  });

  it('invariant subspaces: exact, and kept', () => {
    const values = Array.from({ length: 30 }, (_, i) => 1 + (i % 3));
    const ones = new Float64Array(30).fill(1);
    const space = recycleSpace(room, 30, 10);
    const a = csrOperator(room, diagonalMatrix(values));
    const run = new Run(room, 'gcro-dr', a, ones, { rtol: 1e-14, space }).step();
    expect([run.status, run.iterations]).toEqual(['converged', 3]);
    expect(room.k.recycleColumns(space)).toBe(3);
    expectImages(room, 30, space, operator(diagonalMatrix(values)));
    const again = new Run(
      room,
      'gcro-dr',
      a,
      ones.map((_, i) => 1 + (i % 3)),
      { rtol: 1e-13, space },
    ).step();
    expect([again.status, again.iterations]).toEqual(['converged', 0]);
  });

  it('singular and hopeless systems end honestly', () => {
    const nilpotent: Csr = {
      shape: [2, 2],
      indptr: Int32Array.of(0, 1, 1),
      indices: Int32Array.of(1),
      data: Float64Array.of(1),
    };
    const broken = new Run(room, 'gcro-dr', csrOperator(room, nilpotent), [1, 0]).step();
    expect([broken.status, broken.residualNorm]).toEqual(['breakdown', 1]);
    expectSame(broken.x, [0, 0]);
    const rotation = new Run(room, 'gcro-dr', csrOperator(room, skew(2)), [1, 0], { restart: 1 }).step();
    expect([rotation.status, rotation.iterations]).toEqual(['stagnated', 1]);
    const e0 = replaced(new Float64Array(12), 0, 1);
    const shift = csrOperator(room, cyclicShift(12));
    for (const restart of [4, 12]) {
      const space = recycleSpace(room, 12, 2);
      const run = new Run(room, 'gcro-dr', shift, e0, { restart, space }).step();
      expect(run.status).toBe(restart === 12 ? 'converged' : 'breakdown');
      if (restart < 12) expect(run.residualNorm).toBe(1);
    }
    const nan = hostOperator(room, n, (_, y) => void y.fill(Number.NaN));
    const space = recycleSpace(room, n, 4);
    new Run(room, 'gcro-dr', csrOperator(room, A), b, { restart: 9, space }).step();
    expect(new Run(room, 'gcro-dr', nan, b, { restart: 9, space }).step().status).toBe('non-finite');
    const nothing = hostPreconditioner(room, n, (_, z) => void z.fill(0));
    const options = { preconditioner: nothing, restart: 9, space };
    expect(new Run(room, 'gcro-dr', csrOperator(room, A), b, options).step().status).toBe('breakdown');
    // None of it harms the next.
    const next = new Run(room, 'gcro-dr', csrOperator(room, A), b, { restart: 9, space }).step();
    expect(next.status).toBe('converged');
  });

  it('a product that throws leaves a space that can be used', () => {
    const space = recycleSpace(room, n, 5);
    new Run(room, 'gcro-dr', csrOperator(room, A), b, { restart: 10, space }).step();
    for (const after of [0, 1, 3, 7, 12, 20]) {
      let count = 0;
      const failing = hostOperator(room, n, (x, y) => {
        if (count++ === after) throw new Error('enough');
        y.set(product(A, x).map((value) => 1.1 * value));
      });
      const act = () => new Run(room, 'gcro-dr', failing, b, { restart: 10, space, rtol: 1e-13 }).step();
      expect(act).toThrow('enough');
      const run = new Run(room, 'gcro-dr', csrOperator(room, A), b, { restart: 10, space }).step();
      expect(run.status).toBe('converged');
      expectImages(room, n, space, operator(A));
    }
  });

  it('matrices of tiny or huge numbers', () => {
    const wanted = new Run(room, 'gcro-dr', csrOperator(room, A), b, { restart: 12 }).step();
    for (const scale of [2 ** 500, 2 ** -500]) {
      const scaled = { ...A, data: A.data.map((value) => scale * value) };
      const run = new Run(room, 'gcro-dr', csrOperator(room, scaled), b, { restart: 12 }).step();
      expect(run.status).toBe('converged');
      expect(Math.abs(run.iterations - wanted.iterations)).toBeLessThanOrEqual(1);
    }
  });
});
