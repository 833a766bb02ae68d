import { SeedspanError } from '../errors.ts';
import type { KernelSource } from './builds.ts';

/**
 * Compiles, unless it is compiled already.
 *
 * @throws SeedspanError `UNSUPPORTED` where the page's Content-Security-Policy or the runtime forbids it, with the
 *   directive that allows it. What else goes wrong comes through.
 */
export async function compileKernel(source: KernelSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  try {
    return await WebAssembly.compile(source);
  } catch (cause) {
    throw forbidden(cause) ?? cause;
  }
}

/** The error to show where compilation was forbidden; undefined for any other failure. */
export function forbidden(cause: unknown): SeedspanError | undefined {
  const said = String((cause as Error | undefined)?.message);
  if (/disallowed by embedder/i.test(said)) {
    return new SeedspanError(
      'UNSUPPORTED',
      'createEngine: this runtime compiles no WebAssembly from bytes; import the .wasm file as a module, ' +
        "and give it to createEngine of 'seedspan/external' (bundled with the condition workerd or edge-light, " +
        "'seedspan' does so itself)",
      {},
      { cause },
    );
  }
  if (!/content.?security|\bCSP\b|unsafe-eval/i.test(said)) return undefined;
  return new SeedspanError(
    'UNSUPPORTED',
    "createEngine: the page's Content-Security-Policy forbids WebAssembly; add 'wasm-unsafe-eval' to its " +
      "directive script-src (for example: script-src 'self' 'wasm-unsafe-eval')",
    { directive: 'script-src', source: 'wasm-unsafe-eval' },
    { cause },
  );
}
