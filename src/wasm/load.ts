import { SeedspanError, show } from '../errors.ts';
import type { Build } from './builds.ts';
import { compileKernel } from './compile.ts';
import { Kernel } from './kernel.ts';
// In the built package `#kernels`, which package.json resolves by runtime.
import { kernels } from './kernels/bytes.ts';

const compiled = new Map<Build, Promise<WebAssembly.Module>>();

/** A build that comes with the package, compiled once. */
export function compiledKernel(build: Build): Promise<WebAssembly.Module> {
  let module = compiled.get(build);
  if (module === undefined) {
    module = compileOwn(build);
    // A failure is not kept: it may have been a lack of memory.
    module.catch(() => compiled.delete(build));
    compiled.set(build, module);
  }
  return module;
}

/** A new instance of a build that comes with the package. */
export async function loadKernel(build: Build): Promise<Kernel> {
  return Kernel.instantiate(build, await compiledKernel(build));
}

async function compileOwn(build: Build): Promise<WebAssembly.Module> {
  const source = kernels[build];
  if (source === undefined) {
    throw new SeedspanError(
      'UNSUPPORTED',
      `createEngine: the package has no build ${show(build)} for this runtime; give createEngine of ` +
        `'seedspan/external' the module 'seedspan/kernel/${build}.wasm'`,
      { build },
    );
  }
  return compileKernel(await source());
}
