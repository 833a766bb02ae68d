import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeMatrixMarket } from '../../src/formats/index.ts';
import { CsrMatrix, csr, fromDense, fromTriplets, poisson2d } from '../../src/sparse/index.ts';
import { expectError } from '../sparse/expect-error.ts';
import { readFull, readSparse } from './read-kind.ts';

describe('writeMatrixMarket', () => {
  const doubles = fc.double({ noNaN: true, noDefaultInfinity: true });
  const shapes = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 }));

  it('is read back exactly: full matrices', () => {
    const matrices = shapes.chain(([rows, columns]) =>
      fc.record({
        shape: fc.constant([rows, columns] as [number, number]),
        data: fc.float64Array({
          minLength: rows * columns,
          maxLength: rows * columns,
          noNaN: true,
          noDefaultInfinity: true,
        }),
      }),
    );
    fc.assert(
      fc.property(matrices, (matrix) => {
        const back = readFull(writeMatrixMarket(matrix));
        expect(back.shape).toEqual(matrix.shape);
        expect(back.data).toEqual(matrix.data);
        expect(writeMatrixMarket(back)).toBe(writeMatrixMarket(matrix));
      }),
    );
  });

  it('is read back exactly: sparse matrices, general and symmetric', () => {
    const entries = fc.integer({ min: 1, max: 8 }).chain((n) => {
      const index = fc.integer({ min: 0, max: n - 1 });
      const place = fc.tuple(index, index);
      const unique = fc.uniqueArray(place, { maxLength: 20, selector: ([i, j]) => i * n + j });
      return fc.record({
        n: fc.constant(n),
        places: unique,
        values: fc.array(doubles, { minLength: 20, maxLength: 20 }),
      });
    });
    fc.assert(
      fc.property(entries, ({ n, places, values }) => {
        const triplets = places.map(([i, j], k) => [i, j, values[k]] as const);
        const A = fromTriplets({ shape: [n, n], triplets });
        expect(readSparse(writeMatrixMarket(A))).toEqual(plain(A));
        const lower = triplets.filter(([i, j]) => i >= j);
        const both = [...lower, ...lower.filter(([i, j]) => i > j).map(([i, j, v]) => [j, i, v] as const)];
        const S = fromTriplets({ shape: [n, n], triplets: both });
        const text = writeMatrixMarket(S, { symmetry: 'symmetric' });
        expect(text.split('\n')[1]).toBe(`${n} ${n} ${lower.length}`);
        expect(readSparse(text)).toEqual(plain(S));
        const full = { data: S.toDense(), shape: S.shape };
        expect(readFull(writeMatrixMarket(full, { symmetry: 'symmetric' })).data).toEqual(full.data);
      }),
    );
  });

  /** The matrix without the memory of how it was made, to compare with. */
  const plain = (A: CsrMatrix) => new CsrMatrix(A.shape, A.indptr, A.indices).setData(A.data);

  it('writes what the format says', () => {
    const A = fromDense([
      [4, -1e-7],
      [0, 1e21],
    ]);
    expect(writeMatrixMarket(A, { comment: 'first\nsecond' })).toBe(
      '%%MatrixMarket matrix coordinate real general\n% first\n% second\n2 2 3\n1 1 4\n1 2 -1e-7\n2 2 1e+21\n',
    );
    expect(writeMatrixMarket(Float64Array.of(1, -0, 0.1))).toBe(
      '%%MatrixMarket matrix array real general\n3 1\n1\n-0\n0.1\n',
    );
    expect(writeMatrixMarket({ data: [1, 2, 3, 4], shape: [2, 2] })).toBe(
      '%%MatrixMarket matrix array real general\n2 2\n1\n3\n2\n4\n',
    );
    expect(writeMatrixMarket(csr({ shape: [0, 0], indptr: [0], indices: [], data: [] }))).toContain(
      '\n0 0 0\n',
    );
  });

  it('writes a Poisson matrix that is read back', () => {
    const A = poisson2d(9, 7);
    expect(Array.from(readSparse(writeMatrixMarket(A, { symmetry: 'symmetric' })).toDense())).toEqual(
      Array.from(A.toDense()),
    );
  });

  const wide = fromDense([[1, 2]]);
  const bad: [string, unknown, object, string, RegExp][] = [
    ['nothing', undefined, {}, 'INVALID_TYPE', /the matrix must be an array/],
    ['a string', 'abc', {}, 'INVALID_TYPE', /the matrix must be an array/],
    ['NaN in a vector', [1, Number.NaN], {}, 'INVALID_VALUE', /entry \(1, 0\) is NaN/],
    [
      'infinity in a matrix',
      { data: [1, Infinity], shape: [1, 2] },
      {},
      'INVALID_VALUE',
      /entry \(0, 1\) is Infinity/,
    ],
    [
      'data that does not fit',
      { data: [1, 2], shape: [2, 2] },
      {},
      'SHAPE_MISMATCH',
      /data has length 2, must be 4/,
    ],
    ['a shape of three', { data: [1], shape: [1, 1, 1] }, {}, 'INVALID_VALUE', /shape/],
    ['symmetric, not square', wide, { symmetry: 'symmetric' }, 'SHAPE_MISMATCH', /1 x 2 is not square/],
    ['a vector as symmetric', [1, 2], { symmetry: 'symmetric' }, 'SHAPE_MISMATCH', /2 x 1 is not square/],
    ['an unknown symmetry', wide, { symmetry: 'skew' }, 'INVALID_VALUE', /"skew"/],
    ['an unknown option', wide, { precision: 3 }, 'UNKNOWN_OPTION', /"precision"/],
    ['a comment that is none', wide, { comment: 5 }, 'INVALID_TYPE', /comment/],
    [
      'a full matrix that is not symmetric',
      { data: [1, 2, 3, 4], shape: [2, 2] },
      { symmetry: 'symmetric' },
      'INVALID_VALUE',
      /entry \(1, 0\)/,
    ],
  ];
  it.each(bad)('refuses %s', (_, matrix, options, code, message) => {
    expectError(() => writeMatrixMarket(matrix as never, options), code, message);
  });

  it.each([
    [
      'another value',
      [
        [1, 2],
        [3, 1],
      ],
      /\(0, 1\) has no equal at \(1, 0\)/,
    ],
    [
      'a missing upper entry',
      [
        [1, 0],
        [3, 1],
      ],
      /\(1, 0\) has no equal at \(0, 1\)/,
    ],
    [
      'a missing lower entry',
      [
        [1, 3],
        [0, 1],
      ],
      /\(0, 1\) has no equal at \(1, 0\)/,
    ],
    [
      'a cycle',
      [
        [0, 1, 0],
        [0, 0, 1],
        [1, 0, 0],
      ],
      /has no equal/,
    ],
  ])('refuses to write as symmetric a sparse matrix with %s', (_, rows, message) => {
    expectError(
      () => writeMatrixMarket(fromDense(rows), { symmetry: 'symmetric' }),
      'INVALID_VALUE',
      message,
    );
  });
});
