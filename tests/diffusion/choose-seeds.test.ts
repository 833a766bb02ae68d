import { describe, expect, it } from 'vitest';
import {
  type ChooseSeedsOptions,
  chooseSeeds,
  initialLogDensity,
  precomputeScores,
  randomStream,
} from '../../src/diffusion/index.ts';
import { SeedspanError } from '../../src/errors.ts';

const SIZE = 8;
const LENGTH = 2 * SIZE * SIZE;

/** Pictures of as many kinds, one after the other, each with a little noise of its own. */
function pictures(count: number, kinds: number, noise = 0.02) {
  const data = new Float64Array(count * LENGTH);
  for (let image = 0; image < count; image++) {
    const kind = randomStream(image % kinds, 1);
    const own = randomStream(image, 2);
    for (let p = 0; p < LENGTH; p++)
      data[image * LENGTH + p] = 0.1 + 0.8 * kind.uniform() + noise * own.uniform();
  }
  return { data, shape: [count, 2, SIZE, SIZE] };
}

function permuted({ data, shape }: ReturnType<typeof pictures>, order: readonly number[]) {
  const size = data.length / shape[0];
  const moved = new Float64Array(data.length);
  for (const [to, from] of order.entries())
    moved.set(data.subarray(from * size, (from + 1) * size), to * size);
  return { data: moved, shape };
}

const METHODS = ['k-medoids', 'leverage', 'first', 'random'] as const;

/** By pixels, which are alike where pictures are: densities are drawn. */
const choose = (options: ChooseSeedsOptions) => chooseSeeds({ features: 'pixels', ...options });

