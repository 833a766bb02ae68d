import { describe, expect, it } from 'vitest';
import {
  createEngine,
  type Engine,
  type ErrorCode,
  poisson2d,
  type SolveOptions,
  type WorkspaceOptions,
} from '../../src/index.ts';
import {
  bytesKept,
  expectHonest,
  expectRefused,
  expectRejected,
  METHODS,
  vector,
} from '../solver/helpers.ts';

const A = poisson2d(12, 12);
const n = 144;
const b = vector(n);

/** Everything that takes kernel memory, each with what it needs made before the limit bites. */
const actions: [what: string, act: (engine: Engine) => { dispose(): void } | undefined][] = [
  ...METHODS.flatMap((method) =>
    (['csr', 'dia'] as const).map((storage): [string, (engine: Engine) => undefined] => [
      `solve by ${method}, ${storage}`,
      (engine) => void engine.solve(A, b, { method, storage, preconditioner: 'ilu0' }),
    ]),
  ),
  ['workspace', (engine) => engine.workspace(A, { preconditioner: 'jacobi' })],
  ['matrix-free workspace', (engine) => engine.workspace(() => {}, { size: n, preconditioner: () => {} })],
  ['seed', (engine) => engine.seedSubspace(A, b)],
  ['preconditioner', (engine) => engine.preconditioner(A, 'ilu0')],
  ['product', (engine) => void engine.multiply(A, b)],
];

/** Bytes that an action needs: the least limit under which it succeeds, found by bisection. */
async function need(act: (engine: Engine) => { dispose(): void } | undefined): Promise<number> {
  let [low, high] = [0, 2 ** 20];
  while (high - low > 64) {
    const middle = (low + high) / 2;
    const engine = await createEngine({ memoryLimit: middle });
    try {
      act(engine);
      high = middle;
    } catch {
      low = middle;
    }
    engine.dispose();
  }
  return high;
}

describe('a memory limit', () => {
  it.each(actions)('reached anywhere in: %s', async (_, act) => {
    const bytes = await need(act);
    expect(bytes).toBeGreaterThan(n * 8);
    for (let share = 0; share < 24; share++) {
      const memoryLimit = Math.max(1, Math.floor((bytes * share) / 24));
      const engine = await createEngine({ memoryLimit });
      expectRefused(engine, () => act(engine), 'OUT_OF_MEMORY', /^no room for .* KiB.*memoryLimit/);
      expect(engine.bytesInUse).toBe(0);
      expect(engine.kernel.objects.size).toBe(0);
      engine.dispose();
    }
    const engine = await createEngine({ memoryLimit: bytes });
    const made = act(engine);
    expect(engine.bytesInUse).toBeLessThanOrEqual(bytes);
    made?.dispose();
    expect(engine.bytesInUse).toBe(0);
    // Nothing is lost: it can be done again and again.
    for (let k = 0; k < 3; k++) act(engine)?.dispose();
    engine.dispose();
  });

  it('is counted with what is there already', async () => {
    const engine = await createEngine({ memoryLimit: 100_000 });
    const workspace = engine.workspace(A, { method: 'cg' });
    const held = engine.bytesInUse;
    const act = () => engine.workspace(A, { restart: 100 });
    expectRefused(engine, act, 'OUT_OF_MEMORY', /beside \d+ KiB in use/);
    expect(engine.bytesInUse).toBe(held);
    await expectRejected(
      engine,
      () => engine.solveAsync(A, b, { restart: 100 }),
      'OUT_OF_MEMORY',
      /no room for/,
    );
    expectHonest(A, b, engine.solve(A, b, { workspace }));
    workspace.dispose();
    engine.dispose();
  });

  it('sizes that no memory has are refused', async () => {
    const engine = await createEngine();
    const big = 1e6;
    const act: [() => unknown, ErrorCode][] = [
      [() => engine.workspace(() => {}, { size: big, restart: big }), 'OUT_OF_MEMORY'],
      [() => engine.workspace(() => {}, { size: 2 ** 31 - 1 }), 'OUT_OF_MEMORY'],
      [() => engine.workspace(() => {}, { size: 2 ** 29, method: 'cg' }), 'OUT_OF_MEMORY'],
      [() => engine.workspace(() => {}, { size: 2 ** 31 }), 'INVALID_VALUE'],
      [() => engine.seedSubspace(() => {}, new Float64Array(big), { dim: big }), 'OUT_OF_MEMORY'],
    ];
    for (const [make, code] of act) expectRefused(engine, make, code, /no room for|size is/);
    expect(engine.bytesInUse).toBe(0);
    expectHonest(A, b, engine.solve(A, b));
    engine.dispose();
  });
});

