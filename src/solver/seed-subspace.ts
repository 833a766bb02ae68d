import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { KernelObject } from '../memory/kernel-object.ts';
import { Scope } from '../memory/scope.ts';
import { checkNumberArray } from '../sparse/checks.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { SEED_DEFAULTS, SOLVE_DEFAULTS } from './defaults.ts';
import { KrylovBasis } from './krylov-basis.ts';
import { KernelOperator } from './operator.ts';
import { checkCount, checkSolveOptions, checkVector, systemSize, takeVector } from './options.ts';
import { Basis, type BasisPrecision, Projector } from './projector.ts';
import {
  checkIsSystem,
  checkSystem,
  type ExpandOptions,
  type SeedSubspaceOptions,
  type SeedSystem,
} from './seed-options.ts';
import type { ProjectionKind, Storage, SystemMatrix } from './types.ts';

/**
 * The span of the Krylov subspaces `span{b, A b, ..., A^(k-1) b}` of seeds' systems, and of what else is added, by an
 * orthonormal basis V (n x k, `V' V = I`). A start for other systems is found in it by projection (Chan and Wan 1997;
 * arXiv 2511.17634): with r the residual of the start x,
 *
 * - Galerkin: `(V' A V) y = V' r`, x <- x + V y
 * - minimal residual: `y = argmin ||r - A V y||`, x <- x + V y; the residual never grows.
 *
 * Neither seeds nor targets need the same pattern, only the same number of unknowns. New directions are merged by
 * Gram-Schmidt with column pivoting (Golub and Van Loan 2013, section 5.4.2): what depends on the basis is left out,
 * by a share of 1e-8 of its length or less that is new (1e-5 in single precision), and where there is not room for all
 * the directions with the most that is new come first.
 *
 * Made by `engine.seedSubspace`. Its memory is reserved when it is made, and does not change.
 */
export class SeedSubspace extends KernelObject {
  /** Unknowns. */
  readonly unknowns: number;
  /** Most basis vectors. */
  readonly maxDim: number;
  readonly precision: BasisPrecision;
  /** Bytes of kernel memory that it holds. */
  readonly bytes: number;
  /** `||b - A x||` before the last projection. @internal */
  startResidualNorm = 0;

  readonly #dim: number;
  readonly #rtol: number;
  readonly #storage: Storage;
  readonly #basis: Basis;
  readonly #projector: Projector;
  /** By column: the sum of its shares in past projections, each of which shares out 1. */
  readonly #weights: Float64Array;
  #seeds = 0;
  /** What must end before the basis may be used otherwise. */
  #busy: string | undefined;
  /** Batches under way, whose results must not depend on when they are taken. */
  #batches = 0;

  /** @internal */
  constructor(kernel: Kernel, systems: readonly SeedSystem[], options: SeedSubspaceOptions) {
    super(kernel);
    const where = 'seedSubspace';
    for (const system of systems) checkIsSystem(where, system);
    const [{ A, b }] = systems;
    checkNumberArray(where, 'b', b);
    const n = systemSize(where, A, options.size ?? (typeof A === 'function' ? b.length : undefined));
    for (const system of systems) checkSystem(where, system, n);
    this.unknowns = n;
    this.#dim = options.dim ?? SEED_DEFAULTS.dim;
    this.#rtol = options.rtol ?? SEED_DEFAULTS.rtol;
    this.#storage = options.storage ?? SOLVE_DEFAULTS.storage;
    this.maxDim = Math.min(options.maxDim ?? this.#dim * systems.length, n);
    this.precision = options.precision ?? SEED_DEFAULTS.precision;
    this.#weights = new Float64Array(this.maxDim);
    const before = kernel.bytesInUse;
    let bytes = 0;
    [this.#basis, this.#projector] = this.hold((scope) => {
      const basis = new Basis(scope, n, this.maxDim, this.precision);
      const projector = new Projector(scope, n, this.maxDim);
      bytes = kernel.bytesInUse - before;
      for (const system of systems) this.#add(basis, projector, where, system, {});
      return [basis, projector];
    });
    this.bytes = bytes;
  }

