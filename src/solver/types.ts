import type { CsrMatrix } from '../sparse/index.ts';
import type { Preconditioner } from './preconditioner.ts';
import type { SeedSubspace } from './seed-subspace.ts';
import type { Workspace } from './workspace.ts';

/**
 * How a solve ended. Only `converged` means that the tolerance is met, and it is always the true residual that
 * says so: `||b - A x|| <= max(rtol ||b||, atol)`.
 *
 * - `max-iterations`: there was progress, not enough of it.
 * - `breakdown`: the method divides by zero here. The matrix may be singular, or not of the kind that the method
 *   is for (`cg` on one that is not positive definite).
 * - `stagnated`: more iterations would change nothing; the accuracy that is left is what rounding, or the
 *   restarts, allow.
 * - `non-finite`: numbers overflowed, or a matrix-free function returned NaN.
 */
export type SolveStatus = 'converged' | 'max-iterations' | 'breakdown' | 'stagnated' | 'non-finite';

export type Method = 'gmres' | 'bicgstab' | 'cg';
export type PreconditionerKind = 'none' | 'jacobi' | 'ilu0';
export type ProjectionKind = 'galerkin' | 'minimal-residual';
/** How the kernel stores a matrix; `auto` takes diagonals where they are few and well filled. */
export type Storage = 'auto' | 'csr' | 'dia';

/**
 * A matrix given by what it does: reads `x`, writes `A x` into `y`. Both are views of the kernel's memory that
 * are valid during the call only. It must be linear, and must not be asynchronous.
 */
export type MatrixFree = (x: Float64Array, y: Float64Array) => void;

export interface SolveOptions {
  method?: Method;
  /** A kind, a function `(r, z)` that writes `M^-1 r` into z, or one made by `engine.preconditioner`. */
  preconditioner?: PreconditionerKind | MatrixFree | Preconditioner;
  /** GMRES only: the side of the preconditioner. */
  side?: 'left' | 'right';
  /** GMRES only: dimension of a cycle; never more than n is used. */
  restart?: number;
  /** Stop when `||b - A x|| <= max(rtol ||b||, atol)`. */
  rtol?: number;
  atol?: number;
  /** Most iterations; a GMRES iteration is one step of Arnoldi, a restart costs none. */
  maxiter?: number;
  /** Start; zero without it. Not changed, unless it is `out` too. */
  x0?: ArrayLike<number>;
  /** The solution is written here, and is `result.x`. */
  out?: Float64Array;
  /** Keep the residual norm of every iteration. */
  history?: boolean;
  storage?: Storage;
  /** Made by `engine.workspace` for this pattern: nothing is allocated, and `result` is reused by the next solve. */
  workspace?: Workspace;
  /** Improve the start by projection on a seed's Krylov subspace. */
  seed?: SeedSubspace;
  projection?: ProjectionKind;
}

export interface SolveProgress {
  iterations: number;
  /** Residual norm that the recursion carries along. */
  residualNorm: number;
  /** The norm at which the solve stops. */
  tolerance: number;
}

export interface SolveAsyncOptions extends SolveOptions {
  /** Checked between slices of some milliseconds; the promise is rejected with its reason. */
  signal?: AbortSignal;
  onProgress?: (progress: SolveProgress) => void;
}

export interface SolveResult {
  /** Length n. */
  x: Float64Array;
  status: SolveStatus;
  /** `status === 'converged'`. */
  converged: boolean;
  iterations: number;
  /** Products with A, those that check the residual included. */
  matvecs: number;
  /** `||b - A x||` of the returned x, computed from b, A and x at the end. */
  residualNorm: number;
  /** `||b||`. */
  rightHandSideNorm: number;
  method: Method;
  storage: 'csr' | 'dia' | 'function';
  /**
   * With `history`: residual norms, the initial one first, then one an iteration, as the recursion has them. With
   * a left preconditioner all but the first are norms of `M^-1 (b - A x)`.
   */
  history: Float64Array | undefined;
  /** With `seed`: `||b - A x||` of the projected start. */
  projectedResidualNorm: number | undefined;
  /** With `seed`: false where the projection could not help, and the start was left as it was. */
  projected: boolean | undefined;
}

/** What can be solved with: a matrix, or a function that multiplies. */
export type SystemMatrix = CsrMatrix | MatrixFree;
