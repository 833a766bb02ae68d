import { describe, expect, it } from 'vitest';
import { initialLogDensity } from '../../src/diffusion/density.ts';
import { pixelPairsLogDensity } from '../../src/diffusion/density-pairs.ts';
import { drawPixelPositions, logDensityFromSamples } from '../../src/diffusion/density-positions.ts';
import { randomStream } from '../../src/diffusion/random.ts';
import type { DensityKind, NdArray } from '../../src/diffusion/types.ts';
import { maxDifference, reference } from './reference.ts';

/** Direct sum with the covariance inverted in full: plain, and independent of the factored evaluation. */
function plainKde(samples: Float64Array, height: number, width: number): Float64Array {
  const n = samples.length / 2;
  const points = Array.from({ length: n }, (_, s) => [samples[2 * s], samples[2 * s + 1]]);
  const mean = [0, 1].map((a) => points.reduce((sum, p) => sum + p[a], 0) / n);
  const covariance = (a: number, b: number) =>
    (points.reduce((sum, p) => sum + (p[a] - mean[a]) * (p[b] - mean[b]), 0) / (n - 1)) * n ** (-1 / 3);
  const [xx, xy, yy] = [covariance(0, 0), covariance(0, 1), covariance(1, 1)];
  const determinant = xx * yy - xy * xy;
  const density = Float64Array.from({ length: height * width }, (_, k) => {
    const x = Math.floor(k / width) / (height - 1);
    const y = (k % width) / (width - 1);
    const sum = points.reduce((total, [p, q]) => {
      const square = (yy * (x - p) ** 2 - 2 * xy * (x - p) * (y - q) + xx * (y - q) ** 2) / determinant;
      return total + Math.exp(-square / 2);
    }, 0);
    return Math.max(1e-10, sum / (n * 2 * Math.PI * Math.sqrt(determinant)));
  });
  const mass = density.reduce((sum, value) => sum + value, 0) / ((height - 1) * (width - 1));
  return density.map((value) => Math.log(value / mass));
}

function cloud(count: number, slope: number, spread: number): Float64Array {
  const random = randomStream(7);
  const samples = new Float64Array(2 * count);
  for (let s = 0; s < count; s++) {
    samples[2 * s] = random.uniform();
    samples[2 * s + 1] = 0.1 + slope * samples[2 * s] + spread * random.uniform();
  }
  return samples;
}

function rootMeanSquare(a: Float64Array, b: Float64Array): number {
  return Math.sqrt(a.reduce((sum, value, k) => sum + (value - b[k]) ** 2, 0) / a.length);
}

describe('pixel pairs', () => {
  it.each([
    { images: 'na2024_images', density: 'na2024_initial_log_density' },
    { images: 'na2024_alps32_image', density: 'na2024_alps32_initial_log_density' },
  ])('equals the published program on $images', ({ images, density }) => {
    const expected = reference(density);
    const actual = initialLogDensity(reference(images), 'pixel-pairs');
    expect(actual.shape).toEqual(reference(images).shape);
    expect(maxDifference(actual.data, expected.data)).toBeLessThan(1e-12);
  });

  it('is symmetric where the picture is', () => {
    const picture = Float64Array.from({ length: 25 }, (_, k) => ((k % 5) * Math.floor(k / 5)) / 16);
    const density = pixelPairsLogDensity(picture, 5, 5);
    const mirrored = density.map((_, k) => density[(k % 5) * 5 + Math.floor(k / 5)]);
    expect(maxDifference(density, mirrored)).toBeLessThan(1e-12);
  });

  it('takes a constant picture and one pixel', () => {
    expect(pixelPairsLogDensity([1], 1, 1).every(Number.isFinite)).toBe(true);
    const constant = pixelPairsLogDensity(new Float64Array(16).fill(0.5), 4, 4);
    expect(new Set(constant).size).toBe(1);
  });

  it('refuses pictures that are not square, values outside [0, 1] and wrong lengths', () => {
    expect(() => pixelPairsLogDensity(new Float64Array(6), 2, 3)).toThrow(/square/);
    expect(() => pixelPairsLogDensity([0, 0.5, 1, 1.5], 2, 2)).toThrow(/value 3 is 1.5/);
    expect(() => pixelPairsLogDensity([0, Number.NaN, 1, 1], 2, 2)).toThrow(/value 1 is NaN/);
    expect(() => pixelPairsLogDensity([0, 1], 2, 2)).toThrow(/needs 4 values/);
  });
});

