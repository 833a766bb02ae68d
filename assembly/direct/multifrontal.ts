// The numbers of the fronts: each is assembled from A and what its children left, factored, and what remains of it
// left for its parent.

import { integerAt, numberAt } from './access';
import { factorFront, factorSymmetricFront } from './dense-front';
import { Fronts, paddingOf, widthOf } from './fronts';

/**
 * Factors. `data` has A's values, scaled. Returns -1, or the first column (in the order) whose pivot is refused; see
 * `factorFront` and `factorSymmetricFront`.
 */
export function factorFronts(fronts: usize, data: usize, indefinite: bool, threshold: f64): i32 {
  const it = changetype<Fronts>(fronts);
  const left = it.left;
  let top = it.stack;
  for (let s = 0; s < it.count; s++) {
    const column = integerAt(it.first, s);
    const p = integerAt(it.first, s + 1) - column;
    const q = integerAt(it.rowStart, s + 1) - integerAt(it.rowStart, s);
    const pad = paddingOf(p);
    const width = widthOf(p, q);
    const front = top;
    memory.fill(front, 0, (<usize>width * width) << 3);
    const end = integerAt(it.entryStart, s + 1);
    for (let k = integerAt(it.entryStart, s); k < end; k++) {
      const at = front + (<usize>integerAt(it.offsets, k) << 3);
      store<f64>(at, load<f64>(at) + numberAt(data, integerAt(it.entries, k)));
    }
    let lowest = front;
    for (let c = integerAt(it.child, s); c >= 0; c = integerAt(it.sibling, c)) {
      const block = load<usize>(left + (<usize>c << 2));
      lowest = min(lowest, block);
      assemble(it, c, block, front, width);
    }
    const to = pad + p;
    const failed = it.symmetric
      ? factorSymmetricFront(front, width, pad, to, to + q, indefinite, threshold)
      : factorFront(front, width, pad, to, to + q, threshold);
    if (failed >= 0) return column + failed - pad;
    keep(it, s, front, width, pad, p, q);
    // The rest, without gaps, over what the children left.
    store<usize>(left + (<usize>s << 2), lowest);
    top = lowest;
    const stride = <usize>width << 3;
    const bytes = <usize>q << 3;
    for (let row = front + <usize>to * (stride + 8), k = 0; k < q; k++, row += stride, top += bytes) {
      moveRow(top, row, bytes);
    }
  }
  return -1;
}

/** Adds what child c left to its parent's front. */
function assemble(it: Fronts, c: i32, block: usize, front: usize, width: i32): void {
  const relative = it.relative + (<usize>integerAt(it.rowStart, c) << 2);
  const q = integerAt(it.rowStart, c + 1) - integerAt(it.rowStart, c);
  const end = relative + (<usize>q << 2);
  let from = relative;
  for (let r = relative; r < end; r += 4, block += <usize>q << 3) {
    const row = front + ((<usize>load<i32>(r) * width) << 3);
    if (it.symmetric) from = r;
    let value = block + ((from - relative) << 1);
    for (let k = from; k < end; k += 4, value += 8) {
      const at = row + (<usize>load<i32>(k) << 3);
      store<f64>(at, load<f64>(at) + load<f64>(value));
    }
  }
}

/** The pivots' rows, then the rest of their columns, without gaps. */
function keep(it: Fronts, s: i32, front: usize, width: i32, pad: i32, p: i32, q: i32): void {
  const stride = <usize>width << 3;
  let to = it.values + (<usize>integerAt(it.valueStart, s) << 3);
  let row = front + <usize>pad * (stride + 8);
  const whole = <usize>(p + q) << 3;
  for (let k = 0; k < p; k++, row += stride, to += whole) moveRow(to, row, whole);
  if (it.symmetric) return;
  const bytes = <usize>p << 3;
  for (let k = 0; k < q; k++, row += stride, to += bytes) moveRow(to, row, bytes);
}

/** Copies down, or elsewhere. Most rows are so short that the call of a built-in copy would take longer. */
// @ts-ignore: decorator
@inline
function moveRow(to: usize, from: usize, bytes: usize): void {
  const end = to + bytes;
  if (ASC_FEATURE_SIMD) {
    for (; to + 8 < end; to += 16, from += 16) v128.store(to, v128.load(from));
  }
  for (; to < end; to += 8, from += 8) store<f64>(to, load<f64>(from));
}
