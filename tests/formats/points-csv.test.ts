import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPointsCsv } from '../../src/formats/index.ts';

const read = (text: string) => readPointsCsv(new TextEncoder().encode(text));

describe('readPointsCsv', () => {
  it.each([
    ['commas', '1,2\n3.5,-4e-1\n'],
    ['semicolons', '1;2\n3.5;-4e-1'],
    ['tabs', '1\t2\r\n3.5\t-.4\r\n'],
    ['spaces', ' 1  2\n  3.5 -0.4 \n\n\n'],
    ['a header', 'x, y\n1, 2\n3.5, -.4'],
    ['a header with a byte order mark', '\uFEFFlength,width\n1,2\n+3.5,-0.40\n'],
  ])('reads %s', (_, text) => {
    expect(read(text)).toEqual({ data: Float64Array.of(1, 2, 3.5, -0.4), shape: [2, 2] });
  });

  it('reads back any numbers', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.double({ noDefaultInfinity: true, noNaN: true }),
            fc.double({ noDefaultInfinity: true, noNaN: true }),
          ),
          { minLength: 1 },
        ),
        (points) => {
          const { data } = read(points.map((point) => point.join(',')).join('\n'));
          expect(data).toEqual(Float64Array.from(points.flat().map((value) => value + 0)));
        },
      ),
    );
  });

  it.each([
    ['nothing', '', /empty/],
    ['blank lines alone', '\n \n', /empty/],
    ['a header alone', 'x,y\n', /no points/],
    ['text', '1,2\n3,red\n', /line 2, entry 2 is "red", no finite number/],
    ['text after a header', 'x,y\n1,2\nz,w\n', /line 3, entry 1 is "z"/],
    ['a hole', '1,2\n3,\n', /line 2, entry 2 is empty/],
    ['a hole in the first line', ',2\n', /line 1, entry 1 is empty/],
    ['an empty line', '1,2\n\n3,4\n', /line 2 has 1 entry, must have 2/],
    ['one number', '1,2\n3\n', /line 2 has 1 entry/],
    ['three', '1,2,3\n', /line 1 has 3 entries/],
    ['NaN', '1,2\nnan,3\n', /line 2, entry 1 is "nan"/],
    ['NaN in the first line', 'nan,nan\n1,2\n', /line 1, entry 1 is "nan"/],
    ['infinity', '1,Infinity\n', /line 1, entry 2/],
    ['a number that overflows', '1,1e999\n', /line 1, entry 2/],
    ['a number of another kind', '0x10,1\n', /line 1, entry 1/],
    ['a thousands separator', '1;2 000\n', /line 1, entry 2 is "2 000"/],
    ['quotes', '"1","2"\n', /line 1, entry 1/],
  ])('refuses %s', (_, text, message) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ code: 'BAD_FORMAT', message: expect.stringMatching(message) }),
    );
  });

  it('refuses what is no text, too many points, and other arguments', () => {
    expect(() => readPointsCsv(Uint8Array.of(0xff, 0xfe, 0))).toThrow(/UTF-8/);
    expect(() => readPointsCsv(new TextEncoder().encode('1,2\n3,4'), { maxPoints: 1 })).toThrow(/maxPoints/);
    expect(() => readPointsCsv('1,2' as never)).toThrow(expect.objectContaining({ code: 'INVALID_TYPE' }));
    expect(() => readPointsCsv(new Uint8Array(1), { max: 1 } as never)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION' }),
    );
  });
});
