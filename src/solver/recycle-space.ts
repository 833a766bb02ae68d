import { SeedspanError, show } from '../errors.ts';
import { KernelObject } from '../memory/kernel-object.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { RECYCLE_DEFAULTS } from './defaults.ts';
import type { Method } from './types.ts';

/** Size of a space that GCRO-DR hands from solve to solve. */
export interface RecycleSpaceOptions {
  /** Unknowns of the systems that it is for. */
  size: number;
  /** Most vectors, 10 without it; never more than there are unknowns, and a solve uses at most `restart - 1`. */
  dim?: number;
}

/**
 * What solves by `gcro-dr` leave to each other: a space `span U` of at most `dim` vectors, approximately the invariant
 * subspace of the eigenvalues of smallest modulus (harmonic Ritz vectors; Parks et al. 2006, SIAM J. Sci. Comput.
 * 28(5)). A solve with `recycle` begins with `C = A M^-1 U`, `C' C = I`, solves within the complement of C, and renews
 * U at the end of each cycle. It need not be the same matrix, nor the same preconditioner M: one product for each
 * vector brings C up to date, two where nothing has changed. Vectors whose images depend on others are dropped.
 *
 * Made by `engine.recycleSpace`. One solve at a time can use it; what it holds, and so the digits of a result, depends
 * on the solves before.
 *
 * @example
 * ```ts
 * using recycle = engine.recycleSpace({ size: n });
 * for (const values of sequence) engine.solve(A.setData(values), b, { method: 'gcro-dr', recycle });
 * ```
 */
export class RecycleSpace extends KernelObject {
  /** Unknowns. */
  readonly unknowns: number;
  /** Most vectors. */
  readonly dim: number;
  /** Bytes of kernel memory that it holds. */
  readonly bytes: number;
  /** @internal */
  readonly pointer: Pointer;
  readonly #work: Pointer;
  /** Who solves with it at present. */
  #holder: object | undefined;

  /** @internal */
  constructor(kernel: Kernel, { size, dim }: RecycleSpaceOptions) {
    super(kernel);
    const { exports } = kernel;
    this.unknowns = size;
    this.dim = Math.max(1, Math.min(dim ?? RECYCLE_DEFAULTS.dim, size));
    const before = kernel.bytesInUse;
    [this.pointer, this.#work] = this.hold((scope) => [
      scope.bytes(exports.recycleSize(size, this.dim, true), 'the recycled vectors'),
      scope.float64(this.dim, 'scratch of the recycled vectors').pointer,
    ]);
    this.bytes = kernel.bytesInUse - before;
    exports.recycleInit(this.pointer, size, this.dim, true);
  }

  /** Number of vectors in it now; 0 before the first solve. */
  get size(): number {
    this.checkAlive('the recycle space');
    return this.kernel.exports.recycleColumns(this.pointer);
  }

  /**
   * Forgets everything, for a sequence that has nothing to do with the last.
   *
   * @throws SeedspanError `BUSY` while a solve uses it.
   */
  clear(): void {
    this.checkAlive('the recycle space');
    if (this.#holder !== undefined) throw busy('clear');
    this.kernel.exports.recycleClear(this.pointer);
  }

  /** A copy of U, column after column: length `unknowns * size`. In terms of the preconditioned unknowns, x = M^-1 u. */
  basis(): Float64Array {
    this.checkAlive('the recycle space');
    const { exports, buffer } = this.kernel;
    const from = exports.recycleBasis(this.pointer) >>> 0;
    const stride = exports.vectorStride(this.unknowns);
    const copy = new Float64Array(this.unknowns * this.size);
    for (let j = 0; j < this.size; j++) {
      copy.set(new Float64Array(buffer, from + j * stride, this.unknowns), j * this.unknowns);
    }
    return copy;
  }

  /** `max |C'C - I|` of the images C under the last matrix. */
  orthogonality(): number {
    this.checkAlive('the recycle space');
    const { exports } = this.kernel;
    const n = this.unknowns;
    const images = exports.recycleImages(this.pointer) >>> 0;
    return exports.orthogonality(n, this.size, images, exports.vectorStride(n), this.#work);
  }

  /** Takes it for the solves of `holder`; false where that has it already. @internal */
  take(holder: object, kernel: Kernel, size: number, where: string): boolean {
    this.checkAlive('the recycle space');
    if (this.kernel !== kernel) {
      throw new SeedspanError('INVALID_VALUE', `${where}: the recycle space belongs to another engine`);
    }
    if (this.unknowns !== size) {
      throw new SeedspanError(
        'SHAPE_MISMATCH',
        `${where}: the recycle space has ${this.unknowns} unknowns, the system ${size}`,
      );
    }
    if (this.#holder === holder) return false;
    if (this.#holder !== undefined) throw busy(where);
    this.#holder = holder;
    this.keep();
    return true;
  }

  /** @internal */
  giveBack(): void {
    this.#holder = undefined;
    this.letGo();
  }
}

function busy(where: string): SeedspanError {
  return new SeedspanError(
    'BUSY',
    `${where}: the recycle space is in use by a solve that has not ended; wait for it, or make another space`,
  );
}

/** Refuses what is no recycle space, or for another method. */
export function checkRecycle(where: string, recycle: unknown, method: Method | 'auto'): void {
  if (recycle === undefined) return;
  if (!(recycle instanceof RecycleSpace)) {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${where}: recycle must be made by engine.recycleSpace, not ${show(recycle)}`,
    );
  }
  if (method === 'gcro-dr') return;
  throw new SeedspanError(
    'INVALID_VALUE',
    `${where}: recycle is for method "gcro-dr"; "${method}" has nothing to keep`,
    { option: 'recycle' },
  );
}
