// Bit shuffling as Blosc and bitshuffle define it: of `count` elements of `size` bytes the lowest bits come first,
// eight elements a byte, the first in the lowest bit; then the next higher bits, and so on. `size` is 4 or 8, and
// `count` a multiple of 8.

/** Elements that are taken at once. */
const ALL: usize = 16;

export function bitShuffle(from: usize, count: usize, size: usize, to: usize): void {
  const row = count >> 3;
  let k: usize = 0;
  if (ASC_FEATURE_SIMD) {
    if (size == 4) {
      for (; k + ALL <= count; k += ALL) {
        const at = from + (k << 2);
        scatterWords(
          v128.load(at),
          v128.load(at, 16),
          v128.load(at, 32),
          v128.load(at, 48),
          to + (k >> 3),
          row,
        );
      }
    } else {
      for (; k + ALL <= count; k += ALL) {
        const at = from + (k << 3);
        const place = to + (k >> 3);
        scatterWords(low(at), low(at + 32), low(at + 64), low(at + 96), place, row);
        scatterWords(high(at), high(at + 32), high(at + 64), high(at + 96), place + (row << 5), row);
      }
    }
  }
  for (; k < count; k += 8) {
    for (let b: usize = 0; b < size; b++) {
      scatterByte(from + k * size + b, size, to + (b << 3) * row + (k >> 3), row);
    }
  }
}

/** The lower halves of four elements of eight bytes. */
// @ts-ignore: decorator
@inline
function low(at: usize): v128 {
  return v128.shuffle<i32>(v128.load(at), v128.load(at, 16), 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
function high(at: usize): v128 {
  return v128.shuffle<i32>(v128.load(at), v128.load(at, 16), 1, 3, 5, 7);
}

/** The 32 bits of 16 words, each to its row. */
function scatterWords(a: v128, b: v128, c: v128, d: v128, to: usize, row: usize): void {
  a = sorted(a);
  b = sorted(b);
  c = sorted(c);
  d = sorted(d);
  const ab01 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const cd01 = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const ab23 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd23 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  const rows = row << 3;
  scatterBytes(v128.shuffle<i64>(ab01, cd01, 0, 2), to, row);
  scatterBytes(v128.shuffle<i64>(ab01, cd01, 1, 3), to + rows, row);
  scatterBytes(v128.shuffle<i64>(ab23, cd23, 0, 2), to + 2 * rows, row);
  scatterBytes(v128.shuffle<i64>(ab23, cd23, 1, 3), to + 3 * rows, row);
}

/** Four words' bytes by significance. */
// @ts-ignore: decorator
@inline
function sorted(x: v128): v128 {
  return v128.shuffle<i8>(x, x, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}

/** The eight bits of 16 bytes, each to its row; the highest is what a mask takes. As a loop it takes twice as long. */
// @ts-ignore: decorator
@inline
function scatterBytes(x: v128, to: usize, row: usize): void {
  let at = to + 7 * row;
  store<u16>(at, i8x16.bitmask(x));
  x = i8x16.add(x, x);
  store<u16>((at -= row), i8x16.bitmask(x));
  x = i8x16.add(x, x);
  store<u16>((at -= row), i8x16.bitmask(x));
  x = i8x16.add(x, x);
  store<u16>((at -= row), i8x16.bitmask(x));
  x = i8x16.add(x, x);
  store<u16>((at -= row), i8x16.bitmask(x));
  x = i8x16.add(x, x);
  store<u16>((at -= row), i8x16.bitmask(x));
  x = i8x16.add(x, x);
  store<u16>((at -= row), i8x16.bitmask(x));
  x = i8x16.add(x, x);
  store<u16>(to, i8x16.bitmask(x));
}

/** A byte of eight elements, each of its bits to a row: three steps that exchange halves of ever larger squares. */
function scatterByte(from: usize, size: usize, to: usize, row: usize): void {
  let x: u64 = 0;
  for (let k: usize = 0; k < 8; k++) x |= <u64>load<u8>(from + k * size) << (<u64>k << 3);
  let t = (x ^ (x >> 7)) & 0x00aa00aa00aa00aa;
  x ^= t ^ (t << 7);
  t = (x ^ (x >> 14)) & 0x0000cccc0000cccc;
  x ^= t ^ (t << 14);
  t = (x ^ (x >> 28)) & 0x00000000f0f0f0f0;
  x ^= t ^ (t << 28);
  for (let bit: usize = 0; bit < 8; bit++) store<u8>(to + bit * row, <u8>(x >> (<u64>bit << 3)));
}
