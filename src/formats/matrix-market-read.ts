import { checkOptionNames, SeedspanError } from '../errors.ts';
import { groupByRow } from '../sparse/construct.ts';
import { CsrMatrix } from '../sparse/csr.ts';
import { readLimit, viewBytes } from './input.ts';
import { LineScanner } from './line-scanner.ts';

/** What a file leaves out of a matrix because its other half says it. */
export type MatrixMarketSymmetry = 'general' | 'symmetric' | 'skew-symmetric';

/** A sparse matrix from a file; symmetric ones are expanded. */
export interface MatrixMarketCoordinate {
  kind: 'coordinate';
  /** Its `setData` takes values in the order of its own `data`. */
  matrix: CsrMatrix;
  field: 'real' | 'integer' | 'pattern';
  symmetry: MatrixMarketSymmetry;
}

/** A full matrix from a file; symmetric ones are expanded. */
export interface MatrixMarketArray {
  kind: 'array';
  /** Row-major, whatever the file's order. */
  data: Float64Array;
  /** `[rows, columns]`; a vector has one column. */
  shape: [number, number];
  field: 'real' | 'integer';
  symmetry: MatrixMarketSymmetry;
}

/** The limits that a file is held to. */
export interface ReadMatrixMarketOptions {
  /** The most entries that the file may declare; in an array, rows times columns. Default 2^31 - 1. */
  maxEntries?: number;
  /** The most rows, and the most columns. Default 2^25: what the kernel's 4 GiB can hold a system of. */
  maxSize?: number;
}

const WHERE = 'readMatrixMarket';
const BANNER = '%%MatrixMarket';
const FIELDS = ['real', 'integer', 'pattern'] as const;
const SYMMETRIES = ['general', 'symmetric', 'skew-symmetric'] as const;

type Banner = Pick<MatrixMarketCoordinate, 'field' | 'symmetry'> & { kind: 'coordinate' | 'array' };

function readBanner(scanner: LineScanner): Banner {
  // Longer than any good banner, and short enough to show.
  const words = scanner.restOfLine(120).split(/[ \t]+/);
  if (words[0].toLowerCase() !== BANNER.toLowerCase()) {
    scanner.fail(`the file must begin with "${BANNER} matrix ..."`);
  }
  if (words.length !== 5) {
    scanner.fail(
      `the banner must be "${BANNER} matrix FORMAT FIELD SYMMETRY", five words, not ${words.length}`,
    );
  }
  const [object, kind, field, symmetry] = words.slice(1).map((word) => word.toLowerCase());
  const pick = <T extends string>(what: string, word: string, known: readonly T[]): T => {
    const found = known.find((name) => name === word);
    return (
      found ?? scanner.fail(`${what} ${JSON.stringify(word)} is not read, only ${known.join(', ')}`, { word })
    );
  };
  pick('object', object, ['matrix']);
  const banner: Banner = {
    kind: pick('format', kind, ['coordinate', 'array'] as const),
    field: pick('field', field, FIELDS),
    symmetry: pick('symmetry', symmetry, SYMMETRIES),
  };
  if (banner.field === 'pattern' && banner.kind === 'array')
    scanner.fail('an array must have values, not a pattern');
  if (banner.field === 'pattern' && banner.symmetry === 'skew-symmetric') {
    scanner.fail('a pattern has no signs, so it cannot be skew-symmetric');
  }
  return banner;
}

/** Reads one value; `integer` ones must be, exactly. */
function readValue(scanner: LineScanner, field: Banner['field']): number {
  const value = scanner.number('the value');
  if (field === 'integer' && !Number.isSafeInteger(value)) {
    scanner.fail(`the value ${value} is not an integer that a double holds exactly, in a file of integers`);
  }
  return value;
}

/** Refuses, before anything is allocated, a count of entries that the rest of the file cannot hold. */
function checkRoom(scanner: LineScanner, entries: number, leastBytes: number): void {
  // The last line may lack its line feed.
  if (entries * leastBytes <= scanner.remaining + 1) return;
  scanner.fail(
    `${entries} entries are declared, but the ${scanner.remaining} bytes that follow cannot hold them`,
    {
      entries,
    },
  );
}

function nextEntry(scanner: LineScanner, read: number, entries: number): void {
  if (!scanner.nextLine())
    scanner.fail(`the file ends after ${read} of ${entries} entries`, { read, entries });
}

function checkEnd(scanner: LineScanner, entries: number): void {
  if (scanner.nextLine()) scanner.fail(`goes on after the ${entries} entries that are declared`, { entries });
}

function checkEntries(scanner: LineScanner, entries: number, maxEntries: number): void {
  if (entries > maxEntries) {
    scanner.fail(`${entries} entries are declared, over the limit of ${maxEntries} (maxEntries)`, {
      entries,
    });
  }
}

