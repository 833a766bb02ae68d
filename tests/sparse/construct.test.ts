import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csr, fromDense, fromTriplets } from '../../src/sparse/index.ts';
import { expectError } from './expect-error.ts';
import { addUp, dense, expectWellFormed, triplets, valid } from './helpers.ts';

describe('csr', () => {
  it('holds what it was given', () => {
    const A = csr(valid());
    expect(A.shape).toEqual([3, 3]);
    expect(A.nnz).toBe(4);
    expect(Array.from(A.toDense())).toEqual(dense);
    expect(Array.from(A.indptr)).toEqual([0, 2, 2, 4]);
  });

  it('takes typed arrays and array-likes, and copies them', () => {
    const input = {
      shape: Uint8Array.of(3, 3) as unknown as [number, number],
      indptr: Int32Array.of(0, 2, 2, 4),
      indices: Uint16Array.of(0, 2, 0, 1),
      data: Float64Array.of(4, -1, 2, 5),
    };
    const A = csr(input);
    input.indptr.fill(9);
    input.indices.fill(9);
    input.data.fill(9);
    expect(Array.from(A.toDense())).toEqual(dense);
    expect(Array.from(csr({ ...valid(), data: { length: 4, 0: 4, 1: -1, 2: 2, 3: 5 } }).toDense())).toEqual(
      dense,
    );
  });

  it('takes 0 rows, 1 row, 0 columns and explicit zeros', () => {
    expect(csr({ shape: [0, 0], indptr: [0], indices: [], data: [] }).nnz).toBe(0);
    expect(Array.from(csr({ shape: [1, 1], indptr: [0, 1], indices: [0], data: [7] }).toDense())).toEqual([
      7,
    ]);
    expect(csr({ shape: [2, 0], indptr: [0, 0, 0], indices: [], data: [] }).toDense().length).toBe(0);
    expect(csr({ shape: [1, 2 ** 31 - 1], indptr: [0, 1], indices: [2 ** 31 - 2], data: [0] }).nnz).toBe(1);
  });

  it('sorts rows and sums duplicates', () => {
    const A = csr({ shape: [2, 3], indptr: [0, 4, 5], indices: [2, 0, 2, 1, 0], data: [1, 2, 4, 8, 16] });
    expect(Array.from(A.indptr)).toEqual([0, 3, 4]);
    expect(Array.from(A.indices)).toEqual([0, 1, 2, 0]);
    expect(Array.from(A.data)).toEqual([2, 8, 5, 16]);
  });

  const bad: [string, Partial<Record<string, unknown>>, string, RegExp][] = [
    ['shape not an array', { shape: 3 }, 'INVALID_TYPE', /shape must be an array/],
    ['shape of three', { shape: [3, 3, 3] }, 'INVALID_VALUE', /\[rows, columns\]/],
    ['negative shape', { shape: [-1, 3] }, 'INVALID_VALUE', /not \[-1, 3\]/],
    ['fractional shape', { shape: [3, 2.5] }, 'INVALID_VALUE', /not \[3, 2.5\]/],
    ['shape of strings', { shape: ['3', '3'] }, 'INVALID_VALUE', /integers/],
    ['huge shape', { shape: [3, 2 ** 31] }, 'INVALID_VALUE', /2147483647/],
    [
      'missing indptr',
      { indptr: undefined },
      'INVALID_TYPE',
      /indptr must be an array of numbers, not undefined/,
    ],
    ['indices a string', { indices: '0201' }, 'INVALID_TYPE', /indices/],
    ['data null', { data: null }, 'INVALID_TYPE', /data/],
    ['data a number', { data: 4 }, 'INVALID_TYPE', /data/],
    ['data of BigInt', { data: new BigInt64Array(4) }, 'INVALID_TYPE', /BigInt64Array\(4\)/],
    ['data a DataView', { data: new DataView(new ArrayBuffer(4)) }, 'INVALID_TYPE', /data/],
    ['indptr too short', { indptr: [0, 2, 4] }, 'SHAPE_MISMATCH', /indptr has length 3, must be 4/],
    ['indptr empty', { indptr: [] }, 'SHAPE_MISMATCH', /indptr has length 0/],
    ['indptr not from 0', { indptr: [1, 2, 2, 4] }, 'INVALID_VALUE', /indptr\[0\] is 1/],
    ['indptr decreasing', { indptr: [0, 3, 2, 4] }, 'INVALID_VALUE', /indptr\[2\] is 2, less than 3/],
    ['indptr fractional', { indptr: [0, 1.5, 2, 4] }, 'INVALID_VALUE', /indptr\[1\] is 1.5/],
    ['indptr negative', { indptr: [0, -1, 2, 4] }, 'INVALID_VALUE', /indptr\[1\] is -1/],
    ['indptr beyond the end', { indptr: [0, 9, 9, 9] }, 'INVALID_VALUE', /indptr\[1\] is 9/],
    ['indptr short of the end', { indptr: [0, 2, 2, 3] }, 'SHAPE_MISMATCH', /ends with 3, must end with 4/],
    ['data too short', { data: [4, -1, 2] }, 'SHAPE_MISMATCH', /data has length 3, must be 4/],
    ['data too long', { data: [4, -1, 2, 5, 6] }, 'SHAPE_MISMATCH', /data has length 5, must be 4/],
    [
      'index too large',
      { indices: [0, 3, 0, 1] },
      'INVALID_VALUE',
      /indices\[1\] is 3; must be an integer from 0 to 2/,
    ],
    ['index negative', { indices: [0, -1, 0, 1] }, 'INVALID_VALUE', /indices\[1\] is -1/],
    ['index fractional', { indices: [0, 0.5, 0, 1] }, 'INVALID_VALUE', /indices\[1\] is 0.5/],
    ['index NaN', { indices: [0, Number.NaN, 0, 1] }, 'INVALID_VALUE', /indices\[1\] is NaN/],
    ['index a string', { indices: [0, '1', 0, 1] }, 'INVALID_VALUE', /indices\[1\] is "1"/],
    ['an index without columns', { shape: [3, 0] }, 'INVALID_VALUE', /the size is 0/],
    ['NaN', { data: [4, Number.NaN, 2, 5] }, 'INVALID_VALUE', /^csr: data\[1\] is NaN/],
    ['infinity', { data: [4, -1, 2, Number.NEGATIVE_INFINITY] }, 'INVALID_VALUE', /data\[3\] is -Infinity/],
    ['a value that is a string', { data: ['4', -1, 2, 5] }, 'INVALID_VALUE', /data\[0\] is "4"/],
    ['a hole', { data: { length: 4, 0: 4 } }, 'INVALID_VALUE', /data\[1\] is undefined/],
    ['an unknown option', { indptrs: [0] }, 'UNKNOWN_OPTION', /"indptrs".*indptr/],
    [
      'too many entries',
      { indices: { length: 2 ** 31 }, data: { length: 2 ** 31 } },
      'INVALID_VALUE',
      /at most/,
    ],
  ];
  it.each(bad)('refuses %s', (_, change, code, message) => {
    expectError(() => csr({ ...valid(), ...change } as never), code, message);
  });

  it('refuses no input at all', () => {
    expectError(() => csr(undefined as never), 'INVALID_TYPE', /give \{shape, indptr, indices, data\}/);
    expectError(() => csr(null as never), 'INVALID_TYPE', /null/);
  });
});