describe('disposing', () => {
  it('gives back everything, in any order', async () => {
    const engine = await createEngine();
    const make = () => [
      engine.workspace(A),
      engine.preconditioner(A, 'ilu0'),
      engine.seedSubspace(A, b),
      engine.workspace(A, { method: 'bicgstab', preconditioner: 'ilu0', storage: 'csr' }),
      engine.preconditioner(A, 'jacobi'),
    ];
    const orders = [
      [0, 1, 2, 3, 4],
      [4, 3, 2, 1, 0],
      [2, 0, 4, 1, 3],
      [1, 3, 0, 4, 2],
    ];
    for (const order of orders) {
      const made = make();
      let held = engine.bytesInUse;
      for (const k of order) {
        made[k].dispose();
        expect(engine.bytesInUse).toBeLessThan(held);
        held = engine.bytesInUse;
        made[k].dispose();
        expect(engine.bytesInUse).toBe(held);
      }
      expect(engine.bytesInUse).toBe(0);
    }
    engine.dispose();
  });

  it('memory does not grow over many lives', async () => {
    const engine = await createEngine();
    const round = () => {
      engine.solve(A, b, { preconditioner: 'ilu0', restart: 50 });
      const workspace = engine.workspace(A);
      const seed = engine.seedSubspace(A, b);
      workspace.dispose();
      engine.solve(A, b, { seed, method: 'bicgstab' });
      seed.dispose();
    };
    round();
    const { byteLength } = engine.kernel.buffer;
    for (let k = 0; k < 50; k++) round();
    expect(engine.kernel.buffer.byteLength).toBe(byteLength);
    engine.dispose();
  });

  it('forgets the functions of matrix-free systems', async () => {
    const engine = await createEngine();
    const size = 20_000;
    const right = new Float64Array(size).fill(1);
    const identity = (x: Float64Array, y: Float64Array) => y.set(x);
    const round = () => engine.solve(identity, right, { preconditioner: identity, method: 'cg' });
    round();
    const before = await bytesKept();
    for (let k = 0; k < 40; k++) round();
    // Each has two vectors, of 320 kB together.
    expect((await bytesKept()) - before).toBeLessThan(2e6);
    engine.dispose();
  });

  it('of the engine disposes of all that it made', async () => {
    const engine = await createEngine();
    const made = [engine.workspace(A), engine.preconditioner(A, 'ilu0'), engine.seedSubspace(A, b)];
    engine.dispose();
    engine.dispose();
    expect(engine.bytesInUse).toBe(0);
    expect(engine.disposed).toBe(true);
    for (const object of made) {
      expect(object.disposed).toBe(true);
      object.dispose();
    }
    expect(engine.bytesInUse).toBe(0);
  });

  it('and then nothing of it can be used', async () => {
    const engine = await createEngine();
    engine.dispose();
    const uses = [
      () => engine.solve(A, b),
      () => engine.workspace(A),
      () => engine.preconditioner(A, 'jacobi'),
      () => engine.seedSubspace(A, b),
      () => engine.multiply(A, b),
    ];
    for (const use of uses) expectRefused(engine, use, 'DISPOSED', /the engine was disposed/);
    await expectRejected(engine, () => engine.solveAsync(A, b), 'DISPOSED', /the engine was disposed/);
  });

  it('by `using`, also when the block throws', async () => {
    const engine = await createEngine();
    const act = () => {
      using workspace = engine.workspace(A);
      using seed = engine.seedSubspace(A, b);
      using preconditioner = engine.preconditioner(A, 'jacobi');
      expect(seed.size + preconditioner.size + workspace.size).toBeGreaterThan(n);
      throw new Error('mine');
    };
    expect(act).toThrow('mine');
    expect(engine.bytesInUse).toBe(0);
    {
      using scoped = engine;
      expect(scoped.disposed).toBe(false);
    }
    expect(engine.disposed).toBe(true);
  });

  it('engines do not know of each other', async () => {
    const [one, two] = await Promise.all([createEngine(), createEngine()]);
    const workspace = one.workspace(A);
    expect(two.bytesInUse).toBe(0);
    two.dispose();
    const options: SolveOptions & WorkspaceOptions = { workspace };
    expectHonest(A, b, one.solve(A, b, options));
    one.dispose();
  });
});

it('a view survives growth of the memory', async () => {
  const engine = await createEngine();
  const workspace = engine.workspace(A);
  const seed = engine.seedSubspace(A, b, { dim: 8 });
  const wanted = { ...engine.solve(A, b, { workspace, seed }) };
  wanted.x = wanted.x.slice();
  const basis = seed.basis();
  const { byteLength } = engine.kernel.buffer;
  const large = engine.workspace(() => {}, { size: 200_000, method: 'cg' });
  expect(engine.kernel.buffer.byteLength).toBeGreaterThan(byteLength);
  expect(engine.solve(A, b, { workspace, seed })).toEqual(wanted);
  expect(seed.basis()).toEqual(basis);
  large.dispose();
  expect(engine.solve(A, b, { workspace, seed })).toEqual(wanted);
  engine.dispose();
});
