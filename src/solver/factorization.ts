import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { Float64Block } from '../memory/block.ts';
import { KernelObject } from '../memory/kernel-object.ts';
import { Scope } from '../memory/scope.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { FACTORIZE_DEFAULTS, SOLVE_DEFAULTS } from './defaults.ts';
import { DirectSolver, FACTOR_KINDS, ORDERINGS, singular } from './direct.ts';
import { samePattern } from './operator.ts';
import {
  checkChoice,
  checkCount,
  checkFlag,
  checkMatrix,
  checkOut,
  checkTolerance,
  checkVector,
  takeVector,
} from './options.ts';
import type { SolveStatus } from './types.ts';

/** How a matrix is factored. */
export interface FactorizeOptions {
  /**
   * How the unknowns are numbered, so that the factors stay sparse: `amd`, approximate minimum degree (Amestoy, Davis,
   * Duff 1996, SIAM J. Matrix Anal. Appl. 17); `nested-dissection` (George 1973), for large grids; `natural`, as they
   * come. `auto` (default) takes `amd`, or what needs less work of the two where the factorisation takes long.
   */
  ordering?: 'auto' | 'amd' | 'nested-dissection' | 'natural';
  /**
   * A pivot on the diagonal is taken where it is at least this share of the largest entry of its column, else the
   * largest; where fronts keep all pivots on the diagonal, at least the cube of this share, else they are given up.
   * More than 0, at most 1; default 0.1, and 1 is partial pivoting.
   */
  pivotThreshold?: number;
  /**
   * `auto` (default): L D L' where A is symmetric with a positive diagonal and all pivots prove positive, LU
   * elsewhere. `ldl` takes negative pivots, too, as far as the threshold allows: for quasi-definite matrices. Where L D
   * L' is not possible it is LU, and `kind` says so.
   */
  kind?: 'auto' | 'lu' | 'ldl';
}

/** How a factorisation solves. */
export interface FactorizationSolveOptions {
  /** Solve `A' x = b`. */
  transpose?: boolean;
  /** The solution is written here, and is `result.x`. */
  out?: Float64Array;
  /**
   * Iterative refinement, as long as it halves the largest componentwise backward error: `true` (default), at most 10
   * steps; a number, at most so many; `false`, none.
   */
  refine?: boolean | number;
  /** `status` is `converged` where `||b - A x|| <= max(rtol ||b||, atol)`; defaults 1e-8 and 0. Nothing else. */
  rtol?: number;
  atol?: number;
}

/** A solution by a factorisation, and how good it is. */
export interface FactorizationResult {
  /** Length n. */
  x: Float64Array;
  /**
   * By the true residual: `converged`; `stagnated`, where refinement has done what it can; `max-iterations`, where it
   * was not allowed to; `non-finite`.
   */
  status: Extract<SolveStatus, 'converged' | 'stagnated' | 'max-iterations' | 'non-finite'>;
  converged: boolean;
  /** `||b - A x||` (or of A'), of b, A and x. */
  residualNorm: number;
  /** `||b||` */
  rightHandSideNorm: number;
  /** Steps of refinement that improved x. */
  refinements: number;
  /** `max |b - A x|_i / (|A| |x| + |b|)_i`: x is exact for entries that differ from A's and b's by this share. */
  backwardError: number;
}

const OPTIONS = ['ordering', 'pivotThreshold', 'kind'] as const;
const SOLVE_OPTIONS = ['transpose', 'out', 'refine', 'rtol', 'atol'] as const;

/** Right-hand sides in the kernel at a time. */
const TOGETHER = 16;

/** Refuses what cannot be used. */
export function checkFactorizeOptions(where: string, options: FactorizeOptions): void {
  checkOptionNames(where, options, OPTIONS);
  checkChoice(where, 'ordering', options.ordering, ORDERINGS);
  checkChoice(where, 'kind', options.kind, FACTOR_KINDS);
  const { pivotThreshold } = options;
  if (pivotThreshold === undefined) return;
  if (typeof pivotThreshold === 'number' && pivotThreshold > 0 && pivotThreshold <= 1) return;
  throw new SeedspanError(
    typeof pivotThreshold === 'number' ? 'INVALID_VALUE' : 'INVALID_TYPE',
    `${where}: pivotThreshold is ${show(pivotThreshold)}, must be a number more than 0, at most 1`,
    { option: 'pivotThreshold', value: pivotThreshold },
  );
}

/**
 * The factors of a sparse matrix, for any number of right-hand sides, and for other values in the same pattern. Made by
 * `engine.factorize`.
 *
 * Patterns that are nearly symmetric are factored by fronts (Duff, Reid 1983, ACM TOMS 9) with pivots on the diagonal;
 * all others, and those whose diagonal does not serve, by columns with exchanges of rows (Gilbert, Peierls 1988, SIAM J.
 * Sci. Stat. Comput. 9). Rows are scaled by powers of two before LU.
 */
