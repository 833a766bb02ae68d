import fc from 'fast-check';
import { all, create } from 'mathjs';
import { SparseMatrix } from 'ml-sparse-matrix';
import { describe, expect, it } from 'vitest';
import { csc, fromMathjs, fromMlSparseMatrix } from '../../src/sparse/index.ts';
import { expectError } from './expect-error.ts';
import { addUp, dense, expectWellFormed, mlSparse, triplets } from './helpers.ts';

const math = create(all);

/** [[4, 0, -1], [0, 0, 0], [2, 5, 0]] by columns. */
const valid = () => ({
  shape: [3, 3] as [number, number],
  indptr: [0, 2, 3, 4],
  indices: [0, 2, 2, 0],
  data: [4, 2, 5, -1],
});

describe('csc', () => {
  it('holds what it was given', () => {
    const A = csc(valid());
    expectWellFormed(A);
    expect(Array.from(A.toDense())).toEqual(dense);
    expect(Array.from(A.setData([8, 4, 10, -2]).toDense())).toEqual(dense.map((value) => 2 * value));
  });

  it('takes any columns, unsorted and with duplicates', () => {
    fc.assert(
      fc.property(triplets, ({ shape, entries }) => {
        const columns = Array.from({ length: shape[1] }, (_, j) =>
          entries.filter(([, column]) => column === j),
        );
        const indptr = [0];
        for (const column of columns) indptr.push(indptr[indptr.length - 1] + column.length);
        const inOrder = columns.flat();
        const A = csc({
          shape,
          indptr,
          indices: inOrder.map(([i]) => i),
          data: inOrder.map(([, , value]) => value),
        });
        expectWellFormed(A);
        // The order of a sum's terms is another, but integers add up exactly.
        expect(Array.from(A.toDense(), (value) => value + 0)).toEqual(
          addUp(shape, entries).map((v) => v + 0),
        );
      }),
    );
  });

  it.each([
    [{ indptr: [0, 2, 4] }, 'SHAPE_MISMATCH', /csc: indptr has length 3, must be 4: columns \+ 1/],
    [{ indptr: [0, 3, 2, 4] }, 'INVALID_VALUE', /csc: indptr\[2\] is 2, less than 3/],
    [{ indptr: [0, 2, 3, 3] }, 'SHAPE_MISMATCH', /csc: indptr ends with 3, must end with 4/],
    [{ indices: [0, 2, 3, 0] }, 'INVALID_VALUE', /csc: indices\[2\] is 3; must be an integer from 0 to 2/],
    [{ data: [1, 2, 3] }, 'SHAPE_MISMATCH', /csc: data has length 3/],
    [{ data: [1, 2, Number.NaN, 4] }, 'INVALID_VALUE', /csc: data\[2\] is NaN/],
    [{ colptr: [] }, 'UNKNOWN_OPTION', /"colptr"/],
  ] as const)('refuses %o', (change, code, message) => {
    expectError(() => csc({ ...valid(), ...change }), code, message);
  });

  it('reads wide and tall matrices, and no columns', () => {
    const wide = csc({ shape: [1, 3], indptr: [0, 1, 1, 2], indices: [0, 0], data: [7, 8] });
    expect(Array.from(wide.toDense())).toEqual([7, 0, 8]);
    const tall = csc({ shape: [3, 1], indptr: [0, 2], indices: [2, 0], data: [7, 8] });
    expect(Array.from(tall.toDense())).toEqual([8, 0, 7]);
    expect(csc({ shape: [2, 0], indptr: [0], indices: [], data: [] }).nnz).toBe(0);
  });
});

/** The full matrix of entries, row by row. */
function rowsOf(shape: readonly [number, number], full: number[]): number[][] {
  return Array.from({ length: shape[0] }, (_, i) => full.slice(i * shape[1], (i + 1) * shape[1]));
}

it.each(['mathjs', 'ml-sparse-matrix'])('a matrix of %s is taken over entry by entry', (library) => {
  fc.assert(
    fc.property(triplets, ({ shape, entries }) => {
      const full = addUp(shape, entries).map((value) => value + 0);
      const rows = rowsOf(shape, full);
      const A = library === 'mathjs' ? fromMathjs(math.sparse(rows)) : fromMlSparseMatrix(mlSparse(rows));
      expectWellFormed(A);
      expect(A.nnz).toBe(full.filter((value) => value !== 0).length);
      expect(Array.from(A.toDense())).toEqual(full);
    }),
  );
});

it('what is computed with these libraries stays what it is', () => {
  const A = math.sparse([
    [1, 2],
    [0, 3],
  ]);
  const product = math.multiply(A, math.transpose(A));
  expect(Array.from(fromMathjs(product).toDense())).toEqual([5, 6, 6, 9]);
  const B = new SparseMatrix(2, 2);
  B.set(1, 0, 4);
  B.set(0, 1, 2);
  B.set(1, 0, 0);
  expect(Array.from(fromMlSparseMatrix(B).toDense())).toEqual([0, 2, 0, 0]);
});

describe('what is no such matrix', () => {
  it.each([
    ['full', math.matrix([[1]]), /DenseMatrix; give math.sparse\(matrix\)/],
    ['nothing', undefined, /give a SparseMatrix of mathjs, not undefined/],
    ['an array', [[1]], /not Array\(1\)/],
    ['big numbers', math.sparse([[math.bignumber(1)]]), /all values must be numbers; there is \w+/],
    [
      'a pattern',
      { type: 'SparseMatrix', _index: [], _ptr: [0], _size: [0, 0] },
      /must be numbers; there is undefined/,
    ],
  ])('%s, for mathjs', (_, matrix, message) => {
    expectError(() => fromMathjs(matrix as Parameters<typeof fromMathjs>[0]), 'INVALID_TYPE', message);
  });

  it.each([
    ['a matrix of mathjs', math.sparse([[1]]), /give a SparseMatrix of ml-sparse-matrix, not SparseMatrix/],
    ['nothing', null, /not null/],
    [
      'other lists',
      { rows: 1, columns: 1, getNonZeros: () => [] },
      /row must be an array of numbers, not undefined/,
    ],
  ])('%s, for ml-sparse-matrix', (_, matrix, message) => {
    const given = matrix as unknown as Parameters<typeof fromMlSparseMatrix>[0];
    expectError(() => fromMlSparseMatrix(given), 'INVALID_TYPE', message);
  });

  it('broken lists are refused by name', () => {
    const broken = { type: 'SparseMatrix', _values: [1], _index: [4], _ptr: [0, 1], _size: [1, 1] };
    const given = broken as unknown as Parameters<typeof fromMathjs>[0];
    expectError(() => fromMathjs(given), 'INVALID_VALUE', /fromMathjs: indices\[0\] is 4/);
  });
});
