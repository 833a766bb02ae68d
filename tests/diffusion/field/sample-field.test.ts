import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  drawFromField,
  energyDistance,
  FIELD_SAMPLERS,
  type FieldStep,
  type PointField,
  precomputeField,
  type SampleFieldOptions,
  sampleField,
  slicedWasserstein,
  totalVariation,
} from '../../../src/diffusion/index.ts';
import type { SeedspanError } from '../../../src/errors.ts';
import { createEngine } from '../../../src/solver/create-engine.ts';
import type { Engine } from '../../../src/solver/engine.ts';
import { random } from '../../twins/random.ts';

let engine: Engine;
let field: PointField;
beforeAll(async () => {
  engine = await createEngine();
  // A ring, a ridge beside it, and nothing in between.
  const data = Float64Array.from({ length: 24 * 32 }, (_, k) => {
    const [x, y] = [(Math.floor(k / 32) + 0.5) / 32, ((k % 32) + 0.5) / 32];
    const ring = Math.abs(Math.hypot(x - 0.35, y - 0.35) - 0.2) < 0.06 ? 3 : 0;
    return ring + (y > 0.8 ? 1 + x : 0);
  });
  field = await precomputeField({ data, shape: [24, 32] }, { engine, origin: [-1, 5] });
});
afterAll(() => {
  expect(engine.bytesInUse).toBe(0);
  engine.dispose();
});

const run = (options: Partial<SampleFieldOptions> = {}) =>
  sampleField(field, { count: 2000, engine, ...options });

describe.each(FIELD_SAMPLERS)('%s', (sampler) => {
  it('draws the density: as near to direct draws as two of these are, or nearly', async () => {
    const count = 20000;
    const steps = sampler === 'heun' ? 50 : 300;
    const { points, evaluations } = await run({ count, sampler, steps, seed: 1 });
    expect(evaluations).toBe(
      { heun: 2 * steps, 'predictor-corrector': 2 * steps - 1 }[sampler as string] ?? steps,
    );
    const [a, b] = await Promise.all([2, 3].map((seed) => drawFromField(field, { count, seed, engine })));
    // The ring's edges are sharp: what these two draw in their last steps blurs them by a part of a cell.
    const rough = sampler === 'euler-maruyama' || sampler === 'predictor-corrector';
    const share = rough ? 1.8 : 1.25;
    expect(totalVariation(points, a, field)).toBeLessThan(share * totalVariation(a, b, field));
    const even = await drawFromField(field, { count, seed: 4, variance: 1, engine });
    expect(slicedWasserstein(points, a)).toBeLessThan((rough ? 0.3 : 0.15) * slicedWasserstein(even, a));
    expect(energyDistance(points, a)).toBeLessThan((rough ? 0.05 : 0.01) * energyDistance(even, a));
  });

  it('gives a point the same numbers, bit for bit, whatever is drawn beside it', async () => {
    const options = { sampler, steps: 8, seed: 6 };
    const { points } = await run({ ...options, count: 50 });
    for (const [firstPoint, count] of [
      [0, 1],
      [7, 20],
      [49, 1],
    ]) {
      const part = await run({ ...options, firstPoint, count });
      expect(part.points.data).toEqual(points.data.slice(2 * firstPoint, 2 * (firstPoint + count)));
    }
    const other = await run({ ...options, count: 50, seed: 7 });
    expect(other.points.data).not.toEqual(points.data);
  });

  it('calls back before each step, with points and their means', async () => {
    const seen: FieldStep[] = [];
    await run({ sampler, steps: 4, count: 3, callback: (step) => void seen.push(step) });
    expect(seen.map(({ i }) => i)).toEqual([0, 1, 2, 3]);
    expect(seen[0].t).toBe(1);
    expect(seen.every(({ t }, k) => k === 0 || t < seen[k - 1].t)).toBe(true);
    for (const { x, denoised } of seen)
      expect([x.shape, denoised.shape]).toEqual([
        [3, 2],
        [3, 2],
      ]);
  });
});

