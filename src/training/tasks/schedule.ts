import type { PresetSde } from '../../diffusion/index.ts';
import { checkOptionNames, SeedspanError } from '../../errors.ts';
import { checkCount } from '../../solver/options.ts';

/** The noise levels of DDPM. */
export interface DdpmScheduleOptions {
  /** Default 1000. */
  steps?: number;
  /** beta of the first and of the last step, linear between. Default 1e-4 and 0.02. */
  betaMin?: number;
  betaMax?: number;
}

export const DDPM_SCHEDULE_DEFAULTS = { steps: 1000, betaMin: 1e-4, betaMax: 0.02 } as const;

/** The forward process of DDPM, as an equation whose time k / steps is step k. */
export interface DdpmSchedule extends PresetSde {
  readonly steps: number;
  /** Of steps 1 to `steps`. */
  readonly betas: Float64Array;
  /** Product of 1 - beta over the first k steps, k from 0 to `steps`. */
  readonly alphaBars: Float64Array;
  /**
   * The first step at which the noise beside the unscaled signal, `sqrt((1 - alphaBar) / alphaBar)`, is at least
   * this; the last step where none is.
   */
  stepOfNoise(deviation: number): number;
}

/**
 * Schedule of Ho, Jain and Abbeel (arXiv 2006.11239): `x_k = sqrt(alphaBar_k) x_0 + sqrt(1 - alphaBar_k) z`. Between the
 * steps it is continued with a constant `beta(t) = -steps log(1 - beta_k)`, which has just these transitions, so that
 * the samplers for equations run on it; `sampleDdpm` at times k / steps is DDPM's ancestral sampling to the digit.
 *
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION`
 */
export function ddpmSchedule(options: DdpmScheduleOptions = {}): DdpmSchedule {
  const where = 'ddpmSchedule';
  checkOptionNames(where, options, ['steps', 'betaMin', 'betaMax']);
  const {
    steps = DDPM_SCHEDULE_DEFAULTS.steps,
    betaMin = DDPM_SCHEDULE_DEFAULTS.betaMin,
    betaMax = DDPM_SCHEDULE_DEFAULTS.betaMax,
  } = options;
  checkCount(where, 'steps', steps, 1);
  if (!(betaMin > 0 && betaMax >= betaMin && betaMax < 1)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: betaMin ${betaMin} and betaMax ${betaMax} must lie in (0, 1), in this order`,
    );
  }
  const betas = Float64Array.from(
    { length: steps },
    (_, k) => betaMin + (k / Math.max(1, steps - 1)) * (betaMax - betaMin),
  );
  // Sums of logarithms: 1 - alphaBar keeps its digits where it is small.
  const logs = new Float64Array(steps + 1);
  for (let k = 0; k < steps; k++) logs[k + 1] = logs[k] + Math.log1p(-betas[k]);
  const alphaBars = logs.map(Math.exp);

  /** The step that a time lies in, from 0, and the logarithm of alphaBar there. */
  const at = (t: number) => {
    const k = Math.min(steps - 1, Math.max(0, Math.ceil(t * steps - 1e-9) - 1));
    return { k, log: logs[k] + (t * steps - k) * (logs[k + 1] - logs[k]) };
  };
  const beta = (t: number) => -steps * Math.log1p(-betas[at(t).k]);
  return {
    name: `ddpm:${steps},${betaMin},${betaMax}`,
    steps,
    betas,
    alphaBars,
    drift: (x, y, t) => [-0.5 * beta(t) * x, -0.5 * beta(t) * y],
    diffusion: (t) => Math.sqrt(beta(t)),
    linearDrift: (t) => -0.5 * beta(t),
    transition(t) {
      const { log } = at(t);
      return { scale: Math.exp(0.5 * log), variance: -Math.expm1(log) };
    },
    stepOfNoise(deviation) {
      const found = alphaBars.findIndex((bar) => Math.sqrt((1 - bar) / bar) >= deviation);
      return found < 0 ? steps : found;
    },
  };
}
