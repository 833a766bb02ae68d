import { checkOptionNames, SeedspanError, show } from '../../errors.ts';
import { checkChoice, checkCount, checkTolerance } from '../../solver/options.ts';

/** Size and seed of a U-Net. */
export interface UnetOptions {
  /** Where the options that are not given come from. Default `lau2025`. */
  preset?: keyof typeof UNET_PRESETS;
  /** Height and width of the pictures, or both in one number. */
  size: number | readonly [number, number];
  /** Default 3. */
  inputChannels?: number;
  /** Default: as many as go in. */
  outputChannels?: number;
  /** Channels of the first level; the others have them times `multipliers`. */
  width?: number;
  /** One for each level; between two of them the picture is halved. */
  multipliers?: readonly number[];
  /**
   * `plain`: convolution, GroupNorm, SiLU; one skip connection a level (Ronneberger et al. 2015). `residual`: the
   * blocks of Ho et al. 2020 (GroupNorm, SiLU, convolution, twice, and the input added), a skip connection a block.
   */
  blocks?: 'plain' | 'residual';
  blocksPerLevel?: number;
  /** Attention over the pixels: at the levels whose longer side this is, and between encoder and decoder. */
  attention?: readonly (number | 'bottom')[];
  /**
   * GroupNorm's number of groups at most. Of a layer with fewer than four channels a group, or whose channels the
   * groups do not divide, it takes the largest number that leaves neither (one where there is none).
   */
  groups?: number;
  /** Part of the activations that training sets to zero, in [0, 1). */
  dropout?: number;
  downsampling?: 'max' | 'average' | 'convolution';
  /** Nearest neighbours, alone or with a convolution after; the latter in the place of a transposed one. */
  upsampling?: 'nearest' | 'nearest-convolution';
  /**
   * `sinusoidal`: sines and cosines of `timeScale` t; `linear`: a learnt linear function of t. Two dense layers
   * follow. `none`: the network does not see the time.
   */
  timeEmbedding?: 'sinusoidal' | 'linear' | 'none';
  timeScale?: number;
  /** Images that have an embedding of their number; 0: none has. */
  images?: number;
  /** Of the initial weights. Default 0. */
  seed?: number;
}

/** All options in place, plain JSON. */
export interface ResolvedUnetOptions {
  size: [number, number];
  inputChannels: number;
  outputChannels: number;
  width: number;
  multipliers: number[];
  blocks: 'plain' | 'residual';
  blocksPerLevel: number;
  attention: (number | 'bottom')[];
  groups: number;
  dropout: number;
  downsampling: 'max' | 'average' | 'convolution';
  upsampling: 'nearest' | 'nearest-convolution';
  timeEmbedding: 'sinusoidal' | 'linear' | 'none';
  timeScale: number;
  images: number;
  seed: number;
}

/**
 * The papers' networks.
 *
 * - `lau2025`: 64 to 1024 channels, GroupNorm of 8 groups, attention at the bottom. Their program computes a
 *   sinusoidal embedding of the time and never uses it, hence `none`; `timeEmbedding: 'sinusoidal'` adds it after
 *   the first GroupNorm of each level. Its transposed convolutions are nearest neighbours here.
 * - `na2024`: the network of Ho et al. 2020 for 32 x 32 pictures, with a linear embedding of the time.
 */
export const UNET_PRESETS = {
  lau2025: {
    width: 64,
    multipliers: [1, 2, 4, 8, 16],
    blocks: 'plain',
    blocksPerLevel: 2,
    attention: ['bottom'],
    groups: 8,
    dropout: 0,
    downsampling: 'max',
    upsampling: 'nearest',
    timeEmbedding: 'none',
    timeScale: 1000,
  },
  na2024: {
    width: 128,
    multipliers: [1, 2, 2, 2],
    blocks: 'residual',
    blocksPerLevel: 2,
    attention: [16, 'bottom'],
    groups: 32,
    dropout: 0.1,
    downsampling: 'convolution',
    upsampling: 'nearest-convolution',
    timeEmbedding: 'linear',
    timeScale: 1000,
  },
} as const;