describe('fromTriplets', () => {
  it('equals a full matrix added up, in any order and with duplicates', () => {
    fc.assert(
      fc.property(triplets, ({ shape, entries }) => {
        const A = fromTriplets({ shape, triplets: entries });
        const B = fromTriplets({
          shape,
          row: entries.map((entry) => entry[0]),
          col: entries.map((entry) => entry[1]),
          data: entries.map((entry) => entry[2]),
        });
        expectWellFormed(A);
        expect(Array.from(A.toDense())).toEqual(addUp(shape, entries));
        expect(Array.from(B.toDense())).toEqual(addUp(shape, entries));
        expect(A.nnz).toBe(new Set(entries.map(([i, j]) => i * shape[1] + j)).size);
      }),
    );
  });

  const coo = () => ({ shape: [2, 3], row: [0, 1], col: [2, 0], data: [5, 6] });
  const bad: [string, object, string, RegExp][] = [
    ['row out of range', { ...coo(), row: [0, 2] }, 'INVALID_VALUE', /row\[1\] is 2/],
    ['col out of range', { ...coo(), col: [3, 0] }, 'INVALID_VALUE', /col\[0\] is 3/],
    ['col too short', { ...coo(), col: [2] }, 'SHAPE_MISMATCH', /col has length 1/],
    ['data too long', { ...coo(), data: [5, 6, 7] }, 'SHAPE_MISMATCH', /data has length 3/],
    ['NaN', { ...coo(), data: [5, Number.NaN] }, 'INVALID_VALUE', /^fromTriplets: data\[1\] is NaN/],
    ['a missing array', { ...coo(), row: undefined }, 'INVALID_TYPE', /row must be an array/],
    ['an unknown option', { ...coo(), cols: [] }, 'UNKNOWN_OPTION', /"cols"/],
    ['both forms', { ...coo(), triplets: [] }, 'UNKNOWN_OPTION', /"row"/],
    ['triplets not an array', { shape: [2, 3], triplets: 5 }, 'INVALID_TYPE', /triplets/],
    ['a triplet that is none', { shape: [2, 3], triplets: [[0, 0, 1], 5] }, 'INVALID_TYPE', /triplets\[1\]/],
    [
      'a triplet of two',
      { shape: [2, 3], triplets: [[0, 0]] },
      'SHAPE_MISMATCH',
      /triplets\[0\] has length 2/,
    ],
  ];
  it.each(bad)('refuses %s', (_, input, code, message) => {
    expectError(() => fromTriplets(input as never), code, message);
  });

  it('refuses no input at all', () => {
    expectError(() => fromTriplets(undefined as never), 'INVALID_TYPE', /give/);
  });
});

