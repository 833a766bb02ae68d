import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { randomStream } from '../../src/diffusion/random.ts';
import {
  type BatchOptions,
  type BatchResult,
  type BatchSystem,
  type CsrMatrix,
  createEngine,
  createWorkerPool,
  type Engine,
  poisson2d,
} from '../../src/index.ts';
import { LEAST_SAVING, paysForWorkers } from '../../src/threads/lease.ts';
import { alive, digest, watchThreads } from './threads.ts';

const WIDTH = 24;
const N = WIDTH * WIDTH;

async function makeEngine(): Promise<Engine> {
  const engine = await createEngine();
  onTestFinished(() => engine.dispose());
  return engine;
}

/** Diffusion with a drift, of random strength, and random right-hand sides; the matrix is one and the same object. */
function* systems(count: number): Generator<BatchSystem, void, undefined> {
  const A = poisson2d(WIDTH, WIDTH);
  const plain = A.data.slice();
  const random = randomStream(5, 0);
  for (let k = 0; k < count; k++) {
    const strength = random.uniform();
    A.setData(plain.map((value, p) => (value > 0 ? value + strength : value * (1 - (0.2 * (p % 3)) / 3))));
    const x0 = k % 3 === 0 ? new Float64Array(N).map(() => random.uniform()) : undefined;
    yield { A, b: new Float64Array(N).map(() => random.uniform() - 0.5), x0 };
  }
}

async function all(
  engine: Engine,
  given: Iterable<BatchSystem> | AsyncIterable<BatchSystem>,
  options: BatchOptions,
): Promise<BatchResult[]> {
  const results: BatchResult[] = [];
  for await (const result of engine.solveBatch(given, options)) results.push(result);
  return results;
}

/** Everything, x by its bits. */
function essence(results: BatchResult[]) {
  return results.map(({ x, ...rest }) => ({ ...rest, x: digest(x), size: x.length }));
}

