import type { Scope } from '../memory/scope.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { FivePointDiagonals } from './five-point.ts';
import type { KernelOperator } from './operator.ts';

/**
 * Sweeps before and after the coarser levels' turn. A second one costs half of what the first does with all that
 * goes with it, and saves more iterations than that.
 */
export const MULTIGRID_SWEEPS = 2;

/** The kernel's own limit, for the mean over all rows (`assembly/preconditioner/multigrid-join.ts`). */
const ANISOTROPY = 4;
/** Rows that are looked at, about. */
const SAMPLE = 128;

/** Whether couplings along one axis are much stronger than along the other. */
function isStretched(A: CsrMatrix, width: number): boolean {
  const [n] = A.shape;
  let across = 0;
  let along = 0;
  for (let i = 0; i < n; i += Math.floor(n / SAMPLE) | 1) {
    for (let k = A.indptr[i]; k < A.indptr[i + 1]; k++) {
      const offset = Math.abs(A.indices[k] - i);
      if (offset === 1) along += Math.abs(A.data[k]);
      else if (offset === width) across += Math.abs(A.data[k]);
    }
  }
  return Math.min(across, along) > 0 && Math.max(across, along) > 0.8 * ANISOTROPY * Math.min(across, along);
}

/** The levels of a V-cycle in the kernel. */
export class MultigridLevels {
  /** The kernel's record. */
  readonly pointer: Pointer;
  readonly #kernel: Kernel;
  readonly #diagonals: FivePointDiagonals;

  /**
   * Takes the pattern of A, and from its values only whether couplings along one axis are much stronger than along
   * the other: then cells are joined along that axis first, also for values that come later.
   */
  constructor(scope: Scope, A: CsrMatrix, operator: KernelOperator | undefined) {
    const { exports } = scope.kernel;
    this.#kernel = scope.kernel;
    this.#diagonals = new FivePointDiagonals(scope, A, operator);
    const { height, width } = this.#diagonals.grid;
    const stretched = isStretched(A, width);
    this.pointer = scope.bytes(
      exports.multigridSize(height, width, stretched),
      'the levels of the multigrid',
    );
    exports.multigridInit(this.pointer, height, width, MULTIGRID_SWEEPS, stretched);
  }

  /** Takes the values of A. Returns -1, or the row whose diagonal entry cannot be used. */
  update(A: CsrMatrix): number {
    this.#diagonals.load(A);
    return this.#kernel.exports.multigridUpdate(this.pointer, this.#diagonals.pointer);
  }
}
