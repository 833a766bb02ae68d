import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMatrixMarket } from '../../src/formats/index.ts';
import { expectError } from '../sparse/expect-error.ts';
import { expected, fixtureNames, fuzz, readFixture } from './fixtures.ts';
import { readFull, readSparse } from './read-kind.ts';

const good = fixtureNames('', '.mtx').filter((name) => !name.startsWith('refused-'));

const coordinate = (lines: string, words = 'real general') =>
  `%%MatrixMarket matrix coordinate ${words}\n${lines}\n`;
const array = (lines: string, words = 'real general') => `%%MatrixMarket matrix array ${words}\n${lines}\n`;
const value = (text: string) => readFull(array(`1 1\n${text}`)).data[0];

describe('readMatrixMarket', () => {
  it.each(good)('reads %s as SciPy does', (name) => {
    const bytes = readFixture(name);
    const words = bytes.toString('latin1').split('\n')[0].split(' ');
    for (const input of [bytes, bytes.toString('utf8'), bytes.toString('utf8').replaceAll('\n', '\r\n')]) {
      const result = readMatrixMarket(input);
      expect([result.kind, result.field, result.symmetry]).toEqual(words.slice(2));
      const full = result.kind === 'array' ? result.data : result.matrix.toDense();
      const shape = result.kind === 'array' ? result.shape : result.matrix.shape;
      expect(shape).toEqual(expected[name].shape);
      expect(result.kind === 'coordinate').toBe(expected[name].sparse);
      // + 0 makes a zero of either sign one without.
      expect(Array.from(full, (v) => v + 0)).toEqual(expected[name].data.map((v) => v + 0));
    }
  });

  it.each([
    ['refused-complex.mtx', /line 1: field "complex" is not read, only real, integer, pattern/],
    ['refused-hermitian.mtx', /line 1: field "complex"/],
  ])('refuses %s', (name, message) => {
    expectError(() => readMatrixMarket(readFixture(name)), 'BAD_FORMAT', message);
  });

  it('takes comments, blank lines, blanks and tabs anywhere, upper case, and no last line feed', () => {
    const text =
      '%%matrixmarket MATRIX Coordinate REAL General\r\n% one\n\n  % two\n \t 2 2 2 \n%\n\n\t1  1\t4 \n\n 2 2 .5';
    expect(Array.from(readSparse(text).toDense())).toEqual([4, 0, 0, 0.5]);
  });

  it('takes comments that are not ASCII', () => {
    expect(readSparse(coordinate('% Größe \u{1f600}\n1 1 1\n1 1 2')).data[0]).toBe(2);
  });

  it('sums duplicates, and gives a matrix whose setData has the order of its data', () => {
    const A = readSparse(coordinate('2 2 4\n2 1 1\n1 2 2\n2 1 3\n1 1 5'));
    expect(Array.from(A.toDense())).toEqual([5, 2, 4, 0]);
    expect(Array.from(A.setData([1, 2, 3]).toDense())).toEqual([1, 2, 3, 0]);
  });

  it('takes files of size 0', () => {
    expect(readSparse(coordinate('0 0 0')).shape).toEqual([0, 0]);
    expect(readFull(array('0 5')).data.length).toBe(0);
    expect(Array.from(readFull(array('1 1', 'real skew-symmetric')).data)).toEqual([0]);
  });

  it.each([
    ['1', 1],
    ['-0', -0],
    ['+1.5', 1.5],
    ['5.', 5],
    ['.5', 0.5],
    ['1.0D+00', 1],
    ['-2.5d-3', -0.0025],
    ['1E22', 1e22],
    ['1e23', 1e23],
    ['123456789012345e-22', 123456789012345e-22],
    ['123456789012345678', 123456789012345680],
    ['0.1000000000000000055511151231257827', 0.1],
    ['000000000000000000000000001', 1],
    ['0.00000000000000000000000000001', 1e-29],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['5e-324', 5e-324],
    ['1e-99999999999999999999', 0],
    ['0e99999999999999999999', 0],
    [`1${'0'.repeat(400)}e-400`, 1],
  ])('reads %s', (text, number) => {
    expect(value(text)).toBe(number);
  });

  it('reads every decimal as the engine does', () => {
    const digits = fc.stringMatching(/^[0-9]{1,20}$/);
    const exponent = fc.integer({ min: -40, max: 40 });
    fc.assert(
      fc.property(fc.constantFrom('', '-', '+'), digits, digits, exponent, (sign, whole, part, power) => {
        for (const text of [
          `${sign}${whole}.${part}e${power}`,
          `${sign}${whole}e${power}`,
          `${sign}.${part}`,
        ]) {
          expect(value(text)).toBe(Number(text));
        }
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(value(String(x))).toBe(x + 0);
      }),
    );
  });

  const bad: [string, string, RegExp][] = [
    ['an empty file', '', /line 1: the file must begin with "%%MatrixMarket/],
    ['another format', 'PK\x03\x04', /line 1: the file must begin/],
    ['a banner of four words', '%%MatrixMarket matrix coordinate real\n', /five words, not 4/],
    ['a banner of six words', '%%MatrixMarket matrix coordinate real general x\n', /five words, not 6/],
    [
      'an object that is no matrix',
      '%%MatrixMarket vector coordinate real general\n',
      /object "vector" is not read/,
    ],
    ['an unknown format', '%%MatrixMarket matrix dense real general\n', /format "dense" is not read/],
    ['complex', coordinate('1 1 1\n1 1 1 1', 'complex general'), /field "complex" is not read/],
    ['hermitian', coordinate('1 1 1\n1 1 1', 'real hermitian'), /symmetry "hermitian" is not read/],
    ['a pattern in an array', array('1 1\n1', 'pattern general'), /must have values/],
    ['a skew pattern', coordinate('2 2 1\n2 1', 'pattern skew-symmetric'), /has no signs/],
    ['no line of sizes', coordinate('% only comments'), /line 3: the file ends before the line of sizes/],
    ['sizes of two', coordinate('2 2'), /line 2: the number of entries is missing/],
    ['sizes of four', coordinate('2 2 1 1\n1 1 1'), /line 2: "1" is one entry too many on the line/],
    ['sizes of three in an array', array('2 2 1'), /line 2: "1" is one entry too many/],
    [
      'a negative size',
      coordinate('-2 2 1\n1 1 1'),
      /line 2: the number of rows is "-2", must be an integer/,
    ],
    ['a fractional size', coordinate('2 2.5 1\n1 1 1'), /line 2: the number of columns is "2.5"/],
    ['a size past 2^53', coordinate('99999999999999999999 2 1\n1 1 1'), /line 2: the number of rows is "999/],
    [
      'absurd rows',
      coordinate('2000000000 2 1\n1 1 1'),
      /line 2: 2000000000 x 2 is over the limit of 33554432/,
    ],
    ['absurd columns', array('2 2000000000\n1'), /line 2: 2 x 2000000000 is over the limit/],
    [
      'absurd entries',
      coordinate('9 9 2000000000\n1 1 1'),
      /line 2: 2000000000 entries are declared, but the 7 bytes/,
    ],
    [
      'absurdly absurd entries',
      coordinate('9 9 3000000000\n1 1 1'),
      /line 2: .* over the limit of 2147483647/,
    ],
    ['an absurd array', array('40000 40000\n1'), /line 2: 1600000000 entries are declared, but the/],
    [
      'too few entries',
      coordinate('2 2 3\n1 1 1.0000000\n2 2 2.0000000'),
      /line 5: the file ends after 2 of 3 entries/,
    ],
    ['too many entries', coordinate('2 2 1\n1 1 1\n2 2 2'), /line 4: goes on after the 1 entries/],
    ['too few in an array', array('2 2\n1.0000\n2\n3'), /line 6: the file ends after 3 of 4/],
    ['too many in an array', array('1 1\n1\n2'), /line 4: goes on after the 1/],
    ['row 0', coordinate('2 2 1\n0 1 1'), /line 3: the row is "0", must be from 1 to 2/],
    ['a row out of range', coordinate('2 2 1\n3 1 1'), /line 3: the row is "3"/],
    [
      'a column out of range',
      coordinate('2 2 2\n1 1 1\n\n1 3 1'),
      /line 5: the column is "3", must be from 1 to 2/,
    ],
    ['a fractional index', coordinate('2 2 1\n1.0 1 1'), /line 3: the row is "1.0", must be an integer/],
    ['a missing value', coordinate('2 2 2\n1 1\n2 2 22'), /line 3: the value is missing/],
    ['a missing column', coordinate('2 2 1\n1     '), /line 3: the column is missing/],
    ['a value too many', coordinate('2 2 1\n1 1 1 1'), /line 3: "1" is one entry too many/],
    [
      'a value in a pattern',
      coordinate('2 2 1\n1 1 1', 'pattern general'),
      /line 3: "1" is one entry too many/,
    ],
    ['two values on a line of an array', array('2 1\n1 2\n'), /line 3: "2" is one entry too many/],
    [
      'an entry above the diagonal',
      coordinate('2 2 1\n1 2 1', 'real symmetric'),
      /line 3: entry \(1, 2\) is above/,
    ],
    [
      'a diagonal that is skew',
      coordinate('2 2 1\n1 1 1', 'real skew-symmetric'),
      /line 3: entry \(1, 1\) is on/,
    ],
    [
      'a symmetric matrix that is not square',
      coordinate('2 3 0', 'real symmetric'),
      /line 2: 2 x 3 is not square/,
    ],
    ['a symmetric array that is not square', array('2 3', 'real symmetric'), /line 2: 2 x 3 is not square/],
    [
      'duplicates that overflow',
      coordinate('1 1 2\n1 1 1e308\n1 1 1e308'),
      /duplicates of entry 0 is Infinity/,
    ],
    [
      'a fraction in a file of integers',
      coordinate('1 1 1\n1 1 1.5', 'integer general'),
      /line 3: the value 1.5/,
    ],
    ['an integer past 2^53', array('1 1\n9007199254740993', 'integer general'), /line 3: .* exactly/],
  ];
  it.each(bad)('refuses %s', (_, text, message) => {
    expectError(() => readMatrixMarket(text), 'BAD_FORMAT', message);
  });

  it.each([
    'nan',
    'NaN',
    'inf',
    '-Infinity',
    'abc',
    '0x10',
    '1e',
    '1e+',
    '.',
    '-',
    '+-1',
    '1.2.3',
    '1,5',
    '1_0',
    'e5',
    '1e5.5',
    '1f',
  ])('refuses the value %s', (text) => {
    expectError(() => value(text), 'BAD_FORMAT', /line 3: the value is ".*", must be a number/);
  });

  it('refuses values too large, and shows long nonsense short', () => {
    expectError(() => value('1e309'), 'BAD_FORMAT', /line 3: the value is "1e309", too large for a double/);
    expectError(() => value('-1e999999999999'), 'BAD_FORMAT', /too large/);
    expectError(() => value('z'.repeat(1e5)), 'BAD_FORMAT', /^.{1,120}$/);
  });

  it('keeps to its limits', () => {
    const text = coordinate('3 2 2\n1 1 1\n3 2 1');
    expect(readMatrixMarket(text, { maxSize: 3, maxEntries: 2 }).kind).toBe('coordinate');
    expectError(
      () => readMatrixMarket(text, { maxSize: 2 }),
      'BAD_FORMAT',
      /limit of 2 rows and columns \(maxSize\)/,
    );
    expectError(() => readMatrixMarket(text, { maxEntries: 1 }), 'BAD_FORMAT', /limit of 1 \(maxEntries\)/);
    expectError(() => readMatrixMarket(array('2 1\n1\n1'), { maxEntries: 1 }), 'BAD_FORMAT', /maxEntries/);
  });

  it('refuses wrong arguments', () => {
    expectError(() => readMatrixMarket(5 as never), 'INVALID_TYPE', /Uint8Array/);
    expectError(() => readMatrixMarket('', { limit: 5 } as never), 'UNKNOWN_OPTION', /"limit"/);
    expectError(() => readMatrixMarket('', { maxSize: Number.NaN }), 'INVALID_VALUE', /maxSize/);
  });

  it('answers damaged files with a matrix or a BAD_FORMAT, and allocates no more than they need', () => {
    const limits = { maxSize: 2000 };
    const counts = fuzz(
      good.map(readFixture),
      (bytes) => readMatrixMarket(bytes, limits),
      // A pattern of symmetric entries makes two of four bytes; the row pointers are bounded by maxSize.
      (bytes) => Math.max(bytes.length, limits.maxSize + 1),
    );
    expect(counts.read).toBeGreaterThan(50);
    expect(counts.refused).toBeGreaterThan(1000);
  });
});
