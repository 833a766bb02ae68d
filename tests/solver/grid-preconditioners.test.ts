import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type CsrMatrix,
  createEngine,
  csr,
  type Engine,
  fromTriplets,
  poisson2d,
  type SolveOptions,
} from '../../src/index.ts';
import { gridWidth } from '../../src/solver/five-point.ts';
import { fromTriplets as twinTriplets } from '../twins/csr.ts';
import { gridOf } from '../twins/five-point.ts';
import { random } from '../twins/random.ts';
import { mirrorMatrix } from '../twins/transform.ts';
import {
  asFunction,
  expectHonest,
  expectRefused,
  fromTwin,
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

type Entry = (i: number, j: number, di: number, dj: number) => number;

/** A five-point matrix on height x width cells; `entry` gives the value for a cell and a neighbour. */
function fivePoint(height: number, width: number, entry: Entry): CsrMatrix {
  const [row, col, data]: number[][] = [[], [], []];
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      for (const [di, dj] of [
        [-1, 0],
        [0, -1],
        [0, 0],
        [0, 1],
        [1, 0],
      ]) {
        const [p, q] = [i + di, j + dj];
        if (p < 0 || p >= height || q < 0 || q >= width) continue;
        row.push(i * width + j);
        col.push(p * width + q);
        data.push(entry(i, j, di, dj));
      }
    }
  }
  const n = height * width;
  return fromTriplets({ shape: [n, n], row, col, data });
}

/** Diffusion with a drift that goes round, and makes couplings of 0.2 to 1.8. */
const whirl: Entry = (i, j, di, dj) =>
  di === 0 && dj === 0
    ? 4.05
    : -1 + (0.8 * (di * (j - 30) - dj * (i - 30))) / (30 + Math.abs(i - 30) + Math.abs(j - 30));

