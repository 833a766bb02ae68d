import { type Operator, residual } from './csr.ts';
import { DEFAULTS, identity, type KrylovOptions, type KrylovResult } from './krylov.ts';
import { axpy, dot, norm2, xpay } from './vector.ts';

/**
 * BiCGSTAB, preconditioned from the right (van der Vorst 1992; Saad, algorithm 7.7). The shadow residual is
 * the first residual, throughout. One iteration is two products; where the half step already meets the
 * tolerance, it counts as an iteration with one. A quotient that is zero or not finite is a breakdown, and leaves
 * x as it was before it.
 */
export function bicgstab(apply: Operator, b: Float64Array, options: KrylovOptions = {}): KrylovResult {
  const { rtol, atol, maxiter } = { ...DEFAULTS, ...options };
  const precondition = options.preconditioner ?? identity;
  const target = Math.max(rtol * norm2(b), atol);
  const x = options.x0?.slice() ?? new Float64Array(b.length);
  const r = residual(apply, b, x);
  const shadow = r.slice();
  const p = r.slice();
  let rho = dot(shadow, r);
  let iterations = 0;
  let breakdown = false;
  const history = [norm2(r)];

  while (history[iterations] > target && iterations < maxiter) {
    const pHat = precondition(p);
    const v = apply(pHat);
    const alpha = rho / dot(shadow, v); //              alpha = rho / (r^, A p^)
    if (!Number.isFinite(alpha) || alpha === 0) {
      breakdown = true;
      break;
    }
    axpy(alpha, pHat, x); //                            x <- x + alpha p^
    axpy(-alpha, v, r); //                              s = r - alpha v, kept in r
    iterations++;
    if (norm2(r) <= target) {
      history.push(norm2(r));
      break;
    }
    const sHat = precondition(r);
    const t = apply(sHat);
    const omega = dot(t, r) / dot(t, t); //             omega = (t, s) / (t, t)
    if (!Number.isFinite(omega) || omega === 0) {
      breakdown = true;
      history.push(norm2(r));
      break;
    }
    axpy(omega, sHat, x); //                            x <- x + omega s^
    axpy(-omega, t, r); //                              r = s - omega t
    history.push(norm2(r));
    const before = rho;
    rho = dot(shadow, r);
    const beta = (rho / before) * (alpha / omega);
    axpy(-omega, v, p);
    xpay(r, beta, p); //                                p <- r + beta (p - omega v)
  }

  const residualNorm = norm2(residual(apply, b, x));
  return { x, converged: residualNorm <= target, breakdown, iterations, residualNorm, history };
}
