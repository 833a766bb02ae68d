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

/** The levels of a V-cycle in the kernel. */
export class MultigridLevels {
  /** The kernel's record. */
  readonly pointer: Pointer;
  readonly #kernel: Kernel;
  readonly #diagonals: FivePointDiagonals;

  /** Takes the pattern of A, not its values. */
  constructor(scope: Scope, A: CsrMatrix, operator: KernelOperator | undefined) {
    const { exports } = scope.kernel;
    this.#kernel = scope.kernel;
    this.#diagonals = new FivePointDiagonals(scope, A, operator);
    const { height, width } = this.#diagonals.grid;
    this.pointer = scope.bytes(exports.multigridSize(height, width), 'the levels of the multigrid');
    exports.multigridInit(this.pointer, height, width, MULTIGRID_SWEEPS);
  }

  /** Takes the values of A. Returns -1, or the row whose diagonal entry cannot be used. */
  update(A: CsrMatrix): number {
    this.#diagonals.load(A);
    return this.#kernel.exports.multigridUpdate(this.pointer, this.#diagonals.pointer);
  }
}
