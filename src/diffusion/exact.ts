import { log, square } from '../elementary.ts';
import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { checkSde, type PresetSde } from './sde.ts';

/** A round Gaussian in the plane at t = 0, and the preset equation that moves it. */
export interface GaussianStart {
  mean: readonly [number, number];
  /** Variance of each component, positive. */
  variance: number;
  sde: PresetSde;
}

/**
 * Exact log density at time t of a round Gaussian under a preset equation: it stays Gaussian, with mean
 * `scale(t) mean` and variance `v(t) = scale(t)^2 variance + transition variance(t)`, so
 *
 *     m = -|(x, y) - mean(t)|^2 / (2 v) - log(2 pi v)
 *
 * An exact solution of `m_t = -div f - f . grad m + g^2/2 (lap m + |grad m|^2)` to test schemes against. The
 * equation for `e^m` is linear: sums of Gaussians, weighted, are exact solutions too. Where g is constant or
 * `sigma^t` this is the heat equation's kernel; for `vp` the Ornstein-Uhlenbeck process with rate `beta(t) / 2`.
 *
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`
 */
export function gaussianLogDensity(x: number, y: number, t: number, start: GaussianStart): number {
  const { mean, variance } = gaussianAt(x, y, t, start);
  const distance = square(x - mean[0]) + square(y - mean[1]);
  return -distance / (2 * variance) - log(2 * Math.PI * variance);
}

/**
 * Exact score, the gradient of `gaussianLogDensity`: `-((x, y) - mean(t)) / v(t)`.
 *
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`
 */
export function gaussianScore(x: number, y: number, t: number, start: GaussianStart): [number, number] {
  const { mean, variance } = gaussianAt(x, y, t, start);
  return [-(x - mean[0]) / variance, -(y - mean[1]) / variance];
}

function gaussianAt(
  x: number,
  y: number,
  t: number,
  start: GaussianStart,
): { mean: [number, number]; variance: number } {
  checkOptionNames('gaussianLogDensity', start ?? null, ['mean', 'variance', 'sde']);
  const { mean, variance, sde } = start;
  for (const [name, value] of Object.entries({ x, y, t })) {
    if (Number.isFinite(value)) continue;
    throw new SeedspanError(
      'INVALID_VALUE',
      `gaussianLogDensity: ${name} must be a finite number, not ${show(value)}`,
    );
  }
  if (!(Array.isArray(mean) && mean.length === 2 && mean.every(Number.isFinite))) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `gaussianLogDensity: mean must be two finite numbers, not ${show(mean)}`,
    );
  }
  checkSde('gaussianLogDensity', sde);
  if (typeof sde.transition !== 'function') {
    throw new SeedspanError(
      'INVALID_TYPE',
      'gaussianLogDensity: sde must be a preset: only these have a closed form',
    );
  }
  if (!(Number.isFinite(variance) && variance > 0)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `gaussianLogDensity: variance must be positive, not ${show(variance)}`,
    );
  }
  const { scale, variance: added } = sde.transition(t);
  return { mean: [scale * mean[0], scale * mean[1]], variance: scale * scale * variance + added };
}
