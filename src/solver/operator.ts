import { SeedspanError } from '../errors.ts';
import { Scope } from '../memory/scope.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { Diagonals, uploadPattern, usefulOffsets } from './diagonals.ts';
import { SlicedRows } from './sliced-rows.ts';
import type { Storage, SystemMatrix } from './types.ts';

/** A square matrix in the kernel, or a function that the kernel calls back. */
export class KernelOperator {
  readonly pointer: Pointer;
  readonly n: number;
  readonly storage: 'csr' | 'dia' | 'function';
  /** With `csr` storage. */
  readonly rows: SlicedRows | undefined;
  /** With `dia` storage. */
  readonly diagonals: Diagonals | undefined;
  readonly #indptr: Int32Array | undefined;
  readonly #indices: Int32Array | undefined;
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
    // Either storage needs the pattern only to be made, and lets it go.
    const passing = new Scope(kernel);
    scope.defer(() => passing.dispose());
    const pattern = uploadPattern(passing, A);
    const offsets = storage === 'csr' ? undefined : usefulOffsets(kernel, A, pattern, storage === 'dia');
    if (offsets !== undefined) {
      this.storage = 'dia';
      const diagonals = new Diagonals(scope, A, pattern, passing, offsets);
      this.diagonals = diagonals;
      kernel.exports.makeDia(this.pointer, size, offsets.length, diagonals.offsetsPointer, diagonals.pointer);
    } else {
      this.storage = 'csr';
      this.rows = new SlicedRows(scope, A, pattern, passing);
      const { runs, count, order, indices, data } = this.rows;
      kernel.exports.makeSliced(this.pointer, size, runs, count, order, indices, data);
    }
  }

  /** Takes the values of a matrix with the pattern that this was made with, or the function. Allocates nothing. */
  load(A: SystemMatrix): void {
    if (typeof A === 'function') {
      this.#kernel.replaceFunction(this.#id, A);
      return;
    }
    this.rows?.load(A);
    this.diagonals?.load(A);
  }

  /** Writes the main diagonal of the matrix whose values it has; false for a function. */
  copyDiagonal(target: Pointer): boolean {
    this.diagonals?.copyDiagonal(target);
    this.rows?.copyDiagonal(target);
    return this.storage !== 'function';
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
