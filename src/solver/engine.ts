import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { hasMark } from '../marks.ts';
import { Disposable } from '../memory/disposable.ts';
import { Scope } from '../memory/scope.ts';
import { checkNumberArray } from '../sparse/checks.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import { VERSION } from '../version.ts';
import type { Build } from '../wasm/builds.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { Attempts } from './attempts.ts';
import { Batch, sourceOf } from './batch.ts';
import { type BatchOptions, type BatchResult, type BatchSystem, checkBatchOptions } from './batch-options.ts';
import { uploadPattern } from './diagonals.ts';
import { checkFactorizeOptions, Factorization, type FactorizeOptions } from './factorization.ts';
import {
  checkChoice,
  checkCount,
  checkFlag,
  checkMatrix,
  checkOut,
  checkSolveOptions,
  checkVector,
  SOLVE_ASYNC_OPTIONS,
  SOLVE_OPTIONS,
  systemSize,
  takeVector,
  WORKSPACE_OPTIONS,
} from './options.ts';
import { FACTORED_KINDS, type FactoredKind, Preconditioner } from './preconditioner.ts';
import { RecycleSpace, type RecycleSpaceOptions } from './recycle-space.ts';
import type { SeedSubspaceOptions, SeedSystem } from './seed-options.ts';
import { SeedSubspace } from './seed-subspace.ts';
import type { SolveAsyncOptions, SolveOptions } from './solve-options.ts';
import type { SolveResult, SystemMatrix } from './types.ts';
import { Workspace } from './workspace.ts';
import type { WorkspaceOptions } from './workspace-options.ts';
import { yieldToHost } from './yield.ts';

/** How long `solveAsync` works before it lets others run, in milliseconds. */
const SLICE = 8;

/** Of the version, too: kernel and what calls it fit together only then. */
const MARK = Symbol.for(`seedspan.Engine ${VERSION}`);

/** What workers need is loaded when it is asked for. */
async function* solveInWorkers(
  ...parameters: Parameters<typeof import('./batch-workers.ts').solveInWorkers>
): AsyncGenerator<BatchResult, void, undefined> {
  const { solveInWorkers: solve } = await import('./batch-workers.ts');
  yield* solve(...parameters);
}

/** One instance of the kernel, and all that is made in its memory. Engines are independent of each other. */
export class Engine extends Disposable {
  /** @internal */
  readonly kernel: Kernel;

  /** @internal */
  constructor(kernel: Kernel) {
    super();
    this.kernel = kernel;
  }

  /** @internal */
  get [MARK](): true {
    return true;
  }

  /** Also for engines that another copy of the package made. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return hasMark(value, MARK);
  }

  /** The build of the kernel that was loaded. */
  get build(): Build {
    return this.kernel.build;
  }

  /** Bytes of kernel memory that workspaces, preconditioners and seeds hold. */
  get bytesInUse(): number {
    return this.kernel.bytesInUse;
  }

  /**
   * Solves A x = b.
   *
   * @param A - square matrix, or a function that multiplies (its size is b's length).
   * @param b - length n.
   * @returns also when the tolerance is not met: see `status` and `residualNorm`.
   * @throws SeedspanError for arguments that cannot be used: `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION`,
   *   `SHAPE_MISMATCH`, `ZERO_PIVOT`, `OUT_OF_MEMORY`, `DISPOSED`, `BUSY`. What a matrix-free function throws
   *   comes through.
   */
  solve(A: SystemMatrix, b: ArrayLike<number>, options: SolveOptions = {}): SolveResult {
    if (options?.method !== 'auto') return this.#solve(A, b, options);
    const attempts = new Attempts(this.kernel, A, options);
    for (const attempt of attempts) attempts.take(() => this.#solve(A, b, attempt));
    return attempts.result;
  }

  #solve(A: SystemMatrix, b: ArrayLike<number>, options: SolveOptions): SolveResult {
    const workspace = this.#prepare(A, b, options, 'solve', SOLVE_OPTIONS);
    workspace.acquire('solve');
    try {
      if (workspace.begin(A, b, options, 'solve')) workspace.step(2 ** 31 - 1);
      return workspace.finish(options.out);
    } finally {
      workspace.release();
      if (workspace !== options.workspace) workspace.dispose();
    }
  }

