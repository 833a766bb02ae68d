import fc from 'fast-check';
import { readTarEntries, tarLabel } from '../../../src/formats/tar.ts';
import { ensure, type FuzzTarget, fromLatin1 } from '../target.ts';
import { fixtures } from './npy.ts';

interface Entry {
  name: string;
  type: string;
  data: string;
  /** As it is written; by default that of `data`, in octal digits. */
  size?: string;
  prefix?: string;
  link?: string;
  /** Of a sparse file: another block of its map follows. */
  extended?: boolean;
  badSum?: boolean;
}

const END = '\0'.repeat(1024);

/** An entry, header and padded data. */
export function tarEntry({
  name,
  type,
  data,
  size,
  prefix = '',
  link = '',
  extended,
  badSum,
}: Entry): string {
  const put = (text: string, length: number) => text.slice(0, length).padEnd(length, '\0');
  const digits = size ?? data.length.toString(8).padStart(11, '0');
  const head = put(name, 100) + put('0000644', 8) + put('', 16) + put(digits, 12) + put('', 12);
  const tail = [type, put(link, 100), 'ustar\0', '00', put('', 80), put(prefix, 155), put('', 12)].join('');
  const marked = extended ? `${tail.slice(0, 325)}\u0001${tail.slice(326)}` : tail;
  const sum = [...`${head}        ${marked}`].reduce(
    (all, c) => all + (c.charCodeAt(0) & 255),
    badSum ? 1 : 0,
  );
  const block = `${head}${sum.toString(8).padStart(6, '0')}\0 ${marked}`;
  return put(block, 512) + data.padEnd(Math.ceil(data.length / 512) * 512, '\0');
}

export const tarFile = (...entries: Entry[]): Uint8Array => fromLatin1(entries.map(tarEntry).join('') + END);

const file = (name: string, data = 'x'): Entry => ({ name, type: '0', data });
const pax = (records: string): Entry => ({ name: 'pax', type: 'x', data: records });
const record = (key: string, value: string) => {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length++;
  return `${length}${rest}`;
};
const base256 = (...bytes: number[]) =>
  String.fromCharCode(0x80, ...Array(11 - bytes.length).fill(0), ...bytes);

const name = fc.constantFrom(
  'a.png',
  'b/c.jpg',
  '../../etc/passwd',
  '/etc/shadow',
  'C:\\x',
  'a\n.png',
  '',
  '.',
  '..',
  'é',
  'x'.repeat(100),
  'a.tar',
  'b.npy.gz',
);
const made = fc
  .array(
    fc.record({
      name,
      type: fc.constantFrom('0', '0', '0', '\0', '1', '2', '5', '7', 'x', 'g', 'L', 'K', 'S', 'V', '?'),
      data: fc.oneof(
        fc.string({ maxLength: 20, unit: 'binary-ascii' }),
        fc
          .tuple(
            fc.constantFrom('size', 'path', 'GNU.sparse.name', 'GNU.sparse.major'),
            fc.constantFrom('0', '3', '-1', '99999999999999999999', '../x', 'y'),
          )
          .map(([key, value]) => record(key, value)),
      ),
      size: fc.option(
        fc.constantFrom(
          '',
          '7',
          '77777777777',
          '-1',
          '9',
          base256(1),
          base256(255, 255, 255, 255, 255, 255, 255),
          '\xff'.repeat(12),
        ),
        { nil: undefined, freq: 6 },
      ),
      prefix: fc.constantFrom('', '', 'p', '../..'),
      link: fc.constantFrom('', '/etc/passwd', '../x'),
      extended: fc.boolean(),
      badSum: fc.constantFrom(false, false, false, false, false, false, true),
    }),
    { maxLength: 5 },
  )
  .chain((entries) =>
    fc
      .constantFrom(END, END, END, '', '\0'.repeat(512))
      .map((end) => fromLatin1(entries.map(tarEntry).join('') + end)),
  );

