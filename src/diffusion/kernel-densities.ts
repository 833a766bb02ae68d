import type { Float64Block } from '../memory/block.ts';
import { KernelObject } from '../memory/kernel-object.ts';
import { Scope } from '../memory/scope.ts';
import type { Kernel } from '../wasm/kernel.ts';
import type { DensityTools } from './density.ts';
import { BINS, FLOOR, type PairDensity, smoothingMatrix } from './density-pairs.ts';
import type { MatrixProduct } from './density-positions.ts';

/** The sums that densities take, in the kernel. */
export class KernelDensities extends KernelObject implements DensityTools {
  /** Smoothing matrix and a histogram; made for the first picture, and kept for the others. */
  #pairs: { n: number; matrix: Float64Block; once: Float64Block } | undefined;
  readonly #scope: Scope;

  constructor(kernel: Kernel) {
    super(kernel);
    this.#scope = this.hold((scope) => scope);
  }

  /** See `assembly/density/pairs.ts`. */
  readonly pairDensity: PairDensity = (x, y, wanted) => {
    this.checkAlive('the engine');
    const n = x.length;
    const { matrix, once } = this.#smoothing(n);
    return this.#with((scope) => {
      const [px, py] = [scope.float64(n, 'the pixel pairs'), scope.float64(n, 'the pixel pairs')];
      const density = scope.float64(wanted, 'the density of the pixel pairs');
      px.view.set(x);
      py.view.set(y);
      const weight = (BINS * BINS) / n;
      // biome-ignore format: the kernel's order of parameters.
      this.kernel.exports.pairDensity(
        n, wanted, BINS, weight, FLOOR, matrix.pointer, once.pointer, px.pointer, py.pointer, density.pointer,
      );
      return density.view.slice();
    });
  };

  readonly product: MatrixProduct = (left, right, height, n, width) => {
    this.checkAlive('the engine');
    return this.#with((scope) => {
      const L = scope.float64(height * n, 'the factors of a density');
      const R = scope.float64(n * width, 'the factors of a density');
      const sum = scope.float64(height * width, 'a density');
      L.view.set(left);
      R.view.set(right);
      // Row i of the product: the rows of R, by the numbers of row i of L.
      for (let i = 0; i < height; i++) {
        const row = sum.pointer + i * width * 8;
        this.kernel.exports.blockUpdate(width, n, 1, R.pointer, width * 8, L.pointer + i * n * 8, row);
      }
      return sum.view.slice();
    });
  };

  #smoothing(n: number) {
    if (this.#pairs?.n === n) return this.#pairs;
    const what = 'the smoothing of a histogram';
    const [matrix, once] = [0, 1].map(() => this.#scope.float64(BINS * BINS, what));
    matrix.view.set(smoothingMatrix(n));
    this.#pairs = { n, matrix, once };
    return this.#pairs;
  }

  #with<T>(use: (scope: Scope) => T): T {
    const scope = new Scope(this.kernel);
    try {
      return use(scope);
    } finally {
      scope.dispose();
    }
  }
}