  /**
   * As `solve`, in slices of some milliseconds, so that a page or server stays responsive, the solve can be
   * cancelled, and its progress followed. The matrix and b are copied before the promise is returned.
   */
  async solveAsync(
    A: SystemMatrix,
    b: ArrayLike<number>,
    options: SolveAsyncOptions = {},
  ): Promise<SolveResult> {
    const where = 'solveAsync';
    checkOptionNames(where, options, SOLVE_ASYNC_OPTIONS);
    const { signal, onProgress } = options;
    checkSignal(signal, where);
    if (onProgress !== undefined && typeof onProgress !== 'function') {
      throw new SeedspanError(
        'INVALID_TYPE',
        `${where}: onProgress must be a function, not ${show(onProgress)}`,
      );
    }
    signal?.throwIfAborted();
    const attempts = new Attempts(this.kernel, A, options);
    for (const attempt of attempts) await attempts.takeAsync(() => this.#solveAsync(A, b, attempt));
    return attempts.result;
  }

  async #solveAsync(A: SystemMatrix, b: ArrayLike<number>, options: SolveAsyncOptions): Promise<SolveResult> {
    const where = 'solveAsync';
    const { signal, onProgress } = options;
    const workspace = this.#prepare(A, b, options, where, SOLVE_ASYNC_OPTIONS);
    workspace.acquire(where);
    try {
      let running = workspace.begin(A, b, options, where);
      for (let count = 1; running; ) {
        const start = performance.now();
        running = workspace.step(count);
        const elapsed = performance.now() - start;
        onProgress?.(workspace.progress);
        // Towards slices of the wanted length, carefully: the first iterations run in slower code.
        count = Math.max(1, Math.min(count * 2, Math.floor((count * SLICE) / Math.max(elapsed, 0.01))));
        if (!running) break;
        await yieldToHost();
        signal?.throwIfAborted();
      }
      return workspace.finish(options.out);
    } finally {
      workspace.release();
      if (workspace !== options.workspace) workspace.dispose();
    }
  }

  /**
   * Solves many systems of one sparsity pattern, several at a time in SIMD lanes where that is faster, and
   * in mixed precision where the tolerance allows (see {@link BatchOptions}).
   *
   * Systems are taken while others are solved, at most 32 before their results were handed out, so that any number
   * of them needs the same memory; with `lanes: 1` each result comes before the next system is taken. Each
   * system's numbers are copied when it is taken: the next may be the same matrix after `setData`. A result is the
   * same, bit for bit, whatever the order and the neighbours (but that with `method: 'auto'` the first system decides
   * on the method, and that with `recycle` and `sharing` each system has what those before it left). With `seed`, each system's
   * start is projected on the seed's subspace, which is not to be changed while the batch runs. Kernel memory is given
   * back when the loop ends, also by `break` or an error.
   *
   * @param systems - `{ A, b, x0? }` each, from an array, a generator, or an asynchronous one. They are taken while
   *   the loop runs.
   * @returns the results, in order, also of systems that did not converge.
   * @throws SeedspanError at once for options that cannot be used: `INVALID_TYPE`, `INVALID_VALUE`,
   *   `UNKNOWN_OPTION`, `DISPOSED`. From the loop, when the results of all systems before have been handed out, for
   *   a system that cannot be used: besides those `SHAPE_MISMATCH` (another pattern, too), `ZERO_PIVOT`,
   *   `OUT_OF_MEMORY`; `details.index` is its number. What the source of the systems throws comes through.
   * @example
   * ```ts
   * for await (const { index, x, status } of engine.solveBatch(systems, { preconditioner: 'ilu0' })) {
   *   console.log(index, status, x);
   * }
   * ```
   */
  solveBatch(
    systems: Iterable<BatchSystem> | AsyncIterable<BatchSystem>,
    options: BatchOptions = {},
  ): AsyncGenerator<BatchResult, void, undefined> {
    const where = 'solveBatch';
    this.checkAlive('the engine');
    checkBatchOptions(where, options);
    const count = Array.isArray(systems) ? systems.length : undefined;
    const source = sourceOf(systems, where);
    const { workers } = options;
    if (workers === undefined) return new Batch(this.kernel, source, count, options).run();
    return solveInWorkers(this.kernel, source, count, { ...options, workers });
  }

