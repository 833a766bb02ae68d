// Two sets of directions made one: Gram-Schmidt with column pivoting (Golub and Van Loan 2013, section 5.4.2), each
// direction orthogonalised once more when its turn comes.

import { blockDot, blockUpdate } from '../vector/block';
import { axpy, copy, dot, norm2, scale } from '../vector/vector';
import { orthogonalize } from './arnoldi';

/** The first of those that are as new, up to rounding, is taken first: the digits then do not decide. */
const MORE: f64 = 1 + 1e-10;

/**
 * Appends to the k orthonormal columns of V, at most `room` of them, what is new in the m columns of C: of those that
 * are left always the one with the largest new part, until that is `tolerance` of its length or less. C is lost.
 * `work` has room for m + 2 (k + room) + 1 numbers. Returns how many were appended.
 */
export function mergeBasis(
  n: i32,
  k: i32,
  room: i32,
  V: usize,
  stride: usize,
  m: i32,
  C: usize,
  cStride: usize,
  tolerance: f64,
  work: usize,
): i32 {
  /** Length of what is new in each column; -1: taken, or of no use. */
  const left = work;
  const h = left + (<usize>m << 3);
  const more = h + (<usize>(k + room + 1) << 3);
  for (let j = 0; j < m; j++) {
    const c = C + <usize>j * cStride;
    const length = norm2(n, c);
    const usable = length > 1e-300 && isFinite(length);
    if (usable) {
      scale(n, 1 / length, c);
      for (let pass = 0; pass < 2; pass++) {
        blockDot(n, k, V, stride, c, h);
        blockUpdate(n, k, -1, V, stride, h, c);
      }
    }
    store<f64>(left + (<usize>j << 3), usable ? norm2(n, c) : -1);
  }
  let added = 0;
  while (added < room) {
    let best = 0;
    for (let j = 1; j < m; j++) if (at(left, j) > MORE * at(left, best)) best = j;
    const size = m == 0 ? -1 : at(left, best);
    if (!(size > tolerance)) break;
    const v = V + <usize>(k + added) * stride;
    copy(n, C + <usize>best * cStride, v);
    store<f64>(left + (<usize>best << 3), -1);
    const norm = orthogonalize(n, k + added, V, stride, v, h, more);
    if (!(norm > tolerance)) continue;
    added++;
    for (let j = 0; j < m; j++) {
      if (at(left, j) < 0) continue;
      const c = C + <usize>j * cStride;
      axpy(n, -dot(n, v, c), v, c);
      store<f64>(left + (<usize>j << 3), norm2(n, c));
    }
  }
  return added;
}

// @ts-ignore: decorator
@inline
function at(p: usize, j: i32): f64 {
  return load<f64>(p + (<usize>j << 3));
}
