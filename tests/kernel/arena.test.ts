import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Kernel } from '../../src/wasm/kernel.ts';
import { loadKernel } from '../../src/wasm/load.ts';
import { BUILDS } from './harness.ts';

const ALIGNMENT = 64;
const HEADER = 64;
const PAGE = 65536;
const rounded = (bytes: number): number => Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);

describe.each(BUILDS)('arena, %s', (build) => {
  const load = (): Promise<Kernel> => loadKernel(build);
  const pages = (kernel: Kernel): number => kernel.buffer.byteLength / PAGE;

  it('gives zero-filled blocks on cache lines, also from memory that was used before', async () => {
    const kernel = await load();
    const { allocate, release } = kernel.exports;
    for (const size of [0, 1, 8, 63, 64, 65, 1000, 70_000]) {
      const pointer = allocate(size);
      expect(pointer).toBeGreaterThan(0);
      expect(pointer % ALIGNMENT).toBe(0);
      const bytes = new Uint8Array(kernel.buffer, pointer, rounded(size));
      expect(bytes.every((byte) => byte === 0)).toBe(true);
      expect(kernel.exports.bytesInUse()).toBe(rounded(size));
      bytes.fill(0xab);
      release(pointer);
      expect(kernel.exports.bytesInUse()).toBe(0);
    }
    release(0);
    expect(kernel.exports.bytesInUse()).toBe(0);
  });

  it('uses a freed place again', async () => {
    const { exports } = await load();
    const [a, b, c] = [exports.allocate(100), exports.allocate(200), exports.allocate(300)];
    exports.release(b);
    expect(exports.allocate(150)).toBe(b);
    exports.release(a);
    expect(exports.allocate(40)).toBe(a);
    exports.release(c);
    expect(exports.allocate(3000)).toBe(c);
  });

  it('splits a large free block and merges it again', async () => {
    const { exports } = await load();
    const large = exports.allocate(64 * 100);
    const fence = exports.allocate(1);
    exports.release(large);
    const parts = [exports.allocate(640), exports.allocate(640), exports.allocate(640)];
    expect(parts).toEqual([large, large + 704, large + 1408]);
    for (const part of parts) exports.release(part);
    expect(exports.allocate(64 * 100)).toBe(large);
    exports.release(large);
    exports.release(fence);
    expect(exports.bytesInUse()).toBe(0);
  });

  it('merges neighbours, in whatever order they are released', async () => {
    const { exports } = await load();
    const permutations = (items: number[]): number[][] =>
      items.length < 2
        ? [items]
        : items.flatMap((item) =>
            permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
          );
    const sizes = [64, 500, 1, 256, 1024];
    const whole = sizes.reduce((sum, size) => sum + rounded(size) + HEADER, -HEADER);
    let first: number | undefined;
    for (const fenced of [false, true]) {
      for (const order of permutations([0, 1, 2, 3, 4])) {
        const blocks = sizes.map((size) => exports.allocate(size));
        first ??= blocks[0];
        expect(blocks[0]).toBe(first);
        const fence = fenced ? exports.allocate(64) : 0;
        for (const i of order) exports.release(blocks[i]);
        expect(exports.bytesInUse()).toBe(fenced ? 64 : 0);
        const again = exports.allocate(whole);
        expect(again).toBe(first);
        exports.release(again);
        exports.release(fence);
      }
    }
  });

  it('keeps its books, whatever is asked of it', async () => {
    const kernel = await load();
    const { exports } = kernel;
    const action = fc.oneof(
      { weight: 3, arbitrary: fc.record({ size: fc.oneof(fc.nat(300), fc.nat(30_000)) }) },
      { weight: 2, arbitrary: fc.record({ release: fc.nat() }) },
    );
    const run = (actions: ({ size: number } | { release: number })[]): void => {
      /** Blocks in address order, with the room that each really has, and the byte it was filled with. */
      const live: { pointer: number; size: number; mark: number }[] = [];
      let mark = 0;
      const giveBack = (index: number): void => {
        const [{ pointer, size, mark: wanted }] = live.splice(index, 1);
        const bytes = new Uint8Array(kernel.buffer, pointer, size);
        expect(bytes.every((byte) => byte === wanted)).toBe(true);
        exports.release(pointer);
      };
      for (const step of actions) {
        if ('release' in step) {
          if (live.length > 0) giveBack(step.release % live.length);
        } else {
          const pointer = exports.allocate(step.size);
          const asked = rounded(step.size);
          expect(pointer % ALIGNMENT).toBe(0);
          const at = live.filter((block) => block.pointer < pointer).length;
          const before = live[at - 1];
          const after = live[at];
          if (before) expect(before.pointer + before.size + HEADER).toBeLessThanOrEqual(pointer);
          if (after) expect(pointer + asked + HEADER).toBeLessThanOrEqual(after.pointer);
          // A remainder too small for a block of its own goes with the block.
          const gap = after ? after.pointer - HEADER - pointer - asked : 0;
          const size = asked + (gap < HEADER + ALIGNMENT ? gap : 0);
          const bytes = new Uint8Array(kernel.buffer, pointer, asked);
          expect(bytes.every((byte) => byte === 0)).toBe(true);
          mark = (mark % 250) + 1;
          new Uint8Array(kernel.buffer, pointer, size).fill(mark);
          live.splice(at, 0, { pointer, size, mark });
        }
        expect(exports.bytesInUse()).toBe(live.reduce((sum, block) => sum + block.size, 0));
      }
      while (live.length > 0) giveBack(live.length >> 1);
      expect(exports.bytesInUse()).toBe(0);
    };
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        run(actions);
        const grown = pages(kernel);
        run(actions);
        expect(pages(kernel)).toBe(grown);
      }),
      { numRuns: 60, seed: 7 },
    );
  });

  it('keeps what is stored when memory grows', async () => {
    const kernel = await load();
    const { exports } = kernel;
    const small = exports.allocate(8 * 1000);
    const wanted = Float64Array.from({ length: 1000 }, (_, i) => i / 7);
    new Float64Array(kernel.buffer, small, 1000).set(wanted);
    const before = pages(kernel);
    const large = exports.allocate(20 * PAGE);
    expect(pages(kernel)).toBeGreaterThanOrEqual(before + 19);
    expect(new Float64Array(kernel.buffer, small, 1000)).toEqual(wanted);
    expect(new Float64Array(kernel.buffer, large, 100)).toEqual(new Float64Array(100));
    exports.release(large);
    exports.release(small);
    const grown = pages(kernel);
    exports.release(exports.allocate(20 * PAGE));
    expect(pages(kernel)).toBe(grown);
  });

  it('refuses what goes over the limit, and only that', async () => {
    const { exports } = await load();
    exports.setMemoryLimit(1024);
    expect(exports.allocate(1025)).toBe(0);
    const all = exports.allocate(1024);
    expect(all).toBeGreaterThan(0);
    expect(exports.allocate(1)).toBe(0);
    exports.release(all);
    const half = exports.allocate(512);
    expect(exports.allocate(576)).toBe(0);
    const rest = exports.allocate(512);
    expect(rest).toBeGreaterThan(0);
    expect(exports.bytesInUse()).toBe(1024);
    exports.setMemoryLimit(100);
    expect(exports.allocate(0)).toBe(0);
    exports.release(half);
    exports.release(rest);
    expect(exports.bytesInUse()).toBe(0);
    expect(exports.allocate(64)).toBeGreaterThan(0);
  });

  it('stays within the limit when a free block is taken whole', async () => {
    const { exports } = await load();
    const block = exports.allocate(1024);
    const fence = exports.allocate(64);
    exports.release(block);
    exports.setMemoryLimit(64 + 960);
    // 960 bytes would leave 64 of the freed block: too little to be a block, so they would come with it.
    const taken = exports.allocate(960);
    expect(exports.bytesInUse()).toBeLessThanOrEqual(64 + 960);
    exports.release(taken);
    exports.release(fence);
  });

  it('refuses sizes that no memory has, and goes on', async () => {
    const kernel = await load();
    const { exports } = kernel;
    const all = 2 ** 32;
    for (const size of [all - 1, all - 63, all - PAGE]) expect(exports.allocate(size), String(size)).toBe(0);
    // These would end beyond the last address, behind what is there already.
    const block = exports.allocate(3 * PAGE);
    const before = pages(kernel);
    for (const size of [all - PAGE - 1, all - PAGE - 64, all - 2 * PAGE, all - 3 * PAGE]) {
      expect(exports.allocate(size), String(size)).toBe(0);
    }
    expect(exports.bytesInUse()).toBe(3 * PAGE);
    expect(pages(kernel)).toBe(before);
    exports.release(block);
    expect(exports.allocate(64)).toBe(block);
  });
});
