import type { Float64Block } from '../memory/block.ts';
import type { Scope } from '../memory/scope.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { countRuns, slicedPattern, WINDOW } from './slices.ts';

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

  /** Takes the pattern of A, not its values: `load` does. */
  constructor(scope: Scope, A: CsrMatrix) {
    const { runs, order, columns, longest } = slicedPattern(A);
    this.#n = A.shape[0];
    this.#kernel = scope.kernel;
    this.count = countRuns(runs);
    this.runs = scope.int32(runs, 'the slices of the matrix').pointer;
    this.order = scope.int32(order, 'the order of the rows').pointer;
    this.indices = scope.int32(columns, 'the column indices of the matrix').pointer;
    this.#data = scope.float64(A.nnz, 'the values of the matrix');
    this.#scratch = scope.bytes(4 * WINDOW + 8 * longest, 'scratch of the matrix');
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
