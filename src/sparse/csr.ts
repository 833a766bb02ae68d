import { hasMark } from '../marks.ts';
import { allocate, checkFinite, checkLength, checkNumberArray } from './checks.ts';

const MARK = Symbol.for('seedspan.CsrMatrix');

/**
 * A real sparse matrix in compressed sparse row form. Row `i` has its columns in
 * `indices[indptr[i] .. indptr[i + 1])`, strictly increasing, and its values at the same places of `data`.
 *
 * Made by {@link csr}, {@link fromTriplets} and {@link fromDense}, which check and copy what they are given.
 * The pattern never changes; `setData` changes the values.
 */
export class CsrMatrix {
  /** `[rows, columns]`. */
  readonly shape: readonly [number, number];
  /** Length `rows + 1`. */
  readonly indptr: Int32Array;
  /** Length `nnz`. */
  readonly indices: Int32Array;
  /** Length `nnz`. */
  readonly data: Float64Array;
  /** Number of stored entries. */
  readonly nnz: number;

  /** Entry `k` of the arrays that the matrix was made from is stored at, or summed into, `#slots[k]`. */
  readonly #slots: Int32Array | undefined;
  /** New values are put together here, so that refused ones leave `data` as it was. */
  readonly #spare: Float64Array | undefined;

  /**
   * Takes a pattern as it is, unchecked and not copied, with all values zero.
   *
   * @param slots - where each entry that `setData` is given belongs; absent where the order is that of `data`.
   * @internal
   */
  constructor(shape: readonly [number, number], indptr: Int32Array, indices: Int32Array, slots?: Int32Array) {
    this.shape = shape;
    this.indptr = indptr;
    this.indices = indices;
    this.nnz = indices.length;
    this.data = new Float64Array(this.nnz);
    this.#slots = slots;
    this.#spare = slots && new Float64Array(this.nnz);
  }

  /** @internal */
  get [MARK](): true {
    return true;
  }

  /** Also for matrices that another copy of the package made. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return hasMark(value, MARK);
  }

  /**
   * Gives every entry a new value, in place; allocates nothing.
   *
   * @param values - in the order in which the entries were given when the matrix was made, duplicates and
   *   unsorted ones included. For `fromDense` that is the non-zeros, row by row.
   * @throws SeedspanError `INVALID_TYPE`, `SHAPE_MISMATCH` (length), `INVALID_VALUE` (a value, or a sum of
   *   duplicates, is not finite). The old values then stay.
   */
  setData(values: ArrayLike<number>): this {
    return this.assign('setData', values);
  }

  /**
   * `setData`, under the name that the user called.
   *
   * @internal
   */
  assign(where: string, values: ArrayLike<number>): this {
    checkNumberArray(where, 'data', values);
    const slots = this.#slots;
    const spare = this.#spare;
    checkLength(where, 'data', values.length, slots?.length ?? this.nnz, 'one value for each entry given');
    if (!(values instanceof Float64Array && allFinite(values))) {
      for (let k = 0; k < values.length; k++) {
        // A position is only spelt out for a value that is refused: this loop allocates nothing.
        if (!Number.isFinite(values[k])) checkFinite(where, `data[${k}]`, values[k]);
      }
    }
    if (slots === undefined || spare === undefined) {
      this.data.set(values);
      return this;
    }
    // Minus zero is what leaves every value as it is, its own sign included.
    spare.fill(-0);
    for (let k = 0; k < slots.length; k++) spare[slots[k]] += values[k];
    for (let k = 0; k < slots.length; k++) {
      if (!Number.isFinite(spare[slots[k]])) {
        checkFinite(where, `the sum of the duplicates of entry ${k}`, spare[slots[k]]);
      }
    }
    this.data.set(spare);
    return this;
  }

  /** The full matrix, row-major, length `rows * columns`. */
  toDense(): Float64Array {
    const [rows, columns] = this.shape;
    const dense = allocate('toDense', `${rows} x ${columns} numbers`, () => new Float64Array(rows * columns));
    for (let i = 0; i < rows; i++) {
      for (let p = this.indptr[i]; p < this.indptr[i + 1]; p++)
        dense[i * columns + this.indices[p]] = this.data[p];
    }
    return dense;
  }

