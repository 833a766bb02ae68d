/** What the Krylov methods have in common. */

import type { Operator } from './csr.ts';

export interface KrylovOptions {
  rtol?: number;
  atol?: number;
  /** Iterations in all; in GMRES inner ones, over all cycles. */
  maxiter?: number;
  x0?: Float64Array;
  /** r -> M^-1 r */
  preconditioner?: Operator;
}

export interface KrylovResult {
  x: Float64Array;
  /**
   * ||b - A x|| <= max(rtol ||b||, atol), with the residual computed from b, A and x. False also where only the
   * recurrence of BiCGSTAB or CG met the tolerance: the twins do not start again.
   */
  converged: boolean;
  /** A division by zero, or no new direction, stopped the method. */
  breakdown: boolean;
  iterations: number;
  /** ||b - A x|| */
  residualNorm: number;
  /** The method's own residual norms: at the start and after each iteration. */
  history: number[];
}

export const DEFAULTS = { rtol: 1e-8, atol: 0, maxiter: 1000 } as const;

export const identity: Operator = (r) => r.slice();
