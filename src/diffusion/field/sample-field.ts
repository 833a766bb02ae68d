import { power } from '../../elementary.ts';
import { checkOptionNames, SeedspanError, show } from '../../errors.ts';
import { Scope } from '../../memory/scope.ts';
import { createEngine } from '../../solver/create-engine.ts';
import type { Engine } from '../../solver/engine.ts';
import { checkChoice, checkCount } from '../../solver/options.ts';
import { yieldToHost } from '../../solver/yield.ts';
import type { NdArray } from '../types.ts';
import { checkEngine, type PointField } from './point-field.ts';
import { PointMover } from './point-mover.ts';

/** The ways of sampling a field, by name. */
export const FIELD_SAMPLERS = [
  'heun',
  'euler',
  'euler-maruyama',
  'predictor-corrector',
  'ddpm',
  'ddim',
] as const;

/** A name of {@link FIELD_SAMPLERS}. */
export type FieldSampler = (typeof FIELD_SAMPLERS)[number];

/** Where `sampleField` has come to. */
export interface FieldStep {
  /** `[count, 2]`, a copy. */
  x: NdArray;
  /** From 0: how many steps are done. */
  i: number;
  /** The variance of the noise in x. */
  t: number;
  /** `[count, 2]`: the mean of the point without noise, given x; by Tweedie's formula, `x + t score`, reflected. */
  denoised: NdArray;
}

/** How many points are drawn, and how they travel. */
export interface SampleFieldOptions {
  /** How many points. */
  count: number;
  /**
   * Default `heun`: the probability-flow ODE by Heun's method in the standard deviation, two looks at the field a step.
   * `euler`: the same by Euler's method. The others draw random numbers at each step; see the functions of the same
   * names, whose formulas these are with scale 1.
   */
  sampler?: FieldSampler;
  /** Default 50. The variances of the steps fall geometrically, and at last to `to`. */
  steps?: number;
  /** Default 0. */
  seed?: number;
  /** Number of the first point, default 0. Point k is the same, bit for bit, whatever is drawn beside it. */
  firstPoint?: number;
  /** Variance where sampling begins, with draws from the density there. Default: the field's last. */
  from?: number;
  /** Variance where it ends. Default 0. */
  to?: number;
  /** Of `ddim`: from 0, the default, to 1. */
  eta?: number;
  /** Of `predictor-corrector`: signal-to-noise ratio; each correction is as long as `2 snr^2 t`. Default 0.16. */
  snr?: number;
  /** Called before each step, and costs a copy of the points. What it throws ends the sampling. */
  callback?: (step: FieldStep) => void | Promise<void>;
  /** Looked at after each step. */
  signal?: AbortSignal;
  /** Used and left open. Without it, one is made and disposed of. */
  engine?: Engine;
}

const KNOWN = [
  'count',
  'sampler',
  'steps',
  'seed',
  'firstPoint',
  'from',
  'to',
  'eta',
  'snr',
  'callback',
  'signal',
  'engine',
] as const;
/** How long it works before it lets others run, in milliseconds. */
const SLICE = 12;

/**
 * Draws points of the plane by running a pre-computed field backward: from its density under much noise to the one
 * without. No network, no training: the field's score is that of the density itself.
 *
 * Within a cell the field is `flux / density`, each component of the flux linear between the faces that it crosses,
 * so that points keep the mass of every cell; over the levels the density is linear in the variance; the border
 * reflects. The loop over the points runs in the kernel, with a random stream a point (Philox4x32-10).
 *
 * @param field from `precomputeField`
 * @returns `points`, `[count, 2]`, component 0 along the rows' index, and how often the field was evaluated, a point
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE` (count or steps 0, an unknown sampler, variances outside the
 *   field's levels), `UNKNOWN_OPTION`, `SHAPE_MISMATCH`, `OUT_OF_MEMORY`, `DISPOSED`; the signal's reason when
 *   aborted; what the callback throws. Nothing is left in the engine then.
 */
