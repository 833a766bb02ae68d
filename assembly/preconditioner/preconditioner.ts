// The action z <- M^-1 r. A record in linear memory, as the operator's.

import { directSolve } from '../direct/solve';
import { hostMultiply } from '../host';
import { multiply } from '../vector/vector';
import { ilu0Apply } from './level-ilu0';
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
  /** Jacobi: the inverse diagonal. ILU(0), multigrid, transform, direct: its record. */
  data: usize;
}

export function preconditionerSize(): usize {
  return offsetof<Preconditioner>();
}

export function makeJacobi(preconditioner: usize, n: i32, inverse: usize): void {
  const it = changetype<Preconditioner>(preconditioner);
  it.kind = JACOBI;
  it.n = n;
  it.data = inverse;
}

/** `ilu0`: laid out by `ilu0Init`, with values by `ilu0Update`. */
export function makeIlu0(preconditioner: usize, ilu0: usize): void {
  const it = changetype<Preconditioner>(preconditioner);
  it.kind = ILU0;
  it.data = ilu0;
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
  if (it.kind == JACOBI) multiply(it.n, it.data, r, z);
  else if (it.kind == ILU0) ilu0Apply(it.data, r, z);
  else if (it.kind == MULTIGRID) multigridApply(it.data, r, z);
  else if (it.kind == TRANSFORM) transformApply(it.data, r, z);
  else if (it.kind == DIRECT) directSolve(it.data, r, z, false);
  else hostMultiply(it.id, it.n, r, z);
}
