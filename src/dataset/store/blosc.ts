/**
 * numcodecs takes all values for 4 bytes wide, and doubles that are shuffled so hardly compress. But the shuffled bits
 * of doubles are those of their lower halves, followed by those of their upper ones. So each block's halves are laid
 * one after the other ({@link separateHalves}), compressed as two blocks of 4-byte values, and the two then told to be
 * one of 8-byte values ({@link joinHalves}): with LZ4 its streams are the same bytes, four of each half. The frame is
 * one that any Blosc reads.
 *
 * Frames of Blosc 1 (c-blosc, README_CHUNK_FORMAT): 16 bytes (versions, flags, size of values, sizes of the data, of a
 * block and of the frame), offsets of the blocks, and for each block its streams behind their lengths.
 */

const HEADER = 16;
/** Flags. */
const MEMCPYED = 2;
const DONT_SPLIT = 16;

/** Bytes of a block, where we choose; it is to stay in the cache. */
const LARGEST_BLOCK = 2 ** 18;
/** Below this Blosc keeps streams together. */
const SMALLEST_BLOCK = 2 ** 10;

/**
 * Bytes of a block of halves, so that `length` doubles make whole blocks of a multiple of 8 values, which alone have
 * their bits shuffled; `undefined` where they cannot.
 */
export function halfBlock(length: number): number | undefined {
  for (let blocks = Math.ceil((4 * length) / LARGEST_BLOCK); ; blocks++) {
    const bytes = (4 * length) / blocks;
    if (bytes < SMALLEST_BLOCK) return undefined;
    if (bytes % 32 === 0) return bytes;
  }
}

/** Lower halves, then upper ones, of each block of `block` bytes a half. */
export function separateHalves(doubles: Float64Array, out: Uint32Array, block: number): void {
  const words = new Uint32Array(doubles.buffer, doubles.byteOffset, 2 * doubles.length);
  const size = block / 4;
  for (let from = 0; from < words.length; from += 2 * size) {
    for (let k = 0; k < size; k++) {
      out[from + k] = words[from + 2 * k];
      out[from + size + k] = words[from + 2 * k + 1];
    }
  }
}

/** The frame of doubles that a frame of their halves is; `undefined` where its streams are others. */
export function joinHalves(frame: Uint8Array): Uint8Array | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (frame[2] & (MEMCPYED | DONT_SPLIT)) return undefined;
  const blocksize = view.getUint32(8, true);
  const blocks = view.getUint32(4, true) / blocksize / 2;
  const saved = 4 * blocks; // offsets that are no longer there
  const joined = new Uint8Array(frame.length - saved);
  const out = new DataView(joined.buffer);
  joined.set(frame.subarray(0, HEADER));
  joined[3] = 8;
  out.setUint32(8, 2 * blocksize, true);
  out.setUint32(12, joined.length, true);
  for (let k = 0; k < blocks; k++)
    out.setUint32(HEADER + 4 * k, view.getUint32(HEADER + 8 * k, true) - saved, true);
  joined.set(frame.subarray(HEADER + 8 * blocks), HEADER + saved);
  return joined;
}
