import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type CsrMatrix,
  createEngine,
  type Engine,
  poisson2d,
  type SolveAsyncOptions,
  type SolveProgress,
} from '../../src/index.ts';
import { asFunction, expectHonest, expectRejected, METHODS, vector, wrong } from './helpers.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
beforeEach(() => {
  expect(engine.bytesInUse).toBe(0);
});
afterAll(() => engine.dispose());

const A = poisson2d(20, 20);
const b = vector(400);

/** Some hundred iterations with a pause of a millisecond in each: a solve of many slices. */
function slowly(matrix: CsrMatrix, milliseconds = 1) {
  return (x: Float64Array, y: Float64Array): void => {
    const until = performance.now() + milliseconds;
    y.set(matrix.multiply(x));
    while (performance.now() < until);
  };
}

describe('solveAsync', () => {
  it.each(METHODS)('%s equals solve, bit for bit', async (method) => {
    for (const preconditioner of ['none', 'ilu0'] as const) {
      for (const restart of [5, 30]) {
        const options = { method, preconditioner, restart, history: true, x0: vector(400, 2) };
        const wanted = engine.solve(A, b, options);
        expect(await engine.solveAsync(A, b, options)).toEqual(wanted);
        using workspace = engine.workspace(A, { method, preconditioner, restart });
        const out = new Float64Array(400);
        const given = { history: true, x0: vector(400, 2), workspace, out };
        const result = await engine.solveAsync(A, b, given);
        expect(result).toEqual(wanted);
        expect(result.x).toBe(out);
      }
    }
  });

  it('with a seed', async () => {
    using seed = engine.seedSubspace(A, vector(400, 3), { dim: 10 });
    expect(await engine.solveAsync(A, b, { seed })).toEqual(engine.solve(A, b, { seed }));
  });

  it('keeps a long history whole', async () => {
    const options = { restart: 3, history: true, rtol: 1e-12, maxiter: 3000 };
    const wanted = engine.solve(A, b, options);
    expect(wanted.iterations).toBeGreaterThan(600);
    expect(wanted.history?.length).toBe(wanted.iterations + 1);
    expect(await engine.solveAsync(A, b, options)).toEqual(wanted);
  });

  it('has copied the matrix, b and x0 when it returns', async () => {
    const matrix = poisson2d(20, 20);
    const right = b.slice();
    const x0 = vector(400, 2);
    const promise = engine.solveAsync(matrix, right, { x0 });
    matrix.setData(new Float64Array(matrix.nnz));
    right.fill(Number.NaN);
    x0.fill(Number.NaN);
    expect(await promise).toEqual(engine.solve(A, b, { x0: vector(400, 2) }));
  });

  it('several at once, on one engine', async () => {
    const rights = [1, 2, 3, 4].map((number) => vector(400, number));
    const results = await Promise.all(rights.map((right) => engine.solveAsync(A, right)));
    results.forEach((result, k) => {
      expect(result).toEqual(engine.solve(A, rights[k]));
    });
  });
});

describe('progress', () => {
  it('has rising iterations, and ends with the last', async () => {
    const seen: SolveProgress[] = [];
    const onProgress = (progress: SolveProgress) => void seen.push(progress);
    const result = await engine.solveAsync(slowly(A), b, { onProgress, rtol: 1e-6 });
    expect(seen.length).toBeGreaterThan(5);
    for (let k = 1; k < seen.length; k++) expect(seen[k].iterations).toBeGreaterThan(seen[k - 1].iterations);
    const last = seen[seen.length - 1];
    expect(last.iterations).toBe(result.iterations);
    expect(last.tolerance).toBeCloseTo(1e-6 * result.rightHandSideNorm, 15);
    expect(last.residualNorm).toBeLessThanOrEqual(last.tolerance);
    expect(seen[0].residualNorm).toBeGreaterThan(last.residualNorm);
  });

  it('an error that it throws comes through, and frees everything', async () => {
    const failure = new Error('mine');
    const out = new Float64Array(400);
    let calls = 0;
    const onProgress = () => {
      if (++calls === 2) throw failure;
    };
    await expect(engine.solveAsync(A, b, { onProgress, out })).rejects.toBe(failure);
    expect(engine.bytesInUse).toBe(0);
    expect(out).toEqual(new Float64Array(400));
  });

  it('so does one of a matrix-free function, and its workspace goes on', async () => {
    const failure = new Error('mine');
    let calls = 0;
    const failing = (x: Float64Array, y: Float64Array) => {
      if (++calls === 9) throw failure;
      y.set(A.multiply(x));
    };
    using workspace = engine.workspace(failing, { size: 400 });
    await expect(engine.solveAsync(failing, b, { workspace })).rejects.toBe(failure);
    expectHonest(A, b, await engine.solveAsync(asFunction(A), b, { workspace }));
  });
});

