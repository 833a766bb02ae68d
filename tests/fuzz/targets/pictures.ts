import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { readPicture } from '../../../src/node/index.ts';
import { ensure, type FuzzTarget, utf8 } from '../target.ts';

const files: Uint8Array[] = [];

/** Small pictures of all kinds that sharp writes, made once. */
export async function smallPictures(): Promise<Uint8Array[]> {
  if (files.length > 0) return files;
  const data = Uint8Array.from({ length: 6 * 5 * 3 }, (_, k) => (k * 37) % 256);
  const picture = () => sharp(data, { raw: { width: 6, height: 5, channels: 3 } });
  const all = [
    picture().png(),
    picture().png({ palette: true }),
    picture().toColourspace('rgb16').png(),
    picture().greyscale().png(),
    picture().ensureAlpha(0.5).png(),
    picture().jpeg(),
    picture().withMetadata({ orientation: 6 }).jpeg({ progressive: true }),
    picture().gif(),
    picture().webp(),
    picture().webp({ lossless: true }),
    picture().tiff(),
  ];
  for (const one of all) files.push(new Uint8Array(await one.toBuffer()));
  return files;
}

/** A PNG that says that it has these sides, and little else. */
function hollow(width: number, height: number): Uint8Array {
  const bytes = readFileSync('tests/fixtures/sources/picture-0.png');
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return new Uint8Array(bytes);
}

/** Pictures, which sharp decodes in native code: what is seen of it is the answer, the time, and that the process lives. */
export const pictures: FuzzTarget = {
  name: 'pictures',
  share: 0.05,
  seeds: () => files,
  nasty: () => ({
    'nothing at all': new Uint8Array(0),
    'a PNG of 2^31 - 1 pixels a side': hollow(2 ** 31 - 1, 2 ** 31 - 1),
    'a PNG of 60,000 x 60,000': hollow(60_000, 60_000),
    'a PNG of no pixels': hollow(0, 0),
    'an SVG of 60,000 x 60,000': utf8(
      '<svg xmlns="http://www.w3.org/2000/svg" width="60000" height="60000"/>',
    ),
    'an SVG with an entity': utf8('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><svg>&e;</svg>'),
    'an SVG of entities in entities': utf8(
      `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">${'bcdefghij'
        .split('')
        .map((name, k) => `<!ENTITY ${name} "${`&${'abcdefghi'[k]};`.repeat(10)}">`)
        .join('')}]><svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><text>&j;</text></svg>`,
    ),
    'a text': utf8('hello, hello'),
  }),
  async prepare() {
    await smallPictures();
  },
  metered: false,
  seconds: 4,
  async run(input) {
    const { data, shape } = await readPicture(input, { maxPixels: 1e6 });
    ensure(
      shape.length === 3 && shape[0] === 3 && data.length === shape[0] * shape[1] * shape[2],
      'shape and data differ',
    );
    ensure(shape[1] * shape[2] <= 1e6, 'more pixels than the limit');
    ensure(
      data.every((value) => value >= 0 && value <= 1),
      'a value outside [0, 1]',
    );
  },
};

/** A folder for files of this process. */
export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'seedspan-fuzz-'));
