import { beforeAll, describe, expect, it } from 'vitest';
import {
  loadTensors,
  readModel,
  type TrainingOptions,
  type TrainingRun,
  trainScoreModel,
} from '../../src/training/index.ts';
import { madeUpPictures, TINY, tensorsLeft } from './pictures.ts';

const pictures = madeUpPictures(1, 8);
const tf = await loadTensors();

/** The losses of a run, and how it ended. */
async function losses(options: TrainingOptions, given = pictures) {
  const values: number[] = [];
  const run = await trainScoreModel(tf, given, {
    network: TINY,
    ...options,
    onProgress(progress) {
      values.push(progress.loss);
      options.onProgress?.(progress);
    },
  });
  return { run, values };
}

const WAYS: [string, TrainingOptions, number][] = [
  ['lau2025', {}, 1],
  ['na2024', { variant: 'na2024', batchSize: 3 }, 2],
  ['ddpm', { method: 'ddpm', batchSize: 2, warmUp: 5, clipNorm: 1 }, 2],
];

describe.each(WAYS)('%s', (_name, options, images) => {
  const given = madeUpPictures(images, 8);

  it('goes on from a checkpoint bit for bit, and leaves no tensor', async () => {
    const left = await tensorsLeft(async () => {
      const whole = await losses({ ...options, steps: 9, seed: 3 }, given);
      const first = await losses({ ...options, steps: 4, seed: 3 }, given);
      const checkpoint = first.run.checkpoint();
      first.run.dispose();
      const time = first.run.time;
      const second = await losses({ network: {}, steps: 9, resume: checkpoint }, given);
      expect([...first.values, ...second.values]).toEqual(whole.values);
      expect([second.run.status, second.run.step, second.run.settings]).toEqual([
        'completed',
        9,
        whole.run.settings,
      ]);
      expect(second.run.time).toBeGreaterThan(time);
      // All but the time: weights, moments, averages.
      const tensors = (run: TrainingRun) => {
        const bytes = run.checkpoint();
        return bytes.slice(8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)));
      };
      expect(tensors(second.run)).toEqual(tensors(whole.run));
      whole.run.dispose();
      second.run.dispose();
    });
    expect(left).toBe(0);
  });

  it('another seed, another run', async () => {
    const one = await losses({ ...options, steps: 2 }, given);
    const other = await losses({ ...options, steps: 2, seed: 1 }, given);
    expect(one.values).not.toEqual(other.values);
    one.run.dispose();
    other.run.dispose();
  });
});

describe('training', () => {
  it('learns: the loss falls', async () => {
    const { run, values } = await losses({ method: 'ddpm', steps: 150, batchSize: 4, learningRate: 5e-3 });
    const mean = (part: number[]) => part.reduce((sum, value) => sum + value, 0) / part.length;
    expect(mean(values.slice(-30))).toBeLessThan(0.6 * mean(values.slice(0, 10)));
    run.dispose();
  });

  it('ends at epochs, steps or seconds, whichever comes first, and reports each step', async () => {
    const seen: object[] = [];
    const { run } = await losses({
      epochs: 2,
      steps: 100,
      onProgress: ({ step, epoch, stepsPerEpoch }) => seen.push({ step, epoch, stepsPerEpoch }),
    });
    expect([run.status, run.step, run.epoch]).toEqual(['completed', 40, 2]);
    expect([seen[0], seen[19], seen.length]).toEqual([
      { step: 1, epoch: 0, stepsPerEpoch: 20 },
      { step: 20, epoch: 1, stepsPerEpoch: 20 },
      40,
    ]);
    run.dispose();
    let now = 0;
    const timed = await losses({ seconds: 0.35, steps: 100, clock: () => (now += 50) });
    expect([timed.run.step, timed.run.time]).toEqual([7, 350]);
    timed.run.dispose();
  });

  it('calls back after epochs, with the averaged weights for evaluation', async () => {
    const epochs: number[] = [];
    const { run } = await losses({
      method: 'ddpm',
      batchSize: 1,
      epochs: 6,
      everyEpochs: 3,
      async onEpoch(state) {
        epochs.push(state.epoch);
        const [name] = [...state.evaluate(({ network }) => network.parameters).keys()];
        const averaged = state.evaluate(({ network }) => network.parameters.get(name)?.dataSync().slice());
        const model = readModel(tf, state.checkpoint());
        expect(model.network.parameters.get(name)?.dataSync()).toEqual(averaged);
        model.dispose();
      },
    });
    expect(epochs).toEqual([3, 6]);
    run.dispose();
  });

  it('goes on with the settings that it began with, all given again', async () => {
    // The last beta, computed from the first and the step, is not 0.01 to the last digit.
    const settings: TrainingOptions = {
      method: 'ddpm',
      batchSize: 1,
      schedule: { betaMin: 0.001, betaMax: 0.01 },
      // Undefined is not given.
      network: { ...TINY, preset: undefined, dropout: undefined },
    };
    const left = await tensorsLeft(async () => {
      const { run } = await losses({ ...settings, steps: 1 });
      expect(run.settings.schedule).toEqual({ steps: 1000, betaMin: 0.001, betaMax: 0.01 });
      expect(run.settings.network).toMatchObject({ preset: 'lau2025', width: 4 });
      const second = await losses({ ...settings, steps: 2, resume: run.checkpoint() });
      expect(second.run.step).toBe(2);
      run.dispose();
      second.run.dispose();
    });
    expect(left).toBe(0);
  });

  it('aborted: what there is comes back, also from before the first step', async () => {
    const left = await tensorsLeft(async () => {
      const controller = new AbortController();
      const { run } = await losses({
        steps: 50,
        signal: controller.signal,
        onProgress: ({ step }) => step === 3 && controller.abort(),
      });
      expect([run.status, run.step]).toEqual(['aborted', 3]);
      const rest = await losses({ network: {}, steps: 5, resume: run.checkpoint() });
      expect(rest.values).toHaveLength(2);
      run.dispose();
      rest.run.dispose();
      const never = await losses({ steps: 5, signal: AbortSignal.abort() });
      expect([never.run.status, never.run.step]).toEqual(['aborted', 0]);
      never.run.dispose();
    });
    expect(left).toBe(0);
  });

  it('a loss that is not finite: a status that names the step, and the state before it', async () => {
    const left = await tensorsLeft(async () => {
      // Steps of such length leave the range of single precision.
      const { run, values } = await losses({ method: 'ddpm', steps: 50, batchSize: 1, learningRate: 1e30 });
      expect(run.status).toBe('non-finite');
      expect(run.nonFinite?.step).toBe(values.length + 1);
      expect(run.step).toBe(values.length);
      expect(Number.isFinite((run.nonFinite?.loss ?? 0) + (run.nonFinite?.gradientNorm ?? 0))).toBe(false);
      expect(values.every(Number.isFinite)).toBe(true);
      const model = readModel(tf, run.checkpoint());
      for (const parameter of model.network.parameters.values()) {
        expect(parameter.dataSync().every(Number.isFinite)).toBe(true);
      }
      model.dispose();
      run.dispose();
    });
    expect(left).toBe(0);
  });
});

