import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { type CsrMatrix, csr, fromTriplets } from '../../src/sparse/index.ts';
import { expectError } from './expect-error.ts';
import { addUp, dense, expectWellFormed, triplets, valid } from './helpers.ts';

describe('setData', () => {
  it('takes values in the order of the entries given', () => {
    fc.assert(
      fc.property(triplets, fc.integer(), ({ shape, entries }, salt) => {
        const values = entries.map((_, k) => ((k * 7 + salt) % 11) - 5);
        const A = fromTriplets({ shape, triplets: entries });
        expect(A.setData(values)).toBe(A);
        const renewed = entries.map(([i, j], k) => [i, j, values[k]] as const);
        expect(Array.from(A.toDense())).toEqual(addUp(shape, renewed));
      }),
    );
  });

  it('keeps the sign of zero, sorted or not', () => {
    const A = csr({ shape: [1, 2], indptr: [0, 2], indices: [1, 0], data: [1, -0] });
    expect(A.data).toEqual(Float64Array.of(-0, 1));
  });

  it('takes its own data where no sorting was needed', () => {
    const A = csr(valid());
    expect(Array.from(A.setData(A.data).toDense())).toEqual(dense);
  });

  const sorted = () => csr(valid());
  const summed = () => csr({ shape: [1, 2], indptr: [0, 3], indices: [1, 0, 1], data: [1, 2, 3] });
  const bad: [string, () => CsrMatrix, unknown, string, RegExp][] = [
    ['too few', sorted, [1, 2, 3], 'SHAPE_MISMATCH', /length 3, must be 4/],
    ['too many', sorted, [1, 2, 3, 4, 5], 'SHAPE_MISMATCH', /length 5, must be 4/],
    ['NaN', sorted, [9, 9, 9, Number.NaN], 'INVALID_VALUE', /data\[3\] is NaN/],
    ['a number', sorted, 5, 'INVALID_TYPE', /data must be an array/],
    ['nothing', sorted, undefined, 'INVALID_TYPE', /undefined/],
    ['stored instead of given', summed, [2, 4], 'SHAPE_MISMATCH', /length 2, must be 3/],
    ['infinity', summed, [9, Number.POSITIVE_INFINITY, 9], 'INVALID_VALUE', /data\[1\] is Infinity/],
    ['a sum that overflows', summed, [1e308, 9, 1e308], 'INVALID_VALUE', /duplicates of entry 0 is Infinity/],
  ];
  it.each([
    ['kept order', sorted, [1, 2, 3, 4]],
    ['sums', summed, [1, 2, 3]],
  ] as const)('allocates no array (%s)', (_, make, values) => {
    const A = make();
    const refuse = () => {
      throw new Error('allocated');
    };
    for (const name of ['Int32Array', 'Float64Array', 'ArrayBuffer']) {
      vi.stubGlobal(name, new Proxy(Float64Array, { construct: refuse }));
    }
    try {
      A.setData(values);
    } finally {
      vi.unstubAllGlobals();
    }
    expect(A.data.reduce((sum, value) => sum + value, 0)).toBe(values.reduce((sum, value) => sum + value, 0));
  });

  it.each(bad)('refuses %s, and keeps the old values', (_, make, values, code, message) => {
    const A = make();
    const before = Array.from(A.data);
    expectError(() => A.setData(values as never), code, message);
    expect(Array.from(A.data)).toEqual(before);
  });
});

describe('products and parts', () => {
  const pair = triplets.chain(({ shape, entries }) =>
    fc.record({
      shape: fc.constant(shape),
      entries: fc.constant(entries),
      x: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: shape[1], maxLength: shape[1] }),
    }),
  );

  it('multiply, transpose and diagonal agree with the full matrix', () => {
    fc.assert(
      fc.property(pair, ({ shape, entries, x }) => {
        const [rows, columns] = shape;
        const full = addUp(shape, entries);
        const A = fromTriplets({ shape, triplets: entries });
        const product = Array.from({ length: rows }, (_, i) =>
          x.reduce((sum, value, j) => sum + full[i * columns + j] * value, 0),
        );
        expect(Array.from(A.multiply(x), (v) => v + 0)).toEqual(product.map((v) => v + 0));
        const T = A.transpose();
        expectWellFormed(T);
        expect(T.shape).toEqual([columns, rows]);
        const turned = Array.from(
          { length: rows * columns },
          (_, k) => full[(k % rows) * columns + Math.floor(k / rows)],
        );
        expect(Array.from(T.toDense())).toEqual(turned);
        const least = Math.min(rows, columns);
        expect(Array.from(A.diagonal())).toEqual(
          Array.from({ length: least }, (_, i) => full[i * columns + i]),
        );
      }),
    );
  });

  it('refuses an x of the wrong length or type', () => {
    expectError(() => csr(valid()).multiply([1, 2]), 'SHAPE_MISMATCH', /x has length 2, must be 3/);
    expectError(() => csr(valid()).multiply(3 as never), 'INVALID_TYPE', /x must be an array/);
  });

  it('says when a full matrix does not fit', () => {
    const A = csr({ shape: [1, 2 ** 31 - 1], indptr: [0, 0], indices: [], data: [] });
    const B = fromTriplets({ shape: [2 ** 20, 2 ** 31 - 1], triplets: [] });
    expect(A.nnz).toBe(0);
    expectError(() => B.toDense(), 'OUT_OF_MEMORY', /1048576 x 2147483647/);
  });
});
