import { SeedspanError } from '../errors.ts';
import type { Float64Block } from '../memory/block.ts';
import type { Scope } from '../memory/scope.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { DIA_MAX_DIAGONALS, DIA_MAX_FILL } from './defaults.ts';
import type { Storage, SystemMatrix } from './types.ts';

/** Rows in a block of the kernel's diagonal storage (`assembly/operator/dia.ts`). */
export const DIA_BLOCK = 8;

/** Where the kernel has the pattern of a CSR matrix. */
export interface KernelPattern {
  indptr: Pointer;
  indices: Pointer;
}

/** A square matrix in the kernel, or a function that the kernel calls back. */
export class KernelOperator {
  readonly pointer: Pointer;
  readonly n: number;
  readonly storage: 'csr' | 'dia' | 'function';
  /** With `csr` storage. */
  readonly pattern: KernelPattern | undefined;
  /** With `dia` storage. */
  readonly diagonals: { offsets: Int32Array; data: Pointer } | undefined;
  readonly #indptr: Int32Array | undefined;
  readonly #indices: Int32Array | undefined;
  readonly #data: Float64Block | undefined;
  /** With `dia` storage: place of each CSR entry. */
  readonly #places: Int32Array | undefined;
  readonly #kernel: Kernel;
  /** The kernel's number of the function. */
  readonly #id: number = 0;

  /** Takes the pattern of `A`, not its values: `load` does. */
  constructor(scope: Scope, A: SystemMatrix, size: number, storage: Storage) {
    const { kernel } = scope;
    this.n = size;
    this.#kernel = kernel;
    this.pointer = scope.bytes(kernel.exports.operatorSize(), 'an operator');
    if (typeof A === 'function') {
      this.storage = 'function';
      const id = kernel.addFunction(A, size);
      this.#id = id;
      scope.defer(() => kernel.removeFunction(id));
      kernel.exports.makeHostOperator(this.pointer, size, id);
      return;
    }
    this.#indptr = A.indptr;
    this.#indices = A.indices;
    const offsets = storage === 'csr' ? undefined : diagonals(A, storage === 'dia');
    if (offsets !== undefined) {
      this.storage = 'dia';
      this.#places = placesInBlocks(A, offsets);
      const slots = Math.ceil(size / DIA_BLOCK) * DIA_BLOCK * offsets.length;
      this.#data = scope.float64(slots, 'the diagonals of the matrix');
      this.diagonals = { offsets, data: this.#data.pointer };
      const kept = scope.int32(offsets, 'the offsets of the diagonals');
      kernel.exports.makeDia(this.pointer, size, offsets.length, kept.pointer, this.#data.pointer);
    } else {
      this.storage = 'csr';
      this.#data = scope.float64(A.nnz, 'the values of the matrix');
      this.pattern = uploadPattern(scope, A);
      const { indptr, indices } = this.pattern;
      kernel.exports.makeCsr(this.pointer, size, indptr, indices, this.#data.pointer);
    }
  }

  /** Takes the values of a matrix with the pattern that this was made with, or the function. Allocates nothing. */
  load(A: SystemMatrix): void {
    if (typeof A === 'function') this.#kernel.replaceFunction(this.#id, A);
    if (this.#data === undefined || typeof A === 'function') return;
    const { view } = this.#data;
    const places = this.#places;
    if (places === undefined) view.set(A.data);
    else for (let k = 0; k < places.length; k++) view[places[k]] = A.data[k];
  }

  /** Refuses a matrix of another size, kind or pattern. */
  check(A: SystemMatrix, where: string): void {
    if ((typeof A === 'function') !== (this.storage === 'function')) {
      throw new SeedspanError(
        'SHAPE_MISMATCH',
        `${where}: the workspace was made for a ${this.storage === 'function' ? 'function' : 'matrix'}, ` +
          'make one for this kind of system',
      );
    }
    if (typeof A === 'function') return;
    if (!samePattern(A, this.#indptr!, this.#indices!)) {
      throw new SeedspanError(
        'SHAPE_MISMATCH',
        `${where}: the workspace was made for another pattern (n = ${this.n}, ${this.#indices!.length} entries; ` +
          `here n = ${A.shape[0]}, ${A.nnz} entries); make one with engine.workspace(A)`,
      );
    }
  }
}

export function uploadPattern(scope: Scope, A: CsrMatrix): KernelPattern {
  return {
    indptr: scope.int32(A.indptr, 'the row pointers of the matrix').pointer,
    indices: scope.int32(A.indices, 'the column indices of the matrix').pointer,
  };
}

/** Whether A has the entries that `indptr` and `indices` name. Free where they are A's own arrays. */
export function samePattern(A: CsrMatrix, indptr: Int32Array, indices: Int32Array): boolean {
  return same(A.indptr, indptr) && same(A.indices, indices);
}

function same(a: Int32Array, b: Int32Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false;
  return true;
}

/** The offsets (column - row) that occur, ascending; undefined where diagonals do not pay (unless `forced`). */
export function diagonals(A: CsrMatrix, forced: boolean): Int32Array | undefined {
  if (A.nnz === 0) return undefined;
  const { indptr, indices } = A;
  // Kept sorted. A row's offsets ascend, so one walk through the list finds them all.
  const found: number[] = [];
  for (let i = 0; i < A.shape[0]; i++) {
    for (let k = indptr[i], d = 0; k < indptr[i + 1]; k++, d++) {
      const offset = indices[k] - i;
      while (d < found.length && found[d] < offset) d++;
      if (found[d] !== offset) found.splice(d, 0, offset);
    }
    if (!forced && found.length > DIA_MAX_DIAGONALS) return undefined;
  }
  const slots = Math.ceil(A.shape[0] / DIA_BLOCK) * DIA_BLOCK * found.length;
  // A small matrix has slots to spare in its last block; below 64 rows that does not matter.
  if (!forced && slots > DIA_MAX_FILL * A.nnz + 64 * found.length) return undefined;
  return Int32Array.from(found);
}

/** Where each entry of A belongs among diagonals in blocks. `offsets` ascend, and have all that occur. */
export function placesInBlocks(A: CsrMatrix, offsets: Int32Array): Int32Array {
  const { indptr, indices } = A;
  const places = new Int32Array(A.nnz);
  for (let i = 0; i < A.shape[0]; i++) {
    const lane = i % DIA_BLOCK;
    const block = ((i - lane) / DIA_BLOCK) * offsets.length;
    for (let k = indptr[i], d = 0; k < indptr[i + 1]; k++, d++) {
      while (offsets[d] !== indices[k] - i) d++;
      places[k] = (block + d) * DIA_BLOCK + lane;
    }
  }
  return places;
}
