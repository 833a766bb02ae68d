import { SeedspanError, show } from '../errors.ts';

/** Numbers that a safetensors file can be read into and written from. */
export type SafetensorsValues =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/** Bytes an item. */
export const ITEM_SIZE = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;

/** Types of safetensors that are read. */
export type SafetensorsDtype = keyof typeof ITEM_SIZE;

export function isDtype(value: unknown): value is SafetensorsDtype {
  return typeof value === 'string' && Object.hasOwn(ITEM_SIZE, value);
}

const ARRAYS = {
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
} as const;

const hostIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The file's bytes as the host's, or the host's as the file's, in place. */
export function swapToLittleEndian(bytes: Uint8Array, itemSize: number): void {
  if (hostIsLittleEndian || itemSize === 1) return;
  for (let at = 0; at < bytes.length; at += itemSize) bytes.subarray(at, at + itemSize).reverse();
}

/** Makes the bytes, which are the caller's own copy, into numbers. */
export function valuesOf(dtype: SafetensorsDtype, bytes: Uint8Array<ArrayBuffer>): SafetensorsValues {
  swapToLittleEndian(bytes, ITEM_SIZE[dtype]);
  if (dtype === 'BOOL') return bytes;
  if (dtype === 'F16') return Float32Array.from(new Uint16Array(bytes.buffer), halfToNumber);
  if (dtype === 'BF16') {
    const words = Uint32Array.from(new Uint16Array(bytes.buffer), (bits) => bits << 16);
    return new Float32Array(words.buffer);
  }
  return new ARRAYS[dtype](bytes.buffer);
}

/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. */
function halfToNumber(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The type that an array is written as. */
export function dtypeOf(name: string, data: unknown): SafetensorsDtype {
  for (const [dtype, type] of Object.entries(ARRAYS)) {
    if (data instanceof type) return dtype as SafetensorsDtype;
  }
  throw new SeedspanError(
    'INVALID_TYPE',
    `writeSafetensors: data of ${show(name)} must be a typed array, of integers or of 32 or 64-bit numbers, not ${show(data)}`,
    { tensor: name },
  );
}
