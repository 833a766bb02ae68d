import { describe, expect, it } from 'vitest';
import { fromColumns, multiply, transpose } from '../twins/dense.ts';
import { random, randomVector } from '../twins/random.ts';
import { BUILDS, expectNear, expectSame, type Room, useRoom } from './harness.ts';

function upload(room: Room, V: readonly Float64Array[], n: number) {
  const stride = room.k.vectorStride(n);
  const pointer = room.vector((V.length * stride) / 8);
  V.forEach((v, j) => {
    room.view(pointer + j * stride, n).set(v);
  });
  return { pointer, stride };
}

describe.each(BUILDS)('products of bases, %s', (build) => {
  const room = useRoom(build);
  const next = random(7);
  const columns = (n: number, k: number) => Array.from({ length: k }, () => randomVector(n, next));

  // Tiles of 256 rows, fours by twos of columns: full passes of both, and every rest.
  const cases = [
    ...[1, 2, 3, 5, 8, 31].flatMap((n) => [1, 2, 3, 4, 5, 7, 13].map((k) => [n, k] as const)),
    ...[255, 256, 257, 768, 1001].flatMap((n) => [1, 4, 6, 9, 12, 14].map((k) => [n, k] as const)),
  ];

  it("crossGram is V'W", () => {
    for (const [n, k] of cases) {
      const [V, W] = [columns(n, k), columns(n, k)];
      const [v, w, G] = [upload(room, V, n), upload(room, W, n), room.vector(k * k)];
      room.k.crossGram(n, k, v.pointer, v.stride, w.pointer, w.stride, G);
      // The kernel has it by columns, the twin by rows.
      const wanted = multiply(transpose(fromColumns(W)), fromColumns(V));
      expectNear(room.read(G, k * k), wanted.data, n, 1e-14, `n = ${n}, k = ${k}`);
      room.clear();
    }
  });

  it("gram is W'W, and symmetric to the last bit", () => {
    for (const [n, k] of cases) {
      const W = columns(n, k);
      const [{ pointer, stride }, G] = [upload(room, W, n), room.vector(k * k)];
      room.k.gram(n, k, pointer, stride, G);
      const wanted = multiply(transpose(fromColumns(W)), fromColumns(W));
      expectNear(room.read(G, k * k), wanted.data, n, 1e-14, `n = ${n}, k = ${k}`);
      const found = room.read(G, k * k);
      expectSame(transpose({ rows: k, cols: k, data: found }).data, found);
      room.clear();
    }
  });

  it('nothing of nothing, and NaN where it comes in', () => {
    room.k.gram(5, 0, 0, 64, 0);
    room.k.crossGram(5, 0, 0, 64, 0, 64, 0);
    const W = columns(40, 6);
    W[3][39] = Number.NaN;
    const [{ pointer, stride }, G] = [upload(room, W, 40), room.vector(36)];
    room.k.gram(40, 6, pointer, stride, G);
    room.read(G, 36).forEach((value, e) => {
      expect(Number.isNaN(value)).toBe(e % 6 === 3 || Math.floor(e / 6) === 3);
    });
  });
});
