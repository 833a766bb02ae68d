import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type BatchOptions,
  type BatchResult,
  type BatchSystem,
  type CsrMatrix,
  convectionDiffusion2d,
  createEngine,
  csr,
  type Engine,
  fromDense,
  poisson2d,
  type SeedspanError,
} from '../../src/index.ts';
import { random, randomDominant } from '../twins/random.ts';
import { expectHonest, expectRefused, fromTwin, vector, wrong } from './helpers.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ build: 'simd' });
});
beforeEach(() => {
  expect(engine.bytesInUse).toBe(0);
});
afterAll(() => engine.dispose());

const SHARING = ['solutions', 'seed-operator', 'auto'] as const;
const RANDOM = fromTwin(randomDominant(150, 0.04, random(8)));

/** The base of a sequence; values change a little from system to system. */
const FAMILIES: Record<string, () => CsrMatrix> = {
  'five-point symmetric': () => poisson2d(24, 20),
  'five-point not symmetric': () => convectionDiffusion2d({ nx: 24, ny: 20, wind: [20, 10], diffusion: 1 }),
  'general symmetric': () => {
    const T = RANDOM.transpose();
    const sum = RANDOM.toDense().map((value, k) => value + T.toDense()[k]);
    return fromDense(Array.from({ length: 150 }, (_, i) => sum.slice(150 * i, 150 * (i + 1))));
  },
  'general not symmetric': () => RANDOM,
};

function withData({ shape, indptr, indices }: CsrMatrix, data: ArrayLike<number>): CsrMatrix {
  return csr({ shape, indptr, indices, data });
}

/** A smooth path through matrices and right-hand sides; the diagonal grows by entries of its own. */
function sequence(base: CsrMatrix, count: number, speed = 1): BatchSystem[] {
  const [n] = base.shape;
  const [u, v] = [vector(n, 1), vector(n, 2)];
  return Array.from({ length: count }, (_, k) => {
    const t = 0.02 * speed * k;
    const data = base.data.slice();
    for (let i = 0; i < n; i++) {
      for (let p = base.indptr[i]; p < base.indptr[i + 1]; p++) {
        if (base.indices[p] === i) data[p] *= 1.05 + 0.5 * t * (1 + Math.sin(7 * i));
      }
    }
    return {
      A: withData(base, data),
      b: u.map((value, i) => value * Math.cos(t) + v[i] * Math.sin(t)),
    };
  });
}

async function all(given: Iterable<BatchSystem>, options: BatchOptions, by = engine): Promise<BatchResult[]> {
  const results: BatchResult[] = [];
  for await (const result of by.solveBatch(given, options)) results.push(result);
  expect(by.bytesInUse).toBe(0);
  return results;
}

async function failing(given: Iterable<BatchSystem>, options: BatchOptions) {
  const results: BatchResult[] = [];
  let error: unknown;
  try {
    for await (const result of engine.solveBatch(given, options)) results.push(result);
  } catch (caught) {
    error = caught;
  }
  expect(engine.bytesInUse).toBe(0);
  return { results, error };
}

function checkAll(given: readonly BatchSystem[], results: readonly BatchResult[], options: BatchOptions) {
  expect(results.map(({ index }) => index)).toEqual(given.map((_, k) => k));
  const { rtol, atol } = options;
  results.forEach((result, k) => {
    const whole = { ...result, history: undefined, projectedResidualNorm: undefined, projected: undefined };
    expectHonest(given[k].A, given[k].b, whole, { rtol, atol });
    expect(result.shared?.solutions).toBeGreaterThanOrEqual(0);
    expect(result.shared?.operatorAge).toBeGreaterThanOrEqual(0);
    expect(result.lanes).toBe(1);
  });
}

function sum(results: readonly BatchResult[], of: 'iterations' | 'matvecs' = 'iterations'): number {
  return results.reduce((total, result) => total + result[of], 0);
}

