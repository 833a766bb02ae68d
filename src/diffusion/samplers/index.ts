import { checkChoice } from '../../solver/options.ts';
import type { NdArray } from '../types.ts';
import { sampleDdim, sampleDdpm } from './ancestral.ts';
import { sampleEuler, sampleHeun } from './probability-flow.ts';
import { sampleEulerMaruyama, samplePredictorCorrector } from './reverse-sde.ts';
import { sampleRk45 } from './rk45.ts';
import type { SamplerOptions, SamplerResult, ScoreFunction } from './types.ts';

/** All samplers by name. Their first parameters are the same; some have options of their own. */
export const SAMPLERS = {
  /** {@link sampleEulerMaruyama} */
  'euler-maruyama': sampleEulerMaruyama,
  /** {@link samplePredictorCorrector} */
  'predictor-corrector': samplePredictorCorrector,
  /** {@link sampleEuler} */
  euler: sampleEuler,
  /** {@link sampleHeun} */
  heun: sampleHeun,
  /** {@link sampleRk45} */
  rk45: sampleRk45,
  /** {@link sampleDdpm} */
  ddpm: sampleDdpm,
  /** {@link sampleDdim} */
  ddim: sampleDdim,
} as const;

/** A name of {@link SAMPLERS}. */
export type SamplerName = keyof typeof SAMPLERS;

/** The options of the sampler of that name. */
export type OptionsOf<Name extends SamplerName> = Parameters<(typeof SAMPLERS)[Name]>[3];

/**
 * Runs the sampler of that name.
 *
 * @throws SeedspanError `INVALID_VALUE` for a name that is none; else as the sampler.
 */
export async function sample<Name extends SamplerName>(
  name: Name,
  score: ScoreFunction,
  x: NdArray,
  times: ArrayLike<number>,
  options: OptionsOf<Name>,
): Promise<SamplerResult> {
  checkChoice('sample', 'sampler', name ?? null, Object.keys(SAMPLERS));
  const sampler: (
    s: ScoreFunction,
    x: NdArray,
    t: ArrayLike<number>,
    o: SamplerOptions,
  ) => Promise<SamplerResult> = SAMPLERS[name];
  return sampler(score, x, times, options);
}

export { type DdimOptions, sampleDdim, sampleDdpm } from './ancestral.ts';
export { interpolatedScore } from './interpolated.ts';
export { type Parametrisation, type Transition, toScore } from './parametrisation.ts';
export { sampleEuler, sampleHeun } from './probability-flow.ts';
export {
  type PredictorCorrectorOptions,
  sampleEulerMaruyama,
  samplePredictorCorrector,
} from './reverse-sde.ts';
export { type Rk45Options, type Rk45Result, sampleRk45 } from './rk45.ts';
export { drawNoise, type SamplingTimesOptions, samplingTimes } from './start.ts';
export type { SamplerOptions, SamplerResult, SamplerStep, ScoreFunction } from './types.ts';
