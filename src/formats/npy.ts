import { checkOptionNames, SeedspanError, show, showList } from '../errors.ts';
import { readLimit, viewBytes } from './input.ts';
import { formatNpyHeader, MAX_RANK, parseNpyHeader } from './npy-header.ts';

/** An array as a `.npy` file holds it: C order (last index fastest). */
export type NpyArray =
  | { data: Float64Array; shape: number[]; dtype: 'f8' }
  | { data: Float32Array; shape: number[]; dtype: 'f4' }
  | { data: Int32Array; shape: number[]; dtype: 'i4' }
  | { data: Uint8Array; shape: number[]; dtype: 'u1' };

/** The limits that a file is held to. */
export interface ReadNpyOptions {
  /** The most elements to accept. Default: as many as the bytes hold. */
  maxElements?: number;
}

/** Where an array lies in a `.npy` file, by its header. */
export interface NpyLayout {
  dtype: NpyArray['dtype'];
  littleEndian: boolean;
  /** First index fastest. */
  fortranOrder: boolean;
  shape: number[];
  /** Product of `shape`. */
  elements: number;
  /** Where the data begins, in bytes from the start of the file. */
  offset: number;
}

/** An array to be written. */
export interface WriteNpyInput {
  /** C order, length the product of `shape`. */
  data: Float64Array | Float32Array | Int32Array | Uint8Array;
  /** Empty for a single number. */
  shape: readonly number[];
}

const MAGIC = '\x93NUMPY';
/** NumPy lets the data start at a multiple of this. */
const BLOCK = 64;
/** Bytes of a file's start that {@link parseNpyLayout} needs at most: a header that NumPy writes takes about 100. */
export const MAX_NPY_HEADER = 2 ** 16;
const ITEM_SIZE = { f8: 8, f4: 4, i4: 4, u1: 1 } as const;
type Dtype = keyof typeof ITEM_SIZE;

const hostIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function fail(message: string, details: Record<string, unknown> = {}): never {
  throw new SeedspanError('BAD_FORMAT', `readNpy: ${message}`, details);
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function readDescr(descr: string): { dtype: Dtype; littleEndian: boolean } {
  const order = descr[0];
  const dtype = descr.slice(1);
  const orders = dtype === 'u1' ? '|<>' : '<>';
  if (descr === '' || !orders.includes(order) || !Object.hasOwn(ITEM_SIZE, dtype)) {
    fail(
      `type ${show(descr)} is not read, only f8, f4, i4 and u1, little- or big-endian; ` +
        `convert with a.astype('<f8'), or '<f4', '<i4', 'u1'`,
      { descr },
    );
  }
  return { dtype: dtype as Dtype, littleEndian: order !== '>' };
}

/** Magic, version, and where the header's text lies. */
function findHeader(bytes: Uint8Array): { start: number; end: number } {
  if (latin1(bytes.subarray(0, MAGIC.length)) !== MAGIC)
    fail('not a .npy file: it does not begin with \\x93NUMPY');
  if (bytes.length < 8) fail('the file ends within its version');
  const [major, minor] = [bytes[6], bytes[7]];
  if (major < 1 || major > 3 || minor !== 0) {
    fail(`format version ${major}.${minor} is not read, only 1.0, 2.0 and 3.0`, { major, minor });
  }
  const start = major === 1 ? 10 : 12;
  if (bytes.length < start) fail("the file ends within the header's length");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > bytes.length - start) {
    fail(`the header has ${length} bytes by its length field, the file only ${bytes.length - start}`, {
      length,
    });
  }
  if (length > MAX_NPY_HEADER) {
    fail(`the header has ${length} bytes by its length field, more than ${MAX_NPY_HEADER}`, { length });
  }
  return { start, end: start + length };
}

/**
 * Reads the header of a `.npy` file, to find single entries of its data without reading all.
 *
 * @param input - The first bytes of the file: 64 KiB, or all of a shorter one.
 * @param fileBytes - Length of the file, which must be that of header and data. Default: that of `input`.
 * @throws SeedspanError `BAD_FORMAT`, `INVALID_TYPE`; types and versions as for {@link readNpy}.
 */
export function parseNpyLayout(input: Uint8Array | ArrayBuffer, fileBytes?: number): NpyLayout {
  const bytes = viewBytes('parseNpyLayout', input);
  return layoutOf(bytes, fileBytes ?? bytes.length, Number.MAX_SAFE_INTEGER);
}

function layoutOf(bytes: Uint8Array, fileBytes: number, maxElements: number): NpyLayout {
  const { start, end } = findHeader(bytes);
  const { descr, fortranOrder, shape } = parseNpyHeader(latin1(bytes.subarray(start, end)));
  const { dtype, littleEndian } = readDescr(descr);
  const elements = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
  if (elements > maxElements) {
    fail(`shape (${showList(shape)}) has more than ${maxElements} elements (maxElements)`, {
      shape,
      maxElements,
    });
  }
  const present = fileBytes - end;
  const size = elements * ITEM_SIZE[dtype];
  if (size !== present) {
    const problem = size > present ? 'is too short' : 'goes on after its data';
    fail(
      `the file ${problem}: shape (${showList(shape)}) of ${dtype} takes ${size} bytes, ${present} follow`,
      { shape, dtype, present },
    );
  }
  return { dtype, littleEndian, fortranOrder, shape, elements, offset: end };
}

