import { SeedspanError } from '../errors.ts';
import type { ResolvedOptions } from './options.ts';

/** `na2024` has N levels from eps to T; the others N + 1 from 0 to T, or those given. */
export function levelTimes({ scheme, T, steps, times }: ResolvedOptions, images: number): Float64Array {
  const levels = times?.length ?? (scheme === 'na2024' ? steps : steps + 1);
  if (images * levels > MOST_STEP_REPORTS) {
    throw new SeedspanError(
      'OUT_OF_MEMORY',
      `precomputeScores: ${images} images at ${levels} time levels are over ${MOST_STEP_REPORTS} fields; take fewer images or steps`,
      { images, levels },
    );
  }
  if (times !== undefined) return times;
  const first = scheme === 'na2024' ? NA_FIRST_TIME : 0;
  return Float64Array.from({ length: levels }, (_, i) => first + (i * (T - first)) / (levels - 1));
}

/** Beyond it the report alone, one entry an image and level, does not fit beside the fields. */
const MOST_STEP_REPORTS = 2 ** 22;

/** eps of arXiv 2404.06661. */
const NA_FIRST_TIME = 1e-3;

export function checkDiffusion({ sde }: ResolvedOptions, times: Float64Array): void {
  for (const t of times) {
    const g: unknown = sde.diffusion(t);
    if (typeof g === 'number' && Number.isFinite(g) && g >= 0) continue;
    throw new SeedspanError(
      'INVALID_VALUE',
      `precomputeScores: sde.diffusion(${t}) returned ${String(g)}, must be a finite number, not negative`,
      { t, g },
    );
  }
}
