import { orthogonalise } from './arnoldi.ts';
import { type Operator, residual } from './csr.ts';
import { backSubstitute, fromColumns } from './dense.ts';
import { DEFAULTS, identity, type KrylovOptions, type KrylovResult } from './krylov.ts';
import { axpy, norm2 } from './vector.ts';

export interface GmresOptions extends KrylovOptions {
  /** Steps in a cycle. Default: 30. */
  restart?: number;
  /** Default: right. */
  side?: 'left' | 'right';
}

/**
 * Restarted GMRES (Saad & Schultz 1986; Saad, algorithms 6.9, 9.4 and 9.5): in each cycle the x of
 * x0 + M^-1 K_j(A M^-1, r0) (right) or x0 + K_j(M^-1 A, M^-1 r0) (left) with the least residual; the least
 * squares problem is kept triangular by Givens rotations.
 *
 * `history` holds the recurrence's norms: of b - A x (right), or M^-1 (b - A x) (left). A cycle ends where its
 * norm has fallen by the factor that the true residual at its start still had to fall; only the true residual
 * ends the method.
 */
export function gmres(apply: Operator, b: Float64Array, options: GmresOptions = {}): KrylovResult {
  const { rtol, atol, maxiter, restart, side } = { ...DEFAULTS, restart: 30, side: 'right', ...options };
  const precondition = options.preconditioner ?? identity;
  const step: Operator = side === 'left' ? (v) => precondition(apply(v)) : (v) => apply(precondition(v));
  const target = Math.max(rtol * norm2(b), atol);
  const x = options.x0?.slice() ?? new Float64Array(b.length);
  const history: number[] = [];
  let iterations = 0;
  let breakdown = false;

  for (;;) {
    const r = residual(apply, b, x);
    const residualNorm = norm2(r);
    const start = side === 'left' ? precondition(r) : r;
    const beta = norm2(start);
    if (history.length === 0) history.push(beta);
    const converged = residualNorm <= target;
    if (converged || breakdown || iterations >= maxiter || !(beta > 0)) {
      return { x, converged, breakdown, iterations, residualNorm, history };
    }

    const V = [start.map((value) => value / beta)];
    const R: Float64Array[] = []; // columns of the triangular factor
    const rotations: [cosine: number, sine: number][] = [];
    const g = new Float64Array(restart + 1); // the rotated right-hand side, beta e_1 at first
    g[0] = beta;
    while (R.length < restart && iterations < maxiter) {
      const j = R.length;
      const w = step(V[j]);
      const h = orthogonalise(V, w);
      if (h[j + 1] > 0) V.push(w.map((value) => value / h[j + 1]));
      const last = h[j + 1];
      rotations.forEach(([c, s], i) => {
        [h[i], h[i + 1]] = [c * h[i] + s * h[i + 1], c * h[i + 1] - s * h[i]];
      });
      const length = Math.hypot(h[j], h[j + 1]);
      iterations++;
      if (length === 0) {
        // A v lies in the span of the earlier directions' images: the operator is singular on this subspace.
        breakdown = true;
        history.push(Math.abs(g[j]));
        break;
      }
      rotations.push([h[j] / length, h[j + 1] / length]);
      const [c, s] = rotations[j];
      h[j] = length;
      [g[j], g[j + 1]] = [c * g[j], -s * g[j]];
      R.push(h);
      history.push(Math.abs(g[j + 1]));
      if (Math.abs(g[j + 1]) <= (target / residualNorm) * beta) break;
      if (!(last > 0)) break; // an invariant subspace, or not a number
    }

    const k = R.length;
    if (k === 0) continue;
    const y = backSubstitute(fromColumns(R.map((column) => padded(column, k))), g.slice(0, k));
    const correction = new Float64Array(b.length);
    y.forEach((value, j) => {
      axpy(value, V[j], correction);
    });
    axpy(1, side === 'left' ? correction : precondition(correction), x);
  }
}

/** The first k components, with zeros where there are fewer. */
function padded(column: Float64Array, k: number): Float64Array {
  return Float64Array.from({ length: k }, (_, i) => (i < column.length ? column[i] : 0));
}
