import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createEngine,
  type Engine,
  fromDense,
  poisson2d,
  type SeedSubspace,
  type SeedSubspaceOptions,
  type SeedSystem,
} from '../../src/index.ts';
import { arnoldi } from '../twins/arnoldi.ts';
import { operator } from '../twins/csr.ts';
import { orthogonalityError } from '../twins/dense.ts';
import { fivePoint, REGIMES } from '../twins/five-point.ts';
import { loadAnchor } from '../twins/fixtures.ts';
import { merge } from '../twins/merge.ts';
import { galerkin, minimalResidual } from '../twins/projection.ts';
import { random, randomDominant } from '../twins/random.ts';
import {
  columnsOf,
  dot,
  expectClose,
  expectRefused,
  fromTwin,
  norm,
  residual,
  vector,
  wrong,
} from './helpers.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  expect(engine.bytesInUse).toBe(0);
  engine.dispose();
});

const PRECISIONS = ['double', 'single'] as const;
/** How far V'V is from I. */
const ORTHOGONAL = { double: 1e-13, single: 1e-6 } as const;

/** What of v lies outside the basis, of its length. */
function outside(seed: SeedSubspace, v: ArrayLike<number>): number {
  const rest = Float64Array.from(v);
  for (let pass = 0; pass < 2; pass++) {
    for (const u of columnsOf(seed.basis(), rest.length)) {
      const share = dot(u, rest);
      rest.forEach((value, i) => {
        rest[i] = value - share * u[i];
      });
    }
  }
  return norm(rest) / norm(v);
}

/** A system near others of its kind. */
function system(number: number, n = 60) {
  const A = randomDominant(n, 0.15, random(7));
  const next = random(number);
  return { A: { ...A, data: A.data.map((value) => value * (1 + 0.02 * next())) }, b: vector(n, number) };
}

