import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  parsePaxRecords,
  parseTarHeader,
  type ReadTarOptions,
  readTarEntries,
  type TarEntry,
  tarLabel,
} from '../../src/formats/index.ts';
import { expected, expectRefused, readFixture } from '../dataset/source-fixtures.ts';
import { expectError } from '../sparse/expect-error.ts';

async function list(bytes: Uint8Array, options?: ReadTarOptions): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  const read = (offset: number, length: number) => bytes.subarray(offset, offset + length);
  for await (const entry of readTarEntries(read, bytes.length, options)) entries.push(entry);
  return entries;
}

/** Writes a header's checksum anew. */
function seal(bytes: Uint8Array, at = 0): Uint8Array {
  bytes.fill(32, at + 148, at + 156);
  const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  bytes.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, '0')}\0 `), at + 148);
  return bytes;
}

const text = (value: string) => new TextEncoder().encode(value);

/** An archive of these headers: name, type, data. */
function archive(...members: [string, string, Uint8Array?][]): Uint8Array {
  const blocks = members.flatMap(([name, type, data = new Uint8Array(0)]) => {
    const header = new Uint8Array(512);
    header.set(text(name));
    header.set(text(`${data.length.toString(8).padStart(11, '0')}\0`), 124);
    header.set(text(type), 156);
    header.set(text('ustar\x0000'), 257);
    const padded = new Uint8Array(Math.ceil(data.length / 512) * 512);
    padded.set(data);
    return [seal(header), padded];
  });
  const bytes = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 1024));
  let at = 0;
  for (const block of blocks) {
    bytes.set(block, at);
    at += block.length;
  }
  return bytes;
}

describe('readTarEntries', () => {
  it.each(Object.keys(expected.tar))("lists %s as Python's tarfile does", async (name) => {
    const bytes = readFixture(name);
    const entries = await list(bytes);
    const wanted = expected.tar[name];
    // tarfile takes the slash of a folder's name away.
    expect(entries.map((entry) => [entry.name.replace(/\/$/, ''), entry.type])).toEqual(
      wanted.map((entry) => [entry.name, entry.type]),
    );
    for (const [k, { type, offset, size }] of entries.entries()) {
      if (type !== 'file') continue;
      const hash = createHash('sha256')
        .update(bytes.subarray(offset, offset + size))
        .digest('hex');
      expect({ offset, size, hash }).toMatchObject({
        offset: wanted[k].offset,
        size: wanted[k].size,
        hash: wanted[k].hash,
      });
    }
  });

  it('refuses archives that are cut off at any place', async () => {
    for (const name of ['global.tar', 'base256.tar', 'v7.tar']) {
      const bytes = readFixture(name);
      for (let length = 0; length < bytes.length; length += 37) {
        await expectRefused(
          () => list(bytes.subarray(0, length)),
          'BAD_FORMAT',
          /ends within|only \d+ follow/,
        );
      }
      for (const cut of [1, 512, 1023, 1024]) {
        const part = bytes.subarray(0, bytes.length - cut);
        await expectRefused(() => list(part), 'BAD_FORMAT', /the archive ends within/);
      }
    }
    const sparse = readFixture('gnu.tar');
    const map = expected.tar['gnu.tar'].find(({ type }) => type === 'sparse')!.offset - 512;
    await expectRefused(
      () => list(sparse.subarray(0, map + 100)),
      'BAD_FORMAT',
      /within a sparse file's map/,
    );
  });

  it('goes no further than two blocks of zeros', async () => {
    const whole = readFixture('v7.tar');
    const longer = new Uint8Array(whole.length + 4096).fill(7);
    longer.set(whole);
    expect(await list(longer)).toHaveLength(3);
    const gap = new Uint8Array(512 + whole.length);
    gap.set(whole, 512);
    await expectRefused(() => list(gap), 'BAD_FORMAT', /block of zeros at byte 0 is followed/);
  });

  it('refuses a header with any byte changed', async () => {
    const bytes = readFixture('v7.tar').subarray(0, 512);
    for (let at = 0; at < 512; at += 7) {
      const damaged = bytes.slice();
      damaged[at] ^= 0x55;
      expectError(() => parseTarHeader(damaged), 'BAD_FORMAT', /checksum|octal/);
    }
  });

  it('takes checksums of signed bytes, and names that are no UTF-8', async () => {
    const bytes = archive([`\u00ff.png`, '0']);
    bytes.set([0xff, 0x2e], 0);
    bytes.fill(32, 148, 156);
    const signed = new Int8Array(bytes.buffer, 0, 512).reduce((total, byte) => total + byte, 0);
    bytes.set(text(`${signed.toString(8).padStart(6, '0')}\0 `), 148);
    expect((await list(bytes))[0].name).toMatch(/^\ufffd\./);
  });

  it.each([
    ['octal', '000000z', /octal/],
    ['decimal', '00000000009', /octal/],
    ['negative base 256', '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff', /out of range/],
    ['huge base 256', '\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff', /out of range/],
    ['over the end', '77777777777', /only \d+ follow/],
  ])('refuses a size that is %s', async (_, size, message) => {
    const bytes = archive(['a.png', '0', text('data')]);
    bytes.fill(0, 124, 136);
    bytes.set(
      Uint8Array.from(size, (c) => c.charCodeAt(0)),
      124,
    );
    await expectRefused(() => list(seal(bytes)), 'BAD_FORMAT', message);
  });

  it('takes pax sizes and paths, of which global ones hold until others come', async () => {
    const entries = await list(
      archive(
        ['g', 'g', text('14 path=all.x\n')],
        ['one', '0', text('1')],
        ['x', 'x', text('9 size=5\n')],
        ['two', '0', text('12345')],
      ),
    );
    expect(entries.map(({ name, size }) => [name, size])).toEqual([
      ['all.x', 1],
      ['all.x', 5],
    ]);
  });

  it.each([
    ['no length', 'path=a\n'],
    ['a length that is too long', '99 path=a\n'],
    ['a length that is too short', '5 path=a\n'],
    ['a length of 0', '0 path=a\n'],
    ['a length with a sign', '+9 path=a\n'],
    ['no equals sign', '9 path-a\n'],
    ['no line feed', '10 path=ab'],
    ['a length of many digits', `${'1'.repeat(40)} path=a\n`],
  ])('refuses pax records with %s', async (_, records) => {
    expectError(() => parsePaxRecords(text(records)), 'BAD_FORMAT', /pax record/);
    await expectRefused(() => list(archive(['x', 'x', text(records)], ['a', '0'])), 'BAD_FORMAT', /pax/);
  });

  it('refuses a pax size that is no integer, and one over the end', async () => {
    const sized = (record: string) => list(archive(['x', 'x', text(record)], ['a', '0']));
    await expectRefused(() => sized('11 size=-5\n'), 'BAD_FORMAT', /pax size is "-5"/);
    await expectRefused(() => sized('12 size=1e3\n'), 'BAD_FORMAT', /pax size/);
    await expectRefused(() => sized(`28 size=${'9'.repeat(19)}\n`), 'BAD_FORMAT', /pax/);
    await expectRefused(() => sized('14 size=99999\n'), 'BAD_FORMAT', /has 99999 bytes by its header/);
  });

  it('refuses what is announced and never comes', async () => {
    await expectRefused(() => list(archive(['x', 'x', text('9 path=a\n')])), 'BAD_FORMAT', /announced/);
    await expectRefused(() => list(archive(['L', 'L', text('name\0')])), 'BAD_FORMAT', /announced/);
  });

  it('holds archives to its limits', async () => {
    const many = archive(['a', '0'], ['b', '0'], ['c', '0']);
    expect(await list(many, { maxEntries: 3 })).toHaveLength(3);
    await expectRefused(() => list(many, { maxEntries: 2 }), 'BAD_FORMAT', /over 2 entries/);
    const long = archive(['L', 'L', text('x'.repeat(600))], ['a', '0']);
    expect((await list(long))[0].name).toHaveLength(600);
    await expectRefused(() => list(long, { maxHeaderBytes: 599 }), 'BAD_FORMAT', /has 600 bytes, over 599/);
    await expectRefused(() => list(long, { max: 1 } as never), 'UNKNOWN_OPTION', /maxEntries/);
    await expectRefused(() => list(long, { maxEntries: -1 }), 'INVALID_VALUE', /maxEntries/);
    const global = Array.from({ length: 10_001 }, (_, k) => `14 key-${String(k).padStart(5, '0')}=\n`);
    const bomb = archive(['g', 'g', text(global.join(''))], ['a', '0']);
    await expectRefused(() => list(bomb), 'BAD_FORMAT', /global pax/);
  });
});

describe('tarLabel', () => {
  it.each([
    ['../../escape.png', 'escape.png'],
    ['/etc/absolute.png', 'etc/absolute.png'],
    ['folder/../..//./up.png', 'folder/up.png'],
    ['C:\\windows\\drive.png', 'C:/windows/drive.png'],
    ['bell\x07\x1b[31m\u202e.png', 'bell\ufffd\ufffd[31m\ufffd.png'],
    ['..', 'unnamed'],
    ['', 'unnamed'],
  ])('of %j is %j', (name, label) => {
    expect(tarLabel(name)).toBe(label);
  });

  it('is of bounded length', () => {
    expect(tarLabel(`${'a/'.repeat(10_000)}b.png`)).toHaveLength(1024);
  });
});
