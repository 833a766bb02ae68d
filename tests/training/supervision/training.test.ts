import { beforeAll, describe, expect, it } from 'vitest';
import { type PointField, precomputeField, randomStream } from '../../../src/diffusion/index.ts';
import {
  createMlp,
  gaussianMixtureDensity,
  heldOutScores,
  loadTensors,
  type Network,
  networkScores,
  type SupervisionOptions,
  scoreError,
  type Tensors,
  trainDenoising,
  trainOnField,
} from '../../../src/training/index.ts';

const VARIANCES = [0.002, 0.5] as const;
/** A Gaussian, whose score is linear in the point but for what the border reflects. */
const MEANS = { data: Float64Array.of(0.45, 0.6), shape: [1, 2] };
const density = gaussianMixtureDensity({ means: MEANS, deviation: 0.08 });
const held = heldOutScores(density, { variances: VARIANCES, seed: 900 });
const source = (count: number, random: ReturnType<typeof randomStream>) => density.draw(count, random);

let tf: Tensors;
let field: PointField;
beforeAll(async () => {
  tf = await loadTensors();
  field = await precomputeField(density.cells(64, 64), {
    firstVariance: VARIANCES[0],
    variance: VARIANCES[1],
    levels: 24,
  });
});

const make = (seed = 1) =>
  createMlp(tf, { variances: VARIANCES, width: 32, layers: 2, frequencies: 3, seed });
const errorOf = (network: Network) => scoreError(networkScores(network, held.points, held.variances), held);
const weights = (network: Network) => [...network.parameters.values()].flatMap((v) => [...v.dataSync()]);

const WAYS = {
  trainOnField: (network: Network, options: SupervisionOptions) => trainOnField(network, field, options),
  trainDenoising: (network: Network, options: SupervisionOptions) => trainDenoising(network, source, options),
};

describe('both ways of training', () => {
  it('have the same minimiser, the exact score', async () => {
    const errors: Record<string, number> = {};
    for (const [name, train] of Object.entries(WAYS)) {
      const network = make();
      const { status, losses } = await train(network, {
        steps: 300,
        batch: 256,
        schedule: 'cosine',
        seed: 3,
      });
      expect(status).toBe('done');
      expect(losses).toHaveLength(300);
      errors[name] = errorOf(network);
      network.dispose();
    }
    expect(errors.trainOnField).toBeLessThan(0.015);
    expect(errors.trainDenoising).toBeLessThan(0.05);
  });

  it('have the same mean gradient, at any weights', async () => {
    // What a step of gradient descent does to the loss on the other way's targets: with a small rate and one huge
    // batch, Adam's first step is the sign of the gradient, so the signs of both must agree where it is not small.
    const [a, b] = [make(), make()];
    const start = weights(a);
    const options = { steps: 1, batch: 60_000, learningRate: 1e-3, averaging: 1e9, seed: 5 };
    await trainOnField(a, field, options);
    await trainDenoising(b, source, options);
    const [p, q] = [weights(a), weights(b)];
    const same = start.filter((value, k) => Math.sign(p[k] - value) === Math.sign(q[k] - value)).length;
    expect(same / start.length).toBeGreaterThan(0.97);
    a.dispose();
    b.dispose();
  });

  it('of denoising with references has targets nearer to the exact score', async () => {
    // A step with rate near 0 shows the loss of one batch: with the same network it is the noise that differs.
    const losses: number[] = [];
    for (const references of [0, 1, 200]) {
      const network = make();
      const options = { steps: 1, batch: 4000, learningRate: 1e-9, seed: 5, references };
      losses.push((await trainDenoising(network, source, options)).losses[0]);
      network.dispose();
    }
    const network = make();
    const exact = await trainOnField(network, field, { steps: 1, batch: 4000, learningRate: 1e-9, seed: 5 });
    network.dispose();
    const noise = losses.map((loss) => loss - exact.losses[0]);
    expect(noise[0]).toBeGreaterThan(0.5);
    expect(noise[1]).toBeLessThan(0.9 * noise[0]);
    expect(Math.abs(noise[2])).toBeLessThan(0.15 * noise[0]);
  });

  it('of a finite set end near the score of what it was drawn from', async () => {
    const data = { data: density.draw(4000, randomStream(2)), shape: [4000, 2] };
    const network = make();
    await trainDenoising(network, data, { steps: 300, batch: 256, schedule: 'cosine', seed: 3 });
    expect(errorOf(network)).toBeLessThan(0.08);
    network.dispose();
  });
});