  /** Number of basis vectors. */
  get size(): number {
    return this.#basis.size;
  }

  /** How many systems it was given, at first and by `expand`. */
  get seeds(): number {
    return this.#seeds;
  }

  /** A copy of V, column after column: length `unknowns * size`. */
  basis(): Float64Array {
    this.checkAlive('the seed subspace');
    return this.#basis.toArray();
  }

  /** `max |V'V - I|`: some 1e-15, or 1e-7 in single precision. */
  orthogonality(): number {
    this.checkAlive('the seed subspace');
    this.#checkIdle('orthogonality');
    return this.#projector.orthogonality(this.#basis);
  }

  /**
   * Adds the Krylov basis of another system, and `x`, as far as they are new and there is room (`maxDim - size`; see
   * `shrink`). Needs kernel memory for the matrix and `dim + 3` vectors until it is done. An error leaves it as it was.
   *
   * @param A - of any pattern, with as many unknowns.
   * @param b - length n.
   * @returns how many directions were added.
   * @throws SeedspanError as `solve`; `BUSY` while a projection or a batch uses it.
   */
  expand(A: SystemMatrix, b: ArrayLike<number>, options: ExpandOptions = {}): number {
    const where = 'expand';
    this.checkAlive('the seed subspace');
    checkOptionNames(where, options, ['dim', 'rtol', 'storage', 'x']);
    const { dim, x, ...rest } = options;
    checkCount(where, 'dim', dim, 0);
    checkSolveOptions(where, rest, ['rtol', 'storage']);
    checkSystem(where, { A, b, x }, this.unknowns);
    return this.#alone(where, () => this.#add(this.#basis, this.#projector, where, { A, b, x }, options));
  }

