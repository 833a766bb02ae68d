import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type BatchOptions,
  type BatchProgress,
  type BatchResult,
  type BatchSystem,
  type CsrMatrix,
  createEngine,
  type Engine,
  fromTriplets,
  type Lanes,
  poisson2d,
  randomDiagonallyDominant,
  SeedspanError,
} from '../../src/index.ts';
import { expectClose, expectHonest, vector, wrong } from './helpers.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ build: 'simd' });
});
beforeEach(() => {
  expect(engine.bytesInUse).toBe(0);
});
afterAll(() => engine.dispose());

const LANES: readonly Lanes[] = [1, 2, 4, 8];
const KINDS = ['none', 'jacobi', 'ilu0'] as const;
const n = 9 * 8;

/** Not symmetric; its values depend on the number, its pattern does not. */
function matrix(number: number, width = 9, height = 8): CsrMatrix {
  const A = poisson2d(width, height);
  A.setData(
    A.data.map((value, k) => value * (1 + ((k * 7 + number * 13) % 11) / 100) + (value > 0 ? 0.3 : 0)),
  );
  return A;
}

function systems(count: number): BatchSystem[] {
  return Array.from({ length: count }, (_, k) => ({ A: matrix(k), b: vector(n, k + 1) }));
}

async function all(
  given: Parameters<Engine['solveBatch']>[0],
  options?: BatchOptions,
): Promise<BatchResult[]> {
  const results: BatchResult[] = [];
  for await (const result of engine.solveBatch(given, options)) results.push(result);
  expect(engine.bytesInUse).toBe(0);
  return results;
}

