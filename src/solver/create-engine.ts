import { checkOptionNames } from '../errors.ts';
import type { Build } from '../wasm/builds.ts';
import { chooseBuild } from '../wasm/features.ts';
import { loadKernel } from '../wasm/load.ts';
import { Engine } from './engine.ts';
import { checkMemoryLimit } from './memory-limit.ts';

/** What `createEngine` may be told. */
export interface EngineOptions {
  /** Which build of the kernel. `auto`: SIMD where the runtime has it, else scalar. */
  build?: Build | 'auto';
  /** Most bytes of kernel memory in use at a time; 4 GiB, the most there can be, without it. */
  memoryLimit?: number;
}

/**
 * Loads the kernel.
 *
 * @throws SeedspanError `UNSUPPORTED` (no WebAssembly, or not this build), `UNKNOWN_OPTION`, `INVALID_VALUE`.
 * @example
 * ```ts
 * using engine = await createEngine();
 * const A = csr({ shape: [2, 2], indptr: [0, 2, 4], indices: [0, 1, 0, 1], data: [4, 1, 1, 3] });
 * const { x, status } = engine.solve(A, [1, 2]);
 * ```
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  checkOptionNames('createEngine', options, ['build', 'memoryLimit']);
  checkMemoryLimit(options.memoryLimit);
  const kernel = await loadKernel(chooseBuild(options.build ?? 'auto'));
  if (options.memoryLimit !== undefined) kernel.setMemoryLimit(options.memoryLimit);
  return new Engine(kernel);
}
