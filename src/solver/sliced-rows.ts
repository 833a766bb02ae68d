import type { Float64Block } from '../memory/block.ts';
import type { Scope } from '../memory/scope.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import type { KernelPattern } from './diagonals.ts';

/** Rows that the kernel sorts by length among themselves (`assembly/operator/sliced.ts`). */
const WINDOW = 256;
/** Bytes of one of its runs: entries a row, slices, single rows behind them. */
export const RUN_BYTES = 12;

/** A sparse matrix in the kernel, its rows in slices. */
export class SlicedRows {
  readonly runs: Pointer;
  /** Number of runs. */
  readonly count: number;
  readonly order: Pointer;
  readonly indices: Pointer;
  readonly #data: Float64Block;
  readonly #scratch: Pointer;
  readonly #kernel: Kernel;
  readonly #n: number;

  /**
   * Takes the pattern of A, not its values (`load` does), and then disposes of the scope that the pattern lives in.
   */
  constructor(scope: Scope, A: CsrMatrix, { indptr, indices }: KernelPattern, passing: Scope) {
    const { exports } = scope.kernel;
    const n = A.shape[0];
    this.#n = n;
    this.#kernel = scope.kernel;
    let longest = 0;
    for (let row = 0; row < n; row += WINDOW) {
      longest = Math.max(longest, A.indptr[Math.min(row + WINDOW, n)] - A.indptr[row]);
    }
    this.#scratch = scope.bytes(4 * WINDOW + 8 * longest, 'scratch of the matrix');
    this.order = scope.int32(n, 'the order of the rows').pointer;
    this.count = exports.sliceOrder(n, indptr, this.order, this.#scratch);
    this.runs = scope.bytes(RUN_BYTES * this.count, 'the slices of the matrix');
    this.indices = scope.int32(A.nnz, 'the column indices of the matrix').pointer;
    exports.sliceRows(n, indptr, indices, this.order, this.runs, this.indices);
    passing.dispose();
    this.#data = scope.float64(A.nnz, 'the values of the matrix');
  }

  get data(): Pointer {
    return this.#data.pointer;
  }

  /** Takes the values of A. */
  load(A: CsrMatrix): void {
    this.#data.view.set(A.data);
    this.#kernel.exports.slicedPack(this.#n, this.runs, this.order, this.data, this.#scratch);
  }

  /** Writes the main diagonal; zeros where none is stored. */
  copyDiagonal(target: Pointer): void {
    this.#kernel.exports.slicedDiagonal(this.runs, this.count, this.order, this.indices, this.data, target);
  }
}
