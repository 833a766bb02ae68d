import { SeedspanError } from '../errors.ts';
import type { Float64Block } from '../memory/block.ts';
import { KernelObject } from '../memory/kernel-object.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { autoChoices } from './auto.ts';
import { defaultMaxiter, MIXED_LEAST, SOLVE_DEFAULTS } from './defaults.ts';
import { type Grid, gridOfDiagonals } from './five-point.ts';
import { KernelMethod, type Start } from './method.ts';
import { KernelOperator } from './operator.ts';
import { checkOut, checkVector, systemSize, takeVector } from './options.ts';
import {
  DirectFactors,
  type KernelPreconditioner,
  makeKernelPreconditioner,
  Preconditioner,
} from './preconditioner.ts';
import { keepsStart } from './projector.ts';
import { checkRecycle, type RecycleSpace } from './recycle-space.ts';
import { checkSeed } from './seed-subspace.ts';
import type { Method, Precision, SolveProgress, SolveResult, Storage, SystemMatrix } from './types.ts';
import { checkAgreement, type RunOptions, type WorkspaceOptions } from './workspace-options.ts';

/** Residual norms that are fetched from the kernel at a time. */
const HISTORY_CAPACITY = 256;

/** What a sequence of similar systems carries from one to the next. */
export interface BeginHooks {
  /** The preconditioner stays as it was made for an earlier matrix. */
  keepPreconditioner?: boolean;
  /** Puts a start into x, for want of one given. Returns the products with A that it took; 0: x is as it was. */
  start?: (operator: Pointer, b: Pointer, x: Pointer) => number;
}

/**
 * Everything that solves of one pattern need: the matrix, the preconditioner, the method's vectors. Made by
 * `engine.workspace`; solves with it allocate nothing in the kernel, and no arrays in JavaScript (but for
 * `history`). The factors of `lu` are allocated by the first solve, and again when pivots do not hold. The result object, and its x unless `out` is given, are overwritten by the next solve.
 */
export class Workspace extends KernelObject {
  /** Number of unknowns. */
  readonly size: number;
  readonly method: Method;
  readonly restart: number;
  readonly side: 'left' | 'right';
  readonly preconditioner: NonNullable<RunOptions['preconditioner']>;
  readonly storage: 'csr' | 'dia' | 'function';
  readonly precision: Precision;

  readonly #bytes: number;
  readonly #askedStorage: Storage;
  readonly #operator: KernelOperator;
  /** Made here and updated with each matrix; a `Preconditioner` given from outside is used as it is. */
  readonly #own: KernelPreconditioner | undefined;
  readonly #method: KernelMethod;
  readonly #b: Float64Block;
  readonly #x: Float64Block;
  readonly #history: Float64Block;
  readonly #start: Start;
  readonly #result: SolveResult;
  /** `result.x` of the solves that have no `out`. */
  readonly #ownX: Float64Array;
  #norms: number[] | undefined;
  /** Products with A outside the method. */
  #projectionMatvecs = 0;
  #busy = false;
  /** The recycle space of the present solve, and whether it is to be given back at its end. */
  #recycle: RecycleSpace | undefined;
  #taken = false;

