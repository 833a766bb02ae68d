import { checkOptionNames, SeedspanError, show, showList } from '../errors.ts';
import { Engine } from '../solver/engine.ts';
import { checkChoice, checkCount, checkFlag, checkTolerance } from '../solver/options.ts';
import { checkWorkers } from '../threads/options.ts';
import { checkNdArray } from './ndarray.ts';
import type { ConsistentSettings } from './scheme-consistent.ts';
import { checkSde, constantDiffusion, varianceExploding } from './sde.ts';
import type {
  DensityKind,
  PrecomputeOptions,
  ProjectionOptions,
  ProjectionSettings,
  Scheme,
  Sde,
  Sharing,
} from './types.ts';

/** What a scheme does where the caller says nothing; the papers' settings where there is a paper. */
export const SCHEME_DEFAULTS = {
  na2024: {
    density: 'pixel-pairs',
    sde: 've:5',
    steps: 20,
    T: 1,
    rtol: 1e-10,
    fixedPoint: { rtol: 2e-8, maxiter: 50, inner: 'accelerated' },
  },
  lau2025: {
    density: 'pixel-positions',
    sde: 'constant:0.5',
    steps: 100,
    T: 1,
    rtol: 1e-12,
    fixedPoint: { rtol: 1e-6, maxiter: 5, inner: 'strict' },
  },
  consistent: {
    density: 'pixel-positions',
    sde: 'constant:0.5',
    steps: 20,
    T: 1,
    rtol: 1e-10,
    fixedPoint: { rtol: 1e-8, maxiter: 30, inner: 'accelerated' },
  },
} as const satisfies Record<Scheme, object>;

/** Defaults that all schemes share. */
export const PRECOMPUTE_DEFAULTS = {
  scheme: 'consistent',
  method: 'bicgstab',
  start: 'last-iterate',
  preconditioner: 'auto',
  sharing: 'auto',
  seedImage: 0,
  projection: { kind: 'minimal-residual', dim: 10, solutions: false, seeds: 0, precision: 'double' },
  linearization: 'newton',
  timeStepping: 'backward-euler',
  boundary: 'reflecting',
  advection: 'centred',
} as const;

const DEFAULT_SDE: Readonly<Record<Scheme, () => Sde>> = {
  na2024: () => varianceExploding(5),
  lau2025: () => constantDiffusion(0.5),
  consistent: () => constantDiffusion(0.5),
};

/** Checked options with all defaults in place. */
export interface ResolvedOptions extends ConsistentSettings {
  scheme: Scheme;
  density: DensityKind;
  seed: number;
  sde: Sde;
  steps: number;
  T: number;
  /** Undefined: evenly spaced, by `steps` and `T`. */
  times: Float64Array | undefined;
  /** Undefined: the unit square's. */
  spacing: readonly [number, number] | undefined;
  rtol: number;
  fixedPoint: { rtol: number; maxiter: number; inner: 'strict' | 'adaptive' | 'accelerated' };
  method: 'bicgstab' | 'gmres';
  start: 'last-iterate' | 'zero';
  preconditioner: 'none' | 'multigrid' | 'auto';
  projection: ProjectionSettings | undefined;
  sharing: Sharing;
  seedImage: number;
}

const WHERE = 'precomputeScores';
const PROJECTION_OPTIONS = ['kind', 'dim', 'solutions', 'seeds', 'threshold', 'maxDim', 'precision'] as const;
const CONSISTENT_ONLY = ['times', 'linearization', 'timeStepping', 'boundary', 'advection'] as const;
/** What says which equation is solved, and how; beside it there are inputs, and who does the work. */
export const EQUATION_OPTIONS = [
  'density',
  'seed',
  'scheme',
  'sde',
  'steps',
  'T',
  'spacing',
  'rtol',
  'fixedPoint',
  ...CONSISTENT_ONLY,
  'method',
  'preconditioner',
  'start',
  'sharing',
  'projection',
] as const satisfies (keyof PrecomputeOptions)[];
const KNOWN = [
  'images',
  'initialLogDensity',
  ...EQUATION_OPTIONS,
  'seedImage',
  'workers',
  'signal',
  'onProgress',
  'engine',
] as const;