describe('kernel density estimate', () => {
  it('equals SciPy on the published samples', () => {
    const expected = reference('lau2025_cat16_log_density').data.subarray(0, 256);
    const actual = logDensityFromSamples(reference('lau2025_cat16_samples').data, { height: 16, width: 16 });
    expect(maxDifference(actual, expected)).toBeLessThan(1e-12);
  });

  it.each([
    { name: 'round', samples: cloud(200, 0, 1) },
    { name: 'slanted', samples: cloud(500, 0.6, 0.3) },
    { name: 'narrow, where factors would overflow', samples: cloud(300, 0.8, 0.002) },
    { name: 'outside the square', samples: cloud(100, 4, 1) },
  ])('equals the direct sum: $name', ({ samples }) => {
    const actual = logDensityFromSamples(samples, { height: 9, width: 14 });
    expect(maxDifference(actual, plainKde(samples, 9, 14))).toBeLessThan(1e-11);
  });

  it('sums to one', () => {
    const density = logDensityFromSamples(cloud(50, 0.5, 0.5), { height: 11, width: 21 });
    const mass = density.reduce((sum, value) => sum + Math.exp(value), 0) / (10 * 20);
    expect(Math.abs(mass - 1)).toBeLessThan(1e-12);
  });

  it.each([
    { name: 'one point', samples: new Float64Array(20).fill(0.3), message: /one line or in one point/ },
    { name: 'a line', samples: cloud(50, 0.7, 0), message: /one line/ },
    { name: 'an odd number', samples: new Float64Array(3), message: /n x 2/ },
    { name: 'a single sample', samples: new Float64Array(2), message: /at least 2/ },
    { name: 'NaN', samples: new Float64Array([0, 1, Number.NaN, 2, 3, 4]), message: /samples\[2\] is NaN/ },
  ])('refuses $name', ({ samples, message }) => {
    expect(() => logDensityFromSamples(samples, { height: 4, width: 4 })).toThrow(message);
  });

  it('refuses a grid of one row', () => {
    expect(() => logDensityFromSamples(cloud(9, 0, 1), { height: 1, width: 4 })).toThrow(
      /height must be at least 2/,
    );
  });
});

describe('drawn pixel positions', () => {
  const image: NdArray = {
    data: Float64Array.from([0, 0.2, 0.4, 0.9, 0.1, 0.3, 0.2, 0.4, 0.6, 0.3, 0.5, 0.7]),
    shape: [2, 2, 3],
  };

  it('fall on pixels in proportion to brightness', () => {
    const count = 60_000;
    const points = drawPixelPositions(image, { count, jitter: 0, seed: 5 });
    const observed = new Float64Array(6);
    for (let s = 0; s < count; s++) observed[points[2 * s] * 3 + points[2 * s + 1] * 2]++;
    const weights = [0, 1, 2, 3, 4, 5].map((k) => (image.data[k] + image.data[6 + k]) / 2 + 0.1);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const chiSquare = weights.reduce((sum, weight, k) => {
      const expected = (count * weight) / total;
      return sum + (observed[k] - expected) ** 2 / expected;
    }, 0);
    // 99.9 % quantile of chi-square with 5 degrees of freedom.
    expect(chiSquare).toBeLessThan(20.5);
  });

  it('are jittered normally, and clipped', () => {
    const dot: NdArray = { data: new Float64Array(9), shape: [1, 3, 3] };
    const points = drawPixelPositions(dot, { count: 40_000, seed: 1, jitter: 0.05 });
    const centre: number[] = [];
    for (let s = 0; s < points.length; s += 2) {
      // Row 1's points, five standard deviations about it.
      if (Math.abs(points[s] - 0.5) < 0.25) centre.push(points[s] - 0.5);
    }
    const mean = centre.reduce((sum, value) => sum + value, 0) / centre.length;
    const variance = centre.reduce((sum, value) => sum + (value - mean) ** 2, 0) / centre.length;
    expect(centre.length).toBeGreaterThan(12_500);
    expect(Math.abs(mean)).toBeLessThan(0.002);
    expect(Math.abs(variance / 0.0025 - 1)).toBeLessThan(0.05);
    expect(points.every((value) => value >= 0 && value <= 1)).toBe(true);
    // Half of the jitter about the first and last row is cut off.
    const clipped = points.filter((value, i) => i % 2 === 0 && (value === 0 || value === 1)).length;
    expect(Math.abs(clipped / 40_000 - 1 / 3)).toBeLessThan(0.01);
  });

  it('are 2000 by default, the same for the same seed and stream, others for others', () => {
    const first = drawPixelPositions(image, { seed: 3, stream: 4 });
    expect(first).toHaveLength(4000);
    expect(drawPixelPositions(image, { seed: 3, stream: 4 })).toEqual(first);
    expect(drawPixelPositions(image, { seed: 3, stream: 5 })).not.toEqual(first);
    expect(drawPixelPositions(image, { seed: 4, stream: 4 })).not.toEqual(first);
  });

  it('refuses bad input', () => {
    expect(() => drawPixelPositions(image, { count: 0 })).toThrow(/count/);
    expect(() => drawPixelPositions(image, { jitter: -1 })).toThrow(/jitter/);
    expect(() => drawPixelPositions(image, { seed: 0.5 })).toThrow(/seed/);
    expect(() => drawPixelPositions({ ...image, shape: [2, 6, 1] })).toThrow(/width must be at least 2/);
    expect(() => drawPixelPositions(image, { size: 1 } as object)).toThrow(/unknown option "size"/);
  });
});

