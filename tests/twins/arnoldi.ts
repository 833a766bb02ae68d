import type { Operator } from './csr.ts';
import { type Dense, zeros } from './dense.ts';
import { axpy, dot, norm2, scale } from './vector.ts';

/**
 * A V_k = V_{k+1} H: V_k holds `H.cols` columns, V_{k+1} all of `V`, and H is (k+1) x k upper Hessenberg.
 * After a breakdown the subspace is invariant, `V` has k columns, H is k x k, and A V_k = V_k H.
 */
export interface ArnoldiDecomposition {
  V: Float64Array[];
  H: Dense;
  breakdown: boolean;
}

/** A new direction that is this small against A v is rounding only. */
const NEGLIGIBLE = 1e-14;

/**
 * One step by modified Gram-Schmidt, done twice: orthogonalises w = A v against `V`, in place.
 * Returns the column of H; its last component is the norm of what is left of w (0: nothing new).
 */
export function orthogonalise(V: readonly Float64Array[], w: Float64Array): Float64Array {
  const before = norm2(w);
  const h = new Float64Array(V.length + 1);
  for (let pass = 0; pass < 2; pass++) {
    V.forEach((v, i) => {
      const projection = dot(v, w);
      h[i] += projection;
      axpy(-projection, v, w);
    });
  }
  const left = norm2(w);
  h[V.length] = left <= NEGLIGIBLE * before ? 0 : left;
  return h;
}

/** k steps of Arnoldi's process from `start` (Saad, algorithm 6.2). Nothing for a zero start. */
export function arnoldi(apply: Operator, start: Float64Array, k: number): ArnoldiDecomposition {
  const V: Float64Array[] = [];
  const columns: Float64Array[] = [];
  const norm = norm2(start);
  let breakdown = norm === 0;
  if (!breakdown) V.push(start.map((value) => value / norm));
  while (!breakdown && columns.length < k) {
    const w = apply(V[V.length - 1]);
    const h = orthogonalise(V, w);
    columns.push(h);
    const next = h[h.length - 1];
    if (next === 0) {
      breakdown = true;
    } else {
      scale(1 / next, w);
      V.push(w);
    }
  }
  const H = zeros(V.length, columns.length);
  columns.forEach((h, j) => {
    for (let i = 0; i < Math.min(h.length, H.rows); i++) H.data[i * H.cols + j] = h[i];
  });
  return { V, H, breakdown };
}
