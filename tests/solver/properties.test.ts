import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type CsrMatrix,
  createEngine,
  type Engine,
  fromDense,
  fromTriplets,
  type Method,
} from '../../src/index.ts';
import { toDense, toTriplets } from '../twins/csr.ts';
import { solve as denseSolve } from '../twins/dense.ts';
import { random, randomDominant } from '../twins/random.ts';
import { expectClose, expectHonest, fromTwin, PRECONDITIONERS, vector } from './helpers.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  expect(engine.bytesInUse).toBe(0);
  engine.dispose();
});

const RUNS = { numRuns: 60 };
const TIGHT = { rtol: 1e-12 } as const;

/** A regular system and a way to solve it. */
const systems = fc
  .record({
    n: fc.integer({ min: 1, max: 40 }),
    density: fc.double({ min: 0.02, max: 0.6, noNaN: true }),
    seed: fc.nat(1e6),
    method: fc.constantFrom<Method>('gmres', 'bicgstab', 'gcro-dr'),
    preconditioner: fc.constantFrom(...PRECONDITIONERS),
    side: fc.constantFrom('left' as const, 'right' as const),
    storage: fc.constantFrom('auto' as const, 'csr' as const, 'dia' as const),
    restart: fc.integer({ min: 1, max: 45 }),
  })
  .map(({ n, density, seed, side, ...rest }) => {
    const twin = randomDominant(n, density, random(seed));
    const options = rest.method === 'gmres' ? { ...rest, side } : rest;
    return { n, seed, twin, A: fromTwin(twin), b: vector(n, seed), options };
  });

it('a dominant system is solved, and the result is honest', () => {
  fc.assert(
    fc.property(systems, ({ twin, A, b, options }) => {
      const result = engine.solve(A, b, { ...options, ...TIGHT });
      expectHonest(A, b, result, TIGHT);
      expect(result.status).toBe('converged');
      expectClose(result.x, denseSolve(toDense(twin), b), 1e-10);
    }),
    { numRuns: 150 },
  );
});

it('is linear in b', () => {
  fc.assert(
    fc.property(systems, ({ n, seed, A, b, options }) => {
      const c = vector(n, seed + 1);
      const solve = (v: Float64Array) => engine.solve(A, v, { ...options, ...TIGHT }).x;
      const sum = solve(b).map((value, i) => 2 * value - solve(c)[i]);
      const both = solve(b.map((value, i) => 2 * value - c[i]));
      expectClose(both, sum, 1e-9);
    }),
    RUNS,
  );
});

it('does not depend on the order of the unknowns', () => {
  fc.assert(
    fc.property(systems, ({ n, seed, twin, A, b, options }) => {
      const next = random(seed + 2);
      const order = Array.from({ length: n }, (_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        const j = Math.floor(next() * (i + 1));
        [order[i], order[j]] = [order[j], order[i]];
      }
      const triplets = toTriplets(twin).map(([i, j, v]) => [order[i], order[j], v] as const);
      const permuted = fromTriplets({ shape: [n, n], triplets });
      const c = new Float64Array(n);
      for (let i = 0; i < n; i++) c[order[i]] = b[i];
      const { x } = engine.solve(A, b, { ...options, ...TIGHT });
      const other = engine.solve(permuted, c, { ...options, ...TIGHT }).x;
      expectClose(
        order.map((to) => other[to]),
        x,
        1e-9,
      );
    }),
    RUNS,
  );
});

it('scales with A and b by powers of two, bit for bit', () => {
  fc.assert(
    fc.property(systems, fc.integer({ min: -40, max: 40 }), ({ A, b, options }, k) => {
      const { x, iterations } = engine.solve(A, b, options);
      const scaled = fromTwin({ ...A, shape: [...A.shape], data: A.data.map((value) => value * 2 ** k) });
      const viaA = engine.solve(scaled, b, options);
      expect(viaA.iterations).toBe(iterations);
      expect(viaA.x).toEqual(x.map((value) => value * 2 ** -k));
      const viaB = engine.solve(
        A,
        b.map((value) => value * 2 ** k),
        options,
      );
      expect(viaB.x).toEqual(x.map((value) => value * 2 ** k));
    }),
    RUNS,
  );
});

it('any start leads to the same solution', () => {
  fc.assert(
    fc.property(systems, ({ n, seed, A, b, options }) => {
      const { x } = engine.solve(A, b, { ...options, ...TIGHT });
      const x0 = vector(n, seed + 3);
      const other = engine.solve(A, b, { ...options, ...TIGHT, x0 });
      expectHonest(A, b, other, TIGHT);
      expectClose(other.x, x, 1e-9);
    }),
    RUNS,
  );
});

it('setData there and back gives the same digits, with one workspace', () => {
  fc.assert(
    fc.property(systems, ({ A, b, options }) => {
      const workspace = engine.workspace(A, options);
      const first = engine.solve(A, b, { workspace }).x.slice();
      const values = A.data.slice();
      const doubled = engine.solve(A.setData(values.map((value) => 2 * value)), b, { workspace }).x.slice();
      expect(doubled).toEqual(first.map((value) => value / 2));
      expect(engine.solve(A.setData(values), b, { workspace }).x).toEqual(first);
      workspace.dispose();
    }),
    RUNS,
  );
});

it('repeats itself bit for bit, with and without a workspace', () => {
  fc.assert(
    fc.property(systems, fc.boolean(), ({ n, seed, A, b, options }, started) => {
      const x0 = started ? vector(n, seed + 3) : undefined;
      const once = engine.solve(A, b, { ...options, x0, history: true });
      expect(engine.solve(A, b, { ...options, x0, history: true })).toEqual(once);
      const workspace = engine.workspace(A, options);
      engine.solve(A, vector(n, seed + 9), { workspace, maxiter: 3 });
      for (let k = 0; k < 2; k++) {
        expect(engine.solve(A, b, { workspace, x0, history: true })).toEqual(once);
      }
      workspace.dispose();
    }),
    RUNS,
  );
});

it('any matrix at all: the result is honest, and the solve ends', () => {
  const matrices = fc.integer({ min: 1, max: 7 }).chain((n) =>
    fc.tuple(
      fc.array(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: n, maxLength: n }), {
        minLength: n,
        maxLength: n,
      }),
      fc.array(fc.integer({ min: -5, max: 5 }), { minLength: n, maxLength: n }),
      fc.constantFrom<Method>('gmres', 'bicgstab', 'cg', 'gcro-dr'),
      fc.integer({ min: 1, max: 8 }),
      fc.boolean(),
    ),
  );
  fc.assert(
    fc.property(matrices, ([rows, b, method, restart, started]) => {
      const A: CsrMatrix = fromDense(rows);
      const options = { method, restart, maxiter: 200, x0: started ? b : undefined, rtol: 1e-9 };
      expectHonest(A, b, engine.solve(A, b, options), options);
    }),
    { numRuns: 400 },
  );
});
