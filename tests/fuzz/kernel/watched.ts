/**
 * The kernel with bounds assertions: every load and store asks here first whether its bytes belong to a block that was
 * allocated and not released, to the byte. It is compiled from `assembly/` as it is, but for the arena, which is this
 * file's: each block lies by itself between bytes that nobody may touch, and a released one is touched no more.
 */

import { readFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';
import { Engine } from '../../../src/solver/engine.ts';
import type { KernelExports, Pointer } from '../../../src/wasm/exports.ts';
import { Kernel } from '../../../src/wasm/kernel.ts';

export type WatchedBuild = 'scalar' | 'simd';

/** In the place of `assembly/memory/arena.ts`. */
const ARENA = `${[
  'allocate(bytes: usize): usize',
  'release(pointer: usize): void',
  'bytesInUse(): usize',
  'setMemoryLimit(bytes: usize): void',
]
  .map((head) => `@external("watch", "${head.split('(')[0]}") export declare function ${head};`)
  .join('\n')}
export function heapBase(): usize { return __heap_base; }`;

/** Compiles; some seconds. Loops in the place of `memory.copy` and `memory.fill`, so that these are watched, too. */
async function compile(build: WatchedBuild): Promise<WebAssembly.Module> {
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const { error, stderr } = await asc.main(
    // biome-ignore format: a command line
    ['assembly/index.ts', '--config', 'none', '--runtime', 'stub', '-O2', '--use', 'abort=', '--initialMemory', '1', '--maximumMemory', '65536', '--disable', 'bulk-memory', ...(build === 'simd' ? ['--enable', 'simd'] : []), '--runPasses', 'instrument-memory', '--outFile', 'kernel.wasm'],
    {
      readFile(name: string, folder: string) {
        if (name.endsWith('memory/arena.ts')) return ARENA;
        try {
          return readFileSync(`${folder}/${name}`, 'utf8');
        } catch {
          return null;
        }
      },
      writeFile(name: string, data: Uint8Array | string) {
        if (name.endsWith('.wasm')) binary = Uint8Array.from(data as Uint8Array);
      },
    },
  );
  if (binary === undefined)
    throw new Error(`the watched kernel does not compile: ${error?.message} ${stderr}`);
  return WebAssembly.compile(binary);
}

const compiled = new Map<WatchedBuild, Promise<WebAssembly.Module>>();

/** The kernel read or wrote where it must not. */
export class OutOfBounds extends Error {}

const PAGE = 65536;
/** Bytes about each block that nobody may touch: more than a row of anything here is off by. */
const GAP = 4096;
const ALIGNMENT = 64;

const up = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** What is allocated, and who may touch it. */
export class Watch {
  #memory!: WebAssembly.Memory;
  #base = 0;
  #top = 0;
  #limit = Number.POSITIVE_INFINITY;
  #used = 0;
  /** A byte for each of the memory: 1 where it may be touched. */
  #allowed = new Uint8Array(0);
  readonly #blocks = new Map<Pointer, number>();
  /** So many allocations more succeed. */
  failAfter = Number.POSITIVE_INFINITY;
  /** Loads and stores so far. */
  checked = 0;

  attach({ memory, heapBase }: KernelExports & { heapBase(): number }): void {
    this.#memory = memory;
    this.#base = up(heapBase());
    this.#top = this.#base;
    this.#cover();
    // The statics; the first eight bytes are nobody's, so that a null is noticed.
    this.#allowed.fill(1, 8, heapBase());
  }

  #cover(): void {
    const { byteLength } = this.#memory.buffer;
    if (this.#allowed.length === byteLength) return;
    const allowed = new Uint8Array(byteLength);
    allowed.set(this.#allowed);
    this.#allowed = allowed;
  }

  readonly #check = (bytes: number, offset: number, address: number, what: string): number => {
    const first = (address >>> 0) + (offset >>> 0);
    this.checked++;
    if (this.#allowed[first] === 1 && this.#allowed[first + bytes - 1] === 1) return address;
    throw new OutOfBounds(`${what} of ${bytes} bytes at ${first}: ${this.#where(first)}`);
  };

  #where(address: number): string {
    const near = [...this.#blocks].map(([start, bytes]) => ({ start, bytes, from: address - start }));
    const block = near.filter(({ from, bytes }) => from >= -GAP && from < bytes + GAP)[0];
    return block === undefined ? 'no block is near' : `byte ${block.from} of a block of ${block.bytes}`;
  }

  readonly imports = {
    watch: {
      allocate: (wanted: number): Pointer => {
        const bytes = wanted >>> 0;
        const size = Math.max(up(bytes), ALIGNMENT);
        if (this.#used + size > this.#limit || this.failAfter-- <= 0) return 0;
        const start = up(this.#top + GAP);
        const end = start + bytes + GAP;
        const missing = Math.ceil((end - this.#memory.buffer.byteLength) / PAGE);
        if (missing > 0) {
          this.#memory.grow(missing);
          this.#cover();
        }
        new Uint8Array(this.#memory.buffer, start, bytes).fill(0);
        this.#allowed.fill(1, start, start + bytes);
        this.#blocks.set(start, bytes);
        this.#top = start + bytes;
        this.#used += size;
        return start;
      },
      release: (pointer: Pointer): void => {
        if (pointer === 0) return;
        const bytes = this.#blocks.get(pointer >>> 0);
        if (bytes === undefined) throw new OutOfBounds(`${pointer} is released, and is no block`);
        this.#blocks.delete(pointer);
        this.#allowed.fill(0, pointer, pointer + bytes);
        this.#used -= Math.max(up(bytes), ALIGNMENT);
        // Nothing is used again before all is given back.
        if (this.#blocks.size === 0) this.#top = this.#base;
      },
      bytesInUse: (): number => this.#used,
      setMemoryLimit: (bytes: number): void => {
        this.#limit = bytes >>> 0;
      },
    },
    env: {
      load_ptr: (_: number, bytes: number, offset: number, address: number) =>
        this.#check(bytes, offset, address, 'a load'),
      store_ptr: (_: number, bytes: number, offset: number, address: number) =>
        this.#check(bytes, offset, address, 'a store'),
    } as Record<string, unknown>,
  };
}

export interface Watched {
  kernel: Kernel;
  engine: Engine;
  watch: Watch;
}

/** A kernel of its own, and an engine on it. */
export async function watchedKernel(build: WatchedBuild): Promise<Watched> {
  const module = compiled.get(build) ?? compile(build);
  compiled.set(build, module);
  const watch = new Watch();
  const ready = await module;
  for (const { module: from, name } of WebAssembly.Module.imports(ready)) {
    // Values that are loaded and stored are handed through.
    if (from === 'env') watch.imports.env[name] ??= (_: number, value: unknown) => value;
  }
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = ((given: WebAssembly.Module, imports: WebAssembly.Imports) =>
    instantiate(given, { ...imports, ...(watch.imports as WebAssembly.Imports) })) as typeof instantiate;
  try {
    const kernel = await Kernel.instantiate(build, ready);
    watch.attach(kernel.exports as KernelExports & { heapBase(): number });
    return { kernel, engine: new Engine(kernel), watch };
  } finally {
    WebAssembly.instantiate = instantiate;
  }
}
