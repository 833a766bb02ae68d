import { SeedspanError } from '../errors.ts';
import type { Float64Block } from '../memory/block.ts';
import { KernelObject } from '../memory/kernel-object.ts';
import type { Scope } from '../memory/scope.ts';
import { checkNumberArray } from '../sparse/checks.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { SEED_DEFAULTS, SOLVE_DEFAULTS } from './defaults.ts';
import { KernelMethod } from './method.ts';
import { KernelOperator } from './operator.ts';
import { checkVector, systemSize, takeVector } from './options.ts';
import type { ProjectionKind, Storage, SystemMatrix } from './types.ts';

export interface SeedSubspaceOptions {
  /** Most basis vectors; never more than n are made. */
  dim?: number;
  /** Stop earlier, when the residual of the seed's own system is down to this share of ||b||. */
  rtol?: number;
  storage?: Storage;
  /** Unknowns; needed for a matrix-free system only. */
  size?: number;
}

/**
 * The Krylov subspace of a seed's system, `span{b, A b, ..., A^(k-1) b}`, by an orthonormal basis V (n x k) with
 * `A V_k = V_{k+1} H` and `V' V = I`. A start for other systems is found in it by projection (Chan and Wan 1997;
 * arXiv 2511.17634): with r the residual of the start x,
 *
 * - Galerkin: `(V' A V) y = V' r`, x <- x + V y
 * - minimal residual: `y = argmin ||r - A V y||`, x <- x + V y; the residual never grows.
 *
 * Made by `engine.seedSubspace`.
 */
export class SeedSubspace extends KernelObject {
  /** Unknowns. */
  readonly unknowns: number;
  /** `||b - A x||` before the last projection. @internal */
  startResidualNorm = 0;

  readonly #krylov: KrylovBasis;
  readonly #projector: Projector;
  #busy = false;

