import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { colourAt, finiteRange } from '../../src/colormap.ts';
import { fieldToPng, pictureToPng } from '../../src/node/field-image.ts';

async function pixels(png: Uint8Array) {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const at = (row: number, column: number) => {
    const k = (row * info.width + column) * info.channels;
    return [data[k], data[k + 1], data[k + 2]];
  };
  return { at, width: info.width, height: info.height };
}

describe('fieldToPng', () => {
  test('row 0 on top, first colour for the smallest value, squares without smoothing', async () => {
    const image = await pixels(await fieldToPng({ data: [0, 1, 2, 3, 4, 5], shape: [2, 3] }, { scale: 4 }));
    expect([image.height, image.width]).toEqual([8, 12]);
    for (const [row, column, t] of [
      [0, 0, 0],
      [3, 3, 0],
      [3, 4, 0.2],
      [4, 3, 0.6],
      [7, 11, 1],
    ]) {
      expect(image.at(row, column)).toEqual([...colourAt('sequential', t)]);
    }
  });

  test('the diverging scale is symmetric about zero', async () => {
    const image = await pixels(
      await fieldToPng({ data: [-1, 0, 4, 2], shape: [1, 4] }, { colormap: 'diverging' }),
    );
    expect([0, 1, 2, 3].map((k) => image.at(0, k))).toEqual(
      [3 / 8, 1 / 2, 1, 3 / 4].map((t) => [...colourAt('diverging', t)]),
    );
  });

  test('values beyond the scale take its ends; those not finite are magenta', async () => {
    const field = { data: [-5, 0.5, 9, Number.NaN, Infinity, -Infinity], shape: [1, 6] };
    const image = await pixels(await fieldToPng(field, { min: 0, max: 1 }));
    expect(image.at(0, 0)).toEqual([...colourAt('sequential', 0)]);
    expect(image.at(0, 1)).toEqual([...colourAt('sequential', 0.5)]);
    expect(image.at(0, 2)).toEqual([...colourAt('sequential', 1)]);
    for (const k of [3, 4, 5]) expect(image.at(0, k)).toEqual([255, 0, 255]);
  });

  test('a constant field has the middle colour', async () => {
    const image = await pixels(await fieldToPng({ data: [7, 7, 7, 7], shape: [2, 2] }));
    expect(image.at(0, 0)).toEqual([...colourAt('sequential', 0.5)]);
  });

  test.each([
    [{ data: [1, 2, 3], shape: [2, 2] }, {}, 'SHAPE_MISMATCH'],
    [{ data: [], shape: [0, 4] }, {}, 'SHAPE_MISMATCH'],
    [{ data: [1, 2], shape: [2] }, {}, 'SHAPE_MISMATCH'],
    [{ data: [1, 2], shape: [1, 2] }, { scale: 0 }, 'INVALID_VALUE'],
    [{ data: [1, 2], shape: [1, 2] }, { scale: 65 }, 'INVALID_VALUE'],
    [{ data: [1, 2], shape: [1, 2] }, { min: 2, max: 1 }, 'INVALID_VALUE'],
    [{ data: [1, 2], shape: [1, 2] }, { min: Number.NaN }, 'INVALID_VALUE'],
    [{ data: [1, 2], shape: [1, 2] }, { colormap: 'jet' as 'sequential' }, 'INVALID_VALUE'],
    [{ data: [1, 2], shape: [1, 2] }, { zoom: 2 } as object, 'UNKNOWN_OPTION'],
  ])('refuses bad input %#', async (field, options, code) => {
    await expect(fieldToPng(field, options)).rejects.toMatchObject({ name: 'SeedspanError', code });
  });
});

describe('pictureToPng', () => {
  test('planes become colours, rounded to the nearest of 256 levels', async () => {
    const data = [0, 1, 0.5, 0.2, 1, 0];
    const image = await pixels(await pictureToPng({ data, shape: [3, 1, 2] }));
    expect(image.at(0, 0)).toEqual([0, 128, 255]);
    expect(image.at(0, 1)).toEqual([255, 51, 0]);
  });

  test('one channel is grey; outside [0, 1] the ends; not finite magenta', async () => {
    const image = await pixels(await pictureToPng({ data: [0.4, -2, 3, Number.NaN], shape: [1, 2, 2] }));
    expect(image.at(0, 0)).toEqual([102, 102, 102]);
    expect(image.at(0, 1)).toEqual([0, 0, 0]);
    expect(image.at(1, 0)).toEqual([255, 255, 255]);
    expect(image.at(1, 1)).toEqual([255, 0, 255]);
  });

  test('refuses two channels and lengths that do not fit', async () => {
    await expect(pictureToPng({ data: [1, 2], shape: [2, 1, 1] })).rejects.toMatchObject({
      code: 'SHAPE_MISMATCH',
    });
    await expect(pictureToPng({ data: [1, 2], shape: [3, 1, 1] })).rejects.toMatchObject({
      code: 'SHAPE_MISMATCH',
    });
  });
});

test('finiteRange leaves out what is not finite', () => {
  expect(finiteRange([3, Number.NaN, -1, Infinity])).toEqual([-1, 3]);
  expect(finiteRange([Number.NaN])).toEqual([0, 0]);
});
