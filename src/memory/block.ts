import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';

/**
 * An f64 array in kernel memory. When the memory grows, all views of it are detached; `view` makes a new one
 * then, and only then.
 */
export class Float64Block {
  readonly pointer: Pointer;
  readonly length: number;
  readonly #kernel: Kernel;
  #view: Float64Array;

  constructor(kernel: Kernel, pointer: Pointer, length: number) {
    this.#kernel = kernel;
    this.pointer = pointer;
    this.length = length;
    this.#view = new Float64Array(kernel.buffer, pointer, length);
  }

  get view(): Float64Array {
    if (this.#view.buffer !== this.#kernel.buffer) {
      this.#view = new Float64Array(this.#kernel.buffer, this.pointer, this.length);
    }
    return this.#view;
  }
}

/** As {@link Float64Block}, of i32. */
export class Int32Block {
  readonly pointer: Pointer;
  readonly length: number;
  readonly #kernel: Kernel;

  constructor(kernel: Kernel, pointer: Pointer, length: number) {
    this.#kernel = kernel;
    this.pointer = pointer;
    this.length = length;
  }

  get view(): Int32Array {
    return new Int32Array(this.#kernel.buffer, this.pointer, this.length);
  }
}
