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

/** Compressed sparse columns, as SciPy's `csc_array` holds them. */
export interface CscInput {
  /** `[rows, columns]`. */
  shape: readonly [number, number];
  /** Length `columns + 1`: column `j` is entries `indptr[j]` to `indptr[j + 1] - 1`. */
  indptr: ArrayLike<number>;
  /** The row of each entry, from 0. */
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
    // A symbol or bigint among them throws where it is made a number.
    copy[k] = typeof index === 'number' ? index : -1;
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
  const { shape, starts, indices } = checkCompressed('csr', input, 'rows');
  return compress(shape, starts, indices).assign('csr', input.data);
}

/**
 * A matrix from compressed sparse columns, as SciPy's `csc_array` and MATLAB hold them. All arrays are copied.
 *
 * Columns need not be sorted; entries given twice are summed. `setData` takes values in the order given here.
 *
 * @example
 * ```ts
 * // [[4, -1], [0, 3]]
 * const A = csc({ shape: [2, 2], indptr: [0, 1, 3], indices: [0, 0, 1], data: [4, -1, 3] });
 * ```
 * @throws SeedspanError as {@link csr}, with columns in the place of rows.
 */
export function csc(input: CscInput): CsrMatrix {
  checkInput('csc', input, ['shape', 'indptr', 'indices', 'data']);
  return fromColumns('csc', input);
}

/**
 * `csc`, under the name that the user called.
 *
 * @internal
 */
export function fromColumns(where: string, input: CscInput): CsrMatrix {
  const { shape, starts, indices } = checkCompressed(where, input, 'columns');
  const columnOf = new Int32Array(indices.length);
  for (let j = 0; j < shape[1]; j++) columnOf.fill(j, starts[j], starts[j + 1]);
  return groupByRow(shape, indices, columnOf).assign(where, input.data);
}

/** Copies of checked pointers and indices of compressed rows or columns. */
function checkCompressed(where: string, input: CsrInput | CscInput, along: 'rows' | 'columns') {
  const shape = checkShape(where, input.shape);
  const [count, size] = along === 'rows' ? shape : [shape[1], shape[0]];
  const { indptr, indices, data } = input;
  checkNumberArray(where, 'indptr', indptr);
  checkNumberArray(where, 'indices', indices);
  checkNumberArray(where, 'data', data);
  checkEntryCount(where, 'indices', indices.length);
  checkLength(where, 'indptr', indptr.length, count + 1, `${along} + 1`);
  checkLength(where, 'data', data.length, indices.length, 'the length of indices');

  const starts = copyIndices(where, 'indptr', indptr, indices.length + 1);
  if (starts[0] !== 0) {
    throw new SeedspanError('INVALID_VALUE', `${where}: indptr[0] is ${starts[0]}, must be 0`, {
      indptr: starts[0],
    });
  }
  for (let i = 0; i < count; i++) {
    if (starts[i + 1] < starts[i]) {
      throw new SeedspanError(
        'INVALID_VALUE',
        `${where}: indptr[${i + 1}] is ${starts[i + 1]}, less than ${starts[i]} before it; indptr must not decrease`,
        { at: i + 1 },
      );
    }
  }
  const last = starts[count];
  if (last !== indices.length) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${where}: indptr ends with ${last}, must end with ${indices.length}, the length of indices`,
      { last, expected: indices.length },
    );
  }
  return { shape, starts, indices: copyIndices(where, 'indices', indices, size) };
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
  const split = byEntry ? splitTriplets(input.triplets) : (input as CooInput);
  return fromCoordinates('fromTriplets', { ...split, shape: input.shape });
}

/**
 * `fromTriplets`, under the name that the user called.
 *
 * @internal
 */
export function fromCoordinates(where: string, { shape: given, row, col, data }: CooInput): CsrMatrix {
  const shape = checkShape(where, given);
  checkNumberArray(where, 'row', row);
  checkNumberArray(where, 'col', col);
  checkNumberArray(where, 'data', data);
  checkEntryCount(where, 'row', row.length);
  checkLength(where, 'col', col.length, row.length, 'the length of row');
  checkLength(where, 'data', data.length, row.length, 'the length of row');
  const rowOf = copyIndices(where, 'row', row, shape[0]);
  const columnOf = copyIndices(where, 'col', col, shape[1]);
  return groupByRow(shape, rowOf, columnOf).assign(where, data);
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
