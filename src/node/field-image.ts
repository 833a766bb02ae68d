import { COLORMAPS, type ColormapName, colourAt, finiteRange, NON_FINITE_COLOUR } from '../colormap.ts';
import { checkOptionNames, SeedspanError, show, showList } from '../errors.ts';
import { loadSharp } from './peers.ts';

/** A field or picture: any array of numbers with a shape. */
export interface Field {
  data: ArrayLike<number>;
  shape: readonly number[];
}

/** How a field becomes a picture. */
export interface FieldImageOptions {
  /** The value of the first colour. Default: the smallest finite value (`diverging`: minus `max`). */
  min?: number;
  /** The value of the last colour. Default: the largest finite value (`diverging`: the largest magnitude). */
  max?: number;
  /** Default `sequential`. */
  colormap?: ColormapName;
  /** Each grid point becomes a square of `scale` pixels, without smoothing. Default 1, at most 64. */
  scale?: number;
}

function checkField(where: string, { data, shape }: Field, dimensions: number): void {
  const length = shape.reduce((product, n) => product * n, 1);
  if (shape.length !== dimensions || length !== data.length || length === 0) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${where}: expected ${dimensions} dimensions and as many values, not shape (${showList(shape)}) with ${data.length} values`,
      { shape, length: data.length },
    );
  }
}

function checkScale(where: string, scale: number): void {
  if (!(Number.isInteger(scale) && scale >= 1 && scale <= 64)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: scale must be an integer from 1 to 64, not ${show(scale)}`,
    );
  }
}

async function encode(bytes: Uint8Array, width: number, height: number, scale: number) {
  const sharp = await loadSharp();
  const image = sharp(bytes, { raw: { width, height, channels: 3 } });
  const scaled = scale === 1 ? image : image.resize(width * scale, height * scale, { kernel: 'nearest' });
  return new Uint8Array(await scaled.png().toBuffer());
}

/**
 * A field as a PNG, row 0 at the top. Values beyond `min` and `max` take the end colours; values that are not
 * finite are bright magenta. Where `min` equals `max`, all is the middle colour.
 *
 * @param field - `data` and `shape: [H, W]`.
 * @throws SeedspanError `SHAPE_MISMATCH`, `INVALID_VALUE`, `UNKNOWN_OPTION`; `UNSUPPORTED` without sharp.
 */
export async function fieldToPng(field: Field, options: FieldImageOptions = {}): Promise<Uint8Array> {
  checkOptionNames('fieldToPng', options, ['min', 'max', 'colormap', 'scale']);
  checkField('fieldToPng', field, 2);
  const { colormap = 'sequential', scale = 1 } = options;
  checkScale('fieldToPng', scale);
  if (!COLORMAPS.includes(colormap)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `fieldToPng: colormap must be ${COLORMAPS.join(' or ')}, not ${show(colormap)}`,
    );
  }
  const [low, high] = finiteRange(field.data);
  const max = options.max ?? (colormap === 'diverging' ? Math.max(-low, high) : high);
  const min = options.min ?? (colormap === 'diverging' ? -max : low);
  if (!(Number.isFinite(min) && Number.isFinite(max) && min <= max)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `fieldToPng: min ${min} and max ${max} must be finite and in order`,
    );
  }
  const [height, width] = field.shape;
  const bytes = new Uint8Array(3 * height * width);
  for (let k = 0; k < height * width; k++) {
    const value = field.data[k];
    const t = min === max ? 0.5 : (value - min) / (max - min);
    bytes.set(Number.isFinite(value) ? colourAt(colormap, t) : NON_FINITE_COLOUR, 3 * k);
  }
  return encode(bytes, width, height, scale);
}

/**
 * A picture as a PNG of 8 bits. Values belong in [0, 1]; those outside take the nearest end (an embedded picture
 * may leave the range), and values that are not finite make the pixel bright magenta, in colour pictures and grey.
 *
 * @param picture - `data`, planar, and `shape: [C, H, W]`, C = 1 or 3.
 * @throws SeedspanError `SHAPE_MISMATCH`, `INVALID_VALUE`, `UNKNOWN_OPTION`; `UNSUPPORTED` without sharp.
 */
export async function pictureToPng(picture: Field, options: { scale?: number } = {}): Promise<Uint8Array> {
  checkOptionNames('pictureToPng', options, ['scale']);
  checkField('pictureToPng', picture, 3);
  const { scale = 1 } = options;
  checkScale('pictureToPng', scale);
  const [channels, height, width] = picture.shape;
  if (channels !== 1 && channels !== 3) {
    throw new SeedspanError('SHAPE_MISMATCH', `pictureToPng: a picture has 1 or 3 channels, not ${channels}`);
  }
  const pixels = height * width;
  const bytes = new Uint8Array(3 * pixels);
  for (let k = 0; k < pixels; k++) {
    const rgb = [0, 1, 2].map((c) => picture.data[(channels === 1 ? 0 : c) * pixels + k]);
    const colour = rgb.every(Number.isFinite)
      ? rgb.map((value) => Math.round(255 * Math.min(1, Math.max(0, value))))
      : NON_FINITE_COLOUR;
    bytes.set(colour, 3 * k);
  }
  return encode(bytes, width, height, scale);
}
