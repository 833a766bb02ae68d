import { describe, expect, it } from 'vitest';
import { diagonal, fromTriplets } from '../twins/csr.ts';
import * as twin from '../twins/ilu0.ts';
import { random, randomBanded, randomDominant, randomVector } from '../twins/random.ts';
import { maxabs } from '../twins/vector.ts';
import { BUILDS, expectNear, expectSame, type Room, useRoom } from './harness.ts';
import { changedEntry, factorIlu0, hostPreconditioner, jacobiPreconditioner } from './matrices.ts';

function apply(room: Room, preconditioner: number, r: Float64Array): Float64Array {
  const z = room.vector(r.length, 1);
  room.k.applyPreconditioner(preconditioner, room.vector(r), z);
  return room.read(z, r.length);
}

describe.each(BUILDS)('ILU(0) in CSR, %s', (build) => {
  const room = useRoom(build);
  const next = random(31);
  const matrices = [
    ...Array.from({ length: 41 }, (_, n) => randomDominant(n, 0.3, next)),
    randomDominant(20, 1, next),
    randomBanded(100, [-10, -1, 0, 1, 10], next),
    randomBanded(64, [0], next),
    randomBanded(64, [-1, 0], next),
    randomBanded(64, [0, 3], next),
  ];

  it('factors equal the twin', () => {
    for (const A of matrices) {
      const n = A.shape[0];
      const LU = twin.ilu0(A);
      const actual = factorIlu0(room, A);
      expect(actual.failed).toBe(-1);
      expectNear(room.read(actual.data, A.data.length), LU.data, 1 + maxabs(A.data), 1e-13, `n = ${n}`);
      const pivots = diagonal(LU);
      expectNear(
        room.read(actual.inverse, n),
        pivots.map((pivot) => 1 / pivot),
        1,
        1e-13,
        `n = ${n}`,
      );
      const places = room.readIntegers(actual.diagonal, n);
      expectSame(
        [...places].map((place) => A.indices[place]),
        [...places.keys()],
      );
      expect([...places].every((place, i) => A.indptr[i] <= place && place < A.indptr[i + 1])).toBe(true);
      room.clear();
    }
  });

  it('names the row whose pivot is missing, zero or not finite', () => {
    const A = randomBanded(30, [-5, -1, 0, 1, 5], next);
    for (const row of [0, 1, 7, 8, 28, 29]) {
      expect(factorIlu0(room, changedEntry(A, row, row)).failed).toBe(row);
      expect(factorIlu0(room, changedEntry(A, row, row, Number.NaN)).failed).toBe(row);
      expect(factorIlu0(room, changedEntry(A, row, row, Infinity)).failed).toBe(row);
    }
    expect(factorIlu0(room, changedEntry(A, 0, 0, 0)).failed).toBe(0);
    expect(factorIlu0(room, changedEntry(A, 0, 0, -0)).failed).toBe(0);
    // Its inverse overflows.
    expect(factorIlu0(room, changedEntry(A, 0, 0, 1e-310)).failed).toBe(0);
    expect(factorIlu0(room, randomBanded(9, [-1, 1], next)).failed).toBe(0);
  });

  it('names the row whose pivot elimination makes zero', () => {
    // Row 2 minus row 1 leaves (2, 2) = 1 - 1.
    const A = fromTriplets(
      [4, 4],
      [
        [0, 0, 2],
        [1, 1, 1],
        [1, 2, 1],
        [2, 1, 1],
        [2, 2, 1],
        [3, 3, 5],
      ],
    );
    expect(factorIlu0(room, A).failed).toBe(2);
    expect(() => twin.ilu0(A)).toThrow('row 2');
    // A zero that elimination fills is none.
    expect(factorIlu0(room, changedEntry(A, 2, 2, 0)).failed).toBe(-1);
  });
});

describe.each(BUILDS)('other preconditioners, %s', (build) => {
  const room = useRoom(build);
  const next = random(8);

  it('Jacobi multiplies by the inverse diagonal', () => {
    for (let n = 0; n <= 40; n++) {
      const A = randomDominant(n, 0.2, next);
      const r = randomVector(n, next);
      const inverse = diagonal(A).map((value) => 1 / value);
      expectSame(
        apply(room, jacobiPreconditioner(room, A), r),
        r.map((value, i) => inverse[i] * value),
      );
      room.clear();
    }
  });

  it('a host function gets r and fills z', () => {
    const r = randomVector(11, next);
    const preconditioner = hostPreconditioner(room, 11, (x, y) => {
      expect([x.length, y.length]).toEqual([11, 11]);
      for (let i = 0; i < x.length; i++) y[i] = 3 * x[i];
    });
    expectSame(
      apply(room, preconditioner, r),
      r.map((value) => 3 * value),
    );
  });
});
