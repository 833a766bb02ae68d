import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import {
  allocate,
  checkEntryCount,
  checkFinite,
  checkIndex,
  checkLength,
  checkNumberArray,
  checkShape,
} from './checks.ts';
import { type CsrMatrix, compress } from './csr.ts';

/** Compressed sparse rows, as SciPy's `csr_array` holds them. */
export interface CsrInput {
  /** `[rows, columns]`. */
  shape: readonly [number, number];
  /** Length `rows + 1`: row `i` is entries `indptr[i]` to `indptr[i + 1] - 1`. */
  indptr: ArrayLike<number>;
  /** The column of each entry, from 0. */
  indices: ArrayLike<number>;
  /** The value of each entry. */
  data: ArrayLike<number>;
}

/** Coordinates and values in three arrays, as SciPy's `coo_array` holds them. */
export interface CooInput {
  /** `[rows, columns]`. */
  shape: readonly [number, number];
  /** The row of each entry, from 0. */
  row: ArrayLike<number>;
  /** The column of each entry, from 0. */
  col: ArrayLike<number>;
  /** The value of each entry. */
  data: ArrayLike<number>;
}

/** Coordinates and values entry by entry. */
export interface TripletInput {
  /** `[rows, columns]`. */
  shape: readonly [number, number];
  /** `[row, column, value]` of each entry, from 0. */
  triplets: ArrayLike<readonly [number, number, number]>;
}

/** A full matrix, row-major. */
export interface DenseInput {
  /** Length `rows * columns`. */
  data: ArrayLike<number>;
  /** `[rows, columns]`. */
  shape: readonly [number, number];
}

function checkInput(where: string, input: unknown, names: readonly string[]): void {
  if (typeof input !== 'object' || input === null) {
    throw new SeedspanError('INVALID_TYPE', `${where}: give {${names.join(', ')}}, not ${show(input)}`);
  }
  checkOptionNames(where, input, names);
}

function copyIndices(where: string, name: string, source: ArrayLike<number>, size: number): Int32Array {
  const copy = new Int32Array(source.length);
  for (let k = 0; k < copy.length; k++) {
    const index = source[k];
    copy[k] = index;
    // The check is called where it will refuse: calls cost much of a program's first matrix.
    if (copy[k] !== index || index < 0 || index >= size) checkIndex(where, name, k, index, size);
  }
  return copy;
}

/**
 * A matrix from compressed sparse rows. All arrays are copied.
 *
 * Rows need not be sorted; entries given twice are summed. Empty rows are fine, and so are 0 rows.
 *
 * @example
 * ```ts
 * // [[4, -1], [0, 3]]
 * const A = csr({ shape: [2, 2], indptr: [0, 2, 3], indices: [0, 1, 1], data: [4, -1, 3] });
 * ```
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE` (shape, `indptr` that does not start at 0 or decreases,
 *   an index out of range, a value that is not finite), `SHAPE_MISMATCH` (lengths), `UNKNOWN_OPTION`.
 */
export function csr(input: CsrInput): CsrMatrix {
  checkInput('csr', input, ['shape', 'indptr', 'indices', 'data']);
  const shape = checkShape('csr', input.shape);
  const { indptr, indices, data } = input;
  checkNumberArray('csr', 'indptr', indptr);
  checkNumberArray('csr', 'indices', indices);
  checkNumberArray('csr', 'data', data);
  checkEntryCount('csr', 'indices', indices.length);
  checkLength('csr', 'indptr', indptr.length, shape[0] + 1, 'rows + 1');
  checkLength('csr', 'data', data.length, indices.length, 'the length of indices');

  const starts = copyIndices('csr', 'indptr', indptr, indices.length + 1);
  if (starts[0] !== 0) {
    throw new SeedspanError('INVALID_VALUE', `csr: indptr[0] is ${starts[0]}, must be 0`, {
      indptr: starts[0],
    });
  }
  for (let i = 0; i < shape[0]; i++) {
    if (starts[i + 1] < starts[i]) {
      throw new SeedspanError(
        'INVALID_VALUE',
        `csr: indptr[${i + 1}] is ${starts[i + 1]}, less than ${starts[i]} before it; indptr must not decrease`,
        { at: i + 1 },
      );
    }
  }
  const last = starts[shape[0]];
  if (last !== indices.length) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `csr: indptr ends with ${last}, must end with ${indices.length}, the length of indices`,
      { last, expected: indices.length },
    );
  }
  return compress(shape, starts, copyIndices('csr', 'indices', indices, shape[1])).assign('csr', data);
}

/**
 * A matrix from coordinates, in any order; entries given twice are summed. All arrays are copied.
 *
 * @example
 * ```ts
 * const A = fromTriplets({ shape: [2, 2], row: [0, 0, 1], col: [0, 1, 1], data: [4, -1, 3] });
 * const B = fromTriplets({ shape: [2, 2], triplets: [[0, 0, 4], [0, 1, -1], [1, 1, 3]] });
 * ```
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE` (shape, an index out of range, a value that is not
 *   finite), `SHAPE_MISMATCH` (lengths), `UNKNOWN_OPTION`, `OUT_OF_MEMORY`.
 */
