import { describe, expect, it } from 'vitest';
import { orthogonalise } from '../twins/arnoldi.ts';
import { fromColumns, orthogonalityError, qr } from '../twins/dense.ts';
import { random, randomVector } from '../twins/random.ts';
import { axpy, dot, maxabs, norm2, scale } from '../twins/vector.ts';
import { BUILDS, expectNear, type Room, useRoom } from './harness.ts';

/** k orthonormal vectors of length n, by Householder reflections. */
function orthonormal(n: number, k: number, seed: number): Float64Array[] {
  const next = random(seed);
  const { Q } = qr(fromColumns(Array.from({ length: k }, () => randomVector(n, next))));
  return Array.from({ length: k }, (_, j) => Float64Array.from({ length: n }, (_, i) => Q.data[i * n + j]));
}

function upload(room: Room, V: readonly Float64Array[], n: number): { pV: number; stride: number } {
  const stride = room.k.vectorStride(n);
  const pV = room.vector((V.length * stride) / 8);
  V.forEach((v, j) => {
    room.view(pV + j * stride, n).set(v);
  });
  return { pV, stride };
}

function orthogonalize(room: Room, V: readonly Float64Array[], w: Float64Array) {
  const n = w.length;
  const k = V.length;
  const { pV, stride } = upload(room, V, n);
  const [pw, h, work] = [room.vector(w, 1), room.vector(k + 1), room.vector(k)];
  const norm = room.k.orthogonalize(n, k, pV, stride, pw, h, work);
  return { norm, v: room.read(pw, n), h: room.read(h, k + 1) };
}

describe.each(BUILDS)('orthogonalize, %s', (build) => {
  const room = useRoom(build);

  it("equals the twin: w = V h + norm v, V'v = 0, |v| = 1", () => {
    for (const n of [14, 15, 16, 17, 24, 31, 40, 101]) {
      for (let k = 0; k <= 13; k++) {
        const V = orthonormal(n, k, n);
        const w = randomVector(n, random(k));
        const copy = w.slice();
        const wanted = orthogonalise(V, copy);
        const { norm, v, h } = orthogonalize(room, V, w);
        expectNear(h, wanted, norm2(w), 1e-13, `n = ${n}, k = ${k}`);
        expect(h[k]).toBe(norm);
        scale(1 / wanted[k], copy);
        expectNear(v, copy, 1, 1e-12);
        for (const u of V) expect(Math.abs(dot(u, v))).toBeLessThan(1e-14);
        expectNear([norm2(v)], [1], 1, 1e-14);
        room.clear();
      }
    }
  });

  it('stays orthogonal when most of w is in the span', () => {
    const [n, k] = [60, 9];
    const V = orthonormal(n, k, 1);
    for (const share of [1e-3, 1e-6, 1e-9, 1e-12]) {
      const w = randomVector(n, random(2)).map((value) => share * value);
      for (const u of V) axpy(3, u, w);
      const { norm, v, h } = orthogonalize(room, V, w);
      expect(norm).toBeGreaterThan(0);
      for (const u of V) expect(Math.abs(dot(u, v))).toBeLessThan(1e-14);
      const rest = w.slice();
      V.forEach((u, j) => {
        axpy(-h[j], u, rest);
      });
      axpy(-norm, v, rest);
      expect(maxabs(rest)).toBeLessThan(1e-14);
    }
  });

  it('returns 0 for a vector of the span, for zero and for more vectors than dimensions', () => {
    const [n, k] = [40, 7];
    const V = orthonormal(n, k, 5);
    const w = new Float64Array(n);
    V.forEach((u, j) => {
      axpy(j - 2.5, u, w);
    });
    const { norm, h } = orthogonalize(room, V, w);
    expect(norm).toBe(0);
    expectNear(h, [...V.map((_, j) => j - 2.5), 0], 10, 1e-14);
    expect(orthogonalize(room, V, new Float64Array(n)).norm).toBe(0);
    expect(orthogonalize(room, [], new Float64Array(n)).norm).toBe(0);
    for (const size of [1, 2, 5, 9]) {
      const full = orthonormal(size, size, size);
      expect(orthogonalize(room, full, randomVector(size, random(3))).norm).toBe(0);
    }
  });

  it('tiny and huge vectors are treated as any other', () => {
    const [n, k] = [33, 6];
    const V = orthonormal(n, k, 8);
    const w = randomVector(n, random(9));
    const wanted = orthogonalize(room, V, w);
    for (const factor of [2 ** 500, 2 ** -500, 2 ** 600, 2 ** -600]) {
      const { norm, v, h } = orthogonalize(
        room,
        V,
        w.map((value) => factor * value),
      );
      expectNear([norm / factor], [wanted.norm], wanted.norm, 1e-14, `factor ${factor}`);
      expectNear(v, wanted.v, 1, 1e-14);
      expectNear(
        h.map((value) => value / factor),
        wanted.h,
        norm2(w),
        1e-14,
      );
    }
  });

  it('NaN is not taken for a direction', () => {
    const V = orthonormal(20, 3, 8);
    const w = randomVector(20, random(9));
    w[17] = Number.NaN;
    const { norm, h } = orthogonalize(room, V, w);
    expect(norm).toBe(0);
    expect(h[0]).toBeNaN();
  });
});

describe.each(BUILDS)('orthogonality, %s', (build) => {
  const room = useRoom(build);

  it("is max |V'V - I|", () => {
    for (const n of [1, 9, 24, 41]) {
      for (let k = 0; k <= Math.min(n, 13); k++) {
        const V = orthonormal(n, k, n + k);
        if (k > 2) axpy(0.125, V[0], V[2]);
        if (k > 1) scale(1.5, V[1]);
        const { pV, stride } = upload(room, V, n);
        const measured = room.k.orthogonality(n, k, pV, stride, room.vector(k));
        expectNear([measured], [k === 0 ? 0 : orthogonalityError(V)], 1, 1e-14, `n = ${n}, k = ${k}`);
        room.clear();
      }
    }
  });

  it('hands on NaN', () => {
    const V = orthonormal(9, 2, 1);
    V[1][4] = Number.NaN;
    const { pV, stride } = upload(room, V, 9);
    expect(room.k.orthogonality(9, 2, pV, stride, room.vector(2))).toBeNaN();
  });
});
