import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CatalogueEntry, type CatalogueOptions, catalogue } from '../../src/dataset/sources/index.ts';
import { checkPictureOptions, type PictureOptions } from '../../src/node/picture.ts';
import { expected, expectRefused, fixturePath, readFixture } from './source-fixtures.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seedspan-sources-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const inFolder = (name: string) => join(folder, name);

async function put(from: string, to = from): Promise<string> {
  await mkdir(join(inFolder(to), '..'), { recursive: true });
  await copyFile(fixturePath(from), inFolder(to));
  return inFolder(to);
}

async function list(
  inputs: string[],
  pictures: PictureOptions = {},
  options: Partial<CatalogueOptions> = {},
): Promise<CatalogueEntry[]> {
  const entries: CatalogueEntry[] = [];
  const all = { wanted: checkPictureOptions('test', pictures), ...options };
  for await (const entry of catalogue(inputs, all)) entries.push(entry);
  return entries;
}

const names = async (...args: Parameters<typeof list>) => (await list(...args)).map(({ name }) => name);

describe('files', () => {
  it('are taken as what their names say, else their content', async () => {
    const u1 = await put('u1.npy');
    expect(await list([u1, await put('u1.npy', 'array.dat')])).toEqual(
      ['u1.npy', 'array.dat'].map((name) => ({
        name: name === 'u1.npy' ? name : `${basename(folder)}/${name}`,
        kind: 'npy',
        path: inFolder(name),
        offset: 128,
        length: 60,
        count: 3,
        shape: [3, 4, 5],
        dtype: 'u1',
      })),
    );
    const kinds = async (name: string, channels: 1 | 3 = 3) =>
      (await list([await put(name, 'without-extension')], { channels }, { staging: inFolder('staging') }))[0]
        .kind;
    expect(await kinds('train-images-idx3-ubyte', 1)).toBe('idx');
    expect(await kinds('train-images-idx3-ubyte.gz', 1)).toBe('idx');
    expect(await kinds('picture-0.png')).toBe('picture');
    expect(await kinds('global.tar')).toBe('picture');
  });

  it('of IDX have their images, from where the header ends', async () => {
    const path = await put('train-images-idx3-ubyte');
    const { offset } = expected.idx['train-images-idx3-ubyte'];
    expect(await list([path], { channels: 1 })).toEqual([
      { name: 'train-images-idx3-ubyte', kind: 'idx', path, offset, length: 30, count: 4, shape: [1, 5, 6] },
    ]);
  });

  it.each([
    ['data_batch_1.bin', 'cifar10', 3073, 3],
    ['train.bin', 'cifar100', 3074, 2],
  ])('of CIFAR: %s', async (name, kind, length, count) => {
    const path = await put(name);
    expect(await list([path])).toEqual([{ name, kind, path, offset: 0, length, count, shape: [3, 32, 32] }]);
  });

  it.each([
    ['train-images-idx3-ubyte', {}, 'SHAPE_MISMATCH', /grey, and 3 channels .* --channels 1/],
    ['train-images-idx3-ubyte', { channels: 1, size: 5 }, 'SHAPE_MISMATCH', /\(1, 5, 6\), and \(1, 5, 5\)/],
    ['train-labels-idx1-ubyte', { channels: 1 }, 'SHAPE_MISMATCH', /images of shape \(n, H, W\).*not \(4\)/],
    ['f8.idx3', { channels: 1 }, 'SHAPE_MISMATCH', /unsigned bytes, not .* f8/],
    ['data_batch_1.bin', { channels: 1 }, 'SHAPE_MISMATCH', /\(3, 32, 32\), and 1 channels/],
    ['data_batch_1.bin', { size: 64 }, 'SHAPE_MISMATCH', /\(3, 64, 64\) were asked for/],
    ['flat.npy', {}, 'SHAPE_MISMATCH', /\(n, C, H, W\)/],
    ['i4.npy', {}, 'BAD_FORMAT', /stored as f4, f8 or u1/],
    ['fortran.npy', {}, 'BAD_FORMAT', /ascontiguousarray/],
    ['u1.npy', { channels: 1 }, 'SHAPE_MISMATCH', /taken as they are/],
  ] as const)('%s with %j is refused', async (name, pictures, code, message) => {
    const path = await put(name);
    const error = await expectRefused(() => list([path], pictures), code, message);
    expect(error.message).toContain(name);
  });

  it('that are cut off are refused, wherever that is', async () => {
    for (const [name, channels] of [
      ['u1.npy', 3],
      ['data_batch_1.bin', 3],
      ['train-images-idx3-ubyte', 1],
      ['global.tar', 3],
    ] as const) {
      const path = await put(name);
      const { length } = readFixture(name);
      for (const cut of [1, 2, 31, 100, Math.floor(length / 2), length - 1, length]) {
        await truncate(await put(name), Math.max(0, length - cut));
        await expectRefused(() => list([path], { channels }), 'BAD_FORMAT', new RegExp(name));
      }
    }
  });

  it('that are not there, or no files, are refused', async () => {
    const missing = await expectRefused(() => list([inFolder('none.png')]), 'IO', /does not exist/);
    expect(missing.details.system).toBe('ENOENT');
    await expectRefused(() => list(['/dev/null']), 'INVALID_VALUE', /is not a file/);
    await expectRefused(() => list([]), 'INVALID_VALUE', /at least one input/);
    await expectRefused(() => list([folder], {}, { depth: 1 } as never), 'UNKNOWN_OPTION', /depth/);
  });
});

