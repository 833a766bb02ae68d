import { checkOptionNames, SeedspanError, show, showList } from '../errors.ts';
import { readLimit, viewBytes } from './input.ts';
import { METADATA, parseSafetensorsHeader, type SafetensorsEntry } from './safetensors-header.ts';
import {
  dtypeOf,
  type SafetensorsDtype,
  type SafetensorsValues,
  swapToLittleEndian,
  valuesOf,
} from './safetensors-values.ts';

/** One array of a safetensors file, C order. */
export interface SafetensorsTensor {
  /** Type in the file. F16 and BF16 are widened to a `Float32Array`; BOOL is a `Uint8Array` of 0 and 1. */
  dtype: SafetensorsDtype;
  /** Empty for a single number. */
  shape: number[];
  data: SafetensorsValues;
}

/** The content of a file: tensors by name, and notes. */
export interface Safetensors {
  /** By name, in the order of their data. */
  tensors: Map<string, SafetensorsTensor>;
  metadata: Record<string, string>;
}

/** The limits that a file is held to. */
export interface ReadSafetensorsOptions {
  /** The longest header to accept. Default 100,000,000 bytes, the format's own limit. */
  maxHeaderBytes?: number;
  /** The most tensors to accept. Default: as many as the header holds. */
  maxTensors?: number;
}

/** A tensor to be written. */
export interface WriteSafetensorsTensor {
  data: SafetensorsValues;
  /** Empty for a single number. */
  shape: readonly number[];
}

const MAX_HEADER_BYTES = 100_000_000;
/** The data begin at a multiple of this, and wider types come first, so that all are aligned. */
const ALIGNMENT = 8;

function fail(message: string, details: Record<string, unknown> = {}): never {
  throw new SeedspanError('BAD_FORMAT', `readSafetensors: ${message}`, details);
}

/**
 * Reads a safetensors file: named arrays, and texts about them.
 *
 * Refused are: a header longer than the file or the limit, not UTF-8, not JSON, with a name twice; offsets that
 * overlap, leave holes, leave the file or do not fit type and shape; bytes after the last tensor. The arrays never
 * share memory with `input`.
 *
 * @throws SeedspanError `BAD_FORMAT`; `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION` for wrong arguments. Source:
 *   the format's description in https://github.com/huggingface/safetensors.
 */
export function readSafetensors(
  input: Uint8Array | ArrayBuffer,
  options: ReadSafetensorsOptions = {},
): Safetensors {
  checkOptionNames('readSafetensors', options, ['maxHeaderBytes', 'maxTensors']);
  const limit = (name: 'maxHeaderBytes' | 'maxTensors', fallback: number) =>
    readLimit('readSafetensors', name, options[name], fallback);
  const maxHeaderBytes = limit('maxHeaderBytes', MAX_HEADER_BYTES);
  const maxTensors = limit('maxTensors', Number.MAX_SAFE_INTEGER);
  const bytes = viewBytes('readSafetensors', input);
  const start = headerEnd(bytes, maxHeaderBytes);
  const { entries, metadata } = parseSafetensorsHeader(bytes.subarray(8, start));
  if (entries.length > maxTensors) fail(`${entries.length} tensors are more than ${maxTensors} (maxTensors)`);
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkOffsets(entries, bytes.length - start);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    // A copy, because the data may lie at any offset and typed arrays need aligned ones.
    const copy = bytes.slice(start + begin, start + end);
    if (dtype === 'BOOL' && copy.some((value) => value > 1)) {
      fail(`tensor ${show(name)} is BOOL and has a byte over 1`);
    }
    tensors.set(name, { dtype, shape, data: valuesOf(dtype, copy) });
  }
  return { tensors, metadata };
}

function headerEnd(bytes: Uint8Array, maxHeaderBytes: number): number {
  if (bytes.length < 8) fail(`the file has ${bytes.length} bytes, the length of its header takes 8`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    fail(`the header has ${length} bytes by its length field, more than ${maxHeaderBytes} (maxHeaderBytes)`);
  }
  const end = 8 + Number(length);
  if (end <= bytes.length) return end;
  return fail(
    `the file is truncated: the header has ${length} bytes by its length field, ${bytes.length - 8} follow`,
  );
}