/** Checks the options that do not need the numbers, and fills in the defaults. */
export function resolveOptions(options: PrecomputeOptions): ResolvedOptions {
  checkOptionNames(WHERE, options ?? null, KNOWN);
  checkChoices(options);
  const scheme = options.scheme ?? PRECOMPUTE_DEFAULTS.scheme;
  const defaults = SCHEME_DEFAULTS[scheme];
  const { sde = DEFAULT_SDE[scheme]() } = options;
  checkSde(WHERE, sde);
  checkNumbers(options, scheme);
  checkAgreement(options, scheme, sde);
  checkInput(options);
  const T = options.T ?? defaults.T;
  return {
    scheme,
    density: options.density ?? defaults.density,
    seed: options.seed ?? 0,
    sde,
    steps: options.steps ?? defaults.steps,
    T,
    times: options.times === undefined ? undefined : resolveTimes(options),
    spacing: resolveSpacing(options.spacing, scheme),
    rtol: options.rtol ?? defaults.rtol,
    fixedPoint: resolveFixedPoint(options, defaults.fixedPoint),
    method: options.method ?? PRECOMPUTE_DEFAULTS.method,
    start: options.start ?? PRECOMPUTE_DEFAULTS.start,
    preconditioner: resolvePreconditioner(options, scheme),
    projection: resolveProjection(options.sharing, options.projection),
    sharing: options.sharing ?? PRECOMPUTE_DEFAULTS.sharing,
    seedImage: options.seedImage ?? PRECOMPUTE_DEFAULTS.seedImage,
    linearization: options.linearization ?? PRECOMPUTE_DEFAULTS.linearization,
    timeStepping: options.timeStepping ?? PRECOMPUTE_DEFAULTS.timeStepping,
    boundary: options.boundary ?? PRECOMPUTE_DEFAULTS.boundary,
    advection: options.advection ?? PRECOMPUTE_DEFAULTS.advection,
  };
}

/** Nothing is chosen beside a projection, whose worth is to be seen; and na2024's signs are not for multigrid. */
function resolvePreconditioner(
  { preconditioner, sharing }: PrecomputeOptions,
  scheme: Scheme,
): ResolvedOptions['preconditioner'] {
  if (scheme === 'na2024') return 'none';
  return preconditioner ?? (sharing === 'projection' ? 'none' : PRECOMPUTE_DEFAULTS.preconditioner);
}

/** Bases of seeds that a `threshold` adds, for which there is room unless `maxDim` says otherwise. */
const LATER_SEEDS = 3;

export function resolveProjection(
  sharing: Sharing | undefined,
  projection: ProjectionOptions | undefined,
): ProjectionSettings | undefined {
  if ((sharing ?? PRECOMPUTE_DEFAULTS.sharing) !== 'projection') return undefined;
  const { seeds, ...given } = { ...PRECOMPUTE_DEFAULTS.projection, ...definedOnly(projection ?? {}) };
  const list = typeof seeds === 'number' ? [seeds] : [...seeds];
  const later = given.threshold === undefined ? 0 : LATER_SEEDS;
  const each = given.dim + (given.solutions ? 1 : 0);
  return { maxDim: each * (list.length + later), ...given, seeds: list };
}

function resolveFixedPoint(
  options: PrecomputeOptions,
  defaults: ResolvedOptions['fixedPoint'],
): ResolvedOptions['fixedPoint'] {
  const given = definedOnly(options.fixedPoint ?? {});
  const strict = sharesOrStartsCold(options) || options.rtol !== undefined;
  const linear = options.method !== undefined || options.linearization !== undefined;
  const loose = defaults.inner === 'accelerated' && linear ? 'adaptive' : defaults.inner;
  const inner = given.inner ?? (strict ? 'strict' : loose);
  // `lau2025` stops after five strict iterations because its paper does; an adaptive one does less.
  const maxiter = inner === 'strict' ? defaults.maxiter : Math.max(ADAPTIVE_MAXITER, defaults.maxiter);
  return { ...defaults, maxiter, ...given, inner };
}

const ADAPTIVE_MAXITER = 30;

/** Adaptive inner solves start from the last iterate, and have nothing to share. */
function sharesOrStartsCold({ start, sharing }: PrecomputeOptions): boolean {
  return start === 'zero' || sharing === 'projection';
}

