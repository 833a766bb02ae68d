import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readNpy, writeNpy } from '../../src/formats/index.ts';
import { expectError } from '../sparse/expect-error.ts';
import { expected, fixtureNames, fuzz, readFixture } from './fixtures.ts';

const good = fixtureNames('', '.npy').filter((name) => !name.startsWith('refused-'));

/** A file with this header and body, version 1.0. */
function file(header: string, body: Uint8Array = new Uint8Array(0), version = [1, 0]): Uint8Array {
  const head = [0x93, ...Array.from('NUMPY', (c) => c.charCodeAt(0)), ...version];
  const length =
    version[0] === 1
      ? [header.length & 255, header.length >> 8]
      : [header.length & 255, header.length >> 8, 0, 0];
  return Uint8Array.from([...head, ...length, ...Array.from(header, (c) => c.charCodeAt(0)), ...body]);
}

const header = (change: Record<string, string> = {}) => {
  const entries = { descr: "'|u1'", fortran_order: 'False', shape: '(2,)', ...change };
  return `{${Object.entries(entries)
    .map(([key, value]) => `'${key}': ${value}`)
    .join(', ')}, }\n`;
};
const body = Uint8Array.of(5, 6);

describe('readNpy', () => {
  it.each(good)('reads %s as NumPy wrote it', (name) => {
    const array = readNpy(readFixture(name));
    expect(array.shape).toEqual(expected[name].shape);
    expect(array.dtype).toBe(expected[name].dtype);
    expect(Array.from(array.data)).toEqual(expected[name].data);
  });

  it.each(fixtureNames('refused-', '.npy'))('refuses %s', (name) => {
    const what = name.includes('structured')
      ? /structured types are not read.*astype/
      : /is not read.*astype\('<f8'\)/;
    expectError(() => readNpy(readFixture(name)), 'BAD_FORMAT', what);
  });

  it('reads the reference arrays', () => {
    const folder = new URL('../fixtures/reference/', import.meta.url);
    const names = readdirSync(folder).filter((name) => name.endsWith('.npy'));
    expect(names.length).toBe(11);
    for (const name of names) {
      const bytes = readFileSync(new URL(name, folder));
      const array = readNpy(bytes);
      expect(array.data.every(Number.isFinite), name).toBe(true);
      expect(Buffer.from(writeNpy(array)).equals(bytes), name).toBe(true);
    }
    const scores = readNpy(readFileSync(new URL('na2024_scores.npy', folder)));
    expect([scores.dtype, scores.shape]).toEqual(['f4', [2, 20, 3, 16, 16]]);
    const samples = readNpy(readFileSync(new URL('lau2025_cat16_samples.npy', folder)));
    expect([samples.dtype, samples.shape]).toEqual(['f8', [2000, 2]]);
  });

  it('reads from any offset, from an ArrayBuffer, and shares no memory', () => {
    const bytes = readFixture('f8.npy');
    for (let shift = 0; shift < 8; shift++) {
      const moved = new Uint8Array(bytes.length + 16).subarray(shift, shift + bytes.length);
      moved.set(bytes);
      const { data } = readNpy(moved);
      moved.fill(0);
      expect(Array.from(data)).toEqual(expected['f8.npy'].data);
    }
    const { buffer } = Uint8Array.from(bytes);
    expect(Array.from(readNpy(buffer).data)).toEqual(expected['f8.npy'].data);
    const data = readNpy(bytes).data;
    bytes.fill(0);
    expect(Array.from(data)).toEqual(expected['f8.npy'].data);
  });

  it('reads headers that NumPy would read: keys in any order, double quotes, no last comma, long integers', () => {
    const array = readNpy(file(`{"shape": (2L, 1), "descr": "|u1", "fortran_order": True}`, body));
    expect(Array.from(array.data)).toEqual([5, 6]);
    expect(array.shape).toEqual([2, 1]);
    expect(readNpy(file(header({ shape: '()' }), Uint8Array.of(7))).shape).toEqual([]);
    expect(readNpy(file(header({ shape: '(99999999999, 0)' }))).data.length).toBe(0);
  });

  const bad: [string, Uint8Array, RegExp][] = [
    ['an empty file', new Uint8Array(0), /not a .npy file/],
    ['another format', Uint8Array.from(Buffer.from('PK\x03\x04 and more')), /not a .npy file/],
    ['a file of magic alone', file(header()).subarray(0, 6), /ends within its version/],
    ['version 0', file(header(), body, [0, 0]), /version 0.0/],
    ['version 4', file(header(), body, [4, 0]), /version 4.0 is not read/],
    ['version 1.1', file(header(), body, [1, 1]), /version 1.1/],
    ['a file cut in the length, version 1', file(header()).subarray(0, 9), /header's length/],
    ['a file cut in the length, version 2', file(header(), body, [2, 0]).subarray(0, 11), /header's length/],
    [
      'a file cut in the header',
      file(header()).subarray(0, 30),
      /header has \d+ bytes by its length field, the file only 20/,
    ],
    ['no header', file('', body), /needs "\{"/],
    ['data too short', file(header(), body.subarray(0, 1)), /too short.*takes 2 bytes, 1 follow/],
    ['trailing bytes', file(header(), Uint8Array.of(5, 6, 7)), /goes on after its data/],
    ['a negative size', file(header({ shape: '(-2,)' }), body), /shape has -2/],
    ['a size past 2^53', file(header({ shape: '(99999999999999999999,)' }), body), /shape has 9999/],
    [
      'a product that overflows',
      file(header({ shape: '(9999999999, 9999999999)' }), body),
      /more than 9007199254740991/,
    ],
    [
      'a product that is infinite',
      file(header({ shape: `(${'9999999999, '.repeat(40)})` }), body),
      /more than 9007199254740991/,
    ],
    ['65 dimensions', file(header({ shape: `(${'1, '.repeat(65)})` }), body), /65 dimensions/],
    ['a size that is no integer', file(header({ shape: '(2.0,)' }), body), /"\."/],
    ['a lone minus', file(header({ shape: '(-,)' }), body), /shape has -/],
    ['a shape that is a number', file(header({ shape: '(2)' }), body), /needs ","/],
    ['a shape that is a list', file(header({ shape: '[2]' }), body), /needs "\("/],
    ['an unknown key', file(header({ color: "'red'" }), body), /the key "color"/],
    ['a missing shape', file("{'descr': '|u1', 'fortran_order': False, }", body), /lacks shape/],
    ['a missing descr', file("{'shape': (2,), 'fortran_order': False, }", body), /lacks descr/],
    ['a missing order', file("{'descr': '|u1', 'shape': (2,), }", body), /lacks fortran_order/],
    ['a key twice', file("{'shape': (2,), 'shape': (2,), }", body), /shape twice/],
    ['an order that is none', file(header({ fortran_order: 'Maybe' }), body), /"Maybe"/],
    ['an order that is a number', file(header({ fortran_order: '0' }), body), /True or False and has "0"/],
    ['an expression', file(header({ shape: '(1+1,)' }), body), /"\+"/],
    ['a call', file(header({ shape: 'tuple()' }), body), /needs "\("/],
    ['an escape', file("{'descr\\x00': 1}", body), /without an end/],
    ['a string without end', file("{'descr", body), /without an end/],
    ['more after the end', file(`${header()}{}`, body), /goes on with "\{"/],
    ['an empty type', file(header({ descr: "''" }), body), /type "" is not read/],
    ['a type of unknown order', file(header({ descr: "'=f8'" }), body), /type "=f8"/],
    ['a type without order', file(header({ descr: "'|f8'" }), body), /type "\|f8"/],
    ['a type named as a property of objects', file(header({ descr: "'<constructor'" }), body), /is not read/],
  ];
  it.each(bad)('refuses %s', (_, bytes, message) => {
    expectError(() => readNpy(bytes), 'BAD_FORMAT', message);
  });

  it('refuses wrong arguments', () => {
    expectError(() => readNpy('text' as never), 'INVALID_TYPE', /Uint8Array/);
    expectError(() => readNpy([1, 2] as never), 'INVALID_TYPE', /Uint8Array/);
    expectError(() => readNpy(readFixture('f8.npy'), { max: 3 } as never), 'UNKNOWN_OPTION', /"max"/);
    expectError(() => readNpy(readFixture('f8.npy'), { maxElements: -1 }), 'INVALID_VALUE', /maxElements/);
  });

  it('keeps to maxElements', () => {
    expect(readNpy(readFixture('f8.npy'), { maxElements: 12 }).data.length).toBe(12);
    expectError(
      () => readNpy(readFixture('f8.npy'), { maxElements: 11 }),
      'BAD_FORMAT',
      /more than 11 elements/,
    );
  });

  it('answers damaged files with an array or a BAD_FORMAT, and allocates no more than they hold', () => {
    const counts = fuzz(
      good.map(readFixture),
      (bytes) => readNpy(bytes),
      (bytes) => bytes.length,
    );
    expect(counts.read).toBeGreaterThan(50);
    expect(counts.refused).toBeGreaterThan(1000);
  });
});

describe('writeNpy', () => {
  const written = good.filter((name) => !/big|version|fortran/.test(name));
  it.each(written)('writes %s byte for byte as NumPy did', (name) => {
    const bytes = readFixture(name);
    expect(Buffer.from(writeNpy(readNpy(bytes))).equals(bytes)).toBe(true);
  });

  it('is read back as it was', () => {
    const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
    const arrays = shapes.chain((shape) => {
      const length = shape.reduce((product, size) => product * size, 1);
      const limits = { minLength: length, maxLength: length };
      const data = fc.oneof(
        fc.float64Array(limits),
        fc.float32Array(limits),
        fc.int32Array(limits),
        fc.uint8Array(limits),
      );
      return fc.record({ shape: fc.constant(shape), data });
    });
    fc.assert(
      fc.property(arrays, ({ shape, data }) => {
        const bytes = writeNpy({ data, shape });
        expect((bytes.length - data.byteLength) % 64).toBe(0);
        const back = readNpy(bytes);
        expect(back.shape).toEqual(shape);
        expect(back.data).toEqual(data);
      }),
    );
  });

  it('writes a view of larger memory', () => {
    const data = Float64Array.of(1, 2, 3, 4).subarray(1, 3);
    expect(Array.from(readNpy(writeNpy({ data, shape: [2] })).data)).toEqual([2, 3]);
  });

  const data = Float64Array.of(1, 2);
  const bad: [string, unknown, string, RegExp][] = [
    ['nothing', undefined, 'INVALID_TYPE', /give \{data, shape\}/],
    ['a plain array', { data: [1, 2], shape: [2] }, 'INVALID_TYPE', /Float64Array.*not Array\(2\)/],
    ['a type that is not written', { data: new Int16Array(2), shape: [2] }, 'INVALID_TYPE', /Int16Array/],
    [
      'a shape that does not fit',
      { data, shape: [3] },
      'SHAPE_MISMATCH',
      /shape \(3\) has 3 elements, data has 2/,
    ],
    ['a negative shape', { data, shape: [-1, -2] }, 'INVALID_VALUE', /shape/],
    ['a missing shape', { data }, 'INVALID_VALUE', /shape/],
    ['65 dimensions', { data, shape: [2, ...new Array(64).fill(1)] }, 'INVALID_VALUE', /at most 64/],
    ['an unknown option', { data, shape: [2], order: 'F' }, 'UNKNOWN_OPTION', /"order"/],
  ];
  it.each(bad)('refuses %s', (_, array, code, message) => {
    expectError(() => writeNpy(array as never), code, message);
  });
});
