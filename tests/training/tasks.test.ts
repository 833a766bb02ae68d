import { beforeAll, describe, expect, it } from 'vitest';
import { embedPictures, precomputeScores, varianceExploding } from '../../src/diffusion/index.ts';
import { randomStream } from '../../src/diffusion/random.ts';
import { parseSde } from '../../src/diffusion/sde.ts';
import {
  createUnet,
  ddpmSchedule,
  loadTensors,
  type Network,
  type Tensors,
} from '../../src/training/index.ts';
import { ddpmTask } from '../../src/training/tasks/ddpm.ts';
import { regressionLoss, toTensors } from '../../src/training/tasks/loss.ts';
import { type ScoreEmbeddingSettings, scoreEmbeddingTask } from '../../src/training/tasks/score-embedding.ts';
import { type Batch, stepStream } from '../../src/training/tasks/types.ts';
import { maxDifference } from '../diffusion/reference.ts';
import { madeUpPictures, TINY } from './pictures.ts';

const pictures = madeUpPictures(2, 8);
const SIZE = 3 * 64;
const LAU: ScoreEmbeddingSettings = {
  variant: 'lau2025',
  embedding: 'scores',
  sde: parseSde('constant:0.5'),
  levels: 20,
  lambda: 0.1,
  batchSize: 1,
  seed: 5,
};
const NA: ScoreEmbeddingSettings = {
  ...LAU,
  variant: 'na2024',
  sde: varianceExploding(5),
  levels: 6,
  batchSize: 4,
};

/** A sample of a batch, channels first again. */
function planar(values: Float32Array, sample: number): number[] {
  return Array.from({ length: SIZE }, (_, k) => values[sample * SIZE + (k % 64) * 3 + Math.floor(k / 64)]);
}

const minus = (a: ArrayLike<number>, b: ArrayLike<number>, factor: number) =>
  Array.from(a, (value, k) => value - factor * b[k]);

describe('lau2025', () => {
  it('takes ten embedded pictures twice each in order, at k / 11, with noise 0.1', async () => {
    const task = await scoreEmbeddingTask(pictures, LAU);
    expect(task.stepsPerEpoch).toBe(40);
    const { scores, report } = await precomputeScores({
      images: pictures,
      scheme: 'lau2025',
      steps: 20,
      seed: 5,
      sharing: 'none',
    });
    const { path } = embedPictures(pictures, scores, {
      sde: LAU.sde,
      times: report.times,
      variant: 'lau2025',
      seed: 5,
      keep: 'all',
    });
    for (const [step, image, stop] of [
      [0, 0, 1],
      [1, 0, 1],
      [2, 0, 2],
      [19, 0, 10],
      [20, 1, 1],
      [79, 1, 10],
    ]) {
      const batch = task.batch(step);
      expect([batch.samples, batch.index[0]]).toEqual([1, image]);
      expect(batch.t[0]).toBeCloseTo(stop / 11, 6);
      expect(batch.scale[0]).toBeCloseTo(0.1, 7);
      // The mean over the numbers of a picture, over 2 g^2.
      expect(batch.weight[0]).toBeCloseTo(1 / (2 * 0.25 * SIZE), 8);
      const mean = minus(planar(batch.x, 0), planar(batch.z, 0), 0.1);
      const expected = path!.data.subarray((image * 11 + stop) * SIZE, (image * 11 + stop + 1) * SIZE);
      expect(maxDifference(mean, expected)).toBeLessThan(1e-6);
    }
  });

  it('without embedding: the picture itself', async () => {
    const task = await scoreEmbeddingTask(pictures, { ...LAU, embedding: 'none', batchSize: 3 });
    expect(task.stepsPerEpoch).toBe(14);
    // 40 = 13 * 3 + 1.
    expect([task.batch(13).samples, task.batch(14).samples]).toEqual([1, 3]);
    const batch = task.batch(14);
    expect(Array.from(batch.t)).toEqual([1 / 11, 1 / 11, 2 / 11].map(Math.fround));
    const mean = minus(planar(batch.x, 2), planar(batch.z, 2), 0.1);
    expect(maxDifference(mean, pictures.data.subarray(0, SIZE))).toBeLessThan(1e-6);
  });

  it('of fewer levels: as many pictures on the way, with embedding and without', async () => {
    for (const embedding of ['scores', 'none'] as const) {
      const task = await scoreEmbeddingTask(pictures, { ...LAU, embedding, levels: 4 });
      expect(task.stepsPerEpoch).toBe(2 * 4 * 2);
      expect(task.batch(7).t[0]).toBeCloseTo(4 / 5, 6);
    }
  });
});

