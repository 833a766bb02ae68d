import type { ScoreFunction } from '../../../src/diffusion/samplers/types.ts';
import type { PresetSde } from '../../../src/diffusion/sde.ts';

/** Data of independent components, N(mean, variance) each: everything about its noisy forms is known. */
export interface GaussianData {
  mean: number;
  variance: number;
  sde: PresetSde;
}

export function marginal(
  { mean, variance, sde }: GaussianData,
  t: number,
): { mean: number; variance: number } {
  const { scale, variance: added } = sde.transition(t);
  return { mean: scale * mean, variance: scale * scale * variance + added };
}

export function scoreOf(data: GaussianData): ScoreFunction {
  return (x, t) => {
    const { mean, variance } = marginal(data, t);
    return x.map((value) => -(value - mean) / variance);
  };
}

/** The probability flow keeps the distance from the mean in deviations. */
export function flow(data: GaussianData, x: Float64Array, from: number, to: number): Float64Array {
  const [a, b] = [marginal(data, from), marginal(data, to)];
  return x.map((value) => b.mean + (value - a.mean) * Math.sqrt(b.variance / a.variance));
}

/** Mean and variance of a list. */
export function moments(values: ArrayLike<number>): { mean: number; variance: number } {
  let mean = 0;
  for (let k = 0; k < values.length; k++) mean += values[k] / values.length;
  let variance = 0;
  for (let k = 0; k < values.length; k++) variance += (values[k] - mean) ** 2 / (values.length - 1);
  return { mean, variance };
}
