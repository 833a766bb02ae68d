import type { Float64Block } from '../memory/block.ts';
import { Scope } from '../memory/scope.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { DIA_MAX_DIAGONALS, DIA_MAX_FILL } from './defaults.ts';

/** Rows in a block of the kernel's diagonal storage (`assembly/operator/dia.ts`). */
export const DIA_BLOCK = 8;

/** Where the kernel has the pattern of a CSR matrix. */
export interface KernelPattern {
  indptr: Pointer;
  indices: Pointer;
}

export function uploadPattern(scope: Scope, A: CsrMatrix): KernelPattern {
  return {
    indptr: scope.int32(A.indptr, 'the row pointers of the matrix').pointer,
    indices: scope.int32(A.indices, 'the column indices of the matrix').pointer,
  };
}

/**
 * Calls `use` with the pattern of A in the kernel, for as long as that takes; `passing` is the scope that it lives
 * in, and may be disposed of before.
 */
export function withPattern<T>(
  kernel: Kernel,
  A: CsrMatrix,
  use: (pattern: KernelPattern, passing: Scope) => T,
): T {
  const passing = new Scope(kernel);
  try {
    return use(uploadPattern(passing, A), passing);
  } finally {
    passing.dispose();
  }
}

/** The offsets (column - row) that occur, ascending; where there are more than `most`, the `most` found first. */
export function offsetsOf(
  kernel: Kernel,
  n: number,
  { indptr, indices }: KernelPattern,
  most: number,
): { offsets: Int32Array; complete: boolean } {
  const scope = new Scope(kernel);
  try {
    const block = scope.int32(most, 'the offsets of the diagonals');
    const count = kernel.exports.findDiagonals(n, indptr, indices, most, block.pointer);
    return { offsets: block.view.slice(0, Math.min(count, most)), complete: count <= most };
  } finally {
    scope.dispose();
  }
}

/** The offsets of A's diagonals, ascending; undefined where diagonals do not pay (unless `forced`). */
export function usefulOffsets(
  kernel: Kernel,
  A: CsrMatrix,
  pattern: KernelPattern,
  forced: boolean,
): Int32Array | undefined {
  const [n] = A.shape;
  if (A.nnz === 0) return undefined;
  const most = Math.min(2 * n - 1, A.nnz, forced ? Infinity : DIA_MAX_DIAGONALS);
  const { offsets, complete } = offsetsOf(kernel, n, pattern, most);
  if (forced) return offsets;
  // A small matrix has slots to spare in its last block; below 64 rows that does not matter.
  const slots = Math.ceil(n / DIA_BLOCK) * DIA_BLOCK * offsets.length;
  return complete && slots <= DIA_MAX_FILL * A.nnz + 64 * offsets.length ? offsets : undefined;
}

/** The diagonals of a matrix in the kernel, in blocks of eight rows, and what it takes to load CSR values into them. */
export class Diagonals {
  /** Ascending. */
  readonly offsets: Int32Array;
  readonly offsetsPointer: Pointer;
  readonly pointer: Pointer;
  readonly #kernel: Kernel;
  readonly #n: number;
  readonly #data: Float64Block;
  readonly #marks: Pointer;
  readonly #scratch: Pointer;

  /**
   * Takes the pattern of A, not its values, and then disposes of the scope that the pattern lives in: the two are
   * never in memory together.
   *
   * @param offsets - ascending, with all that occur.
   */
  constructor(scope: Scope, A: CsrMatrix, pattern: KernelPattern, passing: Scope, offsets: Int32Array) {
    const { kernel } = scope;
    const n = A.shape[0];
    const count = offsets.length;
    const blocks = Math.ceil(n / DIA_BLOCK);
    this.offsets = offsets;
    this.#kernel = kernel;
    this.#n = n;
    this.offsetsPointer = scope.int32(offsets, 'the offsets of the diagonals').pointer;
    this.#marks = scope.bytes(blocks * count, 'the places of the entries');
    const { indptr, indices } = pattern;
    kernel.exports.markEntries(n, indptr, indices, count, this.offsetsPointer, this.#marks);
    passing.dispose();
    this.#scratch = scope.float64(DIA_BLOCK * count, 'a block of the matrix').pointer;
    this.#data = scope.float64(blocks * DIA_BLOCK * count, 'the diagonals of the matrix');
    this.pointer = this.#data.pointer;
  }

  /** Takes the values of a matrix with the pattern that this was made with. Allocates nothing. */
  load({ data, nnz }: CsrMatrix): void {
    const { pointer, length, view } = this.#data;
    // They come to lie at the end of the diagonals, and are spread from there.
    view.set(data, length - nnz);
    const values = pointer + 8 * (length - nnz);
    const count = this.offsets.length;
    this.#kernel.exports.spreadEntries(this.#n, count, this.#marks, values, pointer, this.#scratch);
  }

  /** Writes the main diagonal; zeros where none is stored. */
  copyDiagonal(target: Pointer): void {
    const { exports } = this.#kernel;
    const d = this.offsets.indexOf(0);
    if (d < 0) exports.zero(this.#n, target);
    else exports.diaDiagonal(this.#n, this.offsets.length, d, this.pointer, target);
  }
}
