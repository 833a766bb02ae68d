import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CsrMatrix,
  createEngine,
  type Engine,
  type EngineOptions,
  type ErrorCode,
  fromDense,
  fromTriplets,
  poisson2d,
  SeedspanError,
  type SolveOptions,
  type WorkspaceOptions,
} from '../../src/index.ts';
import { asFunction, expectRefused, expectRejected, vector, wrong } from './helpers.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  expect(engine.bytesInUse).toBe(0);
  engine.dispose();
});

const A = poisson2d(2, 2);
const b = [1, 2, 3, 4];

type Case = [what: string, value: unknown, code: ErrorCode, message: RegExp];

const vectors: Case[] = [
  ['too short', [1, 2, 3], 'SHAPE_MISMATCH', /has length 3, must be 4/],
  ['too long', new Float64Array(5), 'SHAPE_MISMATCH', /has length 5, must be 4/],
  ['null', null, 'INVALID_TYPE', /array of numbers, not null/],
  ['a string', '1234', 'INVALID_TYPE', /array of numbers, not "1234"/],
  ['a number', 4, 'INVALID_TYPE', /array of numbers, not 4/],
  ['big integers', new BigInt64Array(4), 'INVALID_TYPE', /not BigInt64Array\(4\)/],
  ['a buffer', new ArrayBuffer(32), 'INVALID_TYPE', /not ArrayBuffer/],
  ['a promise', Promise.resolve([1, 2, 3, 4]), 'INVALID_TYPE', /not Promise/],
  ['NaN', [1, Number.NaN, 3, 4], 'INVALID_VALUE', /\[1\] is NaN/],
  ['infinity', Float64Array.of(1, 2, 3, -Infinity), 'INVALID_VALUE', /\[3\] is -Infinity/],
  ['a hole', [1, 2, undefined, 4], 'INVALID_VALUE', /\[2\] is undefined/],
  ['a bigint inside', [1n, 2, 3, 4], 'INVALID_VALUE', /\[0\] is 1/],
  ['an array inside', [[1, 2], 2, 3, 4], 'INVALID_VALUE', /\[0\] is Array\(2\)/],
];

describe('b', () => {
  it.each([...vectors, ['missing', undefined, 'INVALID_TYPE', /not undefined/] as Case])(
    '%s',
    async (_, value, code, message) => {
      const named = new RegExp(`b.*${message.source}`);
      const given = wrong<number[]>(value);
      expectRefused(engine, () => engine.solve(A, given), code, named);
      using workspace = engine.workspace(A);
      expectRefused(engine, () => engine.solve(A, given, { workspace }), code, named);
      await expectRejected(engine, () => engine.solveAsync(A, given), code, named);
      expectRefused(engine, () => engine.seedSubspace(A, given), code, named);
      // The size of a function is b's length.
      if (code !== 'SHAPE_MISMATCH') {
        expectRefused(engine, () => engine.solve(asFunction(A), given), code, named);
        expectRefused(engine, () => engine.seedSubspace(asFunction(A), given), code, named);
      }
      expect(engine.solve(A, b, { workspace }).converged).toBe(true);
    },
  );
});

describe('x0', () => {
  it.each(vectors)('%s', async (_, value, code, message) => {
    const named = new RegExp(`x0.*${message.source}`);
    const options = wrong<SolveOptions>({ x0: value });
    expectRefused(engine, () => engine.solve(A, b, options), code, named);
    await expectRejected(engine, () => engine.solveAsync(A, b, options), code, named);
  });
});

describe('out', () => {
  const cases: Case[] = [
    ['too short', new Float64Array(3), 'SHAPE_MISMATCH', /out has length 3, must be 4/],
    ['a plain array', [0, 0, 0, 0], 'INVALID_TYPE', /out must be a Float64Array, not Array\(4\)/],
    ['another type', new Float32Array(4), 'INVALID_TYPE', /not Float32Array\(4\)/],
    ['null', null, 'INVALID_TYPE', /not null/],
  ];
  it.each(cases)('%s', async (_, value, code, message) => {
    const options = wrong<SolveOptions>({ out: value });
    expectRefused(engine, () => engine.solve(A, b, options), code, message);
    await expectRejected(engine, () => engine.solveAsync(A, b, options), code, message);
  });
});

