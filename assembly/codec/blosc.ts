// Frames of Blosc 1 (README_HEADER, README_CHUNK_FORMAT of c-blosc): a header, where each block begins, and the blocks;
// here with shuffled bits, each compressed by LZ4 as one stream.

import { LZ4_SLACK, LZ4_TABLE, lz4 } from './lz4';
import { bitShuffle } from './shuffle';

const HEADER: usize = 16;
const FORMAT: u8 = 2;
const FORMAT_LZ4: u8 = 1;
/** The flags. */
const MEMCPYED: u8 = 0x02;
const BIT_SHUFFLE: u8 = 0x04;
const NOT_SPLIT: u8 = 0x10;
const LZ4: u8 = 0x20;

/**
 * The most bytes of a block: within the reach of LZ4's matches, and such that the rows of shuffled bits are no multiple
 * of 2048 bytes apart, where they would drive each other from the cache (16,384 elements of 4 bytes take five times as
 * long as 15,360).
 */
const BLOCK: usize = 61440;

/**
 * Bytes of each block but the last. A block whose elements are no multiple of 8 is not shuffled: that is at most the
 * last one, which is short, since equal parts are rounded down.
 */
function blockLength(bytes: usize, size: usize): usize {
  const unit = size << 3;
  if (bytes < unit) return max<usize>(bytes, 1);
  const parts = (bytes + BLOCK - 1) / BLOCK;
  return (bytes / parts / unit) * unit;
}

function blockCount(bytes: usize, block: usize): usize {
  return (bytes + block - 1) / block;
}

/** Bytes that {@link encodeFrame} may write to. */
export function frameRoom(bytes: usize, size: usize): usize {
  return HEADER + bytes + 8 * blockCount(bytes, blockLength(bytes, size)) + LZ4_SLACK;
}

/** Bytes that {@link encodeFrame} needs to work. */
export function frameWork(): usize {
  return BLOCK + LZ4_TABLE;
}

/** Elements of `size` (4 or 8) bytes as a frame. Returns its length, at most 16 more than `bytes`. */
export function encodeFrame(from: usize, bytes: usize, size: usize, to: usize, work: usize): usize {
  const block = blockLength(bytes, size);
  const table = work + BLOCK;
  store<u8>(to, FORMAT);
  store<u8>(to, FORMAT_LZ4, 1);
  store<u8>(to, BIT_SHUFFLE | NOT_SPLIT | LZ4, 2);
  store<u8>(to, <u8>size, 3);
  store<u32>(to, <u32>bytes, 4);
  store<u32>(to, <u32>block, 8);
  const limit = to + HEADER + bytes;
  let start = to + HEADER;
  let out = start + 4 * blockCount(bytes, block);
  for (let done: usize = 0; done < bytes; done += block) {
    const length = min(block, bytes - done);
    if (length % (size << 3) == 0) bitShuffle(from + done, length / size, size, work);
    else memory.copy(work, from + done, length);
    store<u32>(start, <u32>(out - to));
    start += 4;
    let count = lz4(work, length, out + 4, length - 1, table);
    if (!count) {
      count = length;
      memory.copy(out + 4, work, length);
    }
    store<u32>(out, <u32>count);
    out += 4 + count;
  }
  if (out >= limit) {
    store<u8>(to, BIT_SHUFFLE | NOT_SPLIT | LZ4 | MEMCPYED, 2);
    memory.copy(to + HEADER, from, bytes);
    out = limit;
  }
  store<u32>(to, <u32>(out - to), 12);
  return out - to;
}