/** As the last system, one that nobody solves: the constants are in the kernel of A, and b is not in its range. */
function unsolvable(base: CsrMatrix): BatchSystem {
  const [n] = base.shape;
  const data = base.data.slice();
  for (let i = 0; i < n; i++) {
    let others = 0;
    let diagonal = -1;
    for (let p = base.indptr[i]; p < base.indptr[i + 1]; p++) {
      if (base.indices[p] === i) diagonal = p;
      else others += base.data[p];
    }
    data[diagonal] = -others;
  }
  const A = withData(base, data);
  return { A, b: new Float64Array(n).fill(1) };
}

describe.each(Object.entries(FAMILIES))('a sequence, %s', (name, base) => {
  const given = sequence(base(), 40);

  it.each(SHARING)('is solved to the tolerance, sharing %s', async (sharing) => {
    for (const options of [
      { sharing },
      { sharing, rtol: 1e-11 },
      { sharing, rtol: 0, atol: 1e-7 },
      { sharing, method: 'gmres', restart: 20 },
      { sharing, method: 'bicgstab', preconditioner: 'ilu0' },
      { sharing, preconditioner: 'lu', method: 'gmres' },
      { sharing, method: 'lu' },
      { sharing, method: 'gcro-dr' },
      { sharing, method: 'auto', precision: 'double' },
      { sharing, storage: 'csr' },
      { sharing, method: 'gmres', preconditioner: 'ilu0', side: 'left' },
      ...(!name.includes('not') ? [{ sharing, method: 'cg' } as const] : []),
    ] as const) {
      const results = await all(given, options);
      checkAll(given, results, options);
      expect(
        results.every(({ converged }) => converged),
        JSON.stringify(options),
      ).toBe(true);
      if ('method' in options && options.method !== 'auto') {
        expect(results.every(({ method }) => method === options.method)).toBe(true);
      }
    }
  });

  it.each(SHARING)('has the same digits again, however it is sliced, sharing %s', async (sharing) => {
    const first = await all(given, { sharing });
    // Work in between makes other slices.
    function* slowly() {
      for (const [k, system] of given.entries()) {
        const end = performance.now() + (k % 4);
        while (performance.now() < end);
        yield system;
      }
    }
    const counted = await all([...slowly()], { sharing });
    expect(counted).toEqual(first);
    const [once, again] = [await all(slowly(), { sharing }), await all(given.values(), { sharing })];
    expect(once).toEqual(again);
  });
});

describe('what sharing saves', () => {
  const given = sequence(FAMILIES['five-point not symmetric'](), 30, 0.2);

  it('starts from earlier solutions take iterations and products away', async () => {
    const base = { method: 'bicgstab', preconditioner: 'ilu0' } as const;
    const alone = await all(given, { ...base, lanes: 1, precision: 'double' });
    const results = await all(given, { ...base, sharing: 'solutions' });
    expect(sum(results)).toBeLessThan(0.6 * sum(alone));
    expect(sum(results, 'matvecs')).toBeLessThan(sum(alone, 'matvecs'));
    expect(results[0].shared).toEqual({ solutions: 0, operatorAge: 0 });
    expect(results[1].shared).toEqual({ solutions: 1, operatorAge: 0 });
    expect(results[2].shared).toEqual({ solutions: 2, operatorAge: 0 });
    for (const { shared } of results) {
      expect(shared?.solutions).toBeLessThanOrEqual(8);
      expect(shared?.operatorAge).toBe(0);
    }
    expect(alone[0].shared).toBeUndefined();
  });

  it('counts the products of a start', async () => {
    const A = poisson2d(12, 12);
    const b = vector(144, 3);
    const results = await all(
      [1, 2, 3].map(() => ({ A, b })),
      { sharing: 'solutions' },
    );
    // The same system: the start is its solution, of as many columns as there are, and one product checks it.
    expect(results[1]).toMatchObject({ shared: { solutions: 1 } });
    expect(results[1].matvecs).toBeGreaterThanOrEqual(results[1].iterations + 2);
    expect(results[1].iterations).toBeLessThan(results[0].iterations / 2);
  });

  it('a preconditioner serves the systems that follow', async () => {
    const results = await all(given, { sharing: 'seed-operator', preconditioner: 'ilu0' });
    const ages = results.map(({ shared }) => shared?.operatorAge ?? -1);
    expect(ages.slice(0, 3)).toEqual([0, 1, 2]);
    ages.forEach((age, k) => {
      expect(age === 0 || age === ages[k - 1] + 1).toBe(true);
    });
    expect(results.every(({ shared }) => shared?.solutions === 0)).toBe(true);
  });

  it('auto takes fewer iterations than no sharing', async () => {
    const alone = await all(given, { method: 'bicgstab', lanes: 1, precision: 'double' });
    expect(sum(await all(given, { sharing: 'auto' }))).toBeLessThan(0.5 * sum(alone));
  });
});

