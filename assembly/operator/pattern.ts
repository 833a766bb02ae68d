// From the pattern of a CSR matrix with sorted columns (indptr, indices: i32) to its diagonals (`dia.ts`): which
// there are, where the entries lie among them, and the values moved from the one order into the other.

import { BLOCK } from './dia';

/** Bytes of a diagonal in a block. */
const BLOCK_BYTES: usize = <usize>BLOCK << 3;

/**
 * Offsets (column - row) that occur, ascending. Returns how many; or `most` + 1 as soon as there are more, with
 * the `most` that were found first. `offsets` has room for `most` i32.
 */
export function findDiagonals(n: i32, indptr: usize, indices: usize, most: i32, offsets: usize): i32 {
  const full = offsets + (<usize>most << 2);
  let end = offsets;
  let entry = indices;
  for (let row = 0; row < n; row++) {
    const stop = indices + (<usize>load<i32>(indptr + (<usize>row << 2), 4) << 2);
    // A row's offsets ascend, so one walk through the list finds them all.
    for (let place = offsets; entry < stop; entry += 4, place += 4) {
      const offset = load<i32>(entry) - row;
      while (place < end && load<i32>(place) < offset) place += 4;
      if (place < end && load<i32>(place) == offset) continue;
      if (end == full) return most + 1;
      memory.copy(place + 4, place, end - place);
      store<i32>(place, offset);
      end += 4;
    }
  }
  return <i32>((end - offsets) >> 2);
}

/**
 * Marks the entries among the diagonals: one byte a block of eight rows and diagonal, with a bit a row. `offsets`
 * ascend, and hold all that occur.
 */
export function markEntries(
  n: i32,
  indptr: usize,
  indices: usize,
  count: i32,
  offsets: usize,
  marks: usize,
): void {
  memory.fill(marks, 0, <usize>(((n + BLOCK - 1) / BLOCK) * count));
  let entry = indices;
  for (let row = 0; row < n; row++) {
    const stop = indices + (<usize>load<i32>(indptr + (<usize>row << 2), 4) << 2);
    const block = marks + <usize>((row / BLOCK) * count);
    const bit: u32 = 1 << (row & (BLOCK - 1));
    for (let d: usize = 0; entry < stop; entry += 4, d++) {
      const offset = load<i32>(entry) - row;
      while (load<i32>(offsets + (d << 2)) != offset) d++;
      store<u8>(block + d, load<u8>(block + d) | bit);
    }
  }
}

/**
 * Moves the values of the marked entries, row by row from `values` on, to their places among the diagonals; all
 * other slots become zero. The values may lie at the end of `data` itself, against its last slot: what is still
 * to be read is never more than what is still to be written. `scratch` has a block, 8 `count` f64.
 */
export function spreadEntries(
  n: i32,
  count: i32,
  marks: usize,
  values: usize,
  data: usize,
  scratch: usize,
): void {
  const row = <usize>count << 3;
  for (let first = 0; first < n; first += BLOCK) {
    const next = marks + <usize>count;
    const end = data + row * <usize>BLOCK;
    let entries = 0;
    for (let mark = marks; mark < next; mark++) entries += popcnt<i32>(load<u8>(mark));
    const bytes = <usize>entries << 3;
    let source = values;
    if (source < end) {
      memory.copy(scratch, source, bytes);
      source = scratch;
    }
    values += bytes;
    if (entries == count * BLOCK) {
      for (; data < end; data += BLOCK_BYTES, source += 8) {
        for (let lane: usize = 0, from = source; lane < BLOCK_BYTES; lane += 8, from += row) {
          store<f64>(data + lane, load<f64>(from));
        }
      }
      marks = next;
      continue;
    }
    for (let lane = 0; lane < BLOCK; lane++) {
      let slot = data + (<usize>lane << 3);
      for (let mark = marks; mark < next; mark++, slot += BLOCK_BYTES) {
        let value: f64 = 0;
        if ((<u32>load<u8>(mark) >> lane) & 1) {
          value = load<f64>(source);
          source += 8;
        }
        store<f64>(slot, value);
      }
    }
    marks = next;
    data = end;
  }
}
