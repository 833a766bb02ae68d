import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CsrMatrix,
  createEngine,
  csr,
  type Engine,
  type FactorizationSolveOptions,
  type FactorizeOptions,
  fromDense,
  fromTriplets,
  poisson2d,
} from '../../src/index.ts';
import { toDense, transposedProduct } from '../twins/csr.ts';
import { solve as denseSolve } from '../twins/dense.ts';
import { loadSystem, systemNamed, systems } from '../twins/fixtures.ts';
import { random, randomDominant } from '../twins/random.ts';
import { expectClose, expectRefused, fromTwin, norm, residual, vector, wrong } from './helpers.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  expect(engine.bytesInUse).toBe(0);
  engine.dispose();
});

const regular = systems.filter(({ condition }) => condition !== null);
const twin = randomDominant(80, 0.06, random(1));
const A = fromTwin(twin);
const b = vector(80);

describe('factorize', () => {
  it.each(regular)('solves $name to the level of rounding', (record) => {
    const { A: own, b } = loadSystem(record);
    const matrix = fromTwin(own);
    using factors = engine.factorize(matrix);
    const result = factors.solve(b, { rtol: 1e-10 });
    const left = norm(residual(matrix, b, result.x));
    expect(result).toMatchObject({ status: 'converged', converged: true });
    expect(left).toBeLessThanOrEqual(1e-10 * norm(b));
    expect(result.backwardError).toBeLessThan(1e-14);
    expect(Math.abs(result.residualNorm - left)).toBeLessThanOrEqual(1e-12 * norm(b));
    for (const [index, value] of record.direct?.entries ?? []) {
      expect(Math.abs(result.x[index] - value)).toBeLessThan(
        1e-14 * (record.condition ?? 1) * (record.direct?.norm ?? 1),
      );
    }
  });

  it('says what singular systems leave', () => {
    for (const name of ['singular_consistent', 'singular_inconsistent']) {
      const { A: own, b } = loadSystem(systemNamed(name));
      using factors = engine.factorize(fromTwin(own));
      const result = factors.solve(b, { rtol: 1e-10 });
      expect(result.converged).toBe(result.residualNorm <= 1e-10 * result.rightHandSideNorm);
      expect(result.converged).toBe(name === 'singular_consistent');
      expect(factors.conditionEstimate()).toBeGreaterThan(1e14);
    }
  });

  it('solves with the transpose, into the given array, and refines or not', () => {
    using factors = engine.factorize(A);
    const out = new Float64Array(80);
    const result = factors.solve(b, { transpose: true, out });
    expect(result.x).toBe(out);
    expectClose(transposedProduct(twin, out), b, 1e-14);
    const plain = factors.solve(b, { refine: false });
    expect(plain).toMatchObject({ status: 'converged', refinements: 0 });
    expectClose(plain.x, denseSolve(toDense(twin), b), 1e-13);
    expect(factors.solve(b, { refine: 1 }).refinements).toBeLessThanOrEqual(1);
    expect(factors.solve(b, { rtol: 0, atol: 1 }).status).toBe('converged');
    expect(factors.solve(b, { rtol: 0 }).status).toBe('stagnated');
    expect(factors.solve(b, { rtol: 0, refine: false }).status).toBe('max-iterations');
  });

  it('solves many, as arrays or in one, as one by one', () => {
    using factors = engine.factorize(A);
    const before = engine.bytesInUse;
    for (const count of [0, 1, 2, 5, 16, 17, 35]) {
      const B = Array.from({ length: count }, (_, k) => vector(80, 10 + k));
      const all = Float64Array.from(B.flatMap((column) => [...column]));
      for (const transpose of [false, true]) {
        const results = factors.solveMany(B, { transpose });
        const out = new Float64Array(80 * count);
        const inOne = factors.solveMany(all, { transpose, out });
        expect(results.length).toBe(count);
        results.forEach(({ x, status }, k) => {
          expect(status).toBe('converged');
          expectClose(x, factors.solve(B[k], { transpose }).x, 1e-14);
          expect(inOne[k].x).toEqual(x);
          expect(out.subarray(80 * k, 80 * k + 80)).toEqual(x);
        });
      }
    }
    expect(engine.bytesInUse).toBe(before);
  });

  it('takes other values without allocating, and says when pivots had to be chosen anew', () => {
    const P = poisson2d(14, 13);
    const right = vector(182);
    using factors = engine.factorize(P, { kind: 'lu' });
    const before = engine.bytesInUse;
    expect(factors.bytes).toBe(before);
    const next = random(3);
    for (let round = 0; round < 3; round++) {
      const values = P.data.map((value) => value * (1 + next()));
      const other = poisson2d(14, 13).setData(values);
      const { x } = factors.update(other).solve(right);
      expect(factors).toMatchObject({ reused: true, kind: 'lu' });
      expectClose(other.multiply(x), right, 1e-13);
    }
    expect(engine.bytesInUse).toBe(before);
    const hollow = poisson2d(14, 13).setData(P.data.map((value) => (value > 0 ? 0.001 * value : value)));
    const { x } = factors.update(hollow).solve(right);
    expectClose(hollow.multiply(x), right, 1e-11);
    expect(factors.bytes).toBe(engine.bytesInUse);
  });

  it('says what it did', () => {
    using ldl = engine.factorize(poisson2d(20, 20));
    expect(ldl).toMatchObject({ kind: 'ldl', ordering: 'amd', size: 400, reused: false });
    using lu = engine.factorize(poisson2d(20, 20), { kind: 'lu', ordering: 'nested-dissection' });
    expect(lu).toMatchObject({ kind: 'lu', ordering: 'nested-dissection' });
    const unset = { ordering: 'natural', kind: undefined, pivotThreshold: undefined } as const;
    using natural = engine.factorize(poisson2d(20, 20), unset);
    expect(natural.kind).toBe('ldl');
    expect(natural.ordering).toBe('natural');
    expect(natural.nonzeros).toBeGreaterThan(ldl.nonzeros);
    expect(lu.nonzeros).toBeGreaterThan(1.5 * ldl.nonzeros);
    expect(ldl.conditionEstimate()).toBeGreaterThan(100);
  });

  it('small sizes', () => {
    using none = engine.factorize(csr({ shape: [0, 0], indptr: [0], indices: [], data: [] }));
    expect(none.solve([])).toMatchObject({ status: 'converged', residualNorm: 0 });
    expect(none.solveMany([[], []]).length).toBe(2);
    expect(none.solveMany(new Float64Array(0))).toEqual([]);
    using one = engine.factorize(fromDense([[-4]]));
    expect([...one.solve([6]).x]).toEqual([-1.5]);
    using zeroB = engine.factorize(A);
    expect(zeroB.solve(new Float64Array(80))).toMatchObject({ status: 'converged', backwardError: 0 });
  });

  it('overflow is not finite, and not refused', () => {
    using factors = engine.factorize(fromDense([[1e-300]]));
    expect(factors.solve([1e300])).toMatchObject({ status: 'non-finite', converged: false });
    expect(factors.solve([1e-10]).status).toBe('converged');
  });
});

