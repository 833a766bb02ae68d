import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type CatalogueEntry,
  catalogue,
  openCatalogue,
  openImageReader,
  writeCatalogue,
} from '../../src/dataset/sources/index.ts';
import { checkPictureOptions } from '../../src/node/picture.ts';
import { expected, expectRefused, fixturePath } from './source-fixtures.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seedspan-sources-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const wanted = checkPictureOptions('test', {});
const sized = checkPictureOptions('test', { size: 32 });

const picture = (k: number): CatalogueEntry => ({
  name: `set/pïcture-${k}.png`,
  kind: 'picture',
  path: `/data/${k}.png`,
  offset: 0,
  length: 100 + k,
  count: 1,
});
const container = (k: number, count: number): CatalogueEntry => ({
  name: `${k}.bin`,
  kind: 'cifar10',
  path: `/data/${k}.bin`,
  offset: 512,
  length: 3073,
  count,
  shape: [3, 32, 32],
});
/** Pictures and containers in turn, of many lines. */
const many = Array.from({ length: 1500 }, (_, k) => (k % 7 === 3 ? container(k, 1 + (k % 50)) : picture(k)));

/** All items, one after the other. */
const expand = (entries: readonly CatalogueEntry[]) =>
  entries.flatMap(({ count, ...entry }) =>
    entry.kind === 'picture'
      ? [entry]
      : Array.from({ length: count }, (_, k) => ({
          ...entry,
          name: `${entry.name}[${k}]`,
          offset: entry.offset + k * entry.length,
        })),
  );

describe('a catalogue', () => {
  it('gives back what was written, from any place to any other', async () => {
    const all = expand(many);
    const { count, shape } = await writeCatalogue(folder, many, sized);
    expect([count, shape]).toEqual([all.length, [3, 32, 32]]);
    const opened = await openCatalogue(folder);
    expect(opened).toMatchObject({ count, shape });
    expect(await opened.items(0, count)).toEqual(all);
    for (let from = 0; from < count; from += 311) {
      for (const length of [0, 1, 2, 16, 300]) {
        const to = Math.min(count, from + length);
        expect(await opened.items(from, to)).toEqual(all.slice(from, to));
      }
    }
    for (const [from, to] of [
      [-1, 1],
      [0, count + 1],
      [3, 2],
      [0.5, 1],
    ]) {
      await expectRefused(() => opened.items(from, to), 'INVALID_VALUE', /the catalogue has images 0 to/);
    }
  });

  it('takes a line for a container of 100,000 images', async () => {
    await writeCatalogue(folder, [container(0, 100_000)], wanted);
    expect((await readFile(join(folder, 'catalogue.ndjson'))).length).toBeLessThan(300);
    const [item] = await (await openCatalogue(folder)).items(99_999, 100_000);
    expect(item).toMatchObject({ name: '0.bin[99999]', offset: 512 + 99_999 * 3073, length: 3073 });
  });

  it('has a hash of names, kinds, sizes, shapes and order, and of no path', async () => {
    const hashOf = async (...entries: CatalogueEntry[]) =>
      (await writeCatalogue(folder, entries, sized)).hash;
    const first = await hashOf(picture(1), container(2, 3));
    expect(await hashOf(picture(1), container(2, 3))).toBe(first);
    expect(await hashOf({ ...picture(1), path: '/elsewhere.png' }, container(2, 3))).toBe(first);
    const others: string[] = [];
    const changed: CatalogueEntry[][] = [
      [container(2, 3), picture(1)],
      [{ ...picture(1), name: 'b.png' }, container(2, 3)],
      [{ ...picture(1), length: 5 }, container(2, 3)],
      [picture(1), container(2, 4)],
      [picture(1), { ...container(2, 3), kind: 'idx' }],
      [picture(1)],
    ];
    for (const entries of changed) others.push(await hashOf(...entries));
    expect(new Set([first, ...others]).size).toBe(7);
  });

  it('may be moved with what was unpacked into it', async () => {
    const store = join(folder, 'store.new');
    await mkdir(store);
    const inputs = [fixturePath('hostile.tgz'), fixturePath('global.tar')];
    const entries = catalogue(inputs, { wanted, staging: join(store, 'staging') });
    const { count, shape } = await writeCatalogue(store, entries, wanted);
    expect([count, shape]).toEqual([7, [3, 4, 6]]);
    await rename(store, join(folder, 'store'));
    const opened = await openCatalogue(join(folder, 'store'));
    const reader = openImageReader(wanted, opened.shape);
    const values = expected.pictures[0].map((value) => Math.fround(value / 255));
    for (const item of await opened.items(0, count)) {
      expect(Array.from((await reader.read(item)).data)).toEqual(values);
    }
    await reader.close();
  });

  it('has the shape of the first picture that can be decoded', async () => {
    await writeFile(join(folder, 'a.png'), 'no picture');
    await copyFile(fixturePath('picture-0.png'), join(folder, 'b.png'));
    const inputs = [join(folder, 'a.png'), join(folder, 'b.png')];
    expect((await writeCatalogue(folder, catalogue(inputs, { wanted }), wanted)).shape).toEqual([3, 4, 6]);
    const bad = catalogue(inputs.slice(0, 1), { wanted });
    await expectRefused(() => writeCatalogue(folder, bad, wanted), 'BAD_FORMAT', /cannot read the picture/);
  });

  it('of unlike containers is refused, and nothing of it stays', async () => {
    const entries = catalogue([fixturePath('data_batch_1.bin'), fixturePath('u1.npy')], { wanted });
    await expectRefused(
      () => writeCatalogue(folder, entries, wanted),
      'SHAPE_MISMATCH',
      /data_batch_1\.bin has \(3, 32, 32\), u1\.npy has \(3, 4, 5\)/,
    );
    await expectRefused(() => writeCatalogue(folder, [], wanted), 'INVALID_VALUE', /no images/);
    expect(await readdir(folder)).toEqual([]);
    await expectRefused(() => writeCatalogue(join(folder, 'none'), many, sized), 'IO', /does not exist/);
  });

  it('that is damaged is refused', async () => {
    await expectRefused(() => openCatalogue(folder), 'IO', /catalogue\.offsets: it does not exist/);
    await writeCatalogue(folder, many, sized);
    const opened = await openCatalogue(folder);
    const lines = join(folder, 'catalogue.ndjson');
    const whole = await readFile(lines, 'utf8');
    await truncate(lines, 1000);
    await expectRefused(() => opened.items(0, 1), 'BAD_FORMAT', /is damaged: it has 1000 bytes/);
    for (const [from, to] of [
      ['"first":0', '"first":9'],
      ['"length":100', '"length":-10'],
      ['"name"', '"nane"'],
      ['"first":2,', '"first":3,'],
      ['{', '['],
    ]) {
      await writeFile(lines, whole.replace(from, to));
      await expectRefused(async () => opened.items(0, 20), 'BAD_FORMAT', /damaged|no JSON|bytes/);
    }
    const index = join(folder, 'catalogue.offsets');
    const good = await readFile(index, 'utf8');
    for (const [from, to] of [
      ['"version":1', '"version":2'],
      ['"marks":[[0,0]', '"marks":[[1,0]'],
      ['[3,32,32]', '[3,32]'],
      ['}', ''],
      [good, ''],
      [good, 'null'],
      [good, '[]'],
    ]) {
      await writeFile(index, good.replace(from, to));
      await expectRefused(() => openCatalogue(folder), 'BAD_FORMAT', /catalogue\.offsets: the index/);
    }
  });
});
