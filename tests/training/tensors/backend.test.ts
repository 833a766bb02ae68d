import * as core from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SeedspanError } from '../../../src/errors.ts';
import { loadTensors } from '../../../src/training/index.ts';

async function errorOf(promise: Promise<unknown>): Promise<SeedspanError> {
  const error = await promise.then(
    () => expect.fail('no error'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SeedspanError);
  return error as SeedspanError;
}

/** The gradients and the kernels of the wasm back end that are registered now. */
function registered() {
  const kernels = core
    .getKernelsForBackend('wasm')
    .map(({ kernelName, kernelFunc }) => [kernelName, kernelFunc]);
  return { kernels, add: core.getGradient('Add'), convolution: core.getGradient('Conv2D') };
}

describe('loadTensors', () => {
  it('registers once, and says nothing', async () => {
    const warn = vi.spyOn(console, 'warn');
    const tf = await loadTensors();
    expect(tf.getBackend()).toBe('wasm');
    const before = registered();
    expect(before.kernels.length).toBeGreaterThan(100);
    expect(await loadTensors()).toBe(tf);
    vi.resetModules();
    const again = await import('../../../src/training/index.ts');
    expect(again.loadTensors).not.toBe(loadTensors);
    await again.loadTensors();
    expect(registered()).toEqual(before);
    expect(warn).not.toHaveBeenCalled();
  });

  it('leaves gradients that are there', async () => {
    await loadTensors();
    core.unregisterGradient('Add');
    const own: core.GradConfig = { kernelName: 'Add', gradFunc: () => ({}) };
    core.registerGradient(own);
    await loadTensors();
    expect(core.getGradient('Add')).toBe(own);
  });

  it('leaves the kernels of other back ends', async () => {
    await import('@tensorflow/tfjs-backend-cpu');
    const before = core.getKernelsForBackend('cpu');
    await loadTensors({ backend: 'cpu' });
    expect(core.getKernelsForBackend('cpu')).toEqual(before);
  });

  it('refuses a back end that is not imported, and names those that are', async () => {
    const error = await errorOf(loadTensors({ backend: 'webgpu' }));
    expect(error.code).toBe('UNSUPPORTED');
    expect(error.message).toMatch(/webgpu.*wasm/);
  });

  it('refuses options of other names and types', async () => {
    expect((await errorOf(loadTensors({ backends: 'wasm' } as never))).code).toBe('UNKNOWN_OPTION');
    expect((await errorOf(loadTensors({ backend: 3 } as never))).code).toBe('INVALID_TYPE');
  });
});

describe('without the optional packages', () => {
  afterEach(() => {
    vi.doUnmock('@tensorflow/tfjs-core');
    vi.doUnmock('@tensorflow/tfjs-backend-wasm');
    vi.resetModules();
  });

  it.each(['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm'])(
    'says how to install %s',
    async (name) => {
      vi.resetModules();
      vi.doMock(name, () => {
        throw new Error(`Cannot find package '${name}'`);
      });
      const training = await import('../../../src/training/index.ts');
      const error = await training.loadTensors().then(
        () => expect.fail('no error'),
        (reason: unknown) => reason as SeedspanError,
      );
      expect(error.code).toBe('UNSUPPORTED');
      expect(error.message).toContain(`npm install ${name}`);
    },
  );
});
