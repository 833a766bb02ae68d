import { SeedspanError, show, showList } from '../errors.ts';
import type { NdArray } from './types.ts';

/**
 * Checks a dense array: data in a Float32Array or Float64Array, as many axes as `axes` has names, no axis of
 * length 0, the product of the lengths that of the data, and no NaN or infinity.
 *
 * @param name the argument, for the message
 * @throws SeedspanError `INVALID_TYPE`, `SHAPE_MISMATCH`, `INVALID_VALUE`
 */
export function checkNdArray(
  name: string,
  array: NdArray | NdArray<Float32Array>,
  axes: readonly string[],
): void {
  const names = [...axes.slice(0, 8), ...(axes.length > 8 ? ['...'] : [])].join(', ');
  const expected = `{data, shape: [${names}]}`;
  if (typeof array !== 'object' || array === null || !Array.isArray(array.shape)) {
    throw new SeedspanError('INVALID_TYPE', `${name} must be ${expected}, not ${show(array)}`);
  }
  const { data, shape } = array;
  if (!(data instanceof Float64Array || data instanceof Float32Array)) {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${name}.data must be a Float64Array or Float32Array, not ${show(data)}`,
    );
  }
  if (shape.length !== axes.length || !shape.every((length) => Number.isSafeInteger(length) && length > 0)) {
    throw new SeedspanError('SHAPE_MISMATCH', `${name}.shape must be [${names}], not [${showList(shape)}]`, {
      shape,
    });
  }
  const count = shape.reduce((product, length) => product * length, 1);
  if (count !== data.length) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${name}.shape [${showList(shape)}] needs ${count} values, but data has ${data.length}`,
      { shape, length: data.length },
    );
  }
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new SeedspanError('INVALID_VALUE', `${name}.data[${bad}] is ${data[bad]}`, { index: bad });
}

/**
 * Checks that all values lie in [0, 1].
 *
 * @throws SeedspanError `INVALID_VALUE`
 */
export function checkUnitRange(name: string, data: ArrayLike<number>): void {
  for (let i = 0; i < data.length; i++) {
    if (data[i] >= 0 && data[i] <= 1) continue;
    throw new SeedspanError(
      'INVALID_VALUE',
      `${name}: values must lie in [0, 1], but value ${i} is ${data[i]}`,
      {
        index: i,
      },
    );
  }
}
