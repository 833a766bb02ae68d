import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/diffusion/index.ts';
import { StippleAnimation, stippleToPng, stippleToSvg } from '../../src/node/index.ts';

const extent = [1, 2] as const;
const one = { points: [0.25, 1.5], extent };

async function pixels(bytes: Uint8Array) {
  const { data, info } = await sharp(bytes).greyscale().raw().toBuffer({ resolveWithObject: true });
  return { data, height: info.height, width: info.width };
}

describe('dots as a picture', () => {
  it('lie where their points do, component 0 down', async () => {
    const { data, height, width } = await pixels(await stippleToPng(one, { size: 200, radius: 4 }));
    expect([height, width]).toEqual([100, 200]);
    const dark: number[] = [];
    data.forEach((value, k) => {
      if (value < 128) dark.push(k);
    });
    const mean = (at: (k: number) => number) => dark.reduce((sum, k) => sum + at(k), 0) / dark.length;
    expect(mean((k) => Math.floor(k / width) + 0.5)).toBeCloseTo(25, 6);
    expect(mean((k) => (k % width) + 0.5)).toBeCloseTo(150, 6);
    expect(Math.abs(dark.length / (Math.PI * 16) - 1)).toBeLessThan(0.1);
  });

  it('of another corner, and light ones on black', async () => {
    const moved = { points: [10.25, -3.5], extent, origin: [10, -5] as const };
    expect(await stippleToPng(moved, { size: 100 })).toEqual(await stippleToPng(one, { size: 100 }));
    const { data } = await pixels(await stippleToPng(one, { size: 100, ink: 'light', radius: 3 }));
    expect([data[0], data[25 * 0 + 12 * 100 + 75]]).toEqual([0, 255]);
  });

  it.each([1, 0.3])('that fall at random leave exp(-cover) of the paper: cover %d', async (cover) => {
    const stream = randomStream(1);
    const points = Float64Array.from({ length: 60000 }, (_, k) => stream.uniform() * extent[k % 2]);
    // Large dots, and some of less than a pixel.
    for (const size of [800, 160]) {
      const { data } = await pixels(await stippleToPng({ points, extent }, { size, cover }));
      const mean = data.reduce((sum, value) => sum + value / 255, 0) / data.length;
      expect(Math.abs(mean - Math.exp(-cover))).toBeLessThan(0.015);
    }
  });

  it('as SVG: one path, a dot each', () => {
    const svg = stippleToSvg({ points: [0.25, 1.5, 0, 0], extent }, { size: 200, radius: 1.5 });
    expect(svg).toContain('viewBox="0 0 200 100"');
    expect(svg).toContain('d="M150 25h0M0 0h0"');
    expect(svg).toContain('stroke-width="3" stroke-linecap="round"');
  });

  it.each(['webp', 'gif'] as const)('as a %s: a frame each, the last one longer', async (format) => {
    const animation = new StippleAnimation({ size: 64, radius: 5 });
    for (const x of [0.2, 0.5, 0.8]) animation.add({ points: [x, 1], extent });
    const { pages, width, pageHeight, delay, loop } = await sharp(
      await animation.encode(format, { frame: 50, last: 900 }),
      { animated: true },
    ).metadata();
    expect({ pages, width, pageHeight, delay, loop }).toEqual({
      pages: 3,
      width: 64,
      pageHeight: 32,
      delay: [50, 50, 900],
      loop: 0,
    });
  });

  it.each([
    ['no points', 'SHAPE_MISMATCH', () => stippleToPng({ points: [], extent })],
    ['half a point', 'SHAPE_MISMATCH', () => stippleToPng({ points: [1], extent })],
    ['no number', 'INVALID_VALUE', () => stippleToPng({ points: [1, Number.NaN], extent })],
    ['no extent', 'INVALID_VALUE', () => stippleToPng({ points: [1, 1], extent: [0, 1] })],
    ['no pixels', 'INVALID_VALUE', () => stippleToPng(one, { size: 0 })],
    ['no radius', 'INVALID_VALUE', () => stippleToPng(one, { radius: 0 })],
    ['no cover', 'INVALID_VALUE', () => stippleToPng(one, { cover: 0 })],
    ['another ink', 'INVALID_VALUE', () => stippleToPng(one, { ink: 'red' as 'dark' })],
    ['an unknown option', 'UNKNOWN_OPTION', () => stippleToPng(one, { colour: 1 } as never)],
    ['no frames', 'INVALID_VALUE', () => new StippleAnimation().encode('gif', { frame: 1, last: 1 })],
  ])('refuses %s', async (_, code, act) => {
    await expect(act()).rejects.toMatchObject({ code });
  });

  it('refuses frames of different extent', () => {
    const animation = new StippleAnimation({ size: 64 });
    animation.add(one);
    expect(() => animation.add({ ...one, extent: [1, 1] })).toThrow(
      expect.objectContaining({ code: 'SHAPE_MISMATCH' }),
    );
  });
});