describe('the matrix', () => {
  const cases: Case[] = [
    ['not square', fromDense([[1, 2, 3]]), 'SHAPE_MISMATCH', /1 x 3, must be square/],
    ['null', null, 'INVALID_TYPE', /it is null/],
    ['plain arrays', { ...A }, 'INVALID_TYPE', /made by csr, fromTriplets or fromDense/],
    ['a string', 'A', 'INVALID_TYPE', /it is "A"/],
  ];
  it.each(cases)('%s', (_, value, code, message) => {
    const given = wrong<CsrMatrix>(value);
    expectRefused(engine, () => engine.solve(given, b), code, message);
    expectRefused(engine, () => engine.workspace(given), code, message);
    expectRefused(engine, () => engine.seedSubspace(given, b), code, message);
    expectRefused(engine, () => engine.preconditioner(given, 'jacobi'), code, message);
  });

  it('a function without a size, or a size that is wrong', () => {
    const call = asFunction(A);
    expectRefused(engine, () => engine.workspace(call), 'INVALID_VALUE', /needs the option size/);
    expectRefused(engine, () => engine.workspace(A, { size: 5 }), 'SHAPE_MISMATCH', /4, must be 5.*size/);
    expectRefused(
      engine,
      () => engine.seedSubspace(call, b, { size: 5 }),
      'SHAPE_MISMATCH',
      /b has length 4/,
    );
    for (const size of [-1, 1.5, Number.NaN]) {
      expectRefused(engine, () => engine.workspace(call, { size }), 'INVALID_VALUE', /size is/);
    }
  });
});

it('a side for a method that has none', () => {
  const left = { method: 'bicgstab', side: 'left', preconditioner: 'jacobi' } as const;
  expectRefused(engine, () => engine.solve(A, b, left), 'INVALID_VALUE', /side "left" is for method "gmres"/);
});

