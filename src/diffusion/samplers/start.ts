import { power } from '../../elementary.ts';
import { checkOptionNames, show } from '../../errors.ts';
import { checkChoice, checkCount } from '../../solver/options.ts';
import { checkSde, type PresetSde } from '../sde.ts';
import type { NdArray } from '../types.ts';
import { fail, streamOf } from './run.ts';

/** Where the times of a sampler begin and end, and how they are spaced. */
export interface SamplingTimesOptions {
  /** How many steps: one time more. At least 1. */
  steps: number;
  /** Where sampling begins. Default 1. */
  from?: number;
  /** Where it ends. Default 1e-3, as in arXiv 2011.13456; geometric spacing cannot end at 0. */
  to?: number;
  /** Default `uniform`. `geometric` is for equations whose variance grows with t itself. */
  spacing?: 'uniform' | 'geometric';
}

/**
 * Falling times for a sampler, `steps + 1` of them.
 *
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION`
 */
export function samplingTimes(options: SamplingTimesOptions): Float64Array {
  const where = 'samplingTimes';
  checkOptionNames(where, options ?? null, ['steps', 'from', 'to', 'spacing']);
  const { steps, from = 1, to = 1e-3, spacing = 'uniform' } = options;
  if (steps === undefined) fail('INVALID_TYPE', where, 'steps must be given');
  checkCount(where, 'steps', steps, 1);
  checkChoice(where, 'spacing', spacing, ['uniform', 'geometric']);
  for (const [name, value] of Object.entries({ from, to })) {
    if (typeof value !== 'number')
      fail('INVALID_TYPE', where, `${name} must be a number, not ${show(value)}`);
  }
  const least = spacing === 'geometric' ? Number.MIN_VALUE : 0;
  if (!(to >= least && from > to && Number.isFinite(from))) {
    const over = spacing === 'geometric' ? ' over 0' : ' 0 or over';
    fail('INVALID_VALUE', where, `from ${from} must be over to ${to}, and to${over}`);
  }
  const at = (k: number) =>
    spacing === 'uniform' ? from + (k / steps) * (to - from) : from * power(to / from, k / steps);
  const times = Float64Array.from({ length: steps + 1 }, (_, k) => at(k));
  times[steps] = to;
  return times;
}

/**
 * Draws from the end distribution of a preset equation, N(0, variance(t)) in every component.
 *
 * @param shape `[samples, ...]`
 * @param options `sde`, `t` (default 1), `seed` and `firstSample` (default 0): sample k is the same in any batch, and
 *   shares no random number with its steps in a sampler
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION`
 */
export function drawNoise(
  shape: readonly number[],
  options: { sde: PresetSde; t?: number; seed?: number; firstSample?: number },
): NdArray {
  const where = 'drawNoise';
  checkOptionNames(where, options ?? null, ['sde', 't', 'seed', 'firstSample']);
  const { sde, t = 1, seed = 0, firstSample = 0 } = options;
  checkSde(where, sde);
  if (typeof sde.transition !== 'function') fail('INVALID_TYPE', where, 'sde must be a preset');
  if (!Array.isArray(shape) || shape.length === 0) {
    fail('INVALID_TYPE', where, `shape must be [samples, ...], not ${show(shape)}`);
  }
  for (const length of shape) checkCount(where, 'an entry of shape', length, 1);
  checkCount(where, 'seed', seed, 0);
  checkCount(where, 'firstSample', firstSample, 0);
  const { variance } = sde.transition(t);
  if (!(variance >= 0 && Number.isFinite(variance))) {
    fail('INVALID_VALUE', where, `the variance at t = ${show(t)} is ${variance}`);
  }
  const data = new Float64Array(shape.reduce((product, length) => product * length, 1));
  const size = data.length / shape[0];
  const deviation = Math.sqrt(variance);
  for (let k = 0, at = 0; k < shape[0]; k++) {
    const stream = streamOf(seed, firstSample + k, 'start');
    for (const end = at + size; at < end; at++) data[at] = deviation * stream.normal();
  }
  return { data, shape: [...shape] };
}