describe('the event loop', () => {
  it('gets its turns', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const result = await engine.solveAsync(slowly(A), b);
    clearInterval(timer);
    expect(result.converged).toBe(true);
    expect(ticks).toBeGreaterThan(2);
  });
});

describe('abort', () => {
  it('before the start', async () => {
    const reason = new Error('too late');
    let calls = 0;
    const counted = () => void calls++;
    await expect(engine.solveAsync(counted, b, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(calls).toBe(0);
    const plain = engine.solveAsync(A, b, { signal: AbortSignal.abort() });
    await expect(plain).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('in the middle: the reason comes back, out is untouched, memory is free', async () => {
    const reason = { any: 'value' };
    for (const shared of [false, true]) {
      const controller = new AbortController();
      const call = slowly(A);
      const workspace = shared ? engine.workspace(call, { size: 400 }) : undefined;
      const out = new Float64Array(400).fill(7);
      let seen = 0;
      const onProgress = ({ iterations }: SolveProgress) => {
        seen = iterations;
        if (iterations > 10) controller.abort(reason);
      };
      const { signal } = controller;
      const options = { signal, onProgress, out, workspace, rtol: 1e-12 };
      await expect(engine.solveAsync(call, b, options)).rejects.toBe(reason);
      expect(seen).toBeGreaterThan(10);
      expect(seen).toBeLessThan(60);
      expect(out).toEqual(new Float64Array(400).fill(7));
      if (workspace !== undefined) expect(engine.solve(call, b, { workspace }).converged).toBe(true);
      workspace?.dispose();
      expect(engine.bytesInUse).toBe(0);
    }
  });

  it('by a timer', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 5);
    const options: SolveAsyncOptions = { signal: controller.signal, rtol: 0, maxiter: 1e6 };
    await expect(engine.solveAsync(slowly(A), b, options)).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('after the end does nothing', async () => {
    const controller = new AbortController();
    const result = await engine.solveAsync(A, b, { signal: controller.signal });
    controller.abort();
    expectHonest(A, b, result);
  });

  it('what is no signal, or no function, is refused', async () => {
    const refuse = (options: unknown, message: RegExp) =>
      expectRejected(
        engine,
        () => engine.solveAsync(A, b, wrong<SolveAsyncOptions>(options)),
        'INVALID_TYPE',
        message,
      );
    await refuse({ signal: null }, /signal must be an AbortSignal, not null/);
    await refuse({ signal: { aborted: false } }, /signal must be an AbortSignal, not Object/);
    await refuse({ onProgress: 'print' }, /onProgress must be a function, not "print"/);
  });

  it('the synchronous solve has neither', () => {
    const options = wrong<{ maxiter: number }>({ signal: AbortSignal.abort() });
    expect(() => engine.solve(A, b, options)).toThrow(/unknown option "signal"/);
  });
});

describe('disposing in the middle', () => {
  it('of the workspace, or the preconditioner, ends the solve', async () => {
    const workspace = engine.workspace(A);
    const first = engine.solveAsync(A, b, { workspace, rtol: 1e-13 });
    workspace.dispose();
    await expect(first).rejects.toMatchObject({
      code: 'DISPOSED',
      message: expect.stringMatching(/workspace/),
    });
    expect(engine.bytesInUse).toBe(0);
    const preconditioner = engine.preconditioner(A, 'jacobi');
    const second = engine.solveAsync(A, b, { preconditioner });
    preconditioner.dispose();
    await expect(second).rejects.toMatchObject({ code: 'DISPOSED' });
    expect(engine.bytesInUse).toBe(0);
  });

  it('of the engine', async () => {
    const other = await createEngine();
    const onProgress = () => other.dispose();
    await expect(other.solveAsync(A, b, { onProgress })).rejects.toMatchObject({ code: 'DISPOSED' });
    expect(other.bytesInUse).toBe(0);
    await expect(other.solveAsync(A, b)).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  it('of the seed does not matter: it was used at the start', async () => {
    const seed = engine.seedSubspace(A, vector(400, 3));
    const wanted = engine.solve(A, b, { seed });
    const promise = engine.solveAsync(A, b, { seed });
    seed.dispose();
    expect(await promise).toEqual(wanted);
  });
});
