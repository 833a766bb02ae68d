/** A colour as bytes: red, green, blue. */
export type Rgb = readonly [number, number, number];

/** `sequential`: dark violet to bright yellow. `diverging`: blue over near-white to red, for signed fields. */
export type ColormapName = 'sequential' | 'diverging';

/** The colour of values that are not finite; no map comes near it. */
export const NON_FINITE_COLOUR: Rgb = [255, 0, 255];

/** Points of a map in Oklab's polar form: lightness, chroma, hue in degrees. */
type Oklch = readonly [lightness: number, chroma: number, hue: number];

/**
 * Lightness rises linearly from 0.27 to 0.92, so equal steps of value look equal, in grey print too; the hue runs
 * one way, past blue and green, which eyes without red-green distinction can follow.
 */
const SEQUENTIAL: readonly Oklch[] = [
  [0.27, 0.11, 310],
  [0.4, 0.12, 275],
  [0.53, 0.095, 225],
  [0.66, 0.11, 175],
  [0.79, 0.15, 135],
  [0.92, 0.17, 105],
];

/** Lightness falls linearly and alike on both sides of the middle, which stands for zero. */
const DIVERGING: readonly Oklch[] = [
  [0.4, 0.13, 262],
  [0.68, 0.1, 255],
  [0.96, 0.0, 255],
  [0.96, 0.0, 40],
  [0.68, 0.13, 40],
  [0.4, 0.13, 28],
];
const DIVERGING_AT = [0, 0.25, 0.5, 0.5, 0.75, 1];

/**
 * Oklab to sRGB bytes (B. Ottosson, "A perceptual color space for image processing", 2020; IEC 61966-2-1 for the
 * transfer curve).
 */
function toRgb(lightness: number, a: number, b: number): Rgb {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const byte = (linear: number) => {
    const value = Math.min(1, Math.max(0, linear));
    return Math.round(255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055));
  };
  return [
    byte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    byte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    byte(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** Piecewise linear in Oklab's rectangular form. */
function sample(points: readonly Oklch[], at: readonly number[], t: number): Rgb {
  let k = 0;
  while (k < at.length - 2 && t > at[k + 1]) k++;
  const weight = (t - at[k]) / (at[k + 1] - at[k]);
  const rectangular = ([lightness, chroma, hue]: Oklch) => {
    const angle = (hue * Math.PI) / 180;
    return [lightness, chroma * Math.cos(angle), chroma * Math.sin(angle)];
  };
  const from = rectangular(points[k]);
  const to = rectangular(points[k + 1]);
  const [lightness, a, b] = from.map((value, i) => value + weight * (to[i] - value));
  return toRgb(lightness, a, b);
}

function table(points: readonly Oklch[], at: readonly number[]): readonly Rgb[] {
  return Array.from({ length: 256 }, (_, k) => sample(points, at, k / 255));
}

const TABLES: Readonly<Record<ColormapName, readonly Rgb[]>> = {
  sequential: table(
    SEQUENTIAL,
    SEQUENTIAL.map((_, k) => k / (SEQUENTIAL.length - 1)),
  ),
  diverging: table(DIVERGING, DIVERGING_AT),
};

/** The names of the colour maps. */
export const COLORMAPS: readonly ColormapName[] = ['sequential', 'diverging'];

/** The colour at `t` in [0, 1]; below and above, the ends'. Not a number: {@link NON_FINITE_COLOUR}. */
export function colourAt(name: ColormapName, t: number): Rgb {
  if (Number.isNaN(t)) return NON_FINITE_COLOUR;
  return TABLES[name][Math.round(255 * Math.min(1, Math.max(0, t)))];
}

/** Smallest and largest finite value; [0, 0] where there is none. */
export function finiteRange(data: ArrayLike<number>): [number, number] {
  let min = Infinity;
  let max = -Infinity;
  for (let k = 0; k < data.length; k++) {
    const value = data[k];
    if (!Number.isFinite(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return min <= max ? [min, max] : [0, 0];
}
