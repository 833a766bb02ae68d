import type { KernelExports, Pointer } from '../../src/wasm/exports.ts';
import * as sparse from '../plain/sparse.ts';
import * as plain from '../plain/vector.ts';
import { fivePoint } from '../problems.ts';
import { randomVector } from '../random.ts';
import { SEED } from '../results.ts';
import type { Room } from '../room.ts';

/** Cases by the export's name. */
export type Cases = Partial<Record<keyof KernelExports, KernelCase>>;

/** One kernel, ready to be called, and what it computed. */
export interface Work {
  run: () => void;
  result: () => ArrayLike<number>;
}

/** An export of the kernel and the plain TypeScript that does the same. */
export interface KernelCase {
  /** Floating-point operations a call, and bytes that must be read or written at least. */
  flops: (n: number) => number;
  bytes: (n: number) => number;
  kernel: (room: Room, input: Input) => Work;
  plain: (input: Input) => Work;
}

/** What all cases of one size start from. */
export interface Input {
  /** Points of the grid, and of each side. */
  n: number;
  side: number;
  x: Float64Array;
  y: Float64Array;
  /** K vectors of length n, nearly orthonormal. */
  V: Float64Array[];
  /** The stiff five-point matrix, by rows and by diagonals. */
  csr: sparse.Csr;
  diagonals: sparse.Diagonals;
  /** The diagonals in the kernel's blocks of eight rows. */
  blocked: Float64Array;
}

/** Vectors in a block. */
export const K = 10;
export const DIAGONALS = 5;

export function makeInput(side: number): Input {
  const n = side * side;
  const { A } = fivePoint(side, 'stiff');
  const csr = { n, indptr: A.indptr, indices: A.indices, data: A.data };
  const diagonals = sparse.diagonals(csr, side);
  const V = Array.from({ length: K }, (_, j) => randomVector(n, SEED + 10 + j));
  const coefficients = new Float64Array(K + 1);
  V.forEach((column, j) => {
    plain.orthogonalize(j, V, column, coefficients, new Float64Array(K));
  });
  return {
    n,
    side,
    x: randomVector(n, SEED),
    y: randomVector(n, SEED + 1),
    V,
    csr,
    diagonals,
    blocked: blocked(diagonals),
  };
}

export function blocked({ n, below, left, centre, right, above }: sparse.Diagonals): Float64Array {
  const all = [below, left, centre, right, above];
  const data = new Float64Array(Math.ceil(n / 8) * 8 * DIAGONALS);
  for (let k = 0; k < n; k++) {
    for (let d = 0; d < DIAGONALS; d++) data[((k >> 3) * DIAGONALS + d) * 8 + (k & 7)] = all[d][k];
  }
  return data;
}

/** Enough of a long result to see a difference. */
export function sample(values: Float64Array): number[] {
  const step = Math.max(1, Math.floor(values.length / 97));
  return Array.from({ length: Math.ceil(values.length / step) }, (_, k) => values[k * step]);
}

/** V in the kernel: one array, and the bytes from column to column. */
export function columns(room: Room, V: readonly Float64Array[]): { pointer: Pointer; stride: number } {
  const n = V[0].length;
  const stride = room.k.vectorStride(n);
  const pointer = room.bytes(stride * V.length);
  V.forEach((column, j) => {
    room.view(pointer + j * stride, n).set(column);
  });
  return { pointer, stride };
}

export function uploadCsr(room: Room, { indptr, indices, data }: sparse.Csr): [Pointer, Pointer, Pointer] {
  return [room.integers(indptr), room.integers(indices), room.vector(data)];
}

/** The rows in slices, as the kernel solves with them. */
export function uploadSliced(
  room: Room,
  csr: sparse.Csr,
): { runs: Pointer; count: number; order: Pointer; indices: Pointer; data: Pointer; pack: () => void } {
  const { n } = csr;
  const [indptr, indices, data] = uploadCsr(room, csr);
  const order = room.integers(n);
  // More than enough: all values, as if they were in one window.
  const scratch = room.bytes(4 * 256 + 8 * csr.data.length);
  const count = room.k.sliceOrder(n, indptr, order, scratch);
  const runs = room.integers(3 * count);
  const columns = room.integers(csr.data.length);
  room.k.sliceRows(n, indptr, indices, order, runs, columns);
  const pack = () => room.k.slicedPack(n, runs, order, data, scratch);
  pack();
  return { runs, count, order, indices: columns, data, pack };
}

export function diaOperator(room: Room, { n, side, blocked: data }: Input): Pointer {
  const operator = room.bytes(room.k.operatorSize());
  const offsets = room.integers(Int32Array.of(-side, -1, 0, 1, side));
  room.k.makeDia(operator, n, DIAGONALS, offsets, room.vector(data));
  return operator;
}

export const entries = (n: number) => DIAGONALS * n - 4 * Math.sqrt(n);
export const csrBytes = (n: number) => 12 * entries(n) + 4 * n;