describe('folders', () => {
  it('are read with what is below them, by path, hidden files and others left out', async () => {
    for (const path of [
      'b/2.png',
      'b/10.png',
      'a.PNG',
      'c.txt',
      '.h/x.png',
      '.y.png',
      'b/c/z.png',
      'b.png',
    ]) {
      await put('picture-0.png', `set/${path}`);
    }
    await put('data_batch_1.bin', 'set/cifar/data_batch_1.bin');
    await put('data_batch_1.bin', 'set/cifar/test_batch.bin');
    await put('global.tar', 'set/z.tar');
    await put('train-labels-idx1-ubyte', 'set/train-labels-idx1-ubyte');
    expect(await names([inFolder('set')])).toEqual([
      'set/a.PNG',
      'set/b.png',
      'set/b/10.png',
      'set/b/2.png',
      'set/b/c/z.png',
      'set/cifar/data_batch_1.bin',
      'set/cifar/test_batch.bin',
      'set/z.tar/one.png',
      'set/z.tar/zwei/ü.png',
    ]);
  });

  it('without images are refused', async () => {
    await put('make.py', 'set/make.py');
    await expectRefused(() => list([inFolder('set')]), 'IO', /has no images; looked for: \*\.avif/);
  });

  it('may have links, but not into what is around them', async () => {
    await put('picture-0.png', 'elsewhere/a.png');
    await put('picture-0.png', 'set/b.png');
    await symlink(inFolder('elsewhere'), inFolder('set/linked'));
    await symlink(inFolder('elsewhere/a.png'), inFolder('set/c.png'));
    expect(await names([inFolder('set')])).toEqual(['set/b.png', 'set/c.png', 'set/linked/a.png']);
    await symlink(inFolder('set'), inFolder('elsewhere/round'));
    await expectRefused(
      () => list([inFolder('set')]),
      'INVALID_VALUE',
      /round is a link to a folder that it/,
    );
    await rm(inFolder('elsewhere/round'));
    await symlink(inFolder('nowhere'), inFolder('set/d.png'));
    await expectRefused(() => list([inFolder('set')]), 'IO', /d\.png: it does not exist/);
  });

  it('damaged containers in them are refused, not left out', async () => {
    await put('picture-0.png', 'set/data_batch_9.bin');
    await expectRefused(() => list([inFolder('set')]), 'BAD_FORMAT', /set\/data_batch_9\.bin.*144 bytes/);
  });
});

describe('patterns', () => {
  it('match files, sorted, in the order of the inputs', async () => {
    for (const name of ['set/b1.png', 'set/a2.png', 'set/a1.png', 'set/deep/a3.png', 'set/a.txt']) {
      await put('picture-0.png', name);
    }
    expect(await names([inFolder('set/b*'), inFolder('set/**/a*')])).toEqual([
      'set/b1.png',
      'set/a1.png',
      'set/a2.png',
      'deep/a3.png',
    ]);
    await expectRefused(() => list([inFolder('set/c*')]), 'IO', /c\* has no images/);
  });

  it('are names where there is such a file', async () => {
    await put('picture-0.png', 'set/[a].png');
    await put('picture-0.png', 'set/a.png');
    expect(await names([inFolder('set/[a].png')])).toEqual(['set/[a].png']);
    await rm(inFolder('set/[a].png'));
    expect(await names([inFolder('set/[a].png')])).toEqual(['set/a.png']);
  });
});