/** The error that ends a batch, and the results before it. */
async function failing(given: Parameters<Engine['solveBatch']>[0], options?: BatchOptions) {
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

function checkAll(
  given: readonly BatchSystem[],
  results: readonly BatchResult[],
  options: BatchOptions = {},
) {
  expect(results.map(({ index }) => index)).toEqual(given.map((_, k) => k));
  results.forEach((result, k) => {
    const { rtol, atol } = options;
    const whole = { ...result, history: undefined, projectedResidualNorm: undefined, projected: undefined };
    expectHonest(given[k].A, given[k].b, whole, { rtol, atol });
  });
}

describe('results', () => {
  it.each(KINDS)('of any number of systems, in any lanes, in order; %s', async (preconditioner) => {
    for (const count of [0, 1, 2, 3, 4, 5, 7, 11]) {
      const given = systems(count);
      for (const lanes of LANES) {
        const results = await all(given, { preconditioner, lanes });
        checkAll(given, results);
        results.forEach((result, k) => {
          expect(result).toMatchObject({ status: 'converged', lanes, method: 'bicgstab', preconditioner });
          const wanted = engine.solve(given[k].A, given[k].b, { rtol: 1e-12 });
          expectClose(result.x, wanted.x, 1e-7);
        });
      }
    }
  });

  it('alone they are those of solve, bit for bit', async () => {
    const given = systems(5);
    for (const method of ['gmres', 'bicgstab', 'cg'] as const) {
      const results = await all(given, { method, preconditioner: 'ilu0', lanes: 1 });
      results.forEach((result, k) => {
        const { x, status, iterations, matvecs, residualNorm } = engine.solve(given[k].A, given[k].b, {
          method,
          preconditioner: 'ilu0',
        });
        expect(result).toMatchObject({ status, iterations, matvecs, residualNorm, method, lanes: 1 });
        expect(result.x).toEqual(x);
      });
    }
  });

  it.each(LANES)('do not depend on the order or on the neighbours, bit for bit; lanes: %i', async (lanes) => {
    for (const preconditioner of KINDS) {
      const options = { lanes, preconditioner };
      const given = systems(9);
      const wanted = await all(given, options);
      const backwards = await all([...given].reverse(), options);
      backwards.forEach((result, k) => {
        expect({ ...result, index: 8 - k }).toEqual(wanted[8 - k]);
      });
      for (const k of [0, 4, 8]) expect(await all([given[k]], options)).toEqual([{ ...wanted[k], index: 0 }]);
      const same = await all([given[3], given[3], given[3], given[3], given[3]], options);
      same.forEach((result, k) => {
        expect(result).toEqual({ ...wanted[3], index: k });
      });
    }
  });

  it('go on from x0, which may be good enough', async () => {
    const given = systems(6).map(({ A, b }, k) => {
      const x0 = k % 2 === 0 ? engine.solve(A, b, { rtol: 1e-13 }).x : vector(n, 50 + k);
      return { A, b, x0 };
    });
    for (const lanes of LANES) {
      const results = await all(given, { lanes });
      checkAll(given, results);
      results.forEach(({ iterations, x }, k) => {
        expect(iterations === 0).toBe(k % 2 === 0);
        if (k % 2 === 0) expect(x).toEqual(given[k].x0);
      });
    }
  });

  it('say how each ended, and none disturbs another', async () => {
    const [first, second, third] = systems(3);
    const zeros = matrix(0).setData(new Float64Array(first.A.nnz));
    const given: BatchSystem[] = [
      first,
      { A: zeros, b: first.b },
      second,
      { A: second.A, b: new Float64Array(n) },
      { A: third.A, b: third.b },
      {
        A: matrix(4).setData(first.A.data.map((value) => value * 1e300)),
        b: vector(n, 1).map((value) => value * 1e300),
      },
    ];
    const wanted = await all([first, second, third], { lanes: 4 });
    const results = await all(given, { lanes: 4 });
    checkAll(given, results);
    expect(results[1]).toMatchObject({ status: 'breakdown', converged: false, iterations: 0 });
    expect(results[3]).toMatchObject({ status: 'converged', iterations: 0, residualNorm: 0 });
    [0, 2, 4].forEach((place, k) => {
      expect(results[place]).toEqual({ ...wanted[k], index: place });
    });
    const few = await all([first, second, third], { lanes: 2, maxiter: 3 });
    expect(few.map(({ status, iterations }) => [status, iterations])).toEqual(
      new Array(3).fill(['max-iterations', 3]),
    );
    const most = await all([first, second, third], { lanes: 2, rtol: 0 });
    expect(most.map(({ status }) => status)).toEqual(new Array(3).fill('stagnated'));
    expect((await all([], { lanes: 4 })).length).toBe(0);
  });

  it('of systems whose lengths differ much come in order, too', async () => {
    const given = systems(40).map(({ A, b }, k) => {
      // Every ninth is hard, most of the others need no iteration.
      if (k % 9 === 0) return { A: poisson2d(9, 8), b };
      return k % 3 === 0 ? { A, b } : { A, b: new Float64Array(n) };
    });
    for (const lanes of LANES) checkAll(given, await all(given, { lanes, rtol: 1e-11 }), { rtol: 1e-11 });
  });

  it('of many systems: the steps do not grow out of bounds', async () => {
    const given = systems(120);
    for (const lanes of LANES) checkAll(given, await all(given, { lanes }));
  });

  it('of one unknown, and of none', async () => {
    const one = fromTriplets({ shape: [1, 1], row: [0], col: [0], data: [4] });
    const none = fromTriplets({ shape: [0, 0], row: [], col: [], data: [] });
    for (const lanes of LANES) {
      for (const preconditioner of KINDS) {
        const results = await all(
          [2, 4, 6].map((b) => ({ A: one, b: [b] })),
          { lanes, preconditioner },
        );
        expect(results.map(({ x }) => x[0])).toEqual([0.5, 1, 1.5]);
        const empty = await all([{ A: none, b: [] }], { lanes, preconditioner });
        expect(empty[0]).toMatchObject({ status: 'converged', x: new Float64Array(0) });
      }
    }
  });
});

describe('how many at once', () => {
  const given = systems(2);
  const lanesOf = async (options: BatchOptions) => (await all(given, options)).map(({ lanes }) => lanes);

  it('eight where that is faster: with ILU(0), and where the matrix is not stored by diagonals', async () => {
    expect(await lanesOf({ preconditioner: 'ilu0' })).toEqual([8, 8]);
    for (const preconditioner of KINDS) {
      expect(await lanesOf({ preconditioner, storage: 'csr' })).toEqual([8, 8]);
      expect(await lanesOf({ preconditioner, storage: 'csr', precision: 'double' })).toEqual([4, 4]);
      const general = { A: randomDiagonallyDominant({ n: 90, seed: 3 }), b: vector(90) };
      expect((await all([general], { preconditioner }))[0].lanes).toBe(8);
    }
    for (const preconditioner of ['none', 'jacobi'] as const) {
      const results = await all(given, { preconditioner });
      expect(results.map(({ lanes, storage }) => [lanes, storage])).toEqual(new Array(2).fill([1, 'dia']));
    }
    expect(await lanesOf({ lanes: 2 })).toEqual([2, 2]);
  });

  it('fewer where so many systems are too large for a cache', async () => {
    for (const [side, single, double] of [
      [100, 8, 4],
      [180, 4, 2],
      [300, 1, 1],
    ]) {
      const large = { A: poisson2d(side, side), b: vector(side * side) };
      // Loosely: a system that does not converge is solved in double precision.
      const options = { preconditioner: 'ilu0', rtol: 0.5 } as const;
      const precision = single > 1 ? 'mixed' : 'double';
      expect((await all([large], options))[0]).toMatchObject({ lanes: single, precision });
      const [result] = await all([large], { ...options, precision: 'double' });
      expect(result).toMatchObject({ lanes: double, precision: 'double' });
    }
  });

  it('one for other methods, preconditioners, storage and builds', async () => {
    using made = engine.preconditioner(given[0].A, 'ilu0');
    const ones: BatchOptions[] = [
      { method: 'gmres', restart: 7, side: 'left', preconditioner: 'jacobi' },
      { method: 'cg' },
      { preconditioner: made },
      { preconditioner: 'multigrid' },
      { method: 'auto' },
      { preconditioner: (r, z) => z.set(r) },
      { storage: 'dia' },
    ];
    for (const options of ones) {
      const results: BatchResult[] = [];
      for await (const result of engine.solveBatch(given, options)) results.push(result);
      expect(results.map(({ lanes }) => lanes)).toEqual([1, 1]);
      for (const lanes of [2, 4, 8] as const) {
        expect(() => engine.solveBatch(given, { ...options, lanes })).toThrow(
          /lanes is [248], and .* at a time/,
        );
      }
    }
    made.dispose();
    using scalar = await createEngine({ build: 'scalar' });
    for await (const { lanes } of scalar.solveBatch(given)) expect(lanes).toBe(1);
    for await (const { lanes, converged } of scalar.solveBatch(given, { lanes: 4 })) {
      expect([lanes, converged]).toEqual([4, true]);
    }
  });
});

describe('the source', () => {
  it('may be asynchronous, or hand out one matrix again and again', async () => {
    const wanted = await all(systems(7), { preconditioner: 'ilu0' });
    async function* slowly() {
      for (const system of systems(7)) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        yield system;
      }
    }
    expect(await all(slowly(), { preconditioner: 'ilu0' })).toEqual(wanted);
    function* reusing() {
      const A = matrix(0);
      const b = new Float64Array(n);
      for (const system of systems(7)) {
        A.setData(system.A.data);
        b.set(system.b as Float64Array);
        yield { A, b };
        b.fill(Number.NaN);
      }
    }
    expect(await all(reusing(), { preconditioner: 'ilu0' })).toEqual(wanted);
  });

  it.each(LANES)('is not read far ahead, however long it is; lanes: %i', async (lanes) => {
    let taken = 0;
    let most = 0;
    let bytes = 0;
    function* endless() {
      for (;;) yield { A: matrix(taken), b: taken++ % 20 === 3 ? vector(n, 5) : new Float64Array(n) };
    }
    for await (const { index } of engine.solveBatch(endless(), { lanes })) {
      most = Math.max(most, taken - index - 1);
      bytes ||= engine.bytesInUse;
      expect(engine.bytesInUse).toBe(bytes);
      if (index === 300) break;
    }
    expect(engine.bytesInUse).toBe(0);
    expect(most).toBeLessThanOrEqual(lanes === 1 ? 0 : 4 * lanes);
  });

  it('is closed, and memory given back, when the loop is left', async () => {
    for (const lanes of LANES) {
      let closed = 0;
      function* given() {
        try {
          for (;;) yield* systems(1);
        } finally {
          closed++;
        }
      }
      for await (const { index } of engine.solveBatch(given(), { lanes })) if (index === 2) break;
      expect([engine.bytesInUse, closed]).toEqual([0, 1]);
      const started = engine.solveBatch(given(), { lanes });
      await started.next();
      expect(engine.bytesInUse).toBeGreaterThan(0);
      expect(await started.return()).toEqual({ done: true, value: undefined });
      expect([engine.bytesInUse, closed]).toEqual([0, 2]);
      const failure = new Error('mine');
      await expect(
        (async () => {
          for await (const _ of engine.solveBatch(given(), { lanes })) throw failure;
        })(),
      ).rejects.toBe(failure);
      expect([engine.bytesInUse, closed]).toEqual([0, 3]);
    }
  });

  it('nothing is taken before the loop starts', async () => {
    let taken = 0;
    function* given() {
      taken++;
      yield* systems(1);
    }
    await engine.solveBatch(given()).return();
    engine.solveBatch(given());
    expect([taken, engine.bytesInUse]).toEqual([0, 0]);
  });

  it('that throws ends the batch, after the results of what it gave', async () => {
    const failure = new Error('mine');
    function* given() {
      yield* systems(6);
      throw failure;
    }
    async function* later() {
      yield* systems(6);
      throw failure;
    }
    for (const lanes of LANES) {
      for (const source of [given(), later()]) {
        const { results, error } = await failing(source, { lanes });
        expect(error).toBe(failure);
        checkAll(systems(6), results);
      }
    }
  });
});

