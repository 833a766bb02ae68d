import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Pointer } from '../../src/wasm/exports.ts';
import {
  type Csr,
  fromTriplets,
  product,
  productMagnitude,
  toDense,
  toTriplets,
  transposedProduct,
} from '../twins/csr.ts';
import { solve as denseSolve, transpose } from '../twins/dense.ts';
import { fillOf, workOf } from '../twins/elimination.ts';
import { loadSystem, systemNamed } from '../twins/fixtures.ts';
import { random, randomDominant, randomSparse, randomSpd, randomVector } from '../twins/random.ts';
import { norm2 } from '../twins/vector.ts';
import { BUILDS, expectNear, type Room, useRoom } from './harness.ts';
import { Run } from './krylov.ts';
import { csrOperator, uploadCsr } from './matrices.ts';
import { convection, cyclicShift, diagonalMatrix, grid, laplacian, residualNorm, skew } from './systems.ts';

const reference = JSON.parse(
  readFileSync(new URL('../fixtures/direct/reference.json', import.meta.url), 'utf8'),
) as {
  fill: { shape: number[]; lower: number }[];
  conditions: { name: string; condition: number }[];
};

const ORDERINGS = ['auto', 'amd', 'nested-dissection', 'natural'] as const;
const KINDS = ['auto', 'lu', 'ldl'] as const;
const FORMS = ['none', 'lu-fronts', 'ldl-fronts', 'lu-columns'] as const;
const OUTCOMES = ['done', 'singular', 'no-memory', 'not-finite'] as const;

interface Options {
  ordering?: (typeof ORDERINGS)[number];
  kind?: (typeof KINDS)[number];
  threshold?: number;
}

const made = new Set<Direct>();

/** A direct solver in the kernel, given back after the test. */
class Direct {
  readonly pointer: Pointer;
  readonly n: number;
  readonly outcome: (typeof OUTCOMES)[number];
  readonly #room: Room;
  readonly #data: Pointer;

  constructor(room: Room, A: Csr, { ordering = 'auto', kind = 'auto', threshold = 0.1 }: Options = {}) {
    const { k } = room;
    const { indptr, indices, data } = uploadCsr(room, A);
    this.#room = room;
    this.#data = data;
    this.n = A.shape[0];
    this.pointer = room.bytes(k.directSize(), 8);
    const ready = k.directInit(
      this.pointer,
      this.n,
      indptr,
      indices,
      ORDERINGS.indexOf(ordering),
      KINDS.indexOf(kind),
      threshold,
    );
    made.add(this);
    this.outcome = ready === 0 ? this.factor(A) : OUTCOMES[ready];
  }

