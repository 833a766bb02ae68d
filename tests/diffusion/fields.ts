import type { NdArray } from '../../src/diffusion/types.ts';

export type Field = (x: number, y: number, t: number) => number;

/** A field on an H x W grid at time t, row-major; the spacing is the unit square's by default. */
export function onGrid(
  m: Field,
  height: number,
  width: number,
  t: number,
  h: readonly [number, number] = [1 / (height - 1), 1 / (width - 1)],
): Float64Array {
  return Float64Array.from({ length: height * width }, (_, k) =>
    m(Math.floor(k / width) * h[0], (k % width) * h[1], t),
  );
}

/** Fields, image after image and channel after channel, as the input of a run. */
export function batch(fields: Float64Array[][], height: number, width: number): NdArray {
  const data = Float64Array.from(fields.flat().flatMap((field) => [...field]));
  return { data, shape: [fields.length, fields[0].length, height, width] };
}

/** Entry [index[0], index[1], ...] of the first axes. */
export function part({ data, shape }: NdArray, ...index: number[]): Float64Array {
  const size = shape.slice(index.length).reduce((product, length) => product * length, 1);
  const at = index.reduce((sum, value, axis) => sum * shape[axis] + value, 0);
  return data.slice(at * size, (at + 1) * size);
}

/** Observed orders between successive errors; `counts` are intervals or time steps. */
export function orders(errors: readonly number[], counts: readonly number[]): number[] {
  return errors.slice(1).map((error, i) => Math.log(errors[i] / error) / Math.log(counts[i + 1] / counts[i]));
}

/** Smooth, with slopes along both axes, different for each `seed`: no symmetry hides a mistake. */
export function bumps(height: number, width: number, seed: number, size = 1): Float64Array {
  return onGrid(
    (x, y) =>
      size *
      ((1 + 0.3 * seed) * x * x * y - 2 * (x - 0.4) ** 2 - (1.5 - 0.2 * seed) * (y - 0.6) ** 2 + 0.7 * x * y),
    height,
    width,
    0,
  );
}