describe('the flow of a field', () => {
  it('is that of a Gaussian, in closed form, to second order in the cells', async () => {
    const errors: number[] = [];
    for (const n of [32, 64]) {
      // Far from the border, which the Gaussian does not feel up to the variance of `from`.
      const s = 0.004;
      const data = Float64Array.from({ length: n * n }, (_, k) => {
        const [x, y] = [(Math.floor(k / n) + 0.5) / n - 0.5, ((k % n) + 0.5) / n - 0.5];
        return Math.exp(-(x * x + y * y) / (2 * s));
      });
      const made = await precomputeField({ data, shape: [n, n] }, { engine, levels: 400 });
      let start: Float64Array | undefined;
      const callback = ({ x, i }: FieldStep) => {
        if (i === 0) start = x.data;
      };
      const { points } = await sampleField(made, { count: 300, engine, steps: 400, from: 0.006, callback });
      const factor = Math.sqrt(s / (s + 0.006));
      let square = 0;
      points.data.forEach((value, k) => {
        square += (value - 0.5 - factor * (start![k] - 0.5)) ** 2 / points.data.length;
      });
      errors.push(Math.sqrt(square));
    }
    expect(errors[1]).toBeLessThan(3e-4);
    expect(errors[0] / errors[1]).toBeGreaterThan(3);
  });

  it('by Heun is better the more steps there are, and ends the share of each cell that it began with', async () => {
    const count = 100000;
    const half = (x: Float64Array) => {
      let sum = 0;
      for (let k = 1; k < x.length; k += 2) sum += x[k] > 5.75 ? 1 : 0;
      return sum / (x.length / 2);
    };
    const n = 24 * 32;
    const p = field.density.data.subarray(0, n);
    let wanted = 0;
    p.forEach((value, k) => {
      if (k % 32 >= 24) wanted += value * field.spacing[0] * field.spacing[1];
    });
    const { points } = await run({ count, steps: 100 });
    expect(Math.abs(half(points.data) - wanted)).toBeLessThan(5 * Math.sqrt((wanted * (1 - wanted)) / count));
  });

  it('stays in the rectangle, also for a single step and between any two levels', async () => {
    for (const options of [{ steps: 1 }, { from: 0.3, to: 0.01 }, { to: 0.05, steps: 1 }, { from: 1e-9 }]) {
      const { points } = await run({ ...options, sampler: 'euler-maruyama' });
      for (let k = 0; k < points.data.length; k += 2) {
        expect(points.data[k] >= -1 && points.data[k] <= -0.25).toBe(true);
        expect(points.data[k + 1] >= 5 && points.data[k + 1] <= 6).toBe(true);
      }
    }
  });

  it('ddim with eta 1 is ddpm; with eta 0 Euler', async () => {
    const points = async (options: Partial<SampleFieldOptions>) =>
      (await run({ count: 40, steps: 5, ...options })).points.data;
    const [ddpm, ddim] = [await points({ sampler: 'ddpm' }), await points({ sampler: 'ddim', eta: 1 })];
    ddim.forEach((value, k) => {
      expect(value).toBeCloseTo(ddpm[k], 9);
    });
    const [euler, still] = [await points({ sampler: 'euler' }), await points({ sampler: 'ddim' })];
    still.forEach((value, k) => {
      expect(value).toBeCloseTo(euler[k], 9);
    });
  });
});

describe('ends', () => {
  it('by its signal, and with what the callback throws; nothing is left', async () => {
    const before = engine.bytesInUse;
    await expect(run({ signal: AbortSignal.abort(new Error('early')) })).rejects.toThrow('early');
    const controller = new AbortController();
    const late = run({
      signal: controller.signal,
      callback: ({ i }) => (i === 3 ? controller.abort(new Error('late')) : undefined),
    });
    await expect(late).rejects.toThrow('late');
    await expect(run({ callback: () => Promise.reject(new Error('loud')) })).rejects.toThrow('loud');
    const aborted = precomputeField(
      { data: new Float64Array(16).fill(1), shape: [4, 4] },
      { engine, signal: AbortSignal.abort(new Error('no field')) },
    );
    await expect(aborted).rejects.toThrow('no field');
    expect(engine.bytesInUse).toBe(before);
  });

  it('with OUT_OF_MEMORY where the points do not fit', async () => {
    const small = await createEngine({ memoryLimit: 200000 });
    await expect(sampleField(field, { count: 100000, engine: small })).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
    });
    expect(small.bytesInUse).toBe(0);
    small.dispose();
    await expect(sampleField(field, { count: 10, engine: small })).rejects.toMatchObject({
      code: 'DISPOSED',
    });
  });
});