describe('initialLogDensity', () => {
  const images = reference('na2024_images');

  it('gives one density an image by positions, the same in any batch', () => {
    const both = initialLogDensity(images, 'pixel-positions', { seed: 9 });
    expect(both.shape).toEqual([2, 1, 16, 16]);
    const second: NdArray = { data: images.data.slice(3 * 256), shape: [1, 3, 16, 16] };
    const alone = initialLogDensity(second, 'pixel-positions', { seed: 9, firstStream: 1 });
    expect(alone.data).toEqual(both.data.slice(256));
  });

  it('resembles the published density of the same picture, within what other draws differ by', () => {
    const published = reference('lau2025_cat16_log_density').data.subarray(0, 256);
    const drawn = initialLogDensity(images, 'pixel-positions', { seed: 1 }).data.subarray(0, 256);
    const mirrored = drawn.map((_, k) => drawn[(k % 16) * 16 + Math.floor(k / 16)]);
    expect(rootMeanSquare(drawn, published)).toBeLessThan(0.18);
    expect(rootMeanSquare(mirrored, published)).toBeGreaterThan(0.2);
  });

  it('takes float32 pictures', () => {
    const single = { data: Float32Array.from(images.data), shape: images.shape };
    const expected = initialLogDensity(images, 'pixel-pairs');
    expect(maxDifference(initialLogDensity(single, 'pixel-pairs').data, expected.data)).toBeLessThan(1e-12);
  });

  it('stops when aborted', () => {
    expect(() => initialLogDensity(images, 'pixel-pairs', { signal: AbortSignal.abort() })).toThrow(
      /aborted/,
    );
  });

  it.each([
    {
      name: 'another kind',
      images,
      kind: 'pixels' as DensityKind,
      message: /pixel-pairs or pixel-positions/,
    },
    {
      name: 'three axes',
      images: { ...images, shape: [6, 16, 16] },
      message: /shape must be \[images, channels, H, W\]/,
    },
    { name: 'a wrong length', images: { ...images, shape: [2, 3, 16, 17] }, message: /needs 1632 values/ },
    { name: 'no images', images: { data: new Float64Array(0), shape: [0, 3, 16, 16] }, message: /shape/ },
    {
      name: 'bytes',
      images: { data: new Uint8Array(4) as unknown as Float32Array, shape: [1, 1, 2, 2] },
      message: /Float32Array/,
    },
    {
      name: 'infinity',
      images: { data: Float64Array.of(0, 1, Number.POSITIVE_INFINITY, 0), shape: [1, 1, 2, 2] },
      message: /data\[2\] is Infinity/,
    },
    {
      name: 'bytes as floats',
      images: { data: Float64Array.of(0, 255, 3, 0), shape: [1, 1, 2, 2] },
      message: /value 1 is 255/,
    },
  ])('refuses $name', ({ images: given, kind = 'pixel-pairs' as DensityKind, message }) => {
    expect(() => initialLogDensity(given, kind)).toThrow(message);
  });
});
