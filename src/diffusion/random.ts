import { log } from '../elementary.ts';
import { SeedspanError, show } from '../errors.ts';

/** A reproducible sequence of random numbers. */
export interface RandomStream {
  /** Next number of the uniform distribution on [0, 1), with 53 random bits: the same in every engine. */
  uniform(): number;
  /**
   * Next number of the standard normal distribution, by Marsaglia's polar method: the same in every engine, since
   * its logarithm is the package's own.
   */
  normal(): number;
}

/**
 * The random stream that belongs to a seed and an index.
 *
 * Streams of different seeds or indices are unrelated, so each image or sample takes its own and the result
 * does not depend on batches or workers. The generator is xoshiro128** (Blackman and Vigna, "Scrambled linear
 * pseudorandom number generators", 2021) in 32-bit integers; its four words of state are hashes of seed and index.
 *
 * @param seed integer from 0 to 2^53 - 1
 * @param index integer from 0 to 2^53 - 1, default 0
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`
 */
export function randomStream(seed: number, index = 0): RandomStream {
  checkSeed('seed', seed);
  checkSeed('stream index', index);
  let [s0, s1, s2, s3] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x6a09e667].map((lane) =>
    hash(lane, seed, index),
  );
  // The one state that the generator never leaves.
  if ((s0 | s1 | s2 | s3) === 0) s0 = 1;
  let spare: number | undefined;

  function next(): number {
    const result = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0;
    const shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = rotate(s3, 11);
    return result;
  }

  function uniform(): number {
    const high = next() >>> 5;
    const low = next() >>> 6;
    return (high * 0x4000000 + low) / 0x20000000000000;
  }

  function normal(): number {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    for (;;) {
      const u = 2 * uniform() - 1;
      const v = 2 * uniform() - 1;
      const square = u * u + v * v;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * log(square)) / square);
      spare = v * factor;
      return u * factor;
    }
  }

  return { uniform, normal };
}

function checkSeed(name: string, value: unknown): void {
  if (typeof value !== 'number') {
    throw new SeedspanError('INVALID_TYPE', `${name} must be a number, not ${show(value)}`, {
      [name]: value,
    });
  }
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new SeedspanError('INVALID_VALUE', `${name} must be an integer from 0 to 2^53 - 1, not ${value}`, {
      [name]: value,
    });
  }
}

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

/** Hashes the low and high words of the numbers into 32 bits; `lane` makes the four state words unrelated. */
function hash(lane: number, ...numbers: number[]): number {
  let h = lane;
  for (const number of numbers) {
    for (const word of [number >>> 0, Math.floor(number / 0x100000000)])
      h = mix(Math.imul(h, 31) + (word ^ lane));
  }
  return h;
}

/** The finaliser of MurmurHash3: every input bit changes every output bit with probability near one half. */
function mix(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