export async function sampleField(
  field: PointField,
  options: SampleFieldOptions,
): Promise<{ points: NdArray; evaluations: number }> {
  const where = 'sampleField';
  checkField(where, field);
  const { sampler, variances, eta, snr, ...settings } = resolve(where, field, options);
  const { signal, callback } = options;
  checkEngine(where, options.engine, signal);
  signal?.throwIfAborted();
  const engine = options.engine ?? (await createEngine());
  const scope = new Scope(engine.kernel);
  try {
    const mover = new PointMover(scope, field, settings);
    mover.draw(variances[0]);
    let evaluations = 0;
    let paused = performance.now();
    for (let i = 0; i + 1 < variances.length; i++) {
      const [v, w] = [variances[i], variances[i + 1]];
      if (callback !== undefined) {
        const shape = [settings.count, 2];
        const x = { data: mover.points(), shape };
        await callback({ x, i, t: v, denoised: { data: mover.denoised(v), shape: [...shape] } });
        engine.checkAlive('the engine');
      }
      evaluations += takeStep(mover, sampler, i, v, w, eta, snr);
      if (signal?.aborted || performance.now() - paused > SLICE) {
        await yieldToHost();
        signal?.throwIfAborted();
        engine.checkAlive('the engine');
        paused = performance.now();
      }
    }
    return { points: { data: mover.points(), shape: [settings.count, 2] }, evaluations };
  } finally {
    scope.dispose();
    if (engine !== options.engine) engine.dispose();
  }
}

/** Draws points from the density of the field at a variance, without any steps: what samples are compared with. */
export async function drawFromField(
  field: PointField,
  options: Pick<SampleFieldOptions, 'count' | 'seed' | 'firstPoint' | 'engine'> & {
    /** Default 0. */
    variance?: number;
  },
): Promise<NdArray> {
  const where = 'drawFromField';
  checkField(where, field);
  checkOptionNames(where, options ?? null, ['count', 'seed', 'firstPoint', 'engine', 'variance']);
  const { variance = 0, engine: given, ...rest } = options;
  const settings = checkDraws(where, rest);
  checkVariance(where, 'variance', variance, field);
  checkEngine(where, given, undefined);
  const engine = given ?? (await createEngine());
  const scope = new Scope(engine.kernel);
  try {
    const mover = new PointMover(scope, field, settings);
    mover.draw(variance);
    return { data: mover.points(), shape: [settings.count, 2] };
  } finally {
    scope.dispose();
    if (engine !== given) engine.dispose();
  }
}

/** Moves all points from variance v to w, below it; returns how often the field was evaluated. */
export function takeStep(
  mover: PointMover,
  sampler: FieldSampler,
  i: number,
  v: number,
  w: number,
  eta: number,
  snr: number,
): number {
  const [from, to] = [Math.sqrt(v), Math.sqrt(w)];
  // What the exact Gaussian of X_w given X_v and X_0 has of its own.
  const posterior = ((v - w) * w) / v;
  const draw = 2 * i;
  if (sampler === 'heun') {
    // dx / d(deviation) = -deviation score.
    mover.heun({ variance: v, factor: (from - to) * from }, { variance: w, factor: (from - to) * to });
    return 2;
  }
  if (sampler === 'euler') mover.move(v, (from - to) * from, 0, draw);
  else if (sampler === 'ddpm') mover.move(v, v - w, Math.sqrt(posterior), draw);
  else if (sampler === 'ddim') {
    const own = eta * eta * posterior;
    mover.move(v, v - Math.sqrt(w - own) * from, Math.sqrt(own), draw);
  } else {
    mover.move(v, v - w, Math.sqrt(v - w), draw);
    if (sampler === 'predictor-corrector' && w > 0) {
      const length = 2 * snr * snr * w;
      mover.move(w, length, Math.sqrt(2 * length), draw + 1);
      return 2;
    }
  }
  return 1;
}