describe('unusual systems', () => {
  const base = FAMILIES['five-point not symmetric']();
  const n = base.shape[0];

  it.each(SHARING)(
    'zero right-hand sides are solved by zero and forget nothing, sharing %s',
    async (sharing) => {
      const given = sequence(base, 14);
      for (const k of [0, 6, 7]) given[k].b = new Float64Array(n);
      const results = await all(given, { sharing });
      checkAll(given, results, {});
      for (const k of [0, 6, 7]) expect(results[k].x.every((value) => value === 0)).toBe(true);
      expect(results.every(({ converged }) => converged)).toBe(true);
      if (sharing === 'solutions') expect(results[8].shared?.solutions).toBeGreaterThan(1);
    },
  );

  it.each(SHARING)('a start that is given is the start, sharing %s', async (sharing) => {
    const given = sequence(base, 12);
    const exact = await all(given, { rtol: 1e-12, lanes: 1 });
    const x0 = new Float64Array(n);
    let k = -1;
    function* started() {
      for (const system of given) {
        k++;
        x0.set(exact[k].x);
        yield k % 3 === 2 ? { ...system, x0 } : system;
        // It was copied.
        x0.fill(1e3);
      }
    }
    const results = await all(started(), { sharing });
    checkAll(given, results, {});
    results.forEach(({ iterations, converged, shared }, k) => {
      expect(converged).toBe(true);
      if (k % 3 !== 2) return;
      expect(iterations).toBe(0);
      expect(shared?.solutions).toBe(0);
    });
  });

  it.each([
    ...SHARING.map((sharing) => ({ sharing })),
    { sharing: 'auto', preconditioner: 'ilu0' },
    { sharing: 'auto', method: 'lu' },
    { sharing: 'seed-operator', preconditioner: 'multigrid' },
  ] as const)(
    'one that cannot be solved is an honest result, and the next are solved: %o',
    async (options) => {
      for (const place of [0, 5]) {
        const given = sequence(base, 12);
        given[place] = unsolvable(poisson2d(24, 20));
        for (const k of given.keys()) if (k !== place) given[k].A = sequence(poisson2d(24, 20), 12)[k].A;
        const whole = { ...options, maxiter: 300 };
        const results = await all(given, whole);
        checkAll(given, results, whole);
        results.forEach(({ converged }, k) => {
          expect(converged).toBe(k !== place);
        });
        // Four ways at most, the kept one twice.
        expect(results[place].iterations).toBeLessThanOrEqual(5 * 300);
      }
    },
  );

  it('maxiter bounds each try, and all are counted', async () => {
    const given = sequence(poisson2d(30, 30), 4);
    const results = await all(given, { sharing: 'solutions', maxiter: 3 });
    checkAll(given, results, {});
    for (const { iterations, status } of results)
      expect({ iterations, status }).toEqual({ iterations: 3, status: 'max-iterations' });
  });

  it('a matrix whose kept preconditioner cannot be made again', async () => {
    const given = sequence(RANDOM, 8);
    const broken = given[4].A;
    // Zero on the diagonal: no ILU(0), and no dominance, yet a matrix that can be inverted.
    for (let p = broken.indptr[0]; p < broken.indptr[1]; p++) if (broken.indices[p] === 0) broken.data[p] = 0;
    const auto = await all(given, { sharing: 'auto' });
    checkAll(given, auto, {});
    expect(auto.every(({ converged }) => converged)).toBe(true);
    // Kept, the preconditioner of the third serves.
    const kept = await all(given, { sharing: 'seed-operator', preconditioner: 'ilu0', method: 'gmres' });
    checkAll(given, kept, {});
    expect(kept.every(({ converged }) => converged)).toBe(true);
    // There is nobody else for the first one's.
    const { results, error } = await failing([given[4], ...given], {
      sharing: 'seed-operator',
      preconditioner: 'ilu0',
    });
    expect(results).toEqual([]);
    expect(error).toMatchObject({ code: 'ZERO_PIVOT', details: { index: 0 } });
  });

  it.each(SHARING)('sequences that jump, sharing %s', async (sharing) => {
    const given = sequence(base, 24).map((system, k) => ({
      A: withData(
        system.A,
        system.A.data.map((value) => value * (k % 5 === 4 ? 1e6 : 1)),
      ),
      b: k % 3 === 0 ? vector(n, k) : system.b,
    }));
    const results = await all(given, { sharing });
    checkAll(given, results, {});
    expect(results.every(({ converged }) => converged)).toBe(true);
  });

  it.each(SHARING)('scales at the ends of the range, sharing %s', async (sharing) => {
    const given = sequence(base, 12).map((system, k) => {
      const scale = [1, 1e160, 1e-160][k % 3];
      return {
        A: withData(
          system.A,
          system.A.data.map((value) => value * scale),
        ),
        b: Array.from(system.b, (value) => value * [1, 1e-160, 1e160][(k >> 1) % 3]),
      };
    });
    checkAll(given, await all(given, { sharing }), {});
  });

  it.each(SHARING)('no and one unknown, sharing %s', async (sharing) => {
    const empty = csr({ shape: [0, 0], indptr: [0], indices: [], data: [] });
    const none = Array.from({ length: 40 }, () => ({ A: empty, b: [] }));
    expect((await all(none, { sharing })).every(({ converged }) => converged)).toBe(true);
    const one = Array.from({ length: 40 }, (_, k) => ({ A: fromDense([[k + 1]]), b: [2 * k + 2] }));
    const results = await all(one, { sharing });
    for (const { x } of results) expect(x[0]).toBeCloseTo(2, 12);
  });

  it('values that are not numbers end as such', async () => {
    for (const sharing of SHARING) {
      const given = sequence(base, 6);
      given[3].A.data[7] = Number.NaN;
      const results = await all(given, { sharing });
      expect(results.map(({ status }) => status)).toEqual(
        given.map((_, k) => (k === 3 ? 'non-finite' : 'converged')),
      );
    }
    const given = sequence(base, 3);
    given[1].b = vector(n, 1).fill(Number.NaN, 4, 5);
    const { results, error } = await failing(given, { sharing: 'auto' });
    expect(results).toHaveLength(1);
    expect(error).toMatchObject({ code: 'INVALID_VALUE', details: { index: 1 } });
  });
});