describe.each(PRECISIONS)('several seeds, %s precision', (precision) => {
  const tolerance = precision === 'double' ? 1e-12 : 3e-6;

  it('span what the twins of their bases span', () => {
    const seeds = [1, 2, 3].map((k) => system(k));
    using seed = engine.seedSubspace(
      seeds.map(({ A, b }) => ({ A: fromTwin(A), b })),
      { dim: 6, precision },
    );
    expect(seed).toMatchObject({ size: 18, seeds: 3, maxDim: 18, unknowns: 60, precision });
    expect(seed.orthogonality()).toBeLessThan(ORTHOGONAL[precision]);
    expect(orthogonalityError(columnsOf(seed.basis(), 60))).toBeLessThan(ORTHOGONAL[precision]);
    for (const { A, b } of seeds) {
      for (const v of arnoldi(operator(A), b, 6).V.slice(0, 6))
        expect(outside(seed, v)).toBeLessThan(tolerance);
    }
  });

  it('project as the twin does on the twin of the merged basis', () => {
    const [first, second, target] = [1, 2, 3].map((k) => system(k));
    using seed = engine.seedSubspace(
      [first, second].map(({ A, b }) => ({ A: fromTwin(A), b })),
      { dim: 5, precision },
    );
    const krylov = [first, second].map(({ A, b }) => arnoldi(operator(A), b, 5).V.slice(0, 5));
    const V = [...krylov[0], ...merge(krylov[0], krylov[1], 5, 1e-8)];
    const A = fromTwin(target.A);
    for (const [projection, twin] of [
      ['minimal-residual', minimalResidual],
      ['galerkin', galerkin],
    ] as const) {
      const wanted = twin(operator(target.A), target.b, V);
      const result = engine.solve(A, target.b, { seed, projection, maxiter: 0 });
      expect(result.projected).toBe(true);
      const allowed = (precision === 'double' ? 1e-10 : 1e-5) * norm(target.b);
      expect(Math.abs(result.projectedResidualNorm! - wanted.residualNorm)).toBeLessThan(allowed);
      expectClose(result.x, wanted.x, precision === 'double' ? 1e-10 : 1e-5);
      const own = norm(residual(A, target.b, result.x));
      expect(Math.abs(own - result.projectedResidualNorm!)).toBeLessThan(1e-12 * norm(target.b));
    }
  });

  it('with what is dependent left out: the same seed twice is one', () => {
    const { A, b } = system(1);
    const one = { A: fromTwin(A), b };
    using seed = engine.seedSubspace([one, one, { A: one.A, b: b.map((value) => -5 * value) }], {
      dim: 7,
      precision,
    });
    expect(seed).toMatchObject({ size: 7, seeds: 3, maxDim: 21 });
    expect(seed.expand(one.A, b)).toBe(0);
    expect(seed.expandWith([b, b.map((value) => 2 * value), new Float64Array(60)])).toBe(0);
    expect(seed).toMatchObject({ size: 7, seeds: 4 });
  });

  it('grow by systems and vectors, to their bound and no further', () => {
    const { A, b } = system(1);
    using seed = engine.seedSubspace(fromTwin(A), b, { dim: 5, maxDim: 12, precision });
    const { bytes } = seed;
    const before = engine.bytesInUse;
    const other = system(2);
    expect(seed.expand(fromTwin(other.A), other.b, { dim: 3 })).toBe(3);
    expect(seed).toMatchObject({ size: 8, seeds: 2, bytes });
    const known = engine.solve(fromTwin(A), other.b, { rtol: 1e-12 }).x;
    expect(seed.expand(fromTwin(A), other.b, { dim: 0, x: known })).toBe(1);
    expect(outside(seed, known)).toBeLessThan(tolerance);
    const more = Array.from({ length: 5 }, (_, k) => vector(60, 20 + k));
    expect(seed.expandWith(more)).toBe(3);
    expect(seed).toMatchObject({ size: 12, maxDim: 12, bytes });
    expect(seed.expand(fromTwin(other.A), vector(60, 9))).toBe(0);
    expect(seed.expandWith(more)).toBe(0);
    expect(seed.orthogonality()).toBeLessThan(ORTHOGONAL[precision]);
    expect(engine.bytesInUse).toBe(before);
    // Its directions stay where they were when others join them.
    using fresh = engine.seedSubspace(fromTwin(A), b, { dim: 5, precision });
    expect(seed.basis().slice(0, 300)).toEqual(fresh.basis());
  });

  it('solve what their vectors solve: an earlier solution is the start of its own system', () => {
    const { A, b } = system(1);
    const c = vector(60, 8);
    const x = engine.solve(fromTwin(A), c, { rtol: 1e-14 }).x;
    using seed = engine.seedSubspace(fromTwin(A), b, { dim: 3, maxDim: 4, precision });
    seed.expandWith([x]);
    const result = engine.solve(fromTwin(A), c, { seed, maxiter: 0 });
    expect(result.residualNorm).toBeLessThan(precision === 'double' ? 1e-12 * norm(c) : 1e-5 * norm(c));
  });

  it('shrink to the directions that projections used', () => {
    const n = 20;
    const unit = (k: number) => Float64Array.from({ length: n }, (_, i) => (i === k ? 1 : 0));
    const identity = fromDense(Array.from({ length: n }, (_, i) => [...unit(i)]));
    using seed = engine.seedSubspace(identity, unit(0), { maxDim: 6, precision });
    expect(seed.size).toBe(1);
    seed.expandWith([1, 2, 3, 4, 5].map(unit));
    expect(seed.size).toBe(6);
    const along = (...shares: number[]) => Float64Array.from({ length: n }, (_, i) => shares[i] ?? 0);
    engine.solve(identity, along(0, 3, 0, 4), { seed });
    engine.solve(identity, along(0, 0, 0, 0, 2), { seed });
    // Weights: 0, 0.36, 0, 0.64, 1, 0.
    seed.shrink(8);
    expect(seed.size).toBe(6);
    seed.shrink(4);
    expect(columnsOf(seed.basis(), n).map((v) => v.findIndex((value) => Math.abs(value) > 0.5))).toEqual([
      0, 1, 3, 4,
    ]);
    seed.shrink(2);
    expect(columnsOf(seed.basis(), n).map((v) => v.findIndex((value) => Math.abs(value) > 0.5))).toEqual([
      3, 4,
    ]);
    expect(seed.expandWith([unit(7), unit(4)])).toBe(1);
    seed.shrink(2);
    expect(columnsOf(seed.basis(), n).map((v) => v.findIndex((value) => Math.abs(value) > 0.5))).toEqual([
      3, 4,
    ]);
    expect(engine.solve(identity, along(0, 0, 0, 1, 1), { seed, maxiter: 0 }).converged).toBe(true);
    seed.shrink(0);
    expect(seed.size).toBe(0);
    expect(engine.solve(identity, unit(3), { seed })).toMatchObject({
      projected: false,
      status: 'converged',
    });
    expect(seed.expandWith([unit(3)])).toBe(1);
  });

  it('of any pattern help systems of any other', () => {
    const other = system(2, 64);
    using seed = engine.seedSubspace(poisson2d(8, 8), vector(64, 1), { dim: 8, maxDim: 16, precision });
    expect(seed.expand(fromTwin(other.A), other.b)).toBe(8);
    const target = system(3, 64);
    const cold = engine.solve(fromTwin(target.A), target.b, { rtol: 1e-10 });
    const warm = engine.solve(fromTwin(target.A), target.b, { rtol: 1e-10, seed });
    expect(warm).toMatchObject({ status: 'converged', projected: true });
    expectClose(warm.x, cold.x, 1e-8);
  });

  it('hold what they say of memory', () => {
    const { A, b } = system(1, 1000);
    const before = engine.bytesInUse;
    using seed = engine.seedSubspace(fromTwin(A), b, { dim: 4, maxDim: 30, precision });
    expect(engine.bytesInUse - before).toBe(seed.bytes);
    const column = 8 * 1000;
    const basis = precision === 'double' ? column : column / 2;
    expect(seed.bytes).toBeGreaterThan(30 * (column + basis));
    expect(seed.bytes).toBeLessThan(30 * (column + basis) * 1.05 + 20 * column);
  });
});

