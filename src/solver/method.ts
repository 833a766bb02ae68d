import type { Scope } from '../memory/scope.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { RECYCLE_DEFAULTS } from './defaults.ts';
import type { Grid } from './five-point.ts';
import type { Method, Precision, SolveStatus } from './types.ts';

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
  /** Room for three times n i32 at the end of its memory: nobody's from the end of a solve until the next `init`. */
  readonly scratch: Pointer;
  readonly #kernel: Kernel;
  readonly #restart: number;
  readonly #left: boolean;
  /** GCRO-DR's own space; 0 for other methods. */
  readonly #space: Pointer;
  readonly #grid: Grid | undefined;
  /** The solve that `init` has started is in mixed precision. */
  #mixed = false;
  #step: (workspace: Pointer, count: number) => number;

  /** @param grid - with it BiCGSTAB can be had in mixed precision, for matrices with the five diagonals of this grid. */
  constructor(
    scope: Scope,
    method: Method,
    n: number,
    preconditioned: boolean,
    restart: number,
    left: boolean,
    grid?: Grid,
  ) {
    const { exports } = scope.kernel;
    const bytes = {
      gmres: () => exports.gmresSize(n, restart),
      bicgstab: () =>
        grid === undefined
          ? exports.bicgstabSize(n, preconditioned)
          : exports.mixedSize(grid.height, grid.width, preconditioned),
      cg: () => exports.cgSize(n, preconditioned),
      'gcro-dr': () => exports.gcrodrSize(n, restart),
      lu: () => exports.refinementSize(n),
    }[method]();
    this.method = method;
    this.pointer = scope.bytes(bytes, `the vectors of ${method}`);
    this.scratch = this.pointer + bytes - 12 * n;
    this.#kernel = scope.kernel;
    this.#restart = restart;
    this.#left = left;
    this.#grid = grid;
    this.#space = method === 'gcro-dr' ? ownSpace(scope, n) : 0;
    this.#step = {
      gmres: exports.gmresStep,
      bicgstab: exports.bicgstabStep,
      cg: exports.cgStep,
      'gcro-dr': exports.gcrodrStep,
      lu: exports.refinementStep,
    }[method];
  }

  /** Starts, in mixed precision where it can be had; returns true while there is more to do. */
  init(start: Start, precision: Precision = 'mixed'): boolean {
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
    if (this.#grid !== undefined) {
      this.#mixed = precision === 'mixed';
      this.#step = this.#mixed ? exports.mixedStep : exports.bicgstabStep;
    }
    if (this.#grid !== undefined && this.#mixed) {
      const { height, width } = this.#grid;
      // biome-ignore format: as above.
      return exports.mixedInit(pointer, operator, preconditioner, b, x, rtol, atol, maxiter, zeroStart, history, historyCapacity, height, width) === 0;
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

  /** What the last solve was done in: `double` also where single precision had to give up. */
  get precision(): Precision {
    const mixed = this.#mixed && this.#kernel.exports.mixedIsSingle(this.pointer) !== 0;
    return mixed ? 'mixed' : 'double';
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