  /**
   * Reserves everything that solves with the pattern of A need, so that they allocate nothing.
   *
   * @example
   * ```ts
   * using workspace = engine.workspace(A, { method: 'bicgstab', preconditioner: 'ilu0' });
   * for (const values of sequence) engine.solve(A.setData(values), b, { workspace, out: x });
   * ```
   */
  workspace(A: SystemMatrix, options: WorkspaceOptions = {}): Workspace {
    this.checkAlive('the engine');
    checkSolveOptions('workspace', options, WORKSPACE_OPTIONS);
    return new Workspace(this.kernel, A, options, 'workspace');
  }

  /**
   * Makes a preconditioner to be used for several solves, also of matrices that have changed since.
   *
   * @throws SeedspanError `ZERO_PIVOT`, and as `solve`.
   */
  preconditioner(A: CsrMatrix, kind: FactoredKind): Preconditioner {
    this.checkAlive('the engine');
    checkMatrix('preconditioner', A);
    systemSize('preconditioner', A, undefined);
    if (!FACTORED_KINDS.includes(kind)) {
      throw new SeedspanError(
        'INVALID_VALUE',
        `preconditioner: kind is ${show(kind)}, must be ${FACTORED_KINDS.map(show).join(', ')}`,
        { option: 'kind', value: kind },
      );
    }
    return new Preconditioner(this.kernel, kind, A);
  }

  /**
   * Factors a square matrix, to solve with it directly: once, or for many right-hand sides, or again for other values in
   * the same pattern. See {@link Factorization} and {@link FactorizeOptions}.
   *
   * @throws SeedspanError `ZERO_PIVOT` where A is singular (`details.column` is a column that has no pivot left; rounding
   *   may hide that: see `conditionEstimate`), `OUT_OF_MEMORY`, `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION`,
   *   `SHAPE_MISMATCH`, `DISPOSED`.
   * @example
   * ```ts
   * using factors = engine.factorize(A);
   * const { x } = factors.solve(b);
   * const { x: y } = factors.update(A.setData(values)).solve(b, { transpose: true });
   * ```
   */
  factorize(A: CsrMatrix, options: FactorizeOptions = {}): Factorization {
    this.checkAlive('the engine');
    checkMatrix('factorize', A);
    systemSize('factorize', A, undefined);
    checkFactorizeOptions('factorize', options);
    return new Factorization(this.kernel, A, options);
  }

  /**
   * Makes an empty space for a sequence of solves by `gcro-dr`; see {@link RecycleSpace}.
   *
   * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION`, `OUT_OF_MEMORY`, `DISPOSED`.
   */
  recycleSpace(options: RecycleSpaceOptions): RecycleSpace {
    const where = 'recycleSpace';
    this.checkAlive('the engine');
    checkOptionNames(where, options ?? {}, ['size', 'dim']);
    if (options?.size === undefined) {
      throw new SeedspanError('INVALID_VALUE', `${where}: needs the option size, the number of unknowns`);
    }
    checkCount(where, 'size', options.size, 0);
    checkCount(where, 'dim', options.dim, 1);
    return new RecycleSpace(this.kernel, options);
  }

