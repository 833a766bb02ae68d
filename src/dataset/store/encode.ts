import { SeedspanError } from '../../errors.ts';
import { loadPeer } from '../../peers.ts';
import { halfBlock, joinHalves, separateHalves } from './blosc.ts';
import { BLOSC, type StoreCompression, type StoreDtype } from './layout.ts';

/** Bytes of one image's part of an array, as they lie in the store; valid after the values have changed. */
export type Encode = (values: Float64Array | Float32Array) => Promise<Uint8Array>;

const hostIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Blosc's number of it. */
const BITSHUFFLE = 2;

/** Makes what encodes arrays of `length` values, one after the other: its buffers are used again from call to call. */
export async function createEncode(
  length: number,
  dtype: StoreDtype,
  compression: StoreCompression,
): Promise<Encode> {
  const encode = await createSingle(length, dtype, compression);
  let last: Promise<unknown> = Promise.resolve();
  return (values) => {
    const encoded = last.then(() => encode(values));
    last = encoded.catch(() => undefined);
    return encoded;
  };
}

async function createSingle(
  length: number,
  dtype: StoreDtype,
  compression: StoreCompression,
): Promise<Encode> {
  if (!hostIsLittleEndian)
    throw new SeedspanError('UNSUPPORTED', 'stores are written on little-endian machines only');
  if (compression === 'none') {
    const Values = dtype === 'float32' ? Float32Array : Float64Array;
    return async (values) => new Uint8Array(Values.from(values).buffer);
  }
  const { Blosc } = await loadPeer('numcodecs', 'to compress data sets', () => import('numcodecs'));
  const { clevel, blocksize } = BLOSC[compression];
  const codecOf = (block: number) =>
    Blosc.fromConfig({ id: 'blosc', cname: compression, clevel, shuffle: BITSHUFFLE, blocksize: block });
  const codec = codecOf(blocksize);
  const staged = dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);
  const bytes = new Uint8Array(staged.buffer);
  const block = staged instanceof Float64Array && compression === 'lz4' ? halfBlock(length) : undefined;
  if (block === undefined) {
    return async (values) => {
      staged.set(values);
      return codec.encode(bytes);
    };
  }
  const halves = new Uint32Array(2 * length);
  const halvesCodec = codecOf(block);
  return async (values) => {
    staged.set(values);
    separateHalves(staged as Float64Array, halves, block);
    return joinHalves(await halvesCodec.encode(new Uint8Array(halves.buffer))) ?? codec.encode(bytes);
  };
}
