import { exp, expm1, log, power } from '../elementary.ts';
import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import type { Sde } from './types.ts';

/** A ready-made equation whose transition density is a Gaussian in closed form. */
export interface PresetSde extends Sde {
  /** The text from which `parseSde` makes the equation again. */
  readonly name: string;
  /**
   * X_t given X_0: `scale X_0 + sqrt(variance) z` in every component, z standard normal.
   * t >= 0, and t <= 1 where the preset is defined there only.
   */
  readonly transition: (t: number) => { readonly scale: number; readonly variance: number };
  /** a(t) of the drift `a(t) x`, in every component and in any number of dimensions. */
  readonly linearDrift: (t: number) => number;
}

/**
 * `dX = g dW` with constant g: `constant:0.5`.
 *
 * @param g finite and not negative
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`
 */
export function constantDiffusion(g: number): PresetSde {
  checkNumber('constantDiffusion', 'g', g, g >= 0, 'not negative');
  return {
    name: `constant:${g}`,
    diffusion: () => g,
    transition: (t) => ({ scale: 1, variance: g * g * t }),
    linearDrift: () => 0,
  };
}

/**
 * Variance exploding: `dX = sigma^t dW`, `ve:5` (Song et al. 2021, arXiv 2011.13456, as used in arXiv 2404.06661).
 *
 * @param sigma finite and positive
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`
 */
export function varianceExploding(sigma: number): PresetSde {
  checkNumber('varianceExploding', 'sigma', sigma, sigma > 0, 'positive');
  const rate = 2 * log(sigma);
  return {
    name: `ve:${sigma}`,
    diffusion: (t) => power(sigma, t),
    transition: (t) => ({ scale: 1, variance: rate === 0 ? t : expm1(rate * t) / rate }),
    linearDrift: () => 0,
  };
}

/**
 * Variance preserving: `dX = -1/2 beta(t) X dt + sqrt(beta(t)) dW`, `vp:0.1,20`; beta rises linearly from
 * `betaMin` at t = 0 to `betaMax` at t = 1 (Song et al. 2021, arXiv 2011.13456, equation 11 and appendix C).
 * Meant for 0 <= t <= 1.
 *
 * @param options `betaMin`, default 0.1, and `betaMax`, default 20: finite and not negative
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`
 */
export function variancePreserving(options: { betaMin?: number; betaMax?: number } = {}): PresetSde {
  checkOptionNames('variancePreserving', options, ['betaMin', 'betaMax']);
  const { betaMin = 0.1, betaMax = 20 } = options;
  checkNumber('variancePreserving', 'betaMin', betaMin, betaMin >= 0, 'not negative');
  checkNumber('variancePreserving', 'betaMax', betaMax, betaMax >= 0, 'not negative');
  const beta = (t: number) => betaMin + (betaMax - betaMin) * t;
  const integral = (t: number) => betaMin * t + 0.5 * (betaMax - betaMin) * t * t;
  return {
    name: `vp:${betaMin},${betaMax}`,
    drift: (x, y, t) => [-0.5 * beta(t) * x, -0.5 * beta(t) * y],
    diffusion: (t) => Math.sqrt(beta(t)),
    transition: (t) => ({ scale: exp(-0.5 * integral(t)), variance: -expm1(-integral(t)) }),
    linearDrift: (t) => -0.5 * beta(t),
  };
}

/**
 * A preset from text: `constant:g`, `ve:sigma`, `vp` or `vp:betaMin,betaMax`.
 *
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`
 */
export function parseSde(text: string): PresetSde {
  if (typeof text !== 'string') {
    throw new SeedspanError('INVALID_TYPE', `sde must be text such as "ve:5", not ${show(text)}`, {
      sde: text,
    });
  }
  const [kind, ...rest] = text.trim().split(':');
  const values = rest.join(':').split(',').map(parseNumber);
  const numbers = rest.length === 0 ? [] : values;
  if (numbers.every(Number.isFinite)) {
    if (kind === 'constant' && numbers.length === 1) return constantDiffusion(numbers[0]);
    if (kind === 've' && numbers.length === 1) return varianceExploding(numbers[0]);
    if (kind === 'vp' && numbers.length === 0) return variancePreserving();
    if (kind === 'vp' && numbers.length === 2) {
      return variancePreserving({ betaMin: numbers[0], betaMax: numbers[1] });
    }
  }
  throw new SeedspanError(
    'INVALID_VALUE',
    `sde ${show(text)} is none of: constant:G, ve:SIGMA, vp, vp:BETA_MIN,BETA_MAX (for example ve:5)`,
    { sde: text },
  );
}

/**
 * Checks that a value has the form of an equation: `diffusion` a function, `drift` absent or a function, `name`
 * absent or text. What the functions return is checked where they are used, at the times and places used.
 *
 * @param where the caller, for the message
 * @throws SeedspanError `INVALID_TYPE`
 */
export function checkSde(where: string, value: unknown): asserts value is Sde {
  const fail = (what: string): never => {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${where}: ${what}; an sde is {drift?(x, y, t) => [fx, fy], diffusion(t) => g, name?} or a preset such as varianceExploding(5)`,
    );
  };
  if (typeof value !== 'object' || value === null) return fail(`sde must be an object, not ${show(value)}`);
  const { drift, diffusion, name } = value as Record<string, unknown>;
  if (typeof diffusion !== 'function') fail(`sde.diffusion must be a function, not ${show(diffusion)}`);
  if (drift !== undefined && typeof drift !== 'function')
    fail(`sde.drift must be a function, not ${show(drift)}`);
  if (name !== undefined && typeof name !== 'string') fail(`sde.name must be a string, not ${show(name)}`);
}

function parseNumber(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

function checkNumber(where: string, name: string, value: unknown, allowed: boolean, condition: string): void {
  if (typeof value !== 'number') {
    throw new SeedspanError('INVALID_TYPE', `${where}: ${name} must be a number, not ${show(value)}`, {
      [name]: value,
    });
  }
  if (!Number.isFinite(value) || !allowed) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: ${name} must be finite and ${condition}, not ${value}`,
      {
        [name]: value,
      },
    );
  }
}
