import { all, create } from 'mathjs';
import { describe, expect, it, vi } from 'vitest';
import {
  createEngine,
  csr,
  fromDense,
  fromTriplets,
  type MatrixLike,
  poisson2d,
  randomDiagonallyDominant,
  solve,
} from '../../src/index.ts';
import { Kernel } from '../../src/wasm/kernel.ts';
import { mlSparse } from '../sparse/helpers.ts';
import { loadSystem, systemNamed } from '../twins/fixtures.ts';
import { norm, vector } from './helpers.ts';

const math = create(all);

const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, k) => Math.abs(value - b[k])));

const triplets = [
  [0, 0, 4],
  [0, 1, -1],
  [1, 0, -1],
  [1, 1, 3],
  [1, 1, 1],
] as [number, number, number][];
const rows = [
  [4, -1],
  [-1, 4],
];

it.each<[string, MatrixLike]>([
  ['triplets', triplets],
  ['triplets with a shape', { shape: [2, 2], triplets }],
  ['coordinates', { shape: [2, 2], row: [0, 0, 1, 1], col: [0, 1, 0, 1], data: [4, -1, -1, 4] }],
  ['rows', { shape: [2, 2], indptr: [0, 2, 4], indices: [0, 1, 0, 1], data: [4, -1, -1, 4] }],
  ['a matrix', fromDense(rows)],
  ['mathjs', math.sparse(rows)],
  ['ml-sparse-matrix', mlSparse(rows)],
])('one line, the matrix as %s', async (_, A) => {
  const { x, status } = await solve(A, [2, 7]);
  expect(status).toBe('converged');
  expect(worst(x, [1, 2])).toBeLessThan(1e-7);
});

it('a function, with options', async () => {
  const A = poisson2d(12, 12);
  const b = vector(144);
  const apply = (x: Float64Array, y: Float64Array) => y.set(A.multiply(x));
  const { x, status, method } = await solve(apply, b, { method: 'cg', rtol: 1e-12 });
  expect([status, method]).toEqual(['converged', 'cg']);
  const residual = A.multiply(x).map((value, k) => value - b[k]);
  expect(norm(residual)).toBeLessThan(1e-11 * norm(b));
});

it('is what mathjs finds, for both libraries', async () => {
  const A = randomDiagonallyDominant({ n: 60, perRow: 4, seed: 3 });
  const b = vector(60);
  const full = Array.from({ length: 60 }, (_, i) => Array.from(A.toDense().subarray(60 * i, 60 * i + 60)));
  const sparse = math.sparse(full);
  const exact = (math.lusolve(sparse, Array.from(b)) as { toArray(): number[][] }).toArray().flat();
  for (const given of [sparse, mlSparse(full)]) {
    const { x } = await solve(given, b, { rtol: 1e-13 });
    expect(worst(x, exact)).toBeLessThan(1e-11 * norm(exact));
  }
});

it.each(['convection_diffusion_2d', 'circuit_rc', 'reservoir_pressure', 'power_ieee14', 'graph_potential'])(
  "is SciPy's spsolve of %s",
  async (name) => {
    const record = systemNamed(name);
    const { A, b } = loadSystem(record);
    const { x, status } = await solve(csr(A), b, { rtol: 1e-12 });
    expect(status).toBe('converged');
    const bound = 1e-11 * (record.condition ?? 1) * record.direct!.norm;
    expect(Math.abs(norm(x) - record.direct!.norm)).toBeLessThan(bound);
    for (const [k, value] of record.direct!.entries) expect(Math.abs(x[k] - value)).toBeLessThan(bound);
  },
);

describe('refuses', () => {
  const seen = (code: string, message: RegExp) => ({ name: 'SeedspanError', code, message });
  const full3 = [
    [2, 0, 1],
    [0, 2, 0],
    [1, 0, 2],
  ] as [number, number, number][];
  it.each<[string, unknown, unknown, string, RegExp]>([
    [
      'a full matrix',
      rows,
      [1, 2],
      'INVALID_TYPE',
      /triplets, but \[0\] is Array\(2\); give a full matrix as fromDense/,
    ],
    [
      'what may be full',
      full3,
      [1, 2, 3],
      'INVALID_VALUE',
      /triplets or a full matrix; say which by fromTriplets/,
    ],
    ['an index too large', [[5, 0, 1]], [1, 2], 'INVALID_VALUE', /row\[0\] is 5/],
    ['text', 'A', [1], 'INVALID_TYPE', /must be of this package/],
    ['nothing', undefined, [1], 'INVALID_TYPE', /it is undefined/],
    ['no right-hand side', triplets, undefined, 'INVALID_TYPE', /b must be an array of numbers/],
    ['a full matrix of mathjs', math.matrix(rows), [1, 2], 'INVALID_TYPE', /give math.sparse/],
    ['another length', poisson2d(2, 2), [1, 2], 'SHAPE_MISMATCH', /b has length 2/],
  ])('%s', async (_, A, b, code, message) => {
    await expect(solve(A as MatrixLike, b as number[])).rejects.toMatchObject(seen(code, message));
  });

  it('what an engine made, and options that are none', async () => {
    const engine = await createEngine();
    const A = poisson2d(2, 2);
    const workspace = engine.workspace(A);
    const options = { workspace } as object;
    await expect(solve(A, vector(4), options)).rejects.toMatchObject(seen('UNKNOWN_OPTION', /"workspace"/));
    await expect(solve(A, vector(4), { tol: 1 } as object)).rejects.toMatchObject(
      seen('UNKNOWN_OPTION', /"tol"/),
    );
    engine.dispose();
  });
});

it('can be cancelled, and leaves nothing', async () => {
  const kernels: Kernel[] = [];
  const load = Kernel.instantiate.bind(Kernel);
  const spy = vi.spyOn(Kernel, 'instantiate').mockImplementation(async (build, module) => {
    kernels.push(await load(build, module));
    return kernels[kernels.length - 1];
  });
  const A = poisson2d(20, 20);
  await solve(A, vector(400));
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(solve(A, vector(400), { signal })).rejects.toThrow('enough');
  const singular = fromTriplets({ shape: [2, 2], triplets: [[0, 0, 1]] });
  await expect(solve(singular, [1, 1], { method: 'gmres', preconditioner: 'ilu0' })).rejects.toMatchObject({
    code: 'ZERO_PIVOT',
  });
  expect(kernels.length).toBe(3);
  for (const kernel of kernels) expect(kernel.bytesInUse).toBe(0);
  spy.mockRestore();
});