describe('chooseSeeds', () => {
  it('takes one of each kind, by pixels and by coefficients, of either density', () => {
    const images = pictures(24, 3);
    const ways: Partial<ChooseSeedsOptions>[] = [
      {},
      { method: 'leverage' },
      { features: 'coefficients', density: 'pixel-pairs', scheme: 'na2024' },
      { features: 'coefficients', density: 'pixel-pairs' },
    ];
    for (const way of ways) {
      // Three rows about their mean have rank two: leverage knows two directions.
      const count = way.method === 'leverage' ? 2 : 3;
      const { seeds, members } = choose({ images, count, ...way });
      expect(new Set(seeds.map((seed) => seed % 3)).size, JSON.stringify(way)).toBe(count);
      if (count === 3) expect(members).toEqual([8, 8, 8]);
    }
  });

  it('says how well they stand for all', () => {
    const images = pictures(24, 3);
    const few = choose({ images, count: 1 });
    const enough = choose({ images, count: 3 });
    expect(few.members).toEqual([24]);
    expect(few.distance).toBeGreaterThan(0.5);
    expect(enough.distance).toBeLessThan(0.1);
    expect(enough.explained).toBeGreaterThan(0.98);
    expect(few.explained).toBeLessThan(enough.explained);
    const all = choose({ images, count: 24 });
    expect(all.distance).toBe(0);
    expect(all.explained).toBeCloseTo(1, 10);
  });

  it('puts the seed of most images first', () => {
    const images = pictures(10, 2);
    images.data.copyWithin(0, LENGTH, 2 * LENGTH);
    const { seeds, members } = choose({ images, count: 2 });
    expect(members).toEqual([6, 4]);
    expect([0, 1, 3, 5, 7, 9]).toContain(seeds[0]);
  });

  it('chooses the same pictures in any order', () => {
    // k-medoids has one best answer where there are groups; leverage has one in any case.
    const images = pictures(17, 4, 0.1);
    const order = Array.from({ length: 17 }, (_, k) => (k * 5 + 3) % 17);
    for (const [method, count] of [
      ['k-medoids', 4],
      ['leverage', 3],
    ] as const) {
      const given = choose({ images, count, method });
      const moved = choose({ images: permuted(images, order), count, method });
      expect(moved.seeds.map((seed) => order[seed]).sort()).toEqual([...given.seeds].sort());
      expect(moved.distance).toBeCloseTo(given.distance, 10);
    }
  });

  it('chooses alike every time, and otherwise with another seed where it draws', () => {
    const images = pictures(40, 40);
    for (const method of METHODS) {
      const options = { images, count: 5, method, sample: 20, seed: 3 };
      expect(choose(options)).toEqual(choose(options));
    }
    const drawn = (seed: number) => choose({ images, count: 5, method: 'random', seed }).seeds.join();
    expect(drawn(1)).not.toBe(drawn(2));
    expect(choose({ images, count: 5, method: 'first' }).seeds).toEqual([0, 1, 2, 3, 4]);
  });

  it('looks at a sample of many, and returns indices of them all', () => {
    const images = pictures(60, 3);
    const { seeds, sampled } = choose({ images, count: 3, sample: 15, seed: 2 });
    expect(sampled).toBe(15);
    expect(new Set(seeds.map((seed) => seed % 3)).size).toBe(3);
    expect(Math.max(...seeds)).toBeGreaterThan(15);
  });

  it.each(METHODS)('returns as many as asked for of equal and constant images: %s', (method) => {
    const equal = { data: new Float64Array(6 * LENGTH).fill(0.5), shape: [6, 2, SIZE, SIZE] };
    const { seeds, distance, explained } = choose({ images: equal, count: 4, method });
    expect(new Set(seeds).size).toBe(4);
    expect(Math.max(...seeds)).toBeLessThan(6);
    expect([distance, explained]).toEqual([0, 1]);
    const one = choose({
      images: { data: equal.data.subarray(0, LENGTH), shape: [1, 2, SIZE, SIZE] },
      count: 1,
      method,
    });
    expect(one.seeds).toEqual([0]);
  });

  it('takes a duplicate for the other', () => {
    const images = pictures(6, 6, 0);
    images.data.copyWithin(LENGTH, 0, LENGTH);
    const { seeds } = choose({ images, count: 5 });
    expect(seeds).toContain(0);
    expect(seeds).not.toContain(1);
  });

  it('reckons its features from the densities that a pre-computation starts from', () => {
    const images = pictures(12, 12);
    const density = initialLogDensity(images, 'pixel-positions', { seed: 9 });
    const fromImages = chooseSeeds({ images, count: 3, seed: 9 });
    expect(chooseSeeds({ initialLogDensity: density, count: 3, seed: 9 })).toEqual(fromImages);
    const byValue = choose({ images, features: 'log-density', count: 3, seed: 9 });
    expect(choose({ initialLogDensity: density, features: 'log-density', count: 3 })).toEqual(byValue);
  });

  it('averages larger fields over blocks, of odd sides too', () => {
    const [height, width] = [37, 21];
    const data = Float64Array.from({ length: 5 * height * width }, (_, p) => {
      const image = Math.floor(p / (height * width));
      return image === 3 ? 0.9 : 0.1 + 0.01 * image;
    });
    const { seeds } = choose({ images: { data, shape: [5, 1, height, width] }, count: 2 });
    expect(seeds[1]).toBe(3);
  });

  it('auto: by scheme, aim and number', () => {
    const images = pictures(64, 64);
    const auto = (options: Partial<ChooseSeedsOptions>) => choose({ images, ...options });
    expect(auto({}).seeds).toHaveLength(1);
    expect(auto({ scheme: 'lau2025' }).reason).toContain('one multigrid');
    expect(auto({ scheme: 'na2024' })).toMatchObject({ seeds: [], members: [], distance: 0, explained: 0 });
    expect(auto({ aim: 'iterations' }).seeds).toHaveLength(16);
    expect(choose({ images: pictures(20, 20), aim: 'iterations' }).reason).toContain('do not repay');
  });

  it('chooses seeds that a pre-computation takes', async () => {
    const images = pictures(6, 3);
    const { seeds } = choose({ images, count: 2 });
    const { report } = await precomputeScores({
      images,
      steps: 2,
      sharing: 'projection',
      projection: { seeds },
    });
    expect(report.status).toBe('converged');
    expect(report.projection?.seeds).toEqual(seeds);
  });

  it.each<[string, string, object]>([
    ['UNKNOWN_OPTION', 'seeds', { seeds: 3 }],
    ['INVALID_VALUE', 'method', { method: 'best' }],
    ['INVALID_VALUE', 'features', { features: 'colours' }],
    ['INVALID_VALUE', 'scheme', { scheme: 'other' }],
    ['INVALID_VALUE', 'aim', { aim: 'space' }],
    ['INVALID_VALUE', 'count', { count: 0 }],
    ['INVALID_VALUE', 'there are 6 images', { count: 7 }],
    ['INVALID_VALUE', 'raise sample', { count: 4, sample: 3 }],
    ['INVALID_VALUE', 'sample', { sample: 0 }],
    ['INVALID_VALUE', 'seed', { seed: -1 }],
    ['INVALID_VALUE', 'density is for', { density: 'pixel-pairs', features: 'pixels' }],
    ['INVALID_VALUE', 'either images', { initialLogDensity: pictures(6, 6) }],
    [
      'INVALID_VALUE',
      'features "pixels"',
      { images: undefined, initialLogDensity: pictures(6, 6), features: 'pixels' },
    ],
    ['SHAPE_MISMATCH', 'images.shape', { images: { data: new Float64Array(4), shape: [2, 2] } }],
    ['INVALID_VALUE', 'images', { images: { data: new Float64Array(4).fill(2), shape: [1, 1, 2, 2] } }],
  ])('refuses with %s: %s', (code, words, options) => {
    const call = () => chooseSeeds({ images: pictures(6, 6), ...options });
    expect(call).toThrow(SeedspanError);
    expect(call).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(words) as string }),
    );
  });
});
