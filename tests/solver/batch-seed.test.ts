import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type BatchOptions,
  type BatchResult,
  type BatchSystem,
  createEngine,
  csr,
  type Engine,
  fromDense,
  type Lanes,
  poisson2d,
  type SeedSubspace,
} from '../../src/index.ts';
import { operator } from '../twins/csr.ts';
import { galerkin, minimalResidual } from '../twins/projection.ts';
import { random, randomDominant } from '../twins/random.ts';
import { columnsOf, expectClose, expectHonest, fromTwin, norm, vector, wrong } from './helpers.ts';

const LANES: readonly Lanes[] = [1, 2, 4];
const n = 90;
/** Off the five-point pattern: nothing here is stored by diagonals. */
const PATTERN = randomDominant(n, 0.1, random(11));

function twinOf(number: number) {
  const next = random(number);
  return { ...PATTERN, data: PATTERN.data.map((value) => value * (1 + 0.05 * next())) };
}

function systems(count: number, started = false): BatchSystem[] {
  return Array.from({ length: count }, (_, k) => ({
    A: fromTwin(twinOf(k)),
    b: vector(n, k + 1),
    ...(started ? { x0: vector(n, k + 100) } : {}),
  }));
}

describe.each(['scalar', 'simd'] as const)('a batch with a seed, %s', (build) => {
  let engine: Engine;
  let seed: SeedSubspace;
  beforeAll(async () => {
    engine = await createEngine({ build });
    seed = engine.seedSubspace(
      [30, 31].map((k) => ({ A: fromTwin(twinOf(k)), b: vector(n, k) })),
      { dim: 8 },
    );
  });
  afterAll(() => {
    seed.dispose();
    expect(engine.bytesInUse).toBe(0);
    engine.dispose();
  });

  async function all(given: Iterable<BatchSystem>, options?: BatchOptions): Promise<BatchResult[]> {
    const results: BatchResult[] = [];
    for await (const result of engine.solveBatch(given, { seed, ...options })) results.push(result);
    expect(engine.bytesInUse).toBe(seed.disposed ? 0 : seed.bytes);
    return results;
  }

  it.each(LANES)('starts where the twin projects to, in %i lanes', async (lanes) => {
    const given = systems(6);
    const V = columnsOf(seed.basis(), n);
    for (const [projection, twin] of [
      ['minimal-residual', minimalResidual],
      ['galerkin', galerkin],
    ] as const) {
      const results = await all(given, { lanes, projection });
      results.forEach((result, k) => {
        const whole = {
          ...result,
          history: undefined,
          projectedResidualNorm: undefined,
          projected: undefined,
        };
        expectHonest(given[k].A, given[k].b, whole);
        expect(result).toMatchObject({ status: 'converged', projected: true, lanes });
        const b = vector(n, k + 1);
        const wanted = twin(operator(twinOf(k)), b, V).residualNorm;
        expect(Math.abs(result.projectedResidualNorm! - wanted)).toBeLessThan(1e-10 * norm(b));
      });
    }
  });

  it.each(LANES)(
    'gives the start, and counts the products, of a solve with the seed: %i lanes',
    async (lanes) => {
      for (const started of [false, true]) {
        const given = systems(5, started);
        for (const preconditioner of ['none', 'ilu0'] as const) {
          const results = await all(given, { lanes, preconditioner, maxiter: 0 });
          results.forEach((result, k) => {
            const { A, b, x0 } = given[k];
            const options = {
              method: 'bicgstab',
              preconditioner,
              seed,
              maxiter: 0,
              x0,
              storage: 'csr',
            } as const;
            const { x, matvecs, projectedResidualNorm, projected, residualNorm } = engine.solve(
              A,
              b,
              options,
            );
            expect(result).toMatchObject({ projected, matvecs });
            // The two sum up the products with A in different orders.
            expectClose(result.x, x, 1e-12);
            expect(result.projectedResidualNorm).toBeCloseTo(projectedResidualNorm!, 12);
            expect(result.residualNorm).toBeCloseTo(residualNorm, 12);
          });
        }
      }
    },
  );

  it.each(LANES)(
    'has the same results, bit for bit, in any order and any company: %i lanes',
    async (lanes) => {
      const given = systems(9);
      const whole = await all(given, { lanes, preconditioner: 'ilu0' });
      const backwards = (await all([...given].reverse(), { lanes, preconditioner: 'ilu0' })).reverse();
      const alone: BatchResult[] = [];
      for (const one of given) alone.push(...(await all([one], { lanes, preconditioner: 'ilu0' })));
      const parts = [
        ...(await all(given.slice(0, 5), { lanes, preconditioner: 'ilu0' })),
        ...(await all(given.slice(5), { lanes, preconditioner: 'ilu0' })),
      ];
      for (const others of [backwards, alone, parts]) {
        others.forEach((result, k) => {
          expect(result).toEqual({ ...whole[k], index: result.index });
        });
      }
    },
  );

  it.each(LANES)('says nothing of projections where there is no seed: %i lanes', async (lanes) => {
    for (const result of await all(systems(3), { lanes, seed: undefined })) {
      expect(result).not.toHaveProperty('projected');
      expect(result).not.toHaveProperty('projectedResidualNorm');
    }
  });

  it.each(LANES)('takes singular and zero systems, and such that project badly: %i lanes', async (lanes) => {
    const zero = { A: fromTwin(twinOf(1)), b: new Float64Array(n) };
    const { shape, indptr, indices, data } = PATTERN;
    const singular = {
      A: csr({ shape, indptr, indices, data: new Float64Array(data.length) }),
      b: vector(n, 2),
    };
    const huge = {
      A: csr({ shape, indptr, indices, data: data.map((value) => 1e200 * value) }),
      b: vector(n, 3),
    };
    const good = systems(4);
    const results = await all([zero, singular, good[0], huge, ...good.slice(1)], { lanes });
    expect(results[0]).toMatchObject({ status: 'converged', iterations: 0, residualNorm: 0 });
    expect(results[1]).toMatchObject({ converged: false, projected: false });
    expect(results[1].residualNorm).toBeCloseTo(norm(vector(n, 2)), 12);
    for (const k of [2, 4, 5, 6]) expect(results[k].status).toBe('converged');
    // Nothing of what the others do shows.
    const [alone] = await all([good[1]], { lanes });
    expect({ ...results[4], index: 0 }).toEqual(alone);
  });

  it('keeps the seed as it is until the end, by break or error too', async () => {
    const busy = expect.objectContaining({
      code: 'BUSY',
      message: expect.stringMatching(/in use by a batch/),
    });
    const { size } = seed;
    for await (const { index } of engine.solveBatch(systems(9), { seed })) {
      expect(() => seed.shrink(1)).toThrow(busy);
      expect(() => seed.expandWith([vector(n)])).toThrow(busy);
      expect(() => seed.expand(fromTwin(PATTERN), vector(n))).toThrow(busy);
      // What only reads it may.
      expect(engine.solve(fromTwin(PATTERN), vector(n), { seed }).projected).toBe(true);
      if (index === 2) break;
    }
    seed.shrink(100);
    const stop = new AbortController();
    const running = engine.solveBatch(systems(9), { seed, signal: stop.signal });
    await running.next();
    stop.abort(new Error('enough'));
    await expect(running.next()).rejects.toThrow('enough');
    seed.shrink(100);
    expect(seed.size).toBe(size);
    // One that was never begun holds nothing.
    engine.solveBatch(systems(2), { seed });
    seed.shrink(100);
  });

  it.each(LANES)('ends at the first system after the seed was disposed of: %i lanes', async (lanes) => {
    const own = engine.seedSubspace(fromTwin(PATTERN), vector(n), { dim: 4 });
    const before = engine.bytesInUse - own.bytes;
    const results: BatchResult[] = [];
    const run = async () => {
      for await (const result of engine.solveBatch(systems(30), { seed: own, lanes })) {
        results.push(result);
        own.dispose();
      }
    };
    await expect(run()).rejects.toMatchObject({
      code: 'DISPOSED',
      message: expect.stringMatching(/seed subspace/),
    });
    expect(results.length).toBeGreaterThan(0);
    expect(engine.bytesInUse).toBe(before);
  });

  it('refuses what is no seed of this size and engine', async () => {
    expect(() => engine.solveBatch([], { seed: wrong({}) })).toThrow(
      expect.objectContaining({
        code: 'INVALID_TYPE',
        message: expect.stringMatching(/solveBatch: seed must be made/),
      }),
    );
    expect(() => engine.solveBatch([], { seed, projection: wrong('oblique') })).toThrow(
      expect.objectContaining({
        code: 'INVALID_VALUE',
        message: expect.stringMatching(/projection is "oblique"/),
      }),
    );
    const small = [{ A: fromDense([[1]]), b: [1] }];
    for (const lanes of LANES) {
      await expect(all(small, { lanes })).rejects.toMatchObject({
        code: 'SHAPE_MISMATCH',
        details: { index: 0 },
      });
    }
    using other = await createEngine({ build });
    const foreign = other.solveBatch([{ A: poisson2d(9, 10), b: vector(n) }], { seed });
    await expect(foreign.next()).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    expect(other.bytesInUse).toBe(0);
  });
});