describe('fromDense', () => {
  it('drops zeros', () => {
    const A = fromDense([
      [4, 0, -1],
      [0, -0, 0],
      [2, 5, 0],
    ]);
    expect(A.nnz).toBe(4);
    expect(Array.from(A.toDense())).toEqual(dense);
    expect(Array.from(fromDense({ data: Float32Array.from(dense), shape: [3, 3] }).indptr)).toEqual([
      0, 2, 2, 4,
    ]);
  });

  it('takes no rows, and rows without columns', () => {
    expect(fromDense([]).shape).toEqual([0, 0]);
    expect(fromDense([[], []]).shape).toEqual([2, 0]);
  });

  it('gives back what it was made from', () => {
    const shapes = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }));
    const input = shapes.chain(([rows, columns]) =>
      fc.record({
        shape: fc.constant([rows, columns] as [number, number]),
        data: fc.array(fc.oneof(fc.constant(0), fc.double({ noNaN: true, noDefaultInfinity: true })), {
          minLength: rows * columns,
          maxLength: rows * columns,
        }),
      }),
    );
    fc.assert(
      fc.property(input, ({ shape, data }) => {
        const A = fromDense({ shape, data });
        expectWellFormed(A);
        expect(Array.from(A.toDense())).toEqual(data.map((value) => (value === 0 ? 0 : value)));
      }),
    );
  });

  const bad: [string, unknown, string, RegExp][] = [
    ['nothing', undefined, 'INVALID_TYPE', /the matrix/],
    ['a string', 'abc', 'INVALID_TYPE', /the matrix/],
    ['a flat array', [1, 2], 'INVALID_TYPE', /row 0/],
    ['ragged rows', [[1, 2], [3]], 'SHAPE_MISMATCH', /row 1 has length 1, must be 2/],
    [
      'NaN',
      [
        [1, 2],
        [3, Number.NaN],
      ],
      'INVALID_VALUE',
      /row 1, column 1 is NaN/,
    ],
    ['a wrong length', { data: [1, 2, 3], shape: [2, 2] }, 'SHAPE_MISMATCH', /data has length 3, must be 4/],
    ['an unknown option', { data: [1], shape: [1, 1], order: 'F' }, 'UNKNOWN_OPTION', /"order"/],
  ];
  it.each(bad)('refuses %s', (_, input, code, message) => {
    expectError(() => fromDense(input as never), code, message);
  });
});