describe('memory', () => {
  const given = sequence(FAMILIES['five-point not symmetric'](), 40);

  it.each(SHARING)('is given back on a break, an error and a cancellation, sharing %s', async (sharing) => {
    for await (const { index } of engine.solveBatch(given, { sharing })) {
      expect(engine.bytesInUse).toBeGreaterThan(0);
      if (index === 20) break;
    }
    expect(engine.bytesInUse).toBe(0);
    const other = [...given.slice(0, 5), { A: poisson2d(3, 3), b: vector(9) }];
    const { results, error } = await failing(other, { sharing });
    expect(results).toHaveLength(5);
    expect(error).toMatchObject({ code: 'SHAPE_MISMATCH', details: { index: 5 } });
    const controller = new AbortController();
    function* cancelling() {
      for (const [k, system] of given.entries()) {
        if (k === 7) controller.abort(new Error('enough'));
        yield system;
      }
    }
    const cancelled = await failing(cancelling(), { sharing, signal: controller.signal });
    expect(cancelled.error).toEqual(new Error('enough'));
  });

  it.each(SHARING)('an engine that is disposed of in the middle says so, sharing %s', async (sharing) => {
    for (const place of [0, 9]) {
      const own = await createEngine({ build: 'simd' });
      function* disposing() {
        for (const [k, system] of given.entries()) {
          if (k === place) own.dispose();
          yield system;
        }
      }
      let caught: unknown;
      try {
        for await (const _ of own.solveBatch(disposing(), { sharing }));
      } catch (error) {
        caught = error;
      }
      expect(caught).toMatchObject({ code: 'DISPOSED' });
    }
  });

  it('that is too small for another way leaves the first', async () => {
    const given = sequence(RANDOM, 40);
    const use = async (sharing: BatchOptions['sharing'], given: BatchSystem[], memoryLimit?: number) => {
      using limited = await createEngine({
        build: 'simd',
        ...(memoryLimit === undefined ? {} : { memoryLimit }),
      });
      let most = 0;
      let converged = 0;
      for await (const result of limited.solveBatch(given, { sharing })) {
        most = Math.max(most, limited.bytesInUse);
        if (result.converged) converged++;
      }
      expect(limited.bytesInUse).toBe(0);
      return { most, converged };
    };
    const first = await use('auto', given.slice(0, 1));
    const free = await use('auto', given);
    expect(free.converged).toBe(given.length);
    const limit = Math.ceil(1.02 * first.most);
    expect(limit).toBeLessThan(free.most);
    expect((await use('auto', given, limit)).converged).toBe(given.length);
    await expect(use('auto', given, 50_000)).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
  });
});

