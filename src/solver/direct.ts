import { SeedspanError } from '../errors.ts';
import type { Float64Block } from '../memory/block.ts';
import type { Scope } from '../memory/scope.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { FACTORIZE_DEFAULTS } from './defaults.ts';
import { uploadPattern } from './diagonals.ts';

/** The kernel's numbers (`assembly/direct/record.ts`, `analysis.ts`). */
export const ORDERINGS = ['auto', 'amd', 'nested-dissection', 'natural'] as const;
export const FACTOR_KINDS = ['auto', 'lu', 'ldl'] as const;
const OUTCOMES = ['done', 'singular', 'out-of-memory', 'non-finite'] as const;

export interface DirectOptions {
  ordering?: (typeof ORDERINGS)[number];
  pivotThreshold?: number;
  kind?: (typeof FACTOR_KINDS)[number];
}

/** What there is instead of factors. */
export type Failure = 'singular' | 'non-finite';

/** The kernel's direct solver for one pattern: what it takes besides grows with the factors, and goes with the scope. */
export class DirectSolver {
  /** The kernel's record. */
  readonly pointer: Pointer;
  readonly #kernel: Kernel;
  readonly #data: Float64Block;
  #grown = 0;

  /** Orders and analyses the pattern of A; `factor` takes the values. */
  constructor(scope: Scope, A: CsrMatrix, options: DirectOptions) {
    const { kernel } = scope;
    const { exports } = kernel;
    const {
      ordering = FACTORIZE_DEFAULTS.ordering,
      kind = FACTORIZE_DEFAULTS.kind,
      pivotThreshold = FACTORIZE_DEFAULTS.pivotThreshold,
    } = options;
    const { indptr, indices } = uploadPattern(scope, A);
    this.#kernel = kernel;
    this.#data = scope.float64(A.nnz, 'the values of the matrix');
    this.pointer = scope.bytes(exports.directSize(), 'a direct solver');
    scope.defer(() => exports.directRelease(this.pointer));
    const outcome = exports.directInit(
      this.pointer,
      A.shape[0],
      indptr,
      indices,
      ORDERINGS.indexOf(ordering),
      FACTOR_KINDS.indexOf(kind),
      pivotThreshold,
    );
    if (outcome !== 0) throw this.#noMemory('the analysis');
  }

  /**
   * Factors A, of the pattern that this was made for. Allocates nothing where the pivots of the last factors hold.
   *
   * @throws SeedspanError `OUT_OF_MEMORY`: there are no factors then.
   */
  factor(A: CsrMatrix): 'done' | Failure {
    const kernel = this.#kernel;
    this.#data.view.set(A.data);
    const before = kernel.bytesInUse;
    const outcome = OUTCOMES[kernel.exports.directFactor(this.pointer, this.#data.pointer)];
    this.#grown += kernel.bytesInUse - before;
    if (outcome === 'out-of-memory') throw this.#noMemory('the factors');
    return outcome;
  }

  /** Bytes that the factors have taken since the analysis. */
  get grown(): number {
    return this.#grown;
  }

  /** The column in which no pivot was left. */
  get column(): number {
    return this.#kernel.exports.directColumn(this.pointer);
  }

  #noMemory(what: string): SeedspanError {
    const { bytesInUse } = this.#kernel;
    return new SeedspanError(
      'OUT_OF_MEMORY',
      `no room for ${what} of a direct solver beside ${Math.ceil(bytesInUse / 1024)} KiB in use; dispose of what is ` +
        'not needed, raise memoryLimit, or take an iterative method',
      { bytesInUse },
    );
  }
}

/** The error for a matrix without factors. */
export function singular(where: string, failure: Failure, column: number): SeedspanError {
  if (failure === 'non-finite') {
    return new SeedspanError('INVALID_VALUE', `${where}: the matrix has values that are not finite`);
  }
  return new SeedspanError(
    'ZERO_PIVOT',
    `${where}: the matrix is singular: no pivot is left in column ${column}, which depends on others or is empty`,
    { column },
  );
}
