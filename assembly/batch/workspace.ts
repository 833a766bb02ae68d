// Where things lie for BiCGSTAB in lanes: records, vectors in lanes of type T, and for lanes in single precision what
// each system keeps in double.

import { firstVector, Iteration, vectorStride } from '../method/iteration';
import { clearLane, laneBytes, packLane, ROW } from './lanes';

/** Status of a lane that has no system. */
export const EMPTY: i32 = -1;

export const JACOBI: i32 = 1;
export const ILU0: i32 = 2;

@unmanaged
export class Lane extends Iteration {
  rho: f64;
  rhoBefore: f64;
  alpha: f64;
  omega: f64;
  shadowNorm: f64;
  startNorm: f64;
  /** The vectors of the recursion times this are those of the system; a power of two, in double precision one. */
  unit: f64;
  /** The values in lanes times this are the matrix; as `unit`. */
  scale: f64;
  /** Single precision: the true residual norm when it last was down by half, and the iterations by then. */
  bestNorm: f64;
  bestAt: i32;
  age: i32;
  /** 0, or why the true residual is asked for; then the lane sits out the rest of the iteration. */
  asks: i32;
  /** FINISH: the status to end with. */
  end: i32;
}

@unmanaged
export class Batch {
  n: i32;
  lanes: i32;
  kind: i32;
  single: bool;
  indptr: usize;
  indices: usize;
  data: usize;
  factors: usize;
  diagonal: usize;
  inverse: usize;
  /** Of a vector. */
  bytes: usize;
  /** The solutions; in single precision what is to be added to them. */
  x: usize;
  /** Double precision only. */
  b: usize;
  r: usize;
  shadow: usize;
  p: usize;
  v: usize;
  t: usize;
  pHat: usize;
  sHat: usize;
  /** n elements of one system. */
  scratch: usize;
  /** Single precision: values, right-hand side and solution of each system, in double. */
  systems: usize;
  /** Rows of scalars. */
  alpha: usize;
  beta: usize;
  omega: usize;
  mask: usize;
  /** Rows of sums. */
  first: usize;
  second: usize;
  /** The records. */
  record: usize;
}

const ROWS: usize = 6;

function elementSize(single: bool): i32 {
  return single ? sizeof<f32>() : sizeof<f64>();
}

function vectorSize(n: i32, lanes: i32, single: bool): f64 {
  return ceil((<f64>n * <f64>lanes * <f64>elementSize(single)) / 64) * 64;
}

/** Bytes of a workspace; a float, since it may be more than there is. */
export function batchSize(n: i32, lanes: i32, single: bool, preconditioned: bool): f64 {
  const records = offsetof<Batch>() + ROWS * ROW + <usize>lanes * offsetof<Lane>() + 64;
  const vectors = (preconditioned ? 9 : 7) - (single ? 1 : 0);
  return <f64>records + <f64>vectors * vectorSize(n, lanes, single) + <f64>vectorStride(n);
}

/**
 * Lays out a workspace, with all lanes empty. `systems`: 0 for two or four lanes in f64; for four or eight in f32, room
 * in f64 for values (nnz), right-hand side and solution (n each) of the system in each lane. `kind`: 0 no preconditioner, 1 Jacobi, 2 ILU(0). In the type of the lanes, `data` has room for the values
 * of all of them; so have `factors` (ILU(0)) and `inverse` (inverse diagonals or pivots, padded to 32 bytes).
 * `diagonal` has the places of the pivots. What is there does not matter yet.
 */