describe('solveBatch with workers', () => {
  it.each<[string, BatchOptions]>([
    ['lanes in mixed precision', { preconditioner: 'ilu0' }],
    ['lanes in double precision', { preconditioner: 'jacobi', storage: 'csr', precision: 'double' }],
    ['one after the other', { method: 'gmres', preconditioner: 'multigrid' }],
    ['the direct solver', { method: 'lu' }],
    ['a method that the first system decides', { method: 'auto', rtol: 1e-11 }],
  ])('has the same results, bit for bit, in the same order: %s', async (_, options) => {
    const engine = await makeEngine();
    const alone = await all(engine, systems(50), options);
    expect(alone.every(({ converged }) => converged)).toBe(true);
    for (const workers of [1, 2, 3, 'auto'] as const) {
      expect(essence(await all(engine, systems(50), { ...options, workers }))).toEqual(essence(alone));
    }
    expect(await all(engine, [...systems(2)].slice(1), { ...options, workers: 2 })).toHaveLength(1);
    expect(engine.bytesInUse).toBe(0);
  });

  it('leaves no thread behind, and keeps those of a pool', async () => {
    const engine = await makeEngine();
    const threads = watchThreads();
    await all(engine, systems(20), { workers: 2 });
    expect(threads).toHaveLength(2);
    expect(alive(threads)).toBe(0);
    const pool = await createWorkerPool({ workers: 2 });
    expect(pool.size).toBe(2);
    for (let k = 0; k < 3; k++) await all(engine, systems(20), { workers: pool });
    // Two calls at once.
    const both = [1, 2].map(() => all(engine, systems(20), { workers: pool }));
    expect((await Promise.all(both)).map(({ length }) => length)).toEqual([20, 20]);
    expect(threads).toHaveLength(4);
    expect(alive(threads)).toBe(2);
    await pool.terminate();
    expect(alive(threads)).toBe(0);
    await expect(all(engine, systems(1), { workers: pool })).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  it('starts none for nothing, and by auto when there is enough to do', async () => {
    vi.stubGlobal('navigator', { hardwareConcurrency: 2 });
    onTestFinished(() => void vi.unstubAllGlobals());
    expect(await paysForWorkers(2 * LEAST_SAVING)).toBe(false);
    expect(await paysForWorkers(2 * LEAST_SAVING + 1)).toBe(true);
    const engine = await makeEngine();
    const threads = watchThreads();
    expect(await all(engine, [], { workers: 2 })).toEqual([]);
    expect(threads).toHaveLength(0);
    const run = engine.solveBatch(systems(1_000_000), { workers: 'auto' });
    for await (const _ of run) if (threads.length > 0) break;
    expect(threads).toHaveLength(2);
    expect(alive(threads)).toBe(0);
    vi.stubGlobal('navigator', { hardwareConcurrency: 1 });
    expect(await paysForWorkers(1e9)).toBe(false);
  });

  it('takes systems as they are needed, not all at once', async () => {
    const engine = await makeEngine();
    let taken = 0;
    let ended = false;
    async function* endless(): AsyncGenerator<BatchSystem, void, undefined> {
      try {
        for (;;) {
          for (const system of systems(50)) {
            taken++;
            yield system;
          }
        }
      } finally {
        ended = true;
      }
    }
    const threads = watchThreads();
    let given = 0;
    for await (const { index } of engine.solveBatch(endless(), { workers: 2 })) {
      expect(index).toBe(given++);
      // Four parts of 64.
      expect(taken - given).toBeLessThan(5 * 64);
      if (given === 500) break;
    }
    expect(ended).toBe(true);
    expect(alive(threads)).toBe(0);
  });

  it('does the work of a killed worker again', async () => {
    const engine = await makeEngine();
    const threads = watchThreads();
    const alone = await all(engine, systems(300), { preconditioner: 'ilu0' });
    const results: BatchResult[] = [];
    let progress = 0;
    const onProgress = ({ finished }: { finished: number }) => {
      expect(finished).toBeGreaterThanOrEqual(progress);
      progress = finished;
    };
    for await (const result of engine.solveBatch(systems(300), {
      preconditioner: 'ilu0',
      workers: 2,
      onProgress,
    })) {
      results.push(result);
      if (result.index === 40) await threads[0].terminate();
      if (result.index === 90) await threads[1].terminate();
    }
    expect(essence(results)).toEqual(essence(alone));
    expect(progress).toBe(300);
    expect(threads).toHaveLength(4);
    expect(alive(threads)).toBe(0);
  });

  it('gives up where workers die of it again and again', async () => {
    const engine = await makeEngine();
    const threads = watchThreads();
    const pool = await createWorkerPool({ workers: 1 });
    onTestFinished(() => pool.terminate());
    const killing = setInterval(() => {
      for (const thread of threads.splice(0)) void thread.terminate();
    }, 5);
    onTestFinished(() => clearInterval(killing));
    await expect(all(engine, systems(2000), { workers: pool, rtol: 1e-14 })).rejects.toMatchObject({
      code: 'WORKER_FAILED',
      message: expect.stringContaining('3 times'),
    });
    clearInterval(killing);
    // Others take their place.
    expect(await all(engine, systems(4), { workers: pool })).toHaveLength(4);
  });

  it('hands out what comes before a system that cannot be used, then its error', async () => {
    const engine = await makeEngine();
    const spoilt: [(system: BatchSystem) => BatchSystem, string][] = [
      [(system) => ({ ...system, b: new Float64Array(N).fill(Number.NaN) }), 'INVALID_VALUE'],
      [(system) => ({ ...system, b: [1, 2] }), 'SHAPE_MISMATCH'],
      [(system) => ({ ...system, A: poisson2d(N, 1) }), 'SHAPE_MISMATCH'],
      [(system) => ({ ...system, A: 'none' as unknown as CsrMatrix }), 'INVALID_TYPE'],
      [({ A, b }) => ({ A: zeroRow(A), b }), 'ZERO_PIVOT'],
    ];
    for (const [spoil, code] of spoilt) {
      function* some(): Generator<BatchSystem, void, undefined> {
        let k = 0;
        for (const system of systems(60)) yield k++ === 35 ? spoil(system) : system;
      }
      const fail = async (workers: BatchOptions['workers']): Promise<{ count: number; error: unknown }> => {
        let count = 0;
        try {
          for await (const _ of engine.solveBatch(some(), { preconditioner: 'ilu0', workers })) count++;
        } catch (error) {
          return { count, error };
        }
        return { count, error: undefined };
      };
      const { error, count } = await fail(2);
      expect(error).toMatchObject({ name: 'SeedspanError', code, details: { index: 35 } });
      expect(count).toBe(35);
      const alone = await fail(undefined);
      expect((error as Error).message).toBe((alone.error as Error).message);
    }
  });

  it('lets through what the source throws, the consumer, and onProgress', async () => {
    const engine = await makeEngine();
    const threads = watchThreads();
    function* failing(): Generator<BatchSystem, void, undefined> {
      yield* systems(33);
      throw new RangeError('no more');
    }
    let count = 0;
    const run = async () => {
      for await (const _ of engine.solveBatch(failing(), { workers: 2 })) count++;
    };
    await expect(run()).rejects.toThrow(new RangeError('no more'));
    expect(count).toBe(33);
    const stop = async () => {
      for await (const _ of engine.solveBatch(systems(500), { workers: 2 })) throw new Error('enough');
    };
    await expect(stop()).rejects.toThrow('enough');
    const own = new Error('of the caller');
    const onProgress = () => {
      throw own;
    };
    await expect(all(engine, systems(60), { workers: 2, onProgress })).rejects.toBe(own);
    expect(alive(threads)).toBe(0);
  });

  it('ends when it is aborted; a pool goes on', async () => {
    const engine = await makeEngine();
    const threads = watchThreads();
    const pool = await createWorkerPool({ workers: 2 });
    onTestFinished(() => pool.terminate());
    for (const workers of [2, pool]) {
      const controller = new AbortController();
      const reason = new Error('stop');
      setTimeout(() => controller.abort(reason), 150);
      // Slow enough to be at work then, and to be stopped in the middle.
      const run = all(engine, slow(), { workers, signal: controller.signal, rtol: 1e-14, maxiter: 100_000 });
      await expect(run).rejects.toBe(reason);
    }
    await expect(all(engine, systems(3), { workers: pool, signal: AbortSignal.abort() })).rejects.toThrow();
    expect(await all(engine, systems(3), { workers: pool })).toHaveLength(3);
    await pool.terminate();
    expect(alive(threads)).toBe(0);
  });

  it('refuses what cannot go to workers, at once', async () => {
    const engine = await makeEngine();
    const A = poisson2d(4, 4);
    using seed = engine.seedSubspace(A, new Float64Array(16).fill(1), { dim: 3 });
    using recycle = engine.recycleSpace({ size: 16 });
    using made = engine.preconditioner(A, 'ilu0');
    const bad: [BatchOptions, string, RegExp][] = [
      [{ workers: 0 }, 'INVALID_VALUE', /workers is 0/],
      [{ workers: 1.5 }, 'INVALID_VALUE', /whole number/],
      [{ workers: '2' as unknown as number }, 'INVALID_TYPE', /workers is "2"/],
      [{ workers: 2, seed }, 'INVALID_VALUE', /seed cannot go to workers/],
      [{ workers: 2, recycle, method: 'gcro-dr' }, 'INVALID_VALUE', /recycle cannot go to workers/],
      [{ workers: 2, preconditioner: made }, 'INVALID_VALUE', /engine's memory/],
      [{ workers: 2, preconditioner: (r, z) => z.set(r) }, 'INVALID_VALUE', /it is a function/],
      [{ workers: 2, sharing: 'auto' }, 'INVALID_VALUE', /sharing cannot go to workers/],
    ];
    for (const [options, code, message] of bad) {
      expect(() => engine.solveBatch([], options)).toThrow(
        expect.objectContaining({ name: 'SeedspanError', code, message: expect.stringMatching(message) }),
      );
    }
    const noPool = { workers: {} as unknown as number };
    await expect(all(engine, systems(1), noPool)).rejects.toMatchObject({ code: 'INVALID_TYPE' });
    await expect(createWorkerPool({ workers: 1000 })).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    await expect(createWorkerPool({ url: 3 as unknown as string })).rejects.toMatchObject({
      code: 'INVALID_TYPE',
    });
  });

  it('keeps the memory limit of the engine', async () => {
    const engine = await createEngine({ memoryLimit: 100_000 });
    onTestFinished(() => engine.dispose());
    await expect(all(engine, systems(3), { workers: 1, preconditioner: 'ilu0' })).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
    });
  });
});

/** One entry of the diagonal is zero. */
function zeroRow(A: CsrMatrix): CsrMatrix {
  const B = poisson2d(WIDTH, WIDTH);
  B.setData(A.data.map((value, p) => (p < A.indptr[1] && A.indices[p] === 0 ? 0 : value)));
  return B;
}

function* slow(): Generator<BatchSystem, void, undefined> {
  const A = poisson2d(300, 300);
  for (;;) yield { A, b: new Float64Array(90_000).map((_, k) => k % 7) };
}
