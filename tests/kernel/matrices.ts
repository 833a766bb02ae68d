/** Matrices and preconditioners of the twins, put into the kernel's memory. */

import type { Pointer } from '../../src/wasm/exports.ts';
import type { HostFunction } from '../../src/wasm/kernel.ts';
import { type Csr, diagonal } from '../twins/csr.ts';
import { fromCsr } from '../twins/dia.ts';
import type { Room } from './harness.ts';

/** Where the three arrays of a CSR matrix lie. */
export function uploadCsr(room: Room, A: Csr): { indptr: Pointer; indices: Pointer; data: Pointer } {
  return { indptr: room.integers(A.indptr), indices: room.integers(A.indices), data: room.vector(A.data) };
}

export function csrOperator(room: Room, A: Csr): Pointer {
  const operator = room.bytes(room.k.operatorSize());
  const { indptr, indices, data } = uploadCsr(room, A);
  room.k.makeCsr(operator, A.shape[0], indptr, indices, data);
  return operator;
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

export function ilu0Preconditioner(room: Room, A: Csr): Pointer {
  const preconditioner = room.bytes(room.k.preconditionerSize());
  const { failed, indptr, indices, data, diagonal: places, inverse } = factorIlu0(room, A);
  if (failed !== -1) throw new Error(`no pivot in row ${failed}`);
  room.k.makeIlu0(preconditioner, A.shape[0], indptr, indices, data, places, inverse);
  return preconditioner;
}

export function hostPreconditioner(room: Room, n: number, call: HostFunction): Pointer {
  const preconditioner = room.bytes(room.k.preconditionerSize());
  room.k.makeHostPreconditioner(preconditioner, n, room.hostFunction(call, n));
  return preconditioner;
}
