import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, type Engine, fromDense, fromTriplets, poisson2d } from '../../src/index.ts';
import { matrixTraits, rankedChoices } from '../../src/solver/auto.ts';
import { fivePoint } from '../twins/five-point.ts';
import { loadAnchor, loadSystem, systems } from '../twins/fixtures.ts';
import { mirrorMatrix } from '../twins/transform.ts';
import { asFunction, expectHonest, fromTwin, vector } from './helpers.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  expect(engine.bytesInUse).toBe(0);
  engine.dispose();
});

const anchors = ['field_32', 'field_64'].flatMap((name) => [0.6, 15].map((q) => ({ name, q })));

describe('method auto', () => {
  it.each(systems.filter((record) => record.solvedByScipy))('solves $name', (record) => {
    const { A, b } = loadSystem(record);
    const matrix = fromTwin(A);
    const result = engine.solve(matrix, b, { method: 'auto', rtol: 1e-10, maxiter: 5000 });
    expectHonest(matrix, b, result, { rtol: 1e-10 });
    expect(result.status).toBe('converged');
  });

  it.each(anchors)('takes multigrid where it pays: $name, q = $q', ({ name, q }) => {
    const { data, n } = loadAnchor(name);
    const { A, b } = fivePoint(data, n, q);
    const matrix = fromTwin(A);
    const result = engine.solve(matrix, b, { method: 'auto', precision: 'double' });
    expectHonest(matrix, b, result);
    expect(result.preconditioner).toBe('multigrid');
    expect(result.iterations).toBeLessThanOrEqual(6);
    // Single precision makes iterations cheaper than cycles.
    const mixed = engine.solve(matrix, b, { method: 'auto' });
    expectHonest(matrix, b, mixed);
    expect(mixed.method).toBe('bicgstab');
    // On the small stiff grid the two are level.
    if (q < 1 || n > 32) expect([mixed.preconditioner, mixed.precision]).toEqual(['none', 'mixed']);
  });

  it('reads the traits of a matrix', () => {
    expect(matrixTraits(engine.kernel, poisson2d(20, 20))).toMatchObject({
      n: 400,
      asymmetry: 0,
      scale: 1,
      indefinite: false,
      grid: 20,
      uniform: true,
      reflecting: false,
    });
    expect(matrixTraits(engine.kernel, poisson2d(20, 20)).dominance).toBeCloseTo(1, 12);
    const skew = fromDense([
      [0, 2, 0],
      [-2, 0, 1],
      [0, -1, 0],
    ]);
    expect(matrixTraits(engine.kernel, skew)).toMatchObject({
      asymmetry: 1,
      indefinite: true,
      dominance: Infinity,
      scale: Infinity,
    });
    const dominant = fromDense([
      [4, 1, 1],
      [0, 4, -1],
      [0, 0, 4],
    ]);
    expect(matrixTraits(engine.kernel, dominant)).toMatchObject({
      asymmetry: 1,
      grid: 0,
      density: 2,
      uniform: false,
    });
  });

  it.each(['points', 'between'] as const)('sees mirrors at the border, %s', (border) => {
    const A = fromTwin(mirrorMatrix(12, 15, border, { centre: 5, above: -1, below: -1, beside: -1 }));
    expect(matrixTraits(engine.kernel, A)).toMatchObject({ grid: 15, uniform: true, reflecting: true });
  });

  it('ranks by what the traits promise', () => {
    const plain = { asymmetry: 0.3, scale: 1, indefinite: false, grid: 0, uniform: false, reflecting: false };
    const traits = { n: 10_000, density: 5, dominance: 0.5, ...plain };
    expect(rankedChoices(traits, 1e-8)[0]).toEqual({ method: 'bicgstab', preconditioner: 'none' });
    const none = rankedChoices({ ...traits, dominance: 1.5 }, 1e-8);
    expect(none[0]).toEqual({ method: 'bicgstab', preconditioner: 'ilu0' });
    const stiff = rankedChoices({ ...traits, dominance: 0.999, grid: 100 }, 1e-8);
    expect(stiff[0]).toEqual({ method: 'bicgstab', preconditioner: 'multigrid' });
    const grid = { ...traits, dominance: 0.98, grid: 100 };
    expect(rankedChoices(grid, 1e-8, true)[0].preconditioner).toBe('none');
    const harder = { ...grid, dominance: 0.9999 };
    expect(rankedChoices(harder, 1e-8, true)[0].preconditioner).toBe('multigrid');
    const first = (other: Partial<typeof traits>) => rankedChoices({ ...traits, ...other }, 1e-8)[0];
    expect(first({ dominance: 0.999, asymmetry: 0.9 }).preconditioner).toBe('ilu0');
    expect(first({ dominance: 0.99, asymmetry: 0 })).toEqual({ method: 'cg', preconditioner: 'ilu0' });
    expect(first({ dominance: 0.5, asymmetry: 0 })).toEqual({ method: 'cg', preconditioner: 'none' });
    expect(first({ dominance: 0.99 }).preconditioner).toBe('ilu0');
    expect(first({ dominance: 0.5, scale: 1000 }).preconditioner).toBe('jacobi');
    const uniform = { dominance: 0.999, grid: 100, uniform: true };
    expect(first(uniform).preconditioner).toBe('sine-transform');
    expect(first({ ...uniform, reflecting: true }).preconditioner).toBe('cosine-transform');
    // No way is named twice, and the most robust ones are always there.
    for (const ranked of [none, stiff]) {
      expect(new Set(ranked.map((choice) => JSON.stringify(choice))).size).toBe(ranked.length);
      expect(ranked).toContainEqual({ method: 'gmres', preconditioner: 'ilu0' });
    }
  });

  it('tries another way when the first fails', async () => {
    // No diagonal, so no ILU(0); and skew-symmetric, so no BiCGSTAB either.
    const triplets: [number, number, number][] = [];
    for (let i = 0; i + 1 < 30; i += 2) triplets.push([i, i + 1, 1 + i], [i + 1, i, -1 - i]);
    const A = fromTriplets({ shape: [30, 30], triplets });
    const b = vector(30, 1);
    const out = new Float64Array(30);
    for (const result of [
      engine.solve(A, b, { method: 'auto', out }),
      await engine.solveAsync(A, b, { method: 'auto', out }),
    ]) {
      expectHonest(A, b, result);
      expect(result).toMatchObject({ status: 'converged', method: 'gmres', preconditioner: 'none' });
      expect(result.x).toBe(out);
    }
  });

  it('says what came nearest when all fail', () => {
    const A = fromDense([
      [1, 0, 0],
      [0, 2, 0],
      [0, 0, 0],
    ]);
    const result = engine.solve(A, [1, 1, 1], { method: 'auto' });
    expectHonest(A, [1, 1, 1], result);
    expect(result.converged).toBe(false);
    expect(result.residualNorm).toBeGreaterThanOrEqual(1 - 1e-12);
  });

  it('chooses the method alone where a preconditioner is given, and for functions', () => {
    const A = poisson2d(12, 12);
    const b = vector(144, 2);
    const given = engine.solve(A, b, { method: 'auto', preconditioner: 'jacobi' });
    expect(given).toMatchObject({ status: 'converged', preconditioner: 'jacobi' });
    expect(engine.solve(asFunction(A), b, { method: 'auto' })).toMatchObject({ status: 'converged' });
  });

  it('is settled when a workspace is made', () => {
    const A = poisson2d(12, 12);
    const workspace = engine.workspace(A, { method: 'auto' });
    expect(['bicgstab', 'cg', 'gmres']).toContain(workspace.method);
    const result = engine.solve(A, vector(144, 3), { workspace, method: 'auto' });
    expect(result.method).toBe(workspace.method);
    workspace.dispose();
  });
});
