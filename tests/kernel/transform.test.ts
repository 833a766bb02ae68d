import { describe, expect, it } from 'vitest';
import type { Pointer } from '../../src/wasm/exports.ts';
import { type Csr, fromTriplets, operator, toDense, toTriplets } from '../twins/csr.ts';
import { solve } from '../twins/dense.ts';
import { position } from '../twins/dia.ts';
import { random, randomVector } from '../twins/random.ts';
import { innerCouplings, meanMatrix, mirrorMatrix } from '../twins/transform.ts';
import { dot, maxabs } from '../twins/vector.ts';
import { BUILDS, expectNear, type Room, useRoom } from './harness.ts';
import { Run } from './krylov.ts';
import { csrOperator } from './matrices.ts';
import { grid, laplacian } from './systems.ts';

/** Rows in fours and ones, columns in eights with every rest. */
const SHAPES: [height: number, width: number][] = [
  [1, 1],
  [1, 5],
  [5, 1],
  [2, 2],
  [3, 8],
  [4, 9],
  [13, 10],
  [9, 11],
  [6, 12],
  [7, 13],
  [8, 14],
  [5, 15],
  [12, 24],
  [15, 27],
];

/** The five diagonals in blocks of eight rows; NaN in the slots of cells that do not exist. */
function blocks(A: Csr, width: number): Float64Array {
  const n = A.shape[0];
  const data = new Float64Array(Math.ceil(n / 8) * 40).fill(Number.NaN);
  for (const [i, j, value] of toTriplets(A)) {
    const d = width === 1 ? 2 + 2 * (j - i) : [-width, -1, 0, 1, width].indexOf(j - i);
    data[position(i, d, 5)] = value;
  }
  return data;
}

function make(room: Room, A: Csr, height: number, width: number, reflecting = false) {
  const transform = room.bytes(room.k.transformSize(height, width, reflecting));
  const data = room.vector(blocks(A, width));
  room.k.transformInit(transform, height, width, reflecting);
  expect(room.k.transformUpdate(transform, data)).toBe(1);
  return { transform, data, apply: (r: Float64Array) => apply(room, transform, r) };
}

function apply(room: Room, transform: Pointer, r: Float64Array): Float64Array {
  const z = room.vector(r.length, 1);
  room.k.transformApply(transform, room.vector(r, 1), z);
  return room.read(z, r.length);
}

/** Entries that vary by a tenth. */
function varied(
  height: number,
  width: number,
  seed: number,
  A = grid(width, height, { c: 0.4, q: 0.5 }),
): Csr {
  const next = random(seed);
  return fromTriplets(
    [height * width, height * width],
    toTriplets(A).map(([i, j, value]) => [i, j, value * (0.95 + 0.1 * next())]),
  );
}