/** The data follow each other without hole or overlap, from the header's end to the file's. */
function checkOffsets(sorted: readonly SafetensorsEntry[], present: number): void {
  let reached = 0;
  for (const { name, begin, end } of sorted) {
    if (begin !== reached) {
      const problem =
        begin < reached ? 'overlap those before, which end' : 'leave a hole after those before, which end';
      fail(`the data of ${show(name)} begin at ${begin} and ${problem} at ${reached}`, { begin, reached });
    }
    reached = end;
  }
  if (reached === present) return;
  const problem = reached > present ? 'is truncated' : 'goes on after its data';
  fail(`the file ${problem}: the tensors take ${reached} bytes, ${present} follow the header`, { present });
}

/**
 * Writes a safetensors file. What `readSafetensors` returned can be written; what was F16 or BF16 becomes F32, and
 * BOOL U8.
 *
 * @param tensors by name
 * @param metadata texts by name
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, WriteSafetensorsTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  if (!(tensors instanceof Map)) {
    throw new SeedspanError(
      'INVALID_TYPE',
      `writeSafetensors: give a Map of tensors by name, not ${show(tensors)}`,
    );
  }
  checkMetadata(metadata);
  const list = [...tensors].map(([name, tensor]) => checkTensor(name, tensor));
  list.sort((a, b) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT || (a.name < b.name ? -1 : 1));
  let reached = 0;
  const entries: [string, unknown][] = list.map(({ name, dtype, shape, data }) => {
    const begin = reached;
    reached += data.byteLength;
    return [name, { dtype, shape, data_offsets: [begin, reached] }];
  });
  if (Object.keys(metadata).length > 0) entries.unshift([METADATA, metadata]);
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const length = Math.ceil(header.length / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(8 + length + reached);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.fill(0x20, 8 + header.length, 8 + length);
  bytes.set(header, 8);
  let at = 8 + length;
  for (const { data } of list) {
    const target = bytes.subarray(at, at + data.byteLength);
    target.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    swapToLittleEndian(target, data.BYTES_PER_ELEMENT);
    at += data.byteLength;
  }
  return bytes;
}

function checkMetadata(metadata: Readonly<Record<string, string>>): void {
  const isTexts = metadata !== null && typeof metadata === 'object' && !Array.isArray(metadata);
  if (isTexts && Object.values(metadata).every((text) => typeof text === 'string')) return;
  throw new SeedspanError(
    'INVALID_TYPE',
    `writeSafetensors: metadata must be an object of texts; use JSON.stringify for others`,
  );
}

function checkTensor(
  name: string,
  tensor: WriteSafetensorsTensor,
): WriteSafetensorsTensor & { name: string; dtype: SafetensorsDtype } {
  if (typeof name !== 'string' || name === METADATA) {
    throw new SeedspanError('INVALID_VALUE', `writeSafetensors: no tensor can have the name ${show(name)}`);
  }
  if (typeof tensor !== 'object' || tensor === null) {
    throw new SeedspanError('INVALID_TYPE', `writeSafetensors: ${show(name)} must be {data, shape}`);
  }
  const { data, shape } = tensor;
  const dtype = dtypeOf(name, data);
  const isSize = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `writeSafetensors: shape of ${show(name)} must be an array of integers from 0, not ${show(shape)}`,
    );
  }
  const elements = shape.includes(0) ? 0 : shape.reduce((product: number, size: number) => product * size, 1);
  if (elements === data.length) return { name, dtype, shape, data };
  throw new SeedspanError(
    'SHAPE_MISMATCH',
    `writeSafetensors: ${show(name)} has shape [${showList(shape)}], ${elements} elements, and ${data.length} data`,
    { tensor: name, shape, length: data.length },
  );
}
