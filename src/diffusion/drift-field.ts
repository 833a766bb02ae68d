import { SeedspanError, show, showList } from '../errors.ts';
import type { Float64Block } from '../memory/block.ts';
import type { Scope } from '../memory/scope.ts';
import type { Kernel } from '../wasm/kernel.ts';
import type { Sde } from './types.ts';

/** @throws SeedspanError `INVALID_VALUE` where the caller's function returns anything but two finite numbers. */
export function evaluateDrift(
  drift: NonNullable<Sde['drift']>,
  x: number,
  y: number,
  t: number,
): readonly [number, number] {
  const f: unknown = drift(x, y, t);
  if (Array.isArray(f) && f.length === 2 && Number.isFinite(f[0]) && Number.isFinite(f[1])) {
    return f as [number, number];
  }
  throw new SeedspanError(
    'INVALID_VALUE',
    `sde.drift(${x}, ${y}, ${t}) returned ${Array.isArray(f) ? `[${showList(f)}]` : show(f)}; ` +
      'it must return two finite numbers',
    { x, y, t },
  );
}

/** The drift of one level on the grid, and its divergence, in the kernel. Point (i, j) is at (i dx, j dy). */
export class DriftField {
  /** False when the equation has no drift: then all is zero, and nothing is stored. */
  readonly present: boolean;
  readonly fx: Float64Block;
  readonly fy: Float64Block;
  readonly divergence: Float64Block;
  readonly #scratch: Float64Block;
  readonly #kernel: Kernel;
  readonly #height: number;
  readonly #width: number;
  readonly #spacing: readonly [number, number];
  readonly #sde: Sde;

  constructor(
    scope: Scope,
    shape: { height: number; width: number },
    spacing: readonly [number, number],
    sde: Sde,
  ) {
    this.present = sde.drift !== undefined;
    this.#kernel = scope.kernel;
    this.#height = shape.height;
    this.#width = shape.width;
    this.#spacing = spacing;
    this.#sde = sde;
    const n = this.present ? shape.height * shape.width : 0;
    this.fx = scope.float64(n, 'the drift');
    this.fy = scope.float64(n, 'the drift');
    this.divergence = scope.float64(n, 'the divergence of the drift');
    this.#scratch = scope.float64(n, 'scratch of the drift');
  }

  /** For the kernel: 0 is no drift. */
  get pointers(): { fx: number; fy: number } {
    return this.present ? { fx: this.fx.pointer, fy: this.fy.pointer } : { fx: 0, fy: 0 };
  }

  /** f at the grid point (i, j), which may lie outside the grid. */
  at(i: number, j: number, t: number): readonly [number, number] {
    if (this.#sde.drift === undefined) return [0, 0];
    const [dx, dy] = this.#spacing;
    return evaluateDrift(this.#sde.drift, i * dx, j * dy, t);
  }

  /** Evaluates f at time t. */
  load(t: number): void {
    if (!this.present) return;
    // The drift is the caller's function and may make the kernel's memory grow, which detaches views of it.
    const fx = new Float64Array(this.fx.length);
    const fy = new Float64Array(this.fy.length);
    for (let i = 0, k = 0; i < this.#height; i++) {
      for (let j = 0; j < this.#width; j++, k++) [fx[k], fy[k]] = this.at(i, j, t);
    }
    this.fx.view.set(fx);
    this.fy.view.set(fy);
  }

  /** div f from the loaded values alone, one-sided at the border, as `lau2025` has it. */
  differenceOnGrid(): void {
    if (!this.present) return;
    const { exports } = this.#kernel;
    const height = this.#height;
    const width = this.#width;
    const [dx, dy] = this.#spacing;
    const sum = this.divergence.pointer;
    const part = this.#scratch.pointer;
    // Each gradient has one component that is wanted: d fx / dx of the first, d fy / dy of the second.
    exports.gradient(height, width, dx, dy, 0, this.fy.pointer, part, sum);
    const second = this.divergence.view.slice();
    exports.gradient(height, width, dx, dy, 0, this.fx.pointer, sum, part);
    const { view } = this.divergence;
    for (let k = 0; k < view.length; k++) view[k] += second[k];
  }

  /** div f by centred differences everywhere, with f evaluated outside the grid too. */
  differenceAround(t: number): void {
    if (!this.present) return;
    // Copies, for the reason given in `load`.
    const divergence = new Float64Array(this.divergence.length);
    const fx = this.fx.view.slice();
    const fy = this.fy.view.slice();
    const [dx, dy] = this.#spacing;
    const height = this.#height;
    const width = this.#width;
    for (let i = 0, k = 0; i < height; i++) {
      for (let j = 0; j < width; j++, k++) {
        const below = i + 1 < height ? fx[k + width] : this.at(i + 1, j, t)[0];
        const above = i > 0 ? fx[k - width] : this.at(i - 1, j, t)[0];
        const right = j + 1 < width ? fy[k + 1] : this.at(i, j + 1, t)[1];
        const left = j > 0 ? fy[k - 1] : this.at(i, j - 1, t)[1];
        divergence[k] = (below - above) / (2 * dx) + (right - left) / (2 * dy);
      }
    }
    this.divergence.view.set(divergence);
  }
}
