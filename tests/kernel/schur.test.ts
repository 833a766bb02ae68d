import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Dense, dense, multiply, orthogonalityError, transpose } from '../twins/dense.ts';
import { norm2 } from '../twins/vector.ts';
import { BUILDS, expectNear, type Room, useRoom } from './harness.ts';

interface Case {
  name: string;
  /** Of the eigenvalues, in parts of the norm. */
  tolerance: number;
  A: number[][];
  eigenvalues: [re: number, im: number][];
}

const CASES: readonly Case[] = JSON.parse(
  readFileSync(new URL('../fixtures/eigen/eigenvalues.json', import.meta.url), 'utf8'),
);

function schur(room: Room, A: Dense): { T: Dense; Z: Dense } | undefined {
  const k = A.rows;
  // The kernel's matrices go by columns.
  const [T, Z] = [room.vector(transpose(A).data), room.vector(k * k)];
  if (!room.k.schur(k, T, Z, room.vector(2 * k + 16))) return undefined;
  const take = (from: number) => transpose({ rows: k, cols: k, data: room.read(from, k * k) });
  return { T: take(T), Z: take(Z) };
}

/** Sizes of the diagonal blocks; fails when T is not triangular otherwise. */
function blocksOf({ rows: k, data }: Dense): number[] {
  const sizes: number[] = [];
  for (let i = 0; i < k; i++) {
    for (let j = 0; j + 1 < i; j++) expect(data[i * k + j], `below the subdiagonal, ${i} ${j}`).toBe(0);
  }
  for (let i = 0; i < k; i += sizes[sizes.length - 1]) {
    sizes.push(i + 1 < k && data[(i + 1) * k + i] !== 0 ? 2 : 1);
    const next = i + sizes[sizes.length - 1];
    if (next < k) expect(data[next * k + next - 1], `between blocks, ${next}`).toBe(0);
  }
  return sizes;
}

/** In the order of the blocks. */
function eigenvaluesOf(T: Dense): [re: number, im: number][] {
  const k = T.rows;
  let i = 0;
  return blocksOf(T).flatMap((size): [number, number][] => {
    const at = (p: number, q: number) => T.data[(i + p) * k + i + q];
    const [a, b, c, d] = size === 1 ? [at(0, 0), 0, 0, at(0, 0)] : [at(0, 0), at(0, 1), at(1, 0), at(1, 1)];
    i += size;
    if (size === 1) return [[a, 0]];
    const [middle, half] = [(a + d) / 2, (a - d) / 2];
    const square = half * half + b * c;
    const root = Math.sqrt(Math.abs(square));
    if (square >= 0) {
      return [
        [middle + root, 0],
        [middle - root, 0],
      ];
    }
    return [
      [middle, root],
      [middle, -root],
    ];
  });
}

/** The largest distance of an eigenvalue from the nearest of the wanted that is still free. */
function distance(found: [number, number][], wanted: readonly [number, number][]): number {
  const free = [...wanted];
  let most = 0;
  for (const [re, im] of found) {
    const distances = free.map(([p, q]) => Math.hypot(p - re, q - im));
    const least = Math.min(...distances);
    free.splice(distances.indexOf(least), 1);
    most = Math.max(most, least);
  }
  return most;
}

function expectSchur(room: Room, A: Dense): Dense {
  const found = schur(room, A);
  expect(found).toBeDefined();
  const { T, Z } = found!;
  const k = A.rows;
  const columns = Array.from({ length: k }, (_, j) => transpose(Z).data.slice(j * k, (j + 1) * k));
  expect(orthogonalityError(columns)).toBeLessThan(1e-13);
  const back = multiply(multiply(Z, T), transpose(Z));
  expectNear(back.data, A.data, norm2(A.data), 1e-13);
  const moduli = eigenvaluesOf(T).map(([re, im]) => Math.hypot(re, im));
  for (let j = 1; j < k; j++) {
    expect(moduli[j]).toBeLessThanOrEqual(1.011 * moduli[j - 1] + 1e-13 * norm2(A.data));
  }
  return T;
}

describe.each(BUILDS)('schur, %s', (build) => {
  const room = useRoom(build);

  it.each(CASES)('$name: the eigenvalues of LAPACK, in order', ({ A: rows, eigenvalues, tolerance }) => {
    const A = dense(rows);
    const T = expectSchur(room, A);
    expect(distance(eigenvaluesOf(T), eigenvalues)).toBeLessThanOrEqual(tolerance * norm2(A.data));
  });

  it('exchanges blocks of one and two', () => {
    // Already in Schur form, in the wrong order.
    const A = dense([
      [1, 5, -3, 2, 7],
      [0, 1, 3, 4, -1],
      [0, -3, 1, 2, 2],
      [0, 0, 0, 6, 8],
      [0, 0, 0, -8, 6],
    ]);
    const T = expectSchur(room, A);
    expect(blocksOf(T)).toEqual([2, 2, 1]);
    expectNear(eigenvaluesOf(T).flat(), [6, 8, 6, -8, 1, 3, 1, -3, 1, 0], 1, 1e-12);
  });

  it('the size of the numbers does not matter', () => {
    const { A: rows } = CASES.find(({ name }) => name === 'random 13')!;
    const A = dense(rows);
    const wanted = expectSchur(room, A);
    for (const scale of [2 ** 1000, 2 ** -1000]) {
      const found = schur(room, { ...A, data: A.data.map((value) => scale * value) })!;
      expectNear(
        found.T.data.map((value) => value / scale),
        wanted.data,
        norm2(A.data),
        1e-14,
      );
    }
  });

  it('nothing, and what is not finite', () => {
    expect(schur(room, { rows: 0, cols: 0, data: new Float64Array(0) })).toBeDefined();
    for (const bad of [Number.NaN, Infinity]) {
      expect(
        schur(
          room,
          dense([
            [1, bad],
            [2, 3],
          ]),
        ),
      ).toBeUndefined();
    }
  });
});
