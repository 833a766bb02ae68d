import type { Float64Block } from '../memory/block.ts';
import type { Scope } from '../memory/scope.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { DEPENDENT } from './defaults.ts';
import type { ProjectionKind } from './types.ts';

/** How the columns of a basis are stored; sums are of double precision either way. */
export type BasisPrecision = 'double' | 'single';

/** Orthonormal columns in the kernel, at most `capacity` of them. @internal */
export class Basis {
  size = 0;
  readonly n: number;
  readonly capacity: number;
  readonly single: boolean;
  readonly pointer: Pointer;
  /** Bytes from one column to the next. */
  readonly stride: number;
  readonly #kernel: Kernel;

  constructor(scope: Scope, n: number, capacity: number, precision: BasisPrecision) {
    this.#kernel = scope.kernel;
    this.n = n;
    this.capacity = capacity;
    this.single = precision === 'single';
    // As long as a vector of half the length, in whole cache lines.
    this.stride = scope.kernel.exports.vectorStride(this.single ? Math.ceil(n / 2) : n);
    this.pointer = scope.bytes(capacity * this.stride, 'the basis');
  }

  /** Takes the first columns at `from`, of f64 and orthonormal, as they are, into the places from `size` on. */
  append(from: Pointer, stride: number, count: number): void {
    const { exports } = this.#kernel;
    for (let j = 0; j < count; j++, this.size++) {
      const to = this.pointer + this.size * this.stride;
      if (this.single) exports.narrow(this.n, from + j * stride, to);
      else exports.copy(this.n, from + j * stride, to);
    }
  }

  /** Writes the columns as f64 to `to`, `stride` bytes apart. */
  copyTo(to: Pointer, stride: number): void {
    const { exports } = this.#kernel;
    for (let j = 0; j < this.size; j++) {
      const from = this.pointer + j * this.stride;
      if (this.single) exports.widen(this.n, from, to + j * stride);
      else exports.copy(this.n, from, to + j * stride);
    }
  }

  /** Keeps the columns of these numbers, which ascend. */
  keep(columns: readonly number[]): void {
    const bytes = new Uint8Array(this.#kernel.buffer);
    columns.forEach((from, to) => {
      const start = this.pointer + from * this.stride;
      bytes.copyWithin(this.pointer + to * this.stride, start, start + this.stride);
    });
    this.size = columns.length;
  }

  /** Column after column. */
  toArray(): Float64Array {
    const { n, size, stride } = this;
    const all = new Float64Array(n * size);
    const { buffer } = this.#kernel;
    for (let j = 0; j < size; j++) {
      const start = this.pointer + j * stride;
      all.set(this.single ? new Float32Array(buffer, start, n) : new Float64Array(buffer, start, n), j * n);
    }
    return all;
  }
}

/** Room for work on bases of at most `capacity` vectors: projections, and what makes two bases one. @internal */
export class Projector {
  /** `||b - A x||` before the last projection. */
  startNorm = 0;
  /** What the last projection left of it, as the projection has it. */
  residualNorm = 0;
  readonly #kernel: Kernel;
  readonly #n: number;
  /** `capacity` columns of f64: A V, or a basis in single precision, widened. */
  readonly #W: Pointer;
  readonly #stride: number;
  readonly #small: Float64Block;
  readonly #r: Pointer;
  readonly #scratch: Pointer;

  constructor(scope: Scope, n: number, capacity: number) {
    this.#kernel = scope.kernel;
    this.#n = n;
    this.#stride = scope.kernel.exports.vectorStride(n);
    this.#W = scope.bytes(capacity * this.#stride, 'the product of the basis');
    this.#small = scope.float64((capacity + 1) * (capacity + 3), 'the projected matrix');
    this.#r = scope.float64(n, 'the residual').pointer;
    this.#scratch = scope.float64(n, 'scratch of the projection').pointer;
  }

  /** Improves x; returns whether it did. Takes a product with A for each column, one more unless `zeroStart`. */
  project(
    operator: Pointer,
    kind: ProjectionKind,
    basis: Basis,
    b: Pointer,
    x: Pointer,
    zeroStart: boolean,
  ): boolean {
    const { exports } = this.#kernel;
    const n = this.#n;
    const r = this.#r;
    if (zeroStart) {
      exports.zero(n, x);
      exports.copy(n, b, r);
    } else {
      exports.applyOperator(operator, x, r);
      exports.subtract(n, b, r, r);
    }
    this.startNorm = exports.norm2(n, r);
    let improved = 0;
    const { size, pointer: V, stride, single } = basis;
    if (size > 0) {
      const W = this.#W;
      const scratch = this.#scratch;
      exports.applyToBasis(operator, size, V, stride, single, W, this.#stride, scratch);
      const project = kind === 'galerkin' ? exports.projectGalerkin : exports.projectMinimalResidual;
      const small = this.#small.pointer;
      improved = project(n, size, V, stride, single, W, this.#stride, small, scratch, x, r);
    }
    this.residualNorm = exports.norm2(n, r);
    return improved !== 0;
  }

  /** The share that each column had in the last projection that improved its x. Valid until the next call. */
  get coefficients(): Float64Array {
    return this.#small.view;
  }

  /**
   * Appends what is new in `count` vectors of f64 at `from`, as far as there is room; they are lost. Orthonormal ones
   * become the first basis as they are.
   *
   * @param orthonormal - that they are.
   * @param work - room for `count + 2 capacity + 1` numbers.
   * @returns how many columns were appended.
   */
  merge(
    basis: Basis,
    from: Pointer,
    stride: number,
    count: number,
    orthonormal: boolean,
    work: Pointer,
  ): number {
    const { size, capacity, single } = basis;
    const room = capacity - size;
    if (orthonormal && size === 0) {
      basis.append(from, stride, Math.min(count, room));
      return basis.size;
    }
    const { exports } = this.#kernel;
    const V = single ? this.#W : basis.pointer;
    if (single) basis.copyTo(V, this.#stride);
    const tolerance = single ? DEPENDENT.single : DEPENDENT.double;
    const added = exports.mergeBasis(
      this.#n,
      size,
      room,
      V,
      this.#stride,
      count,
      from,
      stride,
      tolerance,
      work,
    );
    if (single) basis.append(V + size * this.#stride, this.#stride, added);
    else basis.size += added;
    return added;
  }

  /** `max |V'V - I|`. */
  orthogonality(basis: Basis): number {
    const V = basis.single ? this.#W : basis.pointer;
    if (basis.single) basis.copyTo(V, this.#stride);
    return this.#kernel.exports.orthogonality(this.#n, basis.size, V, this.#stride, this.#small.pointer);
  }
}

/**
 * Whether a projected start is kept, by the true residual norms. Where A V is nearly dependent, rounding may do more
 * harm to x than the projection does good; or it overflows. Galerkin's residual may grow as it will.
 *
 * @internal
 */
export function keepsStart(kind: ProjectionKind, before: number, after: number): boolean {
  return after <= before || (kind === 'galerkin' && Number.isFinite(after));
}
