import { describe, expect, test } from 'vitest';
import { COLORMAPS, colourAt, NON_FINITE_COLOUR, type Rgb } from '../src/colormap.ts';

/** CIE lightness L* of an sRGB colour (CIE 15:2004), a road to lightness that the maps were not made by. */
function lightness([r, g, b]: Rgb): number {
  const linear = (byte: number) => {
    const value = byte / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const y = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  return y > 216 / 24389 ? 116 * Math.cbrt(y) - 16 : (24389 / 27) * y;
}

describe('colour maps', () => {
  test('sequential: lightness rises steadily, in nearly equal steps', () => {
    const levels = Array.from({ length: 11 }, (_, k) => lightness(colourAt('sequential', k / 10)));
    const steps = levels.slice(1).map((level, k) => level - levels[k]);
    expect(Math.min(...steps)).toBeGreaterThan(5);
    expect(Math.max(...steps)).toBeLessThan(11);
  });

  test('diverging: lightest in the middle, alike on both sides', () => {
    expect(lightness(colourAt('diverging', 0.5))).toBeGreaterThan(93);
    for (const t of [0.1, 0.2, 0.3, 0.4]) {
      const left = lightness(colourAt('diverging', t));
      const right = lightness(colourAt('diverging', 1 - t));
      expect(Math.abs(left - right)).toBeLessThan(6);
      expect(left).toBeLessThan(lightness(colourAt('diverging', t + 0.1)));
    }
  });

  test.each(COLORMAPS)('%s: ends hold beyond [0, 1], and not-a-number stands out everywhere', (name) => {
    expect(colourAt(name, -3)).toEqual(colourAt(name, 0));
    expect(colourAt(name, Infinity)).toEqual(colourAt(name, 1));
    expect(colourAt(name, Number.NaN)).toEqual(NON_FINITE_COLOUR);
    for (let k = 0; k <= 255; k++) {
      const distance = Math.hypot(...colourAt(name, k / 255).map((value, c) => value - NON_FINITE_COLOUR[c]));
      expect(distance).toBeGreaterThan(100);
    }
  });
});
