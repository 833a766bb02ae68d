import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { loadSharp } from './peers.ts';

/** Points of the plane and the rectangle that is drawn; component 0 runs down, component 1 to the right. */
export interface Dots {
  /** `[count, 2]`, row-major. */
  points: ArrayLike<number>;
  /** Height and width of the rectangle, in the points' units. */
  extent: readonly [number, number];
  /** Its upper left corner. Default [0, 0]. */
  origin?: readonly [number, number];
}

/** How points are drawn. */
export interface StippleOptions {
  /** Pixels of the longer side, from 16 to 16384. Default 1024. */
  size?: number;
  /** Radius of a dot in pixels. Default: by `cover`. */
  radius?: number;
  /** Area of all dots together over that of the picture, for the default radius. Default 0.8. */
  cover?: number;
  /** `dark` dots on white, the default, or `light` ones on black. */
  ink?: 'dark' | 'light';
}

/** Dots that are drawn smaller lose strength instead: a pixel cannot show them. */
const LEAST_DRAWN = 0.6;
const PAPER = { dark: 255, light: 0 } as const;
const INK = { dark: 0, light: 255 } as const;

interface Canvas {
  height: number;
  width: number;
  /** Pixels a unit. */
  scale: number;
  radius: number;
}

function checkDots(where: string, { points, extent }: Dots, options: StippleOptions): Canvas {
  checkOptionNames(where, options, ['size', 'radius', 'cover', 'ink']);
  const { size = 1024, radius, cover = 0.8, ink = 'dark' } = options;
  const count = points.length / 2;
  if (!(Number.isInteger(count) && count >= 1)) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${where}: points must be [count, 2], not ${points.length} numbers`,
    );
  }
  for (let k = 0; k < points.length; k++) {
    if (Number.isFinite(points[k])) continue;
    throw new SeedspanError('INVALID_VALUE', `${where}: points[${k}] is ${points[k]}`, { index: k });
  }
  if (!(extent.length === 2 && extent.every((side) => side > 0 && side < Infinity))) {
    throw new SeedspanError('INVALID_VALUE', `${where}: extent must be two positive numbers`);
  }
  if (!(Number.isInteger(size) && size >= 16 && size <= 16384)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: size must be an integer from 16 to 16384, not ${show(size)}`,
    );
  }
  if (radius !== undefined && !(typeof radius === 'number' && radius > 0 && radius <= size)) {
    throw new SeedspanError('INVALID_VALUE', `${where}: radius must be positive, not ${show(radius)}`);
  }
  if (!(typeof cover === 'number' && cover > 0 && cover < Infinity)) {
    throw new SeedspanError('INVALID_VALUE', `${where}: cover must be positive, not ${show(cover)}`);
  }
  if (ink !== 'dark' && ink !== 'light') {
    throw new SeedspanError('INVALID_VALUE', `${where}: ink must be dark or light, not ${show(ink)}`);
  }
  const scale = size / Math.max(...extent);
  const [height, width] = extent.map((side) => Math.max(1, Math.round(side * scale)));
  const even = Math.sqrt((cover * height * width) / (Math.PI * count));
  return { height, width, scale, radius: radius ?? even };
}

/** Bytes of the picture, one a pixel: dots with soft edges, over each other as ink is. */
function paint({ points, origin = [0, 0] }: Dots, canvas: Canvas, ink: 'dark' | 'light'): Uint8Array {
  const { height, width, scale, radius } = canvas;
  // The share of the paper that is left.
  const left = new Float32Array(height * width).fill(1);
  const drawn = Math.max(radius, LEAST_DRAWN);
  const strength = Math.min(1, (radius / drawn) ** 2);
  // Edges a pixel wide add pi / 12 to the area.
  const middle = Math.sqrt(drawn * drawn - 1 / 12);
  for (let k = 0; k < points.length; k += 2) {
    const y = (points[k] - origin[0]) * scale - 0.5;
    const x = (points[k + 1] - origin[1]) * scale - 0.5;
    const reach = middle + 0.5;
    const [top, bottom] = [Math.max(0, Math.ceil(y - reach)), Math.min(height - 1, Math.floor(y + reach))];
    const [before, behind] = [Math.max(0, Math.ceil(x - reach)), Math.min(width - 1, Math.floor(x + reach))];
    for (let i = top; i <= bottom; i++) {
      for (let j = before; j <= behind; j++) {
        const edge = Math.min(1, reach - Math.hypot(i - y, j - x));
        if (edge > 0) left[i * width + j] *= 1 - strength * edge;
      }
    }
  }
  const [from, to] = [INK[ink], PAPER[ink]];
  return Uint8Array.from(left, (share) => Math.round(from + share * (to - from)));
}

