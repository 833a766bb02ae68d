import type { NdArray } from '../../src/diffusion/index.ts';
import { SeedspanError } from '../../src/errors.ts';
import { readPictureHeader } from './picture-header.ts';

/** A browser decodes a picture whole: four bytes a pixel. */
export const MOST_PIXELS = 64e6;
export const MOST_BYTES = 128e6;
/** The size is in the first kilobytes, unless a camera put a large preview before it. */
const HEAD_BYTES = 1 << 20;

/**
 * A picture's grey values on a grid of `size` x `size`: cut to a square around the middle and scaled down by the
 * browser. Grey is the luma of its sRGB values (ITU-R BT.709).
 *
 * @returns `[1, size, size]`, values in [0, 1]; transparent parts are white
 * @throws SeedspanError `BAD_FORMAT` for what cannot be decoded; `INVALID_VALUE` over the limits
 */
export async function decodePicture(file: Blob, name: string, size: number): Promise<NdArray<Float32Array>> {
  if (file.size > MOST_BYTES) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${name} has ${millions(file.size)} MB, over the page’s limit of ${millions(MOST_BYTES)} MB`,
    );
  }
  const header = readPictureHeader(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
  if (header === undefined) {
    throw new SeedspanError('BAD_FORMAT', `${name} is no PNG, JPEG or WebP picture, whatever its name says`);
  }
  const { kind, width, height } = header;
  if (width * height > MOST_PIXELS) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${name} has ${width} × ${height} = ${millions(width * height)} million pixels, over the page’s limit of ${millions(MOST_PIXELS)} million; scale it down first`,
    );
  }
  const grey = await scaledDown(file, size).catch((cause: unknown) => {
    throw new SeedspanError(
      'BAD_FORMAT',
      `${name} begins as a ${kind} picture of ${width} × ${height}, but the browser cannot decode it: it may be damaged, or too large for the memory that is free`,
      {},
      { cause },
    );
  });
  return { data: grey, shape: [1, size, size] };
}

async function scaledDown(file: Blob, size: number): Promise<Float32Array> {
  // By width alone the browser keeps the proportions; which side is the shorter one, a turned photograph
  // (EXIF) shows only after decoding.
  const whole = await createImageBitmap(file);
  try {
    const side = Math.min(whole.width, whole.height);
    const [left, top] = [Math.floor((whole.width - side) / 2), Math.floor((whole.height - side) / 2)];
    const small = await createImageBitmap(whole, left, top, side, side, {
      resizeWidth: size,
      resizeHeight: size,
      resizeQuality: 'high',
    });
    try {
      return greyOf(small, size);
    } finally {
      small.close();
    }
  } finally {
    whole.close();
  }
}

function greyOf(bitmap: ImageBitmap, size: number): Float32Array {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size;
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.fillStyle = '#fff';
  context.fillRect(0, 0, size, size);
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, size, size);
  return Float32Array.from({ length: size * size }, (_, k) => {
    const luma = 0.2126 * data[4 * k] + 0.7152 * data[4 * k + 1] + 0.0722 * data[4 * k + 2];
    return Math.min(1, luma / 255);
  });
}

const millions = (value: number) => (value / 1e6).toFixed(value < 1e7 ? 1 : 0);
