import { describe, expect, it } from 'vitest';
import { fromColumns, orthogonalityError, qr } from '../twins/dense.ts';
import { merge } from '../twins/merge.ts';
import { random, randomVector } from '../twins/random.ts';
import { axpy, dot, norm2 } from '../twins/vector.ts';
import { BUILDS, expectNear, expectSame, type Room, useRoom } from './harness.ts';

const TOLERANCE = 1e-8;

function orthonormal(n: number, k: number, next: () => number): Float64Array[] {
  if (k === 0) return [];
  const { Q } = qr(fromColumns(Array.from({ length: k }, () => randomVector(n, next))));
  return Array.from({ length: k }, (_, j) => Float64Array.from({ length: n }, (_, i) => Q.data[i * n + j]));
}

/** All columns afterwards. */
function mergeBasis(
  room: Room,
  n: number,
  V: readonly Float64Array[],
  C: readonly Float64Array[],
  roomLeft: number,
): Float64Array[] {
  const stride = room.k.vectorStride(n);
  const [k, m] = [V.length, C.length];
  const pV = room.vector(((k + roomLeft) * stride) / 8);
  const pC = room.vector((m * stride) / 8);
  V.forEach((v, j) => {
    room.view(pV + j * stride, n).set(v);
  });
  C.forEach((c, j) => {
    room.view(pC + j * stride, n).set(c);
  });
  const work = room.vector(m + 2 * (k + roomLeft) + 1);
  const added = room.k.mergeBasis(n, k, roomLeft, pV, stride, m, pC, stride, TOLERANCE, work);
  return Array.from({ length: k + added }, (_, j) => room.read(pV + j * stride, n));
}

/** What of v lies outside the span of the orthonormal columns, of its length. */
function outside(V: readonly Float64Array[], v: Float64Array): number {
  const rest = v.slice();
  for (let pass = 0; pass < 2; pass++) for (const u of V) axpy(-dot(u, rest), u, rest);
  return norm2(rest) / norm2(v);
}

describe.each(BUILDS)('mergeBasis, %s', (build) => {
  const room = useRoom(build);

  it('equals the twin, column by column', () => {
    for (const n of [14, 23, 40, 101]) {
      for (let k = 0; k <= 9; k += 3) {
        for (const m of [0, 1, 2, 5]) {
          const next = random(n + 10 * k + m);
          const V = orthonormal(n, k, next);
          const C = Array.from({ length: m }, (_, j) =>
            randomVector(n, next).map((value) => value * 10 ** (3 * j - 6)),
          );
          for (const most of [0, 2, 9]) {
            const all = mergeBasis(room, n, V, C, most);
            const what = `n = ${n}, k = ${k}, m = ${m}, room = ${most}`;
            const wanted = merge(V, C, most, TOLERANCE);
            expect(all.length, what).toBe(k + wanted.length);
            for (const [j, v] of V.entries()) expectSame(all[j], v);
            for (const [j, v] of wanted.entries()) expectNear(all[k + j], v, 1, 1e-11, what);
            if (all.length > 0) expect(orthogonalityError(all)).toBeLessThan(1e-14);
            if (most >= m) for (const c of C) expect(outside(all, c)).toBeLessThan(1e-14);
            room.clear();
          }
        }
      }
    }
  });

  it('leaves out what depends on the others, under the tolerance, and keeps what does not', () => {
    const n = 50;
    const next = random(3);
    const V = orthonormal(n, 4, next);
    const [c, d, noise] = [randomVector(n, next), randomVector(n, next), randomVector(n, next)];
    const near = (share: number) => c.map((value, i) => value + 2 * d[i] - V[1][i] + share * noise[i]);
    for (const [share, added] of [
      [0, 2],
      [1e-10, 2],
      [1e-6, 3],
    ] as const) {
      const all = mergeBasis(room, n, V, [c, d, near(share), V[2], V[0].map((value) => -3 * value)], 10);
      expect(all.length).toBe(4 + added);
      expect(orthogonalityError(all)).toBeLessThan(1e-14);
    }
  });

  it('takes the newest directions where there is not room for all', () => {
    const n = 30;
    const next = random(4);
    const V = orthonormal(n, 6, next);
    const basis = V.slice(0, 3);
    // Of the first hardly anything is new, of the others half and all.
    const C = [
      V[0].map((value, i) => value + 1e-3 * V[3][i]),
      V[1].map((value, i) => value + V[4][i]),
      V[5].slice(),
    ];
    const [, , , first, second] = mergeBasis(room, n, basis, C, 2);
    expect(Math.abs(dot(first, V[5]))).toBeCloseTo(1, 13);
    expect(Math.abs(dot(second, V[4]))).toBeCloseTo(1, 13);
    expect(mergeBasis(room, n, basis, C, 3)).toHaveLength(6);
  });

  it('no more than there are dimensions; zeros, NaN and infinity are no directions', () => {
    const n = 5;
    const next = random(5);
    const all = mergeBasis(
      room,
      n,
      orthonormal(n, 2, next),
      Array.from({ length: 7 }, () => randomVector(n, next)),
      9,
    );
    expect(all).toHaveLength(5);
    expect(orthogonalityError(all)).toBeLessThan(1e-13);
    const odd = [0, Number.NaN, Infinity, 1e-310].map((value) => new Float64Array(n).fill(value));
    expect(mergeBasis(room, n, [], odd, 9)).toHaveLength(0);
    expect(mergeBasis(room, n, [], [...odd, new Float64Array(n).fill(2)], 9)).toHaveLength(1);
  });
});
