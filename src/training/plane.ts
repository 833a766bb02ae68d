import { SeedspanError, show } from '../errors.ts';
import type { Network } from './network/types.ts';

/** A rectangle of the plane whose border reflects what diffuses in it. */
export interface Rectangle {
  /** The corner; component 0 runs along the rows' index of a field. */
  origin: readonly [number, number];
  /** Lengths of the sides. */
  sides: readonly [number, number];
}

export const UNIT_SQUARE: Rectangle = { origin: [0, 0], sides: [1, 1] };

/** @throws SeedspanError `INVALID_VALUE` */
export function checkRectangle(where: string, rectangle: Rectangle): void {
  const { origin, sides } = rectangle ?? {};
  const pair = (values: unknown, fits: (value: number) => boolean) =>
    Array.isArray(values) &&
    values.length === 2 &&
    values.every((value) => typeof value === 'number' && Number.isFinite(value) && fits(value));
  if (pair(origin, () => true) && pair(sides, (side) => side > 0)) return;
  throw new SeedspanError(
    'INVALID_VALUE',
    `${where}: rectangle must be {origin: [x, y], sides: [positive, positive]}, not ${show(rectangle)}`,
  );
}

/**
 * Refuses points, two numbers each, that are not in the rectangle, but for rounding.
 *
 * @throws SeedspanError `INVALID_VALUE`
 */
export function checkInside(name: string, points: ArrayLike<number>, { origin, sides }: Rectangle): void {
  for (let k = 0; k < points.length; k++) {
    const axis = k % 2;
    const place = (points[k] - origin[axis]) / sides[axis];
    if (place >= -1e-9 && place <= 1 + 1e-9) continue;
    throw new SeedspanError(
      'INVALID_VALUE',
      `${name} must lie in the rectangle from (${origin[0]}, ${origin[1]}) with sides ${sides[0]} and ${sides[1]}, ` +
        `but component ${axis} of point ${k >> 1} is ${points[k]}`,
      { index: k, value: points[k] },
    );
  }
}

/**
 * Variances from the least to the greatest, even in the logarithm: what training and errors are averaged over.
 *
 * @throws SeedspanError `INVALID_VALUE`
 */
export function checkVariances(where: string, variances: readonly [number, number]): void {
  if (Array.isArray(variances) && variances.length === 2) {
    const [from, to] = variances;
    if (from > 0 && from < to && to < Infinity) return;
  }
  throw new SeedspanError(
    'INVALID_VALUE',
    `${where}: variances must be [least, greatest], over 0 and rising, not ${show(variances)}`,
  );
}

/** How the times of a network of points of the plane, in [0, 1], are counted. */
export interface TimeScale {
  variances: readonly [number, number];
  rectangle: Rectangle;
  timeOf(variance: number): number;
  varianceAt(time: number): number;
}

/**
 * Reads the time scale from the network's options.
 *
 * @throws SeedspanError `INVALID_TYPE` for a network that is not of points of the plane
 */
export function timeScale(where: string, network: Network): TimeScale {
  const { variances, rectangle } = (network?.options ?? {}) as { variances?: unknown; rectangle?: unknown };
  if (network?.kind !== 'mlp' || variances === undefined || rectangle === undefined) {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${where}: the network must be made by createMlp, not ${show(network)}`,
    );
  }
  const [least, greatest] = variances as [number, number];
  const span = Math.log(greatest / least);
  return {
    variances: [least, greatest],
    rectangle: rectangle as Rectangle,
    timeOf: (variance) => Math.log(variance / least) / span,
    varianceAt: (time) => least * Math.exp(span * time),
  };
}
