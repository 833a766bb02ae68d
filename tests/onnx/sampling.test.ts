import { describe, expect, it } from 'vitest';
import {
  drawNoise,
  randomStream,
  type SamplerName,
  sample,
  sampleDdpm,
  sampleRk45,
  samplingTimes,
  varianceExploding,
  variancePreserving,
} from '../../src/diffusion/index.ts';
import { loadOnnxScore, type Parametrisation } from '../../src/onnx/index.ts';
import { flow, marginal, moments, scoreOf } from '../diffusion/samplers/gaussian.ts';
import { convolution, convolutionNetwork, gaussianNetwork, RATES } from './networks.ts';

const sde = variancePreserving(RATES);
const data = { mean: 0.7, variance: 0.09, sde };
const start = { data: Float64Array.of(-1.3, 0.2, 2.1, 0.9, 0.1, -0.4), shape: [3, 2] };
const [FROM, TO] = [1, 0.05];
const PARAMETRISATIONS: Parametrisation[] = ['score', 'epsilon', 'v'];

function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.max(...Array.from(a, (value, k) => Math.abs(value - b[k])));
}

describe.each(PARAMETRISATIONS)('a network that gives %s', (parametrisation) => {
  const load = () =>
    loadOnnxScore(gaussianNetwork(data, parametrisation, { type: 'float32', shape: ['n', 1] }), {
      shape: [2],
      parametrisation,
    });

  it('is the exact score, in single precision', async () => {
    const network = await load();
    const score = network.score(sde);
    for (const t of [1, 0.6, 0.2, 0.05]) {
      const exact = await scoreOf(data)(start.data, t);
      expect(worst(await score(start.data, t), exact)).toBeLessThan(2e-5 * Math.max(...exact.map(Math.abs)));
    }
    await network.dispose();
  });

  it('moves samples along the flow', async () => {
    const network = await load();
    const exact = flow(data, start.data, FROM, TO);
    const { x } = await sampleRk45(network.score(sde), start, [FROM, TO], { sde, rtol: 1e-5, atol: 1e-5 });
    expect(worst(x.data, exact)).toBeLessThan(1e-4);
    await network.dispose();
  });

  it.each(['heun', 'ddim', 'ddpm', 'euler-maruyama', 'predictor-corrector'] as SamplerName[])(
    'samples by %s as the plain function does',
    async (name) => {
      const network = await load();
      const times = samplingTimes({ steps: 20, from: FROM, to: TO });
      const { x } = await sample(name, network.score(sde), start, times, { sde, seed: 5 });
      const plain = await sample(name, scoreOf(data), start, times, { sde, seed: 5 });
      expect(worst(x.data, plain.x.data)).toBeLessThan(1e-4);
      await network.dispose();
    },
  );
});

it('draws the data from noise, with a network of step numbers', async () => {
  const network = await loadOnnxScore(
    gaussianNetwork(data, 'epsilon', { type: 'int64', shape: [], steps: 1000 }),
    {
      shape: [2],
      parametrisation: 'epsilon',
      time: 'step',
      batch: 1000,
    },
  );
  const noise = drawNoise([2000, 2], { sde, seed: 3 });
  const times = samplingTimes({ steps: 499, from: 1, to: 1 / 999 });
  const { x } = await sampleDdpm(network.score(sde), noise, times, { sde, seed: 4 });
  const [found, exact] = [moments(x.data), marginal(data, 1 / 999)];
  // Three deviations of the mean of 4,000 numbers, and a little for the steps and the prior's mean.
  expect(Math.abs(found.mean - exact.mean)).toBeLessThan(3 * Math.sqrt(exact.variance / 4000) + 0.01);
  expect(Math.abs(found.variance / exact.variance - 1)).toBeLessThan(0.1);
  await network.dispose();
});

it('computes a convolution of pictures', async () => {
  const [channels, side, samples] = [2, 5, 5];
  const stream = randomStream(7);
  const weights = Array.from({ length: channels * channels * 9 }, () => stream.normal());
  const x = Float64Array.from({ length: samples * channels * side * side }, () => stream.normal());
  const size = channels * side * side;
  const ve = varianceExploding(5);
  const sigma = Math.sqrt(ve.transition(0.4).variance);
  const expected = Array.from({ length: samples }, (_, k) =>
    convolution(x.subarray(k * size, (k + 1) * size), sigma, channels, weights, side),
  ).flatMap((y) => Array.from(y, (value) => -value / sigma));
  const results: Float64Array[] = [];
  for (const batch of [64, 5, 2, 1]) {
    const network = await loadOnnxScore(convolutionNetwork(channels, weights, side), {
      shape: [channels, side, side],
      parametrisation: 'epsilon',
      inputs: { x: 'picture', t: 'time' },
      time: 'sigma',
      batch,
    });
    expect(network.inputs.map(({ name }) => name)).toEqual(['picture', 'time']);
    results.push(await network.score(ve)(x, 0.4));
    await network.dispose();
  }
  expect(worst(results[0], expected)).toBeLessThan(1e-5);
  for (const result of results) expect(result).toEqual(results[0]);
});
