import { describe, expect, it } from 'vitest';
import { OutOfBounds, watchedKernel } from './kernel/watched.ts';

/** That the kernel with assertions does assert. */
describe.each(['scalar', 'simd'] as const)('the watched kernel, %s', (build) => {
  it('lets blocks be read and written to their last byte, and no further', async () => {
    const { exports } = (await watchedKernel(build)).kernel;
    const [x, y] = [exports.allocate(24), exports.allocate(16)];
    exports.copy(2, x, y);
    expect(() => exports.copy(3, x, y)).toThrow(OutOfBounds);
    expect(() => exports.zero(4, x)).toThrow(/of a block of 24/);
    expect(() => exports.dot(1, 0, x)).toThrow(OutOfBounds);
  });

  it('notices memory that was released', async () => {
    const { exports } = (await watchedKernel(build)).kernel;
    const x = exports.allocate(8);
    exports.release(x);
    expect(() => exports.norm2(1, x)).toThrow(OutOfBounds);
    expect(() => exports.release(x)).toThrow(/is no block/);
  });

  it('gives no more than the limit, and fails where it is told to', async () => {
    const { kernel, watch } = await watchedKernel(build);
    kernel.setMemoryLimit(128);
    expect(kernel.exports.allocate(100)).toBeGreaterThan(0);
    expect(kernel.exports.allocate(1)).toBe(0);
    kernel.setMemoryLimit(1e6);
    watch.failAfter = 1;
    expect([kernel.exports.allocate(1) > 0, kernel.exports.allocate(1)]).toEqual([true, 0]);
    expect(kernel.bytesInUse).toBe(192);
  });
});