/**
 * Points as a PNG: a dot each.
 *
 * @throws SeedspanError `SHAPE_MISMATCH`, `INVALID_VALUE`, `UNKNOWN_OPTION`; `UNSUPPORTED` without sharp.
 */
export async function stippleToPng(dots: Dots, options: StippleOptions = {}): Promise<Uint8Array> {
  const canvas = checkDots('stippleToPng', dots, options);
  const { height, width } = canvas;
  const sharp = await loadSharp();
  const image = sharp(paint(dots, canvas, options.ink ?? 'dark'), { raw: { width, height, channels: 1 } });
  return new Uint8Array(await image.png({ compressionLevel: 9 }).toBuffer());
}

/**
 * Points as an SVG: one path of dots of `radius` (round line ends without a line), coordinates to a twentieth of a pixel.
 *
 * @throws SeedspanError `SHAPE_MISMATCH`, `INVALID_VALUE`, `UNKNOWN_OPTION`.
 */
export function stippleToSvg(dots: Dots, options: StippleOptions = {}): string {
  const { height, width, scale, radius } = checkDots('stippleToSvg', dots, options);
  const { ink = 'dark' } = options;
  const { points, origin = [0, 0] } = dots;
  const grey = (value: number) => `#${value.toString(16).padStart(2, '0').repeat(3)}`;
  const place = (value: number, axis: 0 | 1) => String(Math.round((value - origin[axis]) * scale * 20) / 20);
  const parts: string[] = [];
  for (let k = 0; k < points.length; k += 2)
    parts.push(`M${place(points[k + 1], 1)} ${place(points[k], 0)}h0`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<rect width="100%" height="100%" fill="${grey(PAPER[ink])}"/>`,
    `<path fill="none" stroke="${grey(INK[ink])}" stroke-width="${Number((2 * radius).toFixed(3))}" stroke-linecap="round" d="${parts.join('')}"/>`,
    '</svg>\n',
  ].join('\n');
}

/** Pictures of one size, painted one after the other, that become an animation. */
export class StippleAnimation {
  readonly #options: StippleOptions;
  readonly #frames: Uint8Array[] = [];
  #canvas: Canvas | undefined;

  constructor(options: StippleOptions = {}) {
    this.#options = options;
  }

  /** Paints one frame; the first one's rectangle is that of all. */
  add(dots: Dots): void {
    const canvas = checkDots('StippleAnimation', dots, this.#options);
    this.#canvas ??= canvas;
    const { height, width } = this.#canvas;
    if (canvas.height !== height || canvas.width !== width) {
      throw new SeedspanError('SHAPE_MISMATCH', 'StippleAnimation: all frames must have the same extent');
    }
    this.#frames.push(paint(dots, this.#canvas, this.#options.ink ?? 'dark'));
  }

  /**
   * @param format - `webp` or `gif`
   * @param delays - milliseconds: of each frame, and of the last one
   * @throws SeedspanError `INVALID_VALUE` without frames; `UNSUPPORTED` without sharp.
   */
  async encode(format: 'webp' | 'gif', delays: { frame: number; last: number }): Promise<Uint8Array> {
    const frames = this.#frames;
    if (this.#canvas === undefined)
      throw new SeedspanError('INVALID_VALUE', 'StippleAnimation: there are no frames');
    const { height, width } = this.#canvas;
    const all = new Uint8Array(height * width * frames.length);
    frames.forEach((frame, k) => {
      all.set(frame, k * height * width);
    });
    const sharp = await loadSharp();
    const image = sharp(all, {
      raw: { width, height: height * frames.length, channels: 1, pageHeight: height },
      limitInputPixels: false,
    });
    const delay = frames.map((_, k) => (k === frames.length - 1 ? delays.last : delays.frame));
    const encoded =
      format === 'webp'
        ? image.webp({ loop: 0, delay, quality: 60 })
        : image.gif({ loop: 0, delay, colours: 16 });
    return new Uint8Array(await encoded.toBuffer());
  }
}
