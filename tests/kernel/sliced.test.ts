import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Csr, fromTriplets, product, productMagnitude } from '../twins/csr.ts';
import { random, randomSparse, randomVector } from '../twins/random.ts';
import { countRuns, slicedPattern, WINDOW } from '../twins/slices.ts';
import { BUILDS, expectNear, expectSame, type Room, useRoom } from './harness.ts';
import { csrOperator, uploadSliced } from './matrices.ts';
import { patterns } from './patterns.ts';

function multiply(room: Room, A: Csr, x: Float64Array, shift = 0): Float64Array {
  const y = room.vector(A.shape[0], shift);
  const { runs, count, order, indices, data } = uploadSliced(room, A);
  room.k.slicedMultiply(runs, count, order, indices, data, room.vector(x, 1 - shift), y);
  return room.read(y, A.shape[0]);
}

/** Rows of the lengths given, at random columns. */
function withLengths(lengths: readonly number[], columns: number, next: () => number): Csr {
  const triplets = lengths.flatMap((length, row) => {
    const start = Math.floor(next() * columns);
    return Array.from({ length }, (_, k): [number, number, number] => [row, (start + k) % columns, next()]);
  });
  return fromTriplets([lengths.length, columns], triplets);
}

describe.each(BUILDS)('rows in slices, %s', (build) => {
  const room = useRoom(build);
  const next = random(5);

  function check(A: Csr, what: string): void {
    const x = randomVector(A.shape[1], next);
    const actual = multiply(room, A, x, A.shape[0] % 2);
    expectNear(actual, product(A, x), productMagnitude(A, x), 1e-15, what);
    room.clear();
  }

  it('products equal the twin, for every size and for rectangles', () => {
    const shapes = Array.from({ length: 41 }, (_, n): [number, number] => [n, n]);
    shapes.push([1, 50], [50, 1], [13, 30], [30, 13], [100, 100], [300, 257], [600, 40]);
    for (const shape of shapes) {
      for (const density of [0, 0.1, 0.5, 1])
        check(randomSparse(shape, density, next), `${shape}, ${density}`);
    }
  });

  it('takes slices and single rows of every length', () => {
    for (let length = 0; length <= 13; length++) {
      for (let rows = 1; rows <= 13; rows++) {
        check(withLengths(Array(rows).fill(length), 20, next), `${rows} rows of ${length}`);
      }
    }
  });

  it('takes empty rows, dense rows and rows with one entry between others', () => {
    const lengths = Array.from({ length: 700 }, (_, row) => [0, 1, 5, 5, 5, 3, 5][row % 7]);
    for (const row of [3, 255, 256, 511, 699]) lengths[row] = 300;
    for (const row of [0, 257, 512, 698]) lengths[row] = 0;
    check(withLengths(lengths, 300, next), 'mixed rows');
  });

  it('multiplies two columns at once', () => {
    const k = 2;
    for (const density of [0, 0.1, 0.5]) {
      for (const n of [0, 1, 2, 3, 4, 5, 7, 30, 270]) {
        const A = randomSparse([n, n], density, next);
        const stride = room.k.vectorStride(n);
        const columns = Array.from({ length: k }, () => randomVector(n, next));
        const yStride = stride + 64;
        const [X, Y] = [room.bytes(k * stride), room.bytes(k * yStride)];
        columns.forEach((x, j) => {
          room.view(X + j * stride, n).set(x);
        });
        const { runs, count, order, indices, data } = uploadSliced(room, A);
        room.k.slicedMultiplyTwo(runs, count, order, indices, data, X, stride, Y, yStride);
        columns.forEach((x, j) => {
          const found = room.read(Y + j * yStride, n);
          expectNear(found, product(A, x), productMagnitude(A, x), 1e-15, `n = ${n}, column ${j}`);
        });
        room.clear();
      }
    }
  });

  it('sums the entries of a row in a slice in their order', () => {
    if (build === 'relaxed-simd') return;
    const A = withLengths(Array(40).fill(9), 60, next);
    const x = randomVector(60, next);
    expectSame(multiply(room, A, x), product(A, x));
  });

  it('NaN and infinity stay in the rows that meet them', () => {
    const A = withLengths(Array(8).fill(1), 8, () => 0.3);
    const x = Float64Array.from({ length: 8 }, (_, k) => k);
    x[2] = Number.NaN;
    expect(multiply(room, A, x).every(Number.isNaN)).toBe(true);
    x[2] = 1;
    x[3] = Infinity;
    expect(multiply(room, A, x).every(Number.isFinite)).toBe(true);
  });

  it('the main diagonal of rows in slices, zero where there is none', () => {
    for (let n = 0; n <= 40; n++) {
      const A = randomSparse([n, n], 0.3, next);
      const wanted = Float64Array.from({ length: n }, (_, i) => {
        const row = A.indices.subarray(A.indptr[i], A.indptr[i + 1]);
        return row.includes(i) ? A.data[A.indptr[i] + row.indexOf(i)] : 0;
      });
      const diagonal = room.vector(n);
      const { runs, count, order, indices, data } = uploadSliced(room, A);
      room.k.slicedDiagonal(runs, count, order, indices, data, diagonal);
      expectSame(room.read(diagonal, n), wanted, `n = ${n}`);
      room.clear();
    }
  });

  it('as an operator', () => {
    const A = randomSparse([270, 270], 0.05, next);
    const x = randomVector(270, next);
    const y = room.vector(270);
    room.k.applyOperator(csrOperator(room, A), room.vector(x), y);
    expectNear(room.read(y, 270), product(A, x), productMagnitude(A, x), 1e-15);
  });
});