function checkChoices(options: PrecomputeOptions): void {
  const { boundary } = options;
  checkChoice(WHERE, 'scheme', options.scheme, ['consistent', 'lau2025', 'na2024']);
  checkChoice(WHERE, 'density', options.density, ['pixel-positions', 'pixel-pairs']);
  checkChoice(WHERE, 'method', options.method, ['bicgstab', 'gmres']);
  checkChoice(WHERE, 'preconditioner', options.preconditioner, ['none', 'multigrid', 'auto']);
  checkChoice(WHERE, 'start', options.start, ['last-iterate', 'zero']);
  checkChoice(WHERE, 'sharing', options.sharing, ['none', 'projection', 'seed-operator', 'auto']);
  checkChoice(WHERE, 'linearization', options.linearization, ['picard', 'newton']);
  checkChoice(WHERE, 'timeStepping', options.timeStepping, ['backward-euler', 'crank-nicolson']);
  checkChoice(WHERE, 'advection', options.advection, ['centred', 'upwind', 'hybrid']);
  if (typeof boundary === 'object' && boundary !== null) {
    checkOptionNames(`${WHERE}: boundary`, boundary, ['values']);
    requireFunction('boundary.values', boundary.values);
  } else {
    checkChoice(WHERE, 'boundary', boundary, ['zero', 'reflecting']);
  }
  checkOptionNames(`${WHERE}: fixedPoint`, options.fixedPoint, ['rtol', 'maxiter', 'inner']);
  checkChoice(WHERE, 'fixedPoint.inner', options.fixedPoint?.inner, ['strict', 'adaptive', 'accelerated']);
  checkOptionNames(`${WHERE}: projection`, options.projection, PROJECTION_OPTIONS);
  checkChoice(WHERE, 'projection.kind', options.projection?.kind, ['galerkin', 'minimal-residual']);
  checkChoice(WHERE, 'projection.precision', options.projection?.precision, ['double', 'single']);
  if (options.onProgress !== undefined) requireFunction('onProgress', options.onProgress);
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal)) {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${WHERE}: signal must be an AbortSignal, not ${show(options.signal)}`,
    );
  }
  if (options.engine !== undefined && !(options.engine instanceof Engine)) {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${WHERE}: engine must be made by createEngine, not ${show(options.engine)}`,
    );
  }
}

function checkNumbers(
  { steps, T, rtol, seed, seedImage, fixedPoint, projection }: PrecomputeOptions,
  scheme: Scheme,
): void {
  // na2024 counts levels, and solves for all but the first.
  checkCount(WHERE, 'steps', steps, scheme === 'na2024' ? 2 : 1);
  checkCount(WHERE, 'seed', seed, 0);
  checkCount(WHERE, 'seedImage', seedImage, 0);
  checkTolerance(WHERE, 'rtol', rtol);
  checkTolerance(WHERE, 'fixedPoint.rtol', fixedPoint?.rtol);
  checkCount(WHERE, 'fixedPoint.maxiter', fixedPoint?.maxiter, 1);
  checkFlag(WHERE, 'projection.solutions', projection?.solutions);
  checkCount(WHERE, 'projection.dim', projection?.dim, projection?.solutions ? 0 : 1);
  checkCount(WHERE, 'projection.maxDim', projection?.maxDim, 1);
  checkTolerance(WHERE, 'projection.threshold', projection?.threshold);
  checkSeeds(projection?.seeds);
  const least = scheme === 'na2024' ? 1e-3 : 0;
  if (T !== undefined && !(typeof T === 'number' && T > least && T < Infinity)) {
    throw new SeedspanError(
      typeof T === 'number' ? 'INVALID_VALUE' : 'INVALID_TYPE',
      `${WHERE}: T is ${show(T)}, must be a finite number over ${least}`,
    );
  }
}

function checkSeeds(seeds: unknown): void {
  if (!Array.isArray(seeds)) {
    checkCount(WHERE, 'projection.seeds', seeds, 0);
    return;
  }
  for (const [k, seed] of seeds.entries()) checkCount(WHERE, `projection.seeds[${k}]`, seed ?? null, 0);
  if (seeds.length > 0 && new Set(seeds).size === seeds.length) return;
  throw new SeedspanError(
    'INVALID_VALUE',
    `${WHERE}: projection.seeds is [${showList(seeds)}], must name at least one image, and none twice`,
    { option: 'projection.seeds', value: seeds },
  );
}

