import { SeedspanError, show } from '../errors.ts';
import { BUILDS, type Build } from './builds.ts';

/** The first bytes of a module. */
const MAGIC = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0] as const;
/** The first bytes of a module, and a function of type () -> v128, whose body and size are to follow. */
const HEAD = [...MAGIC, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10] as const;
/** A v128 of zeros. */
const ZEROS = [0x41, 0, 0xfd, 15] as const;

/**
 * The least modules that need what the builds need, many times faster to validate than those: `memory.fill`, and the
 * integer of a number, with its sign extended; a vector of zeros as result; and their `f64x2.relaxed_madd`.
 */
const PROBES: Record<Build, Uint8Array<ArrayBuffer>> = {
  scalar: Uint8Array.of(
    ...[...MAGIC, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 5, 3, 1, 0, 1, 10, 25, 1, 23, 0],
    ...[0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 11, 0],
    ...[0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0xfc, 2, 0xc0, 11],
  ),
  simd: Uint8Array.of(...HEAD, 8, 1, 6, 0, ...ZEROS, 11),
  'relaxed-simd': Uint8Array.of(...HEAD, 19, 1, 17, 0, ...ZEROS, ...ZEROS, ...ZEROS, 0xfd, 0x87, 2, 11),
};

const known = new Map<Build, boolean>();

/** Whether this runtime can run a build of the kernel. Validates once; compiles nothing. */
export function supportsBuild(build: Build): boolean {
  if (typeof WebAssembly === 'undefined') return false;
  let answer = known.get(build);
  if (answer === undefined) {
    answer = WebAssembly.validate(PROBES[build]);
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
