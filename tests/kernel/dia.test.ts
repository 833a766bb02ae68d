import { describe, expect, it } from 'vitest';
import { type Csr, fromTriplets, product, productMagnitude, toTriplets } from '../twins/csr.ts';
import * as dia from '../twins/dia.ts';
import { random, randomBanded, randomVector } from '../twins/random.ts';
import { dot } from '../twins/vector.ts';
import { BUILDS, expectNear, expectSame, expectTwin, type Room, useRoom } from './harness.ts';
import { csrOperator, diaOperator, hostOperator } from './matrices.ts';

/** Every tail of a block, up to five blocks; then so many blocks that most are inside. */
const SIZES = [...Array.from({ length: 40 }, (_, i) => i + 1), 100, 1024];

const PATTERNS: Record<string, (n: number) => number[]> = {
  'the main diagonal': () => [0],
  'one above': () => [1],
  'one below': () => [-1],
  'upper only': () => [1, 2, 7, 8, 9],
  'lower only': () => [-9, -8, -7, -2, -1],
  'upper, far': (n) => [0, n - 1],
  'lower, far': (n) => [1 - n, 0],
  tridiagonal: () => [-1, 0, 1],
  'four diagonals': () => [-3, -1, 0, 8],
  'six diagonals': () => [-8, -2, 0, 1, 2, 8],
  'nine diagonals': () => [-9, -8, -7, -1, 0, 1, 7, 8, 9],
  'five-point, width 2': () => [-2, -1, 0, 1, 2],
  'five-point, width 3': () => [-3, -1, 0, 1, 3],
  'five-point, width 7': () => [-7, -1, 0, 1, 7],
  'five-point, width 8': () => [-8, -1, 0, 1, 8],
  'five-point, width 9': () => [-9, -1, 0, 1, 9],
  'five-point, width 32': () => [-32, -1, 0, 1, 32],
  'five, one-sided': () => [0, 1, 2, 3, 4],
  'five, beyond the middle': (n) => [1 - n, -(n >> 1), 0, (n >> 1) + 1, n - 1],
  'beyond the middle': (n) => [-(n - (n >> 2)), (n >> 1) + 1],
};

/** The offsets of `wanted` that a matrix of n rows has, ascending, each once. */
const offsetsWithin = (n: number, wanted: number[]): number[] =>
  [...new Set(wanted)].filter((offset) => Math.abs(offset) < n).sort((a, b) => a - b);

interface Stored {
  n: number;
  offsets: Int32Array;
  data: Float64Array;
}

/** In the blocked layout, with `outside` in all slots whose column or row the matrix has not. */
function stored(A: Csr, outside: number): Stored {
  const n = A.shape[0];
  const { offsets, blocks, data } = dia.fromCsr(A);
  for (let row = 0; row < blocks * dia.BLOCK; row++) {
    offsets.forEach((offset, d) => {
      const column = row + offset;
      if (row >= n || column < 0 || column >= n) data[dia.position(row, d, offsets.length)] = outside;
    });
  }
  return { n, offsets, data };
}

function multiply(room: Room, { n, offsets, data }: Stored, x: Float64Array, shift = 0): Float64Array {
  const y = room.vector(n, shift);
  const [o, d, px] = [room.integers(offsets), room.vector(data, shift), room.vector(x, 1 - shift)];
  room.k.diaMultiply(n, offsets.length, o, d, px, y);
  return room.read(y, n);
}

/** The product with its dots, which must be those of the same product. */
function multiplyDot(room: Room, { n, offsets, data }: Stored, x: Float64Array, w: Float64Array) {
  const [y, out] = [room.vector(n), room.vector(2)];
  const [o, d, px, pw] = [room.integers(offsets), room.vector(data), room.vector(x), room.vector(w)];
  room.k.diaMultiplyDot(n, offsets.length, o, d, px, y, pw, out);
  return { y: room.read(y, n), dots: room.read(out, 2) };
}

