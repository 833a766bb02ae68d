import { log, log10 } from '../elementary.ts';
import type { Float64Block } from '../memory/block.ts';
import { KernelObject } from '../memory/kernel-object.ts';
import type { Scope } from '../memory/scope.ts';
import { gridCosts } from '../solver/auto.ts';
import { defaultMaxiter, MIXED_LEAST, SOLVE_DEFAULTS } from '../solver/defaults.ts';
import { DIA_BLOCK } from '../solver/diagonals.ts';
import { KrylovBasis } from '../solver/krylov-basis.ts';
import { KernelMethod } from '../solver/method.ts';
import { Basis, Projector } from '../solver/projector.ts';
import type { Precision, SolveStatus } from '../solver/types.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { type OperatorSettings, SharedOperator } from './shared-operator.ts';
import type { ProjectionSettings, StageTimes } from './types.ts';

export interface LinearSettings {
  method: 'bicgstab' | 'gmres';
  rtol: number;
  start: 'last-iterate' | 'zero';
  preconditioner: 'none' | 'multigrid' | 'auto';
  /** Undefined: nothing is shared. */
  projection: ProjectionSettings | undefined;
  /** Who shares a multigrid preconditioner, where there is one. */
  operator: OperatorSettings;
}

/** Beyond, an accelerated loop with multigrid beats one of plain solves (measured). */
const ACCELERATED_DOMINANCE = 0.6;

/** What one linear solve came to. */
export interface LinearOutcome {
  status: SolveStatus;
  iterations: number;
  matvecs: number;
  /** ||b - A x|| / ||b|| */
  residual: number;
  /** The same, of the projected start; undefined where nothing was projected. */
  projectedResidual: number | undefined;
  /** Whether it left directions for other systems, and how many there are then; undefined where none are shared. */
  seed: boolean;
  columns: number | undefined;
  /** Images and levels that its multigrid has served before; undefined where it had none. */
  operatorAge: number | undefined;
}

/**
 * A five-point system on a grid, in the kernel: the matrix is assembled into `data`, the right-hand side into
 * `b`, and `x` goes in as the last iterate and comes out as the solution. One for all systems of a run.
 */
export class GridSystem extends KernelObject {
  /** Values of the five diagonals, in the kernel's blocked layout. */
  readonly data: Pointer;
  readonly b: Float64Block;
  readonly x: Float64Block;
  /** For the caller: the last iterate, while `x` is being solved for. */
  readonly last: Float64Block;
  readonly #n: number;
  readonly #width: number;
  readonly #matrix: Pointer;
  readonly #residual: Pointer;
  readonly #settings: LinearSettings;
  readonly #method: KernelMethod;
  readonly #sharing: ReturnType<typeof makeSharing> | undefined;
  /** Of the present place. */
  #basis: Basis | undefined;
  /** Undefined where multigrid is out of the question. */
  readonly operator: SharedOperator | undefined;
  /** In what they are solved. */
  #precision: Precision = 'double';
  /** Of the inner solve that `begin` started. */
  #target = 0;
  /** Of the present solve: what a preconditioner of another's matrix took that did not get there. */
  #earlier = { iterations: 0, matvecs: 0 };
  /** How many images and levels its preconditioner had served before; undefined without one. */
  #age: number | undefined;

  /**
   * @param step - distance of the outer diagonals.
   * @param spacing - of the two axes: where they differ much, multigrid joins cells along the finer one first.
   * @param places - how many bases are kept beside each other; see `enter`.
   */
  constructor(
    kernel: Kernel,
    { height, width }: { height: number; width: number },
    step: number,
    settings: LinearSettings,
    spacing: readonly [number, number],
    places = 1,
  ) {
    super(kernel);
    const n = height * width;
    this.#n = n;
    this.#width = width;
    this.#settings = settings;
    const { exports } = kernel;
    const { method, projection } = settings;
    const parts = this.hold((scope: Scope) => {
      const slots = Math.ceil(n / DIA_BLOCK) * DIA_BLOCK * 5;
      const data = scope.float64(slots, 'the diagonals of the matrix').pointer;
      const offsets = scope.int32(
        Int32Array.of(-step, -1, 0, 1, step),
        'the offsets of the diagonals',
      ).pointer;
      const operator = scope.bytes(exports.operatorSize(), 'an operator');
      exports.makeDia(operator, n, 5, offsets, data);
      return {
        data,
        operator,
        b: scope.float64(n, 'the right-hand side'),
        x: scope.float64(n, 'the solution'),
        last: scope.float64(n, 'the last iterate'),
        residual: scope.float64(n, 'the residual').pointer,
        shared:
          settings.preconditioner === 'none'
            ? undefined
            : new SharedOperator(scope, { height, width }, spacing, settings.operator),
        method: new KernelMethod(
          scope,
          method,
          n,
          settings.preconditioner !== 'none',
          Math.min(SOLVE_DEFAULTS.restart, n),
          false,
          method === 'bicgstab' && settings.preconditioner === 'auto' ? { height, width } : undefined,
        ),
        sharing: projection && makeSharing(scope, n, projection, places),
      };
    });
    this.data = parts.data;
    this.b = parts.b;
    this.x = parts.x;
    this.last = parts.last;
    this.#matrix = parts.operator;
    this.#residual = parts.residual;
    this.#method = parts.method;
    this.#sharing = parts.sharing;
    this.operator = parts.shared;
  }

