import { describe, expect, it } from 'vitest';
import { pictureDensity, pointsDensity, randomStream } from '../../../src/diffusion/index.ts';

describe("the density of a picture's dots", () => {
  const picture = { data: Float32Array.of(0, 0.5, 1, 0.5, 0.5, 0.25), shape: [2, 1, 3] };

  it('leaves the mean brightness of the channels as paper', () => {
    const { data, shape } = pictureDensity(picture);
    expect(shape).toEqual([1, 3]);
    [0.25, 0.5, 0.625].forEach((paper, k) => {
      expect(Math.exp(-data[k])).toBeCloseTo(paper, 12);
    });
  });

  it('of light dots is that of the negative; black and white are finite', () => {
    const ends = { data: Float32Array.of(0, 1), shape: [1, 1, 2] };
    expect([...pictureDensity(ends).data]).toEqual([-Math.log(0.04), 0]);
    expect([...pictureDensity(ends, { ink: 'light' }).data]).toEqual([0, -Math.log(0.04)]);
  });

  it.each([
    ['values outside', 'INVALID_VALUE', () => pictureDensity({ data: Float32Array.of(2), shape: [1, 1, 1] })],
    ['another ink', 'INVALID_VALUE', () => pictureDensity(picture, { ink: 'red' as 'dark' })],
    ['an unknown option', 'UNKNOWN_OPTION', () => pictureDensity(picture, { tone: 1 } as never)],
    ['no picture', 'SHAPE_MISMATCH', () => pictureDensity({ data: picture.data, shape: [6] })],
  ])('%s: %s', (_, code, act) => {
    expect(act).toThrow(expect.objectContaining({ code }));
  });
});

describe('the density of points', () => {
  const stream = randomStream(3);
  /** Two narrow clumps, far apart. */
  const clumps = {
    data: Float64Array.from({ length: 2000 }, (_, k) => 0.05 * stream.normal() + (k % 4 < 2 ? 0 : 2)),
    shape: [1000, 2],
  };

  it('counts all points, in a grid around them, with square cells', async () => {
    const { density, spacing, origin, bandwidth } = await pointsDensity(clumps, {
      size: 40,
      bandwidth: 0,
      margin: 0.1,
    });
    expect(bandwidth).toBe(0);
    expect(density.shape[0]).toBeLessThanOrEqual(40);
    expect(Math.max(...density.shape)).toBe(40);
    const seen = new Float64Array(density.data.length);
    for (let k = 0; k < clumps.data.length; k += 2) {
      const [i, j] = [0, 1].map((axis) => Math.floor((clumps.data[k + axis] - origin[axis]) / spacing));
      seen[i * density.shape[1] + j]++;
    }
    expect(density.data).toEqual(seen);
  });

  it('smooths by what suits the clumps, not by the way between them', async () => {
    const { bandwidth, density } = await pointsDensity(clumps);
    // The best for one Gaussian of 500 points is about 500^(-1/6) of its deviation.
    expect(bandwidth).toBeGreaterThan(0.4 * 0.05 * 500 ** (-1 / 6));
    expect(bandwidth).toBeLessThan(2.5 * 0.05 * 500 ** (-1 / 6));
    expect(density.data.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1000, 8);
    const wide = await pointsDensity(clumps, { bandwidth: 0.5 });
    expect(Math.max(...wide.density.data)).toBeLessThan(0.2 * Math.max(...density.data));
  });

  it('of points on a line is a strip', async () => {
    const line = { data: Float64Array.of(0, 1, 0, 2, 0, 3), shape: [3, 2] };
    const { density } = await pointsDensity(line, { size: 20, bandwidth: 0 });
    expect(density.shape).toEqual([2, 20]);
    expect(density.data.reduce((sum, value) => sum + value, 0)).toBe(3);
  });

  it.each([
    ['one point', 'INVALID_VALUE', () => pointsDensity({ data: Float64Array.of(1, 2), shape: [1, 2] })],
    ['three columns', 'SHAPE_MISMATCH', () => pointsDensity({ data: new Float64Array(3), shape: [1, 3] })],
    ['a hole', 'INVALID_VALUE', () => pointsDensity({ data: Float64Array.of(1, Number.NaN), shape: [1, 2] })],
    ['no cells', 'INVALID_VALUE', () => pointsDensity(clumps, { size: 1 })],
    ['a negative bandwidth', 'INVALID_VALUE', () => pointsDensity(clumps, { bandwidth: -1 })],
    ['an unknown option', 'UNKNOWN_OPTION', () => pointsDensity(clumps, { cells: 3 } as never)],
  ])('%s: %s', async (_, code, act) => {
    await expect(act()).rejects.toMatchObject({ code });
  });
});
