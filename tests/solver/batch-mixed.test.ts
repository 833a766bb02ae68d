import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type BatchOptions,
  type BatchResult,
  type BatchSystem,
  type CsrMatrix,
  createEngine,
  type Engine,
  fromTriplets,
  poisson2d,
} from '../../src/index.ts';
import { BUILDS } from '../kernel/harness.ts';
import { expectClose, expectHonest, vector } from './helpers.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ build: 'simd' });
});
beforeEach(() => {
  expect(engine.bytesInUse).toBe(0);
});
afterAll(() => engine.dispose());

const KINDS = ['none', 'jacobi', 'ilu0'] as const;
const LANES = [4, 8] as const;
const [width, height] = [13, 11];
const n = width * height;

/** Not symmetric; its values depend on the number, its pattern does not. */
function matrix(number: number): CsrMatrix {
  const A = poisson2d(width, height);
  return A.setData(
    A.data.map((value, k) => value * (1 + ((k * 7 + number * 13) % 11) / 100) + (value > 0 ? 0.3 : 0)),
  );
}

function systems(count: number): BatchSystem[] {
  return Array.from({ length: count }, (_, k) => ({ A: matrix(k), b: vector(n, k + 1) }));
}

function times(A: CsrMatrix, factor: number): CsrMatrix {
  return fromTriplets({
    shape: [n, n],
    triplets: rows(A).map(([i, j, value]): [number, number, number] => [i, j, factor * value]),
  });
}

function rows(A: CsrMatrix): [number, number, number][] {
  const triplets: [number, number, number][] = [];
  for (let i = 0; i < A.shape[0]; i++) {
    for (let k = A.indptr[i]; k < A.indptr[i + 1]; k++) triplets.push([i, A.indices[k], A.data[k]]);
  }
  return triplets;
}

/** Row i times factor(i), of matrix and right-hand side. */
function rowsTimes({ A, b }: BatchSystem, factor: (i: number) => number): BatchSystem {
  const data = Float64Array.from(rows(A), ([i, , value]) => value * factor(i));
  return { A: matrix(0).setData(data), b: Float64Array.from(b, (value, i) => value * factor(i)) };
}

async function all(given: readonly BatchSystem[], options: BatchOptions = {}): Promise<BatchResult[]> {
  const results: BatchResult[] = [];
  for await (const result of engine.solveBatch(given, options)) results.push(result);
  expect(engine.bytesInUse).toBe(0);
  return results;
}

function expectAllHonest(given: readonly BatchSystem[], results: readonly BatchResult[], rtol?: number) {
  expect(results.map(({ index }) => index)).toEqual(given.map((_, k) => k));
  results.forEach((result, k) => {
    const whole = { ...result, history: undefined, projectedResidualNorm: undefined, projected: undefined };
    expectHonest(given[k].A, given[k].b, whole, { rtol });
  });
}

