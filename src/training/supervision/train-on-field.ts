import type { PointField } from '../../diffusion/field/index.ts';
import { checkField } from '../../diffusion/field/sample-field.ts';
import { randomStream } from '../../diffusion/random.ts';
import { checkOptionNames, SeedspanError } from '../../errors.ts';
import type { Network } from '../network/types.ts';
import { checkInside, timeScale } from '../plane.ts';
import { FieldScores } from './field-scores.ts';
import {
  SUPERVISION_KNOWN,
  type SupervisionOptions,
  type SupervisionResult,
  trainOnTargets,
} from './loop.ts';

/**
 * Exact supervision: trains a network on the scores of a pre-computed field, `variance || s(x, t) - score ||^2`, mean
 * over the levels and over the density at each. The targets have no noise in them, which those of denoising score
 * matching have; what is minimised is the same.
 *
 * Times are the field's levels over 0, which must be as evenly spaced in the logarithm as `precomputeField` makes
 * them; points are centres of cells, drawn from the level's density. Cells must be small against the deviation of
 * the first level's density.
 *
 * @param network of points of the plane, with `variances` among its options: `createMlp`. It ends with the averaged
 *   weights.
 * @param field from `precomputeField`; give it `firstVariance` and `variance`
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`, `UNKNOWN_OPTION`; the signal's reason when aborted; what the
 *   callback throws
 * @example
 * ```ts
 * const variances = [4e-4, 1] as const;
 * const field = await precomputeField(density, { firstVariance: variances[0], variance: variances[1] });
 * const network = createMlp(await loadTensors(), { variances });
 * await trainOnField(network, field, { steps: 600 });
 * ```
 */
export async function trainOnField(
  network: Network,
  field: PointField,
  options: SupervisionOptions,
): Promise<SupervisionResult> {
  const where = 'trainOnField';
  checkOptionNames(where, options ?? null, SUPERVISION_KNOWN);
  const { timeOf, variances, rectangle } = timeScale(where, network);
  checkField(where, field);
  const { origin, spacing, height, width } = field;
  const end = [origin[0] + height * spacing[0], origin[1] + width * spacing[1]];
  checkInside(`${where}: the field`, [...origin, ...end], rectangle);
  const scores = new FieldScores(field);
  const [first, last] = [scores.variance(0), scores.variance(scores.levels - 1)];
  // To rounding.
  if (first < variances[0] * (1 - 1e-9) || last > variances[1] * (1 + 1e-9)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: the field's variances, ${first} to ${last}, must lie within the network's, ${variances[0]} to ${variances[1]}`,
    );
  }
  const { seed = 0 } = options;
  return trainOnTargets(where, network, options, (batch, step) => {
    const random = randomStream(seed, step);
    for (let k = 0; k < batch.size; k++) {
      // One from each of as many equal pieces as there are points.
      const level = Math.floor(((k + random.uniform()) / batch.size) * scores.levels);
      const deviation = Math.sqrt(scores.variance(level));
      const cell = scores.drawCell(level, random);
      scores.centre(cell, batch.points, 2 * k);
      scores.score(level, cell, deviation, batch.targets, 2 * k);
      batch.times[k] = timeOf(scores.variance(level));
      batch.deviations.fill(deviation, 2 * k, 2 * k + 2);
    }
  });
}