  /** @internal */
  constructor(kernel: Kernel, A: SystemMatrix, b: ArrayLike<number>, options: SeedSubspaceOptions) {
    super(kernel);
    const where = 'seedSubspace';
    checkNumberArray(where, 'b', b);
    const n = systemSize(where, A, options.size ?? (typeof A === 'function' ? b.length : undefined));
    this.unknowns = n;
    checkVector(where, 'b', b, n);
    const dim = Math.max(1, Math.min(options.dim ?? SEED_DEFAULTS.dim, n));
    [this.#krylov, this.#projector] = this.hold((scope) => {
      const operator = new KernelOperator(scope, A, n, options.storage ?? SOLVE_DEFAULTS.storage);
      operator.load(A);
      const rightHandSide = scope.float64(n, 'the right-hand side of the seed');
      takeVector(kernel, where, 'b', b, rightHandSide);
      const krylov = new KrylovBasis(scope, n, dim);
      krylov.build(operator.pointer, rightHandSide.pointer, options.rtol ?? SEED_DEFAULTS.rtol);
      return [krylov, new Projector(scope, n, dim)];
    });
  }

  /** Number of basis vectors; 0 when b = 0. */
  get size(): number {
    return this.#krylov.size;
  }

  /** A copy of V, column after column: length `unknowns * size`. */
  get basis(): Float64Array {
    this.checkAlive('the seed subspace');
    return this.#krylov.copyBasis(this.size);
  }

  /** A copy of `V_{k+1}`, with the vector that the next step would take; of `V_k` when the subspace is invariant. */
  get extendedBasis(): Float64Array {
    this.checkAlive('the seed subspace');
    return this.#krylov.copyBasis(this.size + (this.#krylov.invariant ? 0 : 1));
  }

  /** A copy of H, (size + 1) x size, column after column. */
  get hessenberg(): Float64Array {
    this.checkAlive('the seed subspace');
    return this.#krylov.copyHessenberg();
  }

  /** `max |V'V - I|`. */
  orthogonality(): number {
    this.checkAlive('the seed subspace');
    return this.#krylov.orthogonality();
  }

  /** @internal */
  checkUsable(kernel: Kernel, size: number, where: string): void {
    this.checkAlive('the seed subspace');
    if (this.kernel !== kernel) {
      throw new SeedspanError('INVALID_VALUE', `${where}: the seed belongs to another engine`);
    }
    if (this.unknowns === size) return;
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${where}: the seed has ${this.unknowns} unknowns, the system ${size}`,
    );
  }

  /** Improves x, returns whether it did. @internal */
  project(
    operator: Pointer,
    kind: ProjectionKind,
    b: Pointer,
    x: Pointer,
    zeroStart: boolean,
    where: string,
  ): boolean {
    if (this.#busy) {
      throw new SeedspanError('BUSY', `${where}: the seed is in use by a projection that has not ended`);
    }
    this.#busy = true;
    this.keep();
    try {
      const { basis, size } = this.#krylov;
      const applied = this.#projector.project(operator, kind, basis, size, b, x, zeroStart);
      this.startResidualNorm = this.#projector.startNorm;
      return applied;
    } finally {
      this.#busy = false;
      this.letGo();
    }
  }
}

/** The basis and the Hessenberg matrix that one cycle of GMRES leaves in the kernel. @internal */
export class KrylovBasis {
  /** The seed's own x after the last step, by minimal residual. */
  readonly x: Float64Block;
  /** Vectors in the basis. */
  size = 0;
  readonly #kernel: Kernel;
  readonly #n: number;
  readonly #dim: number;
  readonly #gmres: KernelMethod;
  readonly #work: Pointer;

  constructor(scope: Scope, n: number, dim: number) {
    this.#kernel = scope.kernel;
    this.#n = n;
    this.#dim = dim;
    this.x = scope.float64(n, 'the solution of the seed');
    this.#gmres = new KernelMethod(scope, 'gmres', n, false, dim, false);
    this.#work = scope.float64(dim, 'scratch of the seed').pointer;
  }

  /** From b; returns the products with A that it took. */
  build(operator: Pointer, b: Pointer, rtol: number): number {
    const gmres = this.#gmres;
    const { exports } = this.#kernel;
    const start = { operator, preconditioner: 0, b, x: this.x.pointer, rtol, atol: 0 };
    const init = (maxiter: number): boolean =>
      gmres.init({ ...start, maxiter, zeroStart: true, history: 0, historyCapacity: 0 });
    this.size = 0;
    // With b = 0, or not finite, no cycle begins and the workspace holds an older basis, or none.
    let running = init(this.#dim);
    if (!running) return gmres.matvecs;
    while (running && exports.gmresColumns(gmres.pointer) === gmres.iterations) running = gmres.step(1);
    let matvecs = gmres.matvecs;
    if (running) {
      // The cycle ended just short of the tolerance, and another began in the place of its basis. Made again, it
      // ends for good where it ended.
      const length = gmres.iterations;
      init(length);
      gmres.step(length);
      matvecs += gmres.matvecs;
    }
    this.size = exports.gmresColumns(gmres.pointer);
    return matvecs;
  }

  get basis(): Pointer {
    return this.#kernel.exports.gmresBasis(this.#gmres.pointer) >>> 0;
  }

  /** A V_k stays within V_k. */
  get invariant(): boolean {
    return this.size === 0 || this.copyHessenberg()[this.size * (this.size + 1) - 1] === 0;
  }

  copyBasis(columns: number): Float64Array {
    const stride = this.#kernel.exports.vectorStride(this.#n);
    const copy = new Float64Array(this.#n * columns);
    for (let j = 0; j < columns; j++) {
      copy.set(new Float64Array(this.#kernel.buffer, this.basis + j * stride, this.#n), j * this.#n);
    }
    return copy;
  }

  copyHessenberg(): Float64Array {
    const { size } = this;
    const from = this.#kernel.exports.gmresHessenberg(this.#gmres.pointer) >>> 0;
    const all = new Float64Array(this.#kernel.buffer, from, this.#dim * (this.#dim + 1));
    const copy = new Float64Array(size * (size + 1));
    for (let j = 0; j < size; j++) {
      for (let i = 0; i <= Math.min(j + 1, size); i++)
        copy[j * (size + 1) + i] = all[j * (this.#dim + 1) + i];
    }
    return copy;
  }

  orthogonality(): number {
    const { exports } = this.#kernel;
    return exports.orthogonality(this.#n, this.size, this.basis, exports.vectorStride(this.#n), this.#work);
  }
}

/** Room for projections on a basis of at most `dim` vectors. @internal */
export class Projector {
  /** `||b - A x||` before the last projection. */
  startNorm = 0;
  /** What the last projection left of it, as the projection has it. */
  residualNorm = 0;
  readonly #kernel: Kernel;
  readonly #n: number;
  readonly #W: Pointer;
  readonly #small: Pointer;
  readonly #r: Pointer;
  readonly #scratch: Pointer;

  constructor(scope: Scope, n: number, dim: number) {
    this.#kernel = scope.kernel;
    this.#n = n;
    this.#W = scope.bytes(dim * scope.kernel.exports.vectorStride(n), 'the product of the basis');
    this.#small = scope.float64((dim + 1) * (dim + 3), 'the projected matrix').pointer;
    this.#r = scope.float64(n, 'the residual').pointer;
    this.#scratch = scope.float64(n, 'scratch of the projection').pointer;
  }

  /** Improves x; returns whether it did. Takes `size` products with A, one more unless `zeroStart`. */
  project(
    operator: Pointer,
    kind: ProjectionKind,
    V: Pointer,
    size: number,
    b: Pointer,
    x: Pointer,
    zeroStart: boolean,
  ): boolean {
    const { exports } = this.#kernel;
    const n = this.#n;
    const r = this.#r;
    const W = this.#W;
    const stride = exports.vectorStride(n);
    if (zeroStart) {
      exports.zero(n, x);
      exports.copy(n, b, r);
    } else {
      exports.applyOperator(operator, x, r);
      exports.subtract(n, b, r, r);
    }
    this.startNorm = exports.norm2(n, r);
    let improved = 0;
    if (size > 0) {
      exports.applyToBasis(operator, size, V, stride, W);
      improved =
        kind === 'galerkin'
          ? exports.projectGalerkin(n, size, V, W, stride, this.#small, x, r)
          : exports.projectMinimalResidual(n, size, V, W, stride, this.#small, this.#scratch, x, r);
    }
    this.residualNorm = exports.norm2(n, r);
    return improved !== 0;
  }
}
