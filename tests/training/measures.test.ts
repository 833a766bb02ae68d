import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  bestBlur,
  gaussianBlur,
  globalSimilarity,
  meanSquaredError,
  noisyPictures,
  peakSignalToNoise,
  pictureMeasures,
  publishedGlobalSimilarity,
  windowedSimilarity,
} from '../../src/training/index.ts';
import { maxDifference } from '../diffusion/reference.ts';

interface Case {
  shape: number[];
  a: number[];
  b: number[];
  mse: number;
  psnr: number;
  ssim: Record<string, number>;
  globalSsim: number;
  publishedGlobalSsim: number;
  blur: Record<string, number[]>;
}
const cases: Case[] = JSON.parse(
  readFileSync(new URL('../fixtures/measures/measures.json', import.meta.url), 'utf8'),
);
const picture = (data: number[], shape: number[]) => ({ data: Float64Array.from(data), shape });
const [first] = cases;
const [a, b] = [picture(first.a, first.shape), picture(first.b, first.shape)];

describe.each(cases)('measures of $shape', (given) => {
  const [p, q] = [picture(given.a, given.shape), picture(given.b, given.shape)];

  it('are those of scikit-image and NumPy', () => {
    expect(meanSquaredError(p, q)).toBeCloseTo(given.mse, 13);
    expect(peakSignalToNoise(p, q)).toBeCloseTo(given.psnr, 11);
    for (const [window, value] of Object.entries(given.ssim)) {
      expect(windowedSimilarity(p, q, { window: Number(window) })).toBeCloseTo(value, 12);
    }
    expect(globalSimilarity(p, q)).toBeCloseTo(given.globalSsim, 12);
    expect(publishedGlobalSimilarity(p, q)).toBeCloseTo(given.publishedGlobalSsim, 12);
    const { mse, psnr, ssim, globalSsim, publishedGlobalSsim } = given;
    const all = pictureMeasures(p, q);
    const expected = { mse, psnr, ssim: ssim[7], globalSsim, publishedGlobalSsim };
    expect(Object.keys(all)).toEqual(Object.keys(expected));
    expect(maxDifference(Object.values(all), Object.values(expected))).toBeLessThan(1e-11);
  });

  it('and blurs those of SciPy', () => {
    for (const [deviation, expected] of Object.entries(given.blur)) {
      expect(maxDifference(gaussianBlur(q, Number(deviation)).data, expected)).toBeLessThan(1e-13);
    }
    expect(gaussianBlur(q, 0).data).toEqual(q.data);
  });
});

describe('measures', () => {
  it('of equal pictures: 1, but for the published one, which passes it', () => {
    expect(peakSignalToNoise(a, a)).toBe(Infinity);
    expect(windowedSimilarity(a, a)).toBeCloseTo(1, 14);
    expect(globalSimilarity(a, a)).toBeCloseTo(1, 14);
    expect(publishedGlobalSimilarity(a, a)).toBeGreaterThan(1.001);
  });

  it('clip before they compare; small pictures have no windows', () => {
    const outside = { data: a.data.map((value) => 4 * value - 1), shape: a.shape };
    const inside = { data: outside.data.map((x) => Math.min(1, Math.max(0, x))), shape: a.shape };
    expect(pictureMeasures(outside, b)).toEqual(pictureMeasures(inside, b));
    const small = picture([0, 1, 0.5, 0.25], [1, 2, 2]);
    expect(pictureMeasures(small, small)).not.toHaveProperty('ssim');
  });

  it('the best blur beats its neighbours, the noisy picture and any blur of the grid', () => {
    const { deviation, picture: blurred, measures } = bestBlur(b, a);
    const at = (width: number) => windowedSimilarity(gaussianBlur(b, width), a);
    expect(blurred.data).toEqual(gaussianBlur(b, deviation).data);
    expect(measures).toEqual(pictureMeasures(blurred, a));
    const widths = [0, 0.3, 0.5, 0.8, 1.2, 2, 4, deviation - 0.01, deviation + 0.01];
    expect(at(deviation)).toBeGreaterThanOrEqual(Math.max(...widths.map(at)));
    expect(bestBlur(b, a, globalSimilarity).deviation).not.toBe(deviation);
    // Without noise the best is no blur.
    expect(bestBlur(a, a).deviation).toBe(0);
  });

  it('noise: its deviation, its seed, a stream a picture, clipped or not', () => {
    const grey = { data: new Float64Array(2 * 900).fill(0.5), shape: [2, 1, 30, 30] };
    const noisy = noisyPictures(grey, { noise: 0.1, seed: 3, clip: false });
    const mean = noisy.data.reduce((sum, value) => sum + value, 0) / 1800;
    const variance = noisy.data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 1800;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.01);
    expect(Math.abs(Math.sqrt(variance) - 0.1)).toBeLessThan(0.006);
    const second = { data: grey.data.subarray(900), shape: [1, 1, 30, 30] };
    const alone = noisyPictures(second, { noise: 0.1, seed: 3, clip: false, firstStream: 2 ** 52 + 1 });
    expect(alone.data).toEqual(noisy.data.slice(900));
    expect(noisyPictures(grey, { noise: 0.1, seed: 4, clip: false }).data).not.toEqual(noisy.data);
    const wide = noisyPictures(grey);
    expect([Math.min(...wide.data), Math.max(...wide.data)]).toEqual([0, 1]);
  });

  it.each([
    [() => meanSquaredError(a, picture([1, 2], [1, 2])), /different shapes, \[3, 12, 10\] and \[1, 2\]/],
    [() => windowedSimilarity(a, b, { window: 4 }), /window must be odd/],
    [() => windowedSimilarity(a, b, { window: 11 }), /at most the picture's side, 10/],
    [() => windowedSimilarity(a, b, { size: 7 } as object), /unknown option "size"/],
    [() => gaussianBlur(a, -1), /deviation must be a finite number/],
    [() => noisyPictures(a, { noise: Number.NaN }), /noise must be/],
    [() => globalSimilarity(a, undefined as never), /b must be \{data, shape/],
  ])('bad input %#', (call, message) => {
    expect(call).toThrow(message);
  });
});
