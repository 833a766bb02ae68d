import { SeedspanError, show } from '../errors.ts';
import type { Build } from './builds.ts';
import { forbidden } from './compile.ts';
import type { KernelExports, Pointer } from './exports.ts';

/** `y <- F(x)`: reads x, fills y, which comes in as zeros. */
export type HostFunction = (x: Float64Array, y: Float64Array) => void;

/**
 * A host function and its arrays. They are JavaScript's own: views of the kernel's memory would be detached, and
 * what is written into them lost, when the function itself makes that memory grow (by another solve).
 */
interface Registered {
  call: HostFunction;
  x: Float64Array;
  y: Float64Array;
}

/** The most that a 32-bit memory can hold. */
const ADDRESS_SPACE = 2 ** 32 - 65536;

/** One instance of the kernel: its functions, its memory, and the functions that it calls back. */
export class Kernel {
  readonly build: Build;
  /** The compiled code, to be instantiated by others, too. */
  readonly module: WebAssembly.Module;
  readonly exports: KernelExports;
  /** What lives in this kernel's memory and has to be disposed of before it. */
  readonly objects = new Set<{ dispose(): void }>();
  /** Its engine was disposed of: nothing new may come to live here. */
  closed = false;
  readonly #functions: Map<number, Registered>;
  #nextFunction = 1;
  #memoryLimit: number | undefined;

  /** A new instance, with memory of its own, of what was compiled before, maybe by another thread. */
  static async instantiate(build: Build, module: WebAssembly.Module): Promise<Kernel> {
    const functions = new Map<number, Registered>();
    let memory: WebAssembly.Memory;
    const multiply = (id: number, n: number, x: Pointer, y: Pointer): void => {
      const it = functions.get(id)!;
      it.x.set(new Float64Array(memory.buffer, x >>> 0, n));
      it.y.fill(0);
      const result: unknown = it.call(it.x, it.y);
      if (result === undefined) {
        new Float64Array(memory.buffer, y >>> 0, n).set(it.y);
        return;
      }
      // Its own failure would be nobody's: the error below is the one to see.
      if (result instanceof Promise) result.catch(() => {});
      throw new SeedspanError(
        'INVALID_TYPE',
        `a matrix-free function must write its product into y and return nothing; it returned ${show(result)}` +
          (result instanceof Promise ? ' (asynchronous functions cannot be used)' : ''),
      );
    };
    let exports: KernelExports;
    try {
      const instance = await WebAssembly.instantiate(module, { host: { multiply } });
      exports = instance.exports as unknown as KernelExports;
    } catch (cause) {
      // WebKit compiles under a policy that forbids WebAssembly, and objects here.
      throw forbidden(cause) ?? cause;
    }
    memory = exports.memory;
    return new Kernel(build, module, exports, functions);
  }

  private constructor(
    build: Build,
    module: WebAssembly.Module,
    exports: KernelExports,
    functions: Map<number, Registered>,
  ) {
    this.build = build;
    this.module = module;
    this.exports = exports;
    this.#functions = functions;
  }

  get buffer(): ArrayBuffer {
    return this.exports.memory.buffer;
  }

  get bytesInUse(): number {
    return this.exports.bytesInUse() >>> 0;
  }

  /** In bytes; undefined: as much as there can be. */
  get memoryLimit(): number | undefined {
    return this.#memoryLimit;
  }

  setMemoryLimit(bytes: number): void {
    this.#memoryLimit = bytes;
    this.exports.setMemoryLimit(Math.min(bytes, ADDRESS_SPACE));
  }

  /** Zero-filled bytes, aligned to 64. `what` names them in the error when there is no room. */
  allocate(bytes: number, what: string): Pointer {
    const pointer = bytes > ADDRESS_SPACE ? 0 : this.exports.allocate(bytes) >>> 0;
    if (pointer !== 0) return pointer;
    throw new SeedspanError(
      'OUT_OF_MEMORY',
      `no room for ${what} (${Math.ceil(bytes / 1024)} KiB) beside ${Math.ceil(this.bytesInUse / 1024)} KiB in use; ` +
        'dispose of what is not needed, raise memoryLimit, or take a smaller restart, dim or system',
      { bytes, bytesInUse: this.bytesInUse },
    );
  }

  release(pointer: Pointer): void {
    this.exports.release(pointer);
  }

  /** Registers a function of vectors of length n, that the kernel may call by the returned number. */
  addFunction(call: HostFunction, n: number): number {
    const id = this.#nextFunction++;
    this.#functions.set(id, { call, x: new Float64Array(n), y: new Float64Array(n) });
    return id;
  }

  /** Puts another function in the place of a registered one. */
  replaceFunction(id: number, call: HostFunction): void {
    this.#functions.get(id)!.call = call;
  }

  removeFunction(id: number): void {
    this.#functions.delete(id);
  }
}
