import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CsrMatrix,
  createEngine,
  type Engine,
  poisson2d,
  type SeedSubspace,
  type SolveOptions,
} from '../../src/index.ts';
import { operator, toDense } from '../twins/csr.ts';
import { solve as denseSolve } from '../twins/dense.ts';
import { fivePoint, REGIMES } from '../twins/five-point.ts';
import { loadAnchor } from '../twins/fixtures.ts';
import { galerkin, minimalResidual } from '../twins/projection.ts';
import { random, randomDominant, randomSparse } from '../twins/random.ts';
import {
  columnsOf,
  dot,
  expectClose,
  expectHonest,
  expectRefused,
  fromTwin,
  norm,
  residual,
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

/** The projected start, read from a solve that goes no further. */
function project(A: CsrMatrix, b: Float64Array, seed: SeedSubspace, options: SolveOptions = {}) {
  return engine.solve(A, b, { ...options, seed, maxiter: 0, history: true });
}

describe('projection', () => {
  const n = 30;
  const problems = fc
    .record({
      number: fc.nat(1e6),
      density: fc.double({ min: 0.02, max: 0.5, noNaN: true }),
      dim: fc.integer({ min: 1, max: 35 }),
      regular: fc.boolean(),
      started: fc.boolean(),
    })
    .map(({ number, density, dim, regular, started }) => {
      const next = random(number);
      const seedTwin = randomDominant(n, density, next);
      const twin = regular ? randomDominant(n, density, next) : randomSparse([n, n], density, next);
      const x0 = started ? vector(n, number + 2) : undefined;
      return { seedTwin, twin, dim, x0, b: vector(n, number), c: vector(n, number + 1) };
    });

  it('by minimal residual is never worse than the start, and the best there is', () => {
    fc.assert(
      fc.property(problems, ({ seedTwin, twin, dim, x0, b, c }) => {
        using seed = engine.seedSubspace(fromTwin(seedTwin), b, { dim });
        const A = fromTwin(twin);
        const result = project(A, c, seed, { x0, projection: 'minimal-residual' });
        const start = x0 === undefined ? c : residual(A, c, x0);
        const own = norm(residual(A, c, result.x));
        expect(result.projectedResidualNorm).toBeLessThanOrEqual(norm(start) * (1 + 1e-14));
        // Where A V is nearly dependent x is large, and its residual has that much less to say.
        const rounding = 1e-14 * norm(result.x);
        expect(Math.abs(result.projectedResidualNorm! - own)).toBeLessThanOrEqual(
          1e-10 * norm(start) + rounding,
        );
        if (!result.projected) expect(result.x).toEqual(x0 ?? new Float64Array(n));
      }),
      { numRuns: 200 },
    );
  });

  it('is that of the textbook', () => {
    fc.assert(
      fc.property(problems, ({ seedTwin, twin, dim, x0, b, c }) => {
        fc.pre(twin.data.length > 4 * n);
        using seed = engine.seedSubspace(fromTwin(seedTwin), b, { dim: Math.min(dim, 12) });
        const V = columnsOf(seed.basis(), n);
        const A = fromTwin(twin);
        const start = x0 === undefined ? c : residual(A, c, x0);
        const least = minimalResidual(operator(twin), start, V);
        const result = project(A, c, seed, { x0 });
        expect(Math.abs(result.projectedResidualNorm! - least.residualNorm)).toBeLessThanOrEqual(
          1e-8 * norm(start),
        );
        const between = galerkin(operator(twin), start, V);
        const other = project(A, c, seed, { x0, projection: 'galerkin' });
        // Near a singular V'AV, digits are lost.
        if (!other.projected || norm(between.y) > 1e3 * norm(start)) return;
        const wanted = between.x.map((value, i) => value + (x0?.[i] ?? 0));
        expectClose(other.x, wanted, 1e-8);
      }),
      { numRuns: 150 },
    );
  });

  it('by Galerkin leaves a residual orthogonal to V', () => {
    fc.assert(
      fc.property(problems, ({ seedTwin, twin, dim, x0, b, c }) => {
        using seed = engine.seedSubspace(fromTwin(seedTwin), b, { dim });
        const A = fromTwin(twin);
        const result = project(A, c, seed, { x0, projection: 'galerkin' });
        if (!result.projected) {
          expect(result.x).toEqual(x0 ?? new Float64Array(n));
          return;
        }
        const r = residual(A, c, result.x);
        const rounding = 1e-12 * (norm(c) + 10 * norm(result.x));
        for (const v of columnsOf(seed.basis(), n)) expect(Math.abs(dot(v, r))).toBeLessThan(rounding);
        expect(Math.abs(result.projectedResidualNorm! - norm(r))).toBeLessThan(rounding);
      }),
      { numRuns: 200 },
    );
  });

  it("of the seed's own system leaves the residual of GMRES", () => {
    const twin = fivePoint(loadAnchor('field_32').data, 32, REGIMES.stiff);
    const A = fromTwin(twin.A);
    for (const dim of [1, 5, 20, 40]) {
      using seed = engine.seedSubspace(A, twin.b, { dim });
      const cycle = engine.solve(A, twin.b, { restart: dim, maxiter: dim, rtol: 0 });
      const { projectedResidualNorm, x } = project(A, twin.b, seed);
      expect(Math.abs(projectedResidualNorm! - cycle.residualNorm)).toBeLessThan(1e-10 * norm(twin.b));
      expectClose(x, cycle.x, 1e-9);
    }
  });

  it('on the whole space solves at once', () => {
    const twin = randomDominant(n, 0.2, random(5));
    const A = fromTwin(twin);
    const c = vector(n, 2);
    using seed = engine.seedSubspace(A, vector(n, 1), { dim: 100, rtol: 0 });
    for (const projection of ['galerkin', 'minimal-residual'] as const) {
      const result = engine.solve(A, c, { seed, projection, rtol: 1e-10 });
      expect(result).toMatchObject({ status: 'converged', iterations: 0, projected: true });
      expectClose(result.x, denseSolve(toDense(twin), c), 1e-9);
    }
  });
});

describe('a solve with a seed', () => {
  const seedTwin = fivePoint(loadAnchor('field_32').data, 32, REGIMES.stiff);
  const shifted = loadAnchor('field_32').data.map((value, i) => value + Math.sin(i) / 20);
  const twin = fivePoint(shifted, 32, REGIMES.stiff);
  const A = fromTwin(twin.A);

  it('converges to the same x, by every method, and counts all products', () => {
    using seed = engine.seedSubspace(fromTwin(seedTwin.A), seedTwin.b, { dim: 30 });
    const { x } = engine.solve(A, twin.b, { preconditioner: 'ilu0', rtol: 1e-12 });
    for (const projection of ['galerkin', 'minimal-residual'] as const) {
      for (const x0 of [undefined, vector(1024, 3)]) {
        for (const method of ['gmres', 'bicgstab'] as const) {
          let products = 0;
          const counted = (v: Float64Array, y: Float64Array) => {
            products++;
            y.set(A.multiply(v));
          };
          const options = { method, seed, projection, x0, rtol: 1e-9, history: true };
          const free = engine.solve(counted, twin.b, options);
          expect(free.matvecs).toBe(products);
          const result = engine.solve(A, twin.b, options);
          expectHonest(A, twin.b, result, options);
          expect(result).toMatchObject({ status: 'converged', projected: true });
          expectClose(result.x, x, 1e-6);
          const start = x0 === undefined ? twin.b : residual(A, twin.b, x0);
          const rounding = 1e-10 * norm(start);
          expect(Math.abs(result.history![0] - result.projectedResidualNorm!)).toBeLessThan(rounding);
        }
      }
    }
  });

  it('starts closer, where the systems are alike', () => {
    using seed = engine.seedSubspace(fromTwin(seedTwin.A), seedTwin.b, { dim: 60 });
    const cold = engine.solve(A, twin.b);
    const warm = engine.solve(A, twin.b, { seed });
    expect(warm.projectedResidualNorm).toBeLessThan(0.1 * norm(twin.b));
    expect(warm.iterations).toBeLessThan(cold.iterations);
  });

  it('refuses a seed of another size, engine or life, and one in use', async () => {
    const P = poisson2d(3, 3);
    const b = vector(9);
    const seed = engine.seedSubspace(P, b);
    const bigger = poisson2d(4, 4);
    const act = () => engine.solve(bigger, vector(16), { seed });
    expectRefused(engine, act, 'SHAPE_MISMATCH', /the seed has 9 unknowns, the system 16/);
    const other = await createEngine();
    expectRefused(engine, () => other.solve(P, b, { seed }), 'INVALID_VALUE', /another engine/);
    expect(other.bytesInUse).toBe(0);
    other.dispose();
    const nested = (v: Float64Array, y: Float64Array) => {
      y.set(engine.solve(P, v, { seed }).x);
    };
    expectRefused(engine, () => engine.solve(nested, b, { seed }), 'BUSY', /the seed is in use/);
    seed.dispose();
    seed.dispose();
    expectRefused(engine, () => engine.solve(P, b, { seed }), 'DISPOSED', /seed subspace was disposed/);
    for (const read of [
      () => seed.basis(),
      () => seed.orthogonality(),
      () => seed.expand(P, b),
      () => seed.expandWith([b]),
      () => seed.shrink(1),
    ]) {
      expectRefused(engine, read, 'DISPOSED', /seed subspace was disposed/);
    }
  });
});
