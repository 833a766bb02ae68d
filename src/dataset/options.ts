import type { PrecomputeOptions, PresetSde } from '../diffusion/index.ts';
import { PRECOMPUTE_DEFAULTS } from '../diffusion/index.ts';
import { levelTimes } from '../diffusion/level-times.ts';
import { type ResolvedOptions, resolveOptions } from '../diffusion/options.ts';
import { parseSde } from '../diffusion/sde.ts';
import { SeedspanError } from '../errors.ts';

/** The equation and how it is solved; as in `precomputeScores`, without functions, which no file can keep. */
export interface EquationOptions
  extends Pick<
    PrecomputeOptions,
    | 'density'
    | 'seed'
    | 'scheme'
    | 'steps'
    | 'T'
    | 'times'
    | 'spacing'
    | 'rtol'
    | 'fixedPoint'
    | 'linearization'
    | 'timeStepping'
    | 'advection'
    | 'method'
    | 'preconditioner'
    | 'start'
    | 'sharing'
  > {
  /** A preset. */
  sde?: PresetSde;
  boundary?: 'zero' | 'reflecting';
  /** With `sharing: 'projection'`; its seeds are those of the data set. */
  projection?: Omit<NonNullable<PrecomputeOptions['projection']>, 'seeds'>;
}

/** Resolved options as JSON has them. */
export interface StoredEquation extends Omit<ResolvedOptions, 'sde' | 'times' | 'boundary' | 'seedImage'> {
  sde: string;
  boundary: 'zero' | 'reflecting';
}

/** Checks the options for images of this shape, and fills in the defaults. */
export function storeEquation(
  equation: EquationOptions,
  [channels, height, width]: readonly number[],
): { stored: StoredEquation; times: number[] } {
  const images = { data: new Float32Array(channels * height * width), shape: [1, channels, height, width] };
  const resolved = resolveOptions({ ...equation, images });
  if (typeof resolved.boundary === 'object') {
    throw new SeedspanError('INVALID_TYPE', 'precomputeDataset: boundary must be "zero" or "reflecting"');
  }
  const { sde, times, boundary, seedImage: _, ...rest } = resolved;
  if (sde.name === undefined) {
    throw new SeedspanError(
      'INVALID_VALUE',
      'precomputeDataset: sde must be a preset, which has a name (parseSde makes one of a text)',
      { option: 'sde' },
    );
  }
  return {
    stored: { ...rest, sharing: sharingOf(resolved), sde: sde.name, boundary },
    times: Array.from(times ?? levelTimes(resolved, 1)),
  };
}

/** Between shards nothing passes but what was there before them: what one seed, or several, leave. */
function sharingOf({ sharing, preconditioner }: ResolvedOptions): ResolvedOptions['sharing'] {
  if (sharing !== 'auto') return sharing;
  return preconditioner === 'none' ? 'none' : 'seed-operator';
}

/** The options again, of what was stored. */
export function loadEquation(stored: StoredEquation): ResolvedOptions {
  return {
    ...stored,
    sde: parseSde(stored.sde),
    times: undefined,
    seedImage: PRECOMPUTE_DEFAULTS.seedImage,
  };
}
