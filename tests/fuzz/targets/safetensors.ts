import fc from 'fast-check';
import { readSafetensors, writeSafetensors } from '../../../src/formats/index.ts';
import { ensure, type FuzzTarget, sameBytes, utf8 } from '../target.ts';
import { fixtures } from './npy.ts';

/** A file with this header and so many bytes of data. */
export function safetensorsFile(header: string, data: Uint8Array, length?: bigint): Uint8Array {
  const text = utf8(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const one = (text: string, data = 8) => safetensorsFile(text, new Uint8Array(data));
const f64 = (begin: number, end: number, shape = '[1]') =>
  `{"dtype":"F64","shape":${shape},"data_offsets":[${begin},${end}]}`;

const nasty = () => ({
  'nothing at all': new Uint8Array(0),
  'seven bytes': new Uint8Array(7),
  'a header of 100 MB': safetensorsFile('{}', new Uint8Array(0), 100_000_000n),
  'a header of 2^63 bytes': safetensorsFile('{}', new Uint8Array(0), 1n << 63n),
  'a header of 2^64 - 1 bytes': safetensorsFile('{}', new Uint8Array(0), (1n << 64n) - 1n),
  'a header of nothing': safetensorsFile('', new Uint8Array(0)),
  'a space before the header': one(' {}', 0),
  'a list for the header': one('[]', 0),
  '50,000 brackets': one(`{"a":${'['.repeat(50_000)}`, 0),
  '50,000 closed brackets': one(`{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 0),
  '50,000 nested objects': one(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`, 0),
  'overlapping data': one(`{"a":${f64(0, 8)},"b":${f64(4, 12)}}`, 12),
  'the same data twice': one(`{"a":${f64(0, 8)},"b":${f64(0, 8)}}`),
  'a hole': one(`{"a":${f64(0, 8)},"b":${f64(16, 24)}}`, 24),
  'data before the beginning': one(`{"a":${f64(-8, 0)}}`),
  'data past the end': one(`{"a":${f64(0, 16, '[2]')}}`),
  'data that nobody has': one(`{"a":${f64(0, 8)}}`, 9),
  'offsets the wrong way round': one(`{"a":${f64(8, 0)}}`),
  'offsets past 2^53': one(`{"a":${f64(2 ** 60, 2 ** 60 + 8)}}`),
  'sizes whose product is past 2^53': one(`{"a":${f64(0, 8, '[4294967296,4294967296]')}}`),
  'sizes whose product is infinite': one(`{"a":${f64(0, 8, `[${'9007199254740991,'.repeat(60)}1]`)}}`),
  'sizes of which one is 0, and data': one(`{"a":${f64(0, 8, '[0,9007199254740991]')}}`),
  '10,000 sizes of 2': one(`{"a":${f64(0, 8, `[${'2,'.repeat(10_000)}1]`)}}`),
  'a negative size': one(`{"a":${f64(0, 8, '[-1]')}}`),
  'a size of 1e400': one(`{"a":${f64(0, 8, '[1e400]')}}`),
  'a name twice': one(`{"a":${f64(0, 8)},"a":${f64(0, 8)}}`),
  'a name twice, once in escapes': one(`{"a":${f64(0, 8)},"\\u0061":${f64(8, 16)}}`, 16),
  'the key dtype twice': one('{"a":{"dtype":"F64","dtype":"F64","shape":[1],"data_offsets":[0,8]}}'),
  'the key __proto__ in a tensor': one(
    '{"a":{"__proto__":{"dtype":"F64"},"shape":[1],"data_offsets":[0,8]}}',
  ),
  'a tensor that is a text': one('{"a":"b"}', 0),
  'the type toString': one('{"a":{"dtype":"toString","shape":[1],"data_offsets":[0,8]}}'),
  'a type of 100,000 characters': one(
    `{"a":{"dtype":"${'F'.repeat(100_000)}","shape":[1],"data_offsets":[0,8]}}`,
  ),
  'a name of 100,000 characters, and a hole': one(`{"${'a'.repeat(100_000)}":${f64(8, 16)}}`, 16),
  'metadata that are numbers': one('{"__metadata__":{"a":1}}', 0),
  'metadata that are a list': one('{"__metadata__":[]}', 0),
  'metadata twice': one('{"__metadata__":{},"__metadata__":{}}', 0),
  'not UTF-8': safetensorsFile('{}', new Uint8Array(0)).map((byte, k) => (k === 9 ? 0xff : byte)),
  'a truth value of 2': safetensorsFile(
    '{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}',
    Uint8Array.of(2),
  ),
});

const name = fc.constantFrom(
  'a',
  'b',
  'c',
  '',
  '__proto__',
  '__metadata__',
  'constructor',
  '1',
  '\u0000',
  '\ud800',
  'é',
);
const dtype = fc.constantFrom(
  'F64',
  'F32',
  'F16',
  'BF16',
  'I64',
  'U64',
  'I32',
  'U8',
  'BOOL',
  'F8_E4M3',
  'toString',
  7,
);
const SIZES: Record<string, number> = { F64: 8, I64: 8, U64: 8, F32: 4, I32: 4, F16: 2, BF16: 2 };
const extreme = fc.constantFrom(-1, 0.5, 2 ** 53, 1e300, null, '1', [1], true, 4294967296);

const made = fc
  .record({
    tensors: fc.array(fc.tuple(name, dtype, fc.array(fc.nat(3), { maxLength: 4 })), { maxLength: 5 }),
    metadata: fc.option(fc.dictionary(name, fc.oneof(fc.string({ maxLength: 3 }), extreme), { maxKeys: 3 })),
    /** A tensor, where in it, and what. */
    wrong: fc.option(fc.tuple(fc.nat(4), fc.nat(5), extreme)),
    shift: fc.constantFrom(0, 0, 0, 1, -1, 8),
    excess: fc.constantFrom(0, 0, 0, 0, 1, -1),
    padding: fc.constantFrom('', '', ' ', '   ', '\n', '\0'),
  })
  .map(({ tensors, metadata, wrong, shift, excess, padding }) => {
    let reached = 0;
    const entries = tensors.map(([key, type, shape], k): [string, unknown] => {
      const begin = reached + (k === 1 ? shift : 0);
      reached = begin + shape.reduce((product, length) => product * length, SIZES[type] ?? 1);
      const entry: { dtype: unknown; shape: unknown[]; data_offsets: unknown[]; extra?: unknown } = {
        dtype: type,
        shape,
        data_offsets: [begin, reached],
      };
      if (wrong !== null && wrong[0] === k) {
        if (wrong[1] === 0) entry.dtype = wrong[2];
        if (wrong[1] === 1) entry.shape.push(wrong[2]);
        if (wrong[1] === 2) entry.data_offsets[0] = wrong[2];
        if (wrong[1] === 3) entry.data_offsets.push(wrong[2]);
        if (wrong[1] === 4) entry.extra = wrong[2];
        if (wrong[1] === 5) return [key, wrong[2]];
      }
      return [key, entry];
    });
    // Not from an object: names may be there twice.
    const items = entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    if (metadata !== null) items.unshift(`"__metadata__":${JSON.stringify(metadata)}`);
    return safetensorsFile(
      `{${items.join(',')}}${padding}`,
      new Uint8Array(Math.max(0, reached + excess)).fill(1),
    );
  });

export const safetensors: FuzzTarget = {
  name: 'safetensors',
  seeds: () => [
    ...fixtures('safetensors', '.safetensors'),
    writeSafetensors(
      new Map([
        ['weights', { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] }],
        ['steps', { data: BigInt64Array.of(7n), shape: [] }],
        ['mask', { data: Uint8Array.of(0, 1, 1), shape: [3] }],
      ]),
      { format: 'seedspan', note: 'a' },
    ),
  ],
  nasty,
  generate: made,
  run(input) {
    const { tensors, metadata } = readSafetensors(input);
    let bytes = 0;
    for (const [key, { data, shape }] of tensors) {
      const count = shape.includes(0) ? 0 : shape.reduce((product, length) => product * length, 1);
      ensure(count === data.length, `shape and data of ${key} differ`);
      ensure(data.buffer !== input.buffer, 'it shares the memory of the input');
      bytes += data.byteLength;
    }
    ensure(({} as { polluted?: unknown }).polluted === undefined, 'the prototype of all objects was changed');
    ensure(bytes <= 2 * input.length, 'more data than the file has');
    ensure(
      Object.getPrototypeOf(metadata) === Object.prototype,
      'the metadata have a prototype of their own',
    );
    const written = writeSafetensors(tensors, metadata);
    const again = readSafetensors(written);
    ensure(
      [...again.tensors.keys()].sort().join() === [...tensors.keys()].sort().join(),
      'other names are read back',
    );
    ensure(
      sameBytes(writeSafetensors(again.tensors, again.metadata), written),
      'other bytes the second time',
    );
  },
};
