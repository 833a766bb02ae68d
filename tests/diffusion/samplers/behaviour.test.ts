import { describe, expect, it } from 'vitest';
import {
  constantDiffusion,
  drawNoise,
  SAMPLERS,
  type SamplerName,
  type SamplerStep,
  sample,
  sampleDdim,
  sampleHeun,
  samplePredictorCorrector,
  sampleRk45,
  samplingTimes,
  varianceExploding,
} from '../../../src/diffusion/index.ts';
import type { SeedspanError } from '../../../src/errors.ts';
import { type GaussianData, scoreOf } from './gaussian.ts';

const sde = varianceExploding(4);
const data: GaussianData = { mean: -0.2, variance: 0.25, sde };
const score = scoreOf(data);
const times = samplingTimes({ steps: 6, to: 0.01 });
const NAMES = Object.keys(SAMPLERS) as SamplerName[];

describe.each(NAMES)('%s', (name) => {
  it('gives a sample the same numbers in any batch, and leaves x as it is', async () => {
    const x = drawNoise([7, 2, 3], { sde, seed: 8 });
    const copy = x.data.slice();
    const whole = await sample(name, score, x, times, { sde, seed: 8 });
    expect(x.data).toEqual(copy);
    expect(whole.x.shape).toEqual([7, 2, 3]);
    const parts: number[] = [];
    for (const [first, count] of [
      [0, 1],
      [1, 4],
      [5, 2],
    ]) {
      const part = drawNoise([count, 2, 3], { sde, seed: 8, firstSample: first });
      expect(part.data).toEqual(x.data.slice(6 * first, 6 * (first + count)));
      parts.push(...(await sample(name, score, part, times, { sde, seed: 8, firstSample: first })).x.data);
    }
    expect(Float64Array.from(parts)).toEqual(whole.x.data);
  });

  it('calls back before each step, with the mean of the data given x', async () => {
    const steps: SamplerStep[] = [];
    const x = drawNoise([2, 1], { sde });
    await sample(name, score, x, times, { sde, callback: (step) => void steps.push(step) });
    expect(steps.map(({ i }) => i)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(steps.map(({ t }) => t)).toEqual([...times].slice(0, 6));
    expect(steps[0].x).toEqual(x);
    for (const { x: at, t, denoised } of steps) {
      const { variance } = sde.transition(t);
      at.data.forEach((value, k) => {
        // Bayes' rule for two Gaussians.
        const wanted = (data.mean * variance + value * data.variance) / (variance + data.variance);
        expect(denoised.data[k]).toBeCloseTo(wanted, 12);
      });
    }
  });

  it('ends when it is aborted, and with what score or callback throw', async () => {
    const x = drawNoise([2, 1], { sde });
    const controller = new AbortController();
    const aborted = sample(name, score, x, times, {
      sde,
      signal: controller.signal,
      callback: ({ i }) => {
        if (i === 2) controller.abort(new Error('enough'));
      },
    });
    await expect(aborted).rejects.toThrow('enough');
    const early = sample(name, score, x, times, { sde, signal: AbortSignal.abort(new Error('before')) });
    await expect(early).rejects.toThrow('before');
    const failing = sample(name, () => Promise.reject(new Error('no score')), x, times, { sde });
    await expect(failing).rejects.toThrow('no score');
    const loud = sample(name, score, x, times, { sde, callback: () => Promise.reject(new Error('loud')) });
    await expect(loud).rejects.toThrow('loud');
  });

  it('takes a score that comes later', async () => {
    const x = drawNoise([2, 1], { sde });
    const later = await sample(name, async (y, t) => score(y, t), x, times, { sde });
    expect(later).toEqual(await sample(name, score, x, times, { sde }));
  });
});

describe('bad input', () => {
  const x = drawNoise([2, 1], { sde });
  const errorOf = async (run: () => unknown): Promise<Pick<SeedspanError, 'code' | 'message'>> => {
    try {
      await run();
    } catch (error) {
      return error as SeedspanError;
    }
    throw new Error('nothing was thrown');
  };
  const cases: [string, string, RegExp, () => unknown][] = [
    [
      'an unknown sampler',
      'INVALID_VALUE',
      /must be "euler-maruyama"/,
      () => sample('rk4' as 'rk45', score, x, times, { sde }),
    ],
    ['no steps', 'INVALID_VALUE', /steps is 0/, () => samplingTimes({ steps: 0 })],
    ['times that end below 0', 'INVALID_VALUE', /to/, () => samplingTimes({ steps: 2, to: -1 })],
    [
      'geometric times to 0',
      'INVALID_VALUE',
      /over 0/,
      () => samplingTimes({ steps: 2, to: 0, spacing: 'geometric' }),
    ],
    [
      'times that rise',
      'INVALID_VALUE',
      /times\[1\] is 0.7/,
      () => sampleHeun(score, x, [0.5, 0.7], { sde }),
    ],
    ['one time', 'INVALID_VALUE', /needs two/, () => sampleHeun(score, x, [1], { sde })],
    [
      'a time that is negative',
      'INVALID_VALUE',
      /times\[1\]/,
      () => sampleHeun(score, x, [1, -0.1], { sde }),
    ],
    [
      'times that are text',
      'INVALID_TYPE',
      /times/,
      () => sampleHeun(score, x, '10' as unknown as number[], { sde }),
    ],
    [
      'no function',
      'INVALID_TYPE',
      /score/,
      () => sampleHeun(1 as unknown as typeof score, x, times, { sde }),
    ],
    [
      'a score of another length',
      'INVALID_TYPE',
      /Float64Array of 2/,
      () => sampleHeun(() => new Float64Array(3), x, times, { sde }),
    ],
    [
      'a score that is no array',
      'INVALID_TYPE',
      /score must/,
      () => sampleHeun((() => 3) as unknown as typeof score, x, times, { sde }),
    ],
    [
      'a score that is no number',
      'INVALID_VALUE',
      /NaN/,
      () => sampleHeun((y) => y.map(() => Number.NaN), x, times, { sde }),
    ],
    [
      'an equation without closed form',
      'INVALID_TYPE',
      /preset/,
      () => sampleHeun(score, x, times, { sde: { diffusion: () => 1 } as unknown as typeof sde }),
    ],
    [
      'an unknown option',
      'UNKNOWN_OPTION',
      /eta/,
      () => sampleHeun(score, x, times, { sde, eta: 1 } as { sde: typeof sde }),
    ],
    [
      'no options',
      'INVALID_TYPE',
      /options/,
      () => sampleHeun(score, x, times, undefined as unknown as { sde: typeof sde }),
    ],
    [
      'x of another shape',
      'SHAPE_MISMATCH',
      /needs 3/,
      () => sampleHeun(score, { data: x.data, shape: [3] }, times, { sde }),
    ],
    [
      'x that is not finite',
      'INVALID_VALUE',
      /data\[0\]/,
      () => sampleHeun(score, { data: Float64Array.of(Number.NaN), shape: [1] }, times, { sde }),
    ],
    ['a seed below 0', 'INVALID_VALUE', /seed/, () => sampleHeun(score, x, times, { sde, seed: -1 })],
    ['eta over 1', 'INVALID_VALUE', /eta/, () => sampleDdim(score, x, times, { sde, eta: 1.5 })],
    ['no ratio', 'INVALID_VALUE', /snr/, () => samplePredictorCorrector(score, x, times, { sde, snr: 0 })],
    [
      'half a corrector',
      'INVALID_VALUE',
      /correctorSteps/,
      () => samplePredictorCorrector(score, x, times, { sde, correctorSteps: 0.5 }),
    ],
    ['no tolerance', 'INVALID_VALUE', /rtol/, () => sampleRk45(score, x, times, { sde, rtol: 0, atol: 0 })],
    ['a negative tolerance', 'INVALID_VALUE', /atol/, () => sampleRk45(score, x, times, { sde, atol: -1 })],
    [
      'another control',
      'INVALID_VALUE',
      /control/,
      () => sampleRk45(score, x, times, { sde, control: 'all' as 'batch' }),
    ],
    [
      'a callback that is none',
      'INVALID_TYPE',
      /callback/,
      () => sampleHeun(score, x, times, { sde, callback: 1 as never }),
    ],
    [
      'a signal that is none',
      'INVALID_TYPE',
      /signal/,
      () => sampleHeun(score, x, times, { sde, signal: 1 as never }),
    ],
    ['noise of no shape', 'INVALID_TYPE', /shape/, () => drawNoise([], { sde })],
    ['noise at no time', 'INVALID_VALUE', /variance/, () => drawNoise([1], { sde, t: Number.NaN })],
    [
      'ddim where there is no noise',
      'INVALID_VALUE',
      /variance at t = 0.5/,
      () => sampleDdim(score, x, [0.5, 0], { sde: constantDiffusion(0) }),
    ],
  ];
  it.each(cases)('%s', async (_, code, message, run) => {
    const error = await errorOf(run);
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
  });

  it('rk45 gives up where the score is not smooth at any scale', async () => {
    const wild = (y: Float64Array, t: number) => y.map(() => (t < 0.5 ? 1e30 * Math.sin(1e15 * t) : 0));
    const error = await errorOf(() => sampleRk45(wild, x, [1, 0.1], { sde, rtol: 1e-12, atol: 1e-12 }));
    expect(error.message).toMatch(/too small at t = 0\.[45]/);
  });
});

describe('rk45 for a batch together', () => {
  it('has one sequence of steps, and the answer within the tolerance', async () => {
    const x = drawNoise([5, 2], { sde });
    const alone = await sampleRk45(score, x, times, { sde, rtol: 1e-8, atol: 1e-8 });
    const together = await sampleRk45(score, x, times, { sde, rtol: 1e-8, atol: 1e-8, control: 'batch' });
    together.x.data.forEach((value, k) => {
      expect(Math.abs(value - alone.x.data[k])).toBeLessThan(1e-6);
    });
    expect(together.steps.accepted).toBeLessThan(alone.steps.accepted);
  });
});
