import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Csr, fromTriplets, product, productMagnitude, transposedProduct } from '../twins/csr.ts';
import { random, randomSparse, randomVector } from '../twins/random.ts';
import { dot, norm2 } from '../twins/vector.ts';
import { BUILDS, expectNear, expectSame, type Room, useRoom } from './harness.ts';
import { uploadCsr } from './matrices.ts';

function multiply(room: Room, A: Csr, x: Float64Array, shift = 0): Float64Array {
  const y = room.vector(A.shape[0], shift);
  const { indptr, indices, data } = uploadCsr(room, A);
  room.k.csrMultiply(A.shape[0], indptr, indices, data, room.vector(x, 1 - shift), y);
  return room.read(y, A.shape[0]);
}

function multiplyTransposed(room: Room, A: Csr, x: Float64Array): Float64Array {
  const y = room.vector(A.shape[1], 1);
  const { indptr, indices, data } = uploadCsr(room, A);
  room.k.csrMultiplyTransposed(...A.shape, indptr, indices, data, room.vector(x, 1), y);
  return room.read(y, A.shape[1]);
}

describe.each(BUILDS)('CSR, %s', (build) => {
  const room = useRoom(build);
  const next = random(3);

  it('products equal the twin, for every size and for rectangles', () => {
    const shapes = Array.from({ length: 41 }, (_, n): [number, number] => [n, n]);
    shapes.push([1, 50], [50, 1], [13, 30], [30, 13], [100, 100], [300, 257]);
    for (const shape of shapes) {
      for (const density of [0, 0.1, 0.5, 1]) {
        const A = randomSparse(shape, density, next);
        const x = randomVector(shape[1], next);
        const z = randomVector(shape[0], next);
        const what = `${shape}, density ${density}`;
        expectNear(multiply(room, A, x, shape[0] % 2), product(A, x), productMagnitude(A, x), 1e-15, what);
        expectSame(multiplyTransposed(room, A, z), transposedProduct(A, z), what);
        room.clear();
      }
    }
  });

  it("<A x, z> = <x, A' z>", () => {
    const sizes = fc.record({
      rows: fc.integer({ min: 1, max: 60 }),
      columns: fc.integer({ min: 1, max: 60 }),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(sizes, ({ rows, columns, seed }) => {
        const numbers = random(seed);
        const A = randomSparse([rows, columns], 0.3, numbers);
        const x = randomVector(columns, numbers);
        const z = randomVector(rows, numbers);
        const left = dot(multiply(room, A, x), z);
        const right = dot(x, multiplyTransposed(room, A, z));
        expectNear([left], [right], 1 + norm2(A.data) * norm2(x) * norm2(z));
        room.clear();
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  it('rows and columns without entries give 0', () => {
    const A = fromTriplets(
      [5, 4],
      [
        [1, 2, 3],
        [3, 0, -1],
        [3, 2, 2],
      ],
    );
    expectSame(multiply(room, A, Float64Array.of(1, 2, 3, 4)), [0, 9, 0, 5, 0]);
    expectSame(multiplyTransposed(room, A, Float64Array.of(1, 2, 3, 4, 5)), [-4, 0, 14, 0]);
  });

  it('NaN stays in the rows that meet it', () => {
    const A = fromTriplets(
      [3, 3],
      [
        [0, 0, 1],
        [1, 0, 0],
        [1, 1, 1],
        [2, 2, 1],
      ],
    );
    expectSame(multiply(room, A, Float64Array.of(Number.NaN, 2, 3)), [Number.NaN, Number.NaN, 3]);
    expectSame(multiply(room, A, Float64Array.of(Infinity, 2, -0)), [Infinity, Number.NaN, 0]);
  });

  it('as an operator', () => {
    const A = randomSparse([27, 27], 0.3, next);
    const x = randomVector(27, next);
    const y = room.vector(27);
    const operator = room.bytes(room.k.operatorSize());
    const { indptr, indices, data } = uploadCsr(room, A);
    room.k.makeCsr(operator, 27, indptr, indices, data);
    room.k.applyOperator(operator, room.vector(x), y);
    expectNear(room.read(y, 27), product(A, x), productMagnitude(A, x), 1e-15);
    expect(room.k.operatorSize()).toBeGreaterThan(0);
  });
});