describe('bad input', () => {
  let checkpoint: Uint8Array;
  beforeAll(async () => {
    const { run } = await losses({ steps: 1 });
    checkpoint = run.checkpoint();
    run.dispose();
  });
  const cases: [string, TrainingOptions | (() => TrainingOptions), RegExp, typeof pictures?][] = [
    ['nothing that ends it', {}, /give epochs, steps or seconds/],
    ['unknown option', { steps: 1, epoch: 2 } as object, /unknown option "epoch"/],
    [
      'unknown method',
      { steps: 1, method: 'gan' as 'ddpm' },
      /method is "gan", must be "score-embedding", "ddpm"/,
    ],
    [
      'an option of the other method',
      { steps: 1, method: 'ddpm', levels: 3 },
      /levels is for score-embedding/,
    ],
    ['a schedule without ddpm', { steps: 1, schedule: {} }, /schedule is for ddpm/],
    ['lambda of na2024', { steps: 1, variant: 'na2024', lambda: 1 }, /lambda is for lau2025/],
    ['learning rate 0', { steps: 1, learningRate: 0 }, /learningRate is 0/],
    ['ema of 1', { steps: 1, emaDecay: 1 }, /emaDecay is 1/],
    ['no equation', { steps: 1, sde: 'brown' }, /sde "brown" is none of/],
    ['no network', { steps: 1, network: null } as object, /network must be an object, not null/],
    ['no function', { steps: 1, onEpoch: 3 } as object, /onEpoch must be a function, not 3/],
    ['fractions of steps', { steps: 1.5 }, /steps is 1.5/],
    ['a size that cannot be halved', { steps: 1 }, /6 x 6 cannot be halved 2 times/, madeUpPictures(1, 6)],
    [
      'values over 1',
      { steps: 1 },
      /values must lie in \[0, 1\]/,
      { ...pictures, data: pictures.data.map((value) => 2 * value) },
    ],
    ['a truncated checkpoint', () => ({ steps: 2, resume: checkpoint.slice(0, -9) }), /readSafetensors/],
    ['another file', { steps: 2, resume: new Uint8Array(100) }, /readSafetensors/],
    [
      'a checkpoint of other pictures',
      () => ({ steps: 2, resume: checkpoint }),
      /other pictures: the same shape, but other values/,
      { ...pictures, data: pictures.data.map((value) => value / 2) },
    ],
    [
      'a checkpoint of more pictures',
      () => ({ steps: 2, resume: checkpoint }),
      /of other pictures: 1 of \[3, 8, 8\], not 2 of \[3, 8, 8\]/,
      madeUpPictures(2, 8),
    ],
    [
      'another setting on resuming',
      () => ({ steps: 2, resume: checkpoint, learningRate: 1 }),
      /learningRate is 1 now and was 0.001; .*leave it out/,
    ],
    [
      'another network on resuming',
      () => ({ steps: 2, resume: checkpoint, network: { width: 5 } }),
      /network is \{"width":5\} now and was \{.*"width":4/,
    ],
    [
      'a network of fewer levels on resuming',
      () => ({ steps: 2, resume: checkpoint, network: { multipliers: [1] } }),
      /network is \{"multipliers":\[1\]\} now and was \{.*"multipliers":\[1,2\]/,
    ],
  ];

  it.each(cases)('%s', async (_name, options, message, given = pictures) => {
    const resolved = typeof options === 'function' ? options() : options;
    const network = resolved.resume
      ? undefined
      : message.source.includes('halved')
        ? { multipliers: [1, 2, 4] }
        : TINY;
    const all = { ...(network && { network }), ...resolved };
    const left = await tensorsLeft(async () => {
      await expect(trainScoreModel(tf, given, all)).rejects.toThrow(message);
    });
    expect(left).toBe(0);
  });
});
