// The action z <- M^-1 r. A record in linear memory, as the operator's.

import { directSolve } from '../direct/solve';
import { hostMultiply } from '../host';
import { multiply } from '../vector/vector';
import { ilu0Solve } from './ilu0';
import { multigridApply } from './multigrid';
import { transformApply } from './transform';

const JACOBI: i32 = 1;
const ILU0: i32 = 2;
const HOST: i32 = 3;
const MULTIGRID: i32 = 4;
const TRANSFORM: i32 = 5;
const DIRECT: i32 = 6;

@unmanaged
export class Preconditioner {
  kind: i32;
  n: i32;
  /** The host's number of the function. */
  id: i32;
  indptr: usize;
  indices: usize;
  /** ILU(0): the factors. Multigrid, transform, direct: its record. */
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

/** `multigrid`: laid out by `multigridInit`, with values by `multigridUpdate`. */
export function makeMultigrid(preconditioner: usize, multigrid: usize): void {
  const it = changetype<Preconditioner>(preconditioner);
  it.kind = MULTIGRID;
  it.data = multigrid;
}

/** `transform`: laid out by `transformInit`, with values by `transformUpdate`. */
export function makeTransform(preconditioner: usize, transform: usize): void {
  const it = changetype<Preconditioner>(preconditioner);
  it.kind = TRANSFORM;
  it.data = transform;
}

/** `direct`: laid out by `directInit`, with factors by `directFactor`. */
export function makeDirect(preconditioner: usize, direct: usize): void {
  const it = changetype<Preconditioner>(preconditioner);
  it.kind = DIRECT;
  it.data = direct;
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
  else if (it.kind == MULTIGRID) multigridApply(it.data, r, z);
  else if (it.kind == TRANSFORM) transformApply(it.data, r, z);
  else if (it.kind == DIRECT) directSolve(it.data, r, z, false);
  else hostMultiply(it.id, it.n, r, z);
}
