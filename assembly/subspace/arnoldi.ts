// One step of Arnoldi: orthogonalise a vector against a basis, by classical Gram-Schmidt in blocks, and once more
// where cancellation asks for it (Daniel, Gragg, Kaufman and Stewart 1976; Giraud and Langou 2003).

import { blockDot, blockUpdate } from '../vector/block';
import { axpy, norm2, scale } from '../vector/vector';

/** A projection that leaves less than this share of the norm is followed by another: V'V = I to rounding. */
const ORTHOGONAL: f64 = 0.7071;
/** The same for a basis that is only to solve one system, and may lose a digit or two a step. */
export const LOOSE: f64 = 0.1;
/** What is left in the end, in the same measure, when w was in the span: rounding errors alone. */
const DEPENDENT: f64 = 1e-14;

/**
 * w <- w - V h, normalised, where V has k orthonormal columns; h[0..k) gets the coefficients and h[k] the norm of
 * what is left. Returns that norm, or 0 when w lies in the span of V up to rounding (w is then useless).
 * `work` has room for k numbers.
 */
export function orthogonalize(n: i32, k: i32, V: usize, stride: usize, w: usize, h: usize, work: usize): f64 {
  return orthogonalizeTo(ORTHOGONAL, n, k, V, stride, w, h, work);
}

/** As `orthogonalize`; a projection that leaves less than `share` of the norm is followed by another. */
export function orthogonalizeTo(
  share: f64,
  n: i32,
  k: i32,
  V: usize,
  stride: usize,
  w: usize,
  h: usize,
  work: usize,
): f64 {
  const before = norm2(n, w);
  let norm = before;
  memory.fill(h, 0, <usize>(k + 1) << 3);
  for (let pass = 0; pass < 3; pass++) {
    const last = norm;
    blockDot(n, k, V, stride, w, work);
    blockUpdate(n, k, -1, V, stride, work, w);
    axpy(k, 1, work, h);
    norm = norm2(n, w);
    if (norm > share * last) break;
  }
  if (!(norm > DEPENDENT * before)) return 0;
  scale(n, 1 / norm, w);
  store<f64>(h + (<usize>k << 3), norm);
  return norm;
}
