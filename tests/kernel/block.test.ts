import { describe, expect, it } from 'vitest';
import { random, randomVector } from '../twins/random.ts';
import { axpy, dot } from '../twins/vector.ts';
import { BUILDS, expectNear, expectSame, expectTwin, LENGTHS, type Room, useRoom } from './harness.ts';

/** Columns `stride` bytes apart; NaN between them. */
function columns(room: Room, V: Float64Array[], stride: number, shift = 0): number {
  const pointer = room.vector((V.length * stride) / 8, shift);
  V.forEach((v, j) => {
    room.view(pointer + j * stride, v.length).set(v);
  });
  return pointer;
}

describe.each(BUILDS)('several vectors at once, %s', (build) => {
  const room = useRoom(build);

  it('vectorStride is the next multiple of a cache line', () => {
    for (const n of LENGTHS) expect(room.k.vectorStride(n)).toBe(Math.ceil(n / 8) * 64);
  });

  /** Every k up to three passes of four columns and each tail, every n, both alignments, two strides. */
  function sweep(
    test: (c: {
      n: number;
      V: Float64Array[];
      w: Float64Array;
      pV: number;
      pw: number;
      stride: number;
    }) => void,
  ) {
    const next = random(5);
    for (const n of [...Array.from({ length: 28 }, (_, i) => i), 100, 257]) {
      for (let k = 0; k <= 13; k++) {
        const V = Array.from({ length: k }, () => randomVector(n, next));
        const w = randomVector(n, next);
        const shift = (n + k) % 2;
        const stride = k % 3 === 0 ? 8 * (n + 1) : room.k.vectorStride(n);
        test({ n, V, w, stride, pV: columns(room, V, stride, shift), pw: room.vector(w, 1 - shift) });
        room.clear();
      }
    }
  }

  it('blockDot', () => {
    sweep(({ n, V, w, stride, pV, pw }) => {
      const h = room.vector(V.length);
      room.k.blockDot(n, V.length, pV, stride, pw, h);
      const wanted = V.map((v) => dot(v, w));
      if (build === 'scalar') expectSame(room.read(h, V.length), wanted);
      else expectNear(room.read(h, V.length), wanted, n);
      expectSame(room.read(pw, n), w);
    });
  });

  it('blockUpdate', () => {
    sweep(({ n, V, w, stride, pV, pw }) => {
      for (const sign of [1, -1]) {
        const h = randomVector(V.length, random(n));
        const wanted = w.slice();
        V.forEach((v, j) => {
          axpy(sign * h[j], v, wanted);
        });
        room.view(pw, n).set(w);
        room.k.blockUpdate(n, V.length, sign, pV, stride, room.vector(h), pw);
        expectTwin(build, room.read(pw, n), wanted, V.length + 1, `n = ${n}, k = ${V.length}`);
      }
    });
  });

  it('a NaN in one column reaches its own coefficient only', () => {
    const n = 27;
    for (let bad = 0; bad < 9; bad++) {
      const V = Array.from({ length: 9 }, (_, j) => randomVector(n, random(j)));
      V[bad][(3 * bad) % n] = Number.NaN;
      const stride = room.k.vectorStride(n);
      const h = room.vector(9);
      room.k.blockDot(n, 9, columns(room, V, stride), stride, room.vector(new Float64Array(n).fill(1)), h);
      expect([...room.read(h, 9)].map(Number.isNaN)).toEqual(V.map((_, j) => j === bad));
    }
  });
});
