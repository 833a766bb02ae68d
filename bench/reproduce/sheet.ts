import sharp from 'sharp';
import type { NdArray } from '../../src/diffusion/index.ts';
import { type Pictures, pictureOf } from './draw.ts';
import type { CaseResult } from './figures.ts';
import { escaped } from './plots.ts';
import { fromBytes } from './records.ts';

const [TILE, GAP, HEAD, LEFT] = [128, 8, 44, 96];

interface Row {
  name: string;
  tiles: (NdArray | undefined)[];
}

/** For each seed and picture: input, what needs no training, and what the arms drew last. */
function rowsOf({ one, trials, baselines }: CaseResult, pictures: Pictures): Row[] {
  const seeds = [...new Set(trials.map(({ seed }) => seed))];
  return seeds.flatMap((seed) => {
    const start = baselines.filter((entry) => entry.seed === seed).at(-1);
    return one.pictures.map((picture, image) => {
      const drawn = one.trainings.flatMap(({ name, arms }) => {
        const trial = trials.find((entry) => entry.training === name && entry.seed === seed);
        return arms.map((arm) => trial?.arms.find((record) => record.name === arm.name)?.last);
      });
      return {
        name: `${picture.split('-').at(-1)}, seed ${seed}`,
        tiles: [
          pictureOf(pictures, image),
          start && pictureOf(start.of.noisy.pictures, image),
          start && pictureOf(start.of.blur.pictures, image),
          ...drawn.map((last) => last?.bytes && pictureOf(fromBytes(last), image)),
        ].map((tile) => (tile === '' ? undefined : tile)),
      };
    });
  });
}

async function tile({ data, shape }: NdArray): Promise<Buffer> {
  const [channels, height, width] = shape;
  const bytes = new Uint8Array(data.length);
  for (let c = 0; c < channels; c++) {
    for (let k = 0; k < height * width; k++) {
      bytes[k * channels + c] = Math.round(255 * Math.min(1, Math.max(0, data[c * height * width + k])));
    }
  }
  return sharp(bytes, { raw: { width, height, channels: 3 } })
    .resize(TILE, TILE, { kernel: 'nearest' })
    .png()
    .toBuffer();
}

/** A PNG of all pictures, with the names of columns and rows. Cases stand below each other. */
export async function pictureSheet(
  results: readonly { result: CaseResult; pictures: Pictures }[],
): Promise<Uint8Array> {
  const { one } = results[0].result;
  const columns = [
    'picture',
    'noisy input',
    'best blur',
    ...one.trainings.flatMap(({ arms }) => arms.map(({ name }) => name)),
  ];
  const rows = results.flatMap(({ result, pictures }) => rowsOf(result, pictures));
  const width = LEFT + columns.length * (TILE + GAP);
  const height = HEAD + rows.length * (TILE + GAP);
  const text = (x: number, y: number, words: string, anchor: string) =>
    `<text x="${x}" y="${y}" text-anchor="${anchor}">${escaped(words)}</text>`;
  // Two lines of a heading: a tile is narrow.
  const headings = columns.flatMap((name, k) => {
    const x = LEFT + k * (TILE + GAP) + TILE / 2;
    const lines = name.includes(', ') ? name.split(', ') : [name];
    return lines.map((line, n) => text(x, 18 + 16 * n, line, 'middle'));
  });
  const names = rows.flatMap(({ name }, k) =>
    name
      .split(', ')
      .map((line, n) => text(LEFT - 8, HEAD + k * (TILE + GAP) + TILE / 2 + 16 * n, line, 'end')),
  );
  const words = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="13" fill="#1a1a1a">${[...headings, ...names].join('')}</svg>`;
  const tiles: { input: Buffer; left: number; top: number }[] = [
    { input: Buffer.from(words), left: 0, top: 0 },
  ];
  for (const [row, { tiles: own }] of rows.entries()) {
    for (const [column, picture] of own.entries()) {
      if (picture === undefined) continue;
      tiles.push({
        input: await tile(picture),
        left: LEFT + column * (TILE + GAP),
        top: HEAD + row * (TILE + GAP),
      });
    }
  }
  const sheet = sharp({ create: { width, height, channels: 3, background: 'white' } });
  return new Uint8Array(await sheet.composite(tiles).png().toBuffer());
}
