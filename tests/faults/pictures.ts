import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { writeNpy } from '../../src/formats/index.ts';

/** Values in [0, 1] of a made-up picture, `[channels, side, side]`: no two pictures are alike. */
function values(picture: number, channels: number, side: number): Float32Array {
  const data = new Float32Array(channels * side * side);
  for (let k = 0; k < data.length; k++) {
    const [x, y, c] = [k % side, Math.floor(k / side) % side, Math.floor(k / (side * side))];
    data[k] = 0.5 + 0.5 * Math.sin(0.7 * picture + (x * (1 + (picture % 3)) + y * (1 + c)) * 0.45 + c);
  }
  return data;
}

/** One picture as a PNG file. */
export async function writePicture(
  path: string,
  picture: number,
  channels: 1 | 3,
  side: number,
): Promise<void> {
  const data = values(picture, channels, side);
  const bytes = Buffer.alloc(data.length);
  const n = side * side;
  for (let k = 0; k < n; k++) {
    for (let c = 0; c < channels; c++) bytes[channels * k + c] = Math.round(255 * data[c * n + k]);
  }
  await sharp(bytes, { raw: { width: side, height: side, channels } })
    .png()
    .toFile(path);
}

export interface Pictures {
  /** PNG files, in two folders. */
  files: number;
  /** Pictures in a `.npy` file beside them. */
  packed: number;
  channels: 1 | 3;
  side: number;
}

/** A data set of small pictures in a folder. */
export async function writePictures(
  folder: string,
  { files, packed, channels, side }: Pictures,
): Promise<void> {
  for (let k = 0; k < files; k++) {
    const class_ = join(folder, k < files / 2 ? 'a' : 'b');
    mkdirSync(class_, { recursive: true });
    await writePicture(join(class_, `${String(k).padStart(4, '0')}.png`), k, channels, side);
  }
  if (packed === 0) return;
  const data = new Float32Array(packed * channels * side * side);
  for (let k = 0; k < packed; k++) data.set(values(files + k, channels, side), k * channels * side * side);
  writeFileSync(join(folder, 'packed.npy'), writeNpy({ data, shape: [packed, channels, side, side] }));
}
