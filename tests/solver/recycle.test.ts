import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type BatchOptions,
  type CsrMatrix,
  convectionDiffusion2d,
  createEngine,
  type Engine,
  fromTriplets,
  poisson2d,
  type RecycleSpace,
  type SolveOptions,
} from '../../src/index.ts';
import { orthogonalityError } from '../twins/dense.ts';
import { fivePoint, REGIMES } from '../twins/five-point.ts';
import { loadAnchor } from '../twins/fixtures.ts';
import { random, randomDominant, randomSparse } from '../twins/random.ts';
import {
  asFunction,
  columnsOf,
  dot,
  expectClose,
  expectHonest,
  expectRefused,
  expectRejected,
  fromTwin,
  norm,
  vector,
  wrong,
} from './helpers.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
beforeEach(() => {
  expect(engine.bytesInUse).toBe(0);
});
afterAll(() => {
  engine.dispose();
  expect(engine.bytesInUse).toBe(0);
});

const method = 'gcro-dr';

/** Eight of its eigenvalues are far from the others, and near zero; its entries change a little with the step. */
function outliers(n: number, step = 0): CsrMatrix {
  const triplets = Array.from({ length: n }, (_, i): [number, number, number][] => [
    [i, i, (i < 8 ? (i + 1) / 500 : 1 + i / n) * (1 + (step * ((i % 5) - 2)) / 400)],
    [i, (i + 1) % n, i < 8 ? 0.03 : 0.3],
  ]);
  return fromTriplets({ shape: [n, n], triplets: triplets.flat().filter(([i, j]) => j >= i) });
}

