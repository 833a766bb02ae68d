import type { CsrMatrix } from '../sparse/index.ts';

/**
 * How a solve ended. Only `converged` means that the tolerance is met, and it is always the true residual that
 * says so: `||b - A x|| <= max(rtol ||b||, atol)`.
 *
 * - `max-iterations`: there was progress, not enough of it.
 * - `breakdown`: the method divides by zero here. The matrix may be singular, or not of the kind that the method
 *   is for (`cg` on one that is not positive definite); `bicgstab` and `cg` also end so where norms below 1e-150
 *   or above 1e150 cannot be squared.
 * - `stagnated`: more iterations would change nothing; the accuracy that is left is what rounding, or the
 *   restarts, allow.
 * - `non-finite`: numbers overflowed, or a matrix-free function returned NaN.
 */
export type SolveStatus = 'converged' | 'max-iterations' | 'breakdown' | 'stagnated' | 'non-finite';

/**
 * - `gmres`: Saad and Schultz 1986, with restarts.
 * - `bicgstab`: van der Vorst 1992.
 * - `cg`: Hestenes and Stiefel 1952, for symmetric positive definite matrices.
 * - `gcro-dr`: GMRES with deflated restarting and recycling (Parks et al. 2006, SIAM J. Sci. Comput. 28): what slows
 *   GMRES down is kept from cycle to cycle, and with `recycle` from system to system.
 * - `lu`: the direct solver (see `engine.factorize`). An iteration is a solve with the factors, the first one from the
 *   start, the others refinement as far as the tolerance needs it. A singular matrix is a `breakdown`. `solveAsync`
 *   factors in one piece.
 */
export type Method = 'gmres' | 'bicgstab' | 'cg' | 'gcro-dr' | 'lu';
/**
 * What a solve is preconditioned with.
 *
 * - `jacobi`: the diagonal.
 * - `ilu0`: incomplete LU factors without fill (Saad 2003, section 10.3.2).
 * - `multigrid`: one V-cycle in single precision, for a five-point matrix on an H x W grid (row i W + j): iterations
 *   hardly grow with the grid. For diffusion, also with a drift or in a rough medium; couplings of both signs it
 *   smooths badly. Cells are joined 2 x 2 (Braess 1995, Computing 55), or where couplings along one axis are four
 *   times those along the other, along that axis alone; they are swept red-black twice before and after.
 * - `sine-transform`: the inverse of the same matrix with the mean of each diagonal, for zero values outside the
 *   grid (Hockney 1965, J. ACM 12). Few iterations where entries vary by some per cent at most; it costs H W^2.
 * - `cosine-transform`: the same for reflecting borders, by the means of the points off the border. What the border
 *   rows couple by tells whether the mirrors are at the outermost points (the one neighbour counts twice) or half a
 *   step outside (the diagonal has its share).
 * - `lu`: the factors of the direct solver, for matrices near the one that they were made from: a seed's for its targets.
 */
export type PreconditionerKind =
  | 'none'
  | 'jacobi'
  | 'ilu0'
  | 'multigrid'
  | 'sine-transform'
  | 'cosine-transform'
  | 'lu';
/**
 * What the numbers of a solve are.
 *
 * - `double`: f64 throughout.
 * - `mixed`: f32 in the recursion, refined by residuals in f64; tolerance and status mean the same. For lanes of a
 *   batch, see `BatchOptions`. Else it is BiCGSTAB for a five-point matrix on an H x W grid (see `multigrid`), without
 *   a preconditioner or with `jacobi`: the cells are coloured like a chess board and one colour is eliminated, which
 *   halves the iterations; the recursion runs on the other, with columns divided by the diagonal. Every four or five
 *   digits what it has found is added to x, and it goes on from the residual in f64 (residual replacement: van der
 *   Vorst & Ye 2000, SIAM J. Sci. Comput. 22). Where that does not get on, BiCGSTAB in f64 takes over.
 */
export type Precision = 'double' | 'mixed';

/** Which condition a start in the seed's subspace meets: its residual orthogonal to the space, or as small as can be. */
export type ProjectionKind = 'galerkin' | 'minimal-residual';
/** How the kernel stores a matrix; `auto` takes diagonals where they are few and well filled. */
export type Storage = 'auto' | 'csr' | 'dia';

/**
 * A matrix given by what it does: reads `x`, writes `A x` into `y`, which comes in as zeros. Both are the solver's
 * arrays, valid during the call only. It must be linear, return nothing, and not be asynchronous; it may solve
 * other systems.
 */
export type MatrixFree = (x: Float64Array, y: Float64Array) => void;

/** Where a solve has come to. */
export interface SolveProgress {
  iterations: number;
  /** Residual norm that the recursion carries along. */
  residualNorm: number;
  /** The norm at which the solve stops. */
  tolerance: number;
}

/** The solution, how the solve ended, and what it took. */
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
  /** The method that was used; of interest with `auto`. */
  method: Method;
  /** The preconditioner that was used: its kind, or `function`. */
  preconditioner: PreconditionerKind | 'function';
  storage: 'csr' | 'dia' | 'function';
  /** What it was computed in: `double` also where `mixed` had to give up on the way. */
  precision: Precision;
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
