import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  drawNoise,
  type Parametrisation,
  type PresetSde,
  sampleRk45,
  varianceExploding,
} from '../../src/diffusion/index.ts';
import { randomStream } from '../../src/diffusion/random.ts';
import { parseSde } from '../../src/diffusion/sde.ts';
import {
  ddpmSchedule,
  loadTensors,
  modelScore,
  type Network,
  noisyPictures,
  type SampleModelOptions,
  type ScoreModel,
  sampleModel,
  type TrainingSettings,
} from '../../src/training/index.ts';
import { resolveSettings } from '../../src/training/settings.ts';
import { maxDifference } from '../diffusion/reference.ts';
import { tensorsLeft } from './pictures.ts';

const tf = await loadTensors();
const SHAPE: [number, number, number] = [3, 2, 2];
/** The pictures' mean differs from pixel to pixel; their variance is the same. */
const MEAN = Float64Array.from({ length: 12 }, (_, k) => k / 12);
const VARIANCE = 0.04;

/** A network that knows the right answer for such pictures, where states are `factor p + shift`. */
function exactNetwork(
  parametrisation: Parametrisation,
  sde: PresetSde,
  { factor = 1, shift = 0, centred = false } = {},
): Network {
  const mean = Float32Array.from(
    { length: 12 },
    (_, k) => factor * MEAN[(k % 3) * 4 + Math.floor(k / 3)] + shift,
  );
  return {
    tf,
    kind: 'exact',
    options: {},
    parameters: new Map(),
    apply(x: Tensor, t) {
      const { scale, variance } = sde.transition(t.dataSync()[0]);
      const state = centred ? tf.div(tf.add(x, 1), 2) : x;
      const away = tf.sub(state, tf.mul(tf.tensor(mean, [1, 2, 2, 3]), scale));
      const score = tf.div(away, -(scale * scale * factor * factor * VARIANCE + variance));
      if (parametrisation === 'score') return score;
      const epsilon = tf.mul(score, -Math.sqrt(variance));
      if (parametrisation === 'epsilon') return epsilon;
      const start = tf.div(tf.sub(state, tf.mul(epsilon, Math.sqrt(variance))), scale);
      return tf.sub(tf.mul(epsilon, scale), tf.mul(start, Math.sqrt(variance)));
    },
    dispose() {},
  };
}

function modelOf(settings: TrainingSettings, network: Network): ScoreModel {
  const info = { settings: resolveSettings('test', settings), shape: SHAPE, images: 1, fingerprint: '' };
  return { ...info, network, dispose() {} };
}

describe('modelScore', () => {
  const x = Float64Array.from({ length: 5 * 12 }, (_, k) => Math.sin(k));
  const exact = (sde: PresetSde, t: number) => {
    const { scale, variance } = sde.transition(t);
    return x.map((value, k) => (scale * MEAN[k % 12] - value) / (scale * scale * VARIANCE + variance));
  };

  it.each(['score', 'epsilon', 'v'] as const)(
    '%s: the exact score, in parts and whole',
    async (parametrisation) => {
      const sde = ddpmSchedule();
      const network = exactNetwork(parametrisation, sde);
      const left = await tensorsLeft(async () => {
        for (const batchSize of [1, 3, 16]) {
          const score = modelScore(network, { parametrisation, sde, shape: SHAPE, batchSize });
          for (const t of [0.1, 0.7]) {
            expect(maxDifference(await score(x, t), exact(sde, t))).toBeLessThan(2e-5);
          }
        }
      });
      expect(left).toBe(0);
    },
  );

  it('v of an equation that does not preserve the variance', async () => {
    const sde = varianceExploding(5);
    const score = modelScore(exactNetwork('v', sde), { parametrisation: 'v', sde, shape: SHAPE });
    expect(maxDifference(await score(x, 0.5), exact(sde, 0.5))).toBeLessThan(2e-5);
  });

  it('shows 2 x - 1 to a network that wants it, and tells it the number of the picture', async () => {
    const sde = varianceExploding(5);
    let told: number[] = [];
    const network: Network = {
      ...exactNetwork('score', sde, { centred: true }),
      apply(shown, t, options) {
        told = Array.from(options?.index?.dataSync() ?? []);
        return exactNetwork('score', sde, { centred: true }).apply(shown, t);
      },
    };
    const score = modelScore(network, { parametrisation: 'score', shape: SHAPE, centred: true, index: 2 });
    expect(maxDifference(await score(x, 0.5), exact(sde, 0.5))).toBeLessThan(2e-5);
    expect(told).toEqual([2, 2, 2, 2, 2]);
  });

  it('refuses what has no meaning', async () => {
    const sde = ddpmSchedule();
    const network = exactNetwork('epsilon', sde);
    const make = (options: object) =>
      modelScore(network, { parametrisation: 'epsilon', sde, shape: SHAPE, ...options });
    expect(() => make({ parametrisation: 'noise' })).toThrow(
      /parametrisation is "noise", must be "score", "epsilon", "v"/,
    );
    expect(() => make({ parametrisation: undefined })).toThrow(/parametrisation is/);
    expect(() => make({ sde: undefined })).toThrow(/needs sde/);
    expect(() => make({ batch: 1 })).toThrow(/unknown option "batch"/);
    expect(() => make({ shape: undefined })).toThrow(/shape must be \[channels, H, W\]/);
    expect(() => make({ shape: [3, 0, 2] })).toThrow(/an entry of shape is 0/);
    const two: Network = { ...network, options: { images: 2 } };
    const told = { parametrisation: 'score', shape: SHAPE } as const;
    expect(() => modelScore(two, { ...told, index: 1 })).not.toThrow();
    expect(() => modelScore(two, { ...told, index: 2 })).toThrow(/index is 2, .* an embedding of 2 pictures/);
    expect(() => modelScore(two, { ...told, index: -1 })).toThrow(/index is -1/);
    await expect(make({})(x, 0)).rejects.toThrow(/epsilon gives no score there/);
    await expect(make({})(x.subarray(5), 0.5)).rejects.toThrow(/no samples of \[3, 2, 2\]/);
  });
});

