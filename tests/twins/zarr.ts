import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * Reads arrays of a Zarr v3 group, from the formats' descriptions alone: Zarr core 3.0, its codecs bytes, blosc,
 * sharding_indexed, crc32c and vlen-utf8, the frames of Blosc 1 (README_CHUNK_FORMAT), LZ4 blocks, bit shuffling as
 * bitshuffle does it. Slow, and plain.
 */

export type ZarrValues = number[] | string[];

const product = (shape: number[]) => shape.reduce((a, b) => a * b, 1);

function crc32cBitwise(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

function lz4Block(source: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  let [at, to] = [0, 0];
  const extended = (nibble: number): number => {
    let value = nibble;
    if (nibble === 15) {
      let byte: number;
      do {
        byte = source[at++];
        value += byte;
      } while (byte === 255);
    }
    return value;
  };
  while (at < source.length) {
    const token = source[at++];
    const literals = extended(token >> 4);
    out.set(source.subarray(at, at + literals), to);
    at += literals;
    to += literals;
    if (at >= source.length) break;
    const distance = source[at] | (source[at + 1] << 8);
    at += 2;
    const match = extended(token & 15) + 4;
    if (distance === 0 || distance > to) throw new Error('LZ4: a match before the start');
    for (let k = 0; k < match; k++, to++) out[to] = out[to - distance];
  }
  if (to !== length) throw new Error(`LZ4: ${to} bytes instead of ${length}`);
  return out;
}

/** Bytes of one significance lie together; what is left of a last element stays as it is. */
function unshuffle(bytes: Uint8Array, size: number): Uint8Array {
  const count = Math.floor(bytes.length / size);
  const out = bytes.slice();
  for (let k = 0; k < count; k++) for (let b = 0; b < size; b++) out[k * size + b] = bytes[b * count + k];
  return out;
}

/** Bits of one significance lie together; Blosc 1 leaves a block alone whose elements are no multiple of 8. */
function bitUnshuffle(bytes: Uint8Array, size: number): Uint8Array {
  const count = Math.floor(bytes.length / size);
  if (count % 8 !== 0) return bytes;
  const out = bytes.slice();
  out.fill(0, 0, count * size);
  for (let bit = 0; bit < 8 * size; bit++) {
    for (let k = 0; k < count; k++) {
      const place = bit * count + k;
      if ((bytes[place >> 3] >> (place & 7)) & 1) out[k * size + (bit >> 3)] |= 1 << (bit & 7);
    }
  }
  return out;
}

export function blosc(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const [version, , flags, typesize] = frame;
  const [nbytes, blocksize, cbytes] = [4, 8, 12].map((at) => view.getUint32(at, true));
  if (version !== 2 || cbytes !== frame.length) throw new Error('Blosc: not a frame of version 2');
  if (flags & 2) return frame.slice(16, 16 + nbytes);
  if (flags >> 5 !== 1) throw new Error('Blosc: not LZ4');
  const out = new Uint8Array(nbytes);
  for (let block = 0; block * blocksize < nbytes; block++) {
    const length = Math.min(blocksize, nbytes - block * blocksize);
    const split = !(flags & 16) && length === blocksize && typesize <= 16 && blocksize / typesize >= 128;
    const streams = split ? typesize : 1;
    const plain = new Uint8Array(length);
    let at = view.getUint32(16 + 4 * block, true);
    for (let stream = 0; stream < streams; stream++) {
      const size = view.getInt32(at, true);
      const bytes = frame.subarray(at + 4, at + 4 + size);
      const part = length / streams;
      plain.set(size === part ? bytes : lz4Block(bytes, part), stream * part);
      at += 4 + size;
    }
    const order = flags & 1 ? unshuffle : flags & 4 ? bitUnshuffle : (bytes: Uint8Array) => bytes;
    out.set(order(plain, typesize), block * blocksize);
  }
  return out;
}

interface Codec {
  name: string;
  configuration?: { chunk_shape: number[]; codecs: Codec[] };
}

function decodeChunk(bytes: Uint8Array, type: string, codecs: Codec[]): ZarrValues {
  let data = bytes;
  for (const { name } of codecs.slice(1).reverse()) {
    if (name !== 'blosc') throw new Error(`codec ${name}`);
    data = blosc(data);
  }
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  if (codecs[0].name === 'vlen-utf8') {
    const texts: string[] = [];
    let at = 4;
    for (let k = view.getUint32(0, true); k > 0; k--) {
      const length = view.getUint32(at, true);
      texts.push(Buffer.from(data.subarray(at + 4, at + 4 + length)).toString('utf8'));
      at += 4 + length;
    }
    return texts;
  }
  if (codecs[0].name !== 'bytes') throw new Error(`codec ${codecs[0].name}`);
  const readers: Record<string, [number, (at: number) => number]> = {
    uint8: [1, (at) => view.getUint8(at)],
    int32: [4, (at) => view.getInt32(at, true)],
    float32: [4, (at) => view.getFloat32(at, true)],
    float64: [8, (at) => view.getFloat64(at, true)],
  };
  const [size, read] = readers[type];
  return Array.from({ length: data.length / size }, (_, k) => read(k * size));
}

/** Inner chunks of a shard, which here divide it along the first dimension only. */
function decodeShard(
  file: Uint8Array,
  count: number,
  length: number,
  type: string,
  codecs: Codec[],
): ZarrValues {
  const index = file.subarray(file.length - 16 * count - 4);
  const view = new DataView(index.buffer, index.byteOffset, index.length);
  if (crc32cBitwise(index.subarray(0, 16 * count)) !== view.getUint32(16 * count, true))
    throw new Error('the index and its checksum differ');
  return Array.from({ length: count }, (_, k) => {
    const [offset, size] = [view.getBigUint64(16 * k, true), view.getBigUint64(16 * k + 8, true)];
    if (offset === 2n ** 64n - 1n && size === offset) return new Array<number>(length).fill(Number.NaN);
    const values = decodeChunk(file.subarray(Number(offset), Number(offset + size)), type, codecs);
    if (values.length !== length) throw new Error(`an inner chunk of ${values.length} values`);
    return values as number[];
  }).flat();
}

/** The whole array, in C order. Chunks may divide the first dimension only. */
export function readZarrArray(folder: string): { shape: number[]; values: ZarrValues } {
  const metadata = JSON.parse(readFileSync(join(folder, 'zarr.json'), 'utf8'));
  const { shape, data_type: type, fill_value: fill } = metadata;
  const chunk: number[] = metadata.chunk_grid.configuration.chunk_shape;
  const row = product(shape.slice(1));
  const values: (number | string)[] = [];
  for (let k = 0; k * chunk[0] < shape[0]; k++) {
    const path = join(folder, ['c', k, ...shape.slice(1).map(() => 0)].join('.'));
    const rows = Math.min(chunk[0], shape[0] - k * chunk[0]);
    if (!existsSync(path)) {
      for (let i = 0; i < rows * row; i++) values.push(fill === 'NaN' ? Number.NaN : fill);
      continue;
    }
    const file = new Uint8Array(readFileSync(path));
    const [codec] = metadata.codecs as Codec[];
    const decoded =
      codec.name === 'sharding_indexed'
        ? decodeShard(file, chunk[0], row, type, codec.configuration!.codecs)
        : decodeChunk(file, type, metadata.codecs);
    for (let i = 0; i < rows * row; i++) values.push(decoded[i]);
  }
  return { shape, values: values as ZarrValues };
}
