import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HeatFlow, heatKernel } from '../../../src/diffusion/field/heat-flow.ts';
import { precomputeField } from '../../../src/diffusion/index.ts';
import { createEngine } from '../../../src/solver/create-engine.ts';
import type { Engine } from '../../../src/solver/engine.ts';
import { BUILDS } from '../../kernel/harness.ts';
import { random } from '../../twins/random.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  expect(engine.bytesInUse).toBe(0);
  engine.dispose();
});

function field(height: number, width: number, seed: number): Float64Array {
  const next = random(seed);
  return Float64Array.from({ length: height * width }, () => (next() < 0.3 ? 0 : next()));
}

/** The five-point right-hand side in conservation form: what crosses a face leaves one cell and enters the other. */
function rate(
  p: Float64Array,
  height: number,
  width: number,
  [dx, dy]: readonly [number, number],
): Float64Array {
  const change = new Float64Array(p.length);
  const exchange = (a: number, b: number, h: number) => {
    const flux = (p[b] - p[a]) / (2 * h * h);
    change[a] += flux;
    change[b] -= flux;
  };
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      if (i + 1 < height) exchange(i * width + j, (i + 1) * width + j, dx);
      if (j + 1 < width) exchange(i * width + j, i * width + j + 1, dy);
    }
  }
  return change;
}

/** Classical Runge-Kutta steps, small ones. */
function integrated(
  p: Float64Array,
  height: number,
  width: number,
  spacing: readonly [number, number],
  variance: number,
  steps: number,
): Float64Array {
  const h = variance / steps;
  let now = p;
  const ahead = (k: Float64Array, by: number) => now.map((value, c) => value + by * k[c]);
  for (let s = 0; s < steps; s++) {
    const a = rate(now, height, width, spacing);
    const b = rate(ahead(a, h / 2), height, width, spacing);
    const c = rate(ahead(b, h / 2), height, width, spacing);
    const d = rate(ahead(c, h), height, width, spacing);
    now = now.map((value, k) => value + (h / 6) * (a[k] + 2 * b[k] + 2 * c[k] + d[k]));
  }
  return now;
}

describe('the heat kernel on a line of cells', () => {
  it.each([1e-20, 1e-12, 0.01, 1, 30, 4096, 1e6])(
    'of tau = %d is positive, even, of mass 1 and variance tau',
    (tau) => {
      const kernel = heatKernel(tau);
      const both = (weight: (d: number) => number) =>
        kernel.reduce((sum, value, d) => sum + (d === 0 ? 1 : 2) * weight(d) * value, 0);
      expect(both(() => 1)).toBeCloseTo(1, 13);
      expect(Math.abs(both((d) => d * d) - tau)).toBeLessThan(1e-11 * tau);
      expect(kernel.every((value) => value > 0)).toBe(true);
    },
  );

  it.each([0.3, 1, 5, 20])('has the values of the power series of e^-x I_d(x) at x = %d', (x) => {
    const kernel = heatKernel(x);
    for (let d = 0; d < 8; d++) {
      let term = Math.exp(-x);
      for (let k = 1; k <= d; k++) term *= x / 2 / k;
      let sum = 0;
      for (let k = 1; k < 100; k++) {
        sum += term;
        term *= (x * x) / 4 / (k * (k + d));
      }
      expect(Math.abs(kernel[d] / sum - 1)).toBeLessThan(1e-13);
    }
  });

  it('stays a cell where the variance is below all numbers', () => {
    expect([...heatKernel(1e-100)]).toEqual([1]);
  });
});

describe('the heat flow', () => {
  it.each([
    [6, 9, [0.3, 0.2], 0.5],
    [1, 12, [1, 0.5], 2],
    [7, 1, [0.25, 1], 1],
    [5, 5, [1, 1], 60],
  ] as [number, number, [number, number], number][])(
    'on %i x %i cells %j is the five-point equation, integrated',
    (height, width, spacing, variance) => {
      const p = field(height, width, height);
      const flow = new HeatFlow(engine.kernel, height, width, spacing);
      const wanted = integrated(p, height, width, spacing, variance, 4000);
      flow.apply(p, variance).forEach((value, k) => {
        expect(Math.abs(value - wanted[k])).toBeLessThan(1e-9);
      });
      flow.dispose();
    },
  );

  it('says what stays of a cell in that cell', () => {
    const flow = new HeatFlow(engine.kernel, 4, 5, [1, 0.7]);
    const kept = flow.kept(0.8);
    for (const k of [0, 7, 19]) {
      const one = new Float64Array(20);
      one[k] = 1;
      expect(kept[k]).toBeCloseTo(flow.apply(one, 0.8)[k], 14);
    }
    flow.dispose();
  });

  it('in two steps is that of their sum, and none with variance 0', () => {
    const p = field(8, 6, 3);
    const flow = new HeatFlow(engine.kernel, 8, 6, [0.1, 0.1]);
    const twice = flow.apply(flow.apply(p, 0.01), 0.03);
    flow.apply(p, 0.04).forEach((value, k) => {
      expect(Math.abs(value - twice[k])).toBeLessThan(1e-14);
    });
    expect(flow.apply(p, 0)).toEqual(p);
    flow.dispose();
  });
});

describe.each(BUILDS)('a pre-computed field, %s', (build) => {
  it('keeps mass to 1e-12, never becomes negative, and ends nearly even', async () => {
    const own = await createEngine({ build });
    const data = field(64, 48, 5);
    const { variances, density, spacing, height, width } = await precomputeField(
      { data, shape: [64, 48] },
      { engine: own },
    );
    expect([height, width, density.shape, variances.length]).toEqual([64, 48, [61, 64, 48], 61]);
    expect([variances[0], variances[60]]).toEqual([0, 1]);
    const ratios = Array.from(variances.subarray(2), (v, k) => v / variances[k + 1]);
    for (const ratio of ratios) expect(ratio).toBeCloseTo(ratios[0], 10);
    const n = 64 * 48;
    for (let level = 0; level < 61; level++) {
      const p = density.data.subarray(level * n, (level + 1) * n);
      const mass = p.reduce((sum, value) => sum + value, 0) * spacing[0] * spacing[1];
      expect(Math.abs(mass - 1)).toBeLessThan(1e-12);
      expect(Math.min(...p)).toBeGreaterThanOrEqual(0);
    }
    const last = density.data.subarray(60 * n);
    expect(Math.max(...last) / Math.min(...last)).toBeLessThan(1.05);
    expect(own.bytesInUse).toBe(0);
    own.dispose();
  });
});

describe('a variance beyond all reason', () => {
  it.each([1e6, 2 ** 53, 1e308])('%d is even, at once, and keeps the mass', async (variance) => {
    const density = { data: field(5, 7, 3), shape: [5, 7] };
    const { density: levels, spacing } = await precomputeField(density, { levels: 1, variance, engine });
    const last = levels.data.subarray(35);
    const cell = spacing[0] * spacing[1];
    for (const value of last) expect(value * 35 * cell).toBeCloseTo(1, 12);
  });
});
