import { SeedspanError, showList } from '../errors.ts';
import type { Wanted } from './picture.ts';

/**
 * Checks that an array's shape is that of pictures `(n, C, H, W)`, and of those that are wanted; returns it.
 *
 * @throws SeedspanError `SHAPE_MISMATCH`; `INVALID_VALUE` where it holds no picture of at least 2 x 2.
 */
export function checkPictureArray(
  path: string,
  shape: readonly number[],
  wanted: Pick<Wanted, 'size' | 'channels'>,
): [number, number, number, number] {
  if (shape.length !== 4 || (shape[1] !== 1 && shape[1] !== 3)) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${path}: expected an array of shape (n, C, H, W) with C = 1 or 3, not (${showList(shape)})`,
      { path, shape },
    );
  }
  const [count, channels, height, width] = shape;
  if (count === 0 || height < 2 || width < 2) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${path}: shape (${showList(shape)}) holds no picture of at least 2 x 2`,
      { path, shape },
    );
  }
  const { size } = wanted;
  if (channels !== wanted.channels || (size !== undefined && (size[0] !== height || size[1] !== width))) {
    const asked =
      size === undefined ? `${wanted.channels} channels` : `(${wanted.channels}, ${size.join(', ')})`;
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${path}: its pictures have shape (${channels}, ${height}, ${width}), and ${asked} were asked for; arrays are taken as they are`,
      { path, shape, size, channels: wanted.channels },
    );
  }
  return [count, channels, height, width];
}

/** The error for an array of another type than f4, f8 or u1. */
export function wrongType(path: string): SeedspanError {
  return new SeedspanError('BAD_FORMAT', `${path}: pictures must be stored as f4, f8 or u1`, { path });
}

/**
 * Stored values as computed with: bytes divided by 255, numbers as they are.
 *
 * @throws SeedspanError `INVALID_VALUE` for a number outside [0, 1], or no number.
 */
export function unitValues(path: string, stored: Float32Array | Float64Array | Uint8Array): Float32Array {
  const scale = stored instanceof Uint8Array ? 255 : 1;
  // A loop: `from` and `findIndex` with functions took reading a CIFAR image from 0.1 to 0.3 ms.
  const values = new Float32Array(stored.length);
  for (let k = 0; k < values.length; k++) {
    values[k] = stored[k] / scale;
    if (!(values[k] >= 0 && values[k] <= 1)) {
      throw new SeedspanError(
        'INVALID_VALUE',
        `${path}: values must lie in [0, 1]; entry ${k} is ${values[k]}`,
        { path, index: k },
      );
    }
  }
  return values;
}