describe('a sequence', () => {
  it('of slowly changing matrices takes far fewer iterations than cold, and each result is honest', () => {
    const n = 300;
    const b = vector(n);
    using recycle = engine.recycleSpace({ size: n });
    const counts = { cold: 0, recycled: 0, matvecs: 0, coldMatvecs: 0 };
    for (let step = 0; step < 8; step++) {
      const A = outliers(n, step);
      const cold = engine.solve(A, b, { method });
      const result = engine.solve(A, b, { method, recycle });
      for (const one of [cold, result]) {
        expect(one).toMatchObject({ status: 'converged', method });
        expectHonest(A, b, one);
      }
      expect(recycle.orthogonality()).toBeLessThan(1e-12);
      expect(recycle.size).toBeGreaterThan(8);
      counts.cold += cold.iterations;
      counts.coldMatvecs += cold.matvecs;
      counts.recycled += result.iterations;
      counts.matvecs += result.matvecs;
    }
    expect(counts.recycled).toBeLessThan(0.6 * counts.cold);
    expect(counts.matvecs).toBeLessThan(0.8 * counts.coldMatvecs);
  });

  it('converges where GMRES with restarts does not', () => {
    const A = outliers(300);
    const gmres = engine.solve(A, vector(300), { method: 'gmres' });
    const result = engine.solve(A, vector(300), { method });
    expect(gmres.converged).toBe(false);
    expect(result.converged).toBe(true);
    expect(result.iterations).toBeLessThan(0.1 * gmres.iterations);
  });

  it.each(Object.keys(REGIMES) as (keyof typeof REGIMES)[])('of %s five-point systems', (regime) => {
    const field = loadAnchor('field_32').data;
    using recycle = engine.recycleSpace({ size: 1024 });
    let [cold, warm] = [0, 0];
    for (let step = 0; step < 8; step++) {
      const { A, b } = fivePoint(
        field.map((value) => value * (1 + 0.01 * step)),
        32,
        REGIMES[regime],
      );
      const matrix = fromTwin(A);
      cold += engine.solve(matrix, b, { method }).iterations;
      const result = engine.solve(matrix, b, { method, recycle });
      expectHonest(matrix, b, result);
      warm += result.iterations;
    }
    expect(warm).toBeLessThan(0.97 * cold);
  });

  it('of right-hand sides: two products more than there are iterations and cycles', () => {
    const n = 300;
    const A = outliers(n);
    using recycle = engine.recycleSpace({ size: n });
    using workspace = engine.workspace(A, { method });
    const { bytesInUse } = engine;
    let last = 0;
    for (let k = 1; k <= 5; k++) {
      const b = vector(n, k);
      const result = engine.solve(A, b, { workspace, recycle });
      expectHonest(A, b, result);
      expect(result.converged).toBe(true);
      if (k > 1) {
        const cycles = Math.ceil(result.iterations / 20);
        expect(result.matvecs).toBeLessThanOrEqual(result.iterations + 2 + cycles + 1);
        expect(result.iterations).toBeLessThan(last || Infinity);
      } else last = result.iterations;
      expect(engine.bytesInUse).toBe(bytesInUse);
    }
  });

  it('without a space leaves nothing behind in a workspace', () => {
    const A = outliers(200);
    const b = vector(200);
    using workspace = engine.workspace(A, { method });
    using recycle = engine.recycleSpace({ size: 200 });
    const wanted = engine.solve(A, b, { method, history: true });
    for (let k = 0; k < 3; k++) {
      const result = engine.solve(A, b, { workspace, history: true });
      expect(result.history).toEqual(wanted.history);
      expect(result.matvecs).toBe(wanted.matvecs);
      engine.solve(A, b, { workspace, recycle });
    }
  });

  it('with preconditioners, matrix-free, with a seed, asynchronously', async () => {
    const A = convectionDiffusion2d({ nx: 20, ny: 20, wind: [30, 10], advection: 'upwind' });
    const n = 400;
    const b = vector(n);
    using recycle = engine.recycleSpace({ size: n, dim: 6 });
    using seed = engine.seedSubspace(A, b, { dim: 5 });
    const ways: SolveOptions[] = [
      {},
      { preconditioner: 'jacobi' },
      { preconditioner: 'ilu0' },
      { seed },
      { x0: vector(n, 9), restart: 5 },
      { restart: 400 },
    ];
    for (const way of ways) {
      const options = { ...way, method, recycle } as const;
      for (const system of [A, asFunction(A)]) {
        if (system !== A && typeof way.preconditioner === 'string') continue;
        const result = engine.solve(system, b, options);
        expect(result.status).toBe('converged');
        expectHonest(A, b, result);
        const other = await engine.solveAsync(system, b, options);
        expect(other.status).toBe('converged');
        expectHonest(A, b, other);
      }
    }
  });

  it('through solveBatch, one system after the other', async () => {
    const n = 300;
    const systems = () => Array.from({ length: 6 }, (_, step) => ({ A: outliers(n, step), b: vector(n) }));
    using recycle = engine.recycleSpace({ size: n });
    const count = async (options: BatchOptions) => {
      let sum = 0;
      for await (const result of engine.solveBatch(systems(), { method, ...options })) {
        expect(result).toMatchObject({ status: 'converged', lanes: 1, method });
        sum += result.iterations;
        // Between two systems it belongs to the batch.
        if (options.recycle === undefined) continue;
        expect(() => engine.solve(systems()[0].A, vector(n), { method, recycle })).toThrow(
          /in use by a solve/,
        );
      }
      return sum;
    };
    const cold = await count({});
    expect(await count({ recycle })).toBeLessThan(0.6 * cold);
    expect(await count({ recycle, lanes: 1 })).toBeLessThan(0.6 * cold);
    expect(engine.solve(systems()[0].A, vector(n), { method, recycle }).converged).toBe(true);
  });
});

