import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, type Engine, fromDense, fromTriplets, poisson2d } from '../../src/index.ts';
import { loadSystem, systemNamed, systems } from '../twins/fixtures.ts';
import { random, randomDominant } from '../twins/random.ts';
import {
  asFunction,
  expectClose,
  expectHonest,
  expectRefused,
  fromTwin,
  norm,
  STORAGES,
  vector,
} from './helpers.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  expect(engine.bytesInUse).toBe(0);
  engine.dispose();
});

const LU = { method: 'lu' } as const;

describe('method lu', () => {
  it.each(systems.filter(({ condition }) => condition !== null))('solves $name', async (record) => {
    const { A: own, b } = loadSystem(record);
    const A = fromTwin(own);
    for (const storage of STORAGES) {
      const options = { ...LU, storage, rtol: 1e-11 };
      for (const result of [engine.solve(A, b, options), await engine.solveAsync(A, b, options)]) {
        expectHonest(A, b, result, options);
        expect(result).toMatchObject({ status: 'converged', method: 'lu', preconditioner: 'lu' });
        expect(result.iterations).toBeLessThanOrEqual(3);
      }
    }
  });

  it('singular systems end with a status', () => {
    for (const name of ['singular_consistent', 'singular_inconsistent']) {
      const { A: own, b } = loadSystem(systemNamed(name));
      const A = fromTwin(own);
      const result = engine.solve(A, b, LU);
      expectHonest(A, b, result);
      expect(result.converged).toBe(name === 'singular_consistent');
    }
    const empty = fromTriplets({ shape: [3, 3], row: [0, 2], col: [0, 2], data: [1, 1] });
    const result = engine.solve(empty, [1, 1, 1], LU);
    expect(result).toMatchObject({ status: 'breakdown', iterations: 0, x: new Float64Array(3) });
    expectHonest(empty, [1, 1, 1], result);
    expect(engine.solve(empty, [0, 0, 0], LU).status).toBe('converged');
    const x0 = [1, 5, 0];
    expect([...engine.solve(empty, [1, 1, 1], { ...LU, x0 }).x]).toEqual(x0);
  });

  it('small sizes, starts, limits and history', () => {
    expect(engine.solve(fromTriplets({ shape: [0, 0], row: [], col: [], data: [] }), [], LU).status).toBe(
      'converged',
    );
    const one = engine.solve(fromDense([[4]]), [6], LU);
    expect(one).toMatchObject({ status: 'converged', iterations: 1, matvecs: 1 });
    expect([...one.x]).toEqual([1.5]);
    const A = poisson2d(9, 7);
    const b = vector(63);
    expect(engine.solve(A, b, { ...LU, maxiter: 0 })).toMatchObject({ status: 'max-iterations', matvecs: 0 });
    const { x } = engine.solve(A, b, LU);
    expect(engine.solve(A, b, { ...LU, x0: x })).toMatchObject({ status: 'converged', iterations: 0 });
    const far = engine.solve(A, b, { ...LU, x0: vector(63, 4), history: true });
    expect(far.status).toBe('converged');
    expect(far.history?.length).toBe(far.iterations + 1);
    expect(['stagnated', 'converged']).toContain(engine.solve(A, b, { ...LU, rtol: 0 }).status);
  });

  it('huge, tiny and spoilt values', () => {
    const P = poisson2d(6, 6);
    const b = vector(36);
    for (const scale of [1e-290, 1e-200, 1e200, 1e300]) {
      const A = poisson2d(6, 6).setData(P.data.map((value) => value * scale));
      for (const right of [b, b.map((value) => value * scale)]) {
        const result = engine.solve(A, right, LU);
        expectHonest(A, right, result);
        expect(result.status).toBe('converged');
      }
    }
    for (const value of [Number.NaN, Infinity]) {
      const A = poisson2d(6, 6);
      A.data[7] = value;
      expect(engine.solve(A, b, LU).status).toBe('non-finite');
    }
  });

  it('a workspace keeps the analysis: no more memory after the first solve', () => {
    for (const A of [poisson2d(15, 14), fromTwin(randomDominant(210, 0.03, random(2)))]) {
      const b = vector(210);
      const values = A.data.slice();
      using workspace = engine.workspace(A, LU);
      engine.solve(A, b, { workspace });
      const { bytes } = workspace;
      expect(bytes).toBe(engine.bytesInUse);
      for (const factor of [1.5, 0.5, 3]) {
        A.setData(values.map((value) => value * factor));
        const result = engine.solve(A, b, { workspace });
        expectHonest(A, b, result);
        expect(result.status).toBe('converged');
        expect(engine.bytesInUse).toBe(bytes);
      }
      A.setData(new Float64Array(A.nnz));
      expect(engine.solve(A, b, { workspace }).status).toBe('breakdown');
      A.setData(values);
      expect(engine.solve(A, b, { workspace }).status).toBe('converged');
    }
  });

  it('in a batch', async () => {
    function* many() {
      const A = poisson2d(10, 11);
      const { data } = poisson2d(10, 11);
      for (let k = 1; k <= 6; k++) yield { A: A.setData(data.map((value) => value * k)), b: vector(110, k) };
    }
    let count = 0;
    for await (const result of engine.solveBatch(many(), LU)) {
      expect(result).toMatchObject({ status: 'converged', method: 'lu', lanes: 1, iterations: 1 });
      count++;
    }
    expect(count).toBe(6);
  });

  it('comes last in auto', () => {
    // Nearly skew-symmetric with a tiny diagonal: ILU(0) fails, and restarted GMRES stagnates.
    const n = 600;
    const row = Array.from({ length: n }, (_, i) => i);
    const A = fromTriplets({
      shape: [n, n],
      row: [...row, 0],
      col: [...row.map((i) => (i + 1) % n), 0],
      data: [...row.map(() => 1), 0],
    });
    const b = Float64Array.from(row, (i) => (i === 0 ? 1 : 0));
    const result = engine.solve(A, b, { method: 'auto' });
    expectHonest(A, b, result);
    expect(result).toMatchObject({ status: 'converged', method: 'lu', preconditioner: 'lu' });
  });
});

