import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Csr, diagonal, fromTriplets, toTriplets } from '../twins/csr.ts';
import * as twin from '../twins/ilu0.ts';
import { type LevelPattern, levelPattern } from '../twins/levels.ts';
import { random, randomBanded, randomDominant, randomVector } from '../twins/random.ts';
import { maxabs } from '../twins/vector.ts';
import { BUILDS, expectNear, type Room, useRoom } from './harness.ts';
import { changedEntry, csrOperator, diaOperator, ilu0Preconditioner, layoutLevels } from './matrices.ts';
import { patterns } from './patterns.ts';
import { convection } from './systems.ts';

function solve(room: Room, A: Csr, r: Float64Array, store = csrOperator): Float64Array {
  const z = room.vector(r.length, 1);
  room.k.applyPreconditioner(ilu0Preconditioner(room, A, store(room, A)), room.vector(r), z);
  return room.read(z, r.length);
}

/** A with its unknowns in a random order. */
function shuffled(A: Csr, next: () => number): Csr {
  const place = Array.from({ length: A.shape[0] }, (_, row) => row);
  for (let k = place.length - 1; k > 0; k--) {
    const other = Math.floor(next() * (k + 1));
    [place[k], place[other]] = [place[other], place[k]];
  }
  return fromTriplets(
    A.shape,
    toTriplets(A).map(([i, j, value]): [number, number, number] => [place[i], place[j], value]),
  );
}

/** The pattern as the kernel finds it. */
function kernelLevels(room: Room, A: Csr): LevelPattern {
  const n = A.shape[0];
  const [indptr, indices] = [room.integers(A.indptr), room.integers(A.indices)];
  const [order, work] = [room.integers(n), room.integers(5 * n + 4)];
  const gap = room.k.levelOrder(n, indptr, indices, order, work);
  const [lowerEntries, lowerRuns, upperEntries, upperRuns] = room.readIntegers(work, 4);
  const sizes = [3 * lowerRuns, lowerEntries, 3 * upperRuns, upperEntries];
  const [a, b, c, d] = sizes.map((size) => room.integers(size));
  room.k.levelSlices(n, indptr, indices, order, work, a, b, c, d);
  const [lower, lowerColumns, upper, upperColumns] = [a, b, c, d].map((pointer, k) =>
    room.readIntegers(pointer, sizes[k]),
  );
  return {
    order: room.readIntegers(order, n),
    lower: { runs: lower, columns: lowerColumns },
    upper: { runs: upper, columns: upperColumns },
    gap,
  };
}

const next = random(32);
const MATRICES: readonly Csr[] = [
  ...Array.from({ length: 41 }, (_, n) => randomDominant(n, 0.3, next)),
  randomDominant(20, 1, next),
  randomDominant(300, 0.01, next),
  randomBanded(100, [-10, -1, 0, 1, 10], next),
  randomBanded(64, [0], next),
  randomBanded(64, [-1, 0], next),
  randomBanded(64, [0, 3], next),
  randomBanded(70, [-2, -1, 0, 1, 2], next),
  convection(13, 9),
  convection(30, 41),
  shuffled(convection(20, 20), next),
];

