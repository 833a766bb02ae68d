import { describe, expect, it } from 'vitest';
import {
  constantDiffusion,
  pictureDensity,
  precomputeScores,
  sampleField,
  variancePreserving,
} from '../../src/diffusion/index.ts';
import { runCosts, type WayResult } from '../../web/compute/costs.ts';
import { type PrecomputeOutput, runPrecompute } from '../../web/compute/precompute.ts';
import { stepSystem } from '../../web/compute/step-system.ts';
import { movePoints, startPoints } from '../../web/compute/travel.ts';
import { pointSet } from '../../web/point-sets.ts';
import { POINT_SETS, type PointSet } from '../../web/samples.ts';
import { DEFAULTS, SCHEMES, type Settings, schemeSettings, sdeName } from '../../web/settings.ts';

const SIZE = 32;
const picture = {
  data: Float32Array.from({ length: SIZE * SIZE }, (_, k) => (k % 7) / 14 + (k > 500 ? 0.5 : 0.1)),
  shape: [1, SIZE, SIZE],
};
const settings: Settings = { ...DEFAULTS, size: SIZE, levels: 6, sigma: 0.3 };
const quiet = () => ({ signal: new AbortController().signal, tell: () => {} });
const precompute = async (change: Partial<Settings> = {}): Promise<PrecomputeOutput> => {
  const input = { source: { kind: 'picture', picture } as const, settings: { ...settings, ...change } };
  return (await runPrecompute(input, quiet())).result;
};

describe('pre-computation in the worker', () => {
  it.each(SCHEMES)('gives what the package gives, by scheme %s', async (scheme) => {
    const preset = { ...schemeSettings(scheme), levels: 6, tolerance: 1e-6 } as const;
    const output = await precompute({ scheme, ...preset });
    const { sde } = output.report;
    const direct = await precomputeScores({
      images: { data: picture.data, shape: [1, 1, SIZE, SIZE] },
      scheme,
      steps: 6,
      fixedPoint: { rtol: 1e-6 },
    });
    expect(sde).toBe(direct.report.sde);
    expect(sde).toBe(sdeName(preset));
    expect(output.logDensity).toEqual(direct.logDensity.data);
    expect(output.scores).toEqual(direct.scores.data);
    expect(output.times).toHaveLength(scheme === 'na2024' ? 6 : 7);
    expect(output.scores).toHaveLength(output.times.length * output.components * SIZE * SIZE);
    expect(output.cover).toBeCloseTo(pictureDensity(picture).data.reduce((a, b) => a + b) / SIZE ** 2, 12);
  });

  it.each(Object.keys(POINT_SETS) as PointSet[])('takes the points of %s', async (name) => {
    const seen: string[] = [];
    const { result } = await runPrecompute(
      { source: { kind: 'set', name }, settings },
      { ...quiet(), tell: ({ stage }) => seen.push(stage) },
    );
    const { height, width, logDensity, field, report } = result;
    expect(Math.max(height, width)).toBe(SIZE);
    expect(logDensity.every(Number.isFinite)).toBe(true);
    expect(report.status).toBe('converged');
    expect([field.height, field.width]).toEqual([height, width]);
    expect(seen).toContain('solve');
    expect(seen.at(-1)).toBe('field');
  });

  it('gives the scheme that needs a square grid one', async () => {
    const { result } = await runPrecompute(
      {
        source: { kind: 'set', name: 'moons' },
        settings: { ...settings, scheme: 'na2024', equation: 've', sigma: 5 },
      },
      quiet(),
    );
    expect([result.height, result.width, result.field.height]).toEqual([SIZE, SIZE, SIZE]);
    // Empty cells at the sides are steep, and that scheme may break down there: it says so, and the start is whole.
    expect(result.logDensity.subarray(0, SIZE * SIZE).every(Number.isFinite)).toBe(true);
  });

  it('takes points from CSV, and says which line is none', async () => {
    const { data } = pointSet('moons', 300);
    const lines = Array.from({ length: 300 }, (_, k) => `${data[2 * k]},${data[2 * k + 1]}`);
    const run = (text: string[]) => {
      const bytes = new TextEncoder().encode(text.join('\n')).slice().buffer;
      return runPrecompute({ source: { kind: 'csv', name: 'a.csv', bytes }, settings }, quiet());
    };
    expect((await run(['x,y', ...lines])).result.count).toBe(300);
    await expect(run([...lines, 'three,4'])).rejects.toThrow(/line 301, entry 1 is "three"/);
    await expect(run([...lines, '1,'])).rejects.toThrow(/line 301, entry 2 is empty/);
    await expect(run(['1,2', '1,2'])).rejects.toThrow(/all points are the same/);
  });

  it('ends by the signal', async () => {
    const controller = new AbortController();
    const source = { kind: 'picture', picture } as const;
    const run = runPrecompute(
      { source, settings },
      { signal: controller.signal, tell: () => controller.abort() },
    );
    await expect(run).rejects.toThrow(/abort/i);
  });
});