describe('preconditioner "multigrid"', () => {
  const cases = METHODS.flatMap((method) =>
    (['csr', 'dia'] as const).flatMap((storage) =>
      sidesOf(method).map((side) => ({ method, storage, side })),
    ),
  );

  it.each(cases)(
    '$method, $storage, $side: far fewer iterations than without',
    ({ method, storage, side }) => {
      for (const [height, width] of [
        [48, 48],
        [31, 57],
        [60, 17],
      ]) {
        const A = method === 'cg' ? poisson2d(height, width) : fivePoint(height, width, whirl);
        const b = vector(height * width);
        const options: SolveOptions = { method, storage, side, rtol: 1e-9 };
        const plain = engine.solve(A, b, options);
        const { iterations } = plain;
        const result = engine.solve(A, b, { ...options, preconditioner: 'multigrid' });
        expectHonest(A, b, result, options);
        expect(result.status).toBe('converged');
        expect(result.storage).toBe(storage);
        expect(result.iterations).toBeLessThanOrEqual(iterations / 2);
      }
    },
  );

  it.each(METHODS)('in a workspace with new values, %s: nothing is allocated', (method) => {
    const [height, width] = [20, 23];
    const A = poisson2d(height, width);
    const b = vector(height * width);
    const values = [1, 3, 1e-3].map((factor) => A.data.map((value) => value * factor));
    for (const storage of ['csr', 'dia'] as const) {
      using workspace = engine.workspace(A, { method, storage, preconditioner: 'multigrid' });
      const { bytesInUse } = engine;
      const { byteLength } = engine.kernel.buffer;
      const counts = values.map((data) => {
        const result = engine.solve(A.setData(data), b, { workspace });
        expectHonest(A, b, result);
        return result.iterations;
      });
      // A factor changes nothing.
      expect(new Set(counts).size).toBe(1);
      expect(engine.bytesInUse).toBe(bytesInUse);
      expect(engine.kernel.buffer.byteLength).toBe(byteLength);
    }
  });

  it.each([100, 1000])('couplings %d times as strong along one axis', (ratio) => {
    for (const along of [0, 1]) {
      const A = fivePoint(60, 50, (_i, _j, di, dj) => {
        if (di === 0 && dj === 0) return 2 * (1 + ratio);
        return (di === 0) === (along === 0) ? -ratio : -1;
      });
      const b = vector(3000);
      const result = engine.solve(A, b, { method: 'bicgstab', preconditioner: 'multigrid' });
      expectHonest(A, b, result);
      expect(result.converged).toBe(true);
      expect(result.iterations).toBeLessThanOrEqual(10);
      // A workspace that was made of other values still solves.
      using workspace = engine.workspace(poisson2d(60, 50), {
        method: 'bicgstab',
        preconditioner: 'multigrid',
      });
      expect(engine.solve(A, b, { workspace, maxiter: 1000 }).converged).toBe(true);
    }
  });

  it('shares the diagonals with the operator', () => {
    const A = poisson2d(64, 64);
    const bytes = (['dia', 'csr'] as const).map((storage) => {
      using workspace = engine.workspace(A, { method: 'bicgstab', preconditioner: 'multigrid', storage });
      return workspace.bytes;
    });
    // Indices and row pointers are the other difference.
    expect(bytes[1] - bytes[0]).toBeGreaterThan(64 * 64 * 40);
  });

  it('made once, for other matrices of the grid, and made anew by update', () => {
    const [height, width] = [24, 26];
    const A = fivePoint(height, width, whirl);
    const b = vector(height * width);
    using preconditioner = engine.preconditioner(A, 'multigrid');
    const next = random(3);
    const other = A.data.map((value) => value * (1 + 0.05 * next()));
    const first = engine.solve(A, b, { preconditioner, method: 'bicgstab' }).iterations;
    A.setData(other);
    const result = engine.solve(A, b, { preconditioner, method: 'bicgstab' });
    expectHonest(A, b, result);
    expect(result.converged).toBe(true);
    preconditioner.update(A);
    const anew = engine.solve(A, b, { preconditioner, method: 'bicgstab' });
    expect(anew.converged).toBe(true);
    expect(anew.iterations).toBeLessThanOrEqual(first + 1);
  });

  it('a failed update says where, and the preconditioner cannot be used until one succeeds', () => {
    const A = poisson2d(6, 7);
    const b = vector(42);
    using preconditioner = engine.preconditioner(A, 'multigrid');
    const good = A.data.slice();
    const bad = good.slice();
    bad[A.indptr[20] + A.indices.subarray(A.indptr[20], A.indptr[21]).indexOf(20)] = 0;
    expectRefused(
      engine,
      () => preconditioner.update(A.setData(bad)),
      'ZERO_PIVOT',
      /"multigrid": row 20 has a zero/,
    );
    expectRefused(engine, () => engine.solve(A, b, { preconditioner }), 'ZERO_PIVOT', /update it again/);
    preconditioner.update(A.setData(good));
    expect(engine.solve(A, b, { preconditioner }).converged).toBe(true);
  });

  it('a diagonal entry that is zero or missing', () => {
    const missing = fromTriplets({ shape: [4, 4], row: [0, 1, 3, 1], col: [0, 1, 3, 2], data: [1, 1, 1, 1] });
    expectRefused(
      engine,
      () => engine.solve(missing, vector(4), { preconditioner: 'multigrid' }),
      'ZERO_PIVOT',
      /row 2 has no diagonal entry/,
    );
  });

  it('refuses what has no five-point pattern', () => {
    const cases: [n: number, entries: [number, number][], message: RegExp][] = [
      [
        12,
        [
          [0, 3],
          [0, 4],
        ],
        /entries 3 and 4 off the diagonal/,
      ],
      [
        12,
        [
          [5, 2],
          [5, 0],
        ],
        /entries 3 and 5 off the diagonal/,
      ],
      [10, [[0, 3]], /entries 3 off, and 10 rows, which is no multiple/],
    ];
    for (const [n, entries, message] of cases) {
      const all = [...entries, ...Array.from({ length: n }, (_, i): [number, number] => [i, i])];
      const A = fromTriplets({
        shape: [n, n],
        row: all.map(([i]) => i),
        col: all.map(([, j]) => j),
        data: all.map(([i, j]) => (i === j ? 4 : -1)),
      });
      for (const act of [
        () => engine.solve(A, vector(n), { preconditioner: 'multigrid' }),
        () => engine.workspace(A, { preconditioner: 'multigrid' }),
        () => engine.preconditioner(A, 'multigrid'),
      ]) {
        expectRefused(engine, act, 'INVALID_VALUE', message);
        expectRefused(engine, act, 'INVALID_VALUE', /needs a five-point matrix on an H x W grid/);
      }
    }
  });

  it('finds the grid that the twin finds, and refuses where it finds none', () => {
    const cases = fc.record({
      n: fc.integer({ min: 1, max: 40 }),
      width: fc.integer({ min: 1, max: 12 }),
      strays: fc.uniqueArray(fc.tuple(fc.nat(39), fc.nat(39)), {
        maxLength: 2,
        selector: ([i, j]) => 40 * i + j,
      }),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(cases, ({ n, width, strays, seed }) => {
        const next = random(seed);
        const all: [number, number][] = strays.filter(([i, j]) => i < n && j < n);
        for (let i = 0; i < n; i++) {
          for (const offset of new Set([-width, -1, 1, width])) {
            const j = i + offset;
            if (j >= 0 && j < n && next() < 0.8) all.push([i, j]);
          }
          all.push([i, i]);
        }
        const once = new Map(
          all.map(([i, j]): [number, [number, number, number]] => [i * n + j, [i, j, i === j ? 9 : -1]]),
        );
        const twin = twinTriplets([n, n], [...once.values()]);
        const wanted = gridOf(twin);
        const A = fromTwin(twin);
        expect(gridWidth(engine.kernel, A)).toBe(
          wanted === undefined || wanted.height === 1 ? 0 : wanted.width,
        );
        for (const storage of ['csr', 'dia'] as const) {
          const act = () => engine.workspace(A, { preconditioner: 'multigrid', storage }).dispose();
          if (wanted === undefined) expectRefused(engine, act, 'INVALID_VALUE', /needs a five-point matrix/);
          else act();
        }
      }),
    );
  });

  it('refuses a matrix-free system', () => {
    const A = poisson2d(4, 4);
    const act = () => engine.solve(asFunction(A), vector(16), { preconditioner: 'multigrid' });
    expectRefused(engine, act, 'INVALID_VALUE', /needs the entries of the matrix/);
  });

  it('an unknown kind', () => {
    const act = () => engine.preconditioner(poisson2d(2, 2), wrong('amg'));
    expectRefused(
      engine,
      act,
      'INVALID_VALUE',
      /must be "jacobi", "ilu0", "multigrid", "sine-transform", "cosine-transform"/,
    );
  });

  it('a tridiagonal matrix is a grid of one row, and a diagonal one too', () => {
    const n = 100;
    const line = fivePoint(1, n, (_i, _j, _di, dj) => (dj === 0 ? 2.001 : -1));
    const diagonal = csr({
      shape: [n, n],
      indptr: Array.from({ length: n + 1 }, (_, i) => i),
      indices: Array.from({ length: n }, (_, i) => i),
      data: vector(n).map((value) => 3 + value),
    });
    for (const A of [line, diagonal]) {
      const result = engine.solve(A, vector(n), { preconditioner: 'multigrid', method: 'bicgstab' });
      expectHonest(A, vector(n), result);
      expect(result.converged).toBe(true);
      expect(result.iterations).toBeLessThan(15);
    }
  });

  it('entries across the ends of rows are for the method alone', () => {
    const [n, width] = [240, 15];
    const offsets = [-width, -1, 0, 1, width];
    const entries = Array.from({ length: n }, (_, i) => i).flatMap((i) =>
      offsets.filter((offset) => i + offset >= 0 && i + offset < n).map((offset) => [i, i + offset]),
    );
    const A = fromTriplets({
      shape: [n, n],
      row: entries.map(([i]) => i),
      col: entries.map(([, j]) => j),
      data: entries.map(([i, j]) => (i === j ? 4.01 : -1)),
    });
    const result = engine.solve(A, vector(n), { preconditioner: 'multigrid', method: 'bicgstab' });
    expectHonest(A, vector(n), result);
    expect(result.converged).toBe(true);
  });

  it('an empty system, and one of one cell', () => {
    const none = fromTriplets({ shape: [0, 0], row: [], col: [], data: [] });
    const one = fromTriplets({ shape: [1, 1], row: [0], col: [0], data: [-4] });
    for (const method of METHODS) {
      expect(engine.solve(none, [], { method, preconditioner: 'multigrid' }).converged).toBe(true);
    }
    expect(engine.solve(one, [8], { preconditioner: 'multigrid' }).x[0]).toBeCloseTo(-2, 12);
  });

  it.each(METHODS)('far from dominant, %s: the status is honest', (method) => {
    const matrices = [
      // Indefinite.
      fivePoint(20, 20, (_i, _j, di, dj) => (di === 0 && dj === 0 ? 1 : -1)),
      // Couplings of the unusual sign, and larger than the diagonal.
      fivePoint(20, 20, (i, j, di, dj) => (di === 0 && dj === 0 ? 0.5 : ((i + j + di) % 3) - 1.2)),
      fivePoint(20, 20, (i, j, di, dj) =>
        di === 0 && dj === 0 ? 1 : 1e6 * (((i * 7 + j * 3 + dj) % 5) - 2),
      ),
      // Singular: all rows sum to zero.
      fivePoint(20, 20, (i, j, di, dj) =>
        di === 0 && dj === 0 ? (i > 0 ? 1 : 0) + (i < 19 ? 1 : 0) + (j > 0 ? 1 : 0) + (j < 19 ? 1 : 0) : -1,
      ),
    ];
    for (const A of matrices) {
      for (const side of sidesOf(method)) {
        const b = vector(400);
        const result = engine.solve(A, b, { method, side, preconditioner: 'multigrid', maxiter: 200 });
        expectHonest(A, b, result);
      }
    }
  });

  it('right-hand sides near the ends of the range of f64', () => {
    const A = poisson2d(15, 16);
    for (const factor of [1e-100, 1e100]) {
      const b = vector(240).map((value) => value * factor);
      const result = engine.solve(A, b, { preconditioner: 'multigrid', method: 'bicgstab' });
      expectHonest(A, b, result);
      expect(result.converged).toBe(true);
    }
  });
});

describe('preconditioner "sine-transform"', () => {
  const mild: Entry = (i, j, di, dj) =>
    di === 0 && dj === 0 ? 4.01 : -1 + 0.02 * (((i * 3 + j * 7 + di) % 5) - 2);

  it.each(METHODS)('%s: far fewer iterations where entries vary little; nothing is allocated', (method) => {
    const [height, width] = [30, 41];
    const A = method === 'cg' ? poisson2d(height, width) : fivePoint(height, width, mild);
    const b = vector(height * width);
    const values = [1, 3].map((factor) => A.data.map((value) => value * factor));
    for (const storage of ['csr', 'dia'] as const) {
      const plain = engine.solve(A, b, { method, storage }).iterations;
      using workspace = engine.workspace(A, { method, storage, preconditioner: 'sine-transform' });
      const { bytesInUse } = engine;
      for (const data of values) {
        const result = engine.solve(A.setData(data), b, { workspace });
        expectHonest(A, b, result);
        expect(result.converged).toBe(true);
        expect(result.iterations).toBeLessThanOrEqual(plain / 4);
      }
      expect(engine.bytesInUse).toBe(bytesInUse);
    }
  });

  it('refuses a mean that cannot be inverted, until the next update', () => {
    const A = poisson2d(4, 5);
    const good = A.data.slice();
    using preconditioner = engine.preconditioner(A, 'sine-transform');
    const bad = good.map((value) => (value > 0 ? 0 : value));
    expectRefused(
      engine,
      () => preconditioner.update(A.setData(bad)),
      'ZERO_PIVOT',
      /"sine-transform": the means/,
    );
    preconditioner.update(A.setData(good));
    expect(engine.solve(A, vector(20), { preconditioner }).converged).toBe(true);
  });

  it('refuses what has no five-point pattern', () => {
    const A = fromTriplets({ shape: [6, 6], row: [0, 0, 0], col: [0, 3, 4], data: [1, 1, 1] });
    const act = () => engine.solve(A, vector(6), { preconditioner: 'sine-transform' });
    expectRefused(engine, act, 'INVALID_VALUE', /needs a five-point matrix/);
  });
});

describe('preconditioner "cosine-transform"', () => {
  it.each(['points', 'between'] as const)(
    'hardly an iteration between mirrors, and auto takes it: %s',
    (border) => {
      const [height, width] = [24, 31];
      const couplings = { centre: 4.002, above: -1, below: -1, beside: -1 };
      const A = fromTwin(mirrorMatrix(height, width, border, couplings));
      const b = vector(height * width);
      const plain = engine.solve(A, b, { method: 'bicgstab', storage: 'dia' }).iterations;
      for (const preconditioner of ['cosine-transform', undefined] as const) {
        const result = engine.solve(A, b, { method: preconditioner ? 'bicgstab' : 'auto', preconditioner });
        expectHonest(A, b, result);
        expect(result.converged).toBe(true);
        expect(result.preconditioner).toBe('cosine-transform');
        expect(result.iterations).toBeLessThanOrEqual(2);
      }
      const sines = engine.solve(A, b, { method: 'bicgstab', preconditioner: 'sine-transform' }).iterations;
      expect(sines).toBeGreaterThan(4);
      expect(plain).toBeGreaterThan(10);
    },
  );

  it('refuses a mean that is singular, by name', () => {
    const couplings = { centre: 4, above: -1, below: -1, beside: -1 };
    const A = fromTwin(mirrorMatrix(5, 7, 'between', couplings));
    const act = () => engine.preconditioner(A, 'cosine-transform');
    expectRefused(engine, act, 'ZERO_PIVOT', /"cosine-transform": the means/);
  });
});