describe.each(Object.entries(WAYS))('%s', (_, train) => {
  it('is the same, bit for bit, with the same seeds, and leaves no tensors', async () => {
    const before = tf.memory().numTensors;
    const runs: number[][] = [];
    for (const seed of [4, 4, 5]) {
      const network = make();
      await train(network, { steps: 5, batch: 32, seed });
      runs.push(weights(network));
      network.dispose();
    }
    expect(runs[0]).toEqual(runs[1]);
    expect(runs[0]).not.toEqual(runs[2]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('calls back after each step, with the averaged weights on demand', async () => {
    const network = make();
    const seen: { step: number; loss: number; own: number[]; averaged: number[] }[] = [];
    const { losses } = await train(network, {
      steps: 4,
      batch: 32,
      averaging: 2,
      callback: ({ step, loss, averaged }) => {
        seen.push({ step, loss, averaged: averaged(() => weights(network)), own: weights(network) });
      },
    });
    expect(seen.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect(seen.map(({ loss }) => loss)).toEqual([...losses]);
    // After n steps, step k counts k^3 - (k - 1)^3 of n^3.
    const last = seen[3];
    for (const [i, value] of last.averaged.entries()) {
      const sum = seen.reduce((total, { own, step }) => total + own[i] * (step ** 3 - (step - 1) ** 3), 0);
      expect(value).toBeCloseTo(sum / 4 ** 3, 5);
    }
    expect(last.own).not.toEqual(last.averaged);
    expect(weights(network)).toEqual(last.averaged);
    network.dispose();
  });

  it('keeps the averaged weights until a promise has settled', async () => {
    const network = make();
    const seen: number[][] = [];
    const wait = () => new Promise((resolve) => setTimeout(resolve, 1));
    await train(network, {
      steps: 3,
      batch: 32,
      callback: async ({ step, averaged }) => {
        if (step < 3) return;
        const own = weights(network);
        const now = averaged(() => weights(network));
        const later = await averaged(async () => {
          await wait();
          return weights(network);
        });
        const failed = averaged(() => wait().then(() => Promise.reject(new Error('mine'))));
        await expect(failed).rejects.toThrow('mine');
        seen.push(own, weights(network), now, later);
      },
    });
    const [own, after, now, later] = seen;
    expect(after).toEqual(own);
    expect(later).toEqual(now);
    expect(now).not.toEqual(own);
    network.dispose();
  });

  it('stops when aborted, or when the callback throws, and leaves no tensors', async () => {
    const network = make();
    const before = tf.memory().numTensors;
    const controller = new AbortController();
    const callback = ({ step }: { step: number }) => {
      if (step === 3) controller.abort(new Error('enough'));
    };
    await expect(
      train(network, { steps: 1000, batch: 16, signal: controller.signal, callback }),
    ).rejects.toThrow('enough');
    await expect(train(network, { steps: 1000, batch: 16, signal: controller.signal })).rejects.toThrow(
      'enough',
    );
    const failing = () => Promise.reject(new Error('mine'));
    await expect(train(network, { steps: 1000, batch: 16, callback: failing })).rejects.toThrow('mine');
    expect(tf.memory().numTensors).toBe(before);
    network.dispose();
  });

  it('ends where the loss is no number, with the last good weights', async () => {
    const network = make();
    const result = await train(network, { steps: 300, batch: 16, learningRate: 1e30 });
    expect(result.status).toBe('non-finite');
    expect(result.losses).toHaveLength(result.steps);
    expect(result.steps).toBeLessThan(300);
    expect(weights(network).every(Number.isFinite)).toBe(true);
    network.dispose();
  });

  it.each<[string, object, string]>([
    ['no steps', {}, 'INVALID_TYPE'],
    ['0 steps', { steps: 0 }, 'INVALID_VALUE'],
    ['an empty batch', { steps: 1, batch: 0 }, 'INVALID_VALUE'],
    ['a negative rate', { steps: 1, learningRate: -1 }, 'INVALID_VALUE'],
    ['an unknown schedule', { steps: 1, schedule: 'linear' }, 'INVALID_VALUE'],
    ['averaging as text', { steps: 1, averaging: '8' }, 'INVALID_VALUE'],
    ['a broken seed', { steps: 1, seed: 1.5 }, 'INVALID_VALUE'],
    ['another option', { steps: 1, epochs: 1 }, 'UNKNOWN_OPTION'],
    ['a callback that is none', { steps: 1, callback: 1 }, 'INVALID_TYPE'],
    ['a signal that is none', { steps: 1, signal: {} }, 'INVALID_TYPE'],
  ])('refuses %s', async (_name, options, code) => {
    const network = make();
    const refused = expect.objectContaining({ code });
    await expect(train(network, options as SupervisionOptions)).rejects.toThrow(refused);
    network.dispose();
  });
});

it('a field outside the times of the network, half a point, and another network are refused', async () => {
  const network = createMlp(tf, { variances: [0.01, 0.5] });
  const steps = { steps: 1 };
  await expect(trainOnField(network, field, steps)).rejects.toThrow("within the network's");
  const odd = { data: new Float64Array(6), shape: [2, 3] };
  await expect(trainDenoising(network, source, { ...steps, references: -1 })).rejects.toThrow('references');
  await expect(trainDenoising(network, odd, steps)).rejects.toThrow('[count, 2]');
  const outside = () => Float64Array.of(0.5, 1.5);
  await expect(trainDenoising(network, outside, steps)).rejects.toThrow('component 1 of point 0 is 1.5');
  await expect(trainOnField(network, { ...field, origin: [0, -1] }, steps)).rejects.toThrow(
    'the field must lie in',
  );
  await expect(trainOnField(network, { ...field, height: 63 }, steps)).rejects.toThrow(
    'made by precomputeField',
  );
  await expect(trainDenoising({ ...network, kind: 'unet' }, source, steps)).rejects.toThrow('createMlp');
  network.dispose();
});

describe('the error of a score', () => {
  it('is 0 of the exact one, 1 of none, and that of a share', () => {
    expect(scoreError(held.scores, held)).toBe(0);
    expect(scoreError(new Float64Array(held.scores.length), held)).toBe(1);
    expect(
      scoreError(
        held.scores.map((value) => 0.9 * value),
        held,
      ),
    ).toBeCloseTo(0.01, 12);
  });

  it('is weighed by the variance', () => {
    const own = {
      points: new Float64Array(4),
      variances: Float64Array.of(1, 4),
      scores: Float64Array.of(1, 0, 1, 0),
    };
    expect(scoreError([0, 0, 1, 0], own)).toBe(0.2);
    expect(scoreError([1, 0, 1, 1], own)).toBe(0.8);
  });

  it('is measured at points of its seed, in the rectangle, at the exact score', () => {
    const again = heldOutScores(density, { variances: VARIANCES, seed: 900 });
    expect(again).toEqual(held);
    expect(heldOutScores(density, { variances: VARIANCES, seed: 901 })).not.toEqual(held);
    expect(() => heldOutScores(density, { variances: VARIANCES, count: 3 } as object as never)).toThrow(
      'unknown option "count"',
    );
    expect(held.points.every((x) => x >= 0 && x <= 1)).toBe(true);
    const variance = held.variances[100];
    const exact = density.score(held.points.slice(200, 202), variance);
    expect([...held.scores.slice(200, 202)]).toEqual([...exact]);
  });
});