export const tar: FuzzTarget = {
  name: 'tar',
  seeds: () => [
    ...fixtures('sources', '.tar', 20_000),
    tarFile(
      file('a.png', 'data'),
      { name: 'folder/', type: '5', data: '' },
      file('folder/b.jpg', 'y'.repeat(600)),
    ),
    tarFile({ name: '././@LongLink', type: 'L', data: `${'n'.repeat(300)}\0` }, file('n'.repeat(100))),
    tarFile(pax(record('path', 'p/'.repeat(90)) + record('size', '1')), file('short')),
    tarFile(
      { name: 'hard', type: '1', data: '', link: 'a' },
      { name: 'soft', type: '2', data: '', link: '/etc/passwd' },
    ),
    tarFile({ name: 'sparse', type: 'S', data: 'x', extended: true }, file('after')),
    tarFile(),
  ],
  nasty: () => ({
    'nothing at all': new Uint8Array(0),
    'one block of zeros': new Uint8Array(512),
    'no end': fromLatin1(tarEntry(file('a'))),
    'a size of 8 GiB': tarFile({ ...file('a'), size: '77777777777' }),
    'a size of 2^88': tarFile({ ...file('a'), size: base256(...Array(11).fill(255)) }),
    'a negative size': tarFile({ ...file('a'), size: '\xff'.repeat(12) }),
    'a size with a minus': tarFile({ ...file('a'), size: '-0000000001' }),
    'a size in decimal': tarFile({ ...file('a'), size: '00000000008' }),
    'a pax size of 10^19': tarFile(pax(record('size', '9999999999999999999')), file('a')),
    'a negative pax size': tarFile(pax(record('size', '-1')), file('a')),
    'a pax record of length 0': tarFile(pax('0 a=b\n'), file('a')),
    'a pax record that is too long': tarFile(pax('99 a=b\n'), file('a')),
    'a pax record of 600 digits': tarFile(pax('9'.repeat(600)), file('a')),
    'a pax record without "="': tarFile(pax('6 abc\n'), file('a')),
    'an extension of 2 MiB': tarFile({ name: 'pax', type: 'x', data: 'x'.repeat(2 ** 21) }, file('a')),
    'an extension past the end': tarFile({ ...pax('x'), size: '00001000000' }),
    '11,000 global records': tarFile({
      name: 'g',
      type: 'g',
      data: Array.from({ length: 11_000 }, (_, k) => record(`k${k}`, 'v')).join(''),
    }),
    'an announced entry that is missing': tarFile(pax(record('path', 'a'))),
    'a wrong checksum': tarFile({ ...file('a'), badSum: true }),
    'a sparse map without an end': fromLatin1(
      tarEntry({ ...file('a'), type: 'S', extended: true }).slice(0, 512) +
        `${'\0'.repeat(504)}\u0001${'\0'.repeat(7)}`.repeat(40),
    ),
    'an entry behind a block of zeros': fromLatin1('\0'.repeat(512) + tarEntry(file('a')) + END),
  }),
  generate: made,
  async run(input) {
    let end = 0;
    let entries = 0;
    const read = (offset: number, length: number) => {
      ensure(
        Number.isSafeInteger(offset) && offset >= 0 && length >= 0,
        `bytes ${offset} to ${offset + length} are read`,
      );
      return input.subarray(offset, offset + length);
    };
    for await (const entry of readTarEntries(read, input.length)) {
      ensure(
        entry.offset >= end && entry.offset + entry.size <= input.length,
        `${entry.name} is not in the archive`,
      );
      end = entry.offset + entry.size;
      const label = tarLabel(entry.name);
      ensure(
        label !== '' &&
          !/(^|[/\\])\.\.?($|[/\\])|^[/\\]|\u202e/.test(label) &&
          [...label].every((c) => c >= ' '),
        `the label ${JSON.stringify(label)}`,
      );
      entries++;
    }
    ensure(entries <= input.length / 512, 'more entries than blocks');
  },
};
