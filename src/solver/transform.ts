import type { Scope } from '../memory/scope.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { FivePointDiagonals } from './five-point.ts';
import type { KernelOperator } from './operator.ts';

/** The inverse of a five-point matrix's mean, by sine or cosine transforms, in the kernel. */
export class MeanTransform {
  /** The kernel's record. */
  readonly pointer: Pointer;
  readonly #kernel: Kernel;
  readonly #diagonals: FivePointDiagonals;

  /** Takes the pattern of A, not its values. `reflecting`: cosines. */
  constructor(scope: Scope, A: CsrMatrix, operator: KernelOperator | undefined, reflecting: boolean) {
    const { exports } = scope.kernel;
    this.#kernel = scope.kernel;
    this.#diagonals = new FivePointDiagonals(scope, A, operator);
    const { height, width } = this.#diagonals.grid;
    this.pointer = scope.bytes(
      exports.transformSize(height, width, reflecting),
      'the tables of the transform',
    );
    exports.transformInit(this.pointer, height, width, reflecting);
  }

  /** Takes the values of A. False where the means of its diagonals make a singular matrix. */
  update(A: CsrMatrix): boolean {
    this.#diagonals.load(A);
    return this.#kernel.exports.transformUpdate(this.pointer, this.#diagonals.pointer) !== 0;
  }
}
