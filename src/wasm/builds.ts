/** One source, three builds with the same exports. */
export type Build = 'scalar' | 'simd' | 'relaxed-simd';

/** From the most to the least portable. */
export const BUILDS: readonly Build[] = ['scalar', 'simd', 'relaxed-simd'];

/** What an instance is made of: bytes to compile, or a module where a runtime compiles at deployment alone. */
export type KernelSource = Uint8Array<ArrayBuffer> | WebAssembly.Module;

/** The builds that come with the package, each loaded when it is asked for. */
export type Kernels = Readonly<Partial<Record<Build, () => KernelSource | Promise<KernelSource>>>>;
