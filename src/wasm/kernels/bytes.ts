// The kernel for Node, Deno and Bun, inline. Plain SIMD, which every current runtime takes, comes with the module;
// the others are chunks of their own.
import simd from '../../../build/kernel/simd.wasm';
import type { Kernels } from '../builds.ts';

export const kernels: Required<Kernels> = {
  simd: () => simd,
  scalar: async () => (await import('./scalar.ts')).scalar,
  'relaxed-simd': async () => (await import('./relaxed-simd.ts')).relaxedSimd,
};
