import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createEngine,
  type Engine,
  fromDense,
  poisson2d,
  randomDiagonallyDominant,
  type SolveOptions,
  type WorkspaceOptions,
} from '../../src/index.ts';
import {
  asFunction,
  bytesKept,
  expectHonest,
  expectRefused,
  expectRejected,
  METHODS,
  PRECONDITIONERS,
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

const A = poisson2d(8, 9);
const n = 72;
const b = vector(n);

describe('no allocation', () => {
  const cases = METHODS.flatMap((method) =>
    [...PRECONDITIONERS, 'function' as const].flatMap((preconditioner) =>
      (['csr', 'dia'] as const).map((storage) => ({ method, preconditioner, storage })),
    ),
  );

  it.each(cases)('in the kernel: $method, $preconditioner, $storage', (one) => {
    const { method, storage } = one;
    const preconditioner =
      one.preconditioner === 'function'
        ? (r: Float64Array, z: Float64Array) => {
            z.set(r);
          }
        : one.preconditioner;
    using workspace = engine.workspace(A, { method, preconditioner, storage });
    using seed = engine.seedSubspace(A, b, { dim: 5 });
    expect(workspace).toMatchObject({ size: n, method, storage, preconditioner });
    const { bytesInUse } = engine;
    const { byteLength } = engine.kernel.buffer;
    const variants: SolveOptions[] = [{}, { x0: b }, { history: true }, { seed }, { maxiter: 2 }];
    for (const options of variants) {
      const result = engine.solve(A, b, { ...options, workspace });
      expectHonest(A, b, result);
    }
    expect(engine.bytesInUse).toBe(bytesInUse);
    expect(engine.kernel.buffer.byteLength).toBe(byteLength);
  });

  it('says how many bytes it holds', () => {
    const workspace = engine.workspace(A, { preconditioner: 'ilu0' });
    expect(workspace.bytes).toBe(engine.bytesInUse);
    expect(workspace.bytes).toBeGreaterThan(33 * n * 8);
    workspace.dispose();
  });

  it('in JavaScript: nothing is kept over 2,000 solves', async () => {
    using workspace = engine.workspace(A, { method: 'bicgstab', preconditioner: 'ilu0' });
    const out = new Float64Array(n);
    const options = { workspace, out };
    const values = A.data.slice();
    const solveMany = (count: number) => {
      for (let k = 0; k < count; k++) engine.solve(A.setData(values), b, options);
    };
    const heapAfter = async (count: number) => {
      solveMany(count);
      return bytesKept();
    };
    // Until the compilers have done with it.
    await heapAfter(3000);
    // The heap has other tenants, so the calmest of a few rounds counts; a leak would show in all of them.
    let least = Infinity;
    for (let round = 0; round < 4; round++) {
      const before = await heapAfter(500);
      least = Math.min(least, (await heapAfter(2000)) - before);
    }
    // A vector kept a solve would be 1.1 MB.
    expect(least).toBeLessThan(200_000);
  });

  it('in JavaScript: a solve leaves next to no garbage', () => {
    using workspace = engine.workspace(A, { preconditioner: 'jacobi' });
    const options = { workspace, out: new Float64Array(n) };
    for (let k = 0; k < 500; k++) engine.solve(A, b, options);
    const samples = Array.from({ length: 9 }, () => {
      const before = process.memoryUsage().heapUsed;
      for (let k = 0; k < 200; k++) engine.solve(A, b, options);
      return (process.memoryUsage().heapUsed - before) / 200;
    });
    // The median, since a collection in the middle of one makes it negative. A vector has 576 bytes.
    expect(samples.sort((p, q) => p - q)[4]).toBeLessThan(500);
  });
});

describe('what is reused', () => {
  it('the result object, and its x', () => {
    using workspace = engine.workspace(A);
    const first = engine.solve(A, b, { workspace });
    const { x } = first;
    const kept = x.slice();
    const second = engine.solve(A, vector(n, 2), { workspace });
    expect(second).toBe(first);
    expect(second.x).toBe(x);
    expect(x).not.toEqual(kept);
  });

  it('out takes the solution, the own x stays', () => {
    using workspace = engine.workspace(A);
    const { x } = engine.solve(A, b, { workspace });
    const kept = x.slice();
    const out = new Float64Array(n);
    expect(engine.solve(A, vector(n, 2), { workspace, out }).x).toBe(out);
    expect(x).toEqual(kept);
    expect(engine.solve(A, b, { workspace }).x).toBe(x);
    expect(engine.solve(A, b, { out }).x).toBe(out);
    expect(out).toEqual(kept);
  });

  it('out may be x0, or b', () => {
    const wanted = engine.solve(A, b, { x0: b }).x;
    const both = b.slice();
    engine.solve(A, b, { x0: both, out: both });
    expect(both).toEqual(wanted);
    const all = b.slice();
    engine.solve(A, all, { x0: all, out: all });
    expect(all).toEqual(wanted);
  });

  it('nothing of the solve before shows in the result', () => {
    using workspace = engine.workspace(A);
    using seed = engine.seedSubspace(A, b, { dim: 5 });
    const plain = { ...engine.solve(A, b, { workspace }) };
    plain.x = plain.x.slice();
    engine.solve(A, b, { workspace, seed, history: true, x0: b });
    expect(engine.solve(A, b, { workspace })).toEqual(plain);
  });

  it('a matrix of equal pattern, made anew', () => {
    using workspace = engine.workspace(A, { preconditioner: 'ilu0' });
    const other = poisson2d(8, 9);
    other.setData(other.data.map((value, k) => value + (k % 3) / 10));
    expectHonest(other, b, engine.solve(other, b, { workspace }));
  });

  it('another function in the place of the first', () => {
    using workspace = engine.workspace(asFunction(A), { size: n });
    const other = randomDiagonallyDominant({ n, seed: 4 });
    expectHonest(A, b, engine.solve(asFunction(A), b, { workspace }));
    expectHonest(other, b, engine.solve(asFunction(other), b, { workspace }));
  });
});

describe('what is refused', () => {
  const options: WorkspaceOptions = { method: 'gmres', preconditioner: 'jacobi', side: 'left', restart: 9 };

  it('another pattern, size or kind of matrix', () => {
    using workspace = engine.workspace(A, options);
    const smaller = poisson2d(8, 8);
    expectRefused(engine, () => engine.solve(smaller, vector(64), { workspace }), 'SHAPE_MISMATCH', /72.*64/);
    const other = randomDiagonallyDominant({ n, seed: 4 });
    expectRefused(engine, () => engine.solve(other, b, { workspace }), 'SHAPE_MISMATCH', /another pattern/);
    const call = asFunction(A);
    expectRefused(engine, () => engine.solve(call, b, { workspace }), 'SHAPE_MISMATCH', /made for a matrix/);
    using free = engine.workspace(call, { size: n });
    expectRefused(engine, () => engine.solve(A, b, { workspace: free }), 'SHAPE_MISMATCH', /for a function/);
    // Nothing of this harms it.
    expectHonest(A, b, engine.solve(A, b, { workspace }));
  });

  const contradictions: [string, SolveOptions][] = [
    ['method', { method: 'cg' }],
    ['preconditioner', { preconditioner: 'none' }],
    ['preconditioner', { preconditioner: () => {} }],
    ['side', { side: 'right' }],
    ['restart', { restart: 10 }],
    ['storage', { storage: 'csr' }],
  ];
  it.each(contradictions)('%s that contradicts it: %o', (name, given) => {
    using workspace = engine.workspace(A, options);
    const pattern = new RegExp(`made with ${name} .* asks for`);
    expectRefused(engine, () => engine.solve(A, b, { ...given, workspace }), 'INVALID_VALUE', pattern);
    expect(engine.solve(A, b, { ...options, workspace, storage: 'dia' }).converged).toBe(true);
  });

  it('a restart longer than the system is the system', () => {
    using workspace = engine.workspace(A, { restart: 1000 });
    expect(workspace.restart).toBe(n);
    expect(engine.solve(A, b, { workspace, restart: 500 }).converged).toBe(true);
  });

  it('storage "dia" where there is nothing to store', () => {
    const empty = fromDense([
      [0, 0],
      [0, 0],
    ]);
    expect(engine.solve(empty, [1, 1], { storage: 'dia' }).status).toBe('breakdown');
    expect(engine.solve(asFunction(A), b, { storage: 'dia' }).storage).toBe('function');
  });

  it('one of another engine, or none at all', async () => {
    const other = await createEngine();
    const workspace = other.workspace(A);
    expectRefused(engine, () => engine.solve(A, b, { workspace }), 'INVALID_VALUE', /this engine/);
    for (const value of [null, {}, 'workspace']) {
      const given = wrong<SolveOptions>({ workspace: value });
      expectRefused(engine, () => engine.solve(A, b, given), 'INVALID_VALUE', /workspace must be made/);
    }
    other.dispose();
  });

  it('one that was disposed of', () => {
    const workspace = engine.workspace(A);
    workspace.dispose();
    workspace.dispose();
    expect(workspace.disposed).toBe(true);
    expectRefused(engine, () => engine.solve(A, b, { workspace }), 'DISPOSED', /workspace was disposed/);
  });

  it('one that is in use by another solve', async () => {
    using workspace = engine.workspace(A);
    const first = engine.solveAsync(A, b, { workspace });
    await expectRejected(engine, () => engine.solveAsync(A, b, { workspace }), 'BUSY', /in use/);
    expectRefused(engine, () => engine.solve(A, b, { workspace }), 'BUSY', /in use/);
    expectHonest(A, b, await first);
    expect(engine.solve(A, b, { workspace }).converged).toBe(true);
  });

  it('one that its own matrix-free function uses', () => {
    using workspace = engine.workspace(() => {}, { size: n });
    const call = (x: Float64Array, y: Float64Array): void => {
      y.set(engine.solve(call, x, { workspace }).x);
    };
    expectRefused(engine, () => engine.solve(call, b, { workspace }), 'BUSY', /in use/);
    expect(engine.solve(asFunction(A), b, { workspace }).converged).toBe(true);
  });
});
