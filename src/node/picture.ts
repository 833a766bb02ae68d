import type { NdArray } from '../diffusion/types.ts';
import { checkOptionNames, SeedspanError, show, showList } from '../errors.ts';
import { readBytes } from './files.ts';
import { loadSharp } from './peers.ts';

const MAX_PIXELS = 50e6;

/** What a picture is turned into when it is read. */
export interface PictureOptions {
  /** Height and width of the result, one number or `[H, W]`, at least 2. Absent: as the picture is. */
  size?: number | readonly [number, number];
  /** 3 (sRGB; the default) or 1 (grey). A grey picture is repeated in three channels where 3 are wanted. */
  channels?: 1 | 3;
  /** A picture of more pixels is refused before it is decoded. Default 50 million. */
  maxPixels?: number;
  /**
   * `min-max` maps each picture's smallest value over all channels to 0 and its largest to 1, as the program of
   * arXiv 2404.06661 does. Default `none`.
   */
  normalise?: 'none' | 'min-max';
}

export interface Picture extends NdArray<Float32Array> {
  /** The path, or `bytes`. */
  source: string;
}

/** The options, checked and complete. */
export interface Wanted {
  size?: readonly [number, number];
  channels: 1 | 3;
  maxPixels: number;
  normalise: 'none' | 'min-max';
}

/** Checks picture options and fills in the defaults. */
export function checkPictureOptions(where: string, options: PictureOptions): Wanted {
  checkOptionNames(where, options, ['size', 'channels', 'maxPixels', 'normalise']);
  const { size, channels = 3, maxPixels = MAX_PIXELS, normalise = 'none' } = options;
  const pair = size === undefined ? undefined : typeof size === 'number' ? ([size, size] as const) : size;
  if (
    pair !== undefined &&
    !(Array.isArray(pair) && pair.length === 2 && pair.every((n) => Number.isInteger(n) && n >= 2))
  ) {
    const shown = Array.isArray(size) ? `[${showList(size)}]` : show(size);
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: size must be an integer, or [H, W], of at least 2, not ${shown}`,
    );
  }
  if (channels !== 1 && channels !== 3) {
    throw new SeedspanError('INVALID_VALUE', `${where}: channels must be 1 or 3, not ${show(channels)}`);
  }
  if (!(typeof maxPixels === 'number' && maxPixels >= 1)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: maxPixels must be a positive number, not ${show(maxPixels)}`,
    );
  }
  if (normalise !== 'none' && normalise !== 'min-max') {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: normalise must be none or min-max, not ${show(normalise)}`,
    );
  }
  if (pair !== undefined && pair[0] * pair[1] > maxPixels) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: size ${pair[0]} x ${pair[1]} is over the limit of ${maxPixels} pixels`,
    );
  }
  return { size: pair, channels, maxPixels, normalise };
}

/** Maps the smallest value to 0 and the largest to 1, in float32 like the published arrays. */
export function normaliseMinMax(data: Float32Array, source: string): void {
  let min = Infinity;
  let max = -Infinity;
  for (const value of data) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (min === max) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${source}: all values are ${min}, so min-max cannot scale them to [0, 1]`,
      {
        source,
      },
    );
  }
  const range = Math.fround(max - min);
  for (let k = 0; k < data.length; k++) data[k] = Math.fround(data[k] - min) / range;
}

/** Interleaved samples to planes, divided by the largest value of their type. */
function planar(samples: Uint8Array | Uint16Array, given: number, channels: number): Float32Array {
  const full = samples instanceof Uint16Array ? 65535 : 255;
  const pixels = samples.length / given;
  const data = new Float32Array(channels * pixels);
  for (let c = 0; c < channels; c++) {
    const from = given === 1 ? 0 : c;
    for (let k = 0; k < pixels; k++) data[c * pixels + k] = samples[k * given + from] / full;
  }
  return data;
}

/** Runs a step of decoding; what goes wrong in it is the file's fault. */
async function readable<T>(source: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    // Of an SVG, a decoder's message may have all of it.
    const message = cause instanceof Error ? cause.message : String(cause);
    const reason = message.trim().split('\n')[0].slice(0, 200);
    throw new SeedspanError(
      'BAD_FORMAT',
      `cannot read the picture ${source}: ${reason}`,
      { source },
      { cause },
    );
  }
}

/** Decodes one picture; `source` names it in messages. */
export async function decodePicture(bytes: Uint8Array, source: string, wanted: Wanted): Promise<Picture> {
  const sharp = await loadSharp();
  // No limit while only the header is read: the limit is checked here, so that the message has the figures.
  const header = await readable(source, () => sharp(bytes, { limitInputPixels: false }).metadata());
  if (header.width * header.height > wanted.maxPixels) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `the picture ${source} has ${header.width} x ${header.height} pixels, over the limit of ${wanted.maxPixels} (maxPixels)`,
      { source, width: header.width, height: header.height, maxPixels: wanted.maxPixels },
    );
  }

  const deep = header.depth === 'ushort';
  const space = wanted.channels === 1 ? (deep ? 'grey16' : 'b-w') : deep ? 'rgb16' : 'srgb';
  const { data, info } = await readable(source, () => {
    const upright = sharp(bytes, { failOn: 'error', limitInputPixels: wanted.maxPixels, pages: 1 })
      .rotate() // without an angle: as the EXIF orientation says
      .flatten({ background: '#ffffff' });
    const sized =
      wanted.size === undefined
        ? upright
        : upright.resize({ height: wanted.size[0], width: wanted.size[1], fit: 'cover' });
    return sized
      .toColourspace(space)
      .raw({ depth: deep ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
  });
  if (info.height < 2 || info.width < 2) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `the picture ${source} has ${info.width} x ${info.height} pixels; at least 2 x 2 are needed: give a size to enlarge it`,
      { source, width: info.width, height: info.height },
    );
  }
  const samples = deep ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2) : data;
  const values = planar(samples, info.channels, wanted.channels);
  if (wanted.normalise === 'min-max') normaliseMinMax(values, source);
  return { data: values, shape: [wanted.channels, info.height, info.width], source };
}

/**
 * Reads one picture of any format that sharp reads.
 *
 * It is turned as its EXIF orientation says, laid on white where it is transparent, converted to sRGB (from CMYK
 * too), and, with `size`, scaled and cropped about its centre to fill it. Of an animation the first frame is read.
 * Pictures of 16 bits keep them.
 *
 * @returns Values in [0, 1], planar: shape `[C, H, W]`.
 * @throws SeedspanError `IO` (file cannot be read), `BAD_FORMAT` (not a picture, or damaged), `INVALID_VALUE`
 *   (too many pixels, result under 2 x 2, constant with `min-max`, bad option), `UNKNOWN_OPTION`, `UNSUPPORTED`
 *   (sharp is missing).
 */
export async function readPicture(
  input: string | Uint8Array,
  options: PictureOptions = {},
): Promise<Picture> {
  const wanted = checkPictureOptions('readPicture', options);
  if (typeof input !== 'string' && !(input instanceof Uint8Array)) {
    throw new SeedspanError('INVALID_TYPE', `readPicture: expected a path or bytes, not ${show(input)}`);
  }
  return typeof input === 'string'
    ? decodePicture(await readBytes(input), input, wanted)
    : decodePicture(input, 'bytes', wanted);
}
