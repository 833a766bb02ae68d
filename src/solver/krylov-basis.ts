import type { Float64Block } from '../memory/block.ts';
import type { Scope } from '../memory/scope.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { KernelMethod } from './method.ts';

/** The orthonormal basis of span{b, A b, ...} that one cycle of GMRES leaves in the kernel. @internal */
export class KrylovBasis {
  /** The system's own x after the last step, by minimal residual. */
  readonly x: Float64Block;
  /** Vectors in the basis. */
  size = 0;
  readonly #kernel: Kernel;
  readonly #dim: number;
  readonly #gmres: KernelMethod;

  constructor(scope: Scope, n: number, dim: number) {
    this.#kernel = scope.kernel;
    this.#dim = dim;
    this.x = scope.float64(n, 'the solution of the seed');
    this.#gmres = new KernelMethod(scope, 'gmres', n, false, dim, false);
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

  /** `||b - A x||` of its x. */
  get residualNorm(): number {
    return this.#gmres.residualNorm;
  }

  /** Columns of f64, `vectorStride(n)` apart. */
  get pointer(): Pointer {
    return this.#kernel.exports.gmresBasis(this.#gmres.pointer) >>> 0;
  }
}
