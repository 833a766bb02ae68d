import { describe, expect, it } from 'vitest';
import {
  constantDiffusion,
  drawNoise,
  type PresetSde,
  type SamplerName,
  sample,
  sampleDdim,
  sampleDdpm,
  sampleEuler,
  sampleEulerMaruyama,
  sampleHeun,
  samplePredictorCorrector,
  sampleRk45,
  samplingTimes,
  varianceExploding,
  variancePreserving,
} from '../../../src/diffusion/index.ts';
import { orders } from '../fields.ts';
import { flow, type GaussianData, marginal, moments, scoreOf } from './gaussian.ts';

const EQUATIONS: [string, PresetSde][] = [
  ['ve', varianceExploding(5)],
  ['vp', variancePreserving({ betaMin: 0.5, betaMax: 4 })],
  ['constant', constantDiffusion(0.8)],
];
const data = (sde: PresetSde): GaussianData => ({ mean: 0.7, variance: 0.09, sde });
const start = { data: Float64Array.of(-1.3, 0.2, 2.1, 0.9), shape: [2, 2] };
const [FROM, TO] = [1, 0.05];

function worst(a: Float64Array, b: Float64Array): number {
  return Math.max(...a.map((value, k) => Math.abs(value - b[k])));
}

describe.each(EQUATIONS)('Gaussian data under %s', (_, sde) => {
  const exact = flow(data(sde), start.data, FROM, TO);
  const score = scoreOf(data(sde));

  it.each([
    ['euler', 1, [80, 160, 320]],
    ['heun', 2, [80, 160, 320]],
    ['ddim', 1, [80, 160, 320]],
  ] as [SamplerName, number, number[]][])('the flow by %s is of order %d', async (name, order, counts) => {
    const errors: number[] = [];
    for (const steps of counts) {
      const times = samplingTimes({ steps, from: FROM, to: TO });
      const { x, evaluations } = await sample(name, score, start, times, { sde });
      errors.push(worst(x.data, exact));
      expect(evaluations).toBe(name === 'heun' ? 2 * steps : steps);
    }
    for (const observed of orders(errors, counts)) expect(Math.abs(observed - order)).toBeLessThan(0.15);
  });

  it('the flow by rk45 with given steps is of order 5', async () => {
    const counts = [8, 16, 32, 64];
    const errors: number[] = [];
    for (const steps of counts) {
      const times = samplingTimes({ steps, from: FROM, to: TO });
      const { x, steps: taken } = await sampleRk45(score, start, times, {
        sde,
        rtol: Infinity,
        atol: Infinity,
      });
      errors.push(worst(x.data, exact));
      expect(taken).toEqual({ accepted: 2 * steps, rejected: 0 });
    }
    // Without drift the leading error passes through zero on the way, and single orders swing about the mean one.
    expect(orders([errors[0], errors[3]], [8, 64])[0]).toBeGreaterThan(4.5);
    if (sde.drift === undefined) return;
    for (const observed of orders(errors.slice(1), counts.slice(1))) {
      expect(Math.abs(observed - 5)).toBeLessThan(0.15);
    }
  });

  it.each([1e-3, 1e-6, 1e-9])('the flow by rk45 keeps to the tolerance %d', async (tolerance) => {
    const { x, evaluations, steps } = await sampleRk45(score, start, [FROM, TO], {
      sde,
      rtol: tolerance,
      atol: tolerance,
    });
    expect(worst(x.data, exact)).toBeLessThan(20 * tolerance);
    expect(evaluations).toBeGreaterThan(6);
    // Six a step, whether kept or not, and one at the start of each sample.
    expect(2 * evaluations).toBe(6 * (steps.accepted + steps.rejected) + 2);
  });

  it("ddim without noise is Euler's method in sqrt(variance) / scale; ddpm is ddim with eta 1", async () => {
    const times = samplingTimes({ steps: 7, from: FROM, to: TO });
    const { x } = await sampleDdim(score, start, times, { sde });
    let y = start.data.map((value) => value / sde.transition(FROM).scale);
    for (let i = 0; i < 7; i++) {
      const [a, b] = [sde.transition(times[i]), sde.transition(times[i + 1])];
      const s = scoreOf(data(sde))(
        y.map((value) => value * a.scale),
        times[i],
      ) as Float64Array;
      const h = Math.sqrt(b.variance) / b.scale - Math.sqrt(a.variance) / a.scale;
      y = y.map((value, k) => value - h * Math.sqrt(a.variance) * s[k]);
    }
    const end = sde.transition(TO).scale;
    expect(
      worst(
        x.data,
        y.map((value) => value * end),
      ),
    ).toBeLessThan(1e-13);
    const ddpm = await sampleDdpm(score, start, times, { sde, seed: 4 });
    const ddim = await sampleDdim(score, start, times, { sde, seed: 4, eta: 1 });
    expect(ddim.x).toEqual(ddpm.x);
    expect(worst(ddpm.x.data, x.data)).toBeGreaterThan(0.01);
  });

  it('a step of ddpm is the posterior of the paper, written with alphas', async () => {
    const [t, s] = [0.8, 0.6];
    const [a, b] = [sde.transition(t), sde.transition(s)];
    const still: GaussianData = { mean: 0, variance: 1, sde };
    const runs = await sampleDdpm(
      scoreOf(still),
      { data: new Float64Array(20000).fill(0.4), shape: [20000, 1] },
      [t, s],
      { sde },
    );
    const alpha = (a.scale / b.scale) ** 2;
    const beta = a.variance - alpha * b.variance;
    const x0 = (0.4 + a.variance * (-0.4 / marginal(still, t).variance)) / a.scale;
    const mean = (b.scale * beta * x0 + Math.sqrt(alpha) * b.variance * 0.4) / a.variance;
    const variance = (beta * b.variance) / a.variance;
    const seen = moments(runs.x.data);
    expect(Math.abs(seen.mean - mean)).toBeLessThan(5 * Math.sqrt(variance / 20000));
    expect(Math.abs(seen.variance / variance - 1)).toBeLessThan(0.05);
  });

  it('Euler-Maruyama moves the mean with order 1', async () => {
    // Two starts with the same noise: the score is linear, so their difference moves as the mean does.
    const counts = [100, 200, 400];
    const apart = async (steps: number) => {
      const times = samplingTimes({ steps, from: FROM, to: TO });
      const run = async (x: number) => {
        const { x: end } = await sampleEulerMaruyama(score, { data: Float64Array.of(x), shape: [1] }, times, {
          sde,
        });
        return end.data[0];
      };
      return (await run(1.5)) - (await run(0.5));
    };
    // d(difference)/dt = (a + g^2 / variance) difference, by Simpson's rule.
    const rate = (t: number) => sde.linearDrift(t) + sde.diffusion(t) ** 2 / marginal(data(sde), t).variance;
    let sum = 0;
    const pieces = 4000;
    const h = (FROM - TO) / pieces;
    for (let k = 0; k < pieces; k++) {
      const t = TO + k * h;
      sum += (h / 6) * (rate(t) + 4 * rate(t + h / 2) + rate(t + h));
    }
    const errors: number[] = [];
    for (const steps of counts) errors.push(Math.abs((await apart(steps)) - Math.exp(-sum)));
    if (sde.diffusion(0) === sde.diffusion(1)) {
      // The variance is linear in t: the steps' factors are its quotients, whose product is exact.
      expect(Math.max(...errors)).toBeLessThan(1e-12);
      return;
    }
    for (const observed of orders(errors, counts)) expect(Math.abs(observed - 1)).toBeLessThan(0.2);
  });

  it.each([
    ['euler-maruyama', 400],
    ['predictor-corrector', 400],
    ['ddpm', 400],
    ['ddim', 400],
  ] as [SamplerName, number][])('%s ends with mean and variance of the data', async (name, steps) => {
    // Many components a sample: the corrector's length is by the ratio of norms, which one component does not have.
    const shape = [100, 60];
    const count = 6000;
    const { mean, variance } = marginal(data(sde), FROM);
    const noise = drawNoise(shape, { sde: constantDiffusion(1), seed: 3 });
    const x = { data: noise.data.map((z) => mean + Math.sqrt(variance) * z), shape };
    const times = samplingTimes({ steps, from: FROM, to: TO });
    const options = name === 'ddim' ? { sde, seed: 5, eta: 0.6 } : { sde, seed: 5 };
    const end = moments((await sample(name, score, x, times, options)).x.data);
    const wanted = marginal(data(sde), TO);
    // Five standard errors, and what the steps' own error may be.
    expect(Math.abs(end.mean - wanted.mean)).toBeLessThan(5 * Math.sqrt(wanted.variance / count) + 0.01);
    expect(Math.abs(end.variance / wanted.variance - 1)).toBeLessThan(5 * Math.sqrt(2 / count) + 0.05);
  });
});

