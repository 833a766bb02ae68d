// LZ4 blocks (lz4_Block_format): sequences of literals, and of a match with what came before.

const MIN_MATCH: usize = 4;
/** The last bytes of a block are literals. */
const LAST_LITERALS: usize = 5;
/** No match begins in the last bytes of a block. */
const NO_START: usize = 12;

const HASH_BITS: u32 = 12;
/** Bytes of the table of places. */
export const LZ4_TABLE: usize = 2 << HASH_BITS;
/** After each so many (a power of two) searches in vain the step grows by one: noise is passed over. */
const PATIENCE: u32 = 7;
/** Bytes behind the room for the output that may be written. */
export const LZ4_SLACK: usize = 16;

/**
 * Compresses `length` bytes, at most 65,536: a place among them takes 16 bits, and is within reach of all that follow.
 * Returns how many they have become, or 0 where they would take more than `room`.
 */
export function lz4(from: usize, length: usize, to: usize, room: usize, table: usize): usize {
  if (length <= NO_START) return 0;
  memory.fill(table, 0, LZ4_TABLE);
  const end = from + length;
  const lastStart = end - NO_START;
  const limit = to + room;
  let anchor = from;
  // The first place is the one that an empty table names.
  let at = from + 1;
  let out = to;
  while (at <= lastStart) {
    let match: usize;
    let searches: u32 = 1 << PATIENCE;
    while (true) {
      const word = load<u32>(at);
      match = seen(from, at, word, table);
      if (load<u32>(match) == word) break;
      at += searches++ >> PATIENCE;
      if (at > lastStart) return finish(anchor, end, to, out, limit);
    }
    while (at > anchor && match > from && load<u8>(at - 1) == load<u8>(match - 1)) {
      at--;
      match--;
    }
    const same = MIN_MATCH + common(match + MIN_MATCH, at + MIN_MATCH, end - LAST_LITERALS);
    out = sequence(anchor, at - anchor, at - match, same, out, limit);
    if (!out) return 0;
    at += same;
    anchor = at;
    if (at <= lastStart) seen(from, at - 2, load<u32>(at - 2), table);
  }
  return finish(anchor, end, to, out, limit);
}

/** Where the word was seen last, or one with the same hash; from now on, here. */
// @ts-ignore: decorator
@inline
function seen(from: usize, at: usize, word: u32, table: usize): usize {
  const slot = table + (((word * 2654435761) >> (32 - HASH_BITS)) << 1);
  const place = from + <usize>load<u16>(slot);
  store<u16>(slot, <u16>(at - from));
  return place;
}

/** How many bytes are the same, up to `end`. */
// @ts-ignore: decorator
@inline
function common(a: usize, b: usize, end: usize): usize {
  const start = b;
  while (b + 8 <= end) {
    const difference = load<u64>(a) ^ load<u64>(b);
    if (difference) return b - start + <usize>(ctz(difference) >> 3);
    a += 8;
    b += 8;
  }
  while (b < end && load<u8>(a) == load<u8>(b)) {
    a++;
    b++;
  }
  return b - start;
}

/** Literals and a match. Returns the end of what was written; 0 where there is no room. */
// @ts-ignore: decorator
@inline
function sequence(
  literals: usize,
  count: usize,
  distance: usize,
  same: usize,
  out: usize,
  limit: usize,
): usize {
  const more = same - MIN_MATCH;
  if (out + count + count / 255 + more / 255 + 5 > limit) return 0;
  const token = out;
  store<u8>(token, <u8>((min<usize>(count, 15) << 4) | min<usize>(more, 15)));
  out = rest(count, out + 1);
  out = copy(literals, count, out);
  store<u16>(out, <u16>distance);
  return rest(more, out + 2);
}

/** The literals at the end. */
function finish(anchor: usize, end: usize, to: usize, out: usize, limit: usize): usize {
  const count = end - anchor;
  if (out + count + count / 255 + 2 > limit) return 0;
  store<u8>(out, <u8>(min<usize>(count, 15) << 4));
  out = rest(count, out + 1);
  memory.copy(out, anchor, count);
  return out + count - to;
}

/** What of a length does not fit into the token. */
// @ts-ignore: decorator
@inline
function rest(length: usize, out: usize): usize {
  if (length < 15) return out;
  length -= 15;
  for (; length >= 255; length -= 255) store<u8>(out++, 255);
  store<u8>(out++, <u8>length);
  return out;
}

/** By 16 bytes: up to 15 more than asked for. */
// @ts-ignore: decorator
@inline
function copy(from: usize, count: usize, out: usize): usize {
  if (count > 64) {
    memory.copy(out, from, count);
    return out + count;
  }
  for (let k: usize = 0; k < count; k += 16) {
    store<u64>(out + k, load<u64>(from + k));
    store<u64>(out + k, load<u64>(from + k, 8), 8);
  }
  return out + count;
}
