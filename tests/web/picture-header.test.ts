import fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { expect, it } from 'vitest';
import { readPictureHeader } from '../../web/input/picture-header.ts';

const blank = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#357' } });

const FILES: [string, string, (width: number, height: number) => Sharp][] = [
  ['PNG', 'PNG', (w, h) => blank(w, h).png()],
  ['JPEG', 'JPEG', (w, h) => blank(w, h).jpeg()],
  ['progressive JPEG', 'JPEG', (w, h) => blank(w, h).jpeg({ progressive: true })],
  [
    'JPEG with EXIF',
    'JPEG',
    (w, h) =>
      blank(w, h)
        .withExif({ IFD0: { Copyright: 'x'.repeat(9000) } })
        .jpeg(),
  ],
  ['WebP', 'WebP', (w, h) => blank(w, h).webp()],
  ['lossless WebP', 'WebP', (w, h) => blank(w, h).webp({ lossless: true })],
  ['WebP with alpha', 'WebP', (w, h) => blank(w, h).ensureAlpha(0.5).webp()],
];

it.each(FILES)('%s: the size is that which sharp wrote', async (_, kind, make) => {
  for (const [width, height] of [
    [3, 2],
    [1, 500],
    [4097, 17],
  ]) {
    const bytes = await make(width, height).toBuffer();
    expect(readPictureHeader(bytes)).toEqual({ kind, width, height });
    // Its first part is all that is read; a part of the header is none.
    expect(readPictureHeader(bytes.subarray(0, 11))).toBeUndefined();
  }
});

it.each([
  ['nothing', ''],
  ['text', 'x,y\n1,2\n'],
  ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
  ['GIF', 'GIF89a........................'],
])('%s is none', (_, text) => {
  expect(readPictureHeader(new TextEncoder().encode(text))).toBeUndefined();
});

it('any bytes are read without an error, also behind a signature', () => {
  const signatures = [[], [0xff, 0xd8, 0xff], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]];
  fc.assert(
    fc.property(fc.constantFrom(...signatures), fc.uint8Array({ maxLength: 200 }), (signature, rest) => {
      const header = readPictureHeader(Uint8Array.of(...signature, ...rest));
      expect(header === undefined || header.width * header.height > 0).toBe(true);
    }),
  );
});
