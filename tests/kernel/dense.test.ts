import { describe, expect, it } from 'vitest';
import * as twin from '../twins/dense.ts';
import { random, randomVector } from '../twins/random.ts';
import { norm2 } from '../twins/vector.ts';
import { BUILDS, expectNear, type Room, useRoom } from './harness.ts';

/** By columns, as the kernel wants it. */
function solveDense(room: Room, A: twin.Dense, b: Float64Array): Float64Array | undefined {
  const [pA, y] = [room.vector(twin.transpose(A).data), room.vector(b)];
  return room.k.solveDense(A.rows, pA, y) ? room.read(y, A.rows) : undefined;
}

describe.each(BUILDS)('solveDense, %s', (build) => {
  const room = useRoom(build);

  it('equals the twin', () => {
    for (let k = 0; k <= 25; k++) {
      const next = random(k);
      const A = { rows: k, cols: k, data: randomVector(k * k, next) };
      const b = randomVector(k, next);
      const wanted = twin.solve(A, b);
      expectNear(solveDense(room, A, b)!, wanted, norm2(wanted), 1e-10, `k = ${k}`);
      room.clear();
    }
  });

  it('exchanges rows', () => {
    const A = twin.dense([
      [0, 2, 1],
      [1, -2, -3],
      [-1, 1, 2],
    ]);
    expectNear(solveDense(room, A, Float64Array.of(-8, 0, 3))!, [-4, -5, 2], 1, 1e-14);
  });

  it('refuses singular matrices, and such with NaN', () => {
    const singular = [
      [[0]],
      [
        [0, 0],
        [0, 0],
      ],
      [
        [1, 2],
        [2, 4],
      ],
      [
        [1, 0.1, 3],
        [0, 0, 1],
        [0, 0, 2],
      ],
      [
        [1, 1 / 3],
        [3, 1 + 1e-16],
      ],
      [
        [Number.NaN, 1],
        [1, 1],
      ],
    ];
    for (const rows of singular) {
      expect(solveDense(room, twin.dense(rows), new Float64Array(rows.length).fill(1))).toBeUndefined();
    }
  });

  it('the size of the numbers does not matter', () => {
    const A = { rows: 6, cols: 6, data: randomVector(36, random(4)) };
    const b = randomVector(6, random(5));
    for (const scale of [1e-200, 1e200]) {
      const scaled = { ...A, data: A.data.map((value) => scale * value) };
      expectNear(
        solveDense(room, scaled, b)!.map((y) => scale * y),
        twin.solve(A, b),
        100,
        1e-12,
      );
    }
  });
});

describe.each(BUILDS)('solveCholesky, %s', (build) => {
  const room = useRoom(build);
  const solve = (A: twin.Dense, b: Float64Array, least: number) => {
    const [pA, y] = [room.vector(A.data), room.vector(b)];
    return room.k.solveCholesky(A.rows, pA, y, least) ? room.read(y, A.rows) : undefined;
  };
  /** B'B, symmetric and positive definite. */
  const definite = (k: number) => {
    const B = { rows: k + 3, cols: k, data: randomVector((k + 3) * k, random(k)) };
    return twin.multiply(twin.transpose(B), B);
  };

  it('equals the twin', () => {
    for (let k = 0; k <= 25; k++) {
      const A = definite(k);
      const b = randomVector(k, random(k + 50));
      const wanted = twin.solve(A, b);
      expectNear(solve(A, b, 1e-12)!, wanted, norm2(wanted), 1e-9, `k = ${k}`);
      room.clear();
    }
  });

  it('refuses what is singular, nearly so, not definite or not finite', () => {
    const near = (gap: number) =>
      twin.dense([
        [4, 2],
        [2, 1 + gap],
      ]);
    const b = Float64Array.of(1, 2);
    expect(solve(near(1e-9), b, 1e-8)).toBeUndefined();
    expect(solve(near(1e-7), b, 1e-8)).toBeDefined();
    for (const bad of [0, -1, Number.NaN, Infinity]) {
      expect(solve(twin.dense([[bad]]), b.slice(1), 1e-8)).toBeUndefined();
      expect(solve(near(bad - 1), b, 0)).toBeUndefined();
    }
  });
});