describe('what cannot be used', () => {
  const refused = (act: () => unknown, code: Parameters<typeof expectRefused>[2], message: RegExp) =>
    expectRefused(engine, act, code, message);

  it('matrices', () => {
    refused(
      () => engine.factorize(wrong<CsrMatrix>(1)),
      'INVALID_TYPE',
      /factorize: the matrix must be made by/,
    );
    const wide = fromTriplets({ shape: [2, 3], row: [0], col: [0], data: [1] });
    refused(() => engine.factorize(wide), 'SHAPE_MISMATCH', /2 x 3, must be square/);
    const empty = fromTriplets({ shape: [3, 3], row: [0, 2], col: [0, 2], data: [1, 1] });
    refused(() => engine.factorize(empty), 'ZERO_PIVOT', /singular: no pivot is left in column 1/);
    const dependent = fromDense([
      [1, 2],
      [2, 4],
    ]);
    refused(() => engine.factorize(dependent), 'ZERO_PIVOT', /singular/);
    const spoilt = poisson2d(3, 3);
    spoilt.data[4] = Number.NaN;
    refused(() => engine.factorize(spoilt), 'INVALID_VALUE', /not finite/);
  });

  it('options', () => {
    const cases: [object, Parameters<typeof expectRefused>[2], RegExp][] = [
      [{ ordering: 'rcm' }, 'INVALID_VALUE', /ordering is "rcm", must be "auto", "amd"/],
      [{ kind: 'qr' }, 'INVALID_VALUE', /kind is "qr"/],
      [{ pivotThreshold: 0 }, 'INVALID_VALUE', /pivotThreshold is 0/],
      [{ pivotThreshold: 1.5 }, 'INVALID_VALUE', /pivotThreshold is 1.5/],
      [{ pivotThreshold: '1' }, 'INVALID_TYPE', /pivotThreshold is "1"/],
      [{ pivot: 1 }, 'UNKNOWN_OPTION', /unknown option "pivot"/],
    ];
    for (const [options, code, message] of cases) {
      refused(() => engine.factorize(A, wrong<FactorizeOptions>(options)), code, message);
    }
    using factors = engine.factorize(A);
    const solving: [object, Parameters<typeof expectRefused>[2], RegExp][] = [
      [{ transpose: 1 }, 'INVALID_TYPE', /transpose is 1/],
      [{ refine: -1 }, 'INVALID_VALUE', /refine is -1/],
      [{ refine: 'yes' }, 'INVALID_TYPE', /refine is "yes"/],
      [{ rtol: -1 }, 'INVALID_VALUE', /rtol is -1/],
      [{ out: [] }, 'INVALID_TYPE', /out must be a Float64Array/],
      [{ out: new Float64Array(3) }, 'SHAPE_MISMATCH', /out has length 3/],
      [{ side: 'left' }, 'UNKNOWN_OPTION', /unknown option "side"/],
    ];
    for (const [options, code, message] of solving) {
      refused(() => factors.solve(b, wrong<FactorizationSolveOptions>(options)), code, message);
      refused(() => factors.solveMany([b], wrong<FactorizationSolveOptions>(options)), code, message);
    }
  });

  it('right-hand sides', () => {
    using factors = engine.factorize(A);
    refused(() => factors.solve([1, 2]), 'SHAPE_MISMATCH', /b has length 2, must be 80/);
    refused(() => factors.solve(b.map(() => Number.NaN)), 'INVALID_VALUE', /b\[0\]/);
    refused(
      () => factors.solveMany(new Float64Array(81)),
      'SHAPE_MISMATCH',
      /81 numbers, must be a multiple/,
    );
    refused(() => factors.solveMany([b, [1]]), 'SHAPE_MISMATCH', /B\[1\] has length 1/);
    const far = Array.from({ length: 20 }, () => vector(80));
    far[18][3] = Infinity;
    refused(() => factors.solveMany(far), 'INVALID_VALUE', /B\[18\].*b\[3\]/);
    refused(() => factors.solveMany(wrong<Float64Array>('b')), 'INVALID_TYPE', /B must be a Float64Array or/);
  });

  it('updates: another pattern, or singular; and a good one mends it', () => {
    using factors = engine.factorize(A);
    refused(() => factors.update(poisson2d(8, 10)), 'SHAPE_MISMATCH', /another pattern/);
    expect(factors.solve(b).status).toBe('converged');
    const zero = fromTwin(twin).setData(new Float64Array(A.nnz));
    refused(() => factors.update(zero), 'ZERO_PIVOT', /singular/);
    for (const act of [() => factors.solve(b), () => factors.conditionEstimate(), () => factors.kind]) {
      refused(act, 'ZERO_PIVOT', /last update failed/);
    }
    expect(factors.update(A).solve(b).status).toBe('converged');
  });

  it('what was disposed of', () => {
    const factors = engine.factorize(A);
    factors.dispose();
    factors.dispose();
    refused(() => factors.solve(b), 'DISPOSED', /disposed of/);
    refused(() => factors.update(A), 'DISPOSED', /disposed of/);
    refused(() => factors.nonzeros, 'DISPOSED', /disposed of/);
  });

  it('memory: nothing stays behind wherever it runs out', async () => {
    const P = poisson2d(40, 40);
    const shuffled = fromTwin(randomDominant(300, 0.02, random(5)));
    for (const matrix of [P, shuffled]) {
      const outcomes = new Set<string>();
      for (let limit = 20_000; limit < 4e6; limit *= 1.15) {
        using small = await createEngine({ memoryLimit: limit });
        try {
          using factors = small.factorize(matrix);
          expect(factors.solve(new Float64Array(matrix.shape[0]).fill(1)).status).toBe('converged');
          outcomes.add('done');
        } catch (error) {
          expect(error).toMatchObject({ code: 'OUT_OF_MEMORY' });
          outcomes.add('refused');
        }
        expect(small.bytesInUse).toBe(0);
      }
      expect([...outcomes].sort()).toEqual(['done', 'refused']);
    }
  });
});
