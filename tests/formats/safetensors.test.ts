import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  readSafetensors,
  type SafetensorsValues,
  type WriteSafetensorsTensor,
  writeSafetensors,
} from '../../src/formats/index.ts';
import { expectError } from '../sparse/expect-error.ts';
import { fuzz } from './fixtures.ts';

const folder = new URL('../fixtures/safetensors/', import.meta.url);
const fixture = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));

interface Held {
  tensors: Record<string, { dtype: string; shape: number[]; data: (number | string)[] }>;
  metadata: Record<string, string>;
}
const expected: Record<string, Held> = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8'));
const names = Object.keys(expected);

/** A file with this header and so many bytes of data. */
function file(header: unknown, size = 0, fill = 0): Uint8Array {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const head = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + head.length + size).fill(fill);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(head.length), true);
  bytes.set(head, 8);
  return bytes;
}
const entry = (begin: number, end: number, dtype = 'U8', shape: unknown[] = [end - begin]) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe('readSafetensors', () => {
  it.each(names)('reads %s as the script wrote it', (name) => {
    const { tensors, metadata } = readSafetensors(fixture(name));
    const { tensors: held, metadata: texts } = expected[name];
    expect(metadata).toEqual(texts);
    expect([...tensors.keys()].sort()).toEqual(Object.keys(held).sort());
    for (const [key, { dtype, shape, data }] of tensors) {
      expect([dtype, shape], key).toEqual([held[key].dtype, held[key].shape]);
      const values = Array.from<number | bigint, number | bigint>(data, (value) => value);
      const isBig = typeof values[0] === 'bigint';
      expect(values, key).toEqual(held[key].data.map((value) => (isBig ? BigInt(value) : Number(value))));
    }
  });

  it('reads from any offset, from an ArrayBuffer, and shares no memory', () => {
    const bytes = fixture('sorted.safetensors');
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const read = readSafetensors(shifted.subarray(3));
    expect(read).toEqual(readSafetensors(bytes.buffer));
    shifted.fill(255);
    expect(read).toEqual(readSafetensors(bytes));
  });

  it('knows all halves', () => {
    // Against the definition, built from the bits' own numbers: both zeros, subnormal, normal, largest, infinity.
    const bits = Uint16Array.of(
      0x0000,
      0x8000,
      0x0001,
      0x83ff,
      0x0400,
      0x3c00,
      0xfbff,
      0x7c00,
      0xfc00,
      0x7c01,
    );
    const bytes = file({ a: entry(0, 20, 'F16', [10]) }, 20);
    bytes.set(new Uint8Array(bits.buffer), bytes.length - 20);
    expect(Array.from(readSafetensors(bytes).tensors.get('a')?.data as Float32Array)).toEqual([
      0,
      -0,
      2 ** -24,
      -1023 * 2 ** -24,
      2 ** -14,
      1,
      -65504,
      Infinity,
      -Infinity,
      NaN,
    ]);
  });

  it('takes names that objects and arrays use for themselves', () => {
    const bytes = file(
      `{"__proto__":${JSON.stringify(entry(0, 1))},"7":${JSON.stringify(entry(1, 2))}}`,
      2,
      5,
    );
    expect([...readSafetensors(bytes).tensors.keys()]).toEqual(['__proto__', '7']);
  });

  const proper = fixture('sorted.safetensors');
  const a = JSON.stringify(entry(0, 2));
  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /0 bytes, the length of its header takes 8/],
    ['a length alone', new Uint8Array(8), /does not begin with \{/],
    [
      'a truncated header',
      proper.subarray(0, 100),
      /truncated: the header has \d+ bytes by its length field, 92/,
    ],
    [
      'truncated data',
      proper.subarray(0, proper.length - 1),
      /truncated: the tensors take \d+ bytes, \d+ follow/,
    ],
    ['a header longer than any', new Uint8Array(16).fill(255), /18446744073709551615 bytes.*maxHeaderBytes/],
    ['more bytes', file({ a: entry(0, 2) }, 3), /goes on after its data/],
    ['no JSON', file('{"a":}'), /not JSON/],
    ['no object', file('[]'), /does not begin with \{/],
    ['space before the header', file(` {"a":${a}}`, 2), /does not begin with \{/],
    ['no UTF-8', Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x22, 0xff, 0x7d), /not UTF-8/],
    ['a name twice', file(`{"a":${a},"a":${a}}`, 2), /the name "a" twice/],
    ['a name twice, escaped', file(`{"a\\"" :${a},"\\u0061\\u0022":${a}}`, 2), /the name "a\\"" twice/],
    [
      'a key twice',
      file('{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}', 1),
      /"dtype" twice/,
    ],
    ['a tensor that is a text', file({ a: 'U8' }), /"a" must be an object/],
    ['a key too many', file({ a: { ...entry(0, 2), strides: [1] } }, 2), /unknown key "strides"/],
    ['an unknown type', file({ a: entry(0, 2, 'F8_E4M3') }, 2), /type "F8_E4M3"; read are F64,.* BOOL/],
    ['a type of objects', file({ a: entry(0, 2, 'toString') }, 2), /type "toString"/],
    ['no shape', file({ a: { dtype: 'U8', data_offsets: [0, 2] } }, 2), /no shape of integers/],
    ['a negative shape', file({ a: entry(0, 2, 'U8', [-1, -2]) }, 2), /no shape of integers/],
    ['a broken shape', file({ a: entry(0, 2, 'U8', [1.5]) }, 2), /no shape of integers/],
    ['offsets in the wrong order', file({ a: entry(2, 0, 'U8', [0]) }, 2), /no data_offsets/],
    [
      'three offsets',
      file({ a: { dtype: 'U8', shape: [2], data_offsets: [0, 1, 2] } }, 2),
      /no data_offsets/,
    ],
    ['another shape', file({ a: entry(0, 8, 'F32', [3]) }, 8), /shape \[3\] of F32 takes 12 bytes.* 8 apart/],
    ['a huge shape', file({ a: entry(0, 8, 'U8', [2 ** 52, 2 ** 52]) }, 8), /takes 2\.02\S+ bytes/],
    ['an overlap', file({ a: entry(0, 4), b: entry(2, 6) }, 6), /"b" begin at 2 and overlap.* at 4/],
    ['a hole', file({ a: entry(0, 2), b: entry(3, 4) }, 4), /"b" begin at 3 and leave a hole.* at 2/],
    ['a hole at the start', file({ a: entry(1, 2) }, 2), /"a" begin at 1 and leave a hole/],
    ['the same bytes twice', file({ a: entry(0, 2), b: entry(0, 2) }, 2), /"b" begin at 0 and overlap/],
    ['a truth of 2', file({ a: entry(0, 2, 'BOOL') }, 2, 2), /BOOL and has a byte over 1/],
    ['metadata of numbers', file({ __metadata__: { step: 3 } }), /must be an object of texts/],
    ['a list of metadata', file({ __metadata__: ['a'] }), /must be an object of texts/],
  ])('refuses %s', (_, bytes, message) => {
    expectError(() => readSafetensors(bytes), 'BAD_FORMAT', message);
  });

  it('keeps to its limits', () => {
    const read = (options: object) => () => readSafetensors(proper, options);
    expectError(read({ maxHeaderBytes: 100 }), 'BAD_FORMAT', /more than 100 \(maxHeaderBytes\)/);
    expectError(read({ maxTensors: 9 }), 'BAD_FORMAT', /10 tensors are more than 9/);
    expectError(read({ maxTensors: -1 }), 'INVALID_VALUE', /maxTensors must be an integer from 0/);
    expectError(read({ limit: 1 }), 'UNKNOWN_OPTION', /unknown option "limit"/);
    expectError(() => readSafetensors('{}' as unknown as Uint8Array), 'INVALID_TYPE', /Uint8Array/);
  });

  it('reads or refuses damaged files, and asks for no more memory than they fill', () => {
    // Halves become twice as long.
    const counts = fuzz(names.map(fixture), readSafetensors, (bytes) => 2 * bytes.length);
    expect(counts.refused).toBeGreaterThan(1000);
    expect(counts.read).toBeGreaterThan(20);
  });
});