describe('preconditioner lu', () => {
  const A = poisson2d(20, 18);
  const b = vector(360);
  const near = poisson2d(20, 18).setData(A.data.map((value, k) => value * (1 + 0.003 * Math.sin(k))));

  it("a seed's factors serve its targets", () => {
    using factors = engine.preconditioner(A, 'lu');
    for (const method of ['gmres', 'bicgstab', 'lu'] as const) {
      const own = engine.solve(A, b, { method, preconditioner: factors });
      expect(own).toMatchObject({ status: 'converged', preconditioner: 'lu' });
      expect(own.iterations).toBeLessThanOrEqual(2);
      const result = engine.solve(near, b, { method, preconditioner: factors, rtol: 1e-10 });
      expectHonest(near, b, result, { rtol: 1e-10 });
      expect(result.status).toBe('converged');
      expect(result.iterations).toBeLessThan(20);
      const left =
        method === 'gmres' ? engine.solve(near, b, { method, side: 'left', preconditioner: factors }) : own;
      expect(left.status).toBe('converged');
    }
    factors.update(near);
    expect(engine.solve(near, b, { method: 'lu', preconditioner: factors }).iterations).toBe(1);
  });

  it('of its own matrix: one iteration', () => {
    const result = engine.solve(near, b, { method: 'gmres', preconditioner: 'lu' });
    expect(result).toMatchObject({ status: 'converged', iterations: 1 });
    expectClose(near.multiply(result.x), b, 1e-12);
    expect(norm(result.x)).toBeGreaterThan(0);
  });

  it('refusals', () => {
    const dependent = fromDense([
      [1, 2],
      [2, 4],
    ]);
    expectRefused(
      engine,
      () => engine.preconditioner(dependent, 'lu'),
      'ZERO_PIVOT',
      /preconditioner "lu".*singular/,
    );
    expectRefused(
      engine,
      () => engine.solve(dependent, [1, 2], { preconditioner: 'lu' }),
      'ZERO_PIVOT',
      /column 1|column 0/,
    );
    expectRefused(engine, () => engine.solve(asFunction(A), b, LU), 'INVALID_VALUE', /needs the entries/);
    const act = () => engine.solve(A, b, { ...LU, preconditioner: 'ilu0' });
    expectRefused(engine, act, 'INVALID_VALUE', /solves with its own factors/);
    expectRefused(engine, () => engine.workspace(A, { ...LU, side: 'left' }), 'INVALID_VALUE', /side "left"/);
  });

  it('memory', async () => {
    using small = await createEngine({ memoryLimit: 150_000 });
    for (const options of [LU, { preconditioner: 'lu' } as const]) {
      expect(() => small.solve(A, b, options)).toThrow(/no room for/);
      expect(small.bytesInUse).toBe(0);
    }
    expect(small.solve(A, b, { method: 'auto' }).status).toBe('converged');
  });
});
