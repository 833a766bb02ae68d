import { describe, expect, it } from 'vitest';
import { sampleDdim, sampleDdpm, sampleHeun } from '../../src/diffusion/index.ts';
import { randomStream } from '../../src/diffusion/random.ts';
import { ddpmSchedule } from '../../src/training/index.ts';

const schedule = ddpmSchedule();
const { betas, alphaBars } = schedule;

describe('the schedule of DDPM', () => {
  it('has the betas of the paper, and their products', () => {
    expect([betas.length, alphaBars.length]).toEqual([1000, 1001]);
    expect([betas[0], betas[999]]).toEqual([1e-4, 0.02]);
    expect(betas[500] - betas[499]).toBeCloseTo((0.02 - 1e-4) / 999, 15);
    let product = 1;
    for (let k = 0; k < 1000; k++) {
      product *= 1 - betas[k];
      expect(alphaBars[k + 1] / product).toBeCloseTo(1, 10);
    }
    // Known of this schedule.
    expect(alphaBars[1000]).toBeCloseTo(4.0358e-5, 8);
  });

  it('as an equation: its transitions at the steps, and the integral of its coefficients between', () => {
    for (const k of [0, 1, 2, 499, 1000]) {
      const { scale, variance } = schedule.transition(k / 1000);
      expect(scale).toBeCloseTo(Math.sqrt(alphaBars[k]), 12);
      expect(variance).toBeCloseTo(1 - alphaBars[k], 12);
    }
    // Between: beta(t) is constant, so log scale is linear.
    const at = (t: number) => Math.log(schedule.transition(t).scale);
    expect(at(0.2505)).toBeCloseTo((at(0.25) + at(0.251)) / 2, 12);
    expect((at(0.2507) - at(0.2503)) / 0.0004).toBeCloseTo(schedule.linearDrift(0.2505), 8);
    expect(schedule.diffusion(0.2505) ** 2).toBeCloseTo(-2 * schedule.linearDrift(0.2505), 12);
  });

  it('finds the step of a noise level', () => {
    const step = schedule.stepOfNoise(1.012);
    const level = (k: number) => Math.sqrt((1 - alphaBars[k]) / alphaBars[k]);
    expect(level(step)).toBeGreaterThanOrEqual(1.012);
    expect(level(step - 1)).toBeLessThan(1.012);
    expect(schedule.stepOfNoise(0)).toBe(0);
    expect(schedule.stepOfNoise(1e9)).toBe(1000);
  });

  it.each([
    [{ steps: 0 }, /steps/],
    [{ betaMin: 0 }, /betaMin 0 and betaMax 0.02/],
    [{ betaMin: 0.1, betaMax: 0.05 }, /in this order/],
    [{ beta: 1 } as object, /unknown option "beta"/],
  ])('refuses %j', (options, message) => {
    expect(() => ddpmSchedule(options)).toThrow(message);
  });
});

describe('sampling with the exact noise of a Gaussian', () => {
  const [MEAN, VARIANCE] = [0.3, 0.2];
  const score = (x: Float64Array, t: number) => {
    const { scale, variance } = schedule.transition(t);
    return x.map((value) => (scale * MEAN - value) / (scale * scale * VARIANCE + variance));
  };
  const count = 20_000;
  const random = randomStream(3);
  const x = { data: Float64Array.from({ length: count }, () => random.normal()), shape: [count, 1] };
  const times = (steps: number, last: number) =>
    Array.from({ length: steps + 1 }, (_, k) => Math.round(1000 + (k / steps) * (last - 1000)) / 1000);
  const moments = ({ data }: { data: Float64Array }) => {
    const mean = data.reduce((sum, value) => sum + value, 0) / count;
    return [mean, data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count];
  };

  it('ancestral steps are those of the posterior in closed form', async () => {
    const at = (k: number) => k / 1000;
    for (const k of [2, 300, 1000]) {
      const one = { data: Float64Array.of(0.7), shape: [1, 1] };
      const drawn = await sampleDdpm(score, one, [at(k), at(k - 1)], { sde: schedule, seed: 4 });
      const z = randomStream(4, 1).normal();
      // Equations 6 and 7 of arXiv 2006.11239, with x_0 from the noise.
      const [bar, before, beta] = [alphaBars[k], alphaBars[k - 1], betas[k - 1]];
      const epsilon = -Math.sqrt(1 - bar) * score(one.data, at(k))[0];
      const start = (0.7 - Math.sqrt(1 - bar) * epsilon) / Math.sqrt(bar);
      const mean =
        (Math.sqrt(before) * beta * start) / (1 - bar) +
        (Math.sqrt(1 - beta) * (1 - before) * 0.7) / (1 - bar);
      const expected = mean + Math.sqrt(((1 - before) / (1 - bar)) * beta) * z;
      expect(drawn.x.data[0]).toBeCloseTo(expected, 9);
    }
  });

  it.each([
    ['DDPM, all steps', () => sampleDdpm(score, x, times(1000, 0), { sde: schedule, seed: 1 })],
    ['DDIM, 250 steps', () => sampleDdim(score, x, times(250, 0), { sde: schedule })],
    ['Heun, 100 steps', () => sampleHeun(score, x, times(100, 1), { sde: schedule })],
  ])('%s: its mean and variance come back', async (_name, draw) => {
    const [mean, variance] = moments((await draw()).x);
    expect(Math.abs(mean - MEAN)).toBeLessThan(0.012);
    expect(Math.abs(variance - VARIANCE)).toBeLessThan(0.008);
  });
});
