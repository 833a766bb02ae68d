import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/diffusion/random.ts';
import {
  createMlp,
  createNetwork,
  loadTensors,
  type MlpOptions,
  parameterCount,
} from '../../../src/training/index.ts';
import { mlpScore } from '../../twins/mlp.ts';

const OPTIONS = {
  variances: [0.01, 4],
  rectangle: { origin: [-1, 2], sides: [2, 3] },
  width: 7,
  layers: 2,
  frequencies: 3,
  seed: 5,
} as const satisfies MlpOptions;

const { uniform, normal } = randomStream(11);
const POINTS = Float32Array.from({ length: 18 }, (_, k) =>
  k % 2 === 0 ? -1 + 2 * uniform() : 2 + 3 * uniform(),
);
const TIMES = Float32Array.from({ length: 9 }, (_, k) => k / 8);

describe.each(['cpu', 'wasm'])('the network of points of the plane, on %s', (backend) => {
  it('is the function of its plain twin', async () => {
    const tf = await loadTensors({ backend });
    const network = createMlp(tf, OPTIONS);
    const parameters = [...network.parameters.values()].map((variable) => variable.dataSync());
    const scores = tf.tidy(() => network.apply(tf.tensor2d(POINTS, [9, 2]), tf.tensor1d(TIMES)).dataSync());
    for (let k = 0; k < 9; k++) {
      const twin = mlpScore(parameters, OPTIONS, [POINTS[2 * k], POINTS[2 * k + 1]], TIMES[k]);
      const size = Math.hypot(...twin);
      expect(Math.abs(scores[2 * k] - twin[0]) / size).toBeLessThan(1e-4);
      expect(Math.abs(scores[2 * k + 1] - twin[1]) / size).toBeLessThan(1e-4);
    }
    network.dispose();
  });

  it('has gradients that the twin has as slopes, parameter by parameter', async () => {
    const tf = await loadTensors({ backend });
    const network = createMlp(tf, OPTIONS);
    const values = [...network.parameters.values()].map((variable) => Float64Array.from(variable.dataSync()));
    const loss = () =>
      tf.sum(tf.square(network.apply(tf.tensor2d(POINTS, [9, 2]), tf.tensor1d(TIMES)))) as Scalar;
    const { value, grads } = tf.variableGrads(loss, [...network.parameters.values()]);
    const gradients = [...network.parameters.values()].map(({ name }) => grads[name].dataSync());
    tf.dispose([value, ...(Object.values(grads) as Tensor[])]);
    const twinLoss = (parameters: Float64Array[]) => {
      let sum = 0;
      for (let k = 0; k < 9; k++) {
        for (const s of mlpScore(parameters, OPTIONS, [POINTS[2 * k], POINTS[2 * k + 1]], TIMES[k]))
          sum += s * s;
      }
      return sum;
    };
    for (const [index, own] of values.entries()) {
      const direction = own.map(() => normal());
      const at = (step: number) =>
        twinLoss(values.map((all, k) => (k === index ? all.map((v, i) => v + step * direction[i]) : all)));
      const slope = (at(1e-5) - at(-1e-5)) / 2e-5;
      const predicted = direction.reduce((sum, d, i) => sum + d * gradients[index][i], 0);
      expect(
        Math.abs(predicted - slope) / Math.abs(slope),
        [...network.parameters.keys()][index],
      ).toBeLessThan(1e-3);
    }
    network.dispose();
  });
});

describe('createMlp', () => {
  it('has the parameters of its seed, and gives them back', async () => {
    const tf = await loadTensors();
    const before = tf.memory().numTensors;
    const networks = [OPTIONS, OPTIONS, { ...OPTIONS, seed: 6 }].map((options) => createMlp(tf, options));
    const [a, b, c] = networks.map((network) =>
      [...network.parameters.values()].map((v) => [...v.dataSync()]),
    );
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
    expect([...networks[0].parameters.keys()]).toEqual([
      'hidden.0.weight',
      'hidden.0.bias',
      'hidden.1.weight',
      'hidden.1.bias',
      'out.weight',
      'out.bias',
    ]);
    expect(parameterCount(networks[0])).toBe(23 * 7 + 7 + 7 * 7 + 7 + 7 * 2 + 2);
    for (const network of networks) network.dispose();
    networks[0].dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect(() => networks[0].apply(tf.zeros([1, 2]), tf.zeros([1]))).toThrow(
      expect.objectContaining({ code: 'DISPOSED' }),
    );
  });

  it('is made again from what it says of itself', async () => {
    const tf = await loadTensors();
    const network = createMlp(tf, { variances: [0.01, 1] });
    const again = createNetwork(tf, network.kind, JSON.parse(JSON.stringify(network.options)));
    expect([...again.parameters].map(([name, v]) => [name, ...v.dataSync()])).toEqual(
      [...network.parameters].map(([name, v]) => [name, ...v.dataSync()]),
    );
    network.dispose();
    again.dispose();
  });

  it('refuses options and points that do not fit', async () => {
    const tf = await loadTensors();
    const bad: [object, string][] = [
      [{}, 'INVALID_VALUE'],
      [{ variances: [1, 0.1] }, 'INVALID_VALUE'],
      [{ variances: [0, 1] }, 'INVALID_VALUE'],
      [{ ...OPTIONS, width: 0 }, 'INVALID_VALUE'],
      [{ ...OPTIONS, rectangle: { origin: [0, 0], sides: [1, 0] } }, 'INVALID_VALUE'],
      [{ ...OPTIONS, depth: 3 }, 'UNKNOWN_OPTION'],
      [{ ...OPTIONS, seed: 0.5 }, 'INVALID_VALUE'],
    ];
    const before = tf.memory().numTensors;
    for (const [options, code] of bad) {
      expect(() => createMlp(tf, options as MlpOptions)).toThrow(expect.objectContaining({ code }));
    }
    expect(tf.memory().numTensors).toBe(before);
    const network = createMlp(tf, OPTIONS);
    tf.tidy(() => {
      expect(() => network.apply(tf.zeros([4, 3]), tf.zeros([4]))).toThrow('[batch, 2]');
      expect(() => network.apply(tf.zeros([4, 2]), tf.zeros([3]))).toThrow('[batch, 2]');
    });
    network.dispose();
  });
});