describe('the system of a step', () => {
  it.each([constantDiffusion(0.3), variancePreserving({ betaMax: 2 })])(
    'is solved by the field that the kernel computed, at the fixed point',
    async (sde) => {
      const shape = [1, 1, 20, 24];
      const initial = Float64Array.from({ length: 480 }, (_, k) => Math.sin(k / 5) + (k % 24) / 9);
      const spacing = [1 / 19, 1 / 23] as const;
      const { logDensity, report } = await precomputeScores({
        initialLogDensity: { data: initial, shape },
        sde,
        steps: 4,
        spacing,
        rtol: 1e-13,
        fixedPoint: { rtol: 1e-12, maxiter: 60 },
      });
      expect(report.status).toBe('converged');
      for (let level = 1; level <= 4; level++) {
        const at = (k: number) => logDensity.data.slice(k * 480, (k + 1) * 480);
        const [t, before] = [report.times[level], report.times[level - 1]];
        const { A, b } = stepSystem(
          { iterate: at(level), before: at(level - 1) },
          { height: 20, width: 24, spacing },
          { sde, t, dt: t - before },
        );
        const product = A.multiply(at(level));
        const norm = Math.hypot(...b);
        expect(Math.hypot(...product.map((value, k) => value - b[k])) / norm).toBeLessThan(1e-11);
      }
    },
  );
});

describe('costs', () => {
  it('are measured for every way, each with a residual that was computed', async () => {
    const output = await precompute();
    const n = SIZE * SIZE;
    const at = (k: number) => output.logDensity.slice(k * n, (k + 1) * n);
    const ways: WayResult[] = [];
    const { result } = await runCosts(
      {
        height: SIZE,
        width: SIZE,
        spacing: output.spacing,
        sde: 'constant:0.3',
        levels: [at(0), at(1), at(2)],
        times: [output.times[0], output.times[1], output.times[2]],
      },
      { ...quiet(), tell: (way) => ways.push(way) },
    );
    expect(result.n).toBe(n);
    expect(ways).toHaveLength(9);
    for (const { way, status, residual, history, iterations, time } of ways) {
      expect(time, way).toBeGreaterThan(0);
      expect(status === 'converged', way).toBe(residual <= 1e-8);
      if (way !== 'Direct (LU)') expect(history.length, way).toBe(iterations + 1);
    }
    expect(ways.filter(({ status }) => status === 'converged').length).toBeGreaterThanOrEqual(7);
  });
});

describe('points on their way', () => {
  it.each(['heun', 'euler-maruyama'] as const)('arrive where sampleField puts them, by %s', async (way) => {
    const { field } = await precompute();
    const start = { field, count: 500, frames: 12, way, seed: 3 };
    let { result } = await startPoints(start, quiet());
    expect([result.frame, result.of]).toEqual([0, 12]);
    for (let k = 1; k <= 12; k++) {
      const used = k % 2 === 0 ? result.points.slice().buffer : undefined;
      result = (await movePoints({ buffer: used }, quiet())).result;
      expect(result.frame).toBe(k);
    }
    expect(result.deviation).toBe(0);
    // At the end, a step more changes nothing.
    expect((await movePoints({ buffer: undefined }, quiet())).result.points).toEqual(result.points);
    const { points } = await sampleField(field, { count: 500, steps: 12, sampler: way, seed: 3 });
    expect(result.points).toEqual(Float32Array.from(points.data));
  });
});
