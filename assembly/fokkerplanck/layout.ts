// Five-point matrices on an H x W grid, pixel k = i W + j, straight in the blocked diagonal layout: offsets
// -W, -1, 0, 1, W (for `na2024` -H and H).

import { BLOCK } from '../operator/dia';

export const BELOW: i32 = 0;
export const LEFT: i32 = 1;
export const CENTRE: i32 = 2;
export const RIGHT: i32 = 3;
export const ABOVE: i32 = 4;
const DIAGONALS: i32 = 5;

/** Where row k has its value of diagonal 0; the next diagonal's is `NEXT` bytes on. */
// @ts-ignore: decorator
@inline
export function rowOf(data: usize, k: i32): usize {
  return data + (<usize>((k / BLOCK) * DIAGONALS * BLOCK + k % BLOCK) << 3);
}

/** Bytes from one diagonal's value to the next one's in the same row. */
export const NEXT: usize = <usize>BLOCK << 3;

/** Address of the value of diagonal `d` in the row that starts at `row`. */
// @ts-ignore: decorator
@inline
export function slot(row: usize, d: i32): usize {
  return row + <usize>d * NEXT;
}

/** The first block of rows all of whose neighbours, the nearest at 1 and the farthest at `step`, have a row. */
export function firstInner(n: i32, step: i32): i32 {
  return min((n + BLOCK - 1) / BLOCK, (step + BLOCK - 1) / BLOCK);
}

/** The first block after those; not before `firstInner`. */
export function lastInner(n: i32, step: i32): i32 {
  return max(firstInner(n, step), (n - step) / BLOCK);
}

/**
 * The next pixel, `k` or behind it, that needs a look of its own: outside the blocks `first` to `last`, or the
 * first or last of its grid row.
 */
export function nextBorder(k: i32, width: i32, first: i32, last: i32): i32 {
  if (k < first * BLOCK || k >= last * BLOCK) return k;
  const j = k % width;
  return j == 0 || j == width - 1 ? k : min(k - j + width - 1, last * BLOCK);
}
