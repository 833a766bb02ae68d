/** A solve by one of the kernel's methods, step by step. */

import type { Pointer } from '../../src/wasm/exports.ts';
import type { Room } from './harness.ts';

export const METHODS = ['gmres', 'bicgstab', 'cg', 'gcro-dr'] as const;
export type Method = (typeof METHODS)[number] | 'lu';

/** By the kernel's numbers. */
export const STATUSES = [
  'running',
  'converged',
  'max-iterations',
  'breakdown',
  'stagnated',
  'non-finite',
] as const;

export interface Options {
  /** 0: none. */
  preconditioner?: Pointer;
  x0?: ArrayLike<number>;
  /** Default: 1e-10. */
  rtol?: number;
  atol?: number;
  /** Default: 1000. */
  maxiter?: number;
  /** Default: 30. */
  restart?: number;
  /** Default: right. */
  side?: 'left' | 'right';
  /** GCRO-DR: a space that is kept. Default: one of ten columns for this solve. */
  space?: Pointer;
  /** Default: room for all of it. */
  historyCapacity?: number;
}

export class Run {
  readonly method: Method;
  readonly workspace: Pointer;
  readonly n: number;
  readonly #room: Room;
  readonly #x: Pointer;
  readonly #history: Pointer;

  /** Initialised; no step is made. The history has to be taken by `takeHistory`. */
  constructor(room: Room, method: Method, operator: Pointer, b: ArrayLike<number>, options: Options = {}) {
    const { preconditioner = 0, x0, rtol = 1e-10, atol = 0, maxiter = 1000, restart = 30 } = options;
    const { historyCapacity = maxiter + 1 } = options;
    const { k } = room;
    const n = b.length;
    const preconditioned = preconditioner !== 0;
    const bytes = {
      gmres: () => k.gmresSize(n, restart),
      bicgstab: () => k.bicgstabSize(n, preconditioned),
      cg: () => k.cgSize(n, preconditioned),
      'gcro-dr': () => k.gcrodrSize(n, restart),
      lu: () => k.refinementSize(n),
    }[method]();
    this.method = method;
    this.n = n;
    // Off a cache line, since nothing promises one.
    this.workspace = room.bytes(bytes, 8);
    this.#room = room;
    // Without a start, x holds NaN: it may not be read.
    this.#x = room.vector(x0 ?? n);
    this.#history = room.vector(historyCapacity);
    // biome-ignore format: one line keeps them alike.
    const common = [this.workspace, operator, preconditioner, room.vector(b), this.#x, rtol, atol, maxiter, x0 === undefined, this.#history, historyCapacity] as const;
    if (method === 'gmres') k.gmresInit(...common, restart, options.side === 'left');
    else if (method === 'gcro-dr')
      k.gcrodrInit(...common, restart, options.space ?? recycleSpace(room, n, 10, false));
    else if (method === 'bicgstab') k.bicgstabInit(...common);
    else if (method === 'lu') k.refinementInit(...common);
    else k.cgInit(...common);
  }

  /** At most `count` iterations more; the whole solve without it. */
  step(count = 2 ** 31 - 1): this {
    const { k } = this.#room;
    const step = {
      gmres: k.gmresStep,
      bicgstab: k.bicgstabStep,
      cg: k.cgStep,
      'gcro-dr': k.gcrodrStep,
      lu: k.refinementStep,
    }[this.method];
    const status = step(this.workspace, count);
    if (STATUSES[status] !== this.status) throw new Error(`step says ${status}, statusOf ${this.status}`);
    return this;
  }

  get status(): (typeof STATUSES)[number] {
    return STATUSES[this.#room.k.statusOf(this.workspace)];
  }

  get x(): Float64Array {
    return this.#room.read(this.#x, this.n);
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

  get estimate(): number {
    return this.#room.k.estimateOf(this.workspace);
  }

  get rightHandSideNorm(): number {
    return this.#room.k.rightHandSideNormOf(this.workspace);
  }

  /** What came since it was last taken. */
  takeHistory(): Float64Array {
    return this.#room.read(this.#history, this.#room.k.takeHistory(this.workspace));
  }
}

/** An empty space for GCRO-DR; with `images` one that is kept from solve to solve. */
export function recycleSpace(room: Room, n: number, dim: number, images = true): Pointer {
  const space = room.bytes(room.k.recycleSize(n, dim, images), 8);
  room.k.recycleInit(space, n, dim, images);
  return space;
}

/** U or C of a space, by columns. */
export function recycled(room: Room, n: number, space: Pointer, which: 'basis' | 'images'): Float64Array[] {
  const { k } = room;
  const from = which === 'basis' ? k.recycleBasis(space) : k.recycleImages(space);
  return Array.from({ length: k.recycleColumns(space) }, (_, j) =>
    room.read(from + j * k.vectorStride(n), n),
  );
}