/** Refuses options that have no meaning beside the others. */
function checkAgreement(options: PrecomputeOptions, scheme: Scheme, sde: Sde): void {
  if (options.projection !== undefined && options.sharing !== 'projection') {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${WHERE}: projection is for sharing "projection", and sharing is ${show(options.sharing ?? PRECOMPUTE_DEFAULTS.sharing)}`,
      { option: 'projection' },
    );
  }
  checkWorkers(WHERE, options.workers);
  if (options.workers !== undefined && options.sharing === 'projection') {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${WHERE}: sharing "projection" hands bases from image to image, which workers cannot; leave workers away`,
      { option: 'workers' },
    );
  }
  checkSeedOperator(options, scheme);
  if (scheme === 'na2024' && sde.drift !== undefined) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${WHERE}: scheme "na2024" has no drift, sde ${show(sde.name ?? 'given')} has; use "lau2025" or "consistent"`,
    );
  }
  const inner = options.fixedPoint?.inner ?? 'strict';
  if (inner !== 'strict' && (sharesOrStartsCold(options) || options.rtol !== undefined)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${WHERE}: fixedPoint.inner "${inner}" goes with start "last-iterate", no projection and no rtol of its own`,
      { option: 'fixedPoint.inner' },
    );
  }
  if (scheme === 'na2024' && (options.preconditioner ?? 'none') !== 'none') {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${WHERE}: scheme "na2024" has entries of both signs beside the diagonal, which multigrid cannot smooth`,
      { option: 'preconditioner' },
    );
  }
  if (scheme === 'consistent') return;
  for (const name of CONSISTENT_ONLY) {
    if (options[name] === undefined) continue;
    throw new SeedspanError(
      'INVALID_VALUE',
      `${WHERE}: option ${name} is for scheme "consistent" only; "${scheme}" is kept as published`,
      { option: name },
    );
  }
}

function checkSeedOperator({ sharing, seedImage, preconditioner }: PrecomputeOptions, scheme: Scheme): void {
  if (sharing !== 'seed-operator') {
    if (seedImage === undefined) return;
    throw new SeedspanError(
      'INVALID_VALUE',
      `${WHERE}: seedImage is for sharing "seed-operator", and sharing is ${show(sharing ?? PRECOMPUTE_DEFAULTS.sharing)}`,
      { option: 'seedImage' },
    );
  }
  if (scheme !== 'na2024' && preconditioner !== 'none') return;
  throw new SeedspanError(
    'INVALID_VALUE',
    `${WHERE}: sharing "seed-operator" shares multigrid, and ${
      scheme === 'na2024' ? 'scheme "na2024" has none' : 'preconditioner is "none"'
    }; use sharing "none" or "auto"`,
    { option: 'sharing' },
  );
}

function checkInput({ images, initialLogDensity, density, scheme }: PrecomputeOptions): void {
  if ((images === undefined) === (initialLogDensity === undefined)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${WHERE}: give either images or initialLogDensity, and not both`,
    );
  }
  if (initialLogDensity !== undefined && density !== undefined) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${WHERE}: density is for images; initialLogDensity is one already`,
    );
  }
  const name = images === undefined ? 'initialLogDensity' : 'images';
  const given = images ?? initialLogDensity!;
  checkNdArray(name, given, ['images', 'channels', 'H', 'W']);
  if (name === 'initialLogDensity' && !(given.data instanceof Float64Array)) {
    throw new SeedspanError('INVALID_TYPE', `${WHERE}: initialLogDensity.data must be a Float64Array`);
  }
  const [, , height, width] = given.shape;
  if (height < 2 || width < 2) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${WHERE}: ${name} has grids of ${height} x ${width}; scores need at least 2 x 2 points`,
    );
  }
  if (scheme === 'na2024' && height !== width) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${WHERE}: scheme "na2024" is defined for square grids only, ${name} has ${height} x ${width}`,
    );
  }
}

/** At least two, finite, rising from 0. */
function resolveTimes({ times, steps, T }: PrecomputeOptions): Float64Array {
  if (steps !== undefined || T !== undefined) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${WHERE}: times stands in the place of steps and T; give one of the two`,
      {
        option: 'times',
      },
    );
  }
  if (!(Array.isArray(times) || times instanceof Float64Array)) {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${WHERE}: times must be an array of numbers, not ${show(times)}`,
    );
  }
  const levels = Float64Array.from(times as ArrayLike<unknown>, (t) =>
    typeof t === 'number' ? t : Number.NaN,
  );
  const bad = levels.findIndex((t, k) => !(k === 0 ? t === 0 : t > levels[k - 1] && t < Infinity));
  if (levels.length < 2 || bad >= 0) {
    const what = bad >= 0 ? `times[${bad}] is ${levels[bad]}` : `there are ${levels.length}`;
    throw new SeedspanError(
      'INVALID_VALUE',
      `${WHERE}: times must rise from 0, two of them or more, but ${what}`,
      {
        option: 'times',
      },
    );
  }
  return levels;
}

function resolveSpacing(spacing: PrecomputeOptions['spacing'], scheme: Scheme): ResolvedOptions['spacing'] {
  if (spacing === undefined) return scheme === 'na2024' ? [1, 1] : undefined;
  const pair = typeof spacing === 'number' ? [spacing, spacing] : spacing;
  const fits =
    Array.isArray(pair) &&
    pair.length === 2 &&
    pair.every((h) => typeof h === 'number' && h > 0 && h < Infinity);
  if (!fits || (scheme === 'na2024' && pair[0] !== pair[1])) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${WHERE}: spacing must be a positive number${scheme === 'na2024' ? '' : ' or [dx, dy]'}, not ${
        Array.isArray(spacing) ? `[${showList(spacing)}]` : show(spacing)
      }`,
    );
  }
  return [pair[0], pair[1]];
}

function requireFunction(name: string, value: unknown): void {
  if (typeof value === 'function') return;
  throw new SeedspanError('INVALID_TYPE', `${WHERE}: ${name} must be a function, not ${show(value)}`);
}

/** An option that is given as undefined is not given. */
function definedOnly<T extends object>(options: T): Partial<{ [K in keyof T]-?: NonNullable<T[K]> }> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof definedOnly<T>
  >;
}
