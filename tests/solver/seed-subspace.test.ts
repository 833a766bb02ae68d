import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CsrMatrix,
  createEngine,
  type Engine,
  fromDense,
  poisson2d,
  type SeedSubspace,
} from '../../src/index.ts';
import { orthogonalityError } from '../twins/dense.ts';
import { fivePoint, REGIMES } from '../twins/five-point.ts';
import { loadAnchor } from '../twins/fixtures.ts';
import { random, randomDominant, randomSparse } from '../twins/random.ts';
import { asFunction, columnsOf, dot, expectClose, fromTwin, norm, vector } from './helpers.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  expect(engine.bytesInUse).toBe(0);
  engine.dispose();
});

/** v_1 is b's direction, V'V = I, and A v_j lies in the span of the first j + 1: a Krylov basis, step by step. */
function expectArnoldi(A: CsrMatrix, b: Float64Array, seed: SeedSubspace): void {
  const n = b.length;
  const V = columnsOf(seed.basis(), n);
  const { size } = seed;
  expect(V.length).toBe(size);
  const scale = Math.max(...A.data.map(Math.abs), Number.MIN_VALUE) * Math.sqrt(n);
  for (let j = 0; j + 1 < size; j++) {
    const image = A.multiply(V[j]);
    for (let i = 0; i <= j + 1; i++) {
      const h = dot(V[i], image);
      for (let k = 0; k < n; k++) image[k] -= h * V[i][k];
    }
    expect(norm(image)).toBeLessThanOrEqual(1e-12 * scale);
  }
  expect(orthogonalityError(V)).toBeLessThan(1e-12);
  expect(seed.orthogonality()).toBeLessThan(1e-12);
  if (size > 0) expect(dot(V[0], b)).toBeCloseTo(norm(b), 12);
}

describe('the basis', () => {
  it.each(Object.keys(REGIMES) as (keyof typeof REGIMES)[])('of a %s five-point system', (regime) => {
    const twin = fivePoint(loadAnchor('field_32').data, 32, REGIMES[regime]);
    const A = fromTwin(twin.A);
    for (const dim of [1, 2, 20, 60]) {
      using seed = engine.seedSubspace(A, twin.b, { dim });
      expect(seed.size).toBe(Math.min(dim, regime === 'mild' ? 38 : 60));
      expect(seed.unknowns).toBe(1024);
      expectArnoldi(A, twin.b, seed);
    }
  });

  it('of random systems, longer than they are, stopped or not', () => {
    const cases = fc.record({
      n: fc.integer({ min: 1, max: 25 }),
      density: fc.double({ min: 0, max: 0.6, noNaN: true }),
      seed: fc.nat(1e6),
      dim: fc.integer({ min: 1, max: 40 }),
      rtol: fc.constantFrom(0, 1e-15, 1e-14, 1e-8, 1e-2),
      dominant: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, ({ n, density, seed: number, dim, rtol, dominant }) => {
        const make = dominant
          ? randomDominant(n, density, random(number))
          : randomSparse([n, n], density, random(number));
        const A = fromTwin(make);
        const b = vector(n, number + 1);
        using seed = engine.seedSubspace(A, b, { dim, rtol });
        expect(seed.size).toBeGreaterThan(0);
        expect(seed.size).toBeLessThanOrEqual(Math.min(n, dim));
        expectArnoldi(A, b, seed);
      }),
      { numRuns: 300 },
    );
  });

  it('does not begin anew where its own system is solved just short of the tolerance', () => {
    // b lies in a space of 2 to 8 dimensions, and rounding leaves a residual that no second cycle should follow.
    const n = 16;
    for (let k = 1; k <= 8; k++) {
      const rows = Array.from({ length: n }, (_, i) =>
        Array.from({ length: n }, (_, j) => (i === j ? 1 + (i % k) / 3 : 0)),
      );
      const A = fromDense(rows);
      const b = vector(n, k).map((value) => value + 2);
      using seed = engine.seedSubspace(A, b, { dim: 16, rtol: 0 });
      expect(seed.size).toBe(k);
      expectArnoldi(A, b, seed);
    }
  });

  it('stops at rtol', () => {
    const A = poisson2d(10, 10);
    const b = vector(100);
    using seed = engine.seedSubspace(A, b, { dim: 60, rtol: 1e-3 });
    const { iterations } = engine.solve(A, b, { rtol: 1e-3, restart: 60 });
    expect(seed.size).toBe(iterations);
  });

  it('an eigenvector has a space of one dimension, b = 0 of none', () => {
    const A = fromDense([
      [2, 0, 0],
      [0, 3, 0],
      [0, 0, 5],
    ]);
    using one = engine.seedSubspace(A, [0, -4, 0]);
    expect(one.size).toBe(1);
    expect([...one.basis()].map(Math.abs)).toEqual([0, 1, 0]);
    expect(engine.solve(A, [0, 7, 0], { seed: one })).toMatchObject({ iterations: 0, projected: true });
    using none = engine.seedSubspace(A, [0, 0, 0]);
    expect(none.size).toBe(0);
    expect(none.basis().length).toBe(0);
    expect(none.orthogonality()).toBe(0);
    const result = engine.solve(A, [2, 3, 5], { seed: none });
    expect(result).toMatchObject({ status: 'converged', projected: false });
    expect(result.projectedResidualNorm).toBeCloseTo(Math.sqrt(38), 14);
  });

  it('n = 0, and a matrix-free seed', () => {
    using empty = engine.seedSubspace(() => {}, []);
    expect(empty.size).toBe(0);
    const A = poisson2d(4, 4);
    const b = vector(16);
    using stored = engine.seedSubspace(A, b, { storage: 'csr', dim: 7 });
    using free = engine.seedSubspace(asFunction(A), b, { dim: 7 });
    expectClose(free.basis(), stored.basis(), 1e-12);
  });
});