describe('what is refused', () => {
  it('options, at once', () => {
    const refuse = (options: unknown, code: string, message: RegExp) => {
      const call = () => engine.solveBatch([], wrong<BatchOptions>(options));
      expect(call).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
    };
    refuse({ lane: 2 }, 'UNKNOWN_OPTION', /solveBatch: unknown option "lane"; known: .*lanes/);
    refuse({ history: true }, 'UNKNOWN_OPTION', /"history"/);
    refuse({ lanes: 3 }, 'INVALID_VALUE', /lanes is 3, must be "auto", 1, 2, 4, 8/);
    refuse({ lanes: '2' }, 'INVALID_VALUE', /lanes/);
    refuse(
      { precision: 'single' },
      'INVALID_VALUE',
      /precision is "single", must be "auto", "double", "mixed"/,
    );
    refuse({ precision: 'mixed', lanes: 1 }, 'INVALID_VALUE', /lanes is 1, and precision "mixed" has 4 or 8/);
    refuse({ precision: 'mixed', lanes: 2 }, 'INVALID_VALUE', /lanes is 2, and precision "mixed"/);
    refuse(
      { precision: 'double', lanes: 8 },
      'INVALID_VALUE',
      /lanes is 8, and precision "double" has at most 4/,
    );
    refuse(
      { precision: 'mixed', method: 'cg' },
      'INVALID_VALUE',
      /precision is "mixed".* method "cg" solves one/,
    );
    refuse({ precision: 'mixed', storage: 'dia' }, 'INVALID_VALUE', /storage "dia" holds one system/);
    refuse({ method: 'gmres', lanes: 2 }, 'INVALID_VALUE', /method "gmres" solves one system at a time/);
    refuse({ side: 'left' }, 'INVALID_VALUE', /side "left" is for method "gmres"/);
    refuse({ rtol: -1 }, 'INVALID_VALUE', /rtol/);
    refuse({ signal: {} }, 'INVALID_TYPE', /signal must be an AbortSignal/);
    refuse({ onProgress: 1 }, 'INVALID_TYPE', /onProgress must be a function/);
    refuse(null, 'INVALID_TYPE', /options must be an object/);
    for (const given of [undefined, null, 5, 'text', {}, { A: 1 }]) {
      expect(() => engine.solveBatch(wrong<BatchSystem[]>(given))).toThrow(/systems must be an array/);
    }
  });

  const b = vector(n);
  const spoilt = (at: number) => b.map((value, k) => (k === at ? Number.NaN : value));
  const bad: [string, unknown, string, RegExp][] = [
    ['no system', 5, 'INVALID_TYPE', /must be \{ A, b, x0\? \}, not 5/],
    ['null', null, 'INVALID_TYPE', /not null/],
    ['no matrix', { A: [[1]], b }, 'INVALID_TYPE', /matrix must be made by/],
    ['a function', { A: () => {}, b }, 'INVALID_TYPE', /matrix must be made by/],
    ['a misspelt name', { A: matrix(0), B: b }, 'UNKNOWN_OPTION', /"B"; known: A, b, x0/],
    ['no right-hand side', { A: matrix(0) }, 'INVALID_TYPE', /b must be an array/],
    ['a short one', { A: matrix(0), b: [1, 2] }, 'SHAPE_MISMATCH', /b has length 2, must be 72/],
    ['NaN in it', { A: matrix(0), b: spoilt(3) }, 'INVALID_VALUE', /b\[3\] is NaN/],
    ['NaN in x0', { A: matrix(0), b, x0: spoilt(7) }, 'INVALID_VALUE', /x0\[7\] is NaN/],
    ['a long x0', { A: matrix(0), b, x0: vector(80) }, 'SHAPE_MISMATCH', /x0 has length 80/],
    ['another size', { A: poisson2d(3, 3), b: vector(9) }, 'SHAPE_MISMATCH', /another pattern than system 0/],
    [
      'another pattern',
      { A: randomDiagonallyDominant({ n, seed: 4 }), b },
      'SHAPE_MISMATCH',
      /another pattern than system 0/,
    ],
    [
      'no square',
      { A: fromTriplets({ shape: [1, 2], row: [], col: [], data: [] }), b: [1] },
      'SHAPE_MISMATCH',
      /1 x 2, must be square/,
    ],
  ];

  it.each(bad)('%s: after the results before it, with its number', async (_, system, code, message) => {
    for (const lanes of LANES) {
      for (const at of [1, 3, 6]) {
        const given = systems(8);
        given[at] = wrong<BatchSystem>(system);
        const { results, error } = await failing(given, { lanes });
        checkAll(systems(at), results);
        expect(error).toBeInstanceOf(SeedspanError);
        const { code: found, message: text, details } = error as SeedspanError;
        expect([found, details.index]).toEqual([code, at]);
        expect(text).toMatch(message);
        expect(text).toMatch(`system ${at}`);
      }
    }
  });

  it('a pivot that is zero: the same', async () => {
    const given = systems(6);
    const data = given[4].A.data.slice();
    data[0] = 0;
    given[4].A.setData(data);
    for (const lanes of LANES) {
      for (const preconditioner of ['jacobi', 'ilu0'] as const) {
        const { results, error } = await failing(given, { lanes, preconditioner });
        checkAll(given.slice(0, 4), results);
        expect(error).toMatchObject({ code: 'ZERO_PIVOT', details: { index: 4, row: 0, preconditioner } });
        expect((error as SeedspanError).message).toMatch(/^solveBatch, system 4: preconditioner/);
      }
      expect((await all(given, { lanes })).length).toBe(6);
    }
    const hollow = fromTriplets({ shape: [2, 2], row: [0, 1], col: [1, 0], data: [1, 1] });
    for (const preconditioner of ['jacobi', 'ilu0'] as const) {
      const { error } = await failing([{ A: hollow, b: [1, 2] }], { lanes: 2, preconditioner });
      expect(error).toMatchObject({ code: 'ZERO_PIVOT', details: { index: 0, row: 0 } });
    }
  });

  it('more memory than there may be', async () => {
    using small = await createEngine({ build: 'simd', memoryLimit: 60_000 });
    const one = [];
    for await (const result of small.solveBatch(systems(3), { lanes: 2 })) one.push(result);
    expect(one.length).toBe(3);
    const large = { A: poisson2d(40, 40), b: vector(1600) };
    for (const preconditioner of KINDS) {
      for (const lanes of LANES) {
        const loop = small.solveBatch([large], { lanes, preconditioner });
        await expect(loop.next()).rejects.toMatchObject({ code: 'OUT_OF_MEMORY', details: { index: 0 } });
        expect(small.bytesInUse).toBe(0);
      }
    }
  });

  it('an engine that was disposed of, also in the middle', async () => {
    for (const lanes of LANES) {
      const other = await createEngine({ build: 'simd' });
      const loop = other.solveBatch(systems(30), { lanes });
      await loop.next();
      other.dispose();
      const rest = (async () => {
        for await (const _ of loop);
      })();
      await expect(rest).rejects.toMatchObject({ code: 'DISPOSED' });
      expect(other.bytesInUse).toBe(0);
      expect(() => other.solveBatch([])).toThrow(/disposed/);
    }
  });
});