  /**
   * Decides whether the systems that follow get multigrid, and with `auto`, whether mixed precision is better.
   *
   * @param dominance - sum of the other entries of a row over its diagonal one, in absolute values.
   * @param reduction - what a solve multiplies the residual by.
   * @param accelerated - there are no solves, but one multigrid cycle a step.
   */
  choosePreconditioner(dominance: number, reduction: number, accelerated = false): void {
    this.#precision = 'double';
    let preconditioned = this.#settings.preconditioner === 'multigrid';
    if (this.#settings.preconditioner === 'auto' && accelerated) {
      preconditioned = dominance > ACCELERATED_DOMINANCE;
    } else if (this.#settings.preconditioner === 'auto') {
      const gap = Math.max((1 - dominance) / (1 + dominance), 3 / this.#n);
      const { plain, mixed, multigrid } = gridCosts(gap, log(2 / reduction), this.#width);
      const single = this.#settings.method === 'bicgstab' && this.#n >= MIXED_LEAST && mixed < plain;
      preconditioned = multigrid < (single ? mixed : plain);
      if (single && !preconditioned) this.#precision = 'mixed';
    }
    this.operator?.enterLevel(preconditioned, dominance / (1 - dominance));
  }

  /** y <- A x of the present matrix. */
  multiply(x: Pointer, y: Pointer): void {
    this.kernel.exports.applyOperator(this.#matrix, x, y);
  }

  /** ||b - A x|| / ||b|| of the present x; the norm itself where b = 0. */
  relativeResidual(): number {
    const { exports } = this.kernel;
    exports.applyOperator(this.#matrix, this.x.pointer, this.#residual);
    exports.subtract(this.#n, this.b.pointer, this.#residual, this.#residual);
    const norm = exports.norm2(this.#n, this.b.pointer);
    return exports.norm2(this.#n, this.#residual) / (norm || 1);
  }

  /**
   * The systems that follow share the basis of this place, of `places` in all.
   *
   * @param anew - without what it holds.
   */
  enter(place: number, anew: boolean): void {
    if (this.#sharing === undefined) return;
    this.#basis = this.#sharing.bases[place];
    if (anew) this.#basis.size = 0;
  }

  /**
   * Solves. A `seed` leaves its Krylov basis for the `target`s that follow, and so does a target that projects badly;
   * `alone` does neither.
   *
   * @param time - what it took is added here.
   */
  solve(role: 'alone' | 'seed' | 'target', time: StageTimes): LinearOutcome {
    const { rtol, start } = this.#settings;
    const operator = this.#matrix;
    const b = this.b.pointer;
    const x = this.x.pointer;
    const began = performance.now();
    let zeroStart = start === 'zero';
    let iterations = 0;
    let matvecs = 0;
    let seed = role === 'seed';
    let projectedNorm: number | undefined;
    const sharing = role === 'alone' ? undefined : this.#sharing;
    if (sharing !== undefined) {
      const { krylov, projector, settings } = sharing;
      const basis = this.#basis!;
      if (role === 'target') {
        const improved = projector.project(operator, settings.kind, basis, b, x, zeroStart);
        matvecs = basis.size + (zeroStart ? 0 : 1);
        zeroStart &&= !improved;
        projectedNorm = projector.residualNorm;
        const { threshold = Infinity } = settings;
        const norm = this.kernel.exports.norm2(this.#n, b);
        seed = projectedNorm > threshold * norm && basis.size < basis.capacity;
      }
      if (seed && krylov !== undefined) {
        matvecs += krylov.build(operator, b, rtol);
        iterations = krylov.size;
        // Without a basis (b = 0, or not finite) there is no start either.
        if (krylov.size > 0 && !(krylov.residualNorm >= (projectedNorm ?? Infinity))) {
          this.kernel.exports.copy(this.#n, krylov.x.pointer, x);
          zeroStart = false;
        }
        const stride = this.kernel.exports.vectorStride(this.#n);
        projector.merge(basis, krylov.pointer, stride, krylov.size, true, sharing.work);
      }
    }
    const ready = performance.now();
    const method = this.#method;
    if (this.operator?.due) this.operator.take(this.data);
    if (this.#init(rtol, zeroStart)) this.#advance(rtol);
    const solved = performance.now();
    if (seed && sharing?.known !== undefined) {
      const { projector, known, work } = sharing;
      this.kernel.exports.copy(this.#n, x, known);
      projector.merge(this.#basis!, known, this.kernel.exports.vectorStride(this.#n), 1, false, work);
    }
    time.projection += ready - began + performance.now() - solved;
    time.solve += solved - ready;
    const outcome = this.#outcome(iterations, matvecs);
    if (sharing === undefined) return outcome;
    const projectedResidual =
      projectedNorm === undefined ? undefined : projectedNorm / (method.rightHandSideNorm || 1);
    return { ...outcome, projectedResidual, seed, columns: this.#basis!.size };
  }

  #init(rtol: number, zeroStart: boolean): boolean {
    const digits = -log10(rtol);
    const most = defaultMaxiter(this.#n);
    const start = {
      operator: this.#matrix,
      preconditioner: this.operator?.pointer ?? 0,
      b: this.b.pointer,
      x: this.x.pointer,
      rtol,
      atol: 0,
      maxiter: Math.min(most, this.operator?.limit(digits) ?? most),
      zeroStart,
      history: 0,
      historyCapacity: 0,
    };
    this.#earlier = { iterations: 0, matvecs: 0 };
    this.#age = undefined;
    return this.#method.init(start, this.#precision);
  }

  /** Goes on after `init`; with multigrid of the present matrix, where another's does not get there. */
  #advance(rtol: number, share?: number): void {
    const method = this.#method;
    const { operator } = this;
    const most = defaultMaxiter(this.#n);
    for (;;) {
      const start = method.residualNorm;
      this.#age = operator !== undefined && operator.pointer !== 0 ? operator.use() : undefined;
      if (share !== undefined) method.loosen(share);
      method.step(most);
      if (operator === undefined || this.#age === undefined) return;
      if (method.status === 'converged' || !operator.retry()) {
        const digits = log10(start / method.residualNorm);
        operator.observe(method.iterations, digits > 0 && digits < Infinity ? digits : 0);
        return;
      }
      const { iterations, matvecs } = method;
      operator.take(this.data);
      // What it left may be worse than nothing.
      const more = this.#init(rtol, !(method.residualNorm <= start));
      share = undefined;
      this.#earlier = { iterations, matvecs };
      if (!more) return;
    }
  }

  #outcome(iterations = 0, matvecs = 0): LinearOutcome {
    const method = this.#method;
    return {
      status: method.status,
      iterations: iterations + this.#earlier.iterations + method.iterations,
      matvecs: matvecs + this.#earlier.matvecs + method.matvecs,
      residual: method.residualNorm / (method.rightHandSideNorm || 1),
      projectedResidual: undefined,
      seed: false,
      columns: undefined,
      operatorAge: this.#age,
    };
  }

  /**
   * Starts an inner solve of a non-linear loop at the present x. Returns ||b - A x|| / ||b||, the measure of the
   * loop; the norm itself where b = 0. At `target` or below there is nothing left to do.
   */
  begin(target: number): number {
    this.#target = target;
    this.#init(target, false);
    return this.#method.residualNorm / (this.#method.rightHandSideNorm || 1);
  }

  /** Goes on after `begin`, until the residual is down to `share` of what it was, or to the target. */
  improve(share: number, time: StageTimes): LinearOutcome {
    const began = performance.now();
    // Made only now: a start that is good enough needs none.
    if (this.operator?.due) {
      this.operator.take(this.data);
      if (this.operator.pointer === 0) this.#init(this.#target, false);
    }
    this.#advance(this.#target, share);
    time.solve += performance.now() - began;
    return this.#outcome();
  }

  /** ||x - last|| / ||last||. */
  relativeChange(): number {
    const { exports } = this.kernel;
    const change = Math.sqrt(exports.distanceSquared(this.#n, this.x.pointer, this.last.pointer));
    return change / (exports.norm2(this.#n, this.last.pointer) || 1);
  }
}

/** What leaves bases and projects on them. */
function makeSharing(scope: Scope, n: number, settings: ProjectionSettings, places: number) {
  const dim = Math.min(settings.dim, n);
  const capacity = Math.min(settings.maxDim, n);
  const { precision, solutions } = settings;
  return {
    settings,
    krylov: dim > 0 ? new KrylovBasis(scope, n, dim) : undefined,
    /** A seed's solution, on its way into a basis. */
    known: solutions ? scope.float64(n, 'the solution of a seed').pointer : undefined,
    projector: new Projector(scope, n, capacity),
    bases: Array.from({ length: places }, () => new Basis(scope, n, capacity, precision)),
    work: scope.float64(dim + 2 * capacity + 2, 'scratch of the bases').pointer,
  };
}
