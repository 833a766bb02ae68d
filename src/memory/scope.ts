import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { Float64Block, Int32Block } from './block.ts';

/**
 * Kernel memory that is given back together. What is made in a scope lives until the scope is disposed of.
 */
export class Scope {
  readonly kernel: Kernel;
  readonly #releases: (() => void)[] = [];

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  bytes(size: number, what: string): Pointer {
    const pointer = this.kernel.allocate(size, what);
    this.defer(() => this.kernel.release(pointer));
    return pointer;
  }

  float64(length: number, what: string): Float64Block {
    return new Float64Block(this.kernel, this.bytes(length * 8, what), length);
  }

  int32(values: Int32Array | number, what: string): Int32Block {
    const length = typeof values === 'number' ? values : values.length;
    const block = new Int32Block(this.kernel, this.bytes(length * 4, what), length);
    if (typeof values !== 'number') block.view.set(values);
    return block;
  }

  /** Runs `release` when the scope is disposed of, the last deferred first. */
  defer(release: () => void): void {
    this.#releases.push(release);
  }

  /** A second call does nothing. */
  dispose(): void {
    for (let release = this.#releases.pop(); release; release = this.#releases.pop()) release();
  }
}
