import { describe, expect, it } from 'vitest';
import { random, randomVector } from '../twins/random.ts';
import { axpy } from '../twins/vector.ts';
import { BUILDS, expectNear, expectSame, LENGTHS, type Room, useRoom } from './harness.ts';

/** f32 in kernel memory. */
function singles(room: Room, values: Float32Array): number {
  const pointer = room.bytes(4 * values.length);
  new Float32Array(room.kernel.buffer, pointer, values.length).set(values);
  return pointer;
}

describe.each(BUILDS)('vectors in single precision, %s', (build) => {
  const room = useRoom(build);

  it('widen and narrow are those of a Float32Array', () => {
    for (const n of LENGTHS) {
      const x = randomVector(n, random(n + 1)).map((value, i) => value * 10 ** ((i % 80) - 40));
      const rounded = Float32Array.from(x);
      const [from, half, back] = [room.vector(x), room.bytes(4 * n), room.vector(n)];
      room.k.narrow(n, from, half);
      expectSame(new Float32Array(room.kernel.buffer, half, n), rounded, `narrow, n = ${n}`);
      room.k.widen(n, half, back);
      expectSame(room.read(back, n), Float64Array.from(rounded), `widen, n = ${n}`);
      room.clear();
    }
  });

  it('keeps infinity and NaN', () => {
    const odd = Float64Array.of(Infinity, -Infinity, Number.NaN, 1e300, -0, 1e-300, 5);
    const [from, half] = [room.vector(odd), room.bytes(28)];
    room.k.narrow(7, from, half);
    expectSame(new Float32Array(room.kernel.buffer, half, 7), Float32Array.from(odd));
  });

  it('blockUpdateSingle is w + V h', () => {
    for (const n of [1, 2, 3, 7, 8, 9, 17, 40, 101]) {
      for (let k = 0; k <= 13; k++) {
        const next = random(n + k);
        const stride = Math.ceil(n / 16) * 64;
        const V = Array.from({ length: k }, () => Float32Array.from(randomVector(n, next)));
        const all = new Float32Array((k * stride) / 4);
        V.forEach((v, j) => {
          all.set(v, (j * stride) / 4);
        });
        const [h, w] = [randomVector(k, next), randomVector(n, next)];
        const pointers = [singles(room, all), room.vector(h), room.vector(w), room.vector(n)];
        room.k.blockUpdateSingle(n, k, pointers[0], stride, pointers[1], pointers[2], pointers[3]);
        const size = w.map(
          (value, i) => Math.abs(value) + V.reduce((sum, v, j) => sum + Math.abs(v[i] * h[j]), 0),
        );
        V.forEach((v, j) => {
          axpy(h[j], Float64Array.from(v), w);
        });
        expectNear(room.read(pointers[2], n), w, size, 1e-15, `n = ${n}, k = ${k}`);
        room.clear();
      }
    }
  });

  it('blockUpdateSingle hands on NaN', () => {
    const V = new Float32Array(64).fill(1);
    V[16] = Number.NaN;
    const [p, h, w, scratch] = [
      singles(room, V),
      room.vector([1, 2, 3, 4]),
      room.vector([1, 1, 1]),
      room.vector(3),
    ];
    room.k.blockUpdateSingle(3, 4, p, 64, h, w, scratch);
    expect([...room.read(w, 3)]).toEqual([Number.NaN, 11, 11]);
  });
});
