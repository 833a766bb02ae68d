/** Two sets of directions made one, by modified Gram-Schmidt with column pivoting (Golub & Van Loan 2013, 5.4.2). */

import { axpy, dot, norm2, scale } from './vector.ts';

/**
 * What is new in the columns of C beside the orthonormal ones of V: orthonormal, the largest new part first, each over
 * `tolerance` of its column's length; at most `room`.
 */
export function merge(
  V: readonly Float64Array[],
  C: readonly Float64Array[],
  room: number,
  tolerance: number,
): Float64Array[] {
  const added: Float64Array[] = [];
  const rest = C.filter((c) => norm2(c) > 0).map((c) => {
    const copy = c.slice();
    scale(1 / norm2(c), copy);
    return copy;
  });
  while (added.length < room && rest.length > 0) {
    for (const c of rest)
      for (let pass = 0; pass < 3; pass++) for (const v of [...V, ...added]) axpy(-dot(v, c), v, c);
    const sizes = rest.map(norm2);
    // Up to rounding: the first of the largest.
    const at = sizes.reduce((best, size, j) => (size > (1 + 1e-10) * sizes[best] ? j : best), 0);
    if (!(sizes[at] > tolerance)) break;
    const [best] = rest.splice(at, 1);
    scale(1 / sizes[at], best);
    added.push(best);
  }
  return added;
}