describe('na2024', () => {
  it("is the paper's sum along its own times, with the equation's noise, shown as 2 x - 1", async () => {
    const task = await scoreEmbeddingTask(pictures, NA);
    expect(task.stepsPerEpoch).toBe(2);
    const { scores } = await precomputeScores({
      images: pictures,
      scheme: 'na2024',
      steps: 6,
      sharing: 'none',
    });
    const batch = task.batch(3);
    expect(Array.from(batch.index)).toEqual([1, 1, 1, 1]);
    // The times by the paper's program, from the same uniform numbers.
    const { uniform } = randomStream(5, stepStream(3, 'choice'));
    const dt = 1 / 6;
    const times = Array.from(
      { length: 6 },
      (_, i) => 1e-3 + ((1 - dt / 2 - 1e-3) * i) / 6 + ((uniform() - 1e-3) * dt) / 2,
    );
    let last = -1;
    for (let sample = 0; sample < 4; sample++) {
      const level = times.findIndex((t) => Math.abs(t - batch.t[sample]) < 1e-6);
      expect(level).toBeGreaterThan(last);
      last = level;
      const lambda = Math.sqrt((5 ** (2 * times[level]) - 1) / (2 * Math.log(5)));
      expect(batch.scale[sample]).toBeCloseTo(lambda, 6);
      expect(batch.weight[sample]).toBeCloseTo(1 / (2 * 25 ** times[level]), 6);
      const x = Array.from(pictures.data.subarray(SIZE));
      for (let i = 1; i <= level; i++) {
        const from = (6 + i) * SIZE;
        for (let k = 0; k < SIZE; k++) x[k] -= 0.5 * scores.data[from + k] * 25 ** times[i] * dt;
      }
      const mean = minus(planar(batch.x, sample), planar(batch.z, sample), 2 * lambda);
      const shown = x.map((value) => 2 * value - 1);
      expect(maxDifference(mean, shown)).toBeLessThan(1e-5);
    }
  });

  it('more samples than levels: several draws of the times; without embedding the picture', async () => {
    const task = await scoreEmbeddingTask(pictures, { ...NA, embedding: 'none', batchSize: 10 });
    const batch = task.batch(0);
    expect(new Set(batch.t).size).toBe(10);
    const mean = minus(planar(batch.x, 7), planar(batch.z, 7), 2 * batch.scale[7]);
    const shown = pictures.data.subarray(0, SIZE).map((value) => 2 * value - 1);
    expect(maxDifference(mean, shown)).toBeLessThan(1e-5);
  });
});

describe('ddpm', () => {
  it('tells the noise of a step drawn for each sample, pictures in turn', () => {
    const schedule = ddpmSchedule();
    const task = ddpmTask(pictures, schedule, { batchSize: 3, seed: 1 });
    expect(task.stepsPerEpoch).toBe(2);
    const batch = task.batch(1);
    expect(Array.from(batch.index)).toEqual([1, 0, 1]);
    expect(Array.from(batch.scale)).toEqual([-1, -1, -1]);
    for (let sample = 0; sample < 3; sample++) {
      const k = Math.round(batch.t[sample] * 1000);
      expect(batch.t[sample]).toBeCloseTo(k / 1000, 6);
      const bar = schedule.alphaBars[k];
      const mean = minus(planar(batch.x, sample), planar(batch.z, sample), Math.sqrt(1 - bar));
      const from = pictures.data.subarray(batch.index[sample] * SIZE, (batch.index[sample] + 1) * SIZE);
      const state = Array.from(from, (value) => Math.sqrt(bar) * (2 * value - 1));
      expect(maxDifference(mean, state)).toBeLessThan(1e-5);
      expect(batch.weight[sample]).toBeCloseTo(1 / SIZE, 8);
    }
    // All steps come up, the first and the last too.
    const few = ddpmTask(pictures, ddpmSchedule({ steps: 4 }), { batchSize: 50, seed: 1 });
    expect([...new Set(few.batch(0).t)].sort()).toEqual([0.25, 0.5, 0.75, 1]);
  });
});

describe('batches', () => {
  const tasks = [
    () => scoreEmbeddingTask(pictures, LAU),
    () => scoreEmbeddingTask(pictures, NA),
    async () => ddpmTask(pictures, ddpmSchedule(), { batchSize: 2, seed: 5 }),
  ];

  it.each(tasks)('%# depend on step and seed alone; their noise is normal', async (make) => {
    const [one, other] = [await make(), await make()];
    for (let step = 0; step < 3; step++) one.batch(step);
    expect(one.batch(7)).toEqual(other.batch(7));
    expect(one.batch(7).z).not.toEqual(one.batch(8).z);
    const z = Array.from({ length: 40 }, (_, step) => [...one.batch(step).z]).flat();
    const mean = z.reduce((sum, value) => sum + value, 0) / z.length;
    const variance = z.reduce((sum, value) => sum + value * value, 0) / z.length;
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(z.length));
    expect(Math.abs(variance - 1)).toBeLessThan(7 / Math.sqrt(z.length));
  });
});

describe('the loss', () => {
  let tf: Tensors;
  let network: Network;
  beforeAll(async () => {
    tf = await loadTensors();
    network = createUnet(tf, { ...TINY, size: 8, timeEmbedding: 'sinusoidal' });
    return () => network.dispose();
  });

  /** The same in plain loops, from the network's output. */
  function twin(batch: Batch): number {
    const output = tf.tidy(() =>
      network.apply(tf.tensor(batch.x, [batch.samples, 8, 8, 3]), tf.tensor1d(batch.t)).dataSync<'float32'>(),
    );
    let loss = 0;
    for (let sample = 0; sample < batch.samples; sample++) {
      let sum = 0;
      for (let k = sample * SIZE; k < (sample + 1) * SIZE; k++) {
        sum += (batch.scale[sample] * output[k] + batch.z[k]) ** 2;
      }
      loss += (batch.weight[sample] * sum) / batch.samples;
    }
    return loss;
  }

  it.each([
    ['lau2025', () => scoreEmbeddingTask(pictures, { ...LAU, batchSize: 3 })],
    ['na2024', () => scoreEmbeddingTask(pictures, NA)],
    ['ddpm', async () => ddpmTask(pictures, ddpmSchedule(), { batchSize: 3, seed: 5 })],
  ])('of %s is that of plain loops', async (_name, make) => {
    const batch = (await make()).batch(2);
    const before = tf.memory().numTensors;
    const tensors = toTensors(network, batch, [8, 8, 3]);
    const loss = tf.tidy(() =>
      regressionLoss(network, tensors, { indexed: false, dropoutSeed: 0 }).dataSync(),
    );
    tf.dispose(Object.values(tensors));
    expect(tf.memory().numTensors).toBe(before);
    expect(loss[0] / twin(batch)).toBeCloseTo(1, 5);
  });
});
