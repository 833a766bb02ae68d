import { checkOptionNames, SeedspanError, show } from '../../errors.ts';
import { checkCount } from '../../solver/options.ts';
import { yieldToHost } from '../../solver/yield.ts';
import { checkNdArray } from '../ndarray.ts';
import { type RandomStream, randomStream } from '../random.ts';
import { checkSde, type PresetSde } from '../sde.ts';
import type { NdArray } from '../types.ts';
import type { SamplerOptions, SamplerResult, ScoreFunction } from './types.ts';

const COMMON = ['sde', 'seed', 'firstSample', 'callback', 'signal'] as const;

/** The random stream of a sample: even ones are for where it starts, odd ones for its steps. */
export function streamOf(seed: number, sample: number, purpose: 'start' | 'steps'): RandomStream {
  return randomStream(seed, 2 * sample + (purpose === 'start' ? 0 : 1));
}

/** Checked arguments of a sampler, and what all samplers do. */
export class SamplerRun {
  /** The samples, one after the other: the sampler moves them. */
  readonly x: Float64Array;
  readonly samples: number;
  /** Numbers of one sample. */
  readonly size: number;
  readonly times: Float64Array;
  readonly sde: PresetSde;
  /** Evaluations of single samples. */
  evaluated = 0;
  readonly #where: string;
  readonly #shape: number[];
  readonly #score: ScoreFunction;
  readonly #options: SamplerOptions;
  readonly #streams: RandomStream[];

  /** @param own names of the options that this sampler alone has. */
  constructor(
    where: string,
    score: ScoreFunction,
    x: NdArray,
    times: ArrayLike<number>,
    options: SamplerOptions,
    own: readonly string[] = [],
  ) {
    this.#where = where;
    checkOptionNames(where, options ?? null, [...COMMON, ...own]);
    if (typeof score !== 'function')
      fail('INVALID_TYPE', where, `score must be a function, not ${show(score)}`);
    const axes = Array.isArray(x?.shape)
      ? x.shape.map((_, k) => (k === 0 ? 'samples' : `n${k}`))
      : ['samples'];
    checkNdArray(`${where}: x`, x, axes.length === 0 ? ['samples'] : axes);
    if (!(x.data instanceof Float64Array)) fail('INVALID_TYPE', where, 'x.data must be a Float64Array');
    const { sde, seed = 0, firstSample = 0, callback, signal } = options;
    checkSde(where, sde);
    if (typeof sde.transition !== 'function' || typeof sde.linearDrift !== 'function') {
      fail('INVALID_TYPE', where, 'sde must be a preset, such as varianceExploding(5)');
    }
    checkCount(where, 'seed', seed, 0);
    checkCount(where, 'firstSample', firstSample, 0);
    if (callback !== undefined && typeof callback !== 'function') {
      fail('INVALID_TYPE', where, `callback must be a function, not ${show(callback)}`);
    }
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      fail('INVALID_TYPE', where, `signal must be an AbortSignal, not ${show(signal)}`);
    }
    this.times = checkTimes(where, times);
    this.sde = sde;
    this.x = x.data.slice();
    this.#shape = [...x.shape];
    [this.samples] = x.shape;
    this.size = x.data.length / this.samples;
    this.#score = score;
    this.#options = options;
    this.#streams = Array.from({ length: this.samples }, (_, k) => streamOf(seed, firstSample + k, 'steps'));
  }

  /** The score of all samples, or of those in `x`. */
  async score(x: Float64Array, t: number): Promise<Float64Array> {
    const s: unknown = await this.#score(x, t);
    this.evaluated += x.length / this.size;
    if (!(s instanceof Float64Array) || s.length !== x.length) {
      const what = s instanceof Float64Array ? `${s.length} numbers` : show(s);
      fail(
        'INVALID_TYPE',
        this.#where,
        `score must return a Float64Array of ${x.length} numbers, not ${what}`,
      );
    }
    for (let k = 0; k < s.length; k++) {
      if (!Number.isFinite(s[k]))
        fail('INVALID_VALUE', this.#where, `the score at t = ${t} is ${s[k]} (number ${k})`);
    }
    return s;
  }

  /** z <- standard normal numbers, each sample's from its own stream. */
  fillNormal(z: Float64Array): void {
    for (let k = 0, at = 0; k < this.samples; k++) {
      const stream = this.#streams[k];
      for (const end = at + this.size; at < end; at++) z[at] = stream.normal();
    }
  }

  /** Lets others run, ends where that is asked for, and calls back. */
  async pause(i: number, s?: Float64Array): Promise<void> {
    const { signal, callback } = this.#options;
    signal?.throwIfAborted();
    if (callback !== undefined) {
      const t = this.times[i];
      const { scale, variance } = this.sde.transition(t);
      const score = s ?? (await this.score(this.x, t));
      const denoised = this.x.map((value, k) => (value + variance * score[k]) / scale);
      await callback({
        x: { data: this.x.slice(), shape: [...this.#shape] },
        i,
        t,
        denoised: { data: denoised, shape: [...this.#shape] },
      });
    }
    await yieldToHost();
    signal?.throwIfAborted();
  }

  result(): SamplerResult {
    return { x: { data: this.x, shape: this.#shape }, evaluations: this.evaluated / this.samples };
  }
}

/** At least two finite numbers, falling, none below 0. */
function checkTimes(where: string, times: ArrayLike<number>): Float64Array {
  if (!(Array.isArray(times) || times instanceof Float64Array)) {
    fail('INVALID_TYPE', where, `times must be an array of numbers, not ${show(times)}`);
  }
  const copy = Float64Array.from(times as ArrayLike<unknown>, (t) =>
    typeof t === 'number' ? t : Number.NaN,
  );
  if (copy.length < 2) fail('INVALID_VALUE', where, `times has ${copy.length} entries; a step needs two`);
  for (let k = 0; k < copy.length; k++) {
    const falls = k === 0 || copy[k] < copy[k - 1];
    if (Number.isFinite(copy[k]) && copy[k] >= 0 && falls) continue;
    fail('INVALID_VALUE', where, `times must fall and not be negative, but times[${k}] is ${copy[k]}`);
  }
  return copy;
}

export function fail(code: 'INVALID_TYPE' | 'INVALID_VALUE', where: string, what: string): never {
  throw new SeedspanError(code, `${where}: ${what}`);
}
