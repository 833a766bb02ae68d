import { SeedspanError, show } from '../errors.ts';
import {
  type CooInput,
  type CsrInput,
  csr,
  fromColumns,
  fromCoordinates,
  fromTriplets,
  type TripletInput,
} from './construct.ts';
import { CsrMatrix } from './csr.ts';

/** A matrix of mathjs. Its declared type does not list the arrays of `sparse` matrices, which are looked for. */
export interface MathjsMatrix {
  readonly type: string;
  /** How it is stored: `sparse`. */
  storage(): string;
  /** Rows and columns. */
  size(): number[];
}

/** A `SparseMatrix` of ml-sparse-matrix. */
export interface MlSparseMatrix {
  readonly rows: number;
  readonly columns: number;
  /** Its entries. */
  getNonZeros(): unknown;
}

/**
 * What `solve` takes as a matrix, beside functions: a matrix of this package or what `csr` and `fromTriplets` make
 * one of, a sparse matrix of mathjs or ml-sparse-matrix, or an array of `[row, column, value]`.
 */
export type MatrixLike =
  | CsrMatrix
  | CsrInput
  | CooInput
  | TripletInput
  | MathjsMatrix
  | MlSparseMatrix
  | readonly (readonly [number, number, number])[];

/**
 * A matrix from a `SparseMatrix` of mathjs (10 or newer), copied.
 *
 * @throws SeedspanError `INVALID_TYPE` where it is another matrix, or its values are not numbers; else as `csc`
 */
export function fromMathjs(matrix: MathjsMatrix): CsrMatrix {
  const where = 'fromMathjs';
  const { type, _values, _index, _ptr, _size } = (matrix ?? {}) as unknown as Record<string, unknown>;
  if (type === 'DenseMatrix') {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${where}: the matrix is a DenseMatrix; give math.sparse(matrix)`,
    );
  }
  if (![_index, _ptr, _size].every(Array.isArray)) {
    throw new SeedspanError('INVALID_TYPE', `${where}: give a SparseMatrix of mathjs, not ${show(matrix)}`);
  }
  if (!Array.isArray(_values) || !_values.every((value) => typeof value === 'number')) {
    const odd = Array.isArray(_values) ? _values.find((value) => typeof value !== 'number') : _values;
    throw new SeedspanError('INVALID_TYPE', `${where}: all values must be numbers; there is ${show(odd)}`);
  }
  return fromColumns(where, {
    shape: _size as [number, number],
    indptr: _ptr as number[],
    indices: _index as number[],
    data: _values,
  });
}

/**
 * A matrix from a `SparseMatrix` of ml-sparse-matrix, copied.
 *
 * @throws SeedspanError `INVALID_TYPE` where it is none; else as `fromTriplets`
 */
export function fromMlSparseMatrix(matrix: MlSparseMatrix): CsrMatrix {
  const where = 'fromMlSparseMatrix';
  if (typeof matrix?.getNonZeros !== 'function') {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${where}: give a SparseMatrix of ml-sparse-matrix, not ${show(matrix)}`,
    );
  }
  const { rows, columns, values } = (matrix.getNonZeros() ?? {}) as Record<string, ArrayLike<number>>;
  return fromCoordinates(where, {
    shape: [matrix.rows, matrix.columns],
    row: rows,
    col: columns,
    data: values,
  });
}

/**
 * The matrix that is meant; one of this package as it is.
 *
 * @param size of the system, for triplets
 * @throws SeedspanError `INVALID_TYPE` for what is no matrix, `INVALID_VALUE` for three triplets of three unknowns,
 *   which are a full matrix as well; else as the function that makes it
 * @internal
 */
export function matrixOf(where: string, A: MatrixLike, size: number): CsrMatrix {
  if (A instanceof CsrMatrix) return A;
  if (Array.isArray(A)) return ofTriplets(where, A, size);
  if (typeof A === 'object' && A !== null) {
    if ('getNonZeros' in A) return fromMlSparseMatrix(A);
    if ('_ptr' in A || ('type' in A && 'storage' in A)) return fromMathjs(A as MathjsMatrix);
    if ('indptr' in A) return csr(A as CsrInput);
    if ('triplets' in A || 'row' in A) return fromTriplets(A as CooInput | TripletInput);
  }
  throw new SeedspanError(
    'INVALID_TYPE',
    `${where}: the matrix must be of this package (csr, fromTriplets, fromDense, ...), of mathjs or ml-sparse-matrix, an array of [row, column, value], or a function (x, y); it is ${show(A)}`,
  );
}

function ofTriplets(
  where: string,
  A: readonly (readonly [number, number, number])[],
  size: number,
): CsrMatrix {
  const odd = A.findIndex((triplet) => triplet?.length !== 3);
  if (odd >= 0) {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${where}: an array is taken for [row, column, value] triplets, but [${odd}] is ${show(A[odd])}; give a full matrix as fromDense(A)`,
    );
  }
  if (A.length === 3 && size === 3) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: three rows of three numbers are triplets or a full matrix; say which by fromTriplets or fromDense`,
    );
  }
  return fromTriplets({ shape: [size, size], triplets: A });
}
