import type { Float64Block } from '../memory/block.ts';
import { KernelObject } from '../memory/kernel-object.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { BINS, FLOOR, type PairDensity, smoothingMatrix, transposed } from './density-pairs.ts';

/** The density of n pixel pairs, in the kernel: see `assembly/density/pairs.ts`. */
export class KernelPairs extends KernelObject {
  readonly #n: number;
  readonly #matrix: Float64Block;
  readonly #columns: Float64Block;
  readonly #once: Float64Block;
  readonly #x: Float64Block;
  readonly #y: Float64Block;
  readonly #density: Float64Block;

  constructor(kernel: Kernel, n: number) {
    super(kernel);
    this.#n = n;
    const blocks = this.hold((scope) => ({
      matrix: scope.float64(BINS * BINS, 'the smoothing of a histogram'),
      columns: scope.float64(BINS * BINS, 'the smoothing of a histogram'),
      once: scope.float64(BINS * BINS, 'a histogram'),
      x: scope.float64(n, 'the pixel pairs'),
      y: scope.float64(n, 'the pixel pairs'),
      density: scope.float64(n, 'the density of the pixel pairs'),
    }));
    this.#matrix = blocks.matrix;
    this.#columns = blocks.columns;
    this.#once = blocks.once;
    this.#x = blocks.x;
    this.#y = blocks.y;
    this.#density = blocks.density;
    const matrix = smoothingMatrix(n);
    this.#matrix.view.set(matrix);
    this.#columns.view.set(transposed(matrix));
  }

  /** Takes n pairs. */
  readonly evaluate: PairDensity = (x, y) => {
    this.checkAlive('the engine');
    this.#x.view.set(x);
    this.#y.view.set(y);
    this.kernel.exports.pairDensity(
      this.#n,
      BINS,
      (BINS * BINS) / this.#n,
      FLOOR,
      this.#matrix.pointer,
      this.#columns.pointer,
      this.#once.pointer,
      this.#x.pointer,
      this.#y.pointer,
      this.#density.pointer,
    );
    return this.#density.view.slice();
  };
}
