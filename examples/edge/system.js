import { csr } from 'seedspan';
import { readMatrixMarket } from 'seedspan/formats';
import { mediaType, readBody } from './body.js';
import { LIMITS } from './limits.js';
import { Problem } from './problem.js';

const malformed = (detail) => new Problem(400, 'malformed request', detail);

/** The system A x = b of a request: `application/octet-stream` as below, anything else MatrixMarket. */
export async function readSystem(request) {
  const bytes = await readBody(request);
  const system = mediaType(request) === 'application/octet-stream' ? fromBinary(bytes) : fromText(bytes);
  const [rows, columns] = system.A.shape;
  if (rows !== columns || rows === 0)
    throw malformed(`the matrix is ${rows} x ${columns}; it must be square`);
  if (system.b.length !== rows) throw malformed(`b has ${system.b.length} values, the matrix ${rows} rows`);
  return system;
}

/**
 * The compact form, little endian, without gaps but for one:
 *
 *     4 bytes  SSYS
 *     3 u32    version 1, n rows and columns, nnz entries
 *     n+1 i32  indptr
 *     nnz i32  indices
 *     0 or 4   zero bytes, up to a multiple of 8
 *     nnz f64  values
 *     n f64    b
 */
function fromBinary(bytes) {
  if (bytes.length < 16 || new TextDecoder().decode(bytes.subarray(0, 4)) !== 'SSYS') {
    throw malformed('a binary body begins with the letters SSYS and three numbers of 32 bits');
  }
  const [version, n, nnz] = new Uint32Array(bytes.buffer, 4, 3);
  if (version !== 1)
    throw malformed(`version ${version} of the binary form is not known; this reads version 1`);
  if (n > LIMITS.unknowns) throw tooManyUnknowns(n);
  const values = Math.ceil((16 + 4 * (n + 1 + nnz)) / 8) * 8;
  const expected = values + 8 * (nnz + n);
  if (bytes.length !== expected) {
    throw malformed(
      `a system of ${n} rows with ${nnz} entries has ${expected} bytes, the body ${bytes.length}`,
    );
  }
  const indptr = new Int32Array(bytes.buffer, 16, n + 1);
  const indices = new Int32Array(bytes.buffer, 16 + 4 * (n + 1), nnz);
  const data = new Float64Array(bytes.buffer, values, nnz);
  return {
    A: csr({ shape: [n, n], indptr, indices, data }),
    b: new Float64Array(bytes.buffer, values + 8 * nnz, n),
  };
}

/** The matrix in MatrixMarket form; after it, if wanted, b in the same form, as an array of one column. Else b is 1. */
function fromText(bytes) {
  const text = new TextDecoder().decode(bytes);
  const second = text.indexOf('%%MatrixMarket', 1);
  const limits = { maxSize: LIMITS.unknowns };
  const first = readMatrixMarket(second < 0 ? text : text.slice(0, second), limits);
  if (first.kind !== 'coordinate') throw malformed('the matrix must be in coordinate form');
  const A = first.matrix;
  if (second < 0) return { A, b: new Float64Array(A.shape[0]).fill(1) };
  const vector = readMatrixMarket(text.slice(second), limits);
  if (vector.kind !== 'array' || vector.shape[1] !== 1) throw malformed('b must be an array of one column');
  return { A, b: vector.data };
}

const tooManyUnknowns = (n) =>
  new Problem(413, 'too large', `${n} unknowns; at most ${LIMITS.unknowns}`, { limit: LIMITS.unknowns });
