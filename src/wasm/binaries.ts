// The three builds of the kernel. The bundler inlines them as bytes; nothing is compiled at import.
import relaxedSimd from '../../build/kernel/relaxed-simd.wasm';
import scalar from '../../build/kernel/scalar.wasm';
import simd from '../../build/kernel/simd.wasm';

/** One source, three builds with the same exports. */
export type Build = 'scalar' | 'simd' | 'relaxed-simd';

export const binaries: Readonly<Record<Build, Uint8Array<ArrayBuffer>>> = {
  scalar,
  simd,
  'relaxed-simd': relaxedSimd,
};
