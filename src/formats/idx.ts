import { SeedspanError } from '../errors.ts';
import { viewBytes } from './input.ts';

/** Numbers as IDX stores them, big-endian: NumPy's names. */
export type IdxDtype = 'u1' | 'i1' | 'i2' | 'i4' | 'f4' | 'f8';

/** What the header of an IDX file says. */
export interface IdxHeader {
  dtype: IdxDtype;
  /** At least one dimension; C order (last index fastest). */
  shape: number[];
  /** Where the data begins, in bytes from the start of the file. */
  offset: number;
  /** Bytes of the data. */
  bytes: number;
}

const DTYPES: Readonly<Record<number, { dtype: IdxDtype; size: number }>> = {
  8: { dtype: 'u1', size: 1 },
  9: { dtype: 'i1', size: 1 },
  11: { dtype: 'i2', size: 2 },
  12: { dtype: 'i4', size: 4 },
  13: { dtype: 'f4', size: 4 },
  14: { dtype: 'f8', size: 8 },
};
/** The format allows 255; no file has them. */
const MAX_DIMENSIONS = 8;
/** The longest header that is read: bytes of a file's start that {@link parseIdxHeader} needs at most. */
export const MAX_IDX_HEADER = 4 + 4 * MAX_DIMENSIONS;

function fail(message: string, details: Record<string, unknown> = {}): never {
  throw new SeedspanError('BAD_FORMAT', `parseIdxHeader: ${message}`, details);
}

/**
 * Reads the header of an IDX file (MNIST): two zero bytes, a byte for the type, one for the number of dimensions,
 * then the dimensions as big-endian 32-bit integers.
 *
 * @param input - The first bytes of the file, at least its header; 36 are enough.
 * @param fileBytes - Length of the file, which must be that of header and data. Default: that of `input`.
 * @throws SeedspanError `BAD_FORMAT` where it is not such a file, has more than 8 dimensions, or another length;
 *   `INVALID_TYPE`. Source: the description of the format at the MNIST database (LeCun, Cortes, Burges).
 */
export function parseIdxHeader(input: Uint8Array | ArrayBuffer, fileBytes?: number): IdxHeader {
  const bytes = viewBytes('parseIdxHeader', input);
  const length = fileBytes ?? bytes.length;
  if (bytes.length < 4) fail('the file ends within its first four bytes');
  if (bytes[0] !== 0 || bytes[1] !== 0) fail('not an IDX file: it does not begin with two zero bytes');
  const type = DTYPES[bytes[2]];
  if (type === undefined) fail(`type 0x${bytes[2].toString(16)} is none of IDX's`, { type: bytes[2] });
  const dimensions = bytes[3];
  if (dimensions === 0 || dimensions > MAX_DIMENSIONS) {
    fail(`${dimensions} dimensions are not read, only 1 to ${MAX_DIMENSIONS}`, { dimensions });
  }
  const offset = 4 + 4 * dimensions;
  if (bytes.length < offset) fail(`the file ends within the sizes of its ${dimensions} dimensions`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: dimensions }, (_, k) => view.getUint32(4 + 4 * k));
  // Beyond 2^53 the product is rounded, and far from the length of any file.
  const size = shape.reduce((product, n) => product * n, type.size);
  if (offset + size !== length) {
    const problem = offset + size > length ? 'is too short' : 'goes on after its data';
    fail(
      `the file ${problem}: shape (${shape.join(', ')}) of ${type.dtype} takes ${size} bytes, ${length - offset} follow`,
      { shape, dtype: type.dtype, present: length - offset },
    );
  }
  return { dtype: type.dtype, shape, offset, bytes: size };
}