describe('sampleModel', () => {
  const picture = { data: MEAN, shape: SHAPE };
  const ddpm = () =>
    modelOf({ method: 'ddpm' }, exactNetwork('epsilon', ddpmSchedule(), { factor: 2, shift: -1 }));
  const na2024 = () =>
    modelOf({ variant: 'na2024' }, exactNetwork('score', varianceExploding(5), { centred: true }));

  async function moments(model: ScoreModel, options: SampleModelOptions, part: number) {
    const { pictures } = await sampleModel(model, { seed: 1, ...options });
    const [count] = pictures.shape;
    let [error, variance] = [0, 0];
    for (let k = 0; k < 12; k++) {
      const values = Array.from({ length: count }, (_, i) => pictures.data[i * 12 + k]);
      const mean = values.reduce((sum, value) => sum + value, 0) / count;
      error = Math.max(error, Math.abs(mean - part * MEAN[k]));
      variance += values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (12 * count);
    }
    return { error, variance };
  }

  /** Started with mean 0 instead of theirs at t = 1, the flow keeps this part of the mean of a score's pictures. */
  const PART = 1 - Math.sqrt(VARIANCE / (VARIANCE + varianceExploding(5).transition(1).variance));

  it.each([
    ['ddpm from noise', ddpm, { sampler: 'ddpm', steps: 250 }, 1],
    ['ddim from noise', ddpm, { sampler: 'ddim', steps: 100 }, 1],
    ['heun from noise', ddpm, { sampler: 'heun', steps: 40 }, 1],
    ['rk45 from noise', ddpm, { sampler: 'rk45' }, 1],
    ['ddim of a score', na2024, { sampler: 'ddim', steps: 200 }, PART],
    ['rk45 of a score', na2024, { sampler: 'rk45' }, PART],
  ] as [string, () => ScoreModel, SampleModelOptions, number][])(
    '%s: the pictures known come back',
    async (_name, make, options, part) => {
      const { error, variance } = await moments(make(), { count: 300, ...options }, part);
      // Three deviations of the mean of 300 are 0.035.
      expect(error).toBeLessThan(0.05);
      expect(Math.abs(variance / VARIANCE - 1)).toBeLessThan(0.12);
    },
  );

  it('ddpm and ddim from a noisy picture: from the step with its noise, on its state', async () => {
    const schedule = ddpmSchedule();
    const step = schedule.stepOfNoise(2 * 0.506);
    const times: number[] = [];
    const model = ddpm();
    let first: Float32Array | undefined;
    const network: Network = {
      ...model.network,
      apply(x, t) {
        times.push(t.dataSync()[0]);
        first ??= x.dataSync<'float32'>().slice();
        return model.network.apply(x, t);
      },
    };
    const drawn = await sampleModel({ ...model, network }, { sampler: 'ddim', steps: 5, picture, seed: 9 });
    const expected = [0, 1, 2, 3, 4].map((k) => Math.round(step - (k * step) / 5) / 1000);
    expect(maxDifference(times, expected)).toBeLessThan(1e-6);
    const noisy = noisyPictures({ data: MEAN, shape: [1, ...SHAPE] }, { seed: 9 });
    expect(drawn.start?.data).toEqual(noisy.data);
    const { scale } = schedule.transition(step / 1000);
    const state = Array.from(
      { length: 12 },
      (_, k) => scale * (2 * noisy.data[(k % 3) * 4 + Math.floor(k / 3)] - 1),
    );
    expect(maxDifference(first ?? [], state)).toBeLessThan(1e-6);
    const all = await sampleModel(model, { sampler: 'ddpm', picture });
    expect(all.evaluations).toBe(step);
  });

  it("lau2025: the paper's fifty steps, from the noisy picture and from noise about grey", async () => {
    const sde = parseSde('constant:0.5');
    const model = modelOf({}, exactNetwork('score', sde));
    const twin = (start: ArrayLike<number>) => {
      const x = Float64Array.from(start);
      const random = randomStream(4, 1);
      for (let i = 0; i < 50; i++) {
        const { variance } = sde.transition(Math.fround(1 - i / 50));
        for (let k = 0; k < 12; k++) {
          const s = (MEAN[k] - x[k]) / (VARIANCE + variance);
          const noise = i < 49 ? 0.1 * 0.5 * Math.sqrt(1 / 50) * random.normal() : 0;
          x[k] = Math.min(1, Math.max(0, x[k] + (s * 0.25) / 50 + noise));
        }
      }
      return x;
    };
    const whole = (data: Float64Array) => ({ data, shape: [1, ...SHAPE] });
    const { pictures, start, evaluations } = await sampleModel(model, { picture, seed: 4 });
    expect(start?.data).toEqual(noisyPictures(whole(MEAN), { seed: 4 }).data);
    expect(maxDifference(pictures.data, twin(start?.data ?? []))).toBeLessThan(1e-5);
    expect(evaluations).toBe(50);
    const grey = noisyPictures(whole(new Float64Array(12).fill(0.5)), { seed: 4 });
    const fresh = await sampleModel(model, { seed: 4 });
    expect(maxDifference(fresh.pictures.data, twin(grey.data))).toBeLessThan(1e-5);
  });

  it("na2024: the probability flow from the paper's starts", async () => {
    const model = na2024();
    const sde = varianceExploding(5);
    const score = (x: Float64Array, t: number) =>
      x.map((value, k) => (MEAN[k % 12] - value) / (VARIANCE + sde.transition(t).variance));
    const unit: PresetSde = { ...sde, transition: () => ({ scale: 1, variance: 1 }) };
    const noise = drawNoise([2, ...SHAPE], { sde: unit, seed: 6 });
    const mixed = {
      ...noise,
      data: noise.data.map((z, k) => 0.9 * Math.sqrt(24 / (2 * Math.log(5))) * z + 0.1 * MEAN[k % 12]),
    };
    for (const [start, options] of [
      [noise, {}],
      [mixed, { picture }],
    ] as const) {
      const { x } = await sampleRk45(score, start, [1, 1e-3], { sde, control: 'batch' });
      const { pictures } = await sampleModel(model, { count: 2, seed: 6, ...options });
      expect(maxDifference(pictures.data, x.data)).toBeLessThan(1e-3);
    }
  });

  it('stops when it is told to, and reports', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const left = await tensorsLeft(async () => {
      const sampling = sampleModel(ddpm(), {
        steps: 40,
        sampler: 'heun',
        signal: controller.signal,
        onProgress({ step, steps }) {
          expect(steps).toBe(40);
          seen.push(step);
          if (step === 3) controller.abort(new Error('enough'));
        },
      });
      await expect(sampling).rejects.toThrow('enough');
    });
    expect([seen, left]).toEqual([[1, 2, 3], 0]);
  });

  it.each([
    [{ steps: 0 }, /steps is 0/],
    [{ sampler: 'magic' as 'ddpm' }, /sampler is "magic"/],
    [{ sampler: 'lau2025' as const }, /lau2025 is for models of that variant/],
    [{ sampler: 'na2024' as const }, /not for DDPM/],
    [{ image: 1 }, /image is 1, but the model knows 1/],
    [{ sampler: 'rk45' as const, steps: 5 }, /rk45 chooses its steps/],
    [{ picture, pictureWeight: 0.2 }, /pictureWeight is for the sampler na2024, not for ddpm/],
    [{ picture: { data: MEAN, shape: [1, 4, 3] } }, /for pictures \[3, 2, 2\], not \[1, 4, 3\]/],
    [{ step: 3 } as object, /unknown option "step"/],
  ])('refuses %j', async (options, message) => {
    await expect(sampleModel(ddpm(), options)).rejects.toThrow(message);
  });

  it('refuses samplers that need a noise level which lau2025 does not know', async () => {
    const model = modelOf({}, exactNetwork('score', parseSde('constant:0.5')));
    await expect(sampleModel(model, { sampler: 'ddim' })).rejects.toThrow(/take lau2025, or euler-maruyama/);
    await expect(sampleModel(na2024(), { pictureWeight: 2 })).rejects.toThrow(/pictureWeight/);
  });
});