/** Turns the bytes of each item around, in place. */
function swapBytes(bytes: Uint8Array, itemSize: number): void {
  for (let at = 0; at < bytes.length; at += itemSize) bytes.subarray(at, at + itemSize).reverse();
}

/** Moves items from Fortran order (first index fastest) to C order. */
function fromFortranOrder<T extends NpyArray['data']>(source: T, shape: readonly number[], target: T): void {
  const index = new Array<number>(shape.length).fill(0);
  const strides: number[] = [];
  let stride = 1;
  for (const size of shape) {
    strides.push(stride);
    stride *= size;
  }
  let from = 0;
  for (let to = 0; to < target.length; to++) {
    target[to] = source[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

/**
 * Reads a `.npy` file: format versions 1 to 3; types f8, f4, i4 and u1 of either byte order; any rank.
 *
 * Fortran order is turned into C order. The result never shares memory with `bytes`.
 *
 * @example
 * ```ts
 * const { data, shape } = readNpy(await readFile('scores.npy'));
 * ```
 * @throws SeedspanError `BAD_FORMAT` where the bytes are not such a file (other types, wrong or excess length,
 *   over `maxElements`); `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION` for wrong arguments. Source: NumPy
 *   Enhancement Proposal 1, and the documentation of `numpy.lib.format`.
 */
export function readNpy(input: Uint8Array | ArrayBuffer, options: ReadNpyOptions = {}): NpyArray {
  checkOptionNames('readNpy', options, ['maxElements']);
  const maxElements = readLimit('readNpy', 'maxElements', options.maxElements, Number.MAX_SAFE_INTEGER);
  const bytes = viewBytes('readNpy', input);
  const { dtype, littleEndian, fortranOrder, shape, offset } = layoutOf(bytes, bytes.length, maxElements);
  const itemSize = ITEM_SIZE[dtype];
  // A copy, because the data may lie at any offset and typed arrays need aligned ones.
  const copy = bytes.slice(offset);
  if (littleEndian !== hostIsLittleEndian && itemSize > 1) swapBytes(copy, itemSize);
  const array = wrap(dtype, copy.buffer, shape);
  if (!fortranOrder || shape.length < 2) return array;
  const turned = wrap(dtype, new ArrayBuffer(copy.length), shape);
  fromFortranOrder(array.data, shape, turned.data);
  return turned;
}

function wrap(dtype: Dtype, buffer: ArrayBuffer, shape: number[]): NpyArray {
  if (dtype === 'f8') return { data: new Float64Array(buffer), shape, dtype };
  if (dtype === 'f4') return { data: new Float32Array(buffer), shape, dtype };
  if (dtype === 'i4') return { data: new Int32Array(buffer), shape, dtype };
  return { data: new Uint8Array(buffer), shape, dtype };
}

function descrOf(data: unknown): '<f8' | '<f4' | '<i4' | '|u1' {
  if (data instanceof Float64Array) return '<f8';
  if (data instanceof Float32Array) return '<f4';
  if (data instanceof Int32Array) return '<i4';
  if (data instanceof Uint8Array) return '|u1';
  throw new SeedspanError(
    'INVALID_TYPE',
    `writeNpy: data must be a Float64Array, Float32Array, Int32Array or Uint8Array, not ${show(data)}`,
  );
}

/**
 * Writes a `.npy` file, format version 1.0, little-endian, C order: byte for byte what NumPy's `save` writes.
 *
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE` (shape), `SHAPE_MISMATCH`, `UNKNOWN_OPTION`.
 */
export function writeNpy(array: WriteNpyInput): Uint8Array {
  if (typeof array !== 'object' || array === null) {
    throw new SeedspanError('INVALID_TYPE', `writeNpy: give {data, shape}, not ${show(array)}`);
  }
  // `dtype` is let through, so that what readNpy returns can be written.
  checkOptionNames('writeNpy', array, ['data', 'shape', 'dtype']);
  const { data, shape } = array;
  const descr = descrOf(data);
  const isSize = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 0;
  if (!Array.isArray(shape) || shape.length > MAX_RANK || !shape.every(isSize)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `writeNpy: shape must be an array of at most ${MAX_RANK} integers from 0, not ${show(shape)}`,
      { shape },
    );
  }
  const elements = shape.reduce((product: number, size: number) => product * size, 1);
  if (elements !== data.length) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `writeNpy: shape (${showList(shape)}) has ${elements} elements, data has ${data.length}`,
      { shape, length: data.length },
    );
  }

  const header = formatNpyHeader({ descr, fortranOrder: false, shape });
  // Magic, version and length take 10 bytes, the closing line feed one; NumPy pads by a whole block, never by 0.
  const padding = BLOCK - ((11 + header.length) % BLOCK);
  const length = header.length + padding + 1;
  const bytes = new Uint8Array(10 + length + data.byteLength);
  const text = `${MAGIC}\x01\x00${String.fromCharCode(length & 255, length >> 8)}${header}${' '.repeat(padding)}\n`;
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  const body = bytes.subarray(text.length);
  body.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  if (!hostIsLittleEndian && data.BYTES_PER_ELEMENT > 1) swapBytes(body, data.BYTES_PER_ELEMENT);
  return bytes;
}
