import { SeedspanError } from '../../errors.ts';
import { loadPeer } from '../../peers.ts';
import type { StoreCompression, StoreDtype } from './layout.ts';

/** Bytes of one image's part of an array, as they lie in the store; valid after the values have changed. */
export type Encode = (values: Float64Array | Float32Array) => Promise<Uint8Array>;

const hostIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Makes what encodes arrays of `length` values; its buffers are used again from call to call. */
export async function createEncode(
  length: number,
  dtype: StoreDtype,
  compression: StoreCompression,
): Promise<Encode> {
  if (!hostIsLittleEndian)
    throw new SeedspanError('UNSUPPORTED', 'stores are written on little-endian machines only');
  const staged = dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);
  const bytes = new Uint8Array(staged.buffer);
  if (compression === 'none') {
    return async (values) => {
      staged.set(values);
      return bytes.slice();
    };
  }
  const { Blosc } = await loadPeer('numcodecs', 'to compress data sets', () => import('numcodecs'));
  const codec = Blosc.fromConfig({ id: 'blosc', cname: compression, clevel: 5, shuffle: 2, blocksize: 0 });
  return async (values) => {
    staged.set(values);
    return codec.encode(bytes);
  };
}
