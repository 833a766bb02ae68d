import { SCHEME_DEFAULTS, type Scheme } from '../src/diffusion/index.ts';
import { SAMPLES, type Sample } from './samples.ts';

export const OWN = 'own';
export const SIZES = [32, 64, 128, 256] as const;
export const SCHEMES = ['consistent', 'lau2025', 'na2024'] as const;
export const EQUATIONS = ['constant', 've', 'vp'] as const;
export const TOLERANCES = [1e-4, 1e-6, 1e-8] as const;
export const COUNTS = [10_000, 30_000, 100_000, 300_000] as const;
export const FRAMES = [60, 120, 240, 480] as const;
export const WAYS = ['heun', 'euler-maruyama'] as const;
export const DRAWERS = ['auto', 'webgl', 'canvas'] as const;
export const SECONDS = [10, 20, 60, 180] as const;
export const INKS = ['dark', 'light'] as const;

/** What the page can be set to; all of it fits in a link. */
export interface Settings {
  /** A sample's name, or `own`: a file, which no link can hold. */
  source: Sample | typeof OWN;
  /** Side of the grid, in cells. */
  size: (typeof SIZES)[number];
  scheme: Scheme;
  equation: (typeof EQUATIONS)[number];
  /** g of `constant`, sigma of `ve`; `vp` has none. */
  sigma: number;
  /** Time steps. */
  levels: number;
  /** Relative residual at which the loop over the non-linear term ends. */
  tolerance: (typeof TOLERANCES)[number];
  /** How many points travel, in how many frames, by the flow or the stochastic equation, in which ink. */
  points: (typeof COUNTS)[number];
  frames: (typeof FRAMES)[number];
  way: (typeof WAYS)[number];
  ink: (typeof INKS)[number];
  /** `auto`: by WebGL 2 where it does not run on the processor alone. */
  draw: (typeof DRAWERS)[number];
  /** Of training, each method. */
  seconds: (typeof SECONDS)[number];
  seed: number;
}

export const LIMITS = {
  sigma: { min: 0.01, max: 50 },
  levels: { min: 2, max: 200 },
  seed: { min: 0, max: 2 ** 32 - 1 },
} as const;

/** Most numbers of a log density over all levels: more would fill a tab's memory. */
export const MOST_VALUES = 2 ** 22;

/** Also what a link stands for that was made for a file. */
export const DEFAULT_SAMPLE: Sample = 'nagasaki-boats';

export const DEFAULTS: Settings = {
  source: DEFAULT_SAMPLE,
  size: 64,
  scheme: 'consistent',
  equation: 'constant',
  sigma: 0.5,
  levels: SCHEME_DEFAULTS.consistent.steps,
  tolerance: 1e-8,
  points: 100_000,
  frames: 240,
  way: 'heun',
  ink: 'dark',
  draw: 'auto',
  seconds: 20,
  seed: 0,
};

/** Equation and number of steps that a scheme was published with. */
export function schemeSettings(scheme: Scheme): Pick<Settings, 'equation' | 'sigma' | 'levels'> {
  const { sde, steps } = SCHEME_DEFAULTS[scheme];
  const [equation, sigma] = sde.split(':');
  return { equation: equation as Settings['equation'], sigma: Number(sigma), levels: steps };
}

/** The text that `parseSde` takes. */
export const sdeName = ({ equation, sigma }: Pick<Settings, 'equation' | 'sigma'>): string =>
  equation === 'vp' ? 'vp' : `${equation}:${sigma}`;

/** What is wrong with the settings together, in words; undefined: nothing. */
export function problemOf({ size, levels, scheme, equation, sigma, seed }: Settings): string | undefined {
  const { min, max } = LIMITS.levels;
  if (!(Number.isInteger(levels) && levels >= min && levels <= max))
    return `Levels must be a whole number from ${min} to ${max}.`;
  const range = LIMITS.sigma;
  if (equation !== 'vp' && !(sigma >= range.min && sigma <= range.max))
    return `Sigma must be from ${range.min} to ${range.max}.`;
  const seeds = LIMITS.seed;
  if (!(Number.isInteger(seed) && seed >= seeds.min && seed <= seeds.max))
    return `The random seed must be a whole number from ${seeds.min} to ${seeds.max}.`;
  if (scheme === 'na2024' && equation === 'vp')
    return 'Scheme na2024 knows no drift: take constant or variance exploding.';
  const values = (levels + 1) * size * size;
  if (values > MOST_VALUES)
    return `${levels} levels of ${size} × ${size} are ${values.toLocaleString('en')} numbers, over the page’s limit of ${MOST_VALUES.toLocaleString('en')}. Take fewer levels or a smaller grid.`;
  return undefined;
}

type Reader = (text: string) => unknown;

const choice =
  <T extends string>(...values: readonly T[]): Reader =>
  (text) =>
    values.find((value) => value === text);
const figure =
  (values: readonly number[]): Reader =>
  (text) =>
    values.find((value) => value === decimal(text));
const range =
  ({ min, max }: { min: number; max: number }, whole: boolean): Reader =>
  (text) => {
    const value = decimal(text);
    return value >= min && value <= max && (!whole || Number.isInteger(value)) ? value : undefined;
  };
/** NaN where the text is no plain number. */
const decimal = (text: string) => (/^\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN);

const READERS: Readonly<Record<keyof Settings, Reader>> = {
  source: choice(...SAMPLES, OWN),
  size: figure(SIZES),
  scheme: choice(...SCHEMES),
  equation: choice(...EQUATIONS),
  sigma: range(LIMITS.sigma, false),
  levels: range(LIMITS.levels, true),
  tolerance: figure(TOLERANCES),
  points: figure(COUNTS),
  frames: figure(FRAMES),
  way: choice(...WAYS),
  ink: choice(...INKS),
  draw: choice(...DRAWERS),
  seconds: figure(SECONDS),
  seed: range(LIMITS.seed, true),
};

/** The part of a link after `#`: what differs from the defaults, in a fixed order. Empty where nothing does. */
export function toHash(settings: Settings): string {
  const pairs = Object.keys(READERS)
    .map((name) => name as keyof Settings)
    .filter((name) => settings[name] !== DEFAULTS[name])
    .map((name) => [name, String(settings[name])]);
  return new URLSearchParams(pairs).toString();
}

/**
 * Settings from the part of a link after `#`.
 *
 * @returns the settings, with the defaults for what is not there; and what could not be used, as it was written
 */
export function fromHash(hash: string): { settings: Settings; refused: string[] } {
  const settings: Record<string, unknown> = { ...DEFAULTS };
  const refused: string[] = [];
  for (const [name, text] of new URLSearchParams(hash.replace(/^#/, ''))) {
    const value = Object.hasOwn(READERS, name) ? READERS[name as keyof Settings](text) : undefined;
    if (value === undefined) refused.push(`${name}=${text}`);
    else settings[name] = value;
  }
  return { settings: settings as unknown as Settings, refused };
}
