import type { Float64Block } from '../memory/block.ts';
import { KernelObject } from '../memory/kernel-object.ts';
import { CsrMatrix } from '../sparse/index.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import type { BatchOptions, BatchPlan, BatchResult, BatchSystem, Lanes } from './batch-options.ts';
import { BATCH_DEFAULTS, defaultMaxiter, SOLVE_DEFAULTS } from './defaults.ts';
import { type KernelPattern, uploadPattern } from './diagonals.ts';
import { STATUSES } from './method.ts';
import { samePattern } from './operator.ts';
import { takeVector } from './options.ts';
import { zeroPivot } from './preconditioner.ts';
import { keepsStart } from './projector.ts';
import type { Precision } from './types.ts';
import { Workspace } from './workspace.ts';

/** Solves as many systems at once as it has lanes. One that throws in `start` leaves its lane free. */
export interface LaneSolver {
  readonly lanes: Lanes;
  /** Puts a system into a free lane, its numbers copied. */
  start(lane: number, system: BatchSystem, where: string): void;
  /** At most `count` iterations more, until a lane ends; returns how many at least one lane has made. */
  step(count: number): number;
  running(lane: number): boolean;
  /** The result of a lane that has ended; once for each system. */
  take(lane: number, index: number): BatchResult;
  hasPatternOf(A: CsrMatrix): boolean;
  dispose(): void;
}

/** One system after the other, in one workspace: for all methods. */
export class OneLane implements LaneSolver {
  readonly lanes = 1;
  readonly #workspace: Workspace;
  readonly #options: BatchOptions;
  readonly #indptr: Int32Array;
  readonly #indices: Int32Array;
  #running = false;

  constructor(kernel: Kernel, A: CsrMatrix, options: BatchOptions, where: string) {
    const { method = BATCH_DEFAULTS.method, preconditioner, side, restart } = options;
    const { storage, precision, recycle } = options;
    const made = { method, preconditioner, side, restart, storage, precision };
    const workspace = new Workspace(kernel, A, made, where);
    try {
      // For all systems: between two slices of one, nobody else may change it.
      recycle?.take(workspace, kernel, workspace.size, where);
    } catch (error) {
      workspace.dispose();
      throw error;
    }
    this.#workspace = workspace;
    this.#options = options;
    this.#indptr = A.indptr;
    this.#indices = A.indices;
  }

  start(_lane: number, { A, b, x0 }: BatchSystem, where: string): void {
    const { rtol, atol, maxiter, seed, projection, recycle } = this.#options;
    this.#using(where, () => {
      const options = { x0, rtol, atol, maxiter, seed, projection, recycle };
      this.#running = this.#workspace.begin(A, b, options, where);
    });
  }

  step(count: number): number {
    const before = this.#workspace.progress.iterations;
    this.#using('solveBatch', () => {
      this.#running = this.#workspace.step(count);
    });
    return this.#workspace.progress.iterations - before;
  }

  running(): boolean {
    return this.#running;
  }

  take(_lane: number, index: number): BatchResult {
    const result = this.#workspace.finish(undefined);
    const { status, converged, iterations, matvecs, residualNorm, rightHandSideNorm } = result;
    const { method, preconditioner, projected, projectedResidualNorm } = result;
    const numbers = { iterations, matvecs, residualNorm, rightHandSideNorm };
    const storage = result.storage === 'dia' ? 'dia' : 'csr';
    return {
      index,
      x: result.x.slice(),
      status,
      converged,
      ...numbers,
      method,
      preconditioner,
      storage,
      ...(projected === undefined ? {} : { projected, projectedResidualNorm }),
      lanes: 1,
      precision: result.precision,
    };
  }

  hasPatternOf(A: CsrMatrix): boolean {
    return samePattern(A, this.#indptr, this.#indices);
  }

  dispose(): void {
    this.#options.recycle?.giveBack();
    this.#workspace.dispose();
  }

  /** A function of the host's may dispose of things while it is called: what is in use stays until it is done. */
  #using(where: string, act: () => void): void {
    this.#workspace.acquire(where);
    try {
      act();
    } finally {
      this.#workspace.release();
    }
  }
}

interface Projection {
  projected: boolean;
  projectedResidualNorm: number;
  /** Products with A that it took. */
  matvecs: number;
}

/** The kernel's numbers of the kinds. */
const KINDS = { none: 0, jacobi: 1, ilu0: 2 } as const;