describe.each(BUILDS)('ILU(0) by levels, %s', (build) => {
  const room = useRoom(build);

  it('factors equal the twin, from either storage', () => {
    for (const A of MATRICES) {
      const n = A.shape[0];
      const LU = twin.ilu0(A);
      const scale = 1 + maxabs(A.data);
      for (const store of [csrOperator, diaOperator]) {
        const { pattern, ilu0, lower, upper, inverse } = layoutLevels(room, A);
        expect(room.k.ilu0Update(ilu0, store(room, A))).toBe(-1);
        // Again, over what the first has left.
        expect(room.k.ilu0Update(ilu0, store(room, A))).toBe(-1);
        const pivots = diagonal(LU);
        expectNear(
          room.read(inverse, n),
          Float64Array.from(pattern.order, (row) => 1 / pivots[row]),
          1,
          1e-13,
          `n = ${n}`,
        );
        // The factors lie in another order; their entries are the same.
        const sorted = (values: Iterable<number>) => Float64Array.from(values).sort();
        const entries = (keep: (i: number, j: number) => boolean) =>
          sorted(
            toTriplets(LU)
              .filter(([i, j]) => keep(i, j))
              .map(([, , value]) => value),
          );
        const found = (pointer: number, { columns }: { columns: Int32Array }) =>
          sorted(room.read(pointer, columns.length));
        expectNear(
          found(lower, pattern.lower),
          entries((i, j) => j < i),
          scale,
        );
        expectNear(
          found(upper, pattern.upper),
          entries((i, j) => j > i),
          scale,
        );
        room.clear();
      }
    }
  });

  it('solves as the twin, also in place', () => {
    for (const A of MATRICES) {
      const n = A.shape[0];
      const r = randomVector(n, next);
      const wanted = twin.solveIlu0(twin.ilu0(A), r);
      for (const store of [csrOperator, diaOperator]) {
        expectNear(solve(room, A, r, store), wanted, 1 + maxabs(wanted), 1e-13, `n = ${n}`);
      }
      const { ilu0 } = layoutLevels(room, A);
      room.k.ilu0Update(ilu0, csrOperator(room, A));
      const place = room.vector(r);
      room.k.ilu0Apply(ilu0, place, place);
      expectNear(room.read(place, n), wanted, 1 + maxabs(wanted));
      room.clear();
    }
  });

  it('is exact where there is no fill: a tridiagonal system is solved', () => {
    const A = randomBanded(37, [-1, 0, 1], next);
    const x = randomVector(37, next);
    const b = new Float64Array(37);
    for (const [i, j, value] of toTriplets(A)) b[i] += value * x[j];
    expectNear(solve(room, A, b), x, 1, 1e-13);
  });

  it('names a row whose pivot is zero or not finite, and is good again with other values', () => {
    const A = randomBanded(30, [-5, -1, 0, 1, 5], next);
    for (const store of [csrOperator, diaOperator]) {
      for (const row of [0, 1, 7, 8, 28, 29]) {
        for (const value of [Number.NaN, Infinity]) {
          const { ilu0 } = layoutLevels(room, A);
          expect(room.k.ilu0Update(ilu0, store(room, changedEntry(A, row, row, value)))).toBe(row);
          expect(room.k.ilu0Update(ilu0, store(room, A))).toBe(-1);
        }
      }
      const { ilu0 } = layoutLevels(room, A);
      for (const value of [0, -0, 1e-310]) {
        expect(room.k.ilu0Update(ilu0, store(room, changedEntry(A, 0, 0, value)))).toBe(0);
      }
    }
  });
});

describe.each(BUILDS)('levels in the kernel, %s', (build) => {
  const room = useRoom(build);

  it('are those of the twin', () => {
    fc.assert(
      fc.property(patterns, (A) => {
        expect(kernelLevels(room, A)).toEqual(levelPattern(A));
        room.clear();
      }),
    );
    for (const A of MATRICES) {
      expect(kernelLevels(room, A)).toEqual(levelPattern(A));
      room.clear();
    }
  });
});

describe('levels', () => {
  it('have no two rows that share an entry, and keep the order of those that do', () => {
    for (const A of MATRICES) {
      const { order, lower, upper, gap } = levelPattern(A);
      expect(gap).toBe(-1);
      expect([...order].sort((a, b) => a - b)).toEqual([...order.keys()]);
      const place = new Int32Array(order.length);
      for (const [p, row] of order.entries()) place[row] = p;
      for (const [i, j] of toTriplets(A)) expect(Math.sign(place[i] - place[j])).toBe(Math.sign(i - j));
      expect(lower.columns.length + upper.columns.length + order.length).toBe(A.data.length);
      // Rows side by side do not read each other.
      let slot = 0;
      let p = 0;
      for (let k = 0; k < lower.runs.length; k += 3) {
        const [length, slices, singles] = lower.runs.subarray(k, k + 3);
        for (let s = 0; s < slices; s++, p += 4, slot += 4 * length) {
          for (const column of lower.columns.subarray(slot, slot + 4 * length))
            expect(column).toBeLessThan(p);
        }
        p += singles;
        slot += singles * length;
      }
      expect(p).toBe(order.length);
    }
  });

  it('of a grid are its diagonals', () => {
    expect(levelPattern(convection(9, 7)).lower.runs.length / 3).toBeLessThan(3 * 15);
  });

  it('tell the first row without a diagonal entry', () => {
    const A = randomBanded(9, [-1, 0, 1], next);
    expect(levelPattern(changedEntry(changedEntry(A, 7, 7), 4, 4)).gap).toBe(4);
  });
});
