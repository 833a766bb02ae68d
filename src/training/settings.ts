import { type PresetSde, parseSde } from '../diffusion/index.ts';
import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { checkChoice, checkCount, checkTolerance } from '../solver/options.ts';
import type { UnetOptions } from './network/unet-options.ts';
import {
  DDPM_SCHEDULE_DEFAULTS,
  type DdpmSchedule,
  type DdpmScheduleOptions,
  ddpmSchedule,
} from './tasks/schedule.ts';

/** What is trained, and how: whatever the result depends on beside the pictures. */
export interface TrainingSettings {
  /** Default `score-embedding`. */
  method?: 'score-embedding' | 'ddpm';
  /** Score embedding: whose. Default `lau2025`. */
  variant?: 'lau2025' | 'na2024';
  /** Score embedding: `none` trains on the picture itself at every time. Default `scores`. */
  embedding?: 'scores' | 'none';
  /** Score embedding: the equation, as text. Default the variant's, `constant:0.5` or `ve:5`. */
  sde?: string;
  /** Score embedding: time steps of the pre-computation. Default the variant's, 100 or 20. */
  levels?: number;
  /** Score embedding: grid spacing of the pre-computation. Default the scheme's. */
  spacing?: number;
  /** Score embedding: relative tolerance of the pre-computation's fixed-point loop. Default the scheme's. */
  tolerance?: number;
  /** `lau2025`: deviation of the training noise. Default 0.1. */
  lambda?: number;
  /** DDPM: its steps and betas. */
  schedule?: DdpmScheduleOptions;
  /**
   * The U-Net. The preset is that of `variant`, and the size that of the pictures; with several pictures it has an
   * embedding of their number, and for DDPM one of the time unless told otherwise.
   */
  network?: Omit<UnetOptions, 'size' | 'inputChannels' | 'outputChannels' | 'images' | 'seed'>;
  /** Default 1 for `lau2025`, else 20. */
  batchSize?: number;
  /** Of Adam. Default 1e-3 for `lau2025`, 8e-5 for `na2024`, 2e-4 for DDPM. */
  learningRate?: number;
  /** Steps in which the learning rate grows from zero. Default 0. */
  warmUp?: number;
  /** Longer gradients are scaled to this norm. Default 0: none are. */
  clipNorm?: number;
  /**
   * Decay of the average of the weights with which samples are drawn, at most (1 + n) / (10 + n) at step n; 0: there
   * is none. Default 0.9999 for DDPM, else 0.
   */
  emaDecay?: number;
  /** Of weights, times, noise, dropout and densities. Default 0. */
  seed?: number;
}

/** Settings with all defaults in place, plain JSON. */
export type ResolvedSettings = Required<Omit<TrainingSettings, 'spacing' | 'tolerance' | 'schedule'>> & {
  spacing?: number;
  tolerance?: number;
  schedule: Required<DdpmScheduleOptions>;
};

export const SETTING_NAMES = [
  'method',
  'variant',
  'embedding',
  'sde',
  'levels',
  'spacing',
  'tolerance',
  'lambda',
  'schedule',
  'network',
  'batchSize',
  'learningRate',
  'warmUp',
  'clipNorm',
  'emaDecay',
  'seed',
] as const satisfies (keyof TrainingSettings)[];

/** The papers' settings. */
export const TRAINING_DEFAULTS = {
  lau2025: { sde: 'constant:0.5', levels: 100, batchSize: 1, learningRate: 1e-3, emaDecay: 0 },
  na2024: { sde: 've:5', levels: 20, batchSize: 20, learningRate: 8e-5, emaDecay: 0 },
  ddpm: { batchSize: 20, learningRate: 2e-4, emaDecay: 0.9999 },
} as const;

const EMBEDDING_ONLY = ['variant', 'embedding', 'sde', 'levels', 'spacing', 'tolerance', 'lambda'] as const;

/** Checks settings and puts the defaults in place. */
export function resolveSettings(where: string, given: TrainingSettings): ResolvedSettings {
  checkOptionNames(where, given, SETTING_NAMES);
  checkChoice(where, 'method', given.method, ['score-embedding', 'ddpm']);
  checkChoice(where, 'variant', given.variant, ['lau2025', 'na2024']);
  checkChoice(where, 'embedding', given.embedding, ['scores', 'none']);
  const { method = 'score-embedding', variant = 'lau2025', network = {} } = given;
  checkBelonging(where, method, variant, given);
  if (typeof network !== 'object' || network === null) {
    throw new SeedspanError('INVALID_TYPE', `${where}: network must be an object, not ${show(network)}`);
  }
  for (const name of ['levels', 'batchSize'] as const) checkCount(where, name, given[name], 1);
  checkCount(where, 'warmUp', given.warmUp, 0);
  for (const name of ['tolerance', 'lambda', 'learningRate', 'clipNorm', 'emaDecay', 'spacing'] as const) {
    checkTolerance(where, name, given[name]);
  }
  for (const name of ['lambda', 'learningRate', 'spacing'] as const) {
    if (given[name] === 0) fail(where, `${name} is 0, must be larger`);
  }
  const { seed = 0, emaDecay = 0 } = given;
  if (!Number.isSafeInteger(seed) || seed < 0) {
    fail(where, `seed is ${show(seed)}, must be an integer from 0 to 2^53 - 1`);
  }
  if (emaDecay >= 1) fail(where, `emaDecay is ${emaDecay}, must be below 1`);
  const defaults = { ...TRAINING_DEFAULTS[variant], ...(method === 'ddpm' && TRAINING_DEFAULTS.ddpm) };
  // Refuses what is none.
  ddpmSchedule(given.schedule);
  const resolved = {
    method,
    variant,
    embedding: 'scores',
    lambda: 0.1,
    warmUp: 0,
    clipNorm: 0,
    seed,
    ...defaults,
    ...definedOf(given),
    schedule: { ...DDPM_SCHEDULE_DEFAULTS, ...definedOf(given.schedule ?? {}) },
    network: {
      preset: variant,
      ...(method === 'ddpm' && { timeEmbedding: 'sinusoidal' as const }),
      ...definedOf(network),
    },
  } as ResolvedSettings;
  // Refuses what is no equation.
  equationOf(resolved);
  return resolved;
}

/** Without the options that are there, but undefined. */
function definedOf<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function checkBelonging(where: string, method: string, variant: string, given: TrainingSettings): void {
  if (method === 'ddpm') {
    const foreign = EMBEDDING_ONLY.find((name) => given[name] !== undefined);
    if (foreign) fail(where, `${foreign} is for score-embedding, not for ddpm`);
  } else if (given.schedule !== undefined) {
    fail(where, 'schedule is for ddpm, not for score-embedding');
  } else if (given.lambda !== undefined && variant !== 'lau2025') {
    fail(where, `lambda is for lau2025; ${variant} takes that of the equation`);
  }
}

/** The forward process: of the pictures, or with DDPM of the pictures as 2 p - 1. */
export function equationOf(settings: ResolvedSettings): PresetSde | DdpmSchedule {
  return settings.method === 'ddpm' ? ddpmSchedule(settings.schedule) : parseSde(settings.sde);
}

function fail(where: string, what: string): never {
  throw new SeedspanError('INVALID_VALUE', `${where}: ${what}`);
}