/** BiCGSTAB in two or four lanes in double precision, or in four or eight in single, which are refined. */
export class SimdLanes extends KernelObject implements LaneSolver {
  readonly lanes: Lanes;
  readonly precision: Precision;
  readonly #size: number;
  readonly #kind: keyof typeof KINDS;
  readonly #options: BatchOptions;
  readonly #indptr: Int32Array;
  readonly #indices: Int32Array;
  readonly #workspace: Pointer;
  readonly #pattern: KernelPattern;
  readonly #diagonal: Pointer;
  readonly #work: Pointer;
  /** One system, on its way into a lane or out of it. */
  readonly #values: Float64Block;
  readonly #inverse: Float64Block;
  readonly #b: Float64Block;
  readonly #x: Float64Block;
  /** The system in `#values`, to be projected. */
  readonly #operator: Pointer;
  /** By lane, with a seed: what the projection came to. */
  readonly #projections: Projection[] = [];
  /** Mixed: values, right-hand side and solution of the system in each lane. */
  readonly #systems: Float64Block;
  /** Mixed: the starts that were given. */
  readonly #starts: (Float64Array | undefined)[] = [];
  /** For Jacobi: place of each diagonal entry; -1 where there is none. */
  readonly #places: Int32Array;

  /** @internal */
  constructor(kernel: Kernel, A: CsrMatrix, options: BatchOptions, { lanes, precision }: BatchPlan) {
    super(kernel);
    const n = A.shape[0];
    const kind = (options.preconditioner ?? SOLVE_DEFAULTS.preconditioner) as keyof typeof KINDS;
    this.lanes = lanes;
    this.precision = precision;
    this.#size = n;
    this.#kind = kind;
    this.#options = options;
    this.#indptr = A.indptr;
    this.#indices = A.indices;
    this.#places = kind === 'jacobi' ? diagonalPlaces(A) : new Int32Array(0);
    const isIlu = kind === 'ilu0';
    const { exports } = kernel;
    const parts = this.hold((scope) => {
      const single = precision === 'mixed';
      const bytes = exports.batchSize(n, lanes, single, kind !== 'none');
      const workspace = scope.bytes(bytes, `the vectors of ${lanes} systems`);
      const pattern = uploadPattern(scope, A);
      const size = single ? 4 : 8;
      const data = scope.bytes(A.nnz * lanes * size, `the values of ${lanes} matrices`);
      const factors = scope.bytes(
        isIlu ? A.nnz * lanes * size : 0,
        `the ILU(0) factors of ${lanes} matrices`,
      );
      // In 32 bytes, as the kernel pads its vectors.
      const padded = Math.ceil((n * lanes * size) / 32) * 32;
      const inverses = scope.bytes(kind === 'none' ? 0 : padded, `the inverse pivots of ${lanes} matrices`);
      const systems = scope.float64(
        single ? lanes * (A.nnz + 2 * n) : 0,
        `${lanes} systems in double precision`,
      );
      const diagonal = scope.int32(isIlu ? n : 0, 'the places of the pivots').pointer;
      const { indptr, indices } = pattern;
      exports.batchInit(
        workspace,
        n,
        lanes,
        indptr,
        indices,
        data,
        KINDS[kind],
        factors,
        diagonal,
        inverses,
        single ? systems.pointer : 0,
      );
      return {
        workspace,
        pattern,
        diagonal,
        work: scope.int32(isIlu ? n : 0, 'scratch of the factorisation').pointer,
        operator: scope.bytes(exports.operatorSize(), 'an operator'),
        values: scope.float64(A.nnz, 'the values of a matrix'),
        inverse: scope.float64(kind === 'none' ? 0 : n, 'the inverse pivots of a matrix'),
        b: scope.float64(n, 'a right-hand side'),
        x: scope.float64(n, 'a solution'),
        systems,
      };
    });
    this.#workspace = parts.workspace;
    this.#pattern = parts.pattern;
    this.#diagonal = parts.diagonal;
    this.#work = parts.work;
    this.#operator = parts.operator;
    this.#values = parts.values;
    const { indptr, indices } = parts.pattern;
    exports.makeCsr(parts.operator, n, indptr, indices, parts.values.pointer);
    this.#inverse = parts.inverse;
    this.#b = parts.b;
    this.#x = parts.x;
    this.#systems = parts.systems;
  }

