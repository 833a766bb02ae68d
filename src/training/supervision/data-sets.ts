import { checkChoice } from '../../solver/options.ts';
import { checkerboardDensity } from './checkerboard.ts';
import { gaussianMixtureDensity, type PlaneDensity } from './densities.ts';

/** The data sets of the plane, by name. */
export const DATA_SETS = ['moons', 'spiral', 'checkerboard', 'gaussians', 'rings'] as const;

/** A name of {@link DATA_SETS}. */
export type DataSet = (typeof DATA_SETS)[number];

type Curve = readonly (readonly [number, number])[];

/** Points of an arc, evenly spaced; angles in turns. */
function arc(
  count: number,
  centre: readonly [number, number],
  radius: number,
  from: number,
  to: number,
): Curve {
  return Array.from({ length: count }, (_, k) => {
    const angle = 2 * Math.PI * (from + ((to - from) * k) / count);
    return [centre[0] + radius * Math.cos(angle), centre[1] + radius * Math.sin(angle)];
  });
}

/**
 * The usual data sets of the plane, as densities in the unit square whose score is known in closed form under any
 * noise: two `moons`, an Archimedean `spiral` of a turn and a half, a `checkerboard` of 4 x 4, eight `gaussians` on a
 * circle, and three `rings`. All but the checkerboard are Gaussians of a deviation of 0.015 to 0.03, along curves
 * closer together than that.
 *
 * @throws SeedspanError `INVALID_VALUE`
 */
export function dataSetDensity(name: DataSet): PlaneDensity {
  checkChoice('dataSetDensity', 'name', name, DATA_SETS);
  switch (name) {
    case 'moons':
      return along([...arc(64, [0.365, 0.43], 0.27, 0, 0.5), ...arc(64, [0.635, 0.57], 0.27, 0.5, 1)], 0.02);
    case 'spiral':
      return spiral();
    case 'checkerboard':
      return checkerboardDensity();
    case 'gaussians':
      return along(arc(8, [0.5, 0.5], 0.32, 0, 1), 0.03);
    case 'rings':
      return along(
        [0.12, 0.25, 0.38].flatMap((radius) => arc(Math.round(500 * radius), [0.5, 0.5], radius, 0, 1)),
        0.015,
      );
  }
}

function spiral(): PlaneDensity {
  const count = 200;
  const radii = Array.from({ length: count }, (_, k) => 0.06 + (0.34 * k) / (count - 1));
  const curve = radii.map((radius, k): [number, number] => {
    const angle = 2 * Math.PI * (0.25 + (1.5 * k) / (count - 1));
    return [0.5 + radius * Math.cos(angle), 0.5 + radius * Math.sin(angle)];
  });
  // As much mass on each piece of the curve as it is long, nearly: the angles are evenly spaced.
  return along(curve, 0.015, radii);
}

function along(curve: Curve, deviation: number, weights?: readonly number[]): PlaneDensity {
  const means = { data: Float64Array.from(curve.flat()), shape: [curve.length, 2] };
  return gaussianMixtureDensity({ means, deviation, weights });
}