  /**
   * As `expand`, of vectors that are known: solutions of earlier systems, say.
   *
   * @param vectors - each of length n.
   */
  expandWith(vectors: readonly ArrayLike<number>[]): number {
    const where = 'expandWith';
    this.checkAlive('the seed subspace');
    if (!Array.isArray(vectors)) {
      throw new SeedspanError(
        'INVALID_TYPE',
        `${where}: vectors must be an array of them, not ${show(vectors)}`,
      );
    }
    for (const [k, vector] of vectors.entries()) checkVector(where, `vectors[${k}]`, vector, this.unknowns);
    return this.#alone(where, () => {
      const scope = new Scope(this.kernel);
      try {
        return this.#merge(scope, where, vectors);
      } finally {
        scope.dispose();
      }
    });
  }

  /**
   * Keeps the directions that mattered most: those with the largest share, by `y_j^2 / ||y||^2`, in the projections
   * so far; of those with equal shares the earlier. What it holds of memory stays reserved.
   *
   * @param dim - how many, at the most; 0 empties it.
   * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `DISPOSED`, `BUSY`.
   */
  shrink(dim: number): void {
    const where = 'shrink';
    this.checkAlive('the seed subspace');
    checkCount(where, 'dim', dim ?? null, 0);
    this.#checkIdle(where);
    const weights = this.#weights;
    const byWeight = Array.from({ length: this.size }, (_, j) => j).sort(
      (i, j) => weights[j] - weights[i] || i - j,
    );
    const kept = byWeight.slice(0, dim).sort((i, j) => i - j);
    this.#basis.keep(kept);
    weights.set(kept.map((j) => weights[j]));
    weights.fill(0, kept.length);
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
    if (this.#busy !== undefined) throw this.#inUse(where);
    return this.#during('a projection', () => {
      const basis = this.#basis;
      const projector = this.#projector;
      const applied = projector.project(operator, kind, basis, b, x, zeroStart);
      this.startResidualNorm = projector.startNorm;
      if (applied) this.#weigh(projector.coefficients);
      return applied;
    });
  }

  /** Takes the basis as it is for a batch, until `letGoOfBatch`. @internal */
  keepForBatch(): void {
    this.#batches++;
    this.keep();
  }

  /** @internal */
  letGoOfBatch(): void {
    this.#batches--;
    this.letGo();
  }

  #weigh(y: Float64Array): void {
    let sum = 0;
    for (let j = 0; j < this.size; j++) sum += y[j] * y[j];
    if (!(sum > 0 && sum < Infinity)) return;
    for (let j = 0; j < this.size; j++) this.#weights[j] += (y[j] * y[j]) / sum;
  }

  /** Adds a system's directions; returns their number. Nothing is changed before all is built. */
  #add(
    basis: Basis,
    projector: Projector,
    where: string,
    { A, b, x }: SeedSystem,
    options: ExpandOptions,
  ): number {
    const n = this.unknowns;
    const scope = new Scope(this.kernel);
    try {
      const size = basis.size;
      const dim = Math.min(options.dim ?? this.#dim, n);
      const known = x === undefined ? undefined : scope.float64(n, 'the solution of the seed');
      if (known !== undefined) takeVector(this.kernel, where, 'x', x!, known);
      const krylov = dim === 0 || basis.size === basis.capacity ? undefined : new KrylovBasis(scope, n, dim);
      if (krylov !== undefined) {
        const operator = new KernelOperator(scope, A, n, options.storage ?? this.#storage);
        operator.load(A);
        const rightHandSide = scope.float64(n, 'the right-hand side of the seed');
        takeVector(this.kernel, where, 'b', b, rightHandSide);
        krylov.build(operator.pointer, rightHandSide.pointer, options.rtol ?? this.#rtol);
        this.checkAlive('the seed subspace');
      }
      const stride = this.kernel.exports.vectorStride(n);
      const work = scope.float64(dim + 2 * basis.capacity + 2, 'scratch of the seed').pointer;
      if (known !== undefined) projector.merge(basis, known.pointer, stride, 1, false, work);
      if (krylov !== undefined) projector.merge(basis, krylov.pointer, stride, krylov.size, true, work);
      this.#seeds++;
      return basis.size - size;
    } finally {
      scope.dispose();
    }
  }

  #merge(scope: Scope, where: string, vectors: readonly ArrayLike<number>[]): number {
    const { kernel } = this;
    const stride = kernel.exports.vectorStride(this.unknowns);
    const from = scope.bytes(vectors.length * stride, 'the vectors');
    const one = scope.float64(this.unknowns, 'a vector');
    const work = scope.float64(vectors.length + 2 * this.maxDim + 1, 'scratch of the seed').pointer;
    vectors.forEach((vector, k) => {
      takeVector(kernel, where, `vectors[${k}]`, vector, one);
      kernel.exports.copy(this.unknowns, one.pointer, from + k * stride);
    });
    return this.#projector.merge(this.#basis, from, stride, vectors.length, false, work);
  }

  #alone<T>(where: string, act: () => T): T {
    this.#checkIdle(where);
    return this.#during('an expansion', act);
  }

  #during<T>(what: string, act: () => T): T {
    this.#busy = what;
    this.keep();
    try {
      return act();
    } finally {
      this.#busy = undefined;
      this.letGo();
    }
  }

  #checkIdle(where: string): void {
    if (this.#busy !== undefined || this.#batches > 0) throw this.#inUse(where);
  }

  #inUse(where: string): SeedspanError {
    const what = this.#busy ?? 'a batch';
    return new SeedspanError('BUSY', `${where}: the seed is in use by ${what} that has not ended`);
  }
}

/** Refuses what is not a seed. */
export function checkSeed(where: string, seed: unknown): void {
  if (seed === undefined || seed instanceof SeedSubspace) return;
  throw new SeedspanError(
    'INVALID_TYPE',
    `${where}: seed must be made by engine.seedSubspace, not ${show(seed)}`,
  );
}
