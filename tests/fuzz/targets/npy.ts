import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { readNpy, writeNpy } from '../../../src/formats/index.ts';
import { EXTREME_NUMBERS } from '../damage.ts';
import { ensure, type FuzzTarget, fromLatin1, sameBytes } from '../target.ts';

/** Files of a folder of fixtures. */
export function fixtures(folder: string, end: string, most = 20_000): Uint8Array[] {
  return readdirSync(`tests/fixtures/${folder}`)
    .filter((name) => name.endsWith(end))
    .map((name) => new Uint8Array(readFileSync(`tests/fixtures/${folder}/${name}`)))
    .filter(({ length }) => length <= most);
}

/** A number, mostly small. */
const size = fc.oneof(
  { arbitrary: fc.nat(5).map(String), weight: 5 },
  { arbitrary: fc.constantFrom(...EXTREME_NUMBERS), weight: 1 },
);

/** A file of version 1 with this shape. */
function withShape(shape: string, body = '', said?: number): Uint8Array {
  return withHeader(`{'descr': '<f8', 'fortran_order': False, 'shape': ${shape}, }\n`, body, said);
}

function withHeader(header: string, body = '', said = header.length): Uint8Array {
  return fromLatin1(`\x93NUMPY\x01\x00${String.fromCharCode(said & 255, said >> 8)}${header}${body}`);
}

/** Version 2, whose header may be longer. */
const long = (header: string, said = header.length): Uint8Array =>
  fromLatin1(
    `\x93NUMPY\x02\x00${String.fromCharCode(...[0, 8, 16, 24].map((shift) => (said >>> shift) & 255))}${header}`,
  );

const eight = '\0'.repeat(8);

const nasty = () => ({
  'nothing at all': new Uint8Array(0),
  'the magic alone': fromLatin1('\x93NUMPY'),
  'shape (2**62,)': withShape('(4611686018427387904,)', eight),
  'sizes whose product wraps to 1 in 64 bits': withShape('(4294967297, 4294967296, 4294967296)', eight),
  'sizes whose product is past 2^53': withShape('(3037000500, 3037000500)', eight),
  'sizes whose product is infinite': withShape(`(${'9007199254740991, '.repeat(30)})`),
  'a negative size': withShape('(-1,)', eight),
  'two negative sizes': withShape('(-1, -1)', eight),
  'a size of 4000 digits': withShape(`(${'1'.repeat(4000)},)`, eight),
  'nested tuples': withShape(`${'('.repeat(20_000)}${')'.repeat(20_000)}`),
  'a tuple in the tuple': withShape('((1,),)', eight),
  '65 dimensions': withShape(`(${'1, '.repeat(65)})`, eight),
  '20,000 dimensions': withShape(`(${'1, '.repeat(20_000)})`, eight),
  '20,000 dimensions of none': withShape(`(${'0, '.repeat(20_000)})`),
  '60 long sizes that do not fit': withShape(`(${'999999999999999, '.repeat(60)})`),
  'a size with a point': withShape('(1.0,)', eight),
  'True for a size': withShape('(True,)', eight),
  'an expression for a size': withShape('(2**3,)', eight.repeat(8)),
  'a call': withHeader("{'descr': __import__('os'), 'fortran_order': False, 'shape': ()}\n", eight),
  'the header past the end': withShape('(1,)', eight, 60_000),
  'a header of 4 GiB': long('{', 0xffffffff),
  'a header of 128 KiB': long(
    `{'descr': '<f8', 'fortran_order': False, 'shape': (), }${' '.repeat(131_072)}\n`,
  ),
  'a header of 200 KiB of brackets': long('['.repeat(204_800)),
  'a header of nothing': withHeader(''),
  'the shape twice': withHeader(
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'shape': (2,)}\n",
    eight,
  ),
  'the key __proto__': withHeader("{'__proto__': '<f8', 'fortran_order': False, 'shape': ()}\n", eight),
  'the type constructor': withHeader(
    "{'descr': '<constructor', 'fortran_order': False, 'shape': ()}\n",
    eight,
  ),
  'objects, to be unpickled': withHeader(
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n",
    'cos\nsystem\n',
  ),
  'a structure': withHeader("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}\n", eight),
  'a text without an end': withHeader("{'descr': '<f8"),
  'one byte less': withShape('(1,)', eight.slice(1)),
  'one byte more': withShape('(1,)', `${eight}\0`),
});

const made = fc
  .record({
    version: fc.constantFrom(1, 1, 1, 2, 3, 4),
    descr: fc.constantFrom('<f8', '>f8', '<f4', '<i4', '|u1', '=f8', '<f2', '|O', '<U3', ''),
    fortran: fc.constantFrom('True', 'False', 'False', 'None', '1'),
    shape: fc.array(size, { maxLength: 6 }),
    body: fc.uint8Array({ maxLength: 80 }),
    /** Off by so much. */
    length: fc.constantFrom(0, 0, 0, 0, 1, -1, 1000, 2 ** 31),
  })
  .map(({ version, descr, fortran, shape, body, length }) => {
    const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
    const header = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${tuple}, }\n`;
    const said = header.length + length;
    const bytes = version === 1 ? [said, said >> 8] : [said, said >> 8, said >> 16, said >> 24];
    return fromLatin1(
      `\x93NUMPY${String.fromCharCode(version, 0, ...bytes.map((byte) => byte & 255))}${header}${Buffer.from(body).toString('latin1')}`,
    );
  });

export const npy: FuzzTarget = {
  name: 'npy',
  seeds: () => [...fixtures('formats', '.npy'), ...fixtures('reference', '.npy', 12_000)],
  nasty,
  generate: made,
  run(input) {
    const array = readNpy(input);
    const { data, shape, dtype } = array;
    ensure(shape.reduce((product, length) => product * length, 1) === data.length, 'shape and data differ');
    ensure(data.buffer !== input.buffer, 'it shares the memory of the input');
    const type = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u1: Uint8Array }[dtype];
    ensure(data instanceof type, `${dtype} is a ${data.constructor.name}`);
    const written = writeNpy(array);
    const again = readNpy(written);
    ensure(again.dtype === dtype && again.shape.join() === shape.join(), 'another array is read back');
    ensure(sameBytes(writeNpy(again), written), 'other bytes are written the second time');
  },
};
