import { setFlagsFromString } from 'node:v8';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createEngine, supportsBuild } from '../../src/index.ts';
import { BUILDS, type Build } from '../../src/wasm/builds.ts';
import { chooseBuild } from '../../src/wasm/features.ts';
import { kernels } from '../../src/wasm/kernels/bytes.ts';
import { kernels as deflated } from '../../src/wasm/kernels/deflated.ts';
import { compiledKernel, loadKernel } from '../../src/wasm/load.ts';
import { expectError } from '../sparse/expect-error.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** The modules as at their first import, with nothing remembered. */
async function anew(): Promise<typeof import('../../src/wasm/features.ts')> {
  vi.resetModules();
  return import('../../src/wasm/features.ts');
}

describe('the builds', () => {
  it('have the same exports, and ask the host for one function', async () => {
    const shapes = await Promise.all(
      BUILDS.filter(supportsBuild).map(async (build) => {
        const module = await compiledKernel(build);
        expect(WebAssembly.Module.imports(module)).toEqual([
          { module: 'host', name: 'multiply', kind: 'function' },
        ]);
        return WebAssembly.Module.exports(module)
          .map(({ name, kind }) => `${kind} ${name}`)
          .sort();
      }),
    );
    expect(shapes.length).toBeGreaterThanOrEqual(2);
    for (const shape of shapes) expect(shape).toEqual(shapes[0]);
  });

  it('are supported where their bytes are valid, with the flag for relaxed SIMD and without', async () => {
    for (const flag of ['--no-experimental-wasm-relaxed-simd', '--experimental-wasm-relaxed-simd']) {
      setFlagsFromString(flag);
      const features = await anew();
      for (const build of BUILDS) {
        expect(features.supportsBuild(build), `${build}, ${flag}`).toBe(
          WebAssembly.validate((await kernels[build]()) as BufferSource),
        );
      }
    }
  });

  it('are the same bytes, deflated for browsers', async () => {
    for (const build of BUILDS) expect(await deflated[build]()).toEqual(await kernels[build]());
  });

  it('auto is SIMD, and scalar where there is none', async () => {
    expect(chooseBuild('auto')).toBe('simd');
    const features = await anew();
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    expect(features.chooseBuild('auto')).toBe('scalar');
    expect(features.supportsBuild('simd')).toBe(false);
  });

  it('one that the runtime lacks is refused by name', async () => {
    const features = await anew();
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    const refused = (build: Build) => {
      try {
        return features.chooseBuild(build);
      } catch (error) {
        return error;
      }
    };
    expect(refused('simd')).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/cannot run the build "simd"/),
    });
    expect(refused('relaxed-simd')).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/experimental/),
    });
  });

  it('no WebAssembly at all', async () => {
    vi.stubGlobal('WebAssembly', undefined);
    expect(supportsBuild('scalar')).toBe(false);
    expectError(() => chooseBuild('auto'), 'UNSUPPORTED', /this runtime has no WebAssembly/);
    await expect(createEngine()).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('each is compiled once, and a failure is not kept', async () => {
    vi.resetModules();
    const fresh = (await import('../../src/wasm/load.ts')).loadKernel;
    const compile = vi.spyOn(WebAssembly, 'compile').mockRejectedValueOnce(new Error('no room'));
    await expect(fresh('simd')).rejects.toThrow('no room');
    const [one, two] = await Promise.all([fresh('simd'), fresh('simd')]);
    expect(compile).toHaveBeenCalledTimes(2);
    expect(one.exports.memory).not.toBe(two.exports.memory);
  });
});

describe('the kernel from the host', () => {
  it('gives out aligned, cleared memory, and takes it back', async () => {
    const kernel = await loadKernel('scalar');
    const first = kernel.allocate(100, 'something');
    expect(first % 64).toBe(0);
    expect(kernel.bytesInUse).toBe(128);
    new Uint8Array(kernel.buffer, first, 100).fill(255);
    kernel.release(first);
    expect(kernel.bytesInUse).toBe(0);
    const again = kernel.allocate(128, 'something');
    expect(new Uint8Array(kernel.buffer, again, 128).every((byte) => byte === 0)).toBe(true);
  });

  it('says what there was no room for', async () => {
    const kernel = await loadKernel('scalar');
    kernel.setMemoryLimit(10_000);
    for (const bytes of [10_001, 2 ** 31, 2 ** 32, 2 ** 40]) {
      const act = () => kernel.allocate(bytes, 'the basis');
      expectError(
        act,
        'OUT_OF_MEMORY',
        new RegExp(`no room for the basis \\(${Math.ceil(bytes / 1024)} KiB\\)`),
      );
    }
    expect(kernel.bytesInUse).toBe(0);
    expect(kernel.allocate(9_000, 'the basis')).toBeGreaterThan(0);
  });
});
