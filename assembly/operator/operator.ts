// What a method multiplies with. A record in linear memory; the host allocates `operatorSize()` bytes and fills
// it by one of the makers.

import { csrMultiply } from './csr';
import { diaMultiply, diaMultiplyDot } from './dia';
import { slicedMultiply } from './sliced';
import { hostMultiply } from '../host';
import { dotAndSquare } from '../vector/vector';

const CSR: i32 = 0;
export const DIA: i32 = 1;
const HOST: i32 = 2;
export const SLICED: i32 = 3;

@unmanaged
export class Operator {
  kind: i32;
  n: i32;
  /** SLICED: number of runs. DIA: number of diagonals. HOST: the host's number of the function. */
  count: i32;
  /** SLICED: runs. DIA: offsets. CSR: indptr. */
  pattern: usize;
  /** SLICED: the row in each place. */
  order: usize;
  /** SLICED, CSR: columns. */
  indices: usize;
  data: usize;
}

export function operatorSize(): usize {
  return offsetof<Operator>();
}

export function makeCsr(operator: usize, n: i32, indptr: usize, indices: usize, data: usize): void {
  const it = changetype<Operator>(operator);
  it.kind = CSR;
  it.n = n;
  it.pattern = indptr;
  it.indices = indices;
  it.data = data;
}

export function makeSliced(
  operator: usize,
  n: i32,
  runs: usize,
  count: i32,
  order: usize,
  indices: usize,
  data: usize,
): void {
  const it = changetype<Operator>(operator);
  it.kind = SLICED;
  it.n = n;
  it.count = count;
  it.pattern = runs;
  it.order = order;
  it.indices = indices;
  it.data = data;
}

export function makeDia(operator: usize, n: i32, count: i32, offsets: usize, data: usize): void {
  const it = changetype<Operator>(operator);
  it.kind = DIA;
  it.n = n;
  it.count = count;
  it.pattern = offsets;
  it.data = data;
}

export function makeHostOperator(operator: usize, n: i32, id: i32): void {
  const it = changetype<Operator>(operator);
  it.kind = HOST;
  it.n = n;
  it.count = id;
}

/** y <- A x */
export function applyOperator(operator: usize, x: usize, y: usize): void {
  const it = changetype<Operator>(operator);
  if (it.kind == DIA) diaMultiply(it.n, it.count, it.pattern, it.data, x, y);
  else if (it.kind == SLICED) slicedMultiply(it.pattern, it.count, it.order, it.indices, it.data, x, y);
  else if (it.kind == CSR) csrMultiply(it.n, it.pattern, it.indices, it.data, x, y);
  else hostMultiply(it.count, it.n, x, y);
}

/** y <- A x; out[0] = y'w, out[1] = y'y. */
export function applyAndDot(operator: usize, x: usize, y: usize, w: usize, out: usize): void {
  const it = changetype<Operator>(operator);
  if (it.kind == DIA) return diaMultiplyDot(it.n, it.count, it.pattern, it.data, x, y, w, out);
  applyOperator(operator, x, y);
  dotAndSquare(it.n, y, w, out);
}
