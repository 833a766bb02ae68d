import { SeedspanError } from '../errors.ts';
import { CsrMatrix } from '../sparse/index.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { autoChoices } from './auto.ts';
import { SOLVE_DEFAULTS } from './defaults.ts';
import type { SolveAsyncOptions } from './solve-options.ts';
import type { SolveResult, SystemMatrix } from './types.ts';

/** The ways in which one solve is tried: the one that was asked for, or those of `method: 'auto'` until one succeeds. */
export class Attempts implements Iterable<SolveAsyncOptions> {
  readonly #ways: readonly SolveAsyncOptions[];
  readonly #out: Float64Array | undefined;
  #best: SolveResult | undefined;
  #matvecs = 0;
  #refusal: unknown;

  constructor(kernel: Kernel, A: SystemMatrix, options: SolveAsyncOptions) {
    // What is wrong with the options, or is no matrix, the first attempt says.
    const readable = A instanceof CsrMatrix && A.shape[0] === A.shape[1];
    if (
      options?.method !== 'auto' ||
      options.workspace !== undefined ||
      !(readable || typeof A === 'function')
    ) {
      this.#ways = [options];
      return;
    }
    const rtol = typeof options.rtol === 'number' ? options.rtol : SOLVE_DEFAULTS.rtol;
    const { preconditioner } = options;
    // An attempt may write over its own start.
    const { out } = options;
    const x0 = options.x0 === out && out instanceof Float64Array ? out.slice() : options.x0;
    this.#out = out;
    this.#ways = autoChoices(kernel, A, rtol, options).map((choice) => ({
      ...options,
      x0,
      method: choice.method,
      preconditioner: preconditioner ?? choice.preconditioner,
    }));
  }

  *[Symbol.iterator](): Iterator<SolveAsyncOptions> {
    for (const way of this.#ways) {
      if (this.#best?.converged) return;
      yield way;
    }
  }

  take(solve: () => SolveResult): void {
    try {
      this.#keep(solve());
    } catch (error) {
      this.#refuse(error);
    }
  }

  async takeAsync(solve: () => Promise<SolveResult>): Promise<void> {
    try {
      this.#keep(await solve());
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** The result that converged, or else came nearest. */
  get result(): SolveResult {
    const best = this.#best;
    if (best === undefined) throw this.#refusal;
    if (this.#ways.length === 1) return best;
    best.matvecs = this.#matvecs;
    if (this.#out !== undefined && best.x !== this.#out) {
      this.#out.set(best.x);
      best.x = this.#out;
    }
    return best;
  }

  #keep(result: SolveResult): void {
    this.#matvecs += result.matvecs;
    const best = this.#best;
    const nearer =
      best === undefined || Number.isNaN(best.residualNorm) || result.residualNorm < best.residualNorm;
    if (nearer || result.converged) {
      // A later attempt writes into the same `out`.
      if (this.#ways.length > 1 && result.x === this.#out && !result.converged) result.x = result.x.slice();
      this.#best = result;
    }
  }

  /** A preconditioner that cannot be made leaves the other ways; all else is the caller's. */
  #refuse(error: unknown): void {
    const many = this.#ways.length > 1;
    const harmless =
      error instanceof SeedspanError &&
      // Factors may be large, and are tried last.
      (error.code === 'ZERO_PIVOT' || (error.code === 'OUT_OF_MEMORY' && this.#best !== undefined));
    if (!many || !harmless) throw error;
    this.#refusal = error;
  }
}
