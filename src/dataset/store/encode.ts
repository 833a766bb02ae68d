import { SeedspanError } from '../../errors.ts';
import { loadPeer } from '../../peers.ts';
import { Codec, FRAME_OVERHEAD } from './codec.ts';
import {
  arrayDtype,
  BLOSC,
  ITEM_SIZE,
  imageLength,
  LARGE_ARRAYS,
  type LargeArray,
  type StoreDtype,
  type StoreLayout,
} from './layout.ts';

/** Blosc's number of it. */
const BITSHUFFLE = 2;

type Values = Float64Array | Float32Array;

/** Puts the bytes of values, as they lie in the store, at the start of `to`, and returns how many there are. */
type Encode = (values: Values, to: Uint8Array) => Promise<number>;

/** Of one image's part of an array. */
export interface Encoder {
  /** The most bytes that there can be; `to` must have room for them. */
  readonly most: number;
  readonly encode: Encode;
}

const hostIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Encoders of the large arrays; what they work with is used again from call to call. */
export async function createEncoders(
  layout: Omit<StoreLayout, 'times'>,
): Promise<Record<LargeArray, Encoder>> {
  if (!hostIsLittleEndian)
    throw new SeedspanError('UNSUPPORTED', 'stores are written on little-endian machines only');
  const make = await encodingOf(layout.compression);
  const encoderOf = (array: LargeArray): Encoder => {
    const dtype = arrayDtype(layout, array);
    const length = imageLength(layout, array);
    return { most: ITEM_SIZE[dtype] * length + FRAME_OVERHEAD, encode: make(length, dtype) };
  };
  return Object.fromEntries(LARGE_ARRAYS.map((array) => [array, encoderOf(array)])) as Record<
    LargeArray,
    Encoder
  >;
}

async function encodingOf(
  compression: StoreLayout['compression'],
): Promise<(length: number, dtype: StoreDtype) => Encode> {
  if (compression === 'lz4') {
    const codec = await Codec.load();
    return (_length, dtype) => async (values, to) => codec.encode(values, dtype, to);
  }
  if (compression === 'none') {
    return (length, dtype) => staged(length, dtype, async (bytes) => bytes);
  }
  const { Blosc } = await loadPeer('numcodecs', 'to compress data sets by zstd', () => import('numcodecs'));
  const codec = Blosc.fromConfig({
    id: 'blosc',
    cname: compression,
    shuffle: BITSHUFFLE,
    ...BLOSC[compression],
  });
  return (length, dtype) => staged(length, dtype, async (bytes) => codec.encode(bytes));
}

/** By way of the numbers' own bytes, in an array that is used again: one call after the other. */
function staged(
  length: number,
  dtype: StoreDtype,
  encode: (bytes: Uint8Array) => Promise<Uint8Array>,
): Encode {
  const numbers = dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);
  const encodeOne = async (values: Values, to: Uint8Array) => {
    numbers.set(values);
    const bytes = await encode(new Uint8Array(numbers.buffer));
    to.set(bytes);
    return bytes.length;
  };
  let last: Promise<unknown> = Promise.resolve();
  return (values, to) => {
    const encoded = last.then(() => encodeOne(values, to));
    last = encoded.catch(() => undefined);
    return encoded;
  };
}
