import { describe, expect, it } from 'vitest';
import * as csr from './csr.ts';
import { multiplyVector, transpose } from './dense.ts';
import * as dia from './dia.ts';
import { random, randomBanded, randomSparse, randomVector } from './random.ts';
import { differenceMaxabs } from './vector.ts';

describe('CSR', () => {
  it('sorts and sums triplets, and keeps zeros and empty rows', () => {
    const A = csr.fromTriplets(
      [3, 4],
      [
        [2, 3, 5],
        [0, 2, 1],
        [0, 0, 0],
        [2, 3, -2],
      ],
    );
    expect([...A.indptr]).toEqual([0, 2, 2, 3]);
    expect([...A.indices]).toEqual([0, 2, 3]);
    expect([...A.data]).toEqual([0, 1, 3]);
    expect(csr.toTriplets(A)).toEqual([
      [0, 0, 0],
      [0, 2, 1],
      [2, 3, 3],
    ]);
    expect([...csr.diagonal(A)]).toEqual([0, 0, 0]);
    expect(csr.entry(A, 2, 3)).toBe(3);
  });

  it.each([
    [1, 1],
    [7, 7],
    [5, 11],
    [13, 4],
  ])('products with %i x %i equal the dense ones', (rows, cols) => {
    const next = random(rows * 100 + cols);
    const A = randomSparse([rows, cols], 0.4, next);
    const x = randomVector(cols, next);
    const z = randomVector(rows, next);
    const dense = csr.toDense(A);
    expect(differenceMaxabs(csr.product(A, x), multiplyVector(dense, x))).toBeLessThan(1e-14);
    expect(differenceMaxabs(csr.transposedProduct(A, z), multiplyVector(transpose(dense), z))).toBeLessThan(
      1e-14,
    );
  });

  it('residual is b - A x', () => {
    const A = csr.fromTriplets(
      [2, 2],
      [
        [0, 0, 2],
        [1, 0, 1],
      ],
    );
    expect([...csr.residual(csr.operator(A), Float64Array.of(5, 5), Float64Array.of(2, 9))]).toEqual([1, 3]);
  });
});

describe('diagonals in blocks', () => {
  it('places a matrix worked out by hand', () => {
    // 9 rows, so two blocks: A[i, i] = i + 1, A[i, i - 8] = 100 (row 8 only), A[i, i + 1] = 10 i.
    const triplets: [number, number, number][] = [[8, 0, 100]];
    for (let i = 0; i < 9; i++) triplets.push([i, i, i + 1]);
    for (let i = 0; i < 8; i++) triplets.push([i, i + 1, 10 * i]);
    const A = dia.fromCsr(csr.fromTriplets([9, 9], triplets));
    expect([...A.offsets]).toEqual([-8, 0, 1]);
    expect(A.blocks).toBe(2);
    const none = new Array(8).fill(0);
    expect([...A.data]).toEqual([
      ...none,
      ...[1, 2, 3, 4, 5, 6, 7, 8],
      ...[0, 10, 20, 30, 40, 50, 60, 70],
      ...[100, 0, 0, 0, 0, 0, 0, 0],
      ...[9, 0, 0, 0, 0, 0, 0, 0],
      ...none,
    ]);
  });

  it.each([1, 7, 8, 9, 16, 23, 40])('product of n = %i equals the CSR one', (n) => {
    const next = random(n);
    const A = randomBanded(n, [-9, -1, 0, 2, 9], next);
    const x = randomVector(n, next);
    expect(differenceMaxabs(dia.product(dia.fromCsr(A), x), csr.product(A, x))).toBeLessThan(1e-14);
  });

  it('product of a rectangular matrix equals the CSR one', () => {
    const next = random(77);
    const A = randomSparse([11, 6], 0.5, next);
    const x = randomVector(6, next);
    expect(differenceMaxabs(dia.product(dia.fromCsr(A), x), csr.product(A, x))).toBeLessThan(1e-14);
  });
});
