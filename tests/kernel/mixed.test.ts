import { describe, expect, it } from 'vitest';
import { bicgstab } from '../twins/bicgstab.ts';
import { type Csr, fromTriplets, operator, product, toTriplets } from '../twins/csr.ts';
import { fivePoint } from '../twins/five-point.ts';
import { loadAnchor } from '../twins/fixtures.ts';
import { jacobi } from '../twins/jacobi.ts';
import { mixed } from '../twins/mixed.ts';
import { random, randomVector } from '../twins/random.ts';
import { norm2 } from '../twins/vector.ts';
import { BUILDS, expectNear, expectSame, useRoom } from './harness.ts';
import { jacobiPreconditioner } from './matrices.ts';
import { GRIDS, MixedRun } from './mixed-run.ts';
import { convection, grid, residualNorm } from './systems.ts';

/** Every entry multiplied by a factor of its row and column. */
function scaled(A: Csr, factor: (row: number, column: number) => number): Csr {
  return fromTriplets(
    A.shape,
    toTriplets(A).map(([i, j, value]) => [i, j, factor(i, j) * value]),
  );
}

/** A diagonal of many sizes and signs. */
const rough = (width: number, height: number): Csr =>
  scaled(convection(width, height), (i, j) => (i % 3 === 0 ? -1 : 1) * 2 ** ((i % 7) - (j % 5)));

