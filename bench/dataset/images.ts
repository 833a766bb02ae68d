import { open } from 'node:fs/promises';
import { randomStream } from '../../src/diffusion/index.ts';
import { SEED } from '../results.ts';

const WAVES = 6;

/** Writes pictures in colour as `.npy`, `(images, 3, size, size)` in bytes: sums of waves of random directions, scaled to fill. */
export async function writeSyntheticImages(path: string, images: number, size: number): Promise<void> {
  const file = await open(path, 'w');
  const n = size * size;
  try {
    const shape = [images, 3, size, size];
    await file.write(npyHeader(shape));
    for (let image = 0; image < images; image++) {
      const random = randomStream(SEED, image);
      const bytes = new Uint8Array(3 * n);
      for (let channel = 0; channel < 3; channel++) bytes.set(scaled(waves(random, size)), channel * n);
      await file.write(bytes);
    }
  } finally {
    await file.close();
  }
}

function npyHeader(shape: readonly number[]): Uint8Array {
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64;
  const header = Buffer.alloc(length, ' ');
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(length - 10, 8);
  header.write(text, 10);
  header.write('\n', length - 1);
  return header;
}

function waves(random: ReturnType<typeof randomStream>, size: number): Float64Array {
  const values = new Float64Array(size * size);
  for (let k = 0; k < WAVES; k++) {
    const [fx, fy] = [8 * random.uniform() - 4, 8 * random.uniform() - 4];
    const [phase, height] = [2 * Math.PI * random.uniform(), random.uniform()];
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        values[i * size + j] += height * Math.sin((2 * Math.PI * (fx * j + fy * i)) / size + phase);
      }
    }
  }
  return values;
}

function scaled(values: Float64Array): Uint8Array {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return Uint8Array.from(values, (value) => Math.round((255 * (value - low)) / (high - low)));
}