function resolve(where: string, field: PointField, options: SampleFieldOptions) {
  checkOptionNames(where, options ?? null, KNOWN);
  const { sampler = 'heun', steps = 50, eta = 0, snr = 0.16, callback } = options;
  checkChoice(where, 'sampler', sampler, FIELD_SAMPLERS);
  checkCount(where, 'steps', steps, 1);
  const { variances: levels } = field;
  const { from = levels[levels.length - 1], to = levels[0] } = options;
  checkVariance(where, 'from', from, field);
  checkVariance(where, 'to', to, field);
  if (!(from > to)) {
    throw new SeedspanError('INVALID_VALUE', `${where}: from ${from} must be over to ${to}`);
  }
  if (!(typeof eta === 'number' && eta >= 0 && eta <= 1)) {
    throw new SeedspanError('INVALID_VALUE', `${where}: eta must lie in [0, 1], not be ${show(eta)}`);
  }
  if (!(typeof snr === 'number' && snr > 0 && snr < Infinity)) {
    throw new SeedspanError('INVALID_VALUE', `${where}: snr must be a positive number, not ${show(snr)}`);
  }
  if (callback !== undefined && typeof callback !== 'function') {
    throw new SeedspanError('INVALID_TYPE', `${where}: callback must be a function, not ${show(callback)}`);
  }
  const { count, seed, firstPoint } = options;
  const draws = checkDraws(where, { count, seed, firstPoint });
  return { ...draws, sampler, eta, snr, variances: stepVariances(from, to, steps, levels[1]) };
}

function checkDraws(where: string, options: { count: number; seed?: number; firstPoint?: number }) {
  const { count, seed = 0, firstPoint = 0 } = options;
  if (count === undefined) {
    throw new SeedspanError('INVALID_TYPE', `${where}: count, the number of points, must be given`);
  }
  checkCount(where, 'count', count, 1);
  for (const [name, value] of Object.entries({ seed, firstPoint })) {
    if (Number.isSafeInteger(value) && value >= 0) continue;
    const code = typeof value === 'number' ? 'INVALID_VALUE' : 'INVALID_TYPE';
    throw new SeedspanError(
      code,
      `${where}: ${name} must be an integer from 0 to 2^53 - 1, not ${show(value)}`,
    );
  }
  return { count, seed, firstPoint };
}

function checkVariance(where: string, name: string, value: number, { variances }: PointField): void {
  const [first, last] = [variances[0], variances[variances.length - 1]];
  if (typeof value === 'number' && value >= first && value <= last) return;
  throw new SeedspanError(
    'INVALID_VALUE',
    `${where}: ${name} is ${show(value)}, outside the field's levels, whose variances go from ${first} to ${last}`,
    { option: name, value },
  );
}

/** From `from` down to `to`, geometrically; where that is 0, the last step but one ends at `least`. */
export function stepVariances(from: number, to: number, steps: number, least: number): Float64Array {
  const variances = new Float64Array(steps + 1);
  const geometric = to > 0 ? steps : steps - 1;
  const end = to > 0 ? to : Math.min(least, from / 2);
  for (let k = 0; k <= geometric; k++)
    variances[k] = from * power(end / from, geometric === 0 ? 0 : k / geometric);
  variances[steps] = to;
  return variances;
}

/** Refuses what `precomputeField` cannot have made. */
export function checkField(where: string, field: PointField): void {
  const { height, width, variances, density } = field ?? {};
  const levels = variances instanceof Float64Array ? variances.length : 0;
  const fits =
    levels >= 2 &&
    density?.data instanceof Float64Array &&
    density.data.length === levels * height * width &&
    variances.every((v, k) => Number.isFinite(v) && v >= 0 && (k === 0 || v > variances[k - 1]));
  if (fits) return;
  throw new SeedspanError(
    'SHAPE_MISMATCH',
    `${where}: field must be made by precomputeField: rising variances and density [levels, H, W]`,
  );
}