describe.each(BUILDS)('BiCGSTAB in mixed precision, %s', (build) => {
  const room = useRoom(build);

  it.each(GRIDS)('the iterates of the twin: %i x %i', (height, width) => {
    const n = height * width;
    for (const A of [convection(width, height), rough(width, height)]) {
      const b = product(A, randomVector(n, random(n)));
      for (const x0 of [undefined, randomVector(n, random(2))]) {
        // Beyond, a small system is solved, and rounding decides when.
        for (const maxiter of [1, 2, 4].filter((count) => count <= 1 + n / 8)) {
          const options = { rtol: 1e-4, maxiter, x0 };
          const wanted = mixed(A, width, b, options);
          const run = new MixedRun(room, A, width, b, options).step();
          const what = `maxiter ${maxiter}`;
          expect(run.iterations, what).toBe(wanted.iterations);
          expect(run.status, what).toBe(wanted.converged ? 'converged' : 'max-iterations');
          expectNear(run.takeHistory(), wanted.history, wanted.history[0], 1e-4, what);
          expectNear(run.x, wanted.x, norm2(wanted.x), 1e-4, what);
          expectNear([run.residualNorm], [residualNorm(A, b, run.x)], norm2(b), 1e-13, what);
          expect(run.single).toBe(true);
          room.clear();
        }
      }
    }
  });

  it.each(GRIDS)('the solution, to any accuracy: %i x %i', (height, width) => {
    const n = height * width;
    for (const A of [convection(width, height), rough(width, height)]) {
      const exact = randomVector(n, random(3));
      const b = product(A, exact);
      for (const rtol of [1e-3, 1e-6, 1e-10, 1e-14]) {
        const run = new MixedRun(room, A, width, b, { rtol }).step();
        expect(run.status, `${rtol}`).toBe('converged');
        expect(residualNorm(A, b, run.x)).toBeLessThanOrEqual(1.0001 * rtol * norm2(b));
        room.clear();
      }
    }
  });

  it.each([
    ['field_32', 0.6],
    ['field_32', 15],
    ['field_64', 0.6],
    ['field_64', 15],
  ])('%s, q = %d: half of the iterations of BiCGSTAB in f64', (name, q) => {
    const { data, n } = loadAnchor(name);
    const { A, b } = fivePoint(data, n, q);
    const full = bicgstab(operator(A), b, { rtol: 1e-8, maxiter: 1000 });
    const twin = mixed(A, n, b, { rtol: 1e-8, maxiter: 1000 });
    const run = new MixedRun(room, A, n, b, { rtol: 1e-8 }).step();
    expect([run.status, run.single]).toEqual(['converged', true]);
    expect(run.iterations).toBeLessThanOrEqual(0.6 * full.iterations + 1);
    expect(Math.abs(run.iterations - twin.iterations)).toBeLessThanOrEqual(1 + 0.1 * twin.iterations);
    expect(residualNorm(A, b, run.x)).toBeLessThanOrEqual(1.0001e-8 * norm2(b));
    expectNear(run.x, full.x, norm2(full.x), 1e-6);
  });

  it('step by step as in one go, bit for bit; a workspace again as new', () => {
    const [height, width] = [9, 15];
    const A = convection(width, height);
    const b = randomVector(height * width, random(5));
    const whole = new MixedRun(room, A, width, b).step();
    const parts = new MixedRun(room, A, width, b);
    let calls = 0;
    for (; parts.status === 'running'; calls++) parts.step(1);
    expect(calls).toBe(parts.iterations);
    expectSame(parts.x, whole.x);
    expectSame(parts.takeHistory(), whole.takeHistory());
    expect(parts.matvecs).toBe(whole.matvecs);
  });

  it('values of any size, and columns of many', () => {
    const [height, width] = [6, 33];
    const n = height * width;
    const A = convection(width, height);
    const c = randomVector(n, random(6));
    for (const a of [1e-200, 1e-120, 1, 1e120, 1e200]) {
      for (const beta of [1e-120, 1, 1e120]) {
        // Neither x nor A x may overflow or vanish.
        if (Math.abs(Math.log10(beta / a)) > 250) continue;
        const matrix = scaled(A, () => a);
        const b = c.map((value) => beta * value);
        const run = new MixedRun(room, matrix, width, b, { rtol: 1e-8 }).step();
        expect([run.status, run.single], `${a} ${beta}`).toEqual(['converged', true]);
        expectNear(
          run.x.map((value) => (value / beta) * a),
          new MixedRun(room, A, width, c, { rtol: 1e-8 }).step().x,
          norm2(c),
          1e-6,
        );
        room.clear();
      }
    }
    const columns = scaled(A, (_, j) => 10 ** ((j % 60) - 30));
    const run = new MixedRun(room, columns, width, c, { rtol: 1e-8 }).step();
    expect([run.status, run.single]).toEqual(['converged', true]);
    expect(residualNorm(columns, c, run.x)).toBeLessThanOrEqual(1.0001e-8 * norm2(c));
  });

  it('goes on in f64 where f32 cannot take the matrix', () => {
    const [height, width] = [7, 8];
    const n = height * width;
    const b = randomVector(n, random(7));
    const A = convection(width, height);
    const wrapped = fromTriplets(A.shape, [...toTriplets(A), [width, width - 1, -0.5]]);
    const small = scaled(A, (i, j) => (i === 20 && j === 20 ? 1e-6 : 1));
    const none = fromTriplets(
      A.shape,
      toTriplets(A).map(([i, j, value]) => [i, j, i === 20 && j === 20 ? 0 : value]),
    );
    for (const matrix of [wrapped, small, none]) {
      const run = new MixedRun(room, matrix, width, b).step();
      expect([run.status, run.single]).toEqual(['converged', false]);
      expect(residualNorm(matrix, b, run.x)).toBeLessThanOrEqual(1.0001e-10 * norm2(b));
      // From then on it is BiCGSTAB.
      const twin = bicgstab(operator(matrix), b, { rtol: 1e-10, maxiter: 1000 });
      expect(Math.abs(run.iterations - twin.iterations)).toBeLessThanOrEqual(2 + 0.1 * twin.iterations);
      room.clear();
    }
  });

  it('the preconditioner is for f64', () => {
    const [height, width] = [7, 8];
    const b = randomVector(height * width, random(8));
    const A = scaled(convection(width, height), (i) => 2 ** (i % 9));
    const wrapped = fromTriplets(A.shape, [...toTriplets(A), [width, width - 1, -0.5]]);
    const preconditioner = jacobiPreconditioner(room, wrapped);
    const run = new MixedRun(room, wrapped, width, b, { preconditioner }).step();
    const wanted = bicgstab(operator(wrapped), b, {
      rtol: 1e-10,
      maxiter: 1000,
      preconditioner: jacobi(wrapped),
    });
    expect([run.status, run.single]).toEqual(['converged', false]);
    expect(Math.abs(run.iterations - wanted.iterations)).toBeLessThanOrEqual(1);
  });

  it('an ill-conditioned matrix ends with an honest status', () => {
    const [height, width] = [16, 16];
    const n = height * width;
    for (const c of [1e-3, 1e-6, 1e-9, -0.5, -2]) {
      const A = grid(width, height, { c, p: 0.3 });
      const b = randomVector(n, random(9));
      for (const rtol of [1e-8, 1e-13]) {
        const run = new MixedRun(room, A, width, b, { rtol, maxiter: 3000 }).step();
        const own = residualNorm(A, b, run.x);
        expectNear([run.residualNorm], [own], norm2(b), 1e-12);
        expect(run.status === 'converged').toBe(run.residualNorm <= rtol * norm2(b));
        if (c > 0) expect(run.status).toBe('converged');
        room.clear();
      }
    }
  });

  it('a singular matrix: solves what has a solution, and does not claim what has none', () => {
    const [height, width] = [8, 8];
    const n = height * width;
    // Reflecting borders: constants are in the null space of A, and of its transpose.
    const triplets = toTriplets(grid(width, height)).filter(([i, j]) => i !== j);
    const sums = new Float64Array(n);
    for (const [i] of triplets) sums[i]++;
    const A = fromTriplets(
      [n, n],
      [...triplets, ...Array.from(sums, (s, i): [number, number, number] => [i, i, s])],
    );
    const consistent = product(A, randomVector(n, random(10)));
    const run = new MixedRun(room, A, width, consistent, { rtol: 1e-8 }).step();
    expect(run.status).toBe('converged');
    expect(residualNorm(A, consistent, run.x)).toBeLessThanOrEqual(1.0001e-8 * norm2(consistent));
    const b = consistent.map((value) => value + 1);
    const failed = new MixedRun(room, A, width, b, { rtol: 1e-8, maxiter: 500 }).step();
    expect(failed.status).not.toBe('converged');
    expectNear([failed.residualNorm], [residualNorm(A, b, failed.x)], norm2(failed.x) + norm2(b), 1e-12);
    expect(failed.x.every(Number.isFinite)).toBe(true);
  });

  it('no iteration where none is needed or allowed; elimination alone where it is enough', () => {
    const [height, width] = [5, 4];
    const n = height * width;
    const A = convection(width, height);
    const b = product(A, randomVector(n, random(11)));
    const zero = new MixedRun(room, A, width, new Float64Array(n)).step();
    expect([zero.status, zero.iterations, zero.matvecs]).toEqual(['converged', 0, 0]);
    expectSame(zero.x, new Float64Array(n));
    const exact = new MixedRun(room, A, width, b, { rtol: 1e-8 }).step().x;
    expect(new MixedRun(room, A, width, b, { rtol: 1e-7, x0: exact }).step().iterations).toBe(0);
    const none = new MixedRun(room, A, width, b, { maxiter: 0 }).step();
    expect([none.status, none.iterations]).toEqual(['max-iterations', 0]);
    expectNear([none.residualNorm], [norm2(b)], norm2(b), 1e-15);
    const diagonal = scaled(A, (i, j) => (i === j ? 1 + i : 0));
    const direct = new MixedRun(room, diagonal, width, b).step();
    expect([direct.status, direct.iterations, direct.single]).toEqual(['converged', 2, true]);
    expectNear(
      direct.x,
      b.map((value, i) => value / ((1 + i) * 4.2)),
      norm2(b),
      1e-9,
    );
    const red = b.map((value, k) => ((Math.floor(k / width) + k) % 2 === 0 ? value : 0));
    expect(new MixedRun(room, diagonal, width, red).step().iterations).toBe(0);
  });

  it('an inner solve believes its recursion', () => {
    const [height, width] = [16, 16];
    const A = convection(width, height);
    const b = randomVector(height * width, random(12));
    const run = new MixedRun(room, A, width, b, { rtol: 1e-8 });
    room.k.loosen(run.workspace, 1e-2);
    run.step();
    expect([run.status, run.single]).toEqual(['converged', true]);
    expect(residualNorm(A, b, run.x)).toBeLessThanOrEqual(1.01e-2 * norm2(b));
    // Two products an iteration, and none to check.
    expect(run.matvecs).toBeLessThanOrEqual(2 * run.iterations);
    const strict = new MixedRun(room, A, width, b, { rtol: 1e-8 }).step();
    expect(run.iterations).toBeLessThan(strict.iterations);
  });

  it('NaN in the matrix or the right-hand side ends the solve', () => {
    const [height, width] = [7, 8];
    const n = height * width;
    const b = randomVector(n, random(13));
    const A = convection(width, height);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const run = new MixedRun(room, A, width, [...b.slice(1), bad]).step();
      expect([run.status, run.iterations]).toEqual(['non-finite', 0]);
      for (const at of [0, 40]) {
        const spoilt = { ...A, data: A.data.slice() };
        spoilt.data[at] = bad;
        const other = new MixedRun(room, spoilt, width, b, { maxiter: 50 }).step();
        expect(['non-finite', 'breakdown']).toContain(other.status);
        expect(other.residualNorm).not.toBeLessThan(1e-10 * norm2(b));
      }
      room.clear();
    }
  });
});
