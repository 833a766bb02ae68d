import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Csr, fromTriplets } from '../twins/csr.ts';
import * as dia from '../twins/dia.ts';
import { random, randomBanded, randomVector } from '../twins/random.ts';
import { BUILDS, expectSame, type Room, useRoom } from './harness.ts';
import { patterns } from './patterns.ts';

/** Some, none or all entries of a few diagonals: what grids and their like have. */
const bands = fc
  .record({
    n: fc.integer({ min: 1, max: 60 }),
    offsets: fc.uniqueArray(fc.integer({ min: -20, max: 20 }), { maxLength: 12 }),
    seed: fc.integer(),
    full: fc.boolean(),
  })
  .map(({ n, offsets, seed, full }) => {
    const next = random(seed);
    const within = offsets.filter((offset) => Math.abs(offset) < n);
    const A = randomBanded(n, within, next, false);
    if (full) return A;
    const kept: [number, number, number][] = [];
    for (let i = 0; i < n; i++) {
      for (let p = A.indptr[i]; p < A.indptr[i + 1]; p++) {
        if (next() < 0.9) kept.push([i, A.indices[p], A.data[p]]);
      }
    }
    return fromTriplets([n, n], kept);
  });

function find(room: Room, A: Csr, most: number): { count: number; offsets: Int32Array } {
  const place = room.integers(most);
  const [indptr, indices] = [room.integers(A.indptr), room.integers(A.indices)];
  const count = room.k.findDiagonals(A.shape[0], indptr, indices, most, place);
  return { count, offsets: room.readIntegers(place, Math.min(count, most)) };
}

/** The values among the diagonals; `inPlace` starts with them at the end of these. */
function spread(room: Room, A: Csr, offsets: Int32Array, inPlace: boolean): Float64Array {
  const n = A.shape[0];
  const count = offsets.length;
  const blocks = Math.ceil(n / dia.BLOCK);
  const slots = blocks * dia.BLOCK * count;
  const [indptr, indices] = [room.integers(A.indptr), room.integers(A.indices)];
  const marks = room.bytes(blocks * count);
  room.k.markEntries(n, indptr, indices, count, room.integers(offsets), marks);
  const scratch = room.vector(dia.BLOCK * count);
  const data = room.vector(slots);
  const load = (values: Float64Array) => {
    const source = inPlace ? data + 8 * (slots - values.length) : room.vector(values);
    if (inPlace) room.view(source, values.length).set(values);
    room.k.spreadEntries(n, count, marks, source, data, scratch);
  };
  // Nothing of the values before may be left.
  load(A.data.map((value) => value + 1000));
  load(A.data);
  return room.read(data, slots);
}

/** The twin's, with room for diagonals that have no entries. */
function stored(A: Csr, offsets: Int32Array): Float64Array {
  const found = dia.fromCsr(A);
  const data = new Float64Array(found.blocks * dia.BLOCK * offsets.length);
  for (let row = 0; row < A.shape[0]; row++) {
    found.offsets.forEach((offset, d) => {
      const value = found.data[dia.position(row, d, found.offsets.length)];
      data[dia.position(row, offsets.indexOf(offset), offsets.length)] = value;
    });
  }
  return data;
}

describe.each(BUILDS)('patterns, %s', (build) => {
  const room = useRoom(build);

  it.each([
    ['any', patterns],
    ['banded', bands],
  ])('%s: finds the diagonals that the twin finds', (_, matrices) => {
    fc.assert(
      fc.property(matrices, (A) => {
        const wanted = dia.offsetsOf(A);
        const { count, offsets } = find(room, A, wanted.length + 1);
        expect(count).toBe(wanted.length);
        expect(offsets).toEqual(wanted);
        expect(find(room, A, wanted.length).offsets).toEqual(wanted);
        room.clear();
      }),
    );
  });

  it('stops where there are too many, with those found so far', () => {
    fc.assert(
      fc.property(patterns, fc.nat(10), (A, most) => {
        const wanted = dia.offsetsOf(A);
        fc.pre(wanted.length > most);
        const { count, offsets } = find(room, A, most);
        expect(count).toBe(most + 1);
        expect([...new Set(offsets)].sort((a, b) => a - b)).toEqual([...offsets]);
        expect(offsets.every((offset) => wanted.includes(offset))).toBe(true);
        room.clear();
      }),
    );
  });

  it.each([
    ['any', patterns],
    ['banded', bands],
  ])(
    '%s: values come to lie where the twin has them, also from the end of the same memory',
    (_, matrices) => {
      fc.assert(
        fc.property(matrices, fc.boolean(), (A, inPlace) => {
          const offsets = dia.offsetsOf(A);
          expectSame(spread(room, A, offsets, inPlace), dia.fromCsr(A).data);
          room.clear();
        }),
      );
    },
  );

  it('diagonals without entries become zero', () => {
    fc.assert(
      fc.property(bands, fc.uniqueArray(fc.integer({ min: -70, max: 70 })), (A, more) => {
        const offsets = Int32Array.from(new Set([...dia.offsetsOf(A), ...more])).sort();
        expectSame(spread(room, A, offsets, true), stored(A, offsets));
        room.clear();
      }),
    );
  });

  it('many blocks, and every tail of the last one', () => {
    const next = random(12);
    for (let n = 1; n <= 100; n++) {
      for (const A of [randomBanded(n, [-9, -1, 0, 1, 9], next), randomBanded(n, [0], next)]) {
        expectSame(spread(room, A, dia.offsetsOf(A), true), dia.fromCsr(A).data, `n = ${n}`);
      }
      room.clear();
    }
  });

  it('one of several diagonals', () => {
    for (let n = 1; n <= 40; n++) {
      const A = randomBanded(n, [-1, 0, 1], random(n));
      const { offsets, data } = dia.fromCsr(A);
      const d = offsets.indexOf(0);
      const diagonal = room.vector(n);
      room.k.diaDiagonal(n, offsets.length, d, room.vector(data), diagonal);
      const wanted = Float64Array.from({ length: n }, (_, i) => data[dia.position(i, d, offsets.length)]);
      expectSame(room.read(diagonal, n), wanted, `n = ${n}`);
      room.clear();
    }
  });

  it('inverses, up to the first that is not finite', () => {
    for (let n = 0; n <= 40; n++) {
      const x = randomVector(n, random(n + 1)).map((value) => value + 2);
      const place = room.vector(x);
      expect(room.k.invert(n, place)).toBe(-1);
      expectSame(
        room.read(place, n),
        x.map((value) => 1 / value),
      );
      room.clear();
    }
    for (const value of [0, -0, 5e-324, Number.NaN]) {
      const place = room.vector([4, Infinity, value, 0]);
      expect(room.k.invert(4, place)).toBe(2);
      expectSame(room.read(place, 4), [0.25, 0, value, 0]);
    }
  });
});