describe.each(BUILDS)('diagonals, %s', (build) => {
  const room = useRoom(build);

  it.each(Object.keys(PATTERNS))('%s: a product with its dots', (name) => {
    const next = random(name.length + 1);
    for (const n of SIZES) {
      const offsets = offsetsWithin(n, PATTERNS[name](n));
      if (offsets.length === 0) continue;
      const A = randomBanded(n, offsets, next, false);
      const [x, w] = [randomVector(n, next), randomVector(n, next)];
      const { y, dots } = multiplyDot(room, stored(A, Number.NaN), x, w);
      const what = `${name}, n = ${n}`;
      expectTwin(build, y, product(A, x), offsets.length, what);
      for (const [k, other] of [w, y].entries()) {
        const terms = y.map((value, i) => Math.abs(value * other[i]));
        const total = terms.reduce((sum, value) => sum + value, 0);
        expect(Math.abs(dots[k] - dot(y, other)), what).toBeLessThanOrEqual(1e-13 * total);
      }
      room.clear();
    }
  });

  it('as an operator, CSR too: the same product and dots', () => {
    const n = 100;
    const A = randomBanded(n, [-10, -1, 0, 1, 10], random(4));
    const [x, w] = [randomVector(n, random(5)), randomVector(n, random(6))];
    for (const operator of [diaOperator(room, A), csrOperator(room, A)]) {
      const [y, out] = [room.vector(n), room.vector(2)];
      room.k.applyAndDot(operator, room.vector(x), y, room.vector(w), out);
      const found = room.read(y, n);
      expectNear(found, product(A, x), productMagnitude(A, x), 1e-15);
      expect(room.read(out, 2)[0]).toBeCloseTo(dot(found, w), 10);
      expect(room.read(out, 2)[1]).toBeCloseTo(dot(found, found), 10);
    }
  });

  it.each(Object.keys(PATTERNS))('%s: equals the twin, and slots outside the matrix stay out', (name) => {
    const next = random(name.length);
    for (const n of SIZES) {
      const offsets = offsetsWithin(n, PATTERNS[name](n));
      if (offsets.length === 0) continue;
      const A = randomBanded(n, offsets, next, false);
      const x = randomVector(n, next);
      const what = `${name}, n = ${n}`;
      const wanted = product(A, x);
      // CSR and DIA add in the same order, so the two twins agree, and the kernel with both.
      expectSame(dia.product(dia.fromCsr(A), x), wanted, what);
      expectTwin(build, multiply(room, stored(A, 0), x, n % 2), wanted, offsets.length, what);
      expectTwin(build, multiply(room, stored(A, Number.NaN), x, 1 - (n % 2)), wanted, offsets.length, what);
      room.clear();
    }
  });

  it('five diagonals with fewer rows than a block', () => {
    const next = random(9);
    for (const n of [3, 4, 5, 6, 7]) {
      for (const offsets of [offsetsWithin(n, [-2, -1, 0, 1, 2])]) {
        const A = randomBanded(n, offsets, next, false);
        const x = randomVector(n, next);
        expectTwin(
          build,
          multiply(room, stored(A, Number.NaN), x),
          product(A, x),
          offsets.length,
          `n = ${n}`,
        );
      }
    }
  });

  it('dense matrices, all 2 n - 1 diagonals', () => {
    const next = random(2);
    for (let n = 1; n <= 20; n++) {
      const offsets = Array.from({ length: 2 * n - 1 }, (_, d) => d + 1 - n);
      const A = randomBanded(n, offsets, next, false);
      const x = randomVector(n, next);
      expectTwin(build, multiply(room, stored(A, Number.NaN), x), product(A, x), n, `n = ${n}`);
    }
  });

  it('any set of diagonals', () => {
    const next = random(77);
    for (let trial = 0; trial < 150; trial++) {
      const n = 1 + Math.floor(next() * 70);
      const wanted = Array.from(
        { length: 1 + Math.floor(next() * 7) },
        () => Math.floor((2 * n - 1) * next()) + 1 - n,
      );
      const offsets = offsetsWithin(n, wanted);
      const A = randomBanded(n, offsets, next, false);
      const x = randomVector(n, next);
      const what = `n = ${n}, offsets ${offsets}`;
      expectTwin(build, multiply(room, stored(A, Number.NaN), x), product(A, x), offsets.length, what);
      room.clear();
    }
  });

  it('special values reach the rows that they belong to, inside and at the edges', () => {
    const n = 61;
    for (const offsets of [
      [-3, -1, 0, 1, 3],
      [-2, 0, 5],
    ]) {
      for (const value of [Number.NaN, Infinity, -Infinity]) {
        for (let at = 0; at < n; at++) {
          const A = randomBanded(n, offsets, random(at), false);
          const x = new Float64Array(n).fill(1);
          x[at] = value;
          expectSame(
            multiply(room, stored(A, 0), x).map((y) => (Number.isFinite(y) ? 0 : y)),
            product(A, x).map((y) => (Number.isFinite(y) ? 0 : y)),
            `${value} at ${at}`,
          );
          room.clear();
        }
      }
    }
  });

  it('as an operator: the same product', () => {
    const n = 100;
    const A = randomBanded(n, [-10, -1, 0, 1, 10], random(4));
    const x = randomVector(n, random(5));
    const y = room.vector(n);
    room.k.applyOperator(diaOperator(room, A), room.vector(x), y);
    expectTwin(build, room.read(y, n), product(A, x), 20);
  });
});

describe.each(BUILDS)('a host function as operator, %s', (build) => {
  const room = useRoom(build);

  it('gets views of x and y, of the right length, and its own turn', () => {
    const n = 9;
    const A = fromTriplets([n, n], [[0, 8, 2], ...toTriplets(randomBanded(n, [0, 1], random(1)))]);
    const calls: string[] = [];
    const operator = hostOperator(room, n, (x, y) => {
      calls.push(`A ${x.length} ${y.length}`);
      y.set(product(A, x));
    });
    const other = hostOperator(room, 3, (_, y) => {
      calls.push('other');
      y.fill(7);
    });
    const x = randomVector(n, random(2));
    const [px, py, pz] = [room.vector(x, 1), room.vector(n), room.vector(3)];
    room.k.applyOperator(operator, px, py);
    room.k.applyOperator(other, px, pz);
    expectSame(room.read(py, n), product(A, x));
    expectSame(room.read(pz, 3), [7, 7, 7]);
    expectSame(room.read(px, n), x);
    if (calls.join() !== 'A 9 9,other') throw new Error(calls.join());
  });
});