export class Factorization extends KernelObject {
  /** Unknowns. */
  readonly size: number;
  readonly #solver: DirectSolver;
  readonly #b: Float64Block;
  readonly #x: Float64Block;
  readonly #bytes: number;
  readonly #indptr: Int32Array;
  readonly #indices: Int32Array;
  #usable = true;

  /** @internal */
  constructor(kernel: Kernel, A: CsrMatrix, options: FactorizeOptions) {
    super(kernel);
    this.size = A.shape[0];
    this.#indptr = A.indptr;
    this.#indices = A.indices;
    const before = kernel.bytesInUse;
    const parts = this.hold((scope) => {
      const b = scope.float64(this.size, 'the right-hand side');
      const x = scope.float64(this.size, 'the solution');
      const solver = new DirectSolver(scope, A, options);
      const outcome = solver.factor(A);
      if (outcome !== 'done') throw singular('factorize', outcome, solver.column);
      return { b, x, solver };
    });
    this.#b = parts.b;
    this.#x = parts.x;
    this.#solver = parts.solver;
    this.#bytes = kernel.bytesInUse - before - parts.solver.grown;
  }

  /** Bytes of kernel memory that it holds. */
  get bytes(): number {
    return this.#bytes + this.#solver.grown;
  }

  /** Entries of the factors as they are stored: of L and U, or of L and D; the unit diagonal is not counted. */
  get nonzeros(): number {
    this.#check('nonzeros');
    return this.kernel.exports.directNonzeros(this.#solver.pointer);
  }

  /** The ordering that was taken. */
  get ordering(): 'amd' | 'nested-dissection' | 'natural' {
    this.#check('ordering');
    return ORDERINGS[this.kernel.exports.directOrdering(this.#solver.pointer)] as 'amd';
  }

  /** The factors that were made. */
  get kind(): 'lu' | 'ldl' {
    this.#check('kind');
    return this.kernel.exports.directForm(this.#solver.pointer) === 2 ? 'ldl' : 'lu';
  }

  /** Whether the last `update` made do with the analysis and the pivots that were there. */
  get reused(): boolean {
    this.#check('reused');
    return this.kernel.exports.directReused(this.#solver.pointer) !== 0;
  }

  /**
   * Solves A x = b, or `A' x = b`.
   *
   * @param b - length n.
   * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION`, `SHAPE_MISMATCH`, `DISPOSED`, `ZERO_PIVOT`
   *   (after an update that failed).
   */
  solve(b: ArrayLike<number>, options: FactorizationSolveOptions = {}): FactorizationResult {
    const where = 'Factorization.solve';
    this.#check(where);
    checkOptions(where, options);
    checkVector(where, 'b', b, this.size);
    checkOut(where, options.out, this.size);
    takeVector(this.kernel, where, 'b', b, this.#b);
    const { transpose = false } = options;
    this.kernel.exports.directSolve(this.#solver.pointer, this.#b.pointer, this.#x.pointer, transpose);
    const out = options.out ?? new Float64Array(this.size);
    return this.#refine(this.#b.pointer, this.#x, out, options);
  }

  /**
   * Solves for many right-hand sides, four at a time, which reads the factors a quarter as often.
   *
   * @param B - `count` vectors of length n: one after the other in one array, or an array of arrays.
   * @param options - `out` is for all solutions, one after the other, as are the results' x otherwise.
   * @returns a result for each, the x of which share one array.
   * @throws SeedspanError as `solve`, and `OUT_OF_MEMORY`.
   */
  solveMany(
    B: Float64Array | readonly ArrayLike<number>[],
    options: FactorizationSolveOptions = {},
  ): FactorizationResult[] {
    const where = 'Factorization.solveMany';
    this.#check(where);
    checkOptions(where, options);
    const { size: n, kernel } = this;
    const vectors = this.#vectors(where, B);
    const count = vectors.length;
    checkOut(where, options.out, n * count);
    const out = options.out ?? new Float64Array(n * count);
    const scope = new Scope(kernel);
    try {
      const room = Math.min(TOGETHER, count);
      const input = scope.float64(room * n, 'the right-hand sides');
      const output = scope.float64(room * n, 'the solutions');
      const results: FactorizationResult[] = [];
      for (let first = 0; first < count; first += room) {
        const group = vectors.slice(first, first + room);
        group.forEach((b, k) => {
          takeVector(kernel, `${where}, B[${first + k}]`, 'b', b, part(kernel, input, k, n));
        });
        const { transpose = false } = options;
        kernel.exports.directSolveMany(
          this.#solver.pointer,
          group.length,
          input.pointer,
          output.pointer,
          8 * n,
          transpose,
        );
        group.forEach((_, k) => {
          const at = (first + k) * n;
          const b = part(kernel, input, k, n).pointer;
          results.push(this.#refine(b, part(kernel, output, k, n), out.subarray(at, at + n), options));
        });
      }
      return results;
    } finally {
      scope.dispose();
    }
  }

  /**
   * Takes other values in the same pattern. The ordering is kept, and with it pivots, patterns and memory as long as the
   * pivots hold; where they do not, they are chosen anew (`reused` is false then).
   *
   * @throws SeedspanError `SHAPE_MISMATCH` (another pattern), `ZERO_PIVOT` (singular), `OUT_OF_MEMORY`, `DISPOSED`. After
   *   one of the last three but `DISPOSED` nothing can be solved until an update succeeds.
   */
  update(A: CsrMatrix): this {
    const where = 'Factorization.update';
    this.checkAlive('the factorization');
    checkMatrix(where, A);
    if (!samePattern(A, this.#indptr, this.#indices)) {
      throw new SeedspanError(
        'SHAPE_MISMATCH',
        `${where}: the matrix has another pattern (n = ${A.shape[0]}, ${A.nnz} entries; factored was n = ` +
          `${this.size}, ${this.#indices.length} entries); make a factorization of its own with engine.factorize`,
      );
    }
    this.#usable = false;
    const outcome = this.#solver.factor(A);
    if (outcome !== 'done') throw singular(where, outcome, this.#solver.column);
    this.#usable = true;
    return this;
  }

  /**
   * An estimate of `||A||_1 ||A^-1||_1`, from below and rarely by more than a factor of three (Hager 1984, SIAM J. Sci.
   * Stat. Comput. 5; Higham 1988, ACM TOMS 14). About as costly as ten solves; infinite where they overflow.
   */
  conditionEstimate(): number {
    this.#check('Factorization.conditionEstimate');
    const estimate = this.kernel.exports.directCondition(this.#solver.pointer);
    return Number.isNaN(estimate) ? Infinity : estimate;
  }

  #check(where: string): void {
    this.checkAlive('the factorization');
    if (this.#usable) return;
    throw new SeedspanError(
      'ZERO_PIVOT',
      `${where}: the last update failed, and there are no factors; update again`,
    );
  }

  /** The result, refined as far as asked for. */
  #refine(
    b: Pointer,
    x: Float64Block,
    out: Float64Array,
    {
      transpose = false,
      refine = true,
      rtol = SOLVE_DEFAULTS.rtol,
      atol = SOLVE_DEFAULTS.atol,
    }: FactorizationSolveOptions,
  ): FactorizationResult {
    const { exports } = this.kernel;
    const { pointer } = this.#solver;
    const n = this.size;
    const most = refine === true ? FACTORIZE_DEFAULTS.refine : Number(refine);
    const refinements = exports.directRefine(pointer, b, x.pointer, transpose, most);
    out.set(x.view);
    const backwardError = exports.directBackwardError(pointer);
    const residualNorm = Number.isNaN(backwardError)
      ? Number.NaN
      : exports.norm2(n, exports.directResidual(pointer));
    const rightHandSideNorm = exports.norm2(n, b);
    const converged = residualNorm <= Math.max(rtol * rightHandSideNorm, atol);
    let status: FactorizationResult['status'] = 'converged';
    if (!Number.isFinite(residualNorm)) status = 'non-finite';
    else if (!converged) status = refinements === most ? 'max-iterations' : 'stagnated';
    return { x: out, status, converged, residualNorm, rightHandSideNorm, refinements, backwardError };
  }

  /** The vectors of B, of the right length each. */
  #vectors(where: string, B: Float64Array | readonly ArrayLike<number>[]): ArrayLike<number>[] {
    const n = this.size;
    if (B instanceof Float64Array) {
      const count = n === 0 ? 0 : B.length / n;
      if (!Number.isInteger(count) || (n === 0 && B.length > 0)) {
        throw new SeedspanError(
          'SHAPE_MISMATCH',
          `${where}: B has ${B.length} numbers, must be a multiple of the ${n} unknowns`,
        );
      }
      return Array.from({ length: count }, (_, k) => B.subarray(k * n, (k + 1) * n));
    }
    if (!Array.isArray(B)) {
      throw new SeedspanError(
        'INVALID_TYPE',
        `${where}: B must be a Float64Array or an array of vectors, not ${show(B)}`,
      );
    }
    B.forEach((b, k) => {
      checkVector(where, `B[${k}]`, b, n);
    });
    return [...B];
  }
}

function checkOptions(where: string, options: FactorizationSolveOptions): void {
  checkOptionNames(where, options, SOLVE_OPTIONS);
  checkFlag(where, 'transpose', options.transpose);
  if (typeof options.refine !== 'boolean') checkCount(where, 'refine', options.refine, 0);
  checkTolerance(where, 'rtol', options.rtol);
  checkTolerance(where, 'atol', options.atol);
}

/** Vector k of a block of many. */
function part(kernel: Kernel, { pointer }: Float64Block, k: number, n: number): Float64Block {
  return new Float64Block(kernel, pointer + 8 * k * n, n);
}