describe('options that cannot be used', () => {
  it.each([
    [{ sharing: wrong('all') }, 'sharing', /sharing is "all"/],
    [
      { sharing: 'seed-operator', preconditioner: 'none' },
      'preconditioner',
      /"seed-operator" makes the preconditioner/,
    ],
    [{ sharing: 'seed-operator', preconditioner: 'jacobi' }, 'preconditioner', /give "ilu0", "multigrid"/],
    [{ sharing: 'auto', preconditioner: () => {} }, 'preconditioner', /"auto" makes the preconditioner/],
    [{ sharing: 'solutions', lanes: 4 }, 'lanes', /hands on from one system to the next/],
    [{ sharing: 'auto', precision: 'mixed' }, 'precision', /hands on from one system to the next/],
  ] as const)('%o', (options, option, message) => {
    expectRefused(engine, () => engine.solveBatch([], options as BatchOptions), 'INVALID_VALUE', message);
    try {
      engine.solveBatch([], options as BatchOptions);
    } catch (error) {
      if (option !== 'sharing') expect((error as SeedspanError).details.option).toBe(option);
    }
  });

  it('seeds, recycle spaces and preconditioners made before', () => {
    const A = poisson2d(4, 4);
    const seed = engine.seedSubspace(A, vector(16), { dim: 3 });
    const recycle = engine.recycleSpace({ size: 16 });
    const preconditioner = engine.preconditioner(A, 'ilu0');
    for (const sharing of SHARING) {
      for (const given of [{ seed }, { recycle, method: 'gcro-dr' }, { preconditioner }] as const) {
        const [name] = Object.keys(given);
        const act = () => engine.solveBatch([], { sharing, ...given });
        expectRefused(engine, act, 'INVALID_VALUE', new RegExp(`sharing "${sharing}".*${name}`));
      }
    }
    for (const object of [seed, recycle, preconditioner]) object.dispose();
  });
});
