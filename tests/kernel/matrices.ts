/** Matrices and preconditioners of the twins, put into the kernel's memory. */

import type { Pointer } from '../../src/wasm/exports.ts';
import type { HostFunction } from '../../src/wasm/kernel.ts';
import { type Csr, diagonal, fromTriplets, toTriplets } from '../twins/csr.ts';
import { fromCsr } from '../twins/dia.ts';
import { type Factor, type LevelPattern, levelPattern } from '../twins/levels.ts';
import { countRuns, slicedPattern, WINDOW } from '../twins/slices.ts';
import type { Room } from './harness.ts';

/** Where the three arrays of a CSR matrix lie. */
export function uploadCsr(room: Room, A: Csr): { indptr: Pointer; indices: Pointer; data: Pointer } {
  return { indptr: room.integers(A.indptr), indices: room.integers(A.indices), data: room.vector(A.data) };
}

/** By rows, in slices. */
export function csrOperator(room: Room, A: Csr): Pointer {
  const operator = room.bytes(room.k.operatorSize());
  const { runs, count, order, indices, data } = uploadSliced(room, A);
  room.k.makeSliced(operator, A.shape[0], runs, count, order, indices, data);
  return operator;
}

export interface KernelSlices {
  runs: Pointer;
  count: number;
  order: Pointer;
  indices: Pointer;
  data: Pointer;
}

export function uploadSliced(room: Room, A: Csr): KernelSlices {
  const { runs, order, columns, longest } = slicedPattern(A);
  const slices = {
    runs: room.integers(runs),
    count: countRuns(runs),
    order: room.integers(order),
    indices: room.integers(columns),
    data: room.vector(A.data),
  };
  const scratch = room.bytes(4 * WINDOW + 8 * longest);
  room.k.slicedPack(A.shape[0], slices.runs, slices.order, slices.data, scratch);
  return slices;
}

export function diaOperator(room: Room, A: Csr): Pointer {
  const { offsets, data } = fromCsr(A);
  const operator = room.bytes(room.k.operatorSize());
  room.k.makeDia(operator, A.shape[0], offsets.length, room.integers(offsets), room.vector(data));
  return operator;
}

export function hostOperator(room: Room, n: number, call: HostFunction): Pointer {
  const operator = room.bytes(room.k.operatorSize());
  room.k.makeHostOperator(operator, n, room.hostFunction(call, n));
  return operator;
}

export function jacobiPreconditioner(room: Room, A: Csr): Pointer {
  const preconditioner = room.bytes(room.k.preconditionerSize());
  const inverse = diagonal(A).map((value) => 1 / value);
  room.k.makeJacobi(preconditioner, A.shape[0], room.vector(inverse));
  return preconditioner;
}

export interface KernelIlu0 {
  /** -1, or the row that has no pivot. */
  failed: number;
  indptr: Pointer;
  indices: Pointer;
  data: Pointer;
  diagonal: Pointer;
  inverse: Pointer;
}

export function factorIlu0(room: Room, A: Csr): KernelIlu0 {
  const n = A.shape[0];
  const { indptr, indices, data } = uploadCsr(room, A);
  const [places, inverse, work] = [room.integers(n), room.vector(n), room.integers(n)];
  const failed = room.k.ilu0Factor(n, indptr, indices, data, places, inverse, work);
  return { failed, indptr, indices, data, diagonal: places, inverse };
}

export interface KernelLevels {
  pattern: LevelPattern;
  /** The kernel's record. */
  ilu0: Pointer;
  /** By slots, and by places. */
  lower: Pointer;
  upper: Pointer;
  inverse: Pointer;
}

export function layoutLevels(room: Room, A: Csr): KernelLevels {
  const n = A.shape[0];
  const pattern = levelPattern(A);
  const part = ({ runs, columns }: Factor): [Pointer, number, Pointer, Pointer] => [
    room.integers(runs),
    countRuns(runs),
    room.integers(columns),
    room.vector(columns.length),
  ];
  const ilu0 = room.bytes(room.k.ilu0Size());
  const order = room.integers(pattern.order);
  const lower = part(pattern.lower);
  const upper = part(pattern.upper);
  const inverse = room.vector(n);
  room.k.ilu0Init(
    ilu0,
    n,
    order,
    ...lower,
    ...upper,
    inverse,
    room.integers(pattern.lower.columns.length),
    room.vector(n),
    room.integers(3 * n),
  );
  return { pattern, ilu0, lower: lower[3], upper: upper[3], inverse };
}

export function ilu0Preconditioner(room: Room, A: Csr, operator = csrOperator(room, A)): Pointer {
  const preconditioner = room.bytes(room.k.preconditionerSize());
  const { ilu0 } = layoutLevels(room, A);
  const failed = room.k.ilu0Update(ilu0, operator);
  if (failed !== -1) throw new Error(`no pivot in row ${failed}`);
  room.k.makeIlu0(preconditioner, ilu0);
  return preconditioner;
}

/** A without the entry (i, j), or with another value there. */
export function changedEntry(A: Csr, i: number, j: number, value?: number): Csr {
  const rest = toTriplets(A).filter(([row, col]) => row !== i || col !== j);
  return fromTriplets(A.shape, value === undefined ? rest : [...rest, [i, j, value]]);
}

export function hostPreconditioner(room: Room, n: number, call: HostFunction): Pointer {
  const preconditioner = room.bytes(room.k.preconditionerSize());
  room.k.makeHostPreconditioner(preconditioner, n, room.hostFunction(call, n));
  return preconditioner;
}
