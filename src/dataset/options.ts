import type { PrecomputeOptions, PresetSde, ProjectionSettings } from '../diffusion/index.ts';
import { PRECOMPUTE_DEFAULTS } from '../diffusion/index.ts';
import { levelTimes } from '../diffusion/level-times.ts';
import {
  EQUATION_OPTIONS,
  type ResolvedOptions,
  resolveOptions,
  resolveProjection,
} from '../diffusion/options.ts';
import { parseSde } from '../diffusion/sde.ts';
import { checkOptionNames, SeedspanError } from '../errors.ts';

/** The equation and how it is solved; as in `precomputeScores`, without functions, which no file can keep. */
export interface EquationOptions
  extends Omit<
    Pick<PrecomputeOptions, (typeof EQUATION_OPTIONS)[number]>,
    'sde' | 'boundary' | 'projection'
  > {
  /** A preset. */
  sde?: PresetSde;
  boundary?: 'zero' | 'reflecting';
  /** With `sharing: 'projection'`; its seeds are those of the data set. */
  projection?: Omit<NonNullable<PrecomputeOptions['projection']>, 'seeds'>;
}

/** Resolved options as JSON has them. */
export interface StoredEquation
  extends Omit<ResolvedOptions, 'sde' | 'times' | 'boundary' | 'seedImage' | 'projection'> {
  sde: string;
  boundary: 'zero' | 'reflecting';
  /** Null where nothing is projected. */
  projection: StoredProjection | null;
}

/** Without the seeds, which are chosen later, and on whose number the default of `maxDim`, null, depends. */
interface StoredProjection extends Omit<ProjectionSettings, 'seeds' | 'maxDim'> {
  maxDim: number | null;
}

/** What `precomputeScores` takes besides has another place here, or none: it must not be passed over. */
export function checkEquationNames(equation: EquationOptions): void {
  const where = 'precomputeDataset: equation';
  checkOptionNames(where, equation, EQUATION_OPTIONS);
  const { projection } = equation;
  if (typeof projection !== 'object' || projection === null || !('seeds' in projection)) return;
  throw new SeedspanError(
    'UNKNOWN_OPTION',
    `${where}.projection has seeds, which are the option seeds of precomputeDataset`,
    { option: 'seeds' },
  );
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
  const { sde, times, boundary, seedImage: _, projection, ...rest } = resolved;
  if (sde.name === undefined) {
    throw new SeedspanError(
      'INVALID_VALUE',
      'precomputeDataset: sde must be a preset, which has a name (parseSde makes one of a text)',
      { option: 'sde' },
    );
  }
  return {
    stored: {
      ...rest,
      sharing: sharingOf(resolved),
      sde: sde.name,
      boundary,
      projection: projection ? storeProjection(projection, equation) : null,
    },
    times: Array.from(times ?? levelTimes(resolved, 1)),
  };
}

/** Between shards nothing passes but what was there before them: what one seed, or several, leave. */
function sharingOf({ sharing, preconditioner }: ResolvedOptions): ResolvedOptions['sharing'] {
  if (sharing !== 'auto') return sharing;
  return preconditioner === 'none' ? 'none' : 'seed-operator';
}

function storeProjection(
  { seeds: _, ...rest }: ProjectionSettings,
  { projection }: EquationOptions,
): StoredProjection {
  return { ...rest, maxDim: projection?.maxDim ?? null };
}

/**
 * The options again, of what was stored.
 *
 * @param seeds - how many there are, the first of the images; with none nothing is projected.
 */
export function loadEquation({ projection, ...stored }: StoredEquation, seeds = 0): ResolvedOptions {
  const projected = projection !== null && seeds > 0;
  return {
    ...stored,
    sharing: projection !== null && !projected ? 'none' : stored.sharing,
    sde: parseSde(stored.sde),
    times: undefined,
    seedImage: PRECOMPUTE_DEFAULTS.seedImage,
    projection: projected
      ? resolveProjection('projection', {
          ...projection,
          maxDim: projection.maxDim ?? undefined,
          seeds: Array.from({ length: seeds }, (_, k) => k),
        })
      : undefined,
  };
}