describe('options', () => {
  const both: Case[] = [
    ['method', 'qr', 'INVALID_VALUE', /method is "qr", must be "gmres", "bicgstab", "cg"/],
    ['method', null, 'INVALID_VALUE', /method is null/],
    ['preconditioner', 'ilu', 'INVALID_VALUE', /preconditioner is "ilu", must be "none", "jacobi", "ilu0"/],
    ['preconditioner', {}, 'INVALID_VALUE', /preconditioner is Object/],
    ['side', 'both', 'INVALID_VALUE', /side is "both"/],
    ['storage', 'coo', 'INVALID_VALUE', /storage is "coo"/],
    ['restart', 0, 'INVALID_VALUE', /restart is 0, must be an integer, 1 or larger, at most 2147483647/],
    ['restart', 2.5, 'INVALID_VALUE', /restart is 2.5/],
    ['restart', '30', 'INVALID_TYPE', /restart is "30"/],
    ['restrat', 30, 'UNKNOWN_OPTION', /unknown option "restrat"; known: .*restart/],
  ];
  const solveOnly: Case[] = [
    ['rtol', -1e-8, 'INVALID_VALUE', /rtol is -1e-8/],
    ['rtol', Number.NaN, 'INVALID_VALUE', /rtol is NaN/],
    ['rtol', Infinity, 'INVALID_VALUE', /rtol is Infinity/],
    ['rtol', '1e-8', 'INVALID_TYPE', /rtol is "1e-8"/],
    ['rtol', null, 'INVALID_TYPE', /rtol is null/],
    ['atol', -1, 'INVALID_VALUE', /atol is -1/],
    ['atol', Number.NaN, 'INVALID_VALUE', /atol is NaN/],
    ['maxiter', -1, 'INVALID_VALUE', /maxiter is -1/],
    ['maxiter', 1.5, 'INVALID_VALUE', /maxiter is 1.5/],
    [
      'maxiter',
      Infinity,
      'INVALID_VALUE',
      /maxiter is Infinity, must be an integer, 0 or larger, at most 2147483647/,
    ],
    ['maxiter', 10n, 'INVALID_TYPE', /maxiter is 10/],
    ['history', 1, 'INVALID_TYPE', /history is 1, must be true or false/],
    ['projection', 'oblique', 'INVALID_VALUE', /projection is "oblique"/],
    ['seed', null, 'INVALID_TYPE', /seed must be made by engine.seedSubspace, not null/],
    ['seed', A, 'INVALID_TYPE', /seed must be made by engine.seedSubspace, not CsrMatrix/],
    ['tol', 1e-8, 'UNKNOWN_OPTION', /unknown option "tol"; known: .*rtol/],
  ];

  it.each(both)('%s: %s', async (name, value, code, message) => {
    const options = { [name]: value };
    expectRefused(engine, () => engine.solve(A, b, wrong<SolveOptions>(options)), code, message);
    expectRefused(engine, () => engine.workspace(A, wrong<WorkspaceOptions>(options)), code, message);
    await expectRejected(engine, () => engine.solveAsync(A, b, wrong<SolveOptions>(options)), code, message);
  });

  it.each(solveOnly)('%s: %s', async (name, value, code, message) => {
    const options = wrong<SolveOptions>({ [name]: value });
    expectRefused(engine, () => engine.solve(A, b, options), code, message);
    await expectRejected(engine, () => engine.solveAsync(A, b, options), code, message);
  });

  it('options that are none', async () => {
    for (const value of [null, 'gmres', 3]) {
      const options = wrong<SolveOptions>(value);
      const message = /options must be an object/;
      expectRefused(engine, () => engine.solve(A, b, options), 'INVALID_TYPE', message);
      expectRefused(engine, () => engine.workspace(A, options), 'INVALID_TYPE', message);
      expectRefused(engine, () => engine.seedSubspace(A, b, wrong(value)), 'INVALID_TYPE', message);
      await expectRejected(engine, () => engine.solveAsync(A, b, options), 'INVALID_TYPE', message);
    }
  });

  it('those of a seed', () => {
    const cases: Case[] = [
      ['dim', 0, 'INVALID_VALUE', /dim is 0, must be an integer, 1 or larger/],
      ['dim', '20', 'INVALID_TYPE', /dim is "20"/],
      ['rtol', -1, 'INVALID_VALUE', /rtol is -1/],
      ['method', 'gmres', 'UNKNOWN_OPTION', /unknown option "method"; known: dim/],
    ];
    for (const [name, value, code, message] of cases) {
      expectRefused(engine, () => engine.seedSubspace(A, b, { [name]: value }), code, message);
    }
  });

  it('those of an engine', async () => {
    const cases: Case[] = [
      ['build', 'avx', 'INVALID_VALUE', /build is "avx", must be "auto", "scalar"/],
      ['memoryLimit', 0, 'INVALID_VALUE', /memoryLimit is 0/],
      ['memoryLimit', Number.NaN, 'INVALID_VALUE', /memoryLimit is NaN/],
      ['threads', 4, 'UNKNOWN_OPTION', /unknown option "threads"/],
    ];
    for (const [name, value, code, message] of cases) {
      const made = createEngine(wrong<EngineOptions>({ [name]: value }));
      await expect(made).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    }
    await expect(createEngine(wrong<EngineOptions>(null))).rejects.toBeInstanceOf(SeedspanError);
  });
});

