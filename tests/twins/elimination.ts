/** Gaussian elimination on patterns: what fill an ordering leads to, by the definition. */

import type { Csr } from './csr.ts';

/** For each row its neighbours in A + A', itself left out. */
export function neighbours({ shape, indptr, indices }: Csr): Set<number>[] {
  const sets = Array.from({ length: shape[0] }, () => new Set<number>());
  for (let i = 0; i < shape[0]; i++) {
    for (let k = indptr[i]; k < indptr[i + 1]; k++) {
      if (indices[k] === i) continue;
      sets[i].add(indices[k]);
      sets[indices[k]].add(i);
    }
  }
  return sets;
}

/** Entries of each column of L, the diagonal included, when `order[k]` is eliminated as number k: its neighbours become each other's. */
export function columnCounts(A: Csr, order: ArrayLike<number>): number[] {
  const sets = neighbours(A);
  const counts: number[] = [];
  for (let k = 0; k < order.length; k++) {
    const around = [...sets[order[k]]];
    counts.push(1 + around.length);
    for (const i of around) {
      sets[i].delete(order[k]);
      for (const j of around) if (j !== i) sets[i].add(j);
    }
  }
  return counts;
}

/** Entries of L. */
export function fillOf(A: Csr, order: ArrayLike<number>): number {
  return columnCounts(A, order).reduce((sum, count) => sum + count, 0);
}

/** Multiplications of a factorisation, twice. */
export function workOf(A: Csr, order: ArrayLike<number>): number {
  return columnCounts(A, order).reduce((sum, count) => sum + count * count, 0);
}
