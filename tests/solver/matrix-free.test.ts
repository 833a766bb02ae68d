import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEngine, type Engine, type MatrixFree, poisson2d, type SolveOptions } from '../../src/index.ts';
import {
  asFunction,
  expectClose,
  expectHonest,
  expectRefused,
  METHODS,
  sidesOf,
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
afterAll(() => engine.dispose());

const A = poisson2d(6, 7);
const n = 42;
const b = vector(n);

/** Both uses of a host function. */
const uses: [what: string, solve: (call: MatrixFree) => unknown][] = [
  ['as a matrix', (call) => engine.solve(call, b)],
  ['as a preconditioner', (preconditioner) => engine.solve(A, b, { preconditioner })],
  ['of a seed', (call) => engine.seedSubspace(call, b)],
];

describe('a matrix-free system', () => {
  // SIMD sums up in another order.
  it.each(METHODS)('%s gives what the matrix gives, in the scalar build bit for bit', async (method) => {
    const scalar = await createEngine({ build: 'scalar' });
    for (const preconditioner of ['none', (r: Float64Array, z: Float64Array) => z.set(r)] as const) {
      const options: SolveOptions = { method, preconditioner, x0: vector(n, 2), history: true };
      const stored = scalar.solve(A, b, { ...options, storage: 'csr' });
      const free = scalar.solve(asFunction(A), b, options);
      expectHonest(A, b, free);
      expect(free).toEqual({ ...stored, storage: 'function' });
    }
    scalar.dispose();
  });

  it('is given vectors of its own, y filled with zeros', () => {
    const call: MatrixFree = (x, y) => {
      expect([x.length, y.length]).toEqual([n, n]);
      expect(y.every((value) => value === 0)).toBe(true);
      // Adding up, as one does, and leaving rubbish in x.
      for (let i = 0; i < n; i++) {
        for (let k = A.indptr[i]; k < A.indptr[i + 1]; k++) y[i] += A.data[k] * x[A.indices[k]];
      }
      x.fill(Number.NaN);
    };
    expectHonest(A, b, engine.solve(call, b));
  });

  it('that writes nothing is the zero matrix', () => {
    const result = engine.solve(() => {}, b);
    expect(result).toMatchObject({ status: 'breakdown', converged: false, x: new Float64Array(n) });
  });

  it('that writes NaN is not finite', () => {
    for (const method of METHODS) {
      const result = engine.solve((_, y) => void y.fill(Number.NaN), b, { method });
      expect(result.status).toBe('non-finite');
    }
  });
});

describe('what a function may not do', () => {
  it.each(uses)('return something, %s', (_, solve) => {
    const returning = wrong<MatrixFree>((x: Float64Array) => A.multiply(x));
    expectRefused(
      engine,
      () => solve(returning),
      'INVALID_TYPE',
      /return nothing; it returned Float64Array\(42\)/,
    );
  });

  it.each(uses)('be asynchronous, %s', (_, solve) => {
    const late = wrong<MatrixFree>(async (x: Float64Array, y: Float64Array) => {
      await Promise.resolve();
      y.set(A.multiply(x));
    });
    expectRefused(
      engine,
      () => solve(late),
      'INVALID_TYPE',
      /Promise \(asynchronous functions cannot be used\)/,
    );
    const failing = wrong<MatrixFree>(() => Promise.reject(new Error('nobody waits for this')));
    expectRefused(engine, () => solve(failing), 'INVALID_TYPE', /Promise/);
  });

  it.each(uses)('throw: its error comes through, %s', (_, solve) => {
    const failure = new Error('mine');
    let calls = 0;
    const failing: MatrixFree = (x, y) => {
      if (++calls === 3) throw failure;
      y.set(A.multiply(x));
    };
    expect(() => solve(failing)).toThrow(failure);
    expect(calls).toBe(3);
    expect(engine.bytesInUse).toBe(0);
  });

  it('after an error the workspace goes on', () => {
    using workspace = engine.workspace(asFunction(A), { size: n });
    const failing: MatrixFree = () => {
      throw new RangeError('mine');
    };
    expect(() => engine.solve(failing, b, { workspace })).toThrow(RangeError);
    expectHonest(A, b, engine.solve(asFunction(A), b, { workspace }));
  });
});

describe('what a function may do', () => {
  it('solve other systems, so that memory grows under it', async () => {
    const fresh = await createEngine();
    const pages = fresh.kernel.buffer.byteLength;
    const inner = poisson2d(30, 30);
    const c = vector(900);
    let inside = 0;
    // Another solve between reading x and writing y.
    const call: MatrixFree = (x, y) => {
      const solved = fresh.solve(inner, c, { restart: 40 + inside++ });
      expect(solved.x.length).toBe(900);
      y.set(A.multiply(x));
    };
    const result = fresh.solve(call, b);
    expect(fresh.kernel.buffer.byteLength).toBeGreaterThan(pages);
    expectHonest(A, b, result);
    expect(result.status).toBe('converged');
    expect(result.x).toEqual(engine.solve(asFunction(A), b).x);
    expect(fresh.bytesInUse).toBe(0);
    fresh.dispose();
  });

  it('use the same function for systems inside one another', () => {
    const identity: MatrixFree = (x, y) => y.set(x);
    const outer: MatrixFree = (x, y) => y.set(engine.solve(identity, x).x);
    expectClose(engine.solve(outer, b).x, b, 1e-14);
  });

  it('be the inverse of something: a Schur complement', () => {
    using workspace = engine.workspace(A, { preconditioner: 'ilu0' });
    const call: MatrixFree = (x, y) => {
      const { x: solved } = engine.solve(A, x, { workspace, rtol: 1e-13 });
      for (let i = 0; i < n; i++) y[i] = 3 * x[i] - solved[i];
    };
    const { x, status } = engine.solve(call, b, { rtol: 1e-10 });
    expect(status).toBe('converged');
    const back = engine.solve(A, x, { rtol: 1e-13 }).x.map((value, i) => 3 * x[i] - value);
    expectClose(back, b, 1e-9);
  });

  it('dispose of what the solve uses: the solve ends, and all memory comes back', () => {
    const workspace = engine.workspace(asFunction(A), { size: n });
    const disposing: MatrixFree = (x, y) => {
      workspace.dispose();
      y.set(A.multiply(x));
    };
    const act = () => engine.solve(disposing, b, { workspace });
    expect(act).toThrow(/workspace was disposed/);
    expect(engine.bytesInUse).toBe(0);

    const preconditioner = engine.preconditioner(A, 'ilu0');
    const second: MatrixFree = (x, y) => {
      preconditioner.dispose();
      y.set(A.multiply(x));
    };
    expect(() => engine.solve(second, b, { preconditioner })).toThrow(/preconditioner was disposed/);
    expect(engine.bytesInUse).toBe(0);

    const seed = engine.seedSubspace(A, b);
    const third: MatrixFree = (x, y) => {
      seed.dispose();
      y.set(A.multiply(x));
    };
    expect(engine.solve(third, b, { seed }).converged).toBe(true);
    expect(engine.bytesInUse).toBe(0);
  });

  it('even dispose of the engine', async () => {
    const fresh = await createEngine();
    const disposing: MatrixFree = (x, y) => {
      fresh.dispose();
      y.set(A.multiply(x));
    };
    expect(() => fresh.solve(disposing, b)).toThrow(/disposed/);
    expect(fresh.bytesInUse).toBe(0);
    const another = await createEngine();
    const whileSeeding: MatrixFree = (x, y) => {
      another.dispose();
      y.set(A.multiply(x));
    };
    expect(() => another.seedSubspace(whileSeeding, b)).toThrow(/disposed/);
    expect(another.bytesInUse).toBe(0);
  });
});

it('a function as preconditioner: on either side, of a matrix or a function', () => {
  const inverse = A.diagonal().map((value) => 1 / value);
  const preconditioner: MatrixFree = (r, z) => {
    for (let i = 0; i < n; i++) z[i] = r[i] * inverse[i];
  };
  for (const matrix of [A, asFunction(A)]) {
    for (const method of METHODS) {
      for (const side of sidesOf(method)) {
        const result = engine.solve(matrix, b, { method, side, preconditioner });
        expect(result.status).toBe('converged');
        expectHonest(A, b, result);
      }
    }
  }
  const zero = engine.solve(A, b, { preconditioner: () => {} });
  expect(zero.converged).toBe(false);
  expectHonest(A, b, zero);
  for (const side of ['left', 'right'] as const) {
    const spoilt = engine.solve(A, b, { side, preconditioner: (_, z) => void z.fill(Infinity) });
    expect(spoilt.converged).toBe(false);
  }
});