  factor(A: Csr): (typeof OUTCOMES)[number] {
    const { k } = this.#room;
    this.#room.view(this.#data, A.data.length).set(A.data);
    return OUTCOMES[k.directFactor(this.pointer, this.#data)];
  }

  get form(): (typeof FORMS)[number] {
    return FORMS[this.#room.k.directForm(this.pointer)];
  }

  get ordering(): (typeof ORDERINGS)[number] {
    return ORDERINGS[this.#room.k.directOrdering(this.pointer)];
  }

  get order(): Int32Array {
    return this.#room.readIntegers(this.#room.k.directOrder(this.pointer), this.n);
  }

  get fill(): number {
    return this.#room.k.directFill(this.pointer);
  }

  get work(): number {
    return this.#room.k.directWork(this.pointer);
  }

  get nonzeros(): number {
    return this.#room.k.directNonzeros(this.pointer);
  }

  get column(): number {
    return this.#room.k.directColumn(this.pointer);
  }

  get reused(): boolean {
    return this.#room.k.directReused(this.pointer) !== 0;
  }

  get condition(): number {
    return this.#room.k.directCondition(this.pointer);
  }

  solve(b: Float64Array, transposed = false): Float64Array {
    const x = this.#room.vector(this.n);
    this.#room.k.directSolve(this.pointer, this.#room.vector(b), x, transposed);
    return this.#room.read(x, this.n);
  }

  /** Column after column, with a gap between them. */
  solveMany(B: Float64Array[], transposed = false): Float64Array[] {
    const stride = 8 * (this.n + 3);
    const b = this.#room.bytes(stride * B.length);
    const x = this.#room.bytes(stride * B.length);
    B.forEach((column, c) => {
      this.#room.view(b + c * stride, this.n).set(column);
    });
    this.#room.k.directSolveMany(this.pointer, B.length, b, x, stride, transposed);
    return B.map((_, c) => this.#room.read(x + c * stride, this.n));
  }

  refined(b: Float64Array, transposed = false) {
    const { k } = this.#room;
    const [pb, px] = [this.#room.vector(b), this.#room.vector(this.n)];
    k.directSolve(this.pointer, pb, px, transposed);
    const steps = k.directRefine(this.pointer, pb, px, transposed, 10);
    return {
      steps,
      x: this.#room.read(px, this.n),
      residual: this.#room.read(k.directResidual(this.pointer), this.n),
      backwardError: k.directBackwardError(this.pointer),
    };
  }

  release(): void {
    made.delete(this);
    this.#room.k.directRelease(this.pointer);
  }
}

/** Each column one more than the row sum of the others: no pivoting is needed; shuffled rows, so that it is. */
function shuffledRows(A: Csr, seed: number): Csr {
  const next = random(seed);
  const n = A.shape[0];
  const to = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [to[i], to[j]] = [to[j], to[i]];
  }
  return fromTriplets(
    A.shape,
    toTriplets(A).map(([i, j, value]) => [to[i], j, value] as const),
  );
}

/** A first row and column, and the diagonal; `first`: at the beginning, or at the end. */
function arrow(n: number, first: boolean): Csr {
  const tip = first ? 0 : n - 1;
  const triplets: [number, number, number][] = [];
  for (let i = 0; i < n; i++) {
    triplets.push([i, i, i === tip ? n : 3 + (i % 3)]);
    if (i !== tip) triplets.push([tip, i, 1 - (i % 2) / 4], [i, tip, -1]);
  }
  return fromTriplets([n, n], triplets);
}

function denseRow(n: number): Csr {
  const band = toTriplets(convection(n, 1));
  for (let j = 0; j < n; j++) band.push([n >> 1, j, 0.25]);
  return fromTriplets([n, n], band);
}

const KINDS_OF_MATRIX: [name: string, A: Csr][] = [
  ['one unknown', diagonalMatrix([4])],
  [
    'two unknowns',
    fromTriplets(
      [2, 2],
      [
        [0, 1, 2],
        [1, 0, -3],
        [1, 1, 1],
      ],
    ),
  ],
  ['a diagonal', diagonalMatrix([1, -2, 3, 1e-8, 1e8, 5])],
  ['a permutation', cyclicShift(17)],
  ['skew-symmetric', skew(14)],
  ['a band', convection(40, 1)],
  ['a grid', convection(13, 17)],
  ['a larger grid', convection(25, 21)],
  ['a symmetric grid', laplacian(21, 16)],
  ['an indefinite grid', grid(15, 14, { c: -2.3 })],
  ['an arrow, tip first', arrow(40, true)],
  ['an arrow, tip last', arrow(40, false)],
  ['a dense row', denseRow(60)],
  ['dense', randomSparse([37, 37], 1, random(1))],
  ['dense, dominant', randomDominant(67, 1, random(2))],
  ['symmetric', randomSpd(120, 0.05, random(3))],
  ['random', randomDominant(150, 0.03, random(4))],
  ['random, rows shuffled', shuffledRows(randomDominant(90, 0.05, random(5)), 6)],
  ['a grid, rows shuffled', shuffledRows(convection(11, 12), 7)],
  [
    'an upper triangle',
    fromTriplets(
      [30, 30],
      toTriplets(randomDominant(30, 0.4, random(8))).filter(([i, j]) => i <= j),
    ),
  ],
];

const MATRICES = KINDS_OF_MATRIX.map(([name, A]) => {
  const D = toDense(A);
  const b = randomVector(A.shape[0], random(A.shape[0]));
  return { name, A, b, x: denseSolve(D, b), transposed: denseSolve(transpose(D), b) };
});

const largest = (values: Float64Array) => Math.max(...values.map(Math.abs));

describe.each(BUILDS)('the direct solver, %s', (build) => {
  const room = useRoom(build);
  afterEach(() => {
    for (const direct of made) direct.release();
  });

  describe.each(MATRICES)('$name', ({ A, b, x, transposed }) => {
    const n = A.shape[0];

    it.each(ORDERINGS)('is solved as the dense twin does, ordered %s', (ordering) => {
      for (const kind of KINDS) {
        const direct = new Direct(room, A, { ordering, kind });
        expect(direct.outcome).toBe('done');
        expectNear(direct.solve(b), x, largest(x), 1e-10);
        expectNear(direct.solve(b, true), transposed, largest(transposed), 1e-10);
        expect([...direct.order].sort((p, q) => p - q)).toEqual(Array.from({ length: n }, (_, i) => i));
      }
    });

    it('is refined to the rounding of its entries, transposed, too', () => {
      const direct = new Direct(room, A);
      for (const other of [false, true]) {
        const { x, residual, backwardError } = direct.refined(b, other);
        const Ax = other ? transposedProduct(A, x) : product(A, x);
        const own = b.map((value, i) => value - Ax[i]);
        expectNear(residual, own, 1, 1e-12);
        expect(backwardError).toBeLessThan(1e-14);
      }
    });

    it('with many right-hand sides, as one by one', () => {
      const direct = new Direct(room, A);
      for (const other of [false, true]) {
        for (let count = 1; count <= 13; count++) {
          const B = Array.from({ length: count }, (_, c) => randomVector(n, random(100 + c)));
          direct.solveMany(B, other).forEach((solution, c) => {
            const single = direct.solve(B[c], other);
            expectNear(solution, single, largest(single), 1e-11);
          });
        }
      }
    });

    it('is factored again with other values, in the same memory', () => {
      const direct = new Direct(room, A, { kind: 'lu' });
      const next = random(9);
      const other = { ...A, data: A.data.map((value) => value * (1 + 0.01 * next())) };
      const before = room.kernel.bytesInUse;
      expect(direct.factor(other)).toBe('done');
      expect(direct.reused).toBe(true);
      expect(room.kernel.bytesInUse).toBe(before);
      const fresh = new Direct(room, other).solve(b);
      expectNear(direct.solve(b), fresh, largest(fresh), 1e-10);
    });
  });

  it('nothing at all', () => {
    const direct = new Direct(room, fromTriplets([0, 0], []));
    expect(direct.outcome).toBe('done');
    expect(direct.solve(new Float64Array(0))).toEqual(new Float64Array(0));
    expect(direct.condition).toBe(0);
  });

  it('takes the factors that suit the matrix', () => {
    const forms: [Csr, Options, (typeof FORMS)[number]][] = [
      [laplacian(9, 8), {}, 'ldl-fronts'],
      [laplacian(9, 8), { kind: 'lu' }, 'lu-fronts'],
      [convection(9, 8), {}, 'lu-fronts'],
      [convection(9, 8), { kind: 'ldl' }, 'lu-fronts'],
      // A positive diagonal, and not definite: a pivot becomes negative.
      [grid(9, 8, { c: -2.3 }), {}, 'lu-fronts'],
      [quasiDefinite(30), { kind: 'ldl' }, 'ldl-fronts'],
      [quasiDefinite(30), {}, 'lu-fronts'],
      // No diagonal; far from symmetric; a pivot that vanishes.
      [skew(10), {}, 'lu-columns'],
      [randomDominant(50, 0.05, random(1)), {}, 'lu-columns'],
      [denseMatrix([1, 1, 2], [1, 1, 1], [2, 1, 1]), { ordering: 'natural' }, 'lu-columns'],
    ];
    for (const [A, options, form] of forms) {
      const direct = new Direct(room, A, options);
      expect(direct.outcome).toBe('done');
      expect(direct.form).toBe(form);
      const b = randomVector(A.shape[0], random(2));
      expect(residualNorm(A, b, direct.solve(b))).toBeLessThan(1e-12);
      expect(direct.nonzeros).toBeGreaterThanOrEqual(direct.n);
    }
  });

  it('counts the entries of the factors', () => {
    const counts: [Csr, Options, number][] = [
      [diagonalMatrix([1, 2, 3]), {}, 3],
      [diagonalMatrix([1, 2, 3]), { kind: 'lu' }, 3],
      [laplacian(3, 1), { ordering: 'natural' }, 6],
      [randomSpd(9, 1, random(3)), {}, 45],
      [randomSpd(9, 1, random(3)), { kind: 'lu' }, 81],
      [cyclicShift(5), { ordering: 'natural' }, 5],
    ];
    for (const [A, options, wanted] of counts) {
      const { nonzeros } = new Direct(room, A, options);
      // Small fronts are joined; three unknowns in a row make one with a zero in it.
      expect(nonzeros).toBe(wanted);
    }
  });

  it('names a column without a pivot, and goes on with other values', () => {
    const structurally = fromTriplets(
      [4, 4],
      [
        [0, 0, 1],
        [1, 1, 2],
        [3, 3, 1],
        [2, 0, 1],
        [0, 2, 0],
      ],
    );
    const none = new Direct(room, structurally);
    expect(none.outcome).toBe('singular');
    expect(none.column).toBe(2);
    expect(none.form).toBe('none');
    const A = denseMatrix([2, 1, 0], [1, 2, 1], [0, 1, 2]);
    for (const kind of KINDS) {
      const direct = new Direct(room, A, { kind });
      const dependent = { ...A, data: Float64Array.of(1, 1, 0, 1, 1, 0, 0, 0, 2) };
      expect(direct.factor(dependent)).toBe('singular');
      expect([0, 1]).toContain(direct.column);
      expect(direct.factor({ ...A, data: new Float64Array(9) })).toBe('singular');
      expect(direct.factor({ ...A, data: A.data.map((value, k) => (k === 4 ? Number.NaN : value)) })).toBe(
        'not-finite',
      );
      expect(direct.factor(A)).toBe('done');
      expectNear(product(A, direct.solve(Float64Array.of(1, 2, 3))), [1, 2, 3], 1, 1e-14);
    }
  });

  it('chooses pivots anew where the old ones do not hold', () => {
    const A = shuffledRows(convection(12, 9), 4);
    const n = A.shape[0];
    const b = randomVector(n, random(5));
    // The entries that were pivots vanish, or nearly.
    for (const factor of [0, 1e-14]) {
      const direct = new Direct(room, A);
      expect(direct.form).toBe('lu-columns');
      const next = random(6);
      const data = A.data.map((value) => (Math.abs(value) > 3 ? factor * value : value * (1 + next())));
      expect(direct.factor({ ...A, data })).toBe('done');
      expect(direct.reused).toBe(false);
      expect(direct.refined(b).backwardError).toBeLessThan(1e-14);
      expect(direct.factor({ ...A, data })).toBe('done');
      expect(direct.reused).toBe(true);
    }
  });

  it('leaves fronts for columns where the diagonal vanishes, and L D L where symmetry does', () => {
    const A = laplacian(11, 10);
    const b = randomVector(110, random(7));
    const direct = new Direct(room, A);
    expect(direct.form).toBe('ldl-fronts');
    const forms = [convection(11, 10), A, { ...A, data: A.data.map((v) => (v > 3 ? 0 : v)) }, A].map(
      (values) => {
        expect(direct.factor(values)).toBe('done');
        expect(direct.refined(b).backwardError).toBeLessThan(1e-14);
        return direct.form;
      },
    );
    expect(forms).toEqual(['lu-fronts', 'ldl-fronts', 'lu-columns', 'lu-columns']);
  });

  it('fills as elimination does, and about as little as other orderings', () => {
    for (const ordering of ORDERINGS) {
      for (const A of [convection(12, 13), randomDominant(70, 0.05, random(8)), arrow(30, true)]) {
        const direct = new Direct(room, A, { ordering });
        expect(direct.fill).toBe(fillOf(A, direct.order));
        expect(direct.work).toBe(workOf(A, direct.order));
      }
    }
    for (const { shape, lower } of reference.fill) {
      const A = boxLaplacian(shape);
      expect(new Direct(room, A, { ordering: 'amd' }).fill).toBeLessThan(1.15 * lower);
      expect(new Direct(room, A, { ordering: 'nested-dissection' }).fill).toBeLessThan(1.35 * lower);
    }
  });

  it('cuts what is disconnected, and what has no separator', () => {
    // Three grids, isolated unknowns, and a clique.
    const triplets: [number, number, number][] = [];
    let n = 0;
    const add = (A: Csr) => {
      for (const [i, j, value] of toTriplets(A)) triplets.push([n + i, n + j, value]);
      n += A.shape[0];
    };
    add(convection(20, 21));
    add(diagonalMatrix([1, 2, 3]));
    add(randomDominant(230, 1, random(9)));
    add(convection(25, 15));
    const A = fromTriplets([n, n], triplets);
    const b = randomVector(n, random(10));
    for (const ordering of ORDERINGS) {
      const direct = new Direct(room, A, { ordering });
      expect([...direct.order].sort((p, q) => p - q)).toEqual(Array.from({ length: n }, (_, i) => i));
      expect(residualNorm(A, b, direct.solve(b))).toBeLessThan(1e-11);
    }
  });

  it('takes the better ordering where the factorisation takes long', () => {
    expect(new Direct(room, laplacian(30, 30)).ordering).toBe('amd');
    const long = new Direct(room, boxLaplacian([17, 17, 17]));
    const amd = new Direct(room, boxLaplacian([17, 17, 17]), { ordering: 'amd' });
    expect(long.fill).toBeLessThanOrEqual(amd.fill);
  });

  it('is exact on rows and columns of very different size', () => {
    const A = convection(12, 11);
    const next = random(11);
    const rows = Float64Array.from({ length: 132 }, () => 2 ** Math.floor(400 * next() - 200));
    const scaled = fromTriplets(
      A.shape,
      toTriplets(A).map(([i, j, value]) => [i, j, value * rows[i]] as const),
    );
    const b = randomVector(132, next);
    const wanted = new Direct(room, A).solve(b);
    const direct = new Direct(room, scaled);
    expect(direct.form).toBe('lu-fronts');
    expectNear(direct.solve(b.map((value, i) => value * rows[i])), wanted, 1, 1e-13);
    for (const factor of [1e-300, 1e300]) {
      const extreme = new Direct(room, { ...A, data: A.data.map((value) => value * factor) });
      expectNear(extreme.solve(b.map((value) => value * factor)), wanted, 1, 1e-13);
    }
  });

  it('estimates the condition', () => {
    for (const { name, condition } of reference.conditions) {
      const { A } = loadSystem(systemNamed(name));
      const direct = new Direct(room, A);
      expect(direct.condition / condition, name).toBeGreaterThan(0.3);
      expect(direct.condition / condition, name).toBeLessThan(1 + 1e-4);
    }
    expect(new Direct(room, diagonalMatrix([1, -4, 0.5])).condition).toBe(8);
  });

  it('leaves nothing behind when memory runs out, wherever that is', () => {
    for (const A of [laplacian(23, 22), convection(23, 22), shuffledRows(convection(20, 19), 3)]) {
      const start = room.kernel.bytesInUse;
      const whole = new Direct(room, A);
      const b = randomVector(A.shape[0], random(12));
      const wanted = whole.solve(b);
      whole.release();
      const outcomes = new Set<string>();
      for (let share = 0; share <= 60; share++) {
        room.clear();
        room.kernel.setMemoryLimit(2 ** 32);
        const fresh = new Direct(room, diagonalMatrix([1]));
        fresh.release();
        const bytes = uploadedBytes(A);
        room.kernel.setMemoryLimit(start + bytes + 20_000 * share);
        const direct = new Direct(room, A);
        outcomes.add(direct.outcome);
        room.kernel.setMemoryLimit(2 ** 32);
        if (direct.outcome === 'no-memory') {
          direct.release();
          continue;
        }
        expect(direct.solve(b)).toEqual(wanted);
        direct.release();
      }
      expect([...outcomes].sort()).toEqual(['done', 'no-memory']);
    }
  });

  it('solves random systems as the dense twin does', () => {
    const cases = fc.record({
      n: fc.integer({ min: 1, max: 45 }),
      density: fc.double({ min: 0, max: 0.5, noNaN: true }),
      seed: fc.nat(1e6),
      shuffled: fc.boolean(),
      ordering: fc.constantFrom(...ORDERINGS),
      kind: fc.constantFrom(...KINDS),
      threshold: fc.constantFrom(0.01, 0.1, 1),
    });
    fc.assert(
      fc.property(cases, ({ n, density, seed, shuffled, ...options }) => {
        const dominant = randomDominant(n, density, random(seed));
        const A = shuffled ? shuffledRows(dominant, seed) : dominant;
        const b = randomVector(n, random(seed + 1));
        const direct = new Direct(room, A, options);
        const wanted = denseSolve(toDense(A), b);
        expectNear(direct.solve(b), wanted, largest(wanted), 1e-10);
        expect(direct.fill).toBe(fillOf(A, direct.order));
        direct.release();
        room.clear();
      }),
      { numRuns: 150 },
    );
  });

  it('any values: a small backward error, or singular', () => {
    const cases = fc.record({
      n: fc.integer({ min: 1, max: 30 }),
      density: fc.double({ min: 0.02, max: 0.4, noNaN: true }),
      seed: fc.nat(1e6),
      threshold: fc.constantFrom(0.01, 0.1, 1),
    });
    fc.assert(
      fc.property(cases, ({ n, density, seed, threshold }) => {
        const A = randomSparse([n, n], density + 2 / n, random(seed));
        const direct = new Direct(room, A, { threshold });
        if (direct.outcome !== 'done') {
          expect(direct.outcome).toBe('singular');
          expect(direct.column).toBeGreaterThanOrEqual(0);
        } else if (direct.condition < 1e12) {
          // What is singular but for rounding has no accurate solution.
          const b = randomVector(n, random(seed + 1));
          expect(direct.refined(b).backwardError).toBeLessThan(1e-10);
        }
        direct.release();
        room.clear();
      }),
      { numRuns: 300 },
    );
  });

  describe('refinement', () => {
    const A = convection(9, 11);
    const b = randomVector(99, random(13));

    const run = (of: Csr, options: ConstructorParameters<typeof Run>[4] = {}) => {
      const direct = new Direct(room, of);
      const preconditioner = room.bytes(room.k.preconditionerSize());
      room.k.makeDirect(preconditioner, direct.pointer);
      return new Run(room, 'lu', csrOperator(room, A), b, { preconditioner, ...options });
    };

    it('needs one step with the own factors', () => {
      const solve = run(A).step();
      expect(solve).toMatchObject({ status: 'converged', iterations: 1, matvecs: 1 });
      expect(solve.residualNorm).toBeCloseTo(residualNorm(A, b, solve.x), 14);
      expect(solve.takeHistory().length).toBe(2);
    });

    it('goes to the level of rounding and stops there', () => {
      const solve = run(A, { rtol: 0 }).step();
      expect(solve.status).toBe('stagnated');
      expect(solve.residualNorm).toBeLessThan(1e-14 * Math.sqrt(99));
      const rounding = norm2(productMagnitude(A, solve.x));
      expectNear([solve.residualNorm], [residualNorm(A, b, solve.x)], rounding, 1e-15);
    });

    it('takes more with factors of a matrix nearby, step by step the same', () => {
      const other = { ...A, data: A.data.map((value, k) => value * (1 + 0.05 * Math.sin(k))) };
      const at = run(other).step();
      expect(at.status).toBe('converged');
      expect(at.iterations).toBeGreaterThan(3);
      const slow = run(other);
      while (slow.step(1).status === 'running');
      expect(slow.x).toEqual(at.x);
      expect(run(other, { maxiter: 2 }).step()).toMatchObject({ status: 'max-iterations', iterations: 2 });
    });

    it('takes back a step that does harm', () => {
      const wrong = { ...A, data: A.data.map((value) => value / 3) };
      const x0 = randomVector(99, random(14));
      const solve = run(wrong, { x0 }).step();
      expect(solve).toMatchObject({ status: 'stagnated', iterations: 1 });
      expect(solve.x).toEqual(x0);
    });

    it('without factors is a breakdown', () => {
      const solve = new Run(room, 'lu', csrOperator(room, A), b);
      expect(solve.status).toBe('breakdown');
      expect(solve.x).toEqual(new Float64Array(99));
    });
  });
});

function denseMatrix(...rows: number[][]): Csr {
  return fromTriplets(
    [rows.length, rows.length],
    rows.flatMap((row, i) => row.map((value, j) => [i, j, value] as const)),
  );
}

/** [K B'; B -K], K positive definite. */
function quasiDefinite(n: number): Csr {
  const half = n / 2;
  const K = toTriplets(laplacian(half, 1));
  return fromTriplets(
    [n, n],
    [
      ...K,
      ...K.map(([i, j, value]) => [i + half, j + half, -value] as const),
      ...K.flatMap(([i, j, value]) =>
        i === j ? [[i, j + half, value / 5] as const, [j + half, i, value / 5] as const] : [],
      ),
    ],
  );
}

/** -1 for each neighbour, 2 a dimension and 0.1 on the diagonal: as the script of the fixture has it. */
function boxLaplacian(shape: readonly number[]): Csr {
  const n = shape.reduce((product, size) => product * size, 1);
  const triplets: [number, number, number][] = [];
  for (let i = 0; i < n; i++) {
    triplets.push([i, i, 2 * shape.length + 0.1]);
    let stride = 1;
    for (const size of [...shape].reverse()) {
      const at = Math.floor(i / stride) % size;
      if (at > 0) triplets.push([i, i - stride, -1]);
      if (at + 1 < size) triplets.push([i, i + stride, -1]);
      stride *= size;
    }
  }
  return fromTriplets([n, n], triplets);
}

/** Bytes that a test's upload takes of the arena, guards and the record included. */
function uploadedBytes({ shape, data }: Csr): number {
  return 4 * shape[0] + 12 * data.length + 4096;
}