describe('bad input', () => {
  const density = { data: new Float64Array(6).fill(1), shape: [2, 3] };
  const cases: [string, SeedspanError['code'], RegExp, () => Promise<unknown>][] = [
    ['no points', 'INVALID_VALUE', /count is 0/, () => run({ count: 0 })],
    ['no count', 'INVALID_TYPE', /count/, () => run({ count: undefined as never })],
    ['no steps', 'INVALID_VALUE', /steps is 0/, () => run({ steps: 0 })],
    ['an unknown sampler', 'INVALID_VALUE', /sampler is "rk45"/, () => run({ sampler: 'rk45' as 'heun' })],
    [
      'a start beyond the levels',
      'INVALID_VALUE',
      /from is 1.5, outside .* from 0 to 1/,
      () => run({ from: 1.5 }),
    ],
    ['an end below them', 'INVALID_VALUE', /to is -0.1/, () => run({ to: -0.1 })],
    ['an end that is no number', 'INVALID_VALUE', /to is NaN/, () => run({ to: Number.NaN })],
    ['an end over the start', 'INVALID_VALUE', /must be over to/, () => run({ from: 0.1, to: 0.2 })],
    ['eta over 1', 'INVALID_VALUE', /eta/, () => run({ eta: 2 })],
    ['no ratio', 'INVALID_VALUE', /snr/, () => run({ snr: 0 })],
    ['a seed below 0', 'INVALID_VALUE', /seed/, () => run({ seed: -1 })],
    ['half a point', 'INVALID_VALUE', /firstPoint/, () => run({ firstPoint: 0.5 })],
    ['an unknown option', 'UNKNOWN_OPTION', /step/, () => run({ step: 4 } as Partial<SampleFieldOptions>)],
    ['a callback that is none', 'INVALID_TYPE', /callback/, () => run({ callback: 3 as never })],
    ['an engine that is none', 'INVALID_TYPE', /engine/, () => run({ engine: {} as Engine })],
    [
      'a field that is none',
      'SHAPE_MISMATCH',
      /precomputeField/,
      () => sampleField({} as PointField, { count: 1 }),
    ],
    [
      'a field with a level too few',
      'SHAPE_MISMATCH',
      /levels/,
      () => sampleField({ ...field, variances: field.variances.slice(1) }, { count: 1 }),
    ],
    [
      'a direct draw beyond the levels',
      'INVALID_VALUE',
      /variance is 9/,
      () => drawFromField(field, { count: 1, variance: 9 }),
    ],
    [
      'a density that is negative',
      'INVALID_VALUE',
      /data\[1\] is -1/,
      () => precomputeField({ data: Float64Array.of(1, -1), shape: [1, 2] }),
    ],
    [
      'a density that is 0',
      'INVALID_VALUE',
      /0 everywhere/,
      () => precomputeField({ data: new Float64Array(2), shape: [1, 2] }),
    ],
    [
      'a density that is not finite',
      'INVALID_VALUE',
      /data\[0\]/,
      () => precomputeField({ data: Float64Array.of(Infinity, 1), shape: [1, 2] }),
    ],
    [
      'a density of another shape',
      'SHAPE_MISMATCH',
      /shape/,
      () => precomputeField({ data: density.data, shape: [6] }),
    ],
    ['no levels', 'INVALID_VALUE', /levels is 0/, () => precomputeField(density, { levels: 0 })],
    ['no spacing', 'INVALID_VALUE', /spacing/, () => precomputeField(density, { spacing: 0 })],
    [
      'a first variance of 0',
      'INVALID_VALUE',
      /firstVariance 0/,
      () => precomputeField(density, { firstVariance: 0 }),
    ],
    [
      'variances that fall',
      'INVALID_VALUE',
      /firstVariance 2/,
      () => precomputeField(density, { firstVariance: 2, variance: 1 }),
    ],
    [
      'an origin of one number',
      'INVALID_VALUE',
      /origin/,
      () => precomputeField(density, { origin: [1] as never }),
    ],
    [
      'an unknown option of the field',
      'UNKNOWN_OPTION',
      /level/,
      () => precomputeField(density, { level: 3 } as never),
    ],
  ];
  it.each(cases)('%s', async (_, code, message, act) => {
    const used = engine.bytesInUse;
    await expect(act()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(engine.bytesInUse).toBe(used);
  });
});

describe('draws', () => {
  it('fill the cells by their mass, and each cell evenly', async () => {
    const next = random(2);
    const data = Float64Array.from({ length: 12 }, (_, k) => (k === 5 ? 0 : next()));
    const made = await precomputeField({ data, shape: [3, 4] }, { engine, levels: 1, spacing: [1, 2] });
    const count = 50000;
    const { data: x } = await drawFromField(made, { count, engine });
    const counts = new Float64Array(12);
    let inside = 0;
    for (let k = 0; k < x.length; k += 2) {
      counts[Math.floor(x[k]) * 4 + Math.floor(x[k + 1] / 2)]++;
      inside += (x[k] % 1) / count;
    }
    const total = data.reduce((sum, value) => sum + value, 0);
    counts.forEach((seen, k) => {
      const share = data[k] / total;
      expect(Math.abs(seen / count - share)).toBeLessThanOrEqual(
        5 * Math.sqrt((share * (1 - share)) / count),
      );
    });
    expect(Math.abs(inside - 0.5)).toBeLessThan(5 / Math.sqrt(12 * count));
  });
});