describe('single precision', () => {
  it('loses digits of the start, and none of the answer', () => {
    const twin = fivePoint(loadAnchor('field_32').data, 32, REGIMES.stiff);
    const A = fromTwin(twin.A);
    const start = (precision: 'double' | 'single', rtol: number, maxiter?: number) => {
      using seed = engine.seedSubspace(A, twin.b, { dim: 60, precision });
      return engine.solve(A, twin.b, { seed, rtol, maxiter });
    };
    const [double, single] = PRECISIONS.map((precision) => start(precision, 0, 0).residualNorm);
    expect(Math.abs(single - double)).toBeLessThan(1e-5 * norm(twin.b));
    const result = start('single', 1e-12);
    expect(result.status).toBe('converged');
    expect(norm(residual(A, twin.b, result.x))).toBeLessThanOrEqual(1.0001e-12 * norm(twin.b));
  });
});

describe('a seed subspace, whatever is done to it', () => {
  it('stays orthonormal, within its bound, and never makes a start worse', () => {
    const actions = fc.array(
      fc.record({
        kind: fc.constantFrom('expand', 'vectors', 'shrink', 'solve'),
        number: fc.integer({ min: 1, max: 6 }),
        dim: fc.integer({ min: 0, max: 8 }),
      }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(
        actions,
        fc.constantFrom(...PRECISIONS),
        fc.integer({ min: 1, max: 40 }),
        (list, precision, maxDim) => {
          const n = 24;
          const first = system(1, n);
          using seed = engine.seedSubspace(fromTwin(first.A), first.b, { dim: 5, maxDim, precision });
          for (const { kind, number, dim } of list) {
            const { A, b } = system(number, n);
            const before = seed.size;
            if (kind === 'shrink') {
              seed.shrink(dim);
              expect(seed.size).toBe(Math.min(before, dim));
            } else if (kind === 'solve') {
              const result = engine.solve(fromTwin(A), b, { seed });
              expect(result.status).toBe('converged');
              expect(result.projectedResidualNorm).toBeLessThanOrEqual(norm(b) * (1 + 1e-14));
            } else {
              const added =
                kind === 'expand'
                  ? seed.expand(fromTwin(A), b, { dim })
                  : seed.expandWith(Array.from({ length: dim }, (_, k) => vector(n, number + k)));
              expect(seed.size).toBe(before + added);
            }
            expect(seed.size).toBeLessThanOrEqual(Math.min(maxDim, n));
            expect(seed.orthogonality()).toBeLessThan(ORTHOGONAL[precision]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('bad input', () => {
  const A = poisson2d(4, 4);
  const b = vector(16);

  it.each<
    [
      string,
      (seed: SeedSubspace) => unknown,
      'INVALID_TYPE' | 'INVALID_VALUE' | 'UNKNOWN_OPTION' | 'SHAPE_MISMATCH',
      RegExp,
    ]
  >([
    [
      'a matrix of another size',
      (seed) => seed.expand(poisson2d(3, 3), vector(9)),
      'SHAPE_MISMATCH',
      /expand: a seed has 9 unknowns, the others 16/,
    ],
    ['b of another length', (seed) => seed.expand(A, vector(9)), 'SHAPE_MISMATCH', /expand: b/],
    [
      'b of a function of another length',
      (seed) => seed.expand(() => {}, vector(9)),
      'SHAPE_MISMATCH',
      /expand: b/,
    ],
    ['x of another length', (seed) => seed.expand(A, b, { x: [1] }), 'SHAPE_MISMATCH', /expand: x/],
    [
      'NaN in b',
      (seed) => seed.expand(A, new Float64Array(16).fill(Number.NaN)),
      'INVALID_VALUE',
      /expand: b\[0\]/,
    ],
    [
      'NaN in x',
      (seed) => seed.expand(A, b, { x: new Float64Array(16).fill(Infinity) }),
      'INVALID_VALUE',
      /expand: x\[0\]/,
    ],
    ['no matrix', (seed) => seed.expand(wrong(3), b), 'INVALID_TYPE', /expand: the matrix must be/],
    ['an unknown option', (seed) => seed.expand(A, b, wrong({ maxDim: 3 })), 'UNKNOWN_OPTION', /"maxDim"/],
    ['a dim that is none', (seed) => seed.expand(A, b, { dim: -1 }), 'INVALID_VALUE', /expand: dim is -1/],
    ['an rtol that is none', (seed) => seed.expand(A, b, { rtol: -1 }), 'INVALID_VALUE', /expand: rtol/],
    [
      'no vectors',
      (seed) => seed.expandWith(wrong(b)),
      'INVALID_TYPE',
      /expandWith: vectors must be an array/,
    ],
    ['a vector of another length', (seed) => seed.expandWith([b, [1]]), 'SHAPE_MISMATCH', /vectors\[1\]/],
    [
      'a vector with NaN',
      (seed) => seed.expandWith([b, b.map(() => Number.NaN)]),
      'INVALID_VALUE',
      /vectors\[1\]\[0\]/,
    ],
    ['a vector that is none', (seed) => seed.expandWith(wrong(['abc'])), 'INVALID_TYPE', /vectors\[0\]/],
    ['shrinking to less than nothing', (seed) => seed.shrink(-1), 'INVALID_VALUE', /shrink: dim is -1/],
    [
      'shrinking to nothing that is said',
      (seed) => seed.shrink(wrong(undefined)),
      'INVALID_TYPE',
      /shrink: dim/,
    ],
  ])('%s is refused, and leaves the seed as it was', (_, act, code, message) => {
    using seed = engine.seedSubspace(A, b, { dim: 3, maxDim: 9 });
    const basis = seed.basis();
    expectRefused(engine, () => act(seed), code, message);
    expect(seed).toMatchObject({ size: 3, seeds: 1 });
    expect(seed.basis()).toEqual(basis);
    expect(seed.expand(A, vector(16, 2), { dim: 2 })).toBe(2);
  });

  it.each<
    [
      string,
      unknown,
      SeedSubspaceOptions,
      'INVALID_TYPE' | 'INVALID_VALUE' | 'UNKNOWN_OPTION' | 'SHAPE_MISMATCH',
      RegExp,
    ]
  >([
    ['no seeds', [], {}, 'INVALID_VALUE', /at least one seed/],
    ['a seed that is none', [3], {}, 'INVALID_TYPE', /a seed must be/],
    ['null', [null], {}, 'INVALID_TYPE', /a seed must be/],
    ['a second seed that is none', [{ A, b }, 'x'], {}, 'INVALID_TYPE', /a seed must be/],
    ['an unknown part', [{ A, b, c: 1 }], {}, 'UNKNOWN_OPTION', /"c"/],
    [
      'a second seed of another size',
      [
        { A, b },
        { A: poisson2d(3, 3), b: vector(9) },
      ],
      {},
      'SHAPE_MISMATCH',
      /a seed has 9 unknowns, the others 16/,
    ],
    ['a seed without b', [{ A }], {}, 'INVALID_TYPE', /b must be/],
    ['maxDim 0', [{ A, b }], { maxDim: 0 }, 'INVALID_VALUE', /maxDim is 0/],
    ['another precision', [{ A, b }], wrong({ precision: 'half' }), 'INVALID_VALUE', /precision is "half"/],
    ['null options', [{ A, b }], wrong(null), 'INVALID_TYPE', /seedSubspace/],
  ])('seedSubspace refuses %s', (_, systems, options, code, message) => {
    expectRefused(engine, () => engine.seedSubspace(wrong<SeedSystem[]>(systems), options), code, message);
  });

  it('a zero right-hand side, an eigenvector and a singular seed add what there is', () => {
    const D = fromDense([
      [2, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 3, 1],
      [0, 0, 0, 3],
    ]);
    using seed = engine.seedSubspace(D, [0, 0, 0, 0], { maxDim: 4 });
    expect(seed).toMatchObject({ size: 0, seeds: 1 });
    expect(seed.expand(D, [0, 0, 0, 0])).toBe(0);
    expect(seed.expand(D, [5, 0, 0, 0])).toBe(1);
    // b in the null space of A.
    expect(seed.expand(D, [0, 2, 0, 0])).toBe(1);
    expect(seed.expand(D, [1, 1, 1, 1], { dim: 100 })).toBeGreaterThan(0);
    expect(seed.orthogonality()).toBeLessThan(1e-13);
    const result = engine.solve(D, [2, 0, 3, 3], { seed });
    expect(result.status).toBe('converged');
  });

  it('a singular target ends as it does without a seed, with an honest residual', () => {
    const singular = fromDense([
      [1, 1, 0],
      [1, 1, 0],
      [0, 0, 2],
    ]);
    using seed = engine.seedSubspace(
      [
        {
          A: fromDense([
            [2, 1, 0],
            [1, 3, 0],
            [0, 0, 1],
          ]),
          b: [1, 2, 3],
        },
      ],
      { dim: 3 },
    );
    for (const projection of ['galerkin', 'minimal-residual'] as const) {
      const result = engine.solve(singular, [1, -1, 2], { seed, projection });
      expect(result.converged).toBe(false);
      expect(result.residualNorm).toBeGreaterThan(1);
      expect(Math.abs(result.residualNorm - norm(residual(singular, [1, -1, 2], result.x)))).toBeLessThan(
        1e-10 * norm(result.x) + 1e-10,
      );
      expect(engine.solve(singular, [2, 2, 2], { seed, projection }).status).toBe('converged');
    }
  });

  it('a target far from every seed is solved all the same', () => {
    const n = 40;
    const far = fromDense(
      Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1e6 * (1 + i) : 0))),
    );
    using seed = engine.seedSubspace(
      [{ A: fromTwin(system(1, n).A), b: Float64Array.from({ length: n }, (_, i) => (i < 20 ? 1 : 0)) }],
      { dim: 4 },
    );
    const c = Float64Array.from({ length: n }, (_, i) => (i < 20 ? 0 : 1e-3 * i));
    for (const projection of ['galerkin', 'minimal-residual'] as const) {
      const result = engine.solve(far, c, {
        seed,
        projection,
        rtol: 1e-10,
        method: 'bicgstab',
        preconditioner: 'jacobi',
      });
      expect(result.status).toBe('converged');
      if (projection === 'minimal-residual')
        expect(result.projectedResidualNorm).toBeLessThanOrEqual(norm(c));
    }
  });

  it('a memory limit in the middle of a basis leaves nothing behind, and the seed as it was', async () => {
    const n = 2500;
    const P = poisson2d(50, 50);
    const c = vector(n);
    for (const limit of [2e5, 5e5, 9e5]) {
      using small = await createEngine({ memoryLimit: limit });
      expect(() => small.seedSubspace(P, c, { dim: 20 })).toThrow(
        expect.objectContaining({ code: 'OUT_OF_MEMORY' }),
      );
      expect(small.bytesInUse).toBe(0);
    }
    using limited = await createEngine({ memoryLimit: 1.4e6 });
    using seed = limited.seedSubspace(P, c, { dim: 5, maxDim: 20 });
    const basis = seed.basis();
    const before = limited.bytesInUse;
    for (const act of [
      () => seed.expand(P, vector(n, 2), { dim: 60 }),
      () => seed.expandWith(Array.from({ length: 60 }, (_, k) => vector(n, k))),
    ]) {
      expect(act).toThrow(expect.objectContaining({ code: 'OUT_OF_MEMORY' }));
      expect(limited.bytesInUse).toBe(before);
      expect(seed).toMatchObject({ size: 5, seeds: 1 });
      expect(seed.basis()).toEqual(basis);
    }
    expect(seed.expand(P, vector(n, 2), { dim: 3 })).toBe(3);
    expect(limited.bytesInUse).toBe(before);
  });

  it('a function that throws in the middle of a basis leaves the seed as it was', () => {
    using seed = engine.seedSubspace(A, b, { dim: 3, maxDim: 9 });
    const basis = seed.basis();
    const before = engine.bytesInUse;
    let calls = 0;
    const failing = (x: Float64Array, y: Float64Array) => {
      if (++calls === 3) throw new RangeError('enough');
      y.set(A.multiply(x));
    };
    expect(() => seed.expand(failing, vector(16, 2))).toThrow('enough');
    expect(engine.bytesInUse).toBe(before);
    expect(seed).toMatchObject({ size: 3, seeds: 1 });
    expect(seed.basis()).toEqual(basis);
    expect(seed.expand(failing, vector(16, 2), { dim: 2 })).toBe(2);
  });

  it('is not changed or read while it is in use', () => {
    using seed = engine.seedSubspace(A, b, { dim: 3, maxDim: 9 });
    const acts = [
      () => seed.expand(A, b),
      () => seed.expandWith([b]),
      () => seed.shrink(1),
      () => seed.orthogonality(),
      () => engine.solve(A, b, { seed }),
    ];
    for (const act of acts) {
      const nested = (x: Float64Array, y: Float64Array) => {
        act();
        y.set(A.multiply(x));
      };
      expectRefused(engine, () => engine.solve(nested, b, { seed }), 'BUSY', /in use by a projection/);
      expectRefused(engine, () => seed.expand(nested, b), 'BUSY', /in use by an expansion/);
    }
    expect(seed.size).toBe(3);
    expect(seed.expand(A, vector(16, 4), { dim: 1 })).toBe(1);
  });

  it('goes when it is disposed of in the middle of its own expansion', () => {
    const seed = engine.seedSubspace(A, b, { dim: 3, maxDim: 9 });
    const before = engine.bytesInUse - seed.bytes;
    const disposing = (x: Float64Array, y: Float64Array) => {
      seed.dispose();
      y.set(A.multiply(x));
    };
    expect(() => seed.expand(disposing, b)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
    expect(engine.bytesInUse).toBe(before);
  });

  it('dim and maxDim over n are n', () => {
    using seed = engine.seedSubspace([{ A, b }], { dim: 1000, maxDim: 5000 });
    expect(seed.maxDim).toBe(16);
    expect(seed.size).toBeLessThanOrEqual(16);
    seed.expandWith(Array.from({ length: 40 }, (_, k) => vector(16, k)));
    expect(seed.size).toBe(16);
    expect(seed.orthogonality()).toBeLessThan(1e-13);
    expect(engine.solve(A, vector(16, 5), { seed, maxiter: 0 }).converged).toBe(true);
  });
});
