import type { Float64Block } from '../memory/block.ts';
import type { Scope } from '../memory/scope.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';

/** The last solutions of a sequence of similar systems, from which the next starts; see `assembly/subspace/history.ts`. */
export class SolutionHistory {
  /** Solutions that the next start can be made of. */
  count = 0;
  /** What 1, 2, ... of them left of ||b|| in the last start, at most 1. */
  readonly left: number[] = [];
  readonly #kernel: Kernel;
  readonly #n: number;
  readonly #stride: number;
  readonly #differences: Pointer;
  readonly #products: Pointer;
  readonly #small: Float64Block;

  constructor(scope: Scope, n: number, capacity: number) {
    const { exports } = scope.kernel;
    this.#kernel = scope.kernel;
    this.#n = n;
    this.#stride = exports.vectorStride(n);
    this.#differences = scope.bytes(capacity * this.#stride, 'the last solutions');
    this.#products = scope.bytes(capacity * this.#stride, 'the products of the last solutions');
    this.#small = scope.float64(capacity * (capacity + 3), 'the projected matrix');
  }

  /** Takes a solution; at most `wanted` are kept. */
  push(x: Pointer, wanted: number): void {
    this.count = Math.min(this.count + 1, wanted);
    this.#kernel.exports.pushDifference(this.#n, this.count, this.#differences, this.#stride, x);
  }

  /** x <- the best start out of all that are kept. Returns their number: one product each; 0: x is as it was. */
  start(operator: Pointer, b: Pointer, x: Pointer): number {
    const { exports } = this.#kernel;
    const square = exports.dot(this.#n, b, b);
    this.left.length = 0;
    if (this.count === 0 || !(square > 0 && square < Infinity)) return 0;
    exports.startFromDifferences(
      operator,
      this.#n,
      this.count,
      this.#differences,
      this.#stride,
      this.#products,
      this.#small.pointer,
      b,
      x,
    );
    let rest = square;
    for (let j = 0; j < this.count; j++) {
      rest -= this.#small.view[j];
      // Below, it is rounding errors of the sums.
      this.left.push(Math.sqrt(Math.max(rest / square, 1e-15)));
    }
    return this.count;
  }
}
