import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { allocate, checkFinite, checkLength, checkNumberArray, checkShape } from '../sparse/checks.ts';
import { CsrMatrix } from '../sparse/csr.ts';

/** How a file is written. */
export interface WriteMatrixMarketOptions {
  /** Text for the file's head; may have several lines. */
  comment?: string;
  /** `symmetric` writes the lower part alone, and refuses what is not symmetric. Default `general`. */
  symmetry?: 'general' | 'symmetric';
}

/** A full matrix, row-major. */
export interface DenseMatrix {
  data: ArrayLike<number>;
  shape: readonly [number, number];
}

const WHERE = 'writeMatrixMarket';

/** The shortest decimal that reads back as the same number, and a zero's sign. */
function format(value: number, position: string): string {
  if (!Number.isFinite(value)) checkFinite(WHERE, position, value);
  return Object.is(value, -0) ? '-0' : String(value);
}

function refuseAsymmetric(i: number, j: number): never {
  throw new SeedspanError(
    'INVALID_VALUE',
    `${WHERE}: not symmetric: entry (${i}, ${j}) has no equal at (${j}, ${i})`,
    {
      row: i,
      column: j,
    },
  );
}

function checkSquare([rows, columns]: readonly [number, number]): void {
  if (rows === columns) return;
  throw new SeedspanError(
    'SHAPE_MISMATCH',
    `${WHERE}: ${rows} x ${columns} is not square, so it is not symmetric`,
    {
      rows,
      columns,
    },
  );
}

function checkSymmetric(A: CsrMatrix): void {
  checkSquare(A.shape);
  const T = A.transpose();
  for (let i = 0; i < A.shape[0]; i++) {
    const end = A.indptr[i + 1];
    for (let p = A.indptr[i]; p < end; p++) {
      const isMirrored = p < T.indptr[i + 1] && T.indices[p] === A.indices[p] && T.data[p] === A.data[p];
      if (!isMirrored) refuseAsymmetric(i, A.indices[p]);
    }
    if (T.indptr[i + 1] > end) refuseAsymmetric(T.indices[end], i);
  }
}

function coordinateLines(A: CsrMatrix, isSymmetric: boolean): string[] {
  if (isSymmetric) checkSymmetric(A);
  const entries: string[] = [];
  for (let i = 0; i < A.shape[0]; i++) {
    for (let p = A.indptr[i]; p < A.indptr[i + 1]; p++) {
      const j = A.indices[p];
      if (!isSymmetric || j <= i)
        entries.push(`${i + 1} ${j + 1} ${format(A.data[p], `entry (${i}, ${j})`)}`);
    }
  }
  return [`${A.shape[0]} ${A.shape[1]} ${entries.length}`, ...entries];
}

function arrayLines({ data, shape }: DenseMatrix, isSymmetric: boolean): string[] {
  const [rows, columns] = checkShape(WHERE, shape);
  checkNumberArray(WHERE, 'data', data);
  checkLength(WHERE, 'data', data.length, rows * columns, 'rows * columns');
  if (isSymmetric) checkSquare([rows, columns]);
  const lines = [`${rows} ${columns}`];
  for (let j = 0; j < columns; j++) {
    for (let i = isSymmetric ? j : 0; i < rows; i++) {
      const value = data[i * columns + j];
      if (isSymmetric && value !== data[j * columns + i]) refuseAsymmetric(i, j);
      lines.push(format(value, `entry (${i}, ${j})`));
    }
  }
  return lines;
}

/**
 * Writes a MatrixMarket file of real numbers, each as the shortest decimal that reads back exactly: coordinate
 * for a sparse matrix, array for a full one and for a vector (as one column).
 *
 * @returns the file's text.
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE` (a number that is not finite, a matrix that is not
 *   symmetric but should be), `SHAPE_MISMATCH`, `UNKNOWN_OPTION`, `OUT_OF_MEMORY` (the text would be longer than
 *   a string can be).
 */
export function writeMatrixMarket(
  matrix: CsrMatrix | DenseMatrix | ArrayLike<number>,
  options: WriteMatrixMarketOptions = {},
): string {
  checkOptionNames(WHERE, options, ['comment', 'symmetry']);
  const { comment, symmetry = 'general' } = options;
  if (comment !== undefined && typeof comment !== 'string') {
    throw new SeedspanError('INVALID_TYPE', `${WHERE}: comment must be a string, not ${show(comment)}`);
  }
  if (symmetry !== 'general' && symmetry !== 'symmetric') {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${WHERE}: symmetry must be 'general' or 'symmetric', not ${show(symmetry)}`,
      { symmetry },
    );
  }
  const isSymmetric = symmetry === 'symmetric';
  const isSparse = matrix instanceof CsrMatrix;
  const lines = isSparse ? coordinateLines(matrix, isSymmetric) : arrayLines(asDense(matrix), isSymmetric);
  const comments = comment === undefined ? [] : comment.split(/\r\n|\r|\n/).map((line) => `% ${line}`);
  const banner = `%%MatrixMarket matrix ${isSparse ? 'coordinate' : 'array'} real ${symmetry}`;
  return allocate(
    WHERE,
    `a text of ${lines.length} lines`,
    () => `${[banner, ...comments, ...lines].join('\n')}\n`,
  );
}

function asDense(matrix: DenseMatrix | ArrayLike<number>): DenseMatrix {
  if (typeof matrix === 'object' && matrix !== null && 'shape' in matrix) return matrix;
  checkNumberArray(WHERE, 'the matrix', matrix);
  return { data: matrix, shape: [matrix.length, 1] };
}
