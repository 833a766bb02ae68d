import type { PresetSde } from '../sde.ts';
import type { NdArray } from '../types.ts';

/**
 * The gradient of the log density at time t, of a batch: `x` has one sample after the other, and what is returned
 * has as many numbers. A sampler may ask for fewer samples at a time than it was given. `x` is to be left as it is.
 */
export type ScoreFunction = (x: Float64Array, t: number) => Float64Array | Promise<Float64Array>;

/** Where a sampler has come to. */
export interface SamplerStep {
  /** The samples at time t, a copy. */
  x: NdArray;
  /** From 0: how many steps are done. */
  i: number;
  t: number;
  /** The mean of X_0 given X_t = x, by Tweedie's formula: `(x + variance(t) score) / scale(t)`. */
  denoised: NdArray;
}

/** What all samplers take. */
export interface SamplerOptions {
  /** The equation whose time is run backward. */
  sde: PresetSde;
  /** Default 0. */
  seed?: number;
  /**
   * Number of the first sample, default 0: sample k draws from the random stream (seed, firstSample + k), so that it
   * is the same, bit for bit, in any batch.
   */
  firstSample?: number;
  /** Called before each step. What it throws ends the sampling; a promise is waited for. */
  callback?: (step: SamplerStep) => void | Promise<void>;
  /** Looked at before each step. */
  signal?: AbortSignal;
}

/** What all samplers return. */
export interface SamplerResult {
  /** The samples at the last time, in the shape given. */
  x: NdArray;
  /** How often the score was evaluated, a sample: the mean over the samples. */
  evaluations: number;
}