describe('any sequence', () => {
  it('of random systems, singular ones among them, ends honestly', () => {
    const one = fc.record({
      density: fc.double({ min: 0, max: 0.7, noNaN: true }),
      seed: fc.nat(1e6),
      dominant: fc.boolean(),
      again: fc.boolean(),
      preconditioner: fc.constantFrom('none', 'jacobi'),
      restart: fc.integer({ min: 1, max: 14 }),
      maxiter: fc.constantFrom(0, 1, 3, 200),
      start: fc.boolean(),
    });
    const sequences = fc.record({
      n: fc.integer({ min: 1, max: 18 }),
      dim: fc.integer({ min: 1, max: 20 }),
      solves: fc.array(one, { minLength: 1, maxLength: 6 }),
    });
    fc.assert(
      fc.property(sequences, ({ n, dim, solves }) => {
        using recycle = engine.recycleSpace({ size: n, dim });
        let A = poisson2d(n, 1);
        for (const { density, seed, dominant, again, start, ...options } of solves) {
          const make = dominant
            ? randomDominant(n, density, random(seed))
            : randomSparse([n, n], density, random(seed));
          if (!again) A = fromTwin(make);
          const b = vector(n, seed + 1);
          const preconditioner = dominant && !again ? (options.preconditioner as 'none' | 'jacobi') : 'none';
          const x0 = start ? vector(n, seed + 2) : undefined;
          const result = engine.solve(A, b, { ...options, preconditioner, method, recycle, x0 });
          expectHonest(A, b, result);
          expect(recycle.orthogonality()).toBeLessThan(1e-8);
          expect(recycle.basis().every(Number.isFinite)).toBe(true);
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe('the space', () => {
  it('holds U, whose images are orthonormal', () => {
    const n = 200;
    const A = outliers(n);
    using recycle = engine.recycleSpace({ size: n, dim: 8 });
    expect(recycle).toMatchObject({ unknowns: n, dim: 8, size: 0, bytes: engine.bytesInUse });
    expect([recycle.basis().length, recycle.orthogonality()]).toEqual([0, 0]);
    engine.solve(A, vector(n), { method, recycle });
    expect(recycle.size).toBe(8);
    const U = columnsOf(recycle.basis(), n);
    const C = U.map((u) => A.multiply(u));
    expect(orthogonalityError(C)).toBeLessThan(1e-9);
    expect(recycle.orthogonality()).toBeLessThan(1e-13);
    // Approximate eigenvectors of the eight small eigenvalues: || A u || is far below || u ||.
    for (const [j, u] of U.entries()) expect(norm(C[j]) / norm(u)).toBeLessThan(0.2);
    expect(Math.abs(dot(C[0], C[1]))).toBeLessThan(1e-9);
    recycle.clear();
    expect(recycle.size).toBe(0);
  });

  it('of more vectors than unknowns, or than a cycle, is used as far as it goes', () => {
    const A = poisson2d(3, 3);
    const b = vector(9);
    using recycle = engine.recycleSpace({ size: 9, dim: 100 });
    expect(recycle.dim).toBe(9);
    for (const restart of [30, 4, 1, 30]) {
      const result = engine.solve(A, b, { method, recycle, restart });
      expect(result.status).toBe('converged');
      expectHonest(A, b, result);
    }
    using empty = engine.recycleSpace({ size: 0 });
    expect(engine.solve(() => {}, [], { method, recycle: empty }).converged).toBe(true);
  });

  it('a zero right-hand side changes nothing', () => {
    const A = outliers(100);
    using recycle = engine.recycleSpace({ size: 100 });
    engine.solve(A, vector(100), { method, recycle });
    const before = recycle.basis();
    const result = engine.solve(A, new Float64Array(100), { method, recycle });
    expect(result).toMatchObject({ status: 'converged', iterations: 0 });
    expect(recycle.basis()).toEqual(before);
  });

  it('survives a singular matrix, and one that throws', () => {
    const A = outliers(100);
    const b = vector(100);
    using recycle = engine.recycleSpace({ size: 100 });
    const cold = engine.solve(A, b, { method, recycle });
    const singular = fromTriplets({ shape: [100, 100], triplets: [[0, 0, 1]] });
    const hopeless = engine.solve(singular, b, { method, recycle });
    expect(hopeless.converged).toBe(false);
    expectHonest(singular, b, hopeless);
    expect(() =>
      engine.solve(
        () => {
          throw new Error('enough');
        },
        b,
        { method, recycle },
      ),
    ).toThrow('enough');
    const result = engine.solve(A, b, { method, recycle });
    expect(result.converged).toBe(true);
    expectClose(result.x, cold.x, 1e-4);
  });
});

describe('what cannot be used', () => {
  const A = poisson2d(6, 6);
  const b = vector(36);

  it('options of a space', () => {
    const make = (options: unknown) => () => engine.recycleSpace(wrong<{ size: number }>(options));
    expectRefused(engine, make(undefined), 'INVALID_VALUE', /recycleSpace: needs the option size/);
    expectRefused(engine, make({}), 'INVALID_VALUE', /needs the option size/);
    expectRefused(engine, make(36), 'INVALID_TYPE', /options must be an object/);
    expectRefused(engine, make({ size: 36, dim: 0 }), 'INVALID_VALUE', /dim is 0, must be an integer, 1/);
    expectRefused(engine, make({ size: 36, dim: 2.5 }), 'INVALID_VALUE', /dim is 2.5/);
    expectRefused(engine, make({ size: '36' }), 'INVALID_TYPE', /size is "36"/);
    expectRefused(engine, make({ size: 36, dims: 3 }), 'UNKNOWN_OPTION', /"dims"; known: size, dim/);
    expectRefused(engine, make({ size: 2e9, dim: 100 }), 'OUT_OF_MEMORY', /the recycled vectors/);
  });

  it('a space of another size, engine, kind, method, or disposed of', async () => {
    const other = await createEngine();
    using recycle = engine.recycleSpace({ size: 36 });
    const dead = engine.recycleSpace({ size: 36 });
    dead.dispose();
    using small = engine.recycleSpace({ size: 35 });
    const given = (space: unknown): SolveOptions => ({ method, recycle: wrong<RecycleSpace>(space) });
    const foreign = other.recycleSpace({ size: 36 });
    for (const [options, code, message] of [
      [given(small), 'SHAPE_MISMATCH', /the recycle space has 35 unknowns, the system 36/],
      [given(foreign), 'INVALID_VALUE', /belongs to another engine/],
      [given(dead), 'DISPOSED', /the recycle space was disposed of/],
      [given({}), 'INVALID_TYPE', /recycle must be made by engine.recycleSpace, not Object/],
      [given(null), 'INVALID_TYPE', /not null/],
      [{ recycle }, 'INVALID_VALUE', /recycle is for method "gcro-dr"; "gmres" has nothing to keep/],
      [{ method: 'auto', recycle }, 'INVALID_VALUE', /recycle is for method "gcro-dr"/],
      [{ method, side: 'left' }, 'INVALID_VALUE', /side "left" is for method "gmres"/],
    ] as const) {
      expectRefused(engine, () => engine.solve(A, b, options), code, message);
      await expectRejected(engine, () => engine.solveAsync(A, b, options), code, message);
      const { method: asked = 'gmres' } = options;
      const batch = async () => {
        for await (const _ of engine.solveBatch([{ A, b }], { ...options, method: asked }));
      };
      await expectRejected(engine, batch, code, asked === 'auto' ? /recycle is for/ : message);
    }
    const lanes = () => engine.solveBatch([{ A, b }], { method, recycle, lanes: 4 });
    expectRefused(engine, lanes, 'INVALID_VALUE', /method "gcro-dr" solves one system at a time/);
    for (const act of [() => dead.size, () => dead.basis(), () => dead.orthogonality(), () => dead.clear()]) {
      expectRefused(engine, act, 'DISPOSED', /the recycle space was disposed of/);
    }
    expect(engine.solve(A, b, { method, recycle }).converged).toBe(true);
    other.dispose();
  });

  it('two solves at once; disposed of, or aborted, in the middle', async () => {
    const slow = (x: Float64Array, y: Float64Array): void => {
      const until = performance.now() + 2;
      y.set(A.multiply(x));
      while (performance.now() < until);
    };
    const recycle = engine.recycleSpace({ size: 36, dim: 3 });
    const options = { method, recycle, restart: 6, rtol: 1e-12 } as const;
    const first = engine.solveAsync(slow, b, options);
    expectRefused(engine, () => engine.solve(A, b, options), 'BUSY', /the recycle space is in use/);
    expectRefused(engine, () => recycle.clear(), 'BUSY', /clear: the recycle space is in use/);
    expect((await first).converged).toBe(true);
    expect(engine.solve(A, b, options).converged).toBe(true);

    const controller = new AbortController();
    const aborted = engine.solveAsync(slow, vector(36, 2), { ...options, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    expect(engine.solve(A, b, options).converged).toBe(true);

    const disposed = engine.solveAsync(slow, vector(36, 3), options);
    recycle.dispose();
    await expect(disposed).rejects.toMatchObject({ code: 'DISPOSED' });
    expect(engine.bytesInUse).toBe(0);
  });

  it('a memory limit leaves nothing behind', async () => {
    const limited = await createEngine({ memoryLimit: 4096 });
    expectRefused(limited, () => limited.recycleSpace({ size: 36, dim: 30 }), 'OUT_OF_MEMORY', /no room for/);
    expect(limited.kernel.objects.size).toBe(0);
    limited.dispose();
  });
});