  /** The transposed matrix, a new one. Its `setData` takes values in the order of its own `data`. */
  transpose(): CsrMatrix {
    const [rows, columns] = this.shape;
    const indptr = allocate('transpose', `${columns} rows`, () => new Int32Array(columns + 1));
    for (const j of this.indices) indptr[j + 1]++;
    for (let j = 0; j < columns; j++) indptr[j + 1] += indptr[j];
    const transposed = new CsrMatrix([columns, rows], indptr, new Int32Array(this.nnz));
    const next = indptr.slice(0, columns);
    for (let i = 0; i < rows; i++) {
      for (let p = this.indptr[i]; p < this.indptr[i + 1]; p++) {
        const q = next[this.indices[p]]++;
        transposed.indices[q] = i;
        transposed.data[q] = this.data[p];
      }
    }
    return transposed;
  }

  /**
   * `A x` in plain JavaScript, for checks and one-off products; solvers use the kernel.
   *
   * @param x - length `columns`.
   * @returns length `rows`.
   */
  multiply(x: ArrayLike<number>): Float64Array {
    const [rows, columns] = this.shape;
    checkNumberArray('multiply', 'x', x);
    checkLength('multiply', 'x', x.length, columns, 'the number of columns');
    const y = new Float64Array(rows);
    for (let i = 0; i < rows; i++) {
      let sum = 0;
      for (let p = this.indptr[i]; p < this.indptr[i + 1]; p++) sum += this.data[p] * x[this.indices[p]];
      y[i] = sum;
    }
    return y;
  }

  /**
   * The main diagonal, length `min(rows, columns)`; zero where nothing is stored.
   *
   * @param out - takes it, in place of a new array.
   */
  diagonal(out?: Float64Array): Float64Array {
    const diagonal = out?.fill(0) ?? new Float64Array(Math.min(...this.shape));
    for (let i = 0; i < diagonal.length; i++) {
      for (let p = this.indptr[i]; p < this.indptr[i + 1]; p++) {
        if (this.indices[p] === i) diagonal[i] = this.data[p];
      }
    }
    return diagonal;
  }
}

/** By the runtime's own loops, which are fast from a program's first call on. */
function allFinite(values: Float64Array): boolean {
  return !values.includes(Number.NaN) && !values.includes(Infinity) && !values.includes(-Infinity);
}

/**
 * Sorts each row by column and joins duplicates. The caller's entry `k` is at `placeOf[k]` of `indices`; absent
 * where that is `k` itself.
 *
 * @returns a matrix with all values zero.
 * @internal
 */
export function compress(
  shape: readonly [number, number],
  indptr: Int32Array,
  indices: Int32Array,
  placeOf?: Int32Array,
): CsrMatrix {
  const rows = shape[0];
  const isSorted = (i: number) => {
    for (let p = indptr[i] + 1; p < indptr[i + 1]; p++) if (indices[p] <= indices[p - 1]) return false;
    return true;
  };
  let sorted = 0;
  while (sorted < rows && isSorted(sorted)) sorted++;
  if (sorted === rows) return new CsrMatrix(shape, indptr, indices, placeOf);

  const places = Int32Array.from(indices, (_, p) => p);
  const packedIndptr = new Int32Array(rows + 1);
  const packedIndices = new Int32Array(indices.length);
  const slotOf = new Int32Array(indices.length);
  let nnz = 0;
  for (let i = 0; i < rows; i++) {
    // Equal columns stay in the order given, so that their sum does not depend on the sorting algorithm.
    if (!isSorted(i)) {
      places.subarray(indptr[i], indptr[i + 1]).sort((p, q) => indices[p] - indices[q] || p - q);
    }
    for (let k = indptr[i]; k < indptr[i + 1]; k++) {
      const p = places[k];
      if (nnz === packedIndptr[i] || packedIndices[nnz - 1] !== indices[p]) packedIndices[nnz++] = indices[p];
      slotOf[p] = nnz - 1;
    }
    packedIndptr[i + 1] = nnz;
  }
  const slots = placeOf?.map((p) => slotOf[p]) ?? slotOf;
  return new CsrMatrix(shape, packedIndptr, packedIndices.slice(0, nnz), slots);
}
