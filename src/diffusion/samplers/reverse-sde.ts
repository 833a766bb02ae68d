import { square } from '../../elementary.ts';
import { checkCount } from '../../solver/options.ts';
import type { NdArray } from '../types.ts';
import { fail, SamplerRun } from './run.ts';
import type { SamplerOptions, SamplerResult, ScoreFunction } from './types.ts';

/**
 * Reverse-time SDE by Euler and Maruyama's method (Anderson 1982; Song et al., arXiv 2011.13456, equation 6):
 * `x <- x + (g^2 s - a x) dt + g sqrt(dt) z` a step, with g, the drift `a x` and the score at the step's start. Weak
 * order 1. The last step has noise as the others.
 *
 * @param score the score of a batch, see {@link ScoreFunction}
 * @param x where to start, at `times[0]`: `[samples, ...]`; it is left as it is. `drawNoise` makes one
 * @param times falling, at least two; see `samplingTimes`
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`, `UNKNOWN_OPTION`; the signal's reason
 *   when aborted; what `score` or `callback` throws
 */
export async function sampleEulerMaruyama(
  score: ScoreFunction,
  x: NdArray,
  times: ArrayLike<number>,
  options: SamplerOptions,
): Promise<SamplerResult> {
  const run = new SamplerRun('sampleEulerMaruyama', score, x, times, options);
  const z = new Float64Array(run.x.length);
  for (let i = 0; i + 1 < run.times.length; i++) await reverseStep(run, i, z);
  return run.result();
}

/** The options of {@link samplePredictorCorrector}. */
export interface PredictorCorrectorOptions extends SamplerOptions {
  /** Signal-to-noise ratio r of the corrector. Default 0.16, the paper's. */
  snr?: number;
  /** Corrector steps after each predictor step. Default 1. */
  correctorSteps?: number;
}

/**
 * Predictor and corrector (Song et al., arXiv 2011.13456, algorithms 1 to 5): a step of the reverse-time SDE, as
 * `sampleEulerMaruyama` makes it, then steps of Langevin dynamics at the new time,
 * `x <- x + e s + sqrt(2 e) z`, `e = 2 alpha (r |z| / |s|)^2`, alpha = (scale(t) / scale(t'))^2 of the predictor's
 * step. The norms are each sample's own, not the batch's mean, so that a sample does not depend on the others. There
 * is no corrector at the last time where the variance is 0.
 *
 * Parameters and errors as {@link sampleEulerMaruyama}.
 */
export async function samplePredictorCorrector(
  score: ScoreFunction,
  x: NdArray,
  times: ArrayLike<number>,
  options: PredictorCorrectorOptions,
): Promise<SamplerResult> {
  const where = 'samplePredictorCorrector';
  const run = new SamplerRun(where, score, x, times, options, ['snr', 'correctorSteps']);
  const { snr = 0.16, correctorSteps = 1 } = options;
  if (!(typeof snr === 'number' && snr > 0 && Number.isFinite(snr))) {
    fail('INVALID_VALUE', where, `snr must be a positive number, not ${String(snr)}`);
  }
  checkCount(where, 'correctorSteps', correctorSteps, 0);
  const z = new Float64Array(run.x.length);
  for (let i = 0; i + 1 < run.times.length; i++) {
    await reverseStep(run, i, z);
    const next = run.sde.transition(run.times[i + 1]);
    if (next.variance === 0) continue;
    const alpha = square(run.sde.transition(run.times[i]).scale / next.scale);
    for (let k = 0; k < correctorSteps; k++) {
      const s = await run.score(run.x, run.times[i + 1]);
      run.fillNormal(z);
      for (let sample = 0; sample < run.samples; sample++) langevin(run, sample, s, z, alpha, snr);
    }
  }
  return run.result();
}

async function reverseStep(run: SamplerRun, i: number, z: Float64Array): Promise<void> {
  const { x, times, sde } = run;
  const s = await run.score(x, times[i]);
  await run.pause(i, s);
  const dt = times[i] - times[i + 1];
  const a = sde.linearDrift(times[i]);
  const g = sde.diffusion(times[i]);
  const noise = g * Math.sqrt(dt);
  run.fillNormal(z);
  for (let k = 0; k < x.length; k++) x[k] += (g * g * s[k] - a * x[k]) * dt + noise * z[k];
}

function langevin(
  { x, size }: SamplerRun,
  sample: number,
  s: Float64Array,
  z: Float64Array,
  alpha: number,
  snr: number,
): void {
  const [from, to] = [sample * size, (sample + 1) * size];
  let [square, noise] = [0, 0];
  for (let k = from; k < to; k++) {
    square += s[k] * s[k];
    noise += z[k] * z[k];
  }
  // Without a slope there is no ratio to aim for, and nothing to correct.
  if (square === 0) return;
  const e = (2 * alpha * snr * snr * noise) / square;
  const spread = Math.sqrt(2 * e);
  for (let k = from; k < to; k++) x[k] += e * s[k] + spread * z[k];
}
