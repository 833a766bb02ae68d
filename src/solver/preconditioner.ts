import { SeedspanError } from '../errors.ts';
import type { Float64Block } from '../memory/block.ts';
import { KernelObject } from '../memory/kernel-object.ts';
import type { Scope } from '../memory/scope.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { DirectSolver, singular } from './direct.ts';
import { LevelIlu0 } from './ilu0.ts';
import { MultigridLevels } from './multigrid.ts';
import { type KernelOperator, samePattern } from './operator.ts';
import { MeanTransform } from './transform.ts';
import type { MatrixFree } from './types.ts';

/** The kinds that are made from a matrix. */
export type FactoredKind = 'jacobi' | 'ilu0' | 'multigrid' | TransformKind | 'lu';

/** Fast transforms along rows, for hardly varying coefficients: sines between absorbing borders, cosines between mirrors. */
export type TransformKind = 'sine-transform' | 'cosine-transform';
export const FACTORED_KINDS: readonly FactoredKind[] = [
  'jacobi',
  'ilu0',
  'multigrid',
  'sine-transform',
  'cosine-transform',
  'lu',
];

/** The kernel's side of a preconditioner: z <- M^-1 r. */
export abstract class KernelPreconditioner {
  readonly pointer: Pointer;

  constructor(scope: Scope) {
    this.pointer = scope.bytes(scope.kernel.exports.preconditionerSize(), 'a preconditioner');
  }

  /** Takes the values of A, which the operator that it was made with has already. Allocates nothing. */
  abstract update(A: CsrMatrix): void;
}

/** M = diag(A). */
class Jacobi extends KernelPreconditioner {
  readonly #kernel: Kernel;
  readonly #operator: KernelOperator | undefined;
  readonly #inverse: Float64Block;

