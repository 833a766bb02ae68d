// The action z <- M^-1 r. A record in linear memory, as the operator's.

import { hostMultiply } from '../host';
import { multiply } from '../vector/vector';
import { ilu0Solve } from './ilu0';

const JACOBI: i32 = 1;
const ILU0: i32 = 2;
const HOST: i32 = 3;

@unmanaged
export class Preconditioner {
  kind: i32;
  n: i32;
  /** The host's number of the function. */
  id: i32;
  indptr: usize;
  indices: usize;
  data: usize;
  diagonal: usize;
  /** Inverse diagonal (Jacobi) or inverse pivots (ILU(0)). */
  inverse: usize;
}

export function preconditionerSize(): usize {
  return offsetof<Preconditioner>();
}

export function makeJacobi(preconditioner: usize, n: i32, inverse: usize): void {
  const it = changetype<Preconditioner>(preconditioner);
  it.kind = JACOBI;
  it.n = n;
  it.inverse = inverse;
}

export function makeIlu0(
  preconditioner: usize,
  n: i32,
  indptr: usize,
  indices: usize,
  data: usize,
  diagonal: usize,
  inverse: usize,
): void {
  const it = changetype<Preconditioner>(preconditioner);
  it.kind = ILU0;
  it.n = n;
  it.indptr = indptr;
  it.indices = indices;
  it.data = data;
  it.diagonal = diagonal;
  it.inverse = inverse;
}

export function makeHostPreconditioner(preconditioner: usize, n: i32, id: i32): void {
  const it = changetype<Preconditioner>(preconditioner);
  it.kind = HOST;
  it.n = n;
  it.id = id;
}

/** z <- M^-1 r; the two must not overlap. */
export function applyPreconditioner(preconditioner: usize, r: usize, z: usize): void {
  const it = changetype<Preconditioner>(preconditioner);
  if (it.kind == JACOBI) multiply(it.n, it.inverse, r, z);
  else if (it.kind == ILU0) ilu0Solve(it.n, it.indptr, it.indices, it.data, it.diagonal, it.inverse, r, z);
  else hostMultiply(it.id, it.n, r, z);
}
