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