describe('preconditioners', () => {
  it('a zero or missing diagonal names its row', async () => {
    const stored = fromDense([
      [1, 2],
      [3, 4],
    ]).setData([1, 2, 3, 0]);
    const missing = fromTriplets({ shape: [2, 2], row: [0, 1], col: [1, 0], data: [1, 1] });
    for (const [matrix, row] of [[stored, 1] as const, [missing, 0] as const]) {
      const message = new RegExp(`row ${row} (has|gets)`);
      const act = () => engine.solve(matrix, [1, 1], { preconditioner: 'jacobi' });
      expectRefused(engine, act, 'ZERO_PIVOT', message);
      expectRefused(engine, () => engine.preconditioner(matrix, 'jacobi'), 'ZERO_PIVOT', message);
    }
    const message = /"ilu0": row 0 has no diagonal entry/;
    expectRefused(engine, () => engine.preconditioner(missing, 'ilu0'), 'ZERO_PIVOT', message);
    await expectRejected(
      engine,
      () => engine.solveAsync(missing, [1, 1], { preconditioner: 'ilu0' }),
      'ZERO_PIVOT',
      message,
    );
  });

  it('a pivot that elimination makes zero', () => {
    const matrix = fromDense([
      [1, 2],
      [2, 4],
    ]);
    const act = () => engine.solve(matrix, [1, 1], { preconditioner: 'ilu0' });
    expectRefused(engine, act, 'ZERO_PIVOT', /row 1 gets a zero/);
  });

  it('of another size, engine, kind or life', async () => {
    const made = engine.preconditioner(A, 'ilu0');
    const big = poisson2d(3, 3);
    const use = (preconditioner: SolveOptions['preconditioner'], matrix = A) =>
      engine.solve(matrix, vector(matrix.shape[0]), { preconditioner });
    expectRefused(engine, () => use(made, big), 'SHAPE_MISMATCH', /has 4 unknowns, the system 9/);
    expectRefused(engine, () => made.update(big), 'SHAPE_MISMATCH', /another pattern/);
    const other = await createEngine();
    expectRefused(
      engine,
      () => other.solve(A, b, { preconditioner: made }),
      'INVALID_VALUE',
      /another engine/,
    );
    expect(other.bytesInUse).toBe(0);
    other.dispose();
    made.dispose();
    expectRefused(engine, () => use(made), 'DISPOSED', /the preconditioner was disposed/);
    expectRefused(engine, () => made.update(A), 'DISPOSED', /the preconditioner was disposed/);
    const act = () => engine.preconditioner(A, wrong<'ilu0'>('none'));
    expectRefused(
      engine,
      act,
      'INVALID_VALUE',
      /kind is "none", must be "jacobi", "ilu0", "multigrid", "sine-transform", "cosine-transform"/,
    );
    const ofFunction = () => engine.preconditioner(wrong<CsrMatrix>(asFunction(A)), 'ilu0');
    expectRefused(engine, ofFunction, 'INVALID_TYPE', /made by csr/);
    const free = () => engine.solve(asFunction(A), b, { preconditioner: 'ilu0' });
    expectRefused(engine, free, 'INVALID_VALUE', /needs the entries of the matrix/);
  });

  it('after an update that failed it cannot be used, until one succeeds', () => {
    const matrix = poisson2d(2, 2);
    const values = matrix.data.slice();
    using made = engine.preconditioner(matrix, 'jacobi');
    matrix.setData(values.map(() => 0));
    expectRefused(engine, () => made.update(matrix), 'ZERO_PIVOT', /row 0/);
    matrix.setData(values);
    const act = () => engine.solve(matrix, b, { preconditioner: made });
    expectRefused(engine, act, 'ZERO_PIVOT', /update of the preconditioner failed/);
    made.update(matrix);
    expect(act().converged).toBe(true);
  });
});

it('products of what does not fit', () => {
  type Multiply = Parameters<Engine['multiply']>;
  const wide = fromDense([[1, 2, 3]]);
  expect([...engine.multiply(wide, [1, 1, 2])]).toEqual([9]);
  expect([...engine.multiply(wide, [2], { transpose: true })]).toEqual([2, 4, 6]);
  const cases: [unknown[], ErrorCode, RegExp][] = [
    [[null, [1]], 'INVALID_TYPE', /it is null/],
    [[wide, undefined], 'INVALID_TYPE', /x must be an array of numbers/],
    [[wide, [1]], 'SHAPE_MISMATCH', /x has length 1, must be 3/],
    [[wide, [1, 2, Number.NaN]], 'INVALID_VALUE', /x\[2\] is NaN/],
    [[wide, [1], { transpose: 'yes' }], 'INVALID_TYPE', /transpose is "yes"/],
    [[wide, [1, 2, 3], { out: [0] }], 'INVALID_TYPE', /out must be a Float64Array/],
    [[wide, [1, 2, 3], { out: new Float64Array(3) }], 'SHAPE_MISMATCH', /out has length 3, must be 1/],
    [[wide, [1, 2, 3], { adjoint: true }], 'UNKNOWN_OPTION', /"adjoint"/],
  ];
  for (const [args, code, message] of cases) {
    expectRefused(engine, () => engine.multiply(...(args as Multiply)), code, message);
  }
});
