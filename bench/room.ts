import type { KernelExports, Pointer } from '../src/wasm/exports.ts';

/** Arrays in the memory of one instance of the kernel. */
export class Room {
  readonly k: KernelExports;

  constructor(exports: KernelExports) {
    this.k = exports;
  }

  bytes(size: number): Pointer {
    const pointer = this.k.allocate(size) >>> 0;
    if (pointer === 0) throw new Error(`the kernel has no room for ${size} bytes`);
    return pointer;
  }

  /** Given a number: that many zeros. */
  vector(values: Float64Array | number): Pointer {
    if (typeof values === 'number') return this.bytes(8 * values);
    const pointer = this.bytes(8 * values.length);
    this.view(pointer, values.length).set(values);
    return pointer;
  }

  integers(values: Int32Array | number): Pointer {
    if (typeof values === 'number') return this.bytes(4 * values);
    const pointer = this.bytes(4 * values.length);
    new Int32Array(this.k.memory.buffer, pointer, values.length).set(values);
    return pointer;
  }

  view(pointer: Pointer, length: number): Float64Array {
    return new Float64Array(this.k.memory.buffer, pointer, length);
  }
}