const WHERE = 'createUnet';
const NAMES = [
  'preset',
  'size',
  'inputChannels',
  'outputChannels',
  ...Object.keys(UNET_PRESETS.lau2025),
  'images',
  'seed',
];

function fail(message: string, details: Record<string, unknown> = {}): never {
  throw new SeedspanError('INVALID_VALUE', `${WHERE}: ${message}`, details);
}

/** Checks the options of a U-Net and puts the defaults in place. */
export function resolveUnetOptions(options: UnetOptions): ResolvedUnetOptions {
  checkOptionNames(WHERE, options, NAMES);
  checkChoice(WHERE, 'preset', options.preset, Object.keys(UNET_PRESETS));
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const { preset = 'lau2025', size, ...rest } = given as unknown as UnetOptions;
  const { inputChannels = 3 } = rest;
  const resolved = {
    inputChannels,
    outputChannels: inputChannels,
    images: 0,
    seed: 0,
    ...UNET_PRESETS[preset],
    ...rest,
    size: typeof size === 'number' ? [size, size] : size,
  } as ResolvedUnetOptions;
  checkValues(resolved);
  checkSize(resolved);
  return { ...resolved, multipliers: [...resolved.multipliers], attention: [...resolved.attention] };
}

function checkValues(options: ResolvedUnetOptions): void {
  const { size, multipliers, attention, dropout, seed } = options;
  if (!Array.isArray(size) || size.length !== 2) {
    fail(`size is ${show(size)}, must be the pictures' height and width, or one number for both`);
  }
  checkCount(WHERE, 'height (size[0])', size[0], 1);
  checkCount(WHERE, 'width (size[1])', size[1], 1);
  for (const name of ['inputChannels', 'outputChannels', 'width', 'blocksPerLevel', 'groups'] as const) {
    checkCount(WHERE, name, options[name], 1);
  }
  checkCount(WHERE, 'images', options.images, 0);
  if (!Array.isArray(multipliers) || multipliers.length === 0) {
    fail(`multipliers is ${show(multipliers)}, must be an array with a number for each level`);
  }
  multipliers.forEach((value, level) => {
    checkCount(WHERE, `multipliers[${level}]`, value, 1);
  });
  const isPlace = (place: unknown) => place === 'bottom' || (Number.isInteger(place) && Number(place) > 0);
  if (!Array.isArray(attention) || !attention.every(isPlace)) {
    fail(`attention must be an array of sides in pixels, or 'bottom', such as [16, 'bottom']`, { attention });
  }
  checkChoice(WHERE, 'blocks', options.blocks, ['plain', 'residual']);
  checkChoice(WHERE, 'downsampling', options.downsampling, ['max', 'average', 'convolution']);
  checkChoice(WHERE, 'upsampling', options.upsampling, ['nearest', 'nearest-convolution']);
  checkChoice(WHERE, 'timeEmbedding', options.timeEmbedding, ['sinusoidal', 'linear', 'none']);
  checkTolerance(WHERE, 'timeScale', options.timeScale);
  checkTolerance(WHERE, 'dropout', dropout);
  if (dropout >= 1) fail(`dropout is ${dropout}, must be below 1`, { dropout });
  if (!Number.isSafeInteger(seed) || seed < 0)
    fail(`seed is ${show(seed)}, must be an integer from 0`, { seed });
}

function checkSize({ size, multipliers }: ResolvedUnetOptions): void {
  const halvings = multipliers.length - 1;
  const unit = 2 ** halvings;
  if (size.every((side) => side % unit === 0)) return;
  const down = size.map((side) => Math.max(unit, side - (side % unit)));
  const up = size.map((side) => Math.ceil(side / unit) * unit);
  const nearest = [...new Set([down.join(' x '), up.join(' x ')])].join(' and ');
  fail(
    `pictures of ${size.join(' x ')} cannot be halved ${halvings} times, as a network of ${multipliers.length} levels ` +
      `does; the nearest sizes that can be are ${nearest}, or give fewer multipliers`,
    { size, halvings },
  );
}

/** See `UnetOptions.groups`. */
export function groupCount(channels: number, most: number): number {
  for (let groups = Math.min(most, Math.floor(channels / 4)); groups > 1; groups--) {
    if (channels % groups === 0) return groups;
  }
  return 1;
}
