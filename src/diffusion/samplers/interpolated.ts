import { checkOptionNames, SeedspanError, show, showList } from '../../errors.ts';
import { checkCount } from '../../solver/options.ts';
import type { PrecomputeResult } from '../types.ts';
import type { ScoreFunction } from './types.ts';

/**
 * The score of a pre-computation as a function of points of the plane, for any sampler: bilinear between the grid's
 * points, linear between the time levels, and continued by reflection behind the border. For many points of an
 * equation without drift `sampleField` is faster and nearer to the density.
 *
 * @param result of `precomputeScores` with scheme `consistent` or `lau2025`
 * @param options `image` and `channel`, default 0; `spacing` of the grid, default that of the unit square
 * @returns takes points, two numbers each, component 0 along the rows' index; it throws `INVALID_VALUE` for a time
 *   outside the levels, and `SHAPE_MISMATCH` for half a point
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH` (a result without two components: `na2024`),
 *   `UNKNOWN_OPTION`
 */
export function interpolatedScore(
  result: PrecomputeResult,
  options: { image?: number; channel?: number; spacing?: number | readonly [number, number] } = {},
): ScoreFunction {
  const where = 'interpolatedScore';
  checkOptionNames(where, options, ['image', 'channel', 'spacing']);
  const { image = 0, channel = 0 } = options;
  const { data, shape } = result.scores;
  if (shape.length !== 6) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${where}: scores must be [images, levels, channels, 2, H, W], not [${showList(shape)}]; scheme "na2024" has one component only`,
    );
  }
  const [images, levels, channels, , height, width] = shape;
  for (const [name, value, count] of [
    ['image', image, images],
    ['channel', channel, channels],
  ] as const) {
    checkCount(where, name, value, 0);
    if (value < count) continue;
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: ${name} is ${value}, but there are ${count} (counted from 0)`,
    );
  }
  const { spacing = [1 / (height - 1), 1 / (width - 1)] } = options;
  const sides = typeof spacing === 'number' ? [spacing, spacing] : spacing;
  if (!sides.every((h) => h > 0 && h < Infinity)) {
    throw new SeedspanError('INVALID_VALUE', `${where}: spacing must be positive, not ${show(spacing)}`);
  }
  const times = result.report.times;
  const n = height * width;
  const counts = [height, width];

  return (x, t) => {
    const { level, part } = placeOf(where, times, t);
    if (x.length % 2 !== 0) {
      throw new SeedspanError(
        'SHAPE_MISMATCH',
        `${where}: x must be points of the plane, not ${x.length} numbers`,
      );
    }
    const start = ((image * levels + level) * channels + channel) * 2 * n;
    const next = start + channels * 2 * n;
    const score = new Float64Array(x.length);
    for (let k = 0; k < x.length; k += 2) {
      const [p, q] = [folded(x[k] / sides[0], counts[0] - 1), folded(x[k + 1] / sides[1], counts[1] - 1)];
      const at = p.index * width + q.index;
      const inSpace = (from: number) =>
        (1 - p.part) * ((1 - q.part) * data[from] + q.part * data[from + 1]) +
        p.part * ((1 - q.part) * data[from + width] + q.part * data[from + width + 1]);
      for (const [axis, { sign }] of [p, q].entries()) {
        const from = at + axis * n;
        score[k + axis] = sign * ((1 - part) * inSpace(start + from) + part * inSpace(next + from));
      }
    }
    return score;
  };
}

/** The level at or before a time, not the last, and the share of the way to the next. */
function placeOf(where: string, times: readonly number[], t: number): { level: number; part: number } {
  const last = times.length - 1;
  if (!(t >= times[0] && t <= times[last])) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: t = ${show(t)} is outside the time levels, ${times[0]} to ${times[last]}`,
      { t },
    );
  }
  let level = 0;
  while (level < last - 1 && times[level + 1] <= t) level++;
  return { level, part: (t - times[level]) / (times[level + 1] - times[level]) };
}

/** A coordinate in cells, brought into [0, count] by reflection; every reflection turns the slope around. */
function folded(u: number, count: number): { index: number; part: number; sign: 1 | -1 } {
  const period = 2 * count;
  const inside = u - period * Math.floor(u / period);
  const sign = inside > count ? -1 : 1;
  const place = sign === 1 ? inside : period - inside;
  const index = Math.max(0, Math.min(Math.floor(place), count - 1));
  return { index, part: place - index, sign };
}