  /** @internal */
  constructor(kernel: Kernel, A: SystemMatrix, options: WorkspaceOptions, where: string) {
    super(kernel);
    this.size = systemSize(where, A, options.size);
    const { method = SOLVE_DEFAULTS.method } = options;
    const choice =
      method === 'auto'
        ? autoChoices(kernel, A, SOLVE_DEFAULTS.rtol, options)[0]
        : { method, preconditioner: SOLVE_DEFAULTS.preconditioner };
    this.method = choice.method;
    this.side = options.side ?? SOLVE_DEFAULTS.side;
    if (this.side === 'left' && this.method !== 'gmres') {
      throw new SeedspanError(
        'INVALID_VALUE',
        `${where}: side "left" is for method "gmres"; "${this.method}" has one way to be preconditioned`,
        { option: 'side' },
      );
    }
    this.restart = Math.max(1, Math.min(options.restart ?? SOLVE_DEFAULTS.restart, this.size));
    const preconditioner = options.preconditioner ?? (this.method === 'lu' ? 'lu' : choice.preconditioner);
    if (this.method === 'lu') checkFactors(preconditioner, where);
    this.preconditioner = preconditioner;
    if (preconditioner instanceof Preconditioner) preconditioner.checkUsable(kernel, this.size, where);
    this.#askedStorage = options.storage ?? SOLVE_DEFAULTS.storage;
    const n = this.size;
    const before = kernel.bytesInUse;
    const parts = this.hold((scope) => {
      const operator = new KernelOperator(scope, A, n, this.#askedStorage);
      const left = this.side === 'left';
      const grid = this.#mixedGrid(operator, options.precision ?? SOLVE_DEFAULTS.precision, where);
      const inner = new KernelMethod(
        scope,
        this.method,
        n,
        preconditioner !== 'none',
        this.restart,
        left,
        grid,
      );
      const own =
        preconditioner === 'none' || preconditioner instanceof Preconditioner
          ? undefined
          : makeKernelPreconditioner(
              scope,
              preconditioner,
              typeof A === 'function' ? undefined : A,
              n,
              operator,
              inner.scratch,
            );
      return {
        grid,
        operator,
        own,
        method: inner,
        b: scope.float64(n, 'the right-hand side'),
        x: scope.float64(n, 'the solution'),
        history: scope.float64(HISTORY_CAPACITY, 'the history'),
      };
    });
    this.#bytes = kernel.bytesInUse - before;
    this.#operator = parts.operator;
    this.#own = parts.own;
    this.#method = parts.method;
    this.#b = parts.b;
    this.#x = parts.x;
    this.#history = parts.history;
    this.storage = parts.operator.storage;
    this.precision = parts.grid === undefined ? 'double' : 'mixed';
    this.#start = {
      operator: parts.operator.pointer,
      preconditioner: 0,
      b: parts.b.pointer,
      x: parts.x.pointer,
      rtol: 0,
      atol: 0,
      maxiter: 0,
      zeroStart: true,
      history: parts.history.pointer,
      historyCapacity: 0,
    };
    this.#ownX = new Float64Array(n);
    this.#result = {
      x: this.#ownX,
      status: 'non-finite',
      converged: false,
      iterations: 0,
      matvecs: 0,
      residualNorm: 0,
      rightHandSideNorm: 0,
      method: this.method,
      preconditioner: kindOf(preconditioner),
      storage: this.storage,
      precision: this.precision,
      history: undefined,
      projectedResidualNorm: undefined,
      projected: undefined,
    };
  }

  /** Bytes of kernel memory that it holds. */
  get bytes(): number {
    return this.#bytes + (this.#own instanceof DirectFactors ? this.#own.solver.grown : 0);
  }

  /**
   * Takes the workspace for one solve, until `release`.
   *
   * @internal
   */
  acquire(where: string): void {
    this.checkAlive('the workspace');
    if (this.#busy) {
      throw new SeedspanError('BUSY', `${where}: the workspace is in use by a solve that has not ended`);
    }
    this.#busy = true;
    this.keep();
    if (this.preconditioner instanceof Preconditioner) this.preconditioner.keep();
  }

  /**
   * Loads a system and starts its solve. True while there is more to do.
   *
   * @internal
   */
  begin(
    A: SystemMatrix,
    b: ArrayLike<number>,
    options: RunOptions,
    where: string,
    { keepPreconditioner = false, start: makeStart }: BeginHooks = {},
  ): boolean {
    const n = this.size;
    checkAgreement(where, this, this.#askedStorage, options);
    this.#operator.check(A, where);
    const { x0, out, seed } = options;
    checkVector(where, 'b', b, n);
    if (x0 !== undefined) checkVector(where, 'x0', x0, n);
    checkOut(where, out, n);
    checkSeed(where, seed);
    seed?.checkUsable(this.kernel, n, where);
    const start = this.#start;
    this.#takeRecycle(options, where);
    start.recycle = this.#recycle?.pointer;
    takeVector(this.kernel, where, 'b', b, this.#b);
    if (x0 !== undefined) takeVector(this.kernel, where, 'x0', x0, this.#x);
    this.#operator.load(A);
    start.preconditioner = this.#preparePreconditioner(A, where, keepPreconditioner);
    start.rtol = options.rtol ?? SOLVE_DEFAULTS.rtol;
    start.atol = options.atol ?? SOLVE_DEFAULTS.atol;
    start.maxiter = options.maxiter ?? defaultMaxiter(n);
    const startMatvecs = x0 === undefined ? (makeStart?.(start.operator, start.b, start.x) ?? 0) : 0;
    start.zeroStart = x0 === undefined && startMatvecs === 0;
    start.historyCapacity = options.history ? HISTORY_CAPACITY : 0;
    this.#norms = options.history ? [] : undefined;
    const before = this.#project(options, where);
    this.#projectionMatvecs += startMatvecs;
    const running = this.#method.init(start);
    const result = this.#result;
    if (!result.projected) return running;
    const after = this.#method.residualNorm;
    result.projectedResidualNorm = after;
    if (keepsStart(options.projection ?? SOLVE_DEFAULTS.projection, before, after)) return running;
    if (x0 !== undefined) this.#x.view.set(x0);
    start.zeroStart = x0 === undefined;
    result.projected = false;
    result.projectedResidualNorm = before;
    this.#projectionMatvecs += this.#method.matvecs;
    // The first norm in the history would be that of the start given up.
    this.#method.takeHistory();
    return this.#method.init(start);
  }

  /**
   * At most `count` iterations more; true while there is more to do.
   *
   * @internal
   */
  step(count: number): boolean {
    this.#checkStillUsable();
    if (this.#norms === undefined) return this.#method.step(count);
    let running = true;
    for (let left = count; running && left > 0; left -= HISTORY_CAPACITY) {
      this.#takeHistory();
      running = this.#method.step(Math.min(left, HISTORY_CAPACITY));
    }
    return running;
  }

  /** @internal */
  get progress(): SolveProgress {
    const { rtol, atol } = this.#start;
    const tolerance = Math.max(rtol * this.#method.rightHandSideNorm, atol);
    return { iterations: this.#method.iterations, residualNorm: this.#method.estimate, tolerance };
  }

  /**
   * Products with A so far.
   *
   * @internal
   */
  get matvecs(): number {
    return this.#method.matvecs + this.#projectionMatvecs;
  }

  /**
   * Whether the solve that has ended met its tolerance.
   *
   * @internal
   */
  get succeeded(): boolean {
    return this.#method.status === 'converged';
  }

  /**
   * What the direct solver found out about the pattern, where it serves as method or preconditioner.
   *
   * @internal
   */
  get directTraits(): { fill: number; work: number } | undefined {
    if (!(this.#own instanceof DirectFactors)) return undefined;
    const { exports } = this.kernel;
    const { pointer } = this.#own.solver;
    return { fill: exports.directFill(pointer), work: exports.directWork(pointer) };
  }

  /**
   * Where the solution of the last solve lies.
   *
   * @internal
   */
  get solution(): Pointer {
    return this.#x.pointer;
  }

  /**
   * The result of the solve that has ended.
   *
   * @internal
   */
  finish(out: Float64Array | undefined): SolveResult {
    this.#checkStillUsable();
    const result = this.#result;
    const method = this.#method;
    result.x = out ?? this.#ownX;
    result.x.set(this.#x.view);
    result.status = method.status;
    result.converged = result.status === 'converged';
    result.iterations = method.iterations;
    result.matvecs = this.matvecs;
    result.precision = method.precision;
    result.residualNorm = method.residualNorm;
    result.rightHandSideNorm = method.rightHandSideNorm;
    this.#takeHistory();
    result.history = this.#norms && Float64Array.from(this.#norms);
    return result;
  }

  /**
   * Lets the next solve begin.
   *
   * @internal
   */
  release(): void {
    this.#busy = false;
    if (this.#taken) this.#recycle?.giveBack();
    this.#taken = false;
    if (this.preconditioner instanceof Preconditioner) this.preconditioner.letGo();
    this.letGo();
  }

  #checkStillUsable(): void {
    this.checkAlive('the workspace');
    if (this.preconditioner instanceof Preconditioner) this.preconditioner.checkAlive('the preconditioner');
    this.#recycle?.checkAlive('the recycle space');
  }

  #takeRecycle({ recycle }: RunOptions, where: string): void {
    this.#recycle = undefined;
    if (recycle === undefined) return;
    checkRecycle(where, recycle, this.method);
    this.#taken = recycle.take(this, this.kernel, this.size, where);
    this.#recycle = recycle;
  }

  /** The grid that BiCGSTAB works on in mixed precision; undefined: it does not. */
  #mixedGrid(operator: KernelOperator, asked: Precision | 'auto', where: string): Grid | undefined {
    if (asked === 'double') return undefined;
    const fits =
      this.method === 'bicgstab' && (this.preconditioner === 'none' || this.preconditioner === 'jacobi');
    const grid = fits ? gridOfDiagonals(operator) : undefined;
    if (asked === 'mixed' && grid === undefined) {
      throw new SeedspanError(
        'INVALID_VALUE',
        `${where}: precision "mixed" is for method "bicgstab" with preconditioner "none" or "jacobi", and a ` +
          'five-point matrix on an H x W grid that is stored by diagonals; leave precision away, or ask for "double"',
        { option: 'precision' },
      );
    }
    return asked === 'mixed' || this.size >= MIXED_LEAST ? grid : undefined;
  }

  /** The pointer for the method; 0 without a preconditioner. */
  #preparePreconditioner(A: SystemMatrix, where: string, keep: boolean): number {
    const { preconditioner } = this;
    if (preconditioner instanceof Preconditioner) {
      preconditioner.checkUsable(this.kernel, this.size, where);
      return preconditioner.inner.pointer;
    }
    if (this.#own === undefined) return 0;
    if (keep) return this.#own.pointer;
    if (this.method === 'lu' && this.#own instanceof DirectFactors && typeof A !== 'function') {
      // Without factors the solve says so by its status.
      return this.#own.solver.factor(A) === 'done' ? this.#own.pointer : 0;
    }
    if (typeof A !== 'function') this.#own.update(A);
    return this.#own.pointer;
  }

  /** Puts a better start into x; returns the residual norm of the one before. */
  #project({ seed, projection }: RunOptions, where: string): number {
    const result = this.#result;
    const start = this.#start;
    result.projectedResidualNorm = undefined;
    result.projected = undefined;
    this.#projectionMatvecs = 0;
    if (seed === undefined) return 0;
    const kind = projection ?? SOLVE_DEFAULTS.projection;
    result.projected = seed.project(start.operator, kind, start.b, start.x, start.zeroStart, where);
    result.projectedResidualNorm = seed.startResidualNorm;
    this.#projectionMatvecs = seed.size + (start.zeroStart ? 0 : 1);
    start.zeroStart &&= !result.projected;
    return seed.startResidualNorm;
  }

  #takeHistory(): void {
    if (this.#norms === undefined) return;
    const count = this.#method.takeHistory();
    const { view } = this.#history;
    for (let k = 0; k < count; k++) this.#norms.push(view[k]);
  }
}

/** Method `lu` has its own preconditioner. */
function checkFactors(preconditioner: NonNullable<RunOptions['preconditioner']>, where: string): void {
  const kind = preconditioner instanceof Preconditioner ? preconditioner.kind : preconditioner;
  if (kind === 'lu') return;
  throw new SeedspanError(
    'INVALID_VALUE',
    `${where}: method "lu" solves with its own factors; leave the preconditioner away, or give one of kind "lu"`,
    { option: 'preconditioner' },
  );
}

function kindOf(
  preconditioner: NonNullable<WorkspaceOptions['preconditioner']>,
): SolveResult['preconditioner'] {
  if (preconditioner instanceof Preconditioner) return preconditioner.kind;
  return typeof preconditioner === 'function' ? 'function' : preconditioner;
}