  start(lane: number, { A, b, x0 }: BatchSystem, where: string): void {
    this.checkAlive('the batch');
    const { exports } = this.kernel;
    const { rtol = SOLVE_DEFAULTS.rtol, atol = SOLVE_DEFAULTS.atol } = this.#options;
    const maxiter = this.#options.maxiter ?? defaultMaxiter(this.#size);
    takeVector(this.kernel, where, 'b', b, this.#b);
    if (x0 !== undefined) takeVector(this.kernel, where, 'x0', x0, this.#x);
    const values = this.#values.pointer;
    this.#values.view.set(A.data);
    const begin = (cold: boolean): void => {
      const { pointer: b } = this.#b;
      const { pointer: x } = this.#x;
      exports.batchStart(this.#workspace, lane, values, b, x, rtol, atol, maxiter, cold);
    };
    const cold = x0 === undefined;
    if (this.precision === 'mixed') this.#starts[lane] = x0 && this.#x.view.slice();
    const improved = this.#project(lane, cold, where);
    begin(cold && !improved);
    if (improved && !this.#keepsStart(lane)) {
      if (!cold) takeVector(this.kernel, where, 'x0', x0, this.#x);
      begin(cold);
    }
    try {
      this.#precondition(lane, A);
    } catch (error) {
      exports.batchDrop(this.#workspace, lane);
      throw error;
    }
  }

  step(count: number): number {
    this.checkAlive('the batch');
    return this.kernel.exports.batchStep(this.#workspace, count);
  }

  running(lane: number): boolean {
    return this.kernel.exports.statusOf(this.#record(lane)) === 0;
  }

  take(lane: number, index: number): BatchResult {
    this.checkAlive('the batch');
    const { exports } = this.kernel;
    const record = this.#record(lane);
    exports.batchTake(this.#workspace, lane, this.#x.pointer);
    const status = STATUSES[exports.statusOf(record) - 1];
    const { matvecs = 0, ...projection } = this.#projections[lane] ?? {};
    return {
      index,
      x: this.#x.view.slice(),
      status,
      converged: status === 'converged',
      iterations: exports.iterationsOf(record),
      matvecs: exports.matvecsOf(record) + matvecs,
      residualNorm: exports.residualNormOf(record),
      rightHandSideNorm: exports.rightHandSideNormOf(record),
      method: 'bicgstab',
      preconditioner: this.#kind,
      storage: 'csr',
      ...projection,
      lanes: this.lanes,
      precision: this.precision,
    };
  }

  /** Whether a lane has ended without converging. */
  failed(lane: number): boolean {
    return this.kernel.exports.statusOf(this.#record(lane)) > STATUSES.indexOf('converged') + 1;
  }

  /** Mixed: the system in a lane as it was given, until another is put there. */
  systemOf(lane: number): BatchSystem {
    const n = this.#size;
    const A = new CsrMatrix([n, n], this.#indptr, this.#indices);
    const from = lane * (A.nnz + 2 * n);
    const { view } = this.#systems;
    A.data.set(view.subarray(from, from + A.nnz));
    return { A, b: view.slice(from + A.nnz, from + A.nnz + n), x0: this.#starts[lane] };
  }

  hasPatternOf(A: CsrMatrix): boolean {
    return samePattern(A, this.#indptr, this.#indices);
  }

  /** Improves the start in `#x`; returns whether it did. */
  #project(lane: number, cold: boolean, where: string): boolean {
    const { seed, projection = SOLVE_DEFAULTS.projection } = this.#options;
    if (seed === undefined) return false;
    seed.checkUsable(this.kernel, this.#size, where);
    const { pointer: b } = this.#b;
    const projected = seed.project(this.#operator, projection, b, this.#x.pointer, cold, where);
    const matvecs = seed.size + (cold ? 0 : 1);
    this.#projections[lane] = { projected, projectedResidualNorm: seed.startResidualNorm, matvecs };
    return projected;
  }

  /** Whether the projected start is the better one; books it. */
  #keepsStart(lane: number): boolean {
    const { exports } = this.kernel;
    const record = this.#record(lane);
    const result = this.#projections[lane];
    const before = result.projectedResidualNorm;
    const after = exports.residualNormOf(record);
    if (keepsStart(this.#options.projection ?? SOLVE_DEFAULTS.projection, before, after)) {
      result.projectedResidualNorm = after;
      return true;
    }
    result.projected = false;
    result.matvecs += exports.matvecsOf(record);
    return false;
  }

  #record(lane: number): Pointer {
    return this.kernel.exports.batchLane(this.#workspace, lane);
  }

  /** The preconditioner of a system whose values were loaded; ILU(0) overwrites them. */
  #precondition(lane: number, A: CsrMatrix): void {
    if (this.#kind === 'none') return;
    const { exports } = this.kernel;
    const values = this.#values.pointer;
    const inverse = this.#inverse.pointer;
    if (this.#kind === 'jacobi') {
      const { view } = this.#inverse;
      for (let i = 0; i < view.length; i++) {
        const value = this.#places[i] < 0 ? 0 : A.data[this.#places[i]];
        if (value === 0 || !Number.isFinite(1 / value)) throw zeroPivot('jacobi', i, value);
        view[i] = 1 / value;
      }
    } else {
      const { indptr, indices } = this.#pattern;
      const n = this.#size;
      const row = exports.ilu0Factor(n, indptr, indices, values, this.#diagonal, inverse, this.#work);
      if (row >= 0) {
        throw zeroPivot('ilu0', row, A.indices.subarray(A.indptr[row], A.indptr[row + 1]).includes(row));
      }
    }
    exports.batchPrecondition(this.#workspace, lane, values, inverse);
  }
}

function diagonalPlaces(A: CsrMatrix): Int32Array {
  const places = new Int32Array(A.shape[0]).fill(-1);
  for (let i = 0; i < places.length; i++) {
    for (let k = A.indptr[i]; k < A.indptr[i + 1]; k++) if (A.indices[k] === i) places[i] = k;
  }
  return places;
}
