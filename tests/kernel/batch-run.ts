/** Solves in lanes, step by step. */

import type { Pointer } from '../../src/wasm/exports.ts';
import { type Csr, diagonal } from '../twins/csr.ts';
import type { Room } from './harness.ts';
import { STATUSES } from './krylov.ts';
import { factorIlu0 } from './matrices.ts';

export const KINDS = ['none', 'jacobi', 'ilu0'] as const;
export type Kind = (typeof KINDS)[number];
export const LANES = [2, 4] as const;
/** What has systems in lanes: two or four in f64, four or eight in f32. */
export const LAYOUTS = [
  { lanes: 2, single: false },
  { lanes: 4, single: false },
  { lanes: 4, single: true },
  { lanes: 8, single: true },
] as const;
export type Layout = (typeof LAYOUTS)[number];

export interface LaneOptions {
  x0?: ArrayLike<number>;
  /** Default: 1e-10. */
  rtol?: number;
  atol?: number;
  /** Default: 1000. */
  maxiter?: number;
}

/** Everything that is known of a lane, to be compared. */
export interface LaneState {
  status: (typeof STATUSES)[number] | 'empty';
  iterations: number;
  matvecs: number;
  residualNorm: number;
  rightHandSideNorm: number;
  x: Float64Array;
}

export class BatchRun {
  readonly lanes: number;
  readonly kind: Kind;
  readonly #room: Room;
  readonly #workspace: Pointer;
  readonly #n: number;

  /** All lanes are empty. */
  constructor(room: Room, pattern: Csr, { lanes, single }: Layout, kind: Kind) {
    const { k } = room;
    const n = pattern.shape[0];
    const nnz = pattern.indices.length;
    this.lanes = lanes;
    this.kind = kind;
    this.#room = room;
    this.#n = n;
    // Off a cache line, since nothing promises one.
    this.#workspace = room.bytes(k.batchSize(n, lanes, single, kind !== 'none'), 8);
    const bytes = single ? 4 : 8;
    const padded = Math.ceil((n * lanes * bytes) / 32) * 32;
    const values = nnz * lanes * bytes;
    const diagonalPlaces = room.integers(
      Array.from({ length: n }, (_, i) => pattern.indices.indexOf(i, pattern.indptr[i])),
    );
    k.batchInit(
      this.#workspace,
      n,
      lanes,
      room.integers(pattern.indptr),
      room.integers(pattern.indices),
      room.bytes(values),
      (['none', 'jacobi', 'ilu0'] as const).indexOf(kind) as 0 | 1 | 2,
      kind === 'ilu0' ? room.bytes(values) : 0,
      kind === 'ilu0' ? diagonalPlaces : 0,
      kind === 'none' ? 0 : room.bytes(padded),
      single ? room.vector(lanes * (nnz + 2 * n)) : 0,
    );
  }

  /** Puts a system into a lane; `inverse`: other inverse pivots than the system's own. */
  start(lane: number, A: Csr, b: ArrayLike<number>, options: LaneOptions = {}, inverse?: Float64Array): this {
    const { k } = this.#room;
    const room = this.#room;
    const { x0, rtol = 1e-10, atol = 0, maxiter = 1000 } = options;
    // Without a start, x holds NaN: it may not be read.
    const x = room.vector(x0 ?? b.length);
    const cold = x0 === undefined;
    k.batchStart(this.#workspace, lane, room.vector(A.data), room.vector(b), x, rtol, atol, maxiter, cold);
    if (this.kind === 'jacobi') {
      const values = inverse ?? diagonal(A).map((value) => 1 / value);
      k.batchPrecondition(this.#workspace, lane, 0, room.vector(values));
    } else if (this.kind === 'ilu0') {
      const { data, inverse: pivots } = factorIlu0(room, A);
      k.batchPrecondition(this.#workspace, lane, data, inverse ? room.vector(inverse) : pivots);
    }
    return this;
  }

  drop(lane: number): void {
    this.#room.k.batchDrop(this.#workspace, lane);
  }

  /** At most `count` iterations, until a lane ends; returns how many. */
  step(count: number): number {
    return this.#room.k.batchStep(this.#workspace, count);
  }

  /** Until all lanes have ended. */
  finish(): this {
    for (let left = 1; left > 0; ) left = this.step(2 ** 31 - 1);
    return this;
  }

  state(lane: number): LaneState {
    const { k } = this.#room;
    const record = k.batchLane(this.#workspace, lane);
    const x = this.#room.vector(this.#n);
    k.batchTake(this.#workspace, lane, x);
    const status = k.statusOf(record);
    return {
      status: status < 0 ? 'empty' : STATUSES[status],
      iterations: k.iterationsOf(record),
      matvecs: k.matvecsOf(record),
      residualNorm: k.residualNormOf(record),
      rightHandSideNorm: k.rightHandSideNormOf(record),
      x: this.#room.read(x, this.#n),
    };
  }
}
