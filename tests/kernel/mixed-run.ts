/** A solve by the kernel's BiCGSTAB in mixed precision, and the grids that its tests run on. */

import type { Pointer } from '../../src/wasm/exports.ts';
import { type Csr, toTriplets } from '../twins/csr.ts';
import { position } from '../twins/dia.ts';
import type { Room } from './harness.ts';
import { type Options, STATUSES } from './krylov.ts';

/** Odd and even, the smallest, and rows of more than three blocks of eight cells. */
export const GRIDS: [height: number, width: number][] = [
  [2, 2],
  [2, 3],
  [3, 2],
  [3, 3],
  [5, 4],
  [4, 7],
  [2, 8],
  [7, 8],
  [8, 9],
  [9, 15],
  [16, 16],
  [17, 31],
  [7, 24],
  [6, 33],
  [5, 40],
  [33, 16],
];

/** The five diagonals in blocks of eight rows; NaN in the slots outside the matrix. */
export function fivePointBlocks(A: Csr, width: number): Float64Array {
  const n = A.shape[0];
  const data = new Float64Array(Math.ceil(n / 8) * 40).fill(Number.NaN);
  const offsets = [-width, -1, 0, 1, width];
  for (let row = 0; row < n; row++) {
    for (const [d, offset] of offsets.entries()) {
      if (row + offset >= 0 && row + offset < n) data[position(row, d, 5)] = 0;
    }
  }
  for (const [i, j, value] of toTriplets(A)) data[position(i, offsets.indexOf(j - i), 5)] = value;
  return data;
}

export function fivePointOperator(room: Room, A: Csr, width: number): Pointer {
  const operator = room.bytes(room.k.operatorSize());
  const offsets = room.integers([-width, -1, 0, 1, width]);
  room.k.makeDia(operator, A.shape[0], 5, offsets, room.vector(fivePointBlocks(A, width)));
  return operator;
}

export class MixedRun {
  readonly workspace: Pointer;
  readonly #room: Room;
  readonly #n: number;
  readonly #x: Pointer;
  readonly #history: Pointer;

  constructor(room: Room, A: Csr, width: number, b: ArrayLike<number>, options: Options = {}) {
    const { preconditioner = 0, x0, rtol = 1e-10, atol = 0, maxiter = 1000 } = options;
    const { historyCapacity = maxiter + 9 } = options;
    const { k } = room;
    const n = b.length;
    this.#n = n;
    this.#room = room;
    this.workspace = room.bytes(Math.ceil(k.mixedSize(n / width, width, preconditioner !== 0)), 8);
    this.#x = room.vector(x0 ?? n);
    this.#history = room.vector(historyCapacity);
    const operator = fivePointOperator(room, A, width);
    // biome-ignore format: the parameters that all methods have, in their order.
    k.mixedInit(this.workspace, operator, preconditioner, room.vector(b), this.#x, rtol, atol, maxiter, x0 === undefined, this.#history, historyCapacity, n / width, width);
  }

  step(count = 2 ** 31 - 1): this {
    const status = this.#room.k.mixedStep(this.workspace, count);
    if (STATUSES[status] !== this.status) throw new Error(`step says ${status}, statusOf ${this.status}`);
    return this;
  }

  /** Whether f32 has done it all. */
  get single(): boolean {
    return this.#room.k.mixedIsSingle(this.workspace) !== 0;
  }

  get status(): (typeof STATUSES)[number] {
    return STATUSES[this.#room.k.statusOf(this.workspace)];
  }

  get x(): Float64Array {
    return this.#room.read(this.#x, this.#n);
  }

  get iterations(): number {
    return this.#room.k.iterationsOf(this.workspace);
  }

  get matvecs(): number {
    return this.#room.k.matvecsOf(this.workspace);
  }

  get residualNorm(): number {
    return this.#room.k.residualNormOf(this.workspace);
  }

  takeHistory(): Float64Array {
    return this.#room.read(this.#history, this.#room.k.takeHistory(this.workspace));
  }
}