describe.each(BUILDS)('sine transform, %s', (build) => {
  const room = useRoom(build);

  it.each(SHAPES)('inverts the mean matrix on %i x %i cells', (height, width) => {
    const next = random(height * 100 + width);
    for (const A of [laplacian(width, height), varied(height, width, 3)]) {
      const r = randomVector(height * width, next);
      const wanted = solve(toDense(meanMatrix(A, height, width)), r);
      expectNear(make(room, A, height, width).apply(r), wanted, maxabs(wanted), 1e-5);
      room.clear();
    }
  });

  it('a hundred columns and more: the sines stay exact', () => {
    for (const [height, width] of [
      [9, 150],
      [3, 700],
    ]) {
      const A = laplacian(width, height);
      const x = randomVector(height * width, random(4));
      const { apply } = make(room, A, height, width);
      expectNear(apply(operator(A)(x)), x, maxabs(x), 1e-5);
      room.clear();
    }
  });

  it('is linear over the whole range of f64, symmetric and positive where the matrix is', () => {
    const [height, width] = [11, 13];
    const { apply } = make(room, laplacian(width, height), height, width);
    const next = random(5);
    const [p, q] = [randomVector(height * width, next), randomVector(height * width, next)];
    const [P, Q] = [apply(p), apply(q)];
    const sum = apply(p.map((value, k) => 2 * value - 3 * q[k]));
    expectNear(
      sum,
      P.map((value, k) => 2 * value - 3 * Q[k]),
      maxabs(P) + maxabs(Q),
      1e-5,
    );
    for (const factor of [2 ** 1000, 2 ** -1000]) {
      expectNear(
        apply(p.map((value) => factor * value)).map((value) => value / factor),
        P,
        0,
      );
    }
    expect(dot(p, P)).toBeGreaterThan(0);
    expect(Math.abs(dot(p, Q) - dot(q, P))).toBeLessThan(1e-5 * Math.sqrt(dot(p, P) * dot(q, Q)));
    expectNear(apply(new Float64Array(p.length)), new Float64Array(p.length), 0);
  });

  it('takes new values, of any common factor', () => {
    const [height, width] = [6, 10];
    const { transform, data } = make(room, laplacian(width, height), height, width);
    const A = varied(height, width, 6);
    const r = randomVector(height * width, random(7));
    for (const factor of [1, -1e-200, 1e200]) {
      room.view(data, blocks(A, width).length).set(blocks(A, width).map((value) => factor * value));
      expect(room.k.transformUpdate(transform, data)).toBe(1);
      const wanted = solve(toDense(meanMatrix(A, height, width)), r);
      const z = apply(room, transform, r).map((value) => value * factor);
      expectNear(z, wanted, maxabs(wanted), 1e-5);
    }
  });

  it('refuses a mean that is singular or not finite', () => {
    const [height, width] = [3, 3];
    const { transform, data } = make(room, laplacian(width, height), height, width);
    const refused = (A: Csr) => {
      room.view(data, 80).set(blocks(A, width));
      return room.k.transformUpdate(transform, data) === 0;
    };
    const good = laplacian(width, height);
    const changed = (to: (i: number, j: number, value: number) => number) =>
      fromTriplets(
        good.shape,
        toTriplets(good).map(([i, j, value]) => [i, j, to(i, j, value)]),
      );
    expect(refused(changed((i, j, value) => (i === j ? 0 : value)))).toBe(true);
    expect(refused(changed((i, j, value) => (i === j && i === 4 ? Number.NaN : value)))).toBe(true);
    expect(refused(changed((i, _j, value) => (i === 4 ? Infinity : value)))).toBe(true);
    expect(refused(good)).toBe(false);
  });

  it('shows what is not finite, and forgets it', () => {
    const { transform } = make(room, laplacian(10, 7), 7, 10);
    const r = randomVector(70, random(8));
    const wanted = apply(room, transform, r);
    for (const value of [Number.NaN, Infinity]) {
      const bad = r.slice();
      bad[40] = value;
      expect(apply(room, transform, bad).every(Number.isFinite)).toBe(false);
      expectNear(apply(room, transform, r), wanted, 0);
    }
  });

  it.each(['gmres', 'bicgstab', 'cg'] as const)(
    '%s: hardly an iteration where entries are constant',
    (method) => {
      for (const n of [16, 31, 48]) {
        const A = laplacian(n, n);
        const { transform } = make(room, A, n, n);
        const preconditioner = room.bytes(room.k.preconditionerSize());
        room.k.makeTransform(preconditioner, transform);
        const b = randomVector(n * n, random(n));
        const run = new Run(room, method, csrOperator(room, A), b, { preconditioner }).step();
        expect(run.status).toBe('converged');
        expect(run.iterations).toBeLessThanOrEqual(3);
        room.clear();
      }
    },
  );
});

const COUPLINGS = { centre: 5.1, above: -1.4, below: -0.6, beside: -1.2 };

/** Two points in a row do not show where their mirrors are, and are taken for the outermost ones. */
const MIRRORS = (['points', 'between'] as const).flatMap((border) =>
  SHAPES.filter(([h, w]) => border === 'points' || Math.max(h, w) > 2).map(
    ([h, w]) => [h, w, border] as const,
  ),
);

describe.each(BUILDS)('cosine transform, %s', (build) => {
  const room = useRoom(build);

  it.each(MIRRORS)('inverts constant couplings on %i x %i cells, mirrors: %s', (height, width, border) => {
    const A = mirrorMatrix(height, width, border, COUPLINGS);
    const x = randomVector(height * width, random(height * 100 + width));
    const { apply } = make(room, A, height, width, true);
    expectNear(apply(operator(A)(x)), x, maxabs(x), 1e-5);
  });

  it.each(['points', 'between'] as const)('takes the means off the border, and new ones: %s', (border) => {
    for (const [height, width] of [
      [5, 9],
      [12, 24],
      [15, 27],
    ]) {
      const r = randomVector(height * width, random(width));
      const other = border === 'points' ? 'between' : 'points';
      const { transform, data } = make(
        room,
        mirrorMatrix(height, width, other, COUPLINGS),
        height,
        width,
        true,
      );
      const A = varied(height, width, 3, mirrorMatrix(height, width, border, COUPLINGS));
      const slots = blocks(A, width);
      room.view(data, slots.length).set(slots);
      expect(room.k.transformUpdate(transform, data)).toBe(1);
      const mean = mirrorMatrix(height, width, border, innerCouplings(A, height, width));
      const wanted = solve(toDense(mean), r);
      expectNear(apply(room, transform, r), wanted, maxabs(wanted), 1e-5);
      room.clear();
    }
  });

  it.each(['points', 'between'] as const)('refuses what is singular between mirrors: %s', (border) => {
    const [height, width] = [6, 11];
    const { transform, data } = make(
      room,
      mirrorMatrix(height, width, border, COUPLINGS),
      height,
      width,
      true,
    );
    const singular = mirrorMatrix(height, width, border, { centre: 4, above: -1, below: -1, beside: -1 });
    room.view(data, blocks(singular, width).length).set(blocks(singular, width));
    expect(room.k.transformUpdate(transform, data)).toBe(0);
  });
});
