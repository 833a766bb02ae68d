// As for `workerd`; Vercel's runtime wants `?module` behind the file's name, which the build adds.
import simd from '../../../build/kernel/simd.wasm';
import type { Kernels } from '../builds.ts';

export const kernels: Kernels = { simd: () => simd };