  /**
   * Builds the Krylov subspace of a seed's system, or of several, merged; see {@link SeedSubspace}.
   *
   * @example
   * ```ts
   * using seed = engine.seedSubspace([{ A: first, b }, { A: second, b: c }], { dim: 10, maxDim: 40 });
   * const { x, projectedResidualNorm } = engine.solve(A, b, { seed });
   * seed.expandWith([x]);
   * ```
   * @throws SeedspanError as `solve`.
   */
  seedSubspace(A: SystemMatrix, b: ArrayLike<number>, options?: SeedSubspaceOptions): SeedSubspace;
  seedSubspace(systems: readonly SeedSystem[], options?: SeedSubspaceOptions): SeedSubspace;
  seedSubspace(
    given: SystemMatrix | readonly SeedSystem[],
    second?: ArrayLike<number> | SeedSubspaceOptions,
    third?: SeedSubspaceOptions,
  ): SeedSubspace {
    const where = 'seedSubspace';
    this.checkAlive('the engine');
    const several = Array.isArray(given);
    const systems: readonly SeedSystem[] = several
      ? given
      : [{ A: given as SystemMatrix, b: second as ArrayLike<number> }];
    const last = several ? second : third;
    const options = (last === undefined ? {} : last) as SeedSubspaceOptions;
    checkOptionNames(where, options, ['dim', 'maxDim', 'rtol', 'precision', 'storage', 'size']);
    const { dim, maxDim, precision, ...rest } = options;
    checkCount(where, 'dim', dim, 1);
    checkCount(where, 'maxDim', maxDim, 1);
    checkChoice(where, 'precision', precision, ['double', 'single']);
    checkSolveOptions(where, rest, ['rtol', 'storage', 'size']);
    if (systems.length === 0) {
      throw new SeedspanError('INVALID_VALUE', `${where}: there must be at least one seed`);
    }
    return new SeedSubspace(this.kernel, systems, options);
  }

  /**
   * `A x`, or `A' x` with `transpose`, in the kernel. For one product; a solve keeps its matrix there.
   *
   * @param A - any shape.
   */
  multiply(
    A: CsrMatrix,
    x: ArrayLike<number>,
    options: { transpose?: boolean; out?: Float64Array } = {},
  ): Float64Array {
    this.checkAlive('the engine');
    checkMatrix('multiply', A);
    checkOptionNames('multiply', options, ['transpose', 'out']);
    checkFlag('multiply', 'transpose', options.transpose);
    const [rows, columns] = A.shape;
    const transpose = options.transpose ?? false;
    const [from, to] = transpose ? [rows, columns] : [columns, rows];
    checkVector('multiply', 'x', x, from);
    checkOut('multiply', options.out, to);
    const scope = new Scope(this.kernel);
    try {
      const { indptr, indices } = uploadPattern(scope, A);
      const data = scope.float64(A.nnz, 'the values of the matrix');
      const input = scope.float64(from, 'the vector');
      const output = scope.float64(to, 'the product');
      data.view.set(A.data);
      takeVector(this.kernel, 'multiply', 'x', x, input);
      const { exports } = this.kernel;
      if (transpose) {
        exports.csrMultiplyTransposed(
          rows,
          columns,
          indptr,
          indices,
          data.pointer,
          input.pointer,
          output.pointer,
        );
      } else {
        exports.csrMultiply(rows, indptr, indices, data.pointer, input.pointer, output.pointer);
      }
      const out = options.out ?? new Float64Array(to);
      out.set(output.view);
      return out;
    } finally {
      scope.dispose();
    }
  }

  /** Checks what can be checked before anything is reserved, and finds or makes the workspace. */
  #prepare(
    A: SystemMatrix,
    b: ArrayLike<number>,
    options: SolveOptions,
    where: string,
    known: readonly string[],
  ): Workspace {
    this.checkAlive('the engine');
    checkSolveOptions(where, options, known);
    checkNumberArray(where, 'b', b);
    const size = systemSize(where, A, typeof A === 'function' ? b.length : undefined);
    checkVector(where, 'b', b, size);
    const { workspace } = options;
    if (workspace === undefined) {
      const { method, preconditioner, side, restart, storage, precision } = options;
      const made = { method, preconditioner, side, restart, storage, precision, size };
      return new Workspace(this.kernel, A, made, where);
    }
    if (!(workspace instanceof Workspace) || workspace.kernel !== this.kernel) {
      throw new SeedspanError(
        'INVALID_VALUE',
        `${where}: workspace must be made by this engine's workspace()`,
      );
    }
    if (workspace.size !== size) {
      throw new SeedspanError(
        'SHAPE_MISMATCH',
        `${where}: the workspace has ${workspace.size} unknowns, the system ${size}`,
      );
    }
    return workspace;
  }

  /** Disposes of everything that was made with this engine, too. */
  protected onDispose(): void {
    this.kernel.closed = true;
    for (const object of [...this.kernel.objects]) object.dispose();
  }
}

function checkSignal(signal: unknown, where: string): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw new SeedspanError('INVALID_TYPE', `${where}: signal must be an AbortSignal, not ${show(signal)}`);
}
