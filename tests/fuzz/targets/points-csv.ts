import fc from 'fast-check';
import { readPointsCsv } from '../../../src/formats/index.ts';
import { EXTREME_NUMBERS } from '../damage.ts';
import { ensure, type FuzzTarget, utf8 } from '../target.ts';

const cell = fc.oneof(
  { arbitrary: fc.double({ noDefaultInfinity: true, noNaN: true }).map(String), weight: 6 },
  { arbitrary: fc.constantFrom('', ' 1', 'x', 'y', '1.5e3', '+.5', '٣', ...EXTREME_NUMBERS), weight: 1 },
);

const nasty = () => ({
  'nothing at all': new Uint8Array(0),
  'empty lines': utf8('\n'.repeat(100_000)),
  'a header alone': utf8('x,y\n'),
  'a number of 200,000 digits and a letter': utf8(`0,0\n${'1'.repeat(200_000)}x,0\n`),
  'a number of 200,000 digits': utf8(`0,0\n${'1'.repeat(200_000)},0\n`),
  '200,000 spaces within': utf8(`0,0\n1${' '.repeat(200_000)}1,0\n`),
  'a line of 200,000 commas': utf8(`0,0\n${','.repeat(200_000)}\n`),
  'an exponent of 100,000 digits': utf8(`1e${'9'.repeat(100_000)},0\n`),
  NaN: utf8('nan,nan\n1,2\n'),
  'an empty cell': utf8('1,\n'),
  'a zero byte': utf8('1,2\0\n'),
  'UTF-16': new Uint8Array(Buffer.from('\ufeff1,2\n', 'utf16le')),
  'three numbers': utf8('1,2,3\n'),
});

const made = fc
  .record({
    header: fc.constantFrom('', '', 'x,y\n', 'x;y\n', '\ufeffx,y\n', 'nan,inf\n', 'x\n'),
    separator: fc.constantFrom(',', ';', '\t', ' ', '  ', ', ', '|'),
    end: fc.constantFrom('\n', '\r\n', '\r', '\n\n'),
    points: fc.array(
      fc.array(cell, { minLength: 1, maxLength: 3 }).map((cells) => cells.slice(0, 2)),
      {
        maxLength: 6,
      },
    ),
  })
  .map(({ header, separator, end, points }) =>
    utf8(header + points.map((cells) => cells.join(separator)).join(end) + end),
  );

export const pointsCsv: FuzzTarget = {
  name: 'points-csv',
  seeds: () => ['x,y\n1,2\n-3.5,4e-2\n', '1;2\n3;4', '0 0\r\n1 1\r\n', '1\t2\n', 'a,b\n'].map(utf8),
  nasty,
  generate: made,
  run(input) {
    const { data, shape } = readPointsCsv(input);
    ensure(shape[1] === 2 && data.length === 2 * shape[0] && shape[0] > 0, 'shape and data differ');
    ensure(data.every(Number.isFinite), 'a value is not finite');
  },
};