describe('systems in single precision, refined', () => {
  it.each(KINDS)('meet tolerances of double precision; %s', async (preconditioner) => {
    const given = systems(11);
    for (const lanes of LANES) {
      for (const rtol of [1e-3, 1e-6, 1e-10, 1e-13]) {
        const results = await all(given, { preconditioner, lanes, precision: 'mixed', rtol });
        expectAllHonest(given, results, rtol);
        results.forEach((result, k) => {
          expect(result).toMatchObject({ converged: true, lanes, precision: 'mixed', preconditioner });
          if (rtol > 1e-10) return;
          expectClose(result.x, engine.solve(given[k].A, given[k].b, { rtol: 1e-13 }).x, 1e-8);
        });
      }
    }
  });

  it.each(BUILDS)('in the build %s', async (build) => {
    using other = await createEngine({ build });
    const given = systems(6);
    for (const preconditioner of KINDS) {
      const results: BatchResult[] = [];
      for await (const result of other.solveBatch(given, { preconditioner, precision: 'mixed' })) {
        results.push(result);
      }
      expectAllHonest(given, results);
      for (const result of results) expect(result).toMatchObject({ lanes: 8, precision: 'mixed' });
    }
  });

  it('are the same bits in any order, beside any neighbour, in lanes that are filled again', async () => {
    const hopeless = rowsTimes(systems(1)[0], (i) => 10 ** (2 * (i % 40) - 40));
    const given = [...systems(9), hopeless, ...systems(3).map(({ A, b }) => ({ A, b, x0: vector(n, 7) }))];
    given.splice(4, 0, { A: matrix(0), b: new Float64Array(n) });
    for (const lanes of LANES) {
      for (const preconditioner of KINDS) {
        const options = { lanes, preconditioner, precision: 'mixed' } as const;
        const wanted = await all(given, options);
        const last = given.length - 1;
        (await all([...given].reverse(), options)).forEach((result, k) => {
          expect({ ...result, index: last - k }).toEqual(wanted[last - k]);
        });
        for (const k of [0, 4, 10, last]) {
          expect(await all([given[k]], options)).toEqual([{ ...wanted[k], index: 0 }]);
        }
      }
    }
  });

  it('of any size of numbers', async () => {
    const [{ A, b }] = systems(1);
    const factors = [1, 1e-30, 1e30, 1e-200, 1e150];
    const given = factors.flatMap((f) =>
      factors.map((g) => ({ A: times(A, f), b: Float64Array.from(b, (value) => value * g) })),
    );
    const usable = given.filter(
      (_, k) => Math.abs(Math.log10(factors[k % 5] / factors[Math.floor(k / 5)])) < 290,
    );
    for (const preconditioner of KINDS) {
      const results = await all(usable, { preconditioner, precision: 'mixed' });
      expectAllHonest(usable, results);
      for (const { status, precision } of results)
        expect([status, precision]).toEqual(['converged', 'mixed']);
    }
  });

  it('whose squares leave the range of double precision', async () => {
    const given = [1e300, 1e-290].map((factor) => rowsTimes(systems(1)[0], () => factor));
    const results = await all(given, { precision: 'mixed' });
    expectAllHonest(given, results);
    for (const { status, precision } of results) expect([status, precision]).toEqual(['converged', 'mixed']);
  });

  it('go on from x0, however far away or near it is', async () => {
    const [{ A, b }] = systems(1);
    const { x } = engine.solve(A, b, { rtol: 1e-13 });
    const given = [
      { A, b, x0: x },
      { A, b, x0: x.map((value) => value * (1 + 1e-5)) },
      { A, b, x0: vector(n, 3).map((value) => value * 1e6) },
    ];
    const results = await all(given, { precision: 'mixed' });
    expectAllHonest(given, results);
    expect(results[0]).toMatchObject({ iterations: 0, x });
    expect(results[1].iterations).toBeLessThan(results[2].iterations);
    for (const { status, precision } of results) expect([status, precision]).toEqual(['converged', 'mixed']);
  });
});

