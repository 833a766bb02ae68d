import type { Scope } from '../memory/scope.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { RECYCLE_DEFAULTS } from './defaults.ts';
import type { Method, SolveStatus } from './types.ts';

/** The kernel's numbers (`assembly/method/iteration.ts`); 0 is still running. */
export const STATUSES: readonly SolveStatus[] = [
  'converged',
  'max-iterations',
  'breakdown',
  'stagnated',
  'non-finite',
];

/** What `init` needs, besides what the method was made with. */
export interface Start {
  operator: Pointer;
  /** 0: none. */
  preconditioner: Pointer;
  b: Pointer;
  x: Pointer;
  rtol: number;
  atol: number;
  maxiter: number;
  /** x counts as 0, whatever it holds. */
  zeroStart: boolean;
  history: Pointer;
  historyCapacity: number;
  /** The space that GCRO-DR is to use and renew; without it, one of its own that begins empty. */
  recycle?: Pointer;
}

/** A Krylov method with its workspace in the kernel: started any number of times, each in as many steps as wanted. */
export class KernelMethod {
  readonly method: Method;
  readonly pointer: Pointer;
  /** Room for n i32 at the end of its memory: nobody's from the end of a solve until the next `init`. */
  readonly scratch: Pointer;
  readonly #kernel: Kernel;
  readonly #restart: number;
  readonly #left: boolean;
  /** GCRO-DR's own space; 0 for other methods. */
  readonly #space: Pointer;
  readonly #step: (workspace: Pointer, count: number) => number;

  constructor(
    scope: Scope,
    method: Method,
    n: number,
    preconditioned: boolean,
    restart: number,
    left: boolean,
  ) {
    const { exports } = scope.kernel;
    const bytes = {
      gmres: () => exports.gmresSize(n, restart),
      bicgstab: () => exports.bicgstabSize(n, preconditioned),
      cg: () => exports.cgSize(n, preconditioned),
      'gcro-dr': () => exports.gcrodrSize(n, restart),
      lu: () => exports.refinementSize(n),
    }[method]();
    this.method = method;
    this.pointer = scope.bytes(bytes, `the vectors of ${method}`);
    this.scratch = this.pointer + bytes - 4 * n;
    this.#kernel = scope.kernel;
    this.#restart = restart;
    this.#left = left;
    this.#space = method === 'gcro-dr' ? ownSpace(scope, n) : 0;
    this.#step = {
      gmres: exports.gmresStep,
      bicgstab: exports.bicgstabStep,
      cg: exports.cgStep,
      'gcro-dr': exports.gcrodrStep,
      lu: exports.refinementStep,
    }[method];
  }

  /** Starts; returns true while there is more to do. */
  init(start: Start): boolean {
    const { exports } = this.#kernel;
    const { operator, preconditioner, b, x, rtol, atol, maxiter, zeroStart, history, historyCapacity } =
      start;
    const { pointer } = this;
    if (this.method === 'gmres') {
      const restart = this.#restart;
      const left = this.#left;
      // biome-ignore format: one line a call keeps them alike.
      return exports.gmresInit(pointer, operator, preconditioner, b, x, rtol, atol, maxiter, zeroStart, history, historyCapacity, restart, left) === 0;
    }
    if (this.method === 'gcro-dr') {
      if (start.recycle === undefined) exports.recycleClear(this.#space);
      const space = start.recycle ?? this.#space;
      // biome-ignore format: as above.
      return exports.gcrodrInit(pointer, operator, preconditioner, b, x, rtol, atol, maxiter, zeroStart, history, historyCapacity, this.#restart, space) === 0;
    }
    const init = {
      bicgstab: exports.bicgstabInit,
      cg: exports.cgInit,
      lu: exports.refinementInit,
    }[this.method];
    // biome-ignore format: as above.
    return init(pointer, operator, preconditioner, b, x, rtol, atol, maxiter, zeroStart, history, historyCapacity) === 0;
  }

  /** After `init`: the solve may end when the residual is down to this share of the start's. */
  loosen(share: number): void {
    this.#kernel.exports.loosen(this.pointer, share);
  }

  /** At most `count` iterations more; returns true while there is more to do. */
  step(count: number): boolean {
    return this.#step(this.pointer, count) === 0;
  }

  get status(): SolveStatus {
    return STATUSES[this.#kernel.exports.statusOf(this.pointer) - 1];
  }

  get iterations(): number {
    return this.#kernel.exports.iterationsOf(this.pointer);
  }

  get matvecs(): number {
    return this.#kernel.exports.matvecsOf(this.pointer);
  }

  /** ||b - A x||, of the true residual. */
  get residualNorm(): number {
    return this.#kernel.exports.residualNormOf(this.pointer);
  }

  /** The residual norm that the recursion carries along. */
  get estimate(): number {
    return this.#kernel.exports.estimateOf(this.pointer);
  }

  get rightHandSideNorm(): number {
    return this.#kernel.exports.rightHandSideNormOf(this.pointer);
  }

  /** Entries in the history buffer since this was last read. */
  takeHistory(): number {
    return this.#kernel.exports.takeHistory(this.pointer);
  }
}

/** A space for one solve, between its cycles. */
function ownSpace(scope: Scope, n: number): Pointer {
  const { exports } = scope.kernel;
  const dim = Math.max(1, Math.min(RECYCLE_DEFAULTS.dim, n));
  const space = scope.bytes(exports.recycleSize(n, dim, false), 'the recycled vectors');
  exports.recycleInit(space, n, dim, false);
  return space;
}
