import sharp from 'sharp';
import { initialLogDensity } from '../../src/diffusion/index.ts';
import { PHOTOGRAPHS, photographPath } from '../photographs.ts';
import { standardNormal, uniform } from '../random.ts';
import { SEED } from '../results.ts';

/** Grey pictures of one size, values in [0, 1], row by row. */
export type PictureSet = (size: number, count: number) => Promise<Float64Array[]>;

const PATHS = PHOTOGRAPHS.map(photographPath);

/** A square of a photograph, scaled; `left` and `top` are shares of the room that it leaves. */
async function square(
  path: string,
  size: number,
  { share = 1, left = 0.5, top = 0.5, mirrored = false } = {},
): Promise<Float64Array> {
  const { width, height } = await sharp(path).metadata();
  const side = Math.round(Math.min(width, height) * share);
  const cut = {
    left: Math.round((width - side) * left),
    top: Math.round((height - side) * top),
    width: side,
    height: side,
  };
  const { data } = await sharp(path)
    .extract(cut)
    .flop(mirrored)
    .resize(size, size)
    .greyscale()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return Float64Array.from(data, (value) => value / 255);
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value));

/** The photographs that come with the project, then their mirror images, then smaller squares of them. */
const photographs: PictureSet = (size, count) =>
  Promise.all(
    Array.from({ length: count }, (_, k) => {
      const round = Math.floor(k / PATHS.length);
      const share = round < 2 ? 1 : 0.5 + 0.4 / round;
      return square(PATHS[k % PATHS.length], size, { share, mirrored: round % 2 === 1 });
    }),
  );

/** Squares of half the height out of one photograph, anywhere in it. */
const crops: PictureSet = (size, count) => {
  const random = uniform(SEED + 10);
  return Promise.all(
    Array.from({ length: count }, () =>
      square(PATHS[1], size, { share: 0.5, left: random(), top: random() }),
    ),
  );
};

/** One photograph, brighter or darker by a tenth, with noise of a fiftieth, moved by up to two pixels. */
const variants: PictureSet = async (size, count) => {
  const random = uniform(SEED + 11);
  const normal = standardNormal(SEED + 12);
  const margin = 2;
  const wide = size + 2 * margin;
  const whole = await square(PATHS[0], wide);
  return Array.from({ length: count }, (_, k) => {
    const brightness = k === 0 ? 1 : 0.9 + 0.2 * random();
    const down = k === 0 ? margin : Math.floor(random() * (2 * margin + 1));
    const right = k === 0 ? margin : Math.floor(random() * (2 * margin + 1));
    return Float64Array.from({ length: size * size }, (_, p) => {
      const [i, j] = [Math.floor(p / size), p % size];
      return clamp(brightness * whole[(i + down) * wide + j + right] + 0.02 * normal());
    });
  });
};

/** A window that pans over a photograph, half a pixel a frame, while a bright disc crosses it. */
const frames: PictureSet = async (size, count) => {
  const wide = size + Math.ceil(count / 2) + 2;
  const whole = await square(PATHS[2], wide);
  return Array.from({ length: count }, (_, k) => {
    const shift = k / 2;
    const x = size * (0.2 + (0.6 * k) / Math.max(count, 16));
    return Float64Array.from({ length: size * size }, (_, p) => {
      const [i, j] = [Math.floor(p / size), p % size];
      const low = Math.floor(shift);
      const part = shift - low;
      const row = i * wide + j + low;
      const behind = (1 - part) * whole[row] + part * whole[row + 1];
      const distance = Math.hypot(i - size * 0.4, j - x) - size * 0.1;
      const cover = clamp(0.5 - distance);
      return clamp(behind * (1 - cover) + 0.95 * cover);
    });
  });
};

/** Aligned heads, drawn: a shaded oval with eyes, brows, nose and mouth, each a little different. */
const faces: PictureSet = (size, count) => {
  const random = uniform(SEED + 13);
  const vary = (middle: number, by: number) => middle + by * (2 * random() - 1);
  return Promise.resolve(
    Array.from({ length: count }, () => {
      const [high, wide, skin, ground, light] = [
        vary(0.4, 0.02),
        vary(0.3, 0.02),
        vary(0.7, 0.15),
        vary(0.3, 0.2),
        vary(0, 0.3),
      ];
      const [eyes, apart, open, brow] = [
        vary(-0.08, 0.01),
        vary(0.12, 0.01),
        vary(0.025, 0.008),
        vary(0.06, 0.01),
      ];
      const [mouth, smile, lips, nose] = [
        vary(0.2, 0.015),
        vary(0.03, 0.03),
        vary(0.02, 0.006),
        vary(0.08, 0.02),
      ];
      const blob = (y: number, x: number, a: number, b: number) => Math.exp(-((y / a) ** 2) - (x / b) ** 2);
      return Float64Array.from({ length: size * size }, (_, p) => {
        const y = (Math.floor(p / size) + 0.5) / size - 0.5;
        const x = ((p % size) + 0.5) / size - 0.5;
        const edge = 1 - Math.hypot(y / high, x / wide);
        const inside = clamp(0.5 + edge * wide * size);
        let value = skin * (0.75 + 0.25 * Math.max(0, edge)) * (1 + light * x);
        for (const side of [-1, 1]) {
          value -= 0.5 * blob(y - eyes, x - side * apart, open, 0.045);
          value -= 0.3 * blob(y - eyes + brow, x - side * apart, 0.015, 0.07);
        }
        value -= 0.15 * blob(y - nose / 2, x - 0.03, nose, 0.015);
        value -= 0.35 * blob(y - mouth - smile * (1 - (x / 0.1) ** 2), x, lips, 0.1);
        return clamp(inside * value + (1 - inside) * ground);
      });
    }),
  );
};

/** Sets of pictures that differ in kind, in what should be the order of how alike they are. */
export const PICTURE_SETS: Readonly<Record<string, { words: string; make: PictureSet }>> = {
  photographs: { words: 'different photographs', make: photographs },
  crops: { words: 'crops of one photograph', make: crops },
  faces: { words: 'aligned faces (drawn)', make: faces },
  frames: { words: 'frames of a moving scene', make: frames },
  variants: { words: 'one photograph under brightness, noise and shifts', make: variants },
};

/** The log densities from which the schemes start. Alike pictures draw from one random stream, so that what differs is the picture. */
export async function fields(set: string, size: number, count: number): Promise<Float64Array[]> {
  const pictures = await PICTURE_SETS[set].make(size, count);
  return pictures.map(
    (data) => initialLogDensity({ data, shape: [1, 1, size, size] }, 'pixel-positions').data,
  );
}