describe('writeSafetensors', () => {
  it('writes the bytes that the script wrote', () => {
    const bytes = fixture('sorted.safetensors');
    const { tensors, metadata } = readSafetensors(bytes);
    const turned = new Map([...tensors].reverse());
    expect(Buffer.from(writeSafetensors(turned, metadata)).equals(bytes)).toBe(true);
    const empty = Buffer.from(writeSafetensors(new Map()));
    expect(empty.subarray(8).toString()).toBe('{}      ');
  });

  const arrays = fc.oneof<fc.Arbitrary<SafetensorsValues>[]>(
    fc.float64Array(),
    fc.float32Array(),
    fc.bigInt64Array(),
    fc.bigUint64Array(),
    fc.int32Array(),
    fc.uint32Array(),
    fc.int16Array(),
    fc.uint16Array(),
    fc.int8Array(),
    fc.uint8Array(),
  );
  const name = fc.string({ unit: 'binary' }).filter((text) => text !== '__metadata__');

  it('writes what is read back bit for bit', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(name, arrays), { selector: ([key]) => key }),
        fc.dictionary(name, fc.string({ unit: 'binary' })),
        (list, metadata) => {
          const given = new Map(list.map(([key, data]) => [key, { data, shape: [1, data.length] }]));
          const read = readSafetensors(writeSafetensors(given, metadata));
          expect(Object.entries(read.metadata).sort()).toEqual(Object.entries(metadata).sort());
          expect(read.tensors.size).toBe(given.size);
          for (const [key, { data, shape }] of given) {
            const tensor = read.tensors.get(key);
            expect(tensor?.shape).toEqual(shape);
            expect(tensor?.data.constructor).toBe(data.constructor);
            expect(bits(tensor?.data)).toEqual(bits(data));
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  const write = (tensor: unknown, key = 'a') => {
    return () => writeSafetensors(new Map([[key, tensor as WriteSafetensorsTensor]]));
  };
  it('refuses what the format cannot hold', () => {
    const data = new Float32Array(2);
    expectError(write({ data, shape: [3] }), 'SHAPE_MISMATCH', /"a" has shape \[3\], 3 elements, and 2 data/);
    expectError(write({ data, shape: [-2, -1] }), 'INVALID_VALUE', /integers from 0/);
    expectError(write({ data, shape: 2 }), 'INVALID_VALUE', /integers from 0/);
    expectError(write({ data: [1, 2], shape: [2] }), 'INVALID_TYPE', /must be a typed array/);
    expectError(write(null), 'INVALID_TYPE', /must be \{data, shape\}/);
    expectError(write({ data, shape: [2] }, '__metadata__'), 'INVALID_VALUE', /no tensor can have the name/);
    expectError(() => writeSafetensors({} as Map<string, WriteSafetensorsTensor>), 'INVALID_TYPE', /a Map/);
    const texts = { step: 3 } as unknown as Record<string, string>;
    expectError(() => writeSafetensors(new Map(), texts), 'INVALID_TYPE', /object of texts/);
  });
});

function bits(data: SafetensorsValues | undefined): Buffer {
  return Buffer.from(data?.buffer ?? new ArrayBuffer(0), data?.byteOffset, data?.byteLength);
}
