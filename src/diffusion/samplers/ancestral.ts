import type { NdArray } from '../types.ts';
import { fail, SamplerRun } from './run.ts';
import type { SamplerOptions, SamplerResult, ScoreFunction } from './types.ts';

/**
 * Ancestral sampling (DDPM; Ho, Jain and Abbeel, arXiv 2006.11239, algorithm 2): each step draws from the exact
 * Gaussian of X_t' given X_t and X_0, with Tweedie's `(x + variance score) / scale` in the place of X_0. With
 * `variancePreserving` that is DDPM with the posterior variance, with `varianceExploding` SMLD's sampler (Song et
 * al., arXiv 2011.13456, appendix F).
 *
 * Parameters and errors as `sampleEulerMaruyama`; the variance at all times but the last must be over 0.
 */
export async function sampleDdpm(
  score: ScoreFunction,
  x: NdArray,
  times: ArrayLike<number>,
  options: SamplerOptions,
): Promise<SamplerResult> {
  return ancestral(new SamplerRun('sampleDdpm', score, x, times, options), 'sampleDdpm', 1);
}

/** The options of {@link sampleDdim}. */
export interface DdimOptions extends SamplerOptions {
  /** From 0, the default, where nothing is drawn, to 1, which is `sampleDdpm`. */
  eta?: number;
}

/**
 * DDIM (Song, Meng and Ermon, arXiv 2010.02502, equation 12): `x <- scale' x0 + sqrt(variance' - d^2) e + d z`, x0
 * Tweedie's estimate, `e = -sqrt(variance) score` the noise, and d eta times the deviation of `sampleDdpm`'s draw.
 * With eta = 0 it is Euler's method for the probability flow in `sqrt(variance) / scale`.
 *
 * Parameters and errors as `sampleDdpm`; `INVALID_VALUE` where eta is not in [0, 1].
 */
export async function sampleDdim(
  score: ScoreFunction,
  x: NdArray,
  times: ArrayLike<number>,
  options: DdimOptions,
): Promise<SamplerResult> {
  const run = new SamplerRun('sampleDdim', score, x, times, options, ['eta']);
  const { eta = 0 } = options;
  if (!(typeof eta === 'number' && eta >= 0 && eta <= 1)) {
    fail('INVALID_VALUE', 'sampleDdim', `eta must lie in [0, 1], not be ${String(eta)}`);
  }
  return ancestral(run, 'sampleDdim', eta);
}

async function ancestral(run: SamplerRun, where: string, eta: number): Promise<SamplerResult> {
  const { x, times, sde } = run;
  const z = new Float64Array(x.length);
  for (let i = 0; i + 1 < times.length; i++) {
    const now = sde.transition(times[i]);
    const next = sde.transition(times[i + 1]);
    if (!(now.variance > 0))
      fail('INVALID_VALUE', where, `the variance at t = ${times[i]} is ${now.variance}`);
    const s = await run.score(x, times[i]);
    await run.pause(i, s);
    const share = now.scale / next.scale;
    const added = Math.max(0, now.variance - share * share * next.variance);
    const deviation = eta * Math.sqrt((added * next.variance) / now.variance);
    const rest = Math.sqrt(Math.max(0, next.variance - deviation * deviation));
    const toNoise = -Math.sqrt(now.variance);
    if (deviation > 0) run.fillNormal(z);
    for (let k = 0; k < x.length; k++) {
      const start = (x[k] + now.variance * s[k]) / now.scale;
      x[k] = next.scale * start + rest * toNoise * s[k] + deviation * z[k];
    }
  }
  return run.result();
}