describe('noise', () => {
  it('has the variance of the equation, and is no part of what the steps draw', async () => {
    const sde = varianceExploding(3);
    const { data: z } = drawNoise([5000, 3], { sde, t: 0.5, seed: 1 });
    const { mean, variance } = moments(z);
    const wanted = sde.transition(0.5).variance;
    expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(wanted / z.length));
    expect(Math.abs(variance / wanted - 1)).toBeLessThan(5 * Math.sqrt(2 / z.length));
    const flat = await sampleEulerMaruyama(
      (x) => new Float64Array(x.length),
      { data: new Float64Array(15000), shape: [5000, 3] },
      [1, 0.5],
      { sde: constantDiffusion(1), seed: 1 },
    );
    const product = z.reduce((sum, value, k) => sum + value * flat.x.data[k], 0) / z.length;
    expect(Math.abs(product)).toBeLessThan(5 * Math.sqrt((wanted * 0.5) / z.length));
  });

  it('of the corrector has the length that the ratio asks for', async () => {
    const sde = constantDiffusion(1);
    const x = { data: new Float64Array(3000), shape: [1500, 2] };
    // A constant score s, and a predictor that hardly moves: e = 2 (r |z| / |s|)^2.
    const score = (y: Float64Array) => new Float64Array(y.length).fill(4);
    const times = [0.5 + 1e-12, 0.5];
    const without = await samplePredictorCorrector(score, x, times, { sde, correctorSteps: 0, seed: 2 });
    const steps = await samplePredictorCorrector(score, x, times, { sde, snr: 0.3, seed: 2 });
    const { mean } = moments(steps.x.data);
    // The mean of |z|^2 is 2, |s|^2 is 32: e is 2 * 0.09 * 2 / 32 in the mean, the way 4 e.
    expect(Math.abs(mean - (4 * 2 * 0.09 * 2) / 32)).toBeLessThan(0.02);
    expect(Math.max(...without.x.data.map(Math.abs))).toBeLessThan(1e-5);
    expect([without.evaluations, steps.evaluations]).toEqual([1, 2]);
  });
});

describe('Euler and Heun', () => {
  it('of a score that does not depend on x or t are exact', async () => {
    const sde = constantDiffusion(2);
    const score = (x: Float64Array) => new Float64Array(x.length).fill(0.25);
    for (const sampler of [sampleEuler, sampleHeun]) {
      const { x } = await sampler(score, { data: Float64Array.of(1, 2), shape: [2, 1] }, [1, 0.5, 0], {
        sde,
      });
      // dx/dt = -g^2 s / 2, backward through 1.
      expect([...x.data]).toEqual([1.5, 2.5]);
    }
  });
});
