// The kernel for browsers, inline and deflated, since base64 hides from the transport's compression what repeats.
// Node would take some ten milliseconds to load its DecompressionStream, and downloads nothing.
import simd from '../../../build/kernel/simd.wasm.z';
import type { Kernels } from '../builds.ts';

export const kernels: Required<Kernels> = {
  simd: () => inflate(simd),
  scalar: async () => inflate((await import('./scalar-deflated.ts')).scalar),
  'relaxed-simd': async () => inflate((await import('./relaxed-simd-deflated.ts')).relaxedSimd),
};

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