describe.each(BUILDS)('the order of the rows in the kernel, %s', (build) => {
  const room = useRoom(build);
  const next = random(7);

  function checkOrder(A: Csr): void {
    const { runs, order, columns, longest } = slicedPattern(A);
    const n = A.shape[0];
    const [indptr, indices] = [room.integers(A.indptr), room.integers(A.indices)];
    const places = room.integers(n);
    const count = room.k.sliceOrder(n, indptr, places, room.bytes(4 * WINDOW + 8 * longest));
    expect(count).toBe(countRuns(runs));
    expect(room.readIntegers(places, n)).toEqual(order);
    const [kernelRuns, slots] = [room.integers(3 * count), room.integers(columns.length)];
    room.k.sliceRows(n, indptr, indices, places, kernelRuns, slots);
    expect(room.readIntegers(kernelRuns, 3 * count)).toEqual(runs);
    expect(room.readIntegers(slots, columns.length)).toEqual(columns);
    room.clear();
  }

  it('is that of the twin', () => {
    fc.assert(fc.property(patterns, checkOrder));
    for (const shape of [
      [0, 0],
      [1, 50],
      [50, 1],
      [256, 300],
      [257, 30],
      [700, 40],
    ] as [number, number][]) {
      for (const density of [0, 0.01, 0.2, 1]) checkOrder(randomSparse(shape, density, next));
    }
  });
});

describe('the order of the rows', () => {
  const next = random(6);

  it('is by length within windows of 256 rows, and has every row', () => {
    const A = randomSparse([700, 90], 0.05, next);
    const { order, runs } = slicedPattern(A);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 700 }, (_, row) => row));
    const length = (p: number) => A.indptr[order[p] + 1] - A.indptr[order[p]];
    for (let p = 0; p < 700; p++) {
      expect(order[p] >> 8).toBe(p >> 8);
      if (p % 256 > 0) expect(length(p)).toBeGreaterThanOrEqual(length(p - 1));
    }
    let p = 0;
    for (let k = 0; k < runs.length; k += 3) {
      for (const end = p + 4 * runs[k + 1] + runs[k + 2]; p < end; p++) expect(length(p)).toBe(runs[k]);
    }
    expect(p).toBe(700);
  });
});