describe('archives', () => {
  it('have their members as ranges of bytes', async () => {
    const path = await put('mixed.tar');
    const entries = await list([path]);
    expect(entries.map(({ name, kind, count }) => [name, kind, count])).toEqual([
      ['mixed.tar/set/u1.npy', 'npy', 3],
      ['mixed.tar/set/data_batch_1.bin', 'cifar10', 3],
      ['mixed.tar/set/global.tar/one.png', 'picture', 1],
      ['mixed.tar/set/global.tar/zwei/ü.png', 'picture', 1],
      ['mixed.tar/set/picture-1.png', 'picture', 1],
    ]);
    const bytes = await readFile(path);
    for (const [k, file] of [
      [2, 'picture-0.png'],
      [3, 'picture-0.png'],
      [4, 'picture-1.png'],
      [1, 'data_batch_1.bin'],
    ] as const) {
      const { offset, length, count } = entries[k];
      expect(entries[k].path).toBe(path);
      expect(new Uint8Array(bytes.subarray(offset, offset + length * count))).toEqual(readFixture(file));
    }
  });

  it('lead nowhere: names are labels, links and devices are left out', async () => {
    expect(await names([await put('hostile.tar')])).toEqual([
      'hostile.tar/escape.png',
      'hostile.tar/etc/absolute.png',
      'hostile.tar/folder/up.png',
      'hostile.tar/C:/windows/drive.png',
      'hostile.tar/bell\ufffd\ufffd[31m\ufffd.png',
    ]);
    expect(await readdir(folder)).toEqual(['hostile.tar']);
  });

  it('with pictures that have holes are refused', async () => {
    await expectRefused(
      () => list([fixturePath('gnu.tar')]),
      'BAD_FORMAT',
      /sparse\.png is stored with holes/,
    );
    await expectRefused(
      () => list([fixturePath('pax.tar')]),
      'BAD_FORMAT',
      /pax\.tar\/sparse\.png is stored/,
    );
  });

  it('without images are refused', async () => {
    await expectRefused(() => list([fixturePath('empty.tar')]), 'IO', /empty\.tar has no images/);
  });

  it('are refused where they are too deep in one another', async () => {
    let bytes: Uint8Array = readFixture('picture-0.png');
    for (let depth = 0; depth < 7; depth++) bytes = gzipSync(bytes);
    await writeFile(inFolder(`a.png${'.gz'.repeat(7)}`), bytes);
    const deep = inFolder(`a.png${'.gz'.repeat(7)}`);
    const unpack = () => list([deep], {}, { staging: inFolder('staging') });
    await expectRefused(unpack, 'BAD_FORMAT', /packed over 4 times/);
  });
});

describe('gzip', () => {
  const staging = () => inFolder('store/staging');

  it('is unpacked once, whole, under a name that leads nowhere', async () => {
    const path = await put('hostile.tgz');
    const first = await list([path], {}, { staging: staging() });
    expect(first.map(({ name }) => name)).toContain('hostile.tar/escape.png');
    const [unpacked] = await readdir(staging());
    expect(unpacked).toMatch(/^[0-9a-f]{16}-hostile\.tar$/);
    expect(new Uint8Array(await readFile(join(staging(), unpacked)))).toEqual(readFixture('hostile.tar'));
    // What is there is taken: it is not written again.
    await truncate(join(staging(), unpacked), 0);
    await expectRefused(() => list([path], {}, { staging: staging() }), 'BAD_FORMAT', /ends within/);
    expect(await readdir(staging())).toEqual([unpacked]);
  });

  it('in archives and folders too, labels left out', async () => {
    await put('mnist.tar', 'set/mnist.tar');
    await put('train-images-idx3-ubyte.gz', 'set/train-images-idx3-ubyte.gz');
    const entries = await list([inFolder('set')], { channels: 1 }, { staging: staging() });
    expect(entries.map(({ name, count }) => [name, count])).toEqual([
      ['set/mnist.tar/train-images-idx3-ubyte', 4],
      ['set/train-images-idx3-ubyte', 4],
    ]);
    expect(await readdir(staging())).toHaveLength(2);
  });

  it('needs a staging folder', async () => {
    const path = await put('hostile.tgz');
    await expectRefused(() => list([path]), 'INVALID_VALUE', /hostile\.tgz is compressed.*staging/);
  });

  it('that is damaged or cut off leaves nothing', async () => {
    const bytes = readFixture('hostile.tgz');
    const path = inFolder('a.tgz');
    for (const length of [0, 1, 5, 10, 11, 100, bytes.length - 9, bytes.length - 1]) {
      await writeFile(path, bytes.subarray(0, length));
      await expectRefused(() => list([path], {}, { staging: staging() }), 'BAD_FORMAT', /a\.tgz/);
    }
    for (const at of [0, 2, 60, bytes.length - 6]) {
      const damaged = bytes.slice();
      damaged[at] ^= 0xff;
      await writeFile(path, damaged);
      await expectRefused(
        () => list([path], {}, { staging: staging() }),
        'BAD_FORMAT',
        /cannot unpack a\.tgz/,
      );
    }
    expect(await readdir(staging())).toEqual([]);
  });

  it('that is a bomb is stopped at the limit, and leaves nothing', async () => {
    const path = await put('bomb.npy.gz');
    const limited = () => list([path], {}, { staging: staging(), maxUnpackedBytes: 1e6 });
    await expectRefused(limited, 'INVALID_VALUE', /bomb\.npy\.gz unpacks to over 1000000 bytes/);
    expect(await readdir(staging())).toEqual([]);
  });

  it('is given up when the signal says so', async () => {
    const path = await put('bomb.npy.gz');
    const controller = new AbortController();
    const reason = new Error('stop');
    controller.abort(reason);
    await expect(list([path], {}, { staging: staging(), signal: controller.signal })).rejects.toBe(reason);
    expect(await readdir(staging())).toEqual([]);
  });
});