describe('a system that single precision cannot solve', () => {
  const bad: Record<string, BatchSystem> = {
    'rows of all sizes': rowsTimes(systems(1)[0], (i) => 10 ** (2 * (i % 40) - 40)),
    'one faint row': rowsTimes(systems(1)[0], (i) => (i === 5 ? 1e-25 : 1)),
    'one huge row': rowsTimes(systems(1)[0], (i) => (i === 5 ? 1e200 : 1)),
    singular: { A: matrix(0).setData(new Float64Array(matrix(0).nnz)), b: vector(n) },
  };

  it.each(Object.keys(bad))('is solved in double precision, as if alone: %s', async (name) => {
    for (const preconditioner of name === 'singular' ? (['none'] as const) : KINDS) {
      const given = [...systems(3), bad[name], ...systems(9)];
      const results = await all(given, { preconditioner, precision: 'mixed' });
      expectAllHonest(given, results);
      const [wanted] = await all([bad[name]], { preconditioner, precision: 'double' });
      const { iterations, matvecs, ...rest } = results[3];
      expect(rest).toEqual({ ...rest, ...wanted, index: 3, iterations: undefined, matvecs: undefined });
      expect(iterations).toBeGreaterThanOrEqual(wanted.iterations);
      expect(matvecs).toBeGreaterThanOrEqual(wanted.matvecs);
      results.forEach(({ precision }, k) => {
        if (k !== 3) expect(precision).toBe('mixed');
      });
    }
  });

  it('beside many such ones, from its own start', async () => {
    const given = Array.from({ length: 21 }, (_, k) => ({
      ...rowsTimes(systems(k + 1)[k], (i) => 10 ** (2 * (i % 30) - 30)),
      x0: k % 3 === 0 ? vector(n, k) : undefined,
    }));
    const wanted = await all(given, { preconditioner: 'ilu0', precision: 'double' });
    const results = await all(given, { preconditioner: 'ilu0', precision: 'mixed' });
    results.forEach((result, k) => {
      const { iterations, matvecs, ...rest } = wanted[k];
      expect(result).toMatchObject(rest);
    });
  });

  it('from its own start, projected anew, with a seed', async () => {
    const [{ A, b }] = systems(1);
    using seed = engine.seedSubspace(A, b, { dim: 10 });
    const held = engine.bytesInUse;
    const given = [...systems(3), { ...bad['one faint row'], x0: vector(n, 3) }];
    const solve = async (precision: 'double' | 'mixed') => {
      const results: BatchResult[] = [];
      const options = { seed, precision, preconditioner: 'ilu0' } as const;
      for await (const result of engine.solveBatch(given, options)) results.push(result);
      expect(engine.bytesInUse).toBe(held);
      return results;
    };
    const [results, wanted] = [await solve('mixed'), await solve('double')];
    expectAllHonest(given, results);
    results.forEach(({ projected, projectedResidualNorm }, k) => {
      expect([projected, projectedResidualNorm]).toEqual([
        wanted[k].projected,
        wanted[k].projectedResidualNorm,
      ]);
    });
    expect(results.map(({ precision }) => precision)).toEqual(['mixed', 'mixed', 'mixed', 'double']);
    expect(results[3].x).toEqual(wanted[3].x);
  });

  it('by its count of iterations, which each of the two has', async () => {
    const [result] = await all(systems(1), { maxiter: 3, precision: 'mixed' });
    const [wanted] = await all(systems(1), { maxiter: 3, precision: 'double' });
    expect(result).toEqual({ ...wanted, iterations: 6, matvecs: result.matvecs });
    expect(result).toMatchObject({ status: 'max-iterations', precision: 'double' });
  });

  it('does not stop the loop from being left', async () => {
    let seen = 0;
    const given = Array.from({ length: 20 }, () => bad.singular);
    for await (const { status } of engine.solveBatch(given, { precision: 'mixed' })) {
      expect(status).toBe('breakdown');
      seen++;
      if (seen === 3) break;
    }
    expect(engine.bytesInUse).toBe(0);
  });
});

describe('which precision', () => {
  const precisionOf = async (options: BatchOptions) => {
    const [{ precision, lanes }] = await all(systems(1), options);
    return [precision, lanes];
  };

  it('auto: mixed where lanes are left to it and the tolerance allows', async () => {
    expect(await precisionOf({ preconditioner: 'ilu0' })).toEqual(['mixed', 8]);
    expect(await precisionOf({ preconditioner: 'ilu0', rtol: 1e-12 })).toEqual(['mixed', 8]);
    expect(await precisionOf({ preconditioner: 'ilu0', rtol: 1e-13 })).toEqual(['double', 4]);
    expect(await precisionOf({ preconditioner: 'ilu0', precision: 'double' })).toEqual(['double', 4]);
    expect(await precisionOf({ storage: 'csr' })).toEqual(['mixed', 8]);
    expect(await precisionOf({})).toEqual(['double', 1]);
    expect(await precisionOf({ lanes: 4 })).toEqual(['double', 4]);
    expect(await precisionOf({ lanes: 8 })).toEqual(['mixed', 8]);
    expect(await precisionOf({ lanes: 4, precision: 'mixed' })).toEqual(['mixed', 4]);
    expect(await precisionOf({ precision: 'mixed' })).toEqual(['mixed', 8]);
    expect(await precisionOf({ method: 'gmres', preconditioner: 'ilu0' })).toEqual(['double', 1]);
  });
});
