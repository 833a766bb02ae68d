import { describe, expect, it } from 'vitest';
import { fromTriplets, product, productMagnitude } from '../twins/csr.ts';
import { random, randomVector } from '../twins/random.ts';
import { norm2 } from '../twins/vector.ts';
import { BUILDS, expectNear, expectSame, replaced, useRoom } from './harness.ts';
import { METHODS, Run } from './krylov.ts';
import {
  csrOperator,
  diaOperator,
  hostOperator,
  ilu0Preconditioner,
  jacobiPreconditioner,
} from './matrices.ts';
import { diagonalMatrix, laplacian, residualNorm } from './systems.ts';

const cases = BUILDS.flatMap((build) => METHODS.map((method) => ({ build, method })));

describe.each(cases)('what all methods share: $method, $build', ({ build, method }) => {
  const room = useRoom(build);
  const A = laplacian(9, 7);
  const n = A.shape[0];
  const exact = randomVector(n, random(1));
  const b = product(A, exact);

  it('converges, and says so truly', () => {
    for (const operator of [csrOperator(room, A), diaOperator(room, A)]) {
      for (const preconditioner of [0, jacobiPreconditioner(room, A), ilu0Preconditioner(room, A)]) {
        const run = new Run(room, method, operator, b, { preconditioner, rtol: 1e-12 });
        expect(run.status).toBe('running');
        run.step();
        expect(run.status).toBe('converged');
        const outside = residualNorm(A, b, run.x);
        expect(outside).toBeLessThanOrEqual(1.001e-12 * norm2(b));
        expectNear([run.residualNorm], [outside], norm2(b), 1e-15);
        expectNear([run.rightHandSideNorm], [norm2(b)], norm2(b), 1e-14);
        expectNear(run.x, exact, 1, 1e-10);
      }
    }
  });

  it('loosened, ends at a share of the residual of the start, with a residual to match', () => {
    const x0 = randomVector(n, random(7));
    const start = residualNorm(A, b, x0);
    for (const preconditioner of [0, ilu0Preconditioner(room, A)]) {
      const strict = new Run(room, method, diaOperator(room, A), b, { x0, preconditioner }).step();
      const run = new Run(room, method, diaOperator(room, A), b, { x0, preconditioner });
      room.k.loosen(run.workspace, 0.01);
      run.step();
      expect(run.status).toBe('converged');
      expect(run.iterations).toBeLessThan(strict.iterations);
      const outside = residualNorm(A, b, run.x);
      expect(outside).toBeLessThanOrEqual(0.01 * start * (1 + 1e-9));
      expectNear([run.residualNorm], [outside], start, 1e-12);
      // Where the tolerance is above the share, it is the tolerance that counts.
      const easy = new Run(room, method, diaOperator(room, A), b, { x0, rtol: 10 * start });
      room.k.loosen(easy.workspace, 1e-12);
      expect(easy.step().iterations).toBe(0);
    }
  });

  it('one step at a time is the same as all at once, bit for bit', () => {
    for (const preconditioned of [false, true]) {
      const preconditioner = preconditioned ? ilu0Preconditioner(room, A) : 0;
      const options = { preconditioner, restart: 7 };
      const whole = new Run(room, method, diaOperator(room, A), b, options).step();
      const parts = new Run(room, method, diaOperator(room, A), b, options);
      let steps = 0;
      for (; parts.status === 'running'; steps++) parts.step(1);
      expect(steps).toBe(whole.iterations);
      expectSame(parts.x, whole.x);
      expectSame(parts.takeHistory(), whole.takeHistory());
      expect(parts.residualNorm).toBe(whole.residualNorm);
      expect(parts.matvecs).toBe(whole.matvecs);
      const { x } = whole;
      expectSame(whole.step(5).x, x);
      expect(whole.iterations).toBe(steps);
    }
  });

  it('step makes as many iterations as it was told', () => {
    const run = new Run(room, method, csrOperator(room, A), b, { restart: 4 });
    expect(run.step(0).iterations).toBe(0);
    expect(run.step(3).iterations).toBe(3);
    expect(run.step(2).iterations).toBe(5);
    expect(run.status).toBe('running');
  });

  it('history: the first norm, then one an iteration; taken in pieces it is the same', () => {
    const whole = new Run(room, method, csrOperator(room, A), b).step();
    const history = whole.takeHistory();
    expect(history.length).toBe(whole.iterations + 1);
    expect(whole.takeHistory().length).toBe(0);
    expectNear([history[0]], [norm2(b)], norm2(b), 1e-14);
    expect(history[history.length - 1]).toBe(whole.estimate);

    const parts = new Run(room, method, csrOperator(room, A), b, { historyCapacity: 3 });
    const pieces: number[] = [];
    for (; parts.status === 'running'; parts.step(3)) pieces.push(...parts.takeHistory());
    pieces.push(...parts.takeHistory());
    expectSame(pieces, history);

    const full = new Run(room, method, csrOperator(room, A), b, { historyCapacity: 4 }).step();
    expectSame(full.takeHistory(), history.subarray(0, 4));
    const none = new Run(room, method, csrOperator(room, A), b, { historyCapacity: 0 }).step();
    expect(none.takeHistory().length).toBe(0);
    expectSame(none.x, whole.x);
  });

  it('goes on from x0, and stops at once when that is good enough', () => {
    const near = exact.map((value) => value + 1e-3);
    const run = new Run(room, method, csrOperator(room, A), b, { x0: near }).step();
    expect(run.status).toBe('converged');
    expectNear([run.takeHistory()[0]], [residualNorm(A, b, near)], norm2(b), 1e-14);
    expectNear(run.x, exact, 1, 1e-8);

    const done = new Run(room, method, csrOperator(room, A), b, { x0: exact });
    expect([done.status, done.iterations, done.matvecs]).toEqual(['converged', 0, 1]);
    expectSame(done.x, exact);
    expectSame(done.step().x, exact);
  });

  it('b = 0 has x = 0, whatever the start', () => {
    for (const x0 of [undefined, exact]) {
      const run = new Run(room, method, csrOperator(room, A), new Float64Array(n), { x0, rtol: 0 });
      expect([run.status, run.iterations, run.matvecs, run.residualNorm]).toEqual(['converged', 0, 0, 0]);
      expectSame(run.x, new Float64Array(n));
    }
  });

  it('maxiter 0 leaves the start and measures it', () => {
    const cold = new Run(room, method, csrOperator(room, A), b, { maxiter: 0 });
    expect([cold.status, cold.iterations]).toEqual(['max-iterations', 0]);
    expectSame(cold.x, new Float64Array(n));
    expectNear([cold.residualNorm], [norm2(b)], norm2(b), 1e-14);
    const x0 = randomVector(n, random(5));
    const warm = new Run(room, method, csrOperator(room, A), b, { maxiter: 0, x0 }).step();
    expect(warm.status).toBe('max-iterations');
    expectSame(warm.x, x0);
    expectNear([warm.residualNorm], [residualNorm(A, b, x0)], norm2(b), 1e-14);
  });

  it('maxiter ends it, with the true residual of x', () => {
    for (const maxiter of [1, 2, 3, 8]) {
      const run = new Run(room, method, csrOperator(room, A), b, { maxiter, restart: 5 }).step();
      expect([run.status, run.iterations]).toEqual(['max-iterations', maxiter]);
      expectNear([run.residualNorm], [residualNorm(A, b, run.x)], run.residualNorm, 1e-12);
      expect(run.residualNorm).toBeLessThan(norm2(b));
    }
  });

  it('the tolerance is the larger of rtol ||b|| and atol', () => {
    const byAtol = new Run(room, method, csrOperator(room, A), b, { rtol: 1e-14, atol: 1e-3 }).step();
    expect(byAtol.status).toBe('converged');
    expect(byAtol.residualNorm).toBeLessThanOrEqual(1e-3);
    expect(byAtol.residualNorm).toBeGreaterThan(1e-7);
    const byRtol = new Run(room, method, csrOperator(room, A), b, { rtol: 1e-3, atol: 1e-14 }).step();
    expect(byRtol.residualNorm).toBeLessThanOrEqual(1.000001e-3 * norm2(b));
    const small = new Run(room, method, csrOperator(room, A), b, { rtol: 0, atol: 2 * norm2(b) });
    expect([small.status, small.iterations]).toEqual(['converged', 0]);
  });

  it('an accuracy beyond the arithmetic is stagnation, near what can be had', () => {
    for (const rtol of [1e-30, 0]) {
      const run = new Run(room, method, csrOperator(room, A), b, { rtol }).step();
      expect(run.status).toBe('stagnated');
      expect(run.residualNorm).toBeLessThan(1e-14 * norm2(b));
      // Nothing but rounding errors of the product is left.
      const rounding = norm2(productMagnitude(A, run.x));
      expectNear([run.residualNorm], [residualNorm(A, b, run.x)], rounding, 1e-15);
    }
  });

  it('a matrix of zeros breaks it down', () => {
    const run = new Run(room, method, csrOperator(room, diagonalMatrix([0, 0, 0])), [1, 2, 2]).step();
    expect([run.status, run.residualNorm]).toEqual(['breakdown', 3]);
    expectSame(run.x, new Float64Array(3));
  });

  it('a singular system without a solution is not solved', () => {
    const singular = diagonalMatrix([1, 2, 3, 4, 0]);
    const run = new Run(room, method, csrOperator(room, singular), [1, 1, 1, 1, 1]).step();
    // BiCGSTAB and CG may run off along the null space, and must not claim anything.
    expect(run.status).not.toBe('converged');
    if (method !== 'gmres') return;
    expect(['breakdown', 'stagnated']).toContain(run.status);
    expectNear([run.residualNorm], [1], 1, 1e-12);
    expect(Math.min(...run.takeHistory())).toBeGreaterThanOrEqual(1 - 1e-12);
  });

  it('a singular system with a solution is solved', () => {
    const singular = diagonalMatrix([1, 2, 3, 4, 0]);
    const run = new Run(room, method, csrOperator(room, singular), [1, 1, 1, 1, 0]).step();
    expect(run.status).toBe('converged');
    expectNear(run.x, [1, 1 / 2, 1 / 3, 1 / 4, 0], 1, 1e-9);
  });

  it('NaN from a host function, at any call, ends it', () => {
    for (const from of [1, 2, 3, 4]) {
      let calls = 0;
      const operator = hostOperator(room, n, (x, y) => {
        y.set(product(A, x));
        if (++calls >= from) y[n - 1] = Number.NaN;
      });
      const run = new Run(room, method, operator, b).step();
      expect(run.status).toBe('non-finite');
      expect(run.residualNorm).toBeNaN();
      expect(run.iterations).toBeLessThan(6);
    }
  });

  it('numbers that are not finite in b, x0 or A end it', () => {
    const bad = replaced(b, 3, Number.NaN);
    expect(new Run(room, method, csrOperator(room, A), bad).status).toBe('non-finite');
    expect(new Run(room, method, csrOperator(room, A), replaced(b, 3, Infinity)).status).toBe('non-finite');
    expect(new Run(room, method, csrOperator(room, A), b, { x0: bad }).status).toBe('non-finite');
    const infinite = { ...A, data: replaced(A.data, 5, Infinity) };
    expect(new Run(room, method, csrOperator(room, infinite), b).step().status).toBe('non-finite');
  });

  it('one unknown', () => {
    const run = new Run(room, method, csrOperator(room, fromTriplets([1, 1], [[0, 0, 4]])), [2]).step();
    expect([run.status, run.x[0], run.residualNorm]).toEqual(['converged', 0.5, 0]);
  });

  it('the size of the numbers does not matter', () => {
    const wanted = new Run(room, method, csrOperator(room, A), b).step();
    for (const scale of [2 ** 400, 2 ** -400]) {
      const scaled = b.map((value) => scale * value);
      const run = new Run(room, method, csrOperator(room, A), scaled).step();
      expect(run.status).toBe('converged');
      expect(run.iterations).toBe(wanted.iterations);
      expectSame(
        run.x,
        wanted.x.map((value) => scale * value),
      );
    }
  });
});
