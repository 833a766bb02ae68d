import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CsrMatrix, createEngine, csr, type Engine, fromTriplets, poisson2d } from '../../src/index.ts';
import { toTriplets } from '../twins/csr.ts';
import { fivePoint, REGIMES } from '../twins/five-point.ts';
import { loadAnchor } from '../twins/fixtures.ts';
import { asFunction, expectClose, expectHonest, expectRefused, fromTwin, vector, wrong } from './helpers.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  expect(engine.bytesInUse).toBe(0);
  engine.dispose();
});

/** Diffusion and reaction with a drift, on a grid. */
function grid(height: number, width: number, drift = 0.3, reaction = 0.5): CsrMatrix {
  const A = poisson2d(height, width);
  const { indptr, indices } = A;
  const values = A.data.slice();
  for (let i = 0; i < A.shape[0]; i++) {
    for (let k = indptr[i]; k < indptr[i + 1]; k++) {
      values[k] += i === indices[k] ? reaction : indices[k] > i ? drift : -drift;
    }
  }
  return csr({ shape: A.shape, indptr, indices, data: values });
}

const METHOD = { method: 'bicgstab' } as const;

describe('mixed precision', () => {
  const anchors = [32, 64].flatMap((size) =>
    (['mild', 'stiff'] as const).map((regime) => ({ size, regime })),
  );

  it.each(anchors)('the direct solution: $regime, $size x $size', ({ size, regime }) => {
    const twin = fivePoint(loadAnchor(`field_${size}`).data, size, REGIMES[regime]);
    const A = fromTwin(twin.A);
    const direct = loadAnchor(`solution_${regime}_${size}`).data;
    const double = engine.solve(A, twin.b, { ...METHOD, precision: 'double' });
    for (const preconditioner of ['none', 'jacobi'] as const) {
      for (const [rtol, error] of [
        [1e-3, 1e-1],
        [1e-8, 1e-6],
        [1e-12, 1e-10],
      ]) {
        const result = engine.solve(A, twin.b, { ...METHOD, preconditioner, rtol });
        expect(result).toMatchObject({ status: 'converged', precision: 'mixed', preconditioner });
        expectHonest(A, twin.b, result, { rtol });
        expectClose(result.x, direct, error);
        if (rtol === 1e-8) expect(result.iterations).toBeLessThanOrEqual(0.65 * double.iterations);
      }
    }
  });

  it('is taken where there is such a way, and only there', () => {
    const A = grid(20, 16);
    const b = vector(320);
    const used = (options: object, matrix = A, c = b) => engine.solve(matrix, c, options).precision;
    expect(used(METHOD)).toBe('mixed');
    expect(used({ ...METHOD, storage: 'dia' })).toBe('mixed');
    expect(used({ ...METHOD, precision: 'double' })).toBe('double');
    expect(used({ ...METHOD, storage: 'csr' })).toBe('double');
    expect(used({ ...METHOD, preconditioner: 'ilu0' })).toBe('double');
    expect(used({ ...METHOD, preconditioner: 'multigrid' })).toBe('double');
    expect(used({ method: 'gmres' })).toBe('double');
    expect(engine.solve(asFunction(A), b, METHOD).precision).toBe('double');
    // Not worth it for the smallest, unless it is asked for.
    const small = grid(5, 4);
    expect(used(METHOD, small, vector(20))).toBe('double');
    expect(used({ ...METHOD, precision: 'mixed' }, small, vector(20))).toBe('mixed');
    expect(used({ method: 'auto', precision: 'mixed' })).toBe('mixed');
  });

  it('is refused where there is none', () => {
    const A = grid(20, 16);
    const b = vector(320);
    const precision = 'mixed';
    const message = /precision "mixed" is for method "bicgstab".*leave precision away/;
    for (const options of [
      { precision },
      { ...METHOD, precision, preconditioner: 'ilu0' },
      { ...METHOD, precision, storage: 'csr' },
    ] as const) {
      expectRefused(engine, () => engine.solve(A, b, options), 'INVALID_VALUE', message);
      expectRefused(engine, () => engine.workspace(A, options), 'INVALID_VALUE', message);
    }
    const options = { ...METHOD, precision } as const;
    expectRefused(engine, () => engine.solve(asFunction(A), b, options), 'INVALID_VALUE', message);
    const banded = fromTriplets({ shape: [9, 9], triplets: Array.from({ length: 9 }, (_, i) => [i, i, 2]) });
    expectRefused(engine, () => engine.solve(banded, vector(9), options), 'INVALID_VALUE', message);
    const half = wrong<'double'>('half');
    expectRefused(
      engine,
      () => engine.solve(A, b, { precision: half }),
      'INVALID_VALUE',
      /precision is "half"/,
    );
  });

  it('grids of any shape, with all of their entries or not', () => {
    for (const [height, width] of [
      [2, 200],
      [200, 2],
      [17, 23],
      [3, 701],
      [40, 8],
    ]) {
      const A = grid(height, width);
      const n = height * width;
      const b = vector(n);
      const whole = engine.solve(A, b, { ...METHOD, rtol: 1e-10 });
      expect([whole.status, whole.precision]).toEqual(['converged', 'mixed']);
      expectHonest(A, b, whole, { rtol: 1e-10 });
      // A gap in the pattern goes another way into the kernel.
      const triplets = toTriplets({ ...A, shape: [n, n] }).filter(([i, j]) => i !== 3 || j !== 2);
      const gap = fromTriplets({ shape: [n, n], triplets });
      const result = engine.solve(gap, b, { ...METHOD, rtol: 1e-10 });
      expect(result.status).toBe('converged');
      expectHonest(gap, b, result, { rtol: 1e-10 });
    }
  });

  it('ends of rows that are coupled: in double precision', () => {
    const A = grid(20, 16);
    const triplets = toTriplets({ ...A, shape: [320, 320] });
    const coupled = fromTriplets({ shape: [320, 320], triplets: [...triplets, [16, 15, -0.4]] });
    const b = vector(320);
    const result = engine.solve(coupled, b, METHOD);
    expect([result.status, result.precision]).toEqual(['converged', 'double']);
    expectHonest(coupled, b, result);
    const double = engine.solve(coupled, b, { ...METHOD, precision: 'double' });
    expect(result.iterations).toBe(double.iterations);
  });

  it('a workspace, again and again', () => {
    const A = grid(20, 16);
    const b = vector(320);
    const workspace = engine.workspace(A, METHOD);
    expect(workspace.precision).toBe('mixed');
    const values = A.data.slice();
    const diagonal = values.findIndex((_, k) => A.indices[k] === 40 && k >= A.indptr[40] && k < A.indptr[41]);
    const first = engine.solve(A, b, { workspace }).x.slice();
    for (const [factor, precision] of [
      [1e-9, 'double'],
      [1, 'mixed'],
      [0, 'double'],
      [1, 'mixed'],
    ] as const) {
      A.setData(values.map((value, k) => (k === diagonal ? factor * value : value)));
      const result = engine.solve(A, b, { workspace });
      expect([result.status, result.precision]).toEqual(['converged', precision]);
      expectHonest(A, b, result);
      if (factor === 1) expect(result.x).toEqual(first);
    }
    expect(() => engine.solve(A, b, { workspace, precision: 'double' })).toThrow(
      /made with precision "mixed", the solve asks for "double"/,
    );
    workspace.dispose();
  });

  it('starts, history, seeds, slices', async () => {
    const A = grid(20, 16);
    const b = vector(320);
    const options = { ...METHOD, history: true, x0: vector(320, 4) };
    const result = engine.solve(A, b, options);
    expectHonest(A, b, result);
    expect(result.precision).toBe('mixed');
    expect(result.history?.length).toBe(result.iterations + 1);
    const sliced = await engine.solveAsync(A, b, options);
    expect(sliced.x).toEqual(result.x);
    expect(sliced.history).toEqual(result.history);
    const seed = engine.seedSubspace(A, vector(320, 5), { dim: 12 });
    const projected = engine.solve(A, b, { ...METHOD, seed });
    expect([projected.status, projected.precision]).toEqual(['converged', 'mixed']);
    expectHonest(A, b, projected);
    seed.dispose();
  });

  it('has the same digits in every engine', async () => {
    const A = grid(37, 24);
    const b = vector(37 * 24);
    const other = await createEngine();
    expect(other.solve(A, b, METHOD).x).toEqual(engine.solve(A, b, METHOD).x);
    other.dispose();
  });

  it('batches say so', async () => {
    const A = grid(20, 16);
    const systems = [1, 2, 3].map((k) => ({ A, b: vector(320, k) }));
    for (const precision of ['auto', 'double'] as const) {
      let count = 0;
      for await (const result of engine.solveBatch(systems, { precision })) {
        expect(result).toMatchObject({
          status: 'converged',
          precision: precision === 'auto' ? 'mixed' : 'double',
        });
        count++;
      }
      expect(count).toBe(3);
    }
  });

  it('hard systems: never a wrong claim', () => {
    const b = vector(400);
    for (const reaction of [1e-8, 0, -0.3, -2]) {
      for (const drift of [0, 0.9, 20]) {
        const A = grid(20, 20, drift, reaction);
        for (const rtol of [1e-6, 1e-13]) {
          const result = engine.solve(A, b, { ...METHOD, rtol, maxiter: 2000 });
          expectHonest(A, b, result, { rtol });
          const double = engine.solve(A, b, { ...METHOD, rtol, maxiter: 2000, precision: 'double' });
          if (double.converged) expect(result.converged, `${reaction} ${drift} ${rtol}`).toBe(true);
        }
      }
    }
  });
});