export function fromTriplets(input: CooInput | TripletInput): CsrMatrix {
  const byEntry = typeof input === 'object' && input !== null && 'triplets' in input;
  checkInput('fromTriplets', input, byEntry ? ['shape', 'triplets'] : ['shape', 'row', 'col', 'data']);
  const shape = checkShape('fromTriplets', input.shape);
  const { row, col, data } = byEntry ? splitTriplets(input.triplets) : (input as CooInput);
  checkNumberArray('fromTriplets', 'row', row);
  checkNumberArray('fromTriplets', 'col', col);
  checkNumberArray('fromTriplets', 'data', data);
  checkEntryCount('fromTriplets', 'row', row.length);
  checkLength('fromTriplets', 'col', col.length, row.length, 'the length of row');
  checkLength('fromTriplets', 'data', data.length, row.length, 'the length of row');
  const rowOf = copyIndices('fromTriplets', 'row', row, shape[0]);
  const columnOf = copyIndices('fromTriplets', 'col', col, shape[1]);
  return groupByRow(shape, rowOf, columnOf).assign('fromTriplets', data);
}

function splitTriplets(triplets: TripletInput['triplets']): Omit<CooInput, 'shape'> {
  checkNumberArray('fromTriplets', 'triplets', triplets);
  const row: number[] = [];
  const col: number[] = [];
  const data: number[] = [];
  for (let k = 0; k < triplets.length; k++) {
    const triplet = triplets[k];
    checkNumberArray('fromTriplets', `triplets[${k}]`, triplet);
    checkLength('fromTriplets', `triplets[${k}]`, triplet.length, 3, '[row, column, value]');
    row.push(triplet[0]);
    col.push(triplet[1]);
    data.push(triplet[2]);
  }
  return { row, col, data };
}

/**
 * The matrix, values zero, whose entry `k` is at `(row[k], col[k])`; both arrays must have been checked.
 *
 * @internal
 */
export function groupByRow(shape: readonly [number, number], row: Int32Array, col: Int32Array): CsrMatrix {
  const rows = shape[0];
  const indptr = allocate('fromTriplets', `${rows} rows`, () => new Int32Array(rows + 1));
  let inOrder = true;
  for (let k = 0; k < row.length; k++) {
    indptr[row[k] + 1]++;
    if (k > 0 && row[k] < row[k - 1]) inOrder = false;
  }
  for (let i = 0; i < rows; i++) indptr[i + 1] += indptr[i];
  if (inOrder) return compress(shape, indptr, col);

  const next = indptr.slice(0, rows);
  const placeOf = row.map((i) => next[i]++);
  const indices = new Int32Array(col.length);
  for (let k = 0; k < col.length; k++) indices[placeOf[k]] = col[k];
  return compress(shape, indptr, indices, placeOf);
}

/**
 * A matrix from a full one; zeros are not stored.
 *
 * @example
 * ```ts
 * const A = fromDense([[4, -1], [0, 3]]);
 * const B = fromDense({ data: [4, -1, 0, 3], shape: [2, 2] });
 * ```
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE` (shape, a value that is not finite), `SHAPE_MISMATCH`
 *   (rows of unequal lengths, `data` of the wrong length), `UNKNOWN_OPTION`.
 */
export function fromDense(input: ArrayLike<ArrayLike<number>> | DenseInput): CsrMatrix {
  const isFlat = typeof input === 'object' && input !== null && !('length' in input);
  const { shape, rowOf } = isFlat
    ? readFlat(input as DenseInput)
    : readRows(input as ArrayLike<ArrayLike<number>>);
  const [rows, columns] = shape;
  const indptr = new Int32Array(rows + 1);
  const indices: number[] = [];
  const data: number[] = [];
  for (let i = 0; i < rows; i++) {
    const { array, offset } = rowOf(i);
    for (let j = 0; j < columns; j++) {
      const value = array[offset + j];
      if (!Number.isFinite(value)) checkFinite('fromDense', `the value at row ${i}, column ${j}`, value);
      if (value === 0) continue;
      indices.push(j);
      data.push(value);
    }
    indptr[i + 1] = indices.length;
  }
  return compress(shape, indptr, Int32Array.from(indices)).setData(data);
}

interface DenseRows {
  shape: readonly [number, number];
  rowOf: (i: number) => { array: ArrayLike<number>; offset: number };
}

function readFlat(input: DenseInput): DenseRows {
  checkInput('fromDense', input, ['data', 'shape']);
  const shape = checkShape('fromDense', input.shape);
  checkNumberArray('fromDense', 'data', input.data);
  checkLength('fromDense', 'data', input.data.length, shape[0] * shape[1], 'rows * columns');
  return { shape, rowOf: (i) => ({ array: input.data, offset: i * shape[1] }) };
}

function readRows(input: ArrayLike<ArrayLike<number>>): DenseRows {
  checkNumberArray('fromDense', 'the matrix', input);
  const columns = input.length === 0 ? 0 : (input[0]?.length ?? 0);
  for (let i = 0; i < input.length; i++) {
    checkNumberArray('fromDense', `row ${i}`, input[i]);
    checkLength('fromDense', `row ${i}`, input[i].length, columns, 'the length of row 0');
  }
  return {
    shape: checkShape('fromDense', [input.length, columns]),
    rowOf: (i) => ({ array: input[i], offset: 0 }),
  };
}
