import { SeedspanError, show } from '../errors.ts';
import { type Build, binaries } from './binaries.ts';

/** From the most to the least portable. */
export const BUILDS: readonly Build[] = ['scalar', 'simd', 'relaxed-simd'];

const known = new Map<Build, boolean>();

/** Whether this runtime can run a build of the kernel. Validates its bytes once; compiles nothing. */
export function supportsBuild(build: Build): boolean {
  if (typeof WebAssembly === 'undefined') return false;
  let answer = known.get(build);
  if (answer === undefined) {
    answer = WebAssembly.validate(binaries[build]);
    known.set(build, answer);
  }
  return answer;
}

/**
 * The build to load. `auto` is plain SIMD where there is SIMD, since its digits are the same in every runtime;
 * relaxed SIMD, whose digits are not, has to be asked for by name.
 */
export function chooseBuild(wanted: Build | 'auto'): Build {
  if (typeof WebAssembly === 'undefined') {
    throw new SeedspanError('UNSUPPORTED', 'createEngine: this runtime has no WebAssembly');
  }
  if (wanted === 'auto') return supportsBuild('simd') ? 'simd' : 'scalar';
  if (!BUILDS.includes(wanted)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `createEngine: build is ${show(wanted)}, must be "auto", ${BUILDS.map(show).join(', ')}`,
    );
  }
  if (!supportsBuild(wanted)) {
    throw new SeedspanError(
      'UNSUPPORTED',
      `createEngine: this runtime cannot run the build ${show(wanted)}; use "auto"` +
        (wanted === 'relaxed-simd' ? ' (Node 20 has it behind --experimental-wasm-relaxed-simd)' : ''),
      { build: wanted },
    );
  }
  return wanted;
}
