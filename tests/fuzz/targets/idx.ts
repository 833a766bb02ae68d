import fc from 'fast-check';
import { parseIdxHeader } from '../../../src/formats/idx.ts';
import { ensure, type FuzzTarget } from '../target.ts';
import { fixtures } from './npy.ts';

const SIZES = { u1: 1, i1: 1, i2: 2, i4: 4, f4: 4, f8: 8 } as const;

const file = (
  type: number,
  sizes: readonly number[],
  data: number,
  dimensions = sizes.length,
): Uint8Array => {
  const bytes = new Uint8Array(4 + 4 * sizes.length + data);
  bytes.set([0, 0, type, dimensions]);
  sizes.forEach((size, k) => {
    new DataView(bytes.buffer).setUint32(4 + 4 * k, size);
  });
  return bytes;
};

const made = fc
  .record({
    type: fc.constantFrom(8, 9, 11, 12, 13, 14, 0, 10, 255),
    sizes: fc.array(
      fc.oneof(
        { arbitrary: fc.nat(4), weight: 6 },
        { arbitrary: fc.constantFrom(2 ** 31, 2 ** 32 - 1, 65536), weight: 1 },
      ),
      { maxLength: 9 },
    ),
    data: fc.nat(70),
    fits: fc.boolean(),
  })
  .map(({ type, sizes, data, fits }) => {
    const item = [8, 9].includes(type) ? 1 : type === 11 ? 2 : type === 14 ? 8 : 4;
    const wanted = sizes.reduce((product, size) => product * size, item);
    return file(type, sizes, fits && wanted < 5000 ? wanted : data);
  });

export const idx: FuzzTarget = {
  name: 'idx',
  seeds: () => [
    ...fixtures('sources', 'ubyte'),
    file(8, [3, 2, 2], 12),
    file(14, [1], 8),
    file(11, [2, 2], 8),
    file(8, [0], 0),
  ],
  nasty: () => ({
    'nothing at all': new Uint8Array(0),
    'no dimensions': file(8, [], 1),
    '255 dimensions': file(8, [1, 1], 1, 255),
    '2^128 bytes': file(8, [2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], 1),
    'sizes whose product wraps to 1': file(8, [65537, 2 ** 32 - 65535], 1),
    'an unknown type': file(10, [1], 1),
    'one byte less': file(8, [3], 2),
    'one byte more': file(8, [3], 4),
    'a header cut off': file(8, [1, 1, 1], 1).slice(0, 10),
  }),
  generate: made,
  run(input) {
    const { dtype, shape, offset, bytes } = parseIdxHeader(input);
    const count = shape.reduce((product, size) => product * size, 1);
    ensure(shape.length >= 1 && bytes === count * SIZES[dtype], 'shape and bytes differ');
    ensure(offset + bytes === input.length, 'the data is not all of the file');
  },
};