export function batchInit(
  workspace: usize,
  n: i32,
  lanes: i32,
  indptr: usize,
  indices: usize,
  data: usize,
  kind: i32,
  factors: usize,
  diagonal: usize,
  inverse: usize,
  systems: usize,
): void {
  const it = changetype<Batch>(workspace);
  const single = systems != 0;
  it.n = n;
  it.lanes = lanes;
  it.single = single;
  it.indptr = indptr;
  it.indices = indices;
  it.data = data;
  it.kind = kind;
  it.factors = factors;
  it.diagonal = diagonal;
  it.inverse = inverse;
  it.systems = systems;
  it.alpha = workspace + offsetof<Batch>();
  it.beta = it.alpha + ROW;
  it.omega = it.beta + ROW;
  it.mask = it.omega + ROW;
  it.first = it.mask + ROW;
  it.second = it.first + ROW;
  it.record = it.second + ROW;
  const stride = <usize>vectorSize(n, lanes, single);
  it.bytes = single ? laneBytes<f32>(n, lanes) : laneBytes<f64>(n, lanes);
  it.x = firstVector(it.record, <usize>lanes * offsetof<Lane>());
  it.b = it.x + stride;
  it.r = single ? it.b : it.b + stride;
  it.shadow = it.r + stride;
  it.p = it.shadow + stride;
  it.v = it.p + stride;
  it.t = it.v + stride;
  it.pHat = kind ? it.t + stride : it.p;
  it.sHat = kind ? it.pHat + stride : it.r;
  it.scratch = (kind ? it.sHat : it.t) + stride;
  // The padding of all vectors has to be zero.
  memory.fill(it.x, 0, it.scratch - it.x);
  for (let l = 0; l < lanes; l++) laneOf(it, l).status = EMPTY;
}

/** The record of a lane: `statusOf`, `iterationsOf` and so on read it. */
export function batchLane(workspace: usize, lane: i32): usize {
  return changetype<usize>(laneOf(changetype<Batch>(workspace), lane));
}

export function laneOf(it: Batch, lane: i32): Lane {
  return changetype<Lane>(it.record + <usize>lane * offsetof<Lane>());
}

/** Stored entries of a matrix. */
export function entries(it: Batch): i32 {
  return load<i32>(it.indptr + (<usize>it.n << 2));
}

/** Where a system in single precision keeps its values, in double; b and x follow. */
export function valuesOf(it: Batch, lane: i32): usize {
  return it.systems + (<usize>lane * (<usize>entries(it) + 2 * <usize>it.n) << 3);
}

export function rightHandSideOf(it: Batch, lane: i32): usize {
  return valuesOf(it, lane) + (<usize>entries(it) << 3);
}

export function solutionOf(it: Batch, lane: i32): usize {
  return rightHandSideOf(it, lane) + (<usize>it.n << 3);
}

/** Vector of one system times a factor -> lane of a vector, the padding made zero. */
export function put<T>(it: Batch, lane: i32, factor: f64, source: usize, target: usize): void {
  packLane<T>(it.n, it.lanes, lane, factor, source, target);
  clearLane<T>(it.n, it.n, it.lanes, lane, target);
}

/** Begins with the residual in `scratch`, which has its norm in the record, as first direction and as shadow. */
export function begin<T>(it: Batch, lane: i32): void {
  const my = laneOf(it, lane);
  my.unit = sizeof<T>() == 4 ? powerOfTwo(my.residualNorm) : 1;
  put<T>(it, lane, 1 / my.unit, it.scratch, it.r);
  put<T>(it, lane, 1 / my.unit, it.scratch, it.shadow);
  // The first direction is r + 0 (p - 0 v), whatever was in p and v.
  clearLane<T>(0, it.n, it.lanes, lane, it.p);
  clearLane<T>(0, it.n, it.lanes, lane, it.v);
  my.shadowNorm = my.residualNorm / my.unit;
  my.startNorm = my.residualNorm;
  my.rho = my.shadowNorm * my.shadowNorm;
  my.age = 0;
}

/** The largest power of two that is at most a value >= 0, within what has an inverse; 1 for zero and what is no number. */
export function powerOfTwo(value: f64): f64 {
  if (value == 0 || !isFinite(value)) return 1;
  return max(reinterpret<f64>(reinterpret<i64>(value) & 0x7ff0000000000000), 2.2250738585072014e-308);
}
