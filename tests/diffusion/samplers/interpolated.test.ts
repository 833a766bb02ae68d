import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  constantDiffusion,
  gaussianLogDensity,
  gaussianScore,
  interpolatedScore,
  type PrecomputeResult,
  precomputeScores,
  sampleHeun,
} from '../../../src/diffusion/index.ts';
import { createEngine } from '../../../src/solver/create-engine.ts';
import type { Engine } from '../../../src/solver/engine.ts';
import { onGrid, orders } from '../fields.ts';

const sde = constantDiffusion(1);
/** Narrow enough that the border of the unit square hardly feels it. */
const data = { mean: [0.5, 0.45] as const, variance: 0.006, sde };
const TIMES = [0, 0.0005, 0.001, 0.002, 0.004];
let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  engine.dispose();
});

const fieldOf = (n: number, times: readonly number[] = TIMES): Promise<PrecomputeResult> =>
  precomputeScores({
    initialLogDensity: {
      data: onGrid((x, y) => gaussianLogDensity(x, y, 0, data), n, n, 0),
      shape: [1, 1, n, n],
    },
    sde,
    times,
    timeStepping: 'crank-nicolson',
    engine,
  });

describe('a pre-computed score between the points of its grid', () => {
  it('has the levels that were asked for', async () => {
    const { report, scores } = await fieldOf(8);
    expect(report.times).toEqual(TIMES);
    expect(report.status).toBe('converged');
    expect(scores.shape).toEqual([1, 5, 1, 2, 8, 8]);
  });

  it('is that of the grid on it, and the mean of neighbours in space and time between', async () => {
    const result = await fieldOf(9);
    const score = interpolatedScore(result);
    const at = (level: number, axis: number, i: number, j: number) =>
      result.scores.data[((level * 2 + axis) * 9 + i) * 9 + j];
    const [x, y] = await score(Float64Array.of(3 / 8, 5 / 8), 0.001);
    expect([x, y]).toEqual([at(2, 0, 3, 5), at(2, 1, 3, 5)]);
    const between = await score(Float64Array.of(3.5 / 8, 5 / 8), 0.0015);
    const wanted = (at(2, 0, 3, 5) + at(2, 0, 4, 5) + at(3, 0, 3, 5) + at(3, 0, 4, 5)) / 4;
    expect(between[0]).toBeCloseTo(wanted, 10);
    expect((await score(Float64Array.of(1, 1), 0.004))[0]).toBe(at(4, 0, 8, 8));
  });

  it('is continued by reflection, which turns the slope around', async () => {
    const score = interpolatedScore(await fieldOf(9));
    const inside = await score(Float64Array.of(0.1, 0.3), 0.001);
    for (const [point, signs] of [
      [
        [-0.1, 0.3],
        [-1, 1],
      ],
      [
        [1.9, 0.3],
        [-1, 1],
      ],
      [
        [0.1, 2.3],
        [1, 1],
      ],
      [
        [2.1, -0.3],
        [1, -1],
      ],
    ]) {
      const mirrored = await score(Float64Array.from(point), 0.001);
      mirrored.forEach((value, k) => {
        expect(value).toBeCloseTo(signs[k] * inside[k], 9);
      });
    }
  });

  it('takes points back along the exact flow, to second order in the grid', async () => {
    const start = { data: Float64Array.of(0.43, 0.52, 0.6, 0.38, 0.5, 0.55), shape: [3, 2] };
    const factor = Math.sqrt(data.variance / (data.variance + 0.004));
    const times = Array.from({ length: 41 }, (_, k) => (0.004 * k) / 40);
    const errors: number[] = [];
    for (const n of [17, 33]) {
      const { x } = await sampleHeun(
        interpolatedScore(await fieldOf(n, times)),
        start,
        [...times].reverse(),
        { sde },
      );
      let worst = 0;
      x.data.forEach((value, k) => {
        const mean = data.mean[k % 2];
        worst = Math.max(worst, Math.abs(value - mean - factor * (start.data[k] - mean)));
      });
      errors.push(worst);
    }
    expect(errors[1]).toBeLessThan(1e-3);
    expect(orders(errors, [16, 32])[0]).toBeGreaterThan(1.7);
  });

  it('is near the exact score', async () => {
    const score = interpolatedScore(await fieldOf(65));
    const [x, y] = await score(Float64Array.of(0.437, 0.561), 0.004);
    const [p, q] = gaussianScore(0.437, 0.561, 0.004, data);
    expect(Math.abs(x - p)).toBeLessThan(0.02 * Math.abs(p));
    expect(Math.abs(y - q)).toBeLessThan(0.02 * Math.abs(q));
  });
});

describe('bad input', () => {
  it.each([
    ['a time beyond the levels', 'INVALID_VALUE', { t: 0.005 }],
    ['a time before them', 'INVALID_VALUE', { t: -1e-9 }],
    ['no time', 'INVALID_VALUE', { t: Number.NaN }],
    ['half a point', 'SHAPE_MISMATCH', { x: Float64Array.of(1) }],
    ['an image that is not there', 'INVALID_VALUE', { options: { image: 1 } }],
    ['a channel that is not there', 'INVALID_VALUE', { options: { channel: 3 } }],
    ['no spacing', 'INVALID_VALUE', { options: { spacing: 0 } }],
    ['an unknown option', 'UNKNOWN_OPTION', { options: { level: 0 } as object }],
  ])(
    '%s',
    async (_, code, {
      t = 0,
      x = new Float64Array(2),
      options = {},
    }: { t?: number; x?: Float64Array; options?: object }) => {
      const result = await fieldOf(5);
      expect(() => interpolatedScore(result, options)(x, t)).toThrow(expect.objectContaining({ code }));
    },
  );

  it('a result of na2024, which has one component', async () => {
    const images = { data: new Float64Array(16).map((_, k) => k / 16), shape: [1, 1, 4, 4] };
    const result = await precomputeScores({ images, scheme: 'na2024', steps: 3, engine });
    expect(() => interpolatedScore(result)).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH' }));
  });

  it.each([
    ['times beside steps', { times: [0, 1], steps: 4 }, 'INVALID_VALUE'],
    ['times beside T', { times: [0, 1], T: 1 }, 'INVALID_VALUE'],
    ['times that do not begin at 0', { times: [0.1, 1] }, 'INVALID_VALUE'],
    ['times that fall', { times: [0, 1, 0.5] }, 'INVALID_VALUE'],
    ['one time', { times: [0] }, 'INVALID_VALUE'],
    ['infinite times', { times: [0, Infinity] }, 'INVALID_VALUE'],
    ['times that are text', { times: '0,1' as never }, 'INVALID_TYPE'],
    ['times of another scheme', { times: [0, 1], scheme: 'lau2025' as const }, 'INVALID_VALUE'],
  ])('%s', async (_, options, code) => {
    const initialLogDensity = { data: new Float64Array(16), shape: [1, 1, 4, 4] };
    await expect(precomputeScores({ initialLogDensity, engine, ...options })).rejects.toMatchObject({ code });
  });
});
