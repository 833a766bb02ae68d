import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type CatalogueItem,
  catalogue,
  openImageReader,
  type SourceImage,
} from '../../src/dataset/sources/index.ts';
import { readPictures } from '../../src/node/index.ts';
import { checkPictureOptions, type PictureOptions } from '../../src/node/picture.ts';
import { expected, expectRefused, fixturePath, readFixture } from './source-fixtures.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seedspan-sources-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(name: string, to = name): Promise<string> {
  await copyFile(fixturePath(name), join(folder, to));
  return join(folder, to);
}

async function itemsOf(path: string, options: PictureOptions = {}): Promise<CatalogueItem[]> {
  const items: CatalogueItem[] = [];
  const wanted = checkPictureOptions('test', options);
  for await (const { count, ...entry } of catalogue([path], { wanted, staging: join(folder, 'staging') })) {
    for (let k = 0; k < count; k++) items.push({ ...entry, offset: entry.offset + k * entry.length });
  }
  return items;
}

async function readAll(path: string, options: PictureOptions = {}): Promise<SourceImage[]> {
  const reader = openImageReader(checkPictureOptions('test', options));
  try {
    return await Promise.all((await itemsOf(path, options)).map((item) => reader.read(item)));
  } finally {
    await reader.close();
  }
}

describe('openImageReader', () => {
  it.each(Object.keys(expected.npy).filter((name) => name !== 'fortran.npy'))(
    'reads %s as NumPy does, and as readPictures does',
    async (name) => {
      const path = await put(name);
      const images = await readAll(path);
      const whole = await readPictures([path]);
      expect(images.map(({ hash }) => hash)).toEqual(expected.npy[name].hash);
      images.forEach(({ data, shape }, k) => {
        expect(shape).toEqual([3, 4, 5]);
        expect(data).toEqual(whole.data.subarray(60 * k, 60 * k + 60));
        expect(Array.from(data)).toEqual(expected.npy[name].values[k]);
      });
      const scaled = await readPictures([path], { normalise: 'min-max' });
      (await readAll(path, { normalise: 'min-max' })).forEach(({ data }, k) => {
        expect(data).toEqual(scaled.data.subarray(60 * k, 60 * k + 60));
      });
    },
  );

  it('reads IDX, compressed too', async () => {
    const { data, bytes } = expected.idx['train-images-idx3-ubyte'];
    for (const name of ['train-images-idx3-ubyte', 'train-images-idx3-ubyte.gz', 'mnist.tar']) {
      const images = await readAll(await put(name), { channels: 1 });
      expect(images).toHaveLength(4);
      expect(images.flatMap((image) => Array.from(image.data))).toEqual(
        data.map((value) => Math.fround(value / 255)),
      );
      const stored = readFixture('train-images-idx3-ubyte').subarray(-bytes);
      images.forEach(({ shape, hash }, k) => {
        expect(shape).toEqual([1, 5, 6]);
        const own = stored.subarray(30 * k, 30 * k + 30);
        expect(hash).toBe(createHash('sha256').update(own).digest('hex'));
      });
    }
  });

  it.each(['data_batch_1.bin', 'train.bin'])('reads %s', async (name) => {
    const images = await readAll(await put(name));
    expect(images.map(({ hash }) => hash)).toEqual(expected.cifar[name].hash);
    expect(images.map(({ shape }) => shape)).toEqual(images.map(() => [3, 32, 32]));
    expect(images.map(({ data }) => [0, 1, 2].map((c) => data[c * 1024 + 3 * 32 + 7]))).toEqual(
      expected.cifar[name].pixel.map((pixel) => pixel.map((value) => Math.fround(value / 255))),
    );
  });

  it('reads pictures, of their own and in archives', async () => {
    const values = expected.pictures.map((picture) => picture.map((value) => Math.fround(value / 255)));
    for (const [name, which] of [
      ['picture-0.png', [0]],
      ['picture-1.png', [1]],
      ['global.tar', [0, 0]],
    ] as const) {
      const images = await readAll(await put(name));
      expect(images.map(({ data }) => Array.from(data))).toEqual(which.map((k) => values[k]));
      expect(images.map(({ shape }) => shape)).toEqual(which.map(() => [3, 4, 6]));
      expect(images.map(({ hash }) => hash)).toEqual(
        which.map((k) =>
          createHash('sha256')
            .update(readFixture(`picture-${k}.png`))
            .digest('hex'),
        ),
      );
    }
    const [small] = await readAll(await put('picture-0.png'), { size: 2, channels: 1 });
    expect(small.shape).toEqual([1, 2, 2]);
  });

  it('names what it cannot read, and goes on with the others', async () => {
    const path = await put('outside.npy');
    const reader = openImageReader(checkPictureOptions('test', {}));
    const items = (await itemsOf(path)).map((item, k) => ({ ...item, name: `outside.npy[${k}]` }));
    await expectRefused(
      () => reader.read(items[1]),
      'INVALID_VALUE',
      /outside\.npy\[1\]: values must lie in/,
    );
    await expectRefused(() => reader.read(items[2]), 'INVALID_VALUE', /outside\.npy\[2\].*NaN/);
    expect((await reader.read(items[0])).shape).toEqual([3, 4, 5]);
    await reader.close();
  });

  it('refuses records whose labels are damaged', async () => {
    const bytes = readFixture('data_batch_1.bin');
    bytes[3073] = 200;
    const path = join(folder, 'data_batch_1.bin');
    await writeFile(path, bytes);
    const reader = openImageReader(checkPictureOptions('test', {}));
    const items = await itemsOf(path);
    await expectRefused(() => reader.read(items[1]), 'BAD_FORMAT', /data_batch_1\.bin: .*label 200/);
    expect((await reader.read(items[2])).hash).toBe(expected.cifar['data_batch_1.bin'].hash[2]);
    await reader.close();
  });

  it('refuses damaged pictures, and files that changed or went away', async () => {
    const reader = openImageReader(checkPictureOptions('test', {}));
    const path = await put('picture-0.png');
    const [item] = await itemsOf(path);
    const bytes = readFixture('picture-0.png');
    bytes.fill(0, 60, 100);
    await writeFile(path, bytes);
    await expectRefused(() => reader.read(item), 'BAD_FORMAT', /cannot read the picture .*picture-0\.png/);
    await truncate(path, 100);
    await expectRefused(() => reader.read(item), 'BAD_FORMAT', /was changed since.*100 bytes, and had 144/);
    await rm(path);
    const error = await expectRefused(() => reader.read(item), 'IO', /picture-0\.png: it does not exist/);
    expect(error.details.system).toBe('ENOENT');

    const archive = await put('global.tar');
    const [, member] = await itemsOf(archive);
    await truncate(archive, member.offset + 10);
    await expectRefused(
      () => reader.read(member),
      'BAD_FORMAT',
      /global\.tar was changed since .* ends at byte/,
    );
    await rm(archive);
    await reader.close();
    await expectRefused(() => reader.read(member), 'IO', /global\.tar: it does not exist/);
    await reader.close();
  });

  it('refuses an image of another shape than the others', async () => {
    const [item] = await itemsOf(await put('picture-0.png'));
    const reader = openImageReader(checkPictureOptions('test', {}), [3, 4, 4]);
    await expectRefused(
      () => reader.read(item),
      'SHAPE_MISMATCH',
      /has \(3, 4, 6\), .*\(3, 4, 4\); give a size/,
    );
  });

  it('keeps few containers open, also where many are read at once', async () => {
    const reader = openImageReader(checkPictureOptions('test', {}));
    const items: CatalogueItem[] = [];
    for (let k = 0; k < 40; k++) items.push(...(await itemsOf(await put('data_batch_1.bin', `${k}.bin`))));
    for (const round of [items, [...items].reverse(), items]) {
      const images = await Promise.all(round.map((item) => reader.read(item)));
      expect(new Set(images.map(({ hash }) => hash)).size).toBe(3);
    }
    await reader.close();
  });
});
