// Cloudflare's runtime compiles no bytes: the file itself is imported, and is a compiled module there.
import simd from '../../../build/kernel/simd.wasm';
import type { Kernels } from '../builds.ts';

export const kernels: Kernels = { simd: () => simd };
