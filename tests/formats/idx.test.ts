import { describe, expect, it } from 'vitest';
import { parseIdxHeader } from '../../src/formats/index.ts';
import { expected, readFixture } from '../dataset/source-fixtures.ts';
import { expectError } from '../sparse/expect-error.ts';

describe('parseIdxHeader', () => {
  it.each(Object.keys(expected.idx))('finds in %s what NumPy wrote', (name) => {
    const { data: _, ...header } = expected.idx[name];
    const bytes = readFixture(name);
    expect(parseIdxHeader(bytes)).toEqual(header);
    expect(parseIdxHeader(bytes.subarray(0, 36), bytes.length)).toEqual(header);
  });

  it('knows where the data lies', () => {
    const { data } = expected.idx['train-images-idx3-ubyte'];
    const bytes = readFixture('train-images-idx3-ubyte');
    expect(Array.from(bytes.subarray(parseIdxHeader(bytes).offset))).toEqual(data);
  });

  it('refuses a file that is cut off at any place, or goes on', () => {
    const bytes = readFixture('train-images-idx3-ubyte');
    for (let length = 0; length < bytes.length; length++) {
      const what = length < 4 ? /first four bytes/ : length < 16 ? /sizes of its 3 dim/ : /is too short/;
      expectError(() => parseIdxHeader(bytes.subarray(0, length)), 'BAD_FORMAT', what);
    }
    expectError(() => parseIdxHeader(bytes, bytes.length + 1), 'BAD_FORMAT', /goes on after its data/);
  });

  const change = (at: number, value: number) => {
    const bytes = readFixture('train-images-idx3-ubyte');
    bytes[at] = value;
    return bytes;
  };
  it.each([
    [0, 1, /two zero bytes/],
    [1, 0x1f, /two zero bytes/],
    [2, 0x0a, /type 0xa is none/],
    [2, 0, /type 0x0 is none/],
    [3, 0, /0 dimensions/],
    [3, 9, /9 dimensions/],
    [3, 255, /255 dimensions/],
    [4, 255, /is too short/],
  ])('refuses byte %i being %i', (at, value, message) => {
    expectError(() => parseIdxHeader(change(at, value)), 'BAD_FORMAT', message);
  });

  it('refuses sizes whose product is beyond all bounds', () => {
    const bytes = new Uint8Array(36).fill(255);
    bytes.set([0, 0, 0x0e, 8]);
    expectError(() => parseIdxHeader(bytes), 'BAD_FORMAT', /is too short/);
  });

  it('refuses what are no bytes', () => {
    expectError(() => parseIdxHeader('idx' as never), 'INVALID_TYPE', /Uint8Array/);
  });
});
