/** What the kernel's tests share: a loaded build, guarded arrays in its memory, comparisons with a twin. */

import { setFlagsFromString } from 'node:v8';
import { afterEach, beforeAll, expect } from 'vitest';
import { BUILDS, type Build } from '../../src/wasm/builds.ts';
import type { KernelExports, Pointer } from '../../src/wasm/exports.ts';
import { supportsBuild } from '../../src/wasm/features.ts';
import type { HostFunction, Kernel } from '../../src/wasm/kernel.ts';
import { loadKernel } from '../../src/wasm/load.ts';

// Node 20 has relaxed SIMD behind a flag. A build that cannot run fails its tests: none is left out.
setFlagsFromString('--experimental-wasm-relaxed-simd');

export { BUILDS };

/** Every tail of the unrolled loops (8 elements a pass), up to five passes, and some longer. */
export const LENGTHS = [...Array.from({ length: 41 }, (_, n) => n), 100, 257, 1000];

/** Bytes before and after each array that nobody may write; as f64 they are NaN, so that none is read unseen. */
const GUARD = 64;
const UNTOUCHED = 0xff;

/** Arrays in the memory of one kernel, each between guards. */
export class Room {
  kernel!: Kernel;
  readonly #guarded: { block: Pointer; start: Pointer; end: Pointer; stop: Pointer }[] = [];
  readonly #functions: number[] = [];

  get k(): KernelExports {
    return this.kernel.exports;
  }

  /** `shift` elements off the alignment of 64 bytes. Given a number, that many NaN: for output. */
  vector(values: ArrayLike<number> | number, shift = 0): Pointer {
    const length = typeof values === 'number' ? values : values.length;
    const pointer = this.bytes(8 * length, 8 * shift);
    if (typeof values !== 'number') this.view(pointer, length).set(values);
    return pointer;
  }

  integers(values: ArrayLike<number> | number): Pointer {
    const length = typeof values === 'number' ? values : values.length;
    const pointer = this.bytes(4 * length);
    if (typeof values !== 'number') new Int32Array(this.kernel.buffer, pointer, length).set(values);
    return pointer;
  }

  /** Filled with 0xff, as the guards. */
  bytes(length: number, shift = 0): Pointer {
    const size = 2 * GUARD + shift + length;
    const block = this.kernel.allocate(size, 'a test');
    new Uint8Array(this.kernel.buffer, block, size).fill(UNTOUCHED);
    const start = block + GUARD + shift;
    this.#guarded.push({ block, start, end: start + length, stop: block + size });
    return start;
  }

  /** Valid until memory grows. */
  view(pointer: Pointer, length: number): Float64Array {
    return new Float64Array(this.kernel.buffer, pointer, length);
  }

  read(pointer: Pointer, length: number): Float64Array {
    return this.view(pointer, length).slice();
  }

  readIntegers(pointer: Pointer, length: number): Int32Array {
    return new Int32Array(this.kernel.buffer, pointer, length).slice();
  }

  /** The number of a host function of vectors of length n, until `clear`. */
  hostFunction(call: HostFunction, n: number): number {
    const id = this.kernel.addFunction(call, n);
    this.#functions.push(id);
    return id;
  }

  /** Gives everything back; fails when something was written outside an array. */
  clear(): void {
    const bytes = new Uint8Array(this.kernel.buffer);
    const spoilt = this.#guarded.filter(
      ({ block, start, end, stop }) =>
        bytes.subarray(block, start).some((byte) => byte !== UNTOUCHED) ||
        bytes.subarray(end, stop).some((byte) => byte !== UNTOUCHED),
    );
    for (const { block } of this.#guarded.splice(0)) this.k.release(block);
    for (const id of this.#functions.splice(0)) this.kernel.removeFunction(id);
    if (spoilt.length > 0)
      throw new Error(`${spoilt.length} arrays of the kernel were written past their ends`);
  }
}

/** A room for the tests of the surrounding `describe`, emptied after each. */
export function useRoom(build: Build): Room {
  const room = new Room();
  beforeAll(async () => {
    if (!supportsBuild(build)) throw new Error(`this runtime cannot run the build ${build}`);
    room.kernel = await loadKernel(build);
  });
  afterEach(() => {
    room.clear();
    expect(room.kernel.bytesInUse).toBe(0);
  });
  return room;
}

/** A copy with another value at one place. */
export function replaced(values: Float64Array, at: number, value: number): Float64Array {
  const copy = values.slice();
  copy[at] = value;
  return copy;
}

/** Bit for bit, but that any NaN is as good as another. */
export function expectSame(actual: ArrayLike<number>, wanted: ArrayLike<number>, what = ''): void {
  expect(actual.length, what).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    if (!Object.is(actual[i], wanted[i])) expect.fail(`${what} [${i}]: ${actual[i]}, wanted ${wanted[i]}`);
  }
}

/** |actual - wanted| <= tolerance * scale, element by element; equal where that is not a finite number. */
export function expectNear(
  actual: ArrayLike<number>,
  wanted: ArrayLike<number>,
  scale: ArrayLike<number> | number = 1,
  tolerance = 1e-13,
  what = '',
): void {
  expect(actual.length, what).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    const allowed = tolerance * (typeof scale === 'number' ? scale : scale[i]);
    if (Object.is(actual[i], wanted[i]) || Math.abs(actual[i] - wanted[i]) <= allowed) continue;
    expect.fail(`${what} [${i}]: ${actual[i]}, wanted ${wanted[i]} within ${allowed}`);
  }
}

/**
 * For results whose operations have the twin's order: bit for bit, but in the build that fuses multiplication and
 * addition, where the error counts against `scale`, the sum of the absolute terms.
 */
export function expectTwin(
  build: Build,
  actual: ArrayLike<number>,
  wanted: ArrayLike<number>,
  scale: ArrayLike<number> | number,
  what = '',
): void {
  if (build === 'relaxed-simd') expectNear(actual, wanted, scale, 1e-13, what);
  else expectSame(actual, wanted, what);
}
