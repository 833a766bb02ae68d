import { square } from '../../elementary.ts';
import type { NdArray } from '../types.ts';
import { SamplerRun } from './run.ts';
import type { SamplerOptions, SamplerResult, ScoreFunction } from './types.ts';

/**
 * Probability-flow ODE `dx/dt = a x - g^2 s / 2` (Song et al., arXiv 2011.13456, equation 13) by Euler's method, of
 * order 1.
 *
 * Parameters and errors as `sampleEulerMaruyama`; nothing is drawn, so the seed does not matter.
 */
export async function sampleEuler(
  score: ScoreFunction,
  x: NdArray,
  times: ArrayLike<number>,
  options: SamplerOptions,
): Promise<SamplerResult> {
  const run = new SamplerRun('sampleEuler', score, x, times, options);
  for (let i = 0; i + 1 < run.times.length; i++) {
    const s = await run.score(run.x, run.times[i]);
    await run.pause(i, s);
    const dt = run.times[i + 1] - run.times[i];
    const k = velocity(run, run.x, s, run.times[i]);
    for (let j = 0; j < k.length; j++) run.x[j] += dt * k[j];
  }
  return run.result();
}

/**
 * The same ODE by Heun's method, of order 2: two evaluations a step.
 *
 * Parameters and errors as `sampleEulerMaruyama`; nothing is drawn, so the seed does not matter.
 */
export async function sampleHeun(
  score: ScoreFunction,
  x: NdArray,
  times: ArrayLike<number>,
  options: SamplerOptions,
): Promise<SamplerResult> {
  const run = new SamplerRun('sampleHeun', score, x, times, options);
  for (let i = 0; i + 1 < run.times.length; i++) {
    const [from, to] = [run.times[i], run.times[i + 1]];
    const s = await run.score(run.x, from);
    await run.pause(i, s);
    const dt = to - from;
    const k = velocity(run, run.x, s, from);
    const ahead = run.x.map((value, j) => value + dt * k[j]);
    const l = velocity(run, ahead, await run.score(ahead, to), to);
    for (let j = 0; j < k.length; j++) run.x[j] += 0.5 * dt * (k[j] + l[j]);
  }
  return run.result();
}

/** Right-hand side of the ODE. */
export function velocity({ sde }: SamplerRun, x: Float64Array, s: Float64Array, t: number): Float64Array {
  const a = sde.linearDrift(t);
  const half = 0.5 * square(sde.diffusion(t));
  return x.map((value, k) => a * value - half * s[k]);
}