  constructor(scope: Scope, A: CsrMatrix, operator: KernelOperator | undefined) {
    super(scope);
    this.#kernel = scope.kernel;
    this.#operator = operator;
    this.#inverse = scope.float64(A.shape[0], 'the inverse diagonal');
    scope.kernel.exports.makeJacobi(this.pointer, A.shape[0], this.#inverse.pointer);
  }

  update(A: CsrMatrix): void {
    const { length, pointer } = this.#inverse;
    if (!this.#operator?.copyDiagonal(pointer)) A.diagonal(this.#inverse.view);
    const row = this.#kernel.exports.invert(length, pointer);
    if (row >= 0) throw zeroPivot('jacobi', row, this.#inverse.view[row]);
  }
}

/** M = L U without fill. */
class Ilu0 extends KernelPreconditioner {
  readonly #factors: LevelIlu0;

  constructor(
    scope: Scope,
    A: CsrMatrix,
    operator: KernelOperator | undefined,
    scratch: Pointer | undefined,
  ) {
    super(scope);
    this.#factors = new LevelIlu0(scope, A, operator, scratch);
    scope.kernel.exports.makeIlu0(this.pointer, this.#factors.pointer);
  }

  update(A: CsrMatrix): void {
    const row = this.#factors.update(A);
    if (row < 0) return;
    throw zeroPivot('ilu0', row, A.indices.subarray(A.indptr[row], A.indptr[row + 1]).includes(row));
  }
}

/** M = a V-cycle, for a five-point matrix on a grid. */
class Multigrid extends KernelPreconditioner {
  readonly #levels: MultigridLevels;

  constructor(scope: Scope, A: CsrMatrix, operator: KernelOperator | undefined) {
    super(scope);
    this.#levels = new MultigridLevels(scope, A, operator);
    scope.kernel.exports.makeMultigrid(this.pointer, this.#levels.pointer);
  }

  update(A: CsrMatrix): void {
    const row = this.#levels.update(A);
    if (row < 0) return;
    const entry = A.indices.subarray(A.indptr[row], A.indptr[row + 1]).indexOf(row);
    throw zeroPivot('multigrid', row, entry >= 0 && A.data[A.indptr[row] + entry]);
  }
}

/** M = the five-point matrix with the means of A's diagonals. */
class MeanInverse extends KernelPreconditioner {
  readonly #kind: TransformKind;
  readonly #transform: MeanTransform;

  constructor(scope: Scope, kind: TransformKind, A: CsrMatrix, operator: KernelOperator | undefined) {
    super(scope);
    this.#kind = kind;
    this.#transform = new MeanTransform(scope, A, operator, kind === 'cosine-transform');
    scope.kernel.exports.makeTransform(this.pointer, this.#transform.pointer);
  }

  update(A: CsrMatrix): void {
    if (this.#transform.update(A)) return;
    throw new SeedspanError(
      'ZERO_PIVOT',
      `preconditioner "${this.#kind}": the means of the five diagonals make a matrix that cannot be inverted; ` +
        'use "multigrid" or "ilu0"',
      { preconditioner: this.#kind },
    );
  }
}

/** M = A, of the matrix that was last factored. */
export class DirectFactors extends KernelPreconditioner {
  readonly solver: DirectSolver;

  constructor(scope: Scope, A: CsrMatrix) {
    super(scope);
    this.solver = new DirectSolver(scope, A, {});
    scope.kernel.exports.makeDirect(this.pointer, this.solver.pointer);
  }

  update(A: CsrMatrix): void {
    const outcome = this.solver.factor(A);
    if (outcome !== 'done') throw singular('preconditioner "lu"', outcome, this.solver.column);
  }
}

/** A function of the host's. */
class HostPreconditioner extends KernelPreconditioner {
  constructor(scope: Scope, n: number, call: MatrixFree) {
    super(scope);
    const id = scope.kernel.addFunction(call, n);
    scope.defer(() => scope.kernel.removeFunction(id));
    scope.kernel.exports.makeHostPreconditioner(this.pointer, n, id);
  }

  update(): void {}
}

/**
 * Takes the pattern of A, not its values: `update` does. What the operator has in the kernel already is shared.
 *
 * @param scratch - three times n i32 that `update` may write over; made where not given.
 */
export function makeKernelPreconditioner(
  scope: Scope,
  kind: FactoredKind | MatrixFree,
  A: CsrMatrix | undefined,
  n: number,
  operator?: KernelOperator,
  scratch?: Pointer,
): KernelPreconditioner {
  if (typeof kind === 'function') return new HostPreconditioner(scope, n, kind);
  if (A === undefined) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `preconditioner "${kind}" needs the entries of the matrix, and a matrix-free system has none; ` +
        'give a function (r, z) instead',
    );
  }
  if (kind === 'jacobi') return new Jacobi(scope, A, operator);
  if (kind === 'ilu0') return new Ilu0(scope, A, operator, scratch);
  if (kind === 'lu') return new DirectFactors(scope, A);
  if (kind === 'multigrid') return new Multigrid(scope, A, operator);
  return new MeanInverse(scope, kind, A, operator);
}

export function zeroPivot(kind: FactoredKind, row: number, found: number | boolean): SeedspanError {
  const what =
    found === false
      ? 'has no diagonal entry'
      : found === 0
        ? 'has a zero diagonal'
        : 'gets a zero or non-finite pivot';
  return new SeedspanError(
    'ZERO_PIVOT',
    `preconditioner "${kind}": row ${row} ${what}; use another preconditioner, or permute the rows so that the ` +
      'diagonal has no zeros',
    { row, preconditioner: kind },
  );
}

/**
 * A preconditioner that outlives a solve: made once by `engine.preconditioner`, used for any number of systems of
 * its size, also for matrices that differ from the one that it was made from.
 */
export class Preconditioner extends KernelObject {
  readonly kind: FactoredKind;
  /** Unknowns. */
  readonly size: number;
  /** @internal */
  readonly inner: KernelPreconditioner;
  readonly #indptr: Int32Array;
  readonly #indices: Int32Array;
  #usable = true;

  /** @internal */
  constructor(kernel: Kernel, kind: FactoredKind, A: CsrMatrix) {
    super(kernel);
    this.kind = kind;
    this.size = A.shape[0];
    this.#indptr = A.indptr;
    this.#indices = A.indices;
    this.inner = this.hold((scope) => {
      const inner = makeKernelPreconditioner(scope, kind, A, A.shape[0]);
      inner.update(A);
      return inner;
    });
  }

  /**
   * Factors anew, for new values in the pattern that it was made with; allocates nothing.
   *
   * @throws SeedspanError `DISPOSED`, `SHAPE_MISMATCH` (another pattern), `ZERO_PIVOT` (it cannot be used then
   *   until an update succeeds).
   */
  update(A: CsrMatrix): void {
    this.checkAlive('the preconditioner');
    if (!samePattern(A, this.#indptr, this.#indices)) {
      throw new SeedspanError(
        'SHAPE_MISMATCH',
        'preconditioner.update: the matrix has another pattern; make a new one',
      );
    }
    this.#usable = false;
    this.inner.update(A);
    this.#usable = true;
  }

  /** @internal */
  checkUsable(kernel: Kernel, size: number, where: string): void {
    this.checkAlive('the preconditioner');
    if (!this.#usable) {
      throw new SeedspanError(
        'ZERO_PIVOT',
        `${where}: the last update of the preconditioner failed; update it again`,
      );
    }
    if (this.kernel !== kernel) {
      throw new SeedspanError('INVALID_VALUE', `${where}: the preconditioner belongs to another engine`);
    }
    if (this.size !== size) {
      throw new SeedspanError(
        'SHAPE_MISMATCH',
        `${where}: the preconditioner has ${this.size} unknowns, the system ${size}`,
      );
    }
  }
}
