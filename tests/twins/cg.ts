import { type Operator, residual } from './csr.ts';
import { DEFAULTS, identity, type KrylovOptions, type KrylovResult } from './krylov.ts';
import { axpy, dot, norm2, xpay } from './vector.ts';

/**
 * Conjugate gradients, preconditioned (Hestenes & Stiefel 1952; Saad, algorithm 9.1), for A and M symmetric
 * and positive definite. p'Ap <= 0 or r'M^-1 r <= 0 shows that they are not, and is a breakdown.
 */
export function cg(apply: Operator, b: Float64Array, options: KrylovOptions = {}): KrylovResult {
  const { rtol, atol, maxiter } = { ...DEFAULTS, ...options };
  const precondition = options.preconditioner ?? identity;
  const target = Math.max(rtol * norm2(b), atol);
  const x = options.x0?.slice() ?? new Float64Array(b.length);
  const r = residual(apply, b, x);
  let z = precondition(r);
  const p = z.slice();
  let rho = dot(r, z);
  let iterations = 0;
  let breakdown = false;
  const history = [norm2(r)];

  while (history[iterations] > target && iterations < maxiter) {
    const Ap = apply(p);
    const curvature = dot(p, Ap);
    if (!(curvature > 0) || !(rho > 0)) {
      breakdown = true;
      break;
    }
    const alpha = rho / curvature; //   alpha = r'z / p'Ap
    axpy(alpha, p, x); //               x <- x + alpha p
    axpy(-alpha, Ap, r); //             r <- r - alpha A p
    iterations++;
    history.push(norm2(r));
    z = precondition(r);
    const before = rho;
    rho = dot(r, z);
    xpay(z, rho / before, p); //        p <- z + beta p
  }

  const residualNorm = norm2(residual(apply, b, x));
  return { x, converged: residualNorm <= target, breakdown, iterations, residualNorm, history };
}
