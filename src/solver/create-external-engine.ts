import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { VERSION } from '../version.ts';
import { BUILDS, type Build } from '../wasm/builds.ts';
import { compileKernel, forbidden } from '../wasm/compile.ts';
import { Kernel } from '../wasm/kernel.ts';
import { Engine } from './engine.ts';
import { checkMemoryLimit } from './memory-limit.ts';

/** Where a `.wasm` file of this package comes from. */
export type ExternalKernel = string | URL | Response | BufferSource | WebAssembly.Module;

/** Where the kernel comes from, and how much memory it may use. */
export interface ExternalEngineOptions {
  /**
   * One of the package's files `seedspan/kernel/*.wasm`: its URL, what was fetched from there, its bytes, or the
   * module, compiled.
   */
  wasm: ExternalKernel | Promise<ExternalKernel>;
  /** Most bytes of kernel memory in use at a time; 4 GiB, the most there can be, without it. */
  memoryLimit?: number;
}

/**
 * Loads a kernel that lies outside the bundle: cached by itself, compiled while it is downloaded, or compiled already.
 * The engine is that of `seedspan`.
 *
 * @throws SeedspanError `IO` (not found, or out of reach), `BAD_FORMAT` (not a kernel of this version of the package),
 *   `UNSUPPORTED` (no WebAssembly, not this build, or forbidden here), `INVALID_TYPE`, `INVALID_VALUE`,
 *   `UNKNOWN_OPTION`.
 * @example
 * ```ts
 * import { createEngine } from 'seedspan/external';
 *
 * const engine = await createEngine({ wasm: '/assets/simd.wasm' });
 * ```
 */
export async function createEngine(options: ExternalEngineOptions): Promise<Engine> {
  checkOptionNames('createEngine', options ?? {}, ['wasm', 'memoryLimit']);
  checkMemoryLimit(options?.memoryLimit);
  if (typeof WebAssembly === 'undefined') {
    throw new SeedspanError('UNSUPPORTED', 'createEngine: this runtime has no WebAssembly');
  }
  const module = await compileFrom(await options?.wasm);
  const kernel = await Kernel.instantiate(buildOf(module), module);
  if (options.memoryLimit !== undefined) kernel.setMemoryLimit(options.memoryLimit);
  return new Engine(kernel);
}

async function compileFrom(wasm: ExternalKernel | undefined): Promise<WebAssembly.Module> {
  if (wasm instanceof WebAssembly.Module) return wasm;
  if (typeof wasm === 'string' || wasm instanceof URL) return compileResponse(await download(String(wasm)));
  if (typeof Response !== 'undefined' && wasm instanceof Response) return compileResponse(wasm);
  if (wasm instanceof ArrayBuffer) return compileBytes(new Uint8Array(wasm));
  if (ArrayBuffer.isView(wasm)) {
    return compileBytes(new Uint8Array(wasm.buffer, wasm.byteOffset, wasm.byteLength));
  }
  throw new SeedspanError(
    'INVALID_TYPE',
    `createEngine: wasm must be a URL, a Response, bytes or a WebAssembly.Module, not ${show(wasm)}`,
  );
}

async function download(url: string): Promise<Response> {
  try {
    return await fetch(url);
  } catch (cause) {
    const message = `createEngine: cannot fetch ${show(url)}: ${(cause as Error).message}`;
    throw new SeedspanError('IO', message, { url }, { cause });
  }
}

async function compileResponse(response: Response): Promise<WebAssembly.Module> {
  if (!response.ok) {
    const { status, url } = response;
    throw new SeedspanError('IO', `createEngine: ${show(url)} answered with status ${status}`, {
      status,
      url,
    });
  }
  // Compiling while it comes in takes a server that names the type.
  const type = response.headers.get('content-type')?.split(';')[0].trim();
  if (type !== 'application/wasm') return compileBytes(new Uint8Array(await response.arrayBuffer()));
  try {
    return await WebAssembly.compileStreaming(response);
  } catch (cause) {
    throw forbidden(cause) ?? notAKernel(cause);
  }
}

async function compileBytes(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return await compileKernel(bytes);
  } catch (cause) {
    throw cause instanceof SeedspanError ? cause : notAKernel(cause);
  }
}

function notAKernel(cause: unknown): SeedspanError {
  const why = (cause as Error).message;
  return new SeedspanError(
    'BAD_FORMAT',
    `createEngine: wasm does not compile here; give the file seedspan/kernel/simd.wasm, or scalar.wasm where there is no SIMD (${why})`,
    {},
    { cause },
  );
}

/** The build that a module says it is. Refuses what is no kernel, and kernels of other versions. */
function buildOf(module: WebAssembly.Module): Build {
  const [section] = WebAssembly.Module.customSections(module, 'seedspan');
  const [build, version] = section === undefined ? [] : new TextDecoder().decode(section).split(' ');
  if (version === VERSION && BUILDS.includes(build as Build)) return build as Build;
  throw new SeedspanError(
    'BAD_FORMAT',
    `createEngine: wasm is ${version === undefined ? 'no kernel of seedspan' : `the kernel of seedspan ${version}`}; ` +
      `this is seedspan ${VERSION}, give one of its own files seedspan/kernel/*.wasm`,
    { version },
  );
}