describe('cancelling and progress', () => {
  it('before the start', async () => {
    const reason = new Error('too late');
    const { results, error } = await failing(systems(2), { signal: AbortSignal.abort(reason) });
    expect([results.length, error]).toEqual([0, reason]);
  });

  it.each(LANES)(
    'in the middle: the reason comes, memory is free, the source closed; lanes: %i',
    async (lanes) => {
      const reason = { any: 'value' };
      const controller = new AbortController();
      let closed = false;
      function* given() {
        try {
          for (;;) yield* systems(3);
        } finally {
          closed = true;
        }
      }
      let seen = 0;
      const options = { lanes, signal: controller.signal };
      const loop = (async () => {
        for await (const _ of engine.solveBatch(given(), options)) if (++seen === 5) controller.abort(reason);
      })();
      await expect(loop).rejects.toBe(reason);
      expect([seen, closed, engine.bytesInUse]).toEqual([5, true, 0]);
    },
  );

  it.each(LANES)('by a timer, inside one long solve: it works in slices; lanes: %i', async (lanes) => {
    const controller = new AbortController();
    // Nothing meets a tolerance of 0 before rounding does, which takes long here.
    const A = poisson2d(150, 150);
    const given = Array.from({ length: 200 }, (_, k) => ({ A, b: vector(150 * 150, k) }));
    setTimeout(() => controller.abort(), 5);
    const { error } = await failing(given, { lanes, rtol: 0, maxiter: 1e6, signal: controller.signal });
    expect(error).toMatchObject({ name: 'AbortError' });
  });

  it.each(LANES)('progress counts the systems; lanes: %i', async (lanes) => {
    const seen: BatchProgress[] = [];
    await all(systems(9), { lanes, onProgress: (progress) => void seen.push(progress) });
    expect(seen.length).toBeGreaterThanOrEqual(9);
    for (let k = 1; k < seen.length; k++) {
      expect(seen[k].finished).toBeGreaterThanOrEqual(seen[k - 1].finished);
      expect(seen[k].running).toBeLessThanOrEqual(lanes);
    }
    expect(seen.at(-1)).toEqual({ finished: 9, running: 0 });
  });

  it('an error that onProgress throws comes through, and frees everything', async () => {
    const failure = new Error('mine');
    const onProgress = () => {
      throw failure;
    };
    for (const lanes of LANES) {
      const { results, error } = await failing(systems(9), { lanes, onProgress });
      expect(error).toBe(failure);
      expect(results).toEqual([]);
    }
  });
});

describe('two batches on one engine', () => {
  it('do not know of each other', async () => {
    const given = systems(10);
    const [first, second] = await Promise.all(
      [2, 4].map(async (lanes) => {
        const results: BatchResult[] = [];
        for await (const result of engine.solveBatch(given, { lanes: lanes as Lanes })) results.push(result);
        return results;
      }),
    );
    expect(first).toEqual(await all(given, { lanes: 2 }));
    expect(second).toEqual(await all(given, { lanes: 4 }));
  });
});