function readCoordinate(
  scanner: LineScanner,
  { field, symmetry }: Banner,
  [rows, columns]: [number, number],
  maxEntries: number,
): CsrMatrix {
  const entries = scanner.integer('the number of entries', 0, Number.MAX_SAFE_INTEGER);
  scanner.endLine();
  checkEntries(scanner, entries, maxEntries);
  checkRoom(scanner, entries, field === 'pattern' ? '1 1\n'.length : '1 1 1\n'.length);

  const capacity = symmetry === 'general' ? entries : 2 * entries;
  const row = new Int32Array(capacity);
  const col = new Int32Array(capacity);
  const data = new Float64Array(capacity);
  const sign = symmetry === 'skew-symmetric' ? -1 : 1;
  let count = 0;
  for (let k = 0; k < entries; k++) {
    nextEntry(scanner, k, entries);
    const i = scanner.integer('the row', 1, rows) - 1;
    const j = scanner.integer('the column', 1, columns) - 1;
    const value = field === 'pattern' ? 1 : readValue(scanner, field);
    scanner.endLine();
    row[count] = i;
    col[count] = j;
    data[count++] = value;
    if (symmetry === 'general') continue;
    if (j > i)
      scanner.fail(
        `entry (${i + 1}, ${j + 1}) is above the diagonal; a ${symmetry} file holds the lower part`,
      );
    if (i === j) {
      if (sign < 0)
        scanner.fail(`entry (${i + 1}, ${j + 1}) is on the diagonal, which is zero when skew-symmetric`);
      continue;
    }
    row[count] = j;
    col[count] = i;
    data[count++] = sign * value;
  }
  checkEnd(scanner, entries);
  return assemble([rows, columns], row.subarray(0, count), col.subarray(0, count), data.subarray(0, count));
}

function assemble(shape: [number, number], row: Int32Array, col: Int32Array, data: Float64Array): CsrMatrix {
  const ordered = groupByRow(Object.freeze(shape), row, col);
  try {
    ordered.assign(WHERE, data);
  } catch (error) {
    throw new SeedspanError('BAD_FORMAT', (error as Error).message, {}, { cause: error });
  }
  // The order of the file's lines, mirrored ones between them, is of no use to the caller: it is dropped here.
  const matrix = new CsrMatrix(ordered.shape, ordered.indptr, ordered.indices);
  return matrix.setData(ordered.data);
}

function readArray(
  scanner: LineScanner,
  { field, symmetry }: Banner,
  [rows, columns]: [number, number],
  maxEntries: number,
): Float64Array {
  scanner.endLine();
  checkEntries(scanner, rows * columns, maxEntries);
  const fullCount = rows * columns;
  const triangle = (rows * (symmetry === 'symmetric' ? rows + 1 : rows - 1)) / 2;
  const count = symmetry === 'general' ? fullCount : triangle;
  checkRoom(scanner, count, '1\n'.length);

  const data = new Float64Array(fullCount);
  const sign = symmetry === 'skew-symmetric' ? -1 : 1;
  const firstRow = { general: () => 0, symmetric: (j: number) => j, 'skew-symmetric': (j: number) => j + 1 }[
    symmetry
  ];
  let read = 0;
  for (let j = 0; j < columns; j++) {
    for (let i = firstRow(j); i < rows; i++) {
      nextEntry(scanner, read++, count);
      const value = readValue(scanner, field);
      scanner.endLine();
      if (symmetry !== 'general') data[j * columns + i] = sign * value;
      data[i * columns + j] = value;
    }
  }
  checkEnd(scanner, count);
  return data;
}

/**
 * Reads a MatrixMarket file: coordinate (sparse) or array (full); real, integer or pattern (ones); general,
 * symmetric or skew-symmetric. Entries given twice are summed.
 *
 * Comments and blank lines may stand anywhere, exponents may be Fortran's (`1.0D+00`), line ends may be CRLF.
 *
 * @param input - the file's text, or its bytes (faster).
 * @example
 * ```ts
 * const A = readMatrixMarket(await readFile('A.mtx'));
 * if (A.kind === 'coordinate') engine.solve(A.matrix, b);
 * ```
 * @throws SeedspanError `BAD_FORMAT` with the line's number where the file breaks the format, holds a number that
 *   is not finite, is complex or hermitian, or is over a limit; `INVALID_TYPE`, `INVALID_VALUE`,
 *   `UNKNOWN_OPTION` for wrong arguments. Source: Boisvert, Pozo, Remington, "The Matrix Market Exchange
 *   Formats: Initial Design", NISTIR 5935, 1996.
 */
export function readMatrixMarket(
  input: string | Uint8Array | ArrayBuffer,
  options: ReadMatrixMarketOptions = {},
): MatrixMarketCoordinate | MatrixMarketArray {
  checkOptionNames(WHERE, options, ['maxEntries', 'maxSize']);
  const maxEntries = readLimit(WHERE, 'maxEntries', options.maxEntries, 2 ** 31 - 1);
  const maxSize = readLimit(WHERE, 'maxSize', options.maxSize, 2 ** 25);
  const bytes = typeof input === 'string' ? new TextEncoder().encode(input) : viewBytes(WHERE, input);
  const scanner = new LineScanner(WHERE, bytes);

  const banner = readBanner(scanner);
  const { symmetry, field } = banner;
  if (!scanner.nextLine()) scanner.fail('the file ends before the line of sizes');
  const rows = scanner.integer('the number of rows', 0, Number.MAX_SAFE_INTEGER);
  const columns = scanner.integer('the number of columns', 0, Number.MAX_SAFE_INTEGER);
  if (Math.max(rows, columns) > maxSize) {
    scanner.fail(`${rows} x ${columns} is over the limit of ${maxSize} rows and columns (maxSize)`, {
      rows,
      columns,
    });
  }
  if (symmetry !== 'general' && rows !== columns) {
    scanner.fail(`${rows} x ${columns} is not square, so it cannot be ${symmetry}`, { rows, columns });
  }
  if (banner.kind === 'coordinate') {
    const matrix = readCoordinate(scanner, banner, [rows, columns], maxEntries);
    return { kind: 'coordinate', matrix, field, symmetry };
  }
  const data = readArray(scanner, banner, [rows, columns], maxEntries);
  return {
    kind: 'array',
    data,
    shape: [rows, columns],
    field: field as MatrixMarketArray['field'],
    symmetry,
  };
}
