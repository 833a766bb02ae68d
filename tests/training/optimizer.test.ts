import type { Scalar, Tensor1D, Variable } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import {
  type Adam,
  type AdamOptions,
  createAdam,
  loadTensors,
  type Network,
  warmUp,
} from '../../src/training/index.ts';
import { expectError } from '../sparse/expect-error.ts';
import { expectNoTensorsLeft } from './no-tensors-left.ts';

const tf = await loadTensors();
expectNoTensorsLeft(tf);

const START: Record<string, number[]> = { a: [0.5, -1, 2], b: [0.25, 3] };
/** The loss is the sum of curvature / 2 (weight - goal)^2. */
const CURVATURE: Record<string, number[]> = { a: [1, 4, 0.1], b: [2, 1] };
const GOAL = 1;

/** Parameters and nothing else. */
function makeNetwork(): Network {
  const parameters = new Map<string, Variable>(
    Object.entries(START).map(([name, values]) => [name, tf.tidy(() => tf.variable(tf.tensor1d(values)))]),
  );
  return {
    tf,
    kind: 'none',
    options: {},
    parameters,
    apply: (x) => x,
    dispose: () => tf.dispose([...parameters.values()]),
  };
}

function quadratic(network: Network): () => Scalar {
  return () => {
    const parts = [...network.parameters].map(([name, variable]) =>
      tf.sum(tf.mul(tf.square(tf.sub(variable, GOAL)), tf.tensor1d(CURVATURE[name].map((c) => c / 2)))),
    );
    return parts.reduce((sum, part) => tf.add(sum, part)) as Scalar;
  };
}

const weightsOf = (network: Network) =>
  Object.fromEntries(
    [...network.parameters].map(([name, variable]) => [name, Array.from(variable.dataSync())]),
  );

/** Algorithm 1 of the paper in double precision, with the gradient by hand. */
function twin(steps: number, options: AdamOptions) {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, clipNorm = Infinity } = options;
  const names = Object.keys(START);
  let theta = names.flatMap((name) => START[name]);
  const curvature = names.flatMap((name) => CURVATURE[name]);
  let m = theta.map(() => 0);
  let v = theta.map(() => 0);
  let average = [...theta];
  const losses: number[] = [];
  const norms: number[] = [];
  for (let t = 1; t <= steps; t++) {
    losses.push(theta.reduce((sum, w, k) => sum + (curvature[k] / 2) * (w - GOAL) ** 2, 0));
    let g = theta.map((w, k) => curvature[k] * (w - GOAL));
    const norm = Math.hypot(...g);
    norms.push(norm);
    if (norm > clipNorm) g = g.map((value) => (value * clipNorm) / norm);
    m = m.map((value, k) => beta1 * value + (1 - beta1) * g[k]);
    v = v.map((value, k) => beta2 * value + (1 - beta2) * g[k] ** 2);
    const rate = typeof learningRate === 'number' ? learningRate : learningRate(t);
    theta = theta.map((w, k) => {
      const first = m[k] / (1 - beta1 ** t);
      const second = v[k] / (1 - beta2 ** t);
      return w - (rate * first) / (Math.sqrt(second) + epsilon);
    });
    const decay = options.emaWarmUp
      ? Math.min(options.emaDecay ?? 0, (1 + t) / (10 + t))
      : (options.emaDecay ?? 0);
    average = average.map((value, k) => decay * value + (1 - decay) * theta[k]);
  }
  return { theta, m, v, average, losses, norms };
}

const flat = (values: Iterable<ArrayLike<number>>) => [...values].flatMap((part) => Array.from(part));

function expectClose(found: readonly number[], expected: readonly number[], tolerance = 3e-6): void {
  expect(found.length).toBe(expected.length);
  const scale = Math.max(...expected.map(Math.abs));
  const error = Math.max(...found.map((value, k) => Math.abs(value - expected[k])));
  expect(error / scale).toBeLessThan(tolerance);
}

async function withAdam(
  options: AdamOptions,
  work: (adam: Adam, network: Network) => void | Promise<void>,
): Promise<void> {
  const network = makeNetwork();
  const adam = createAdam(network, options);
  await work(adam, network);
  adam.dispose();
  network.dispose();
}

describe('createAdam', () => {
  it.each<[string, AdamOptions]>([
    ['with its defaults', { learningRate: 0.05 }],
    ['with other means', { learningRate: 0.01, beta1: 0.5, beta2: 0.9, epsilon: 1e-3 }],
    ['with a rate that changes', { learningRate: warmUp(0.1, 10) }],
    ['with clipping', { learningRate: 0.05, clipNorm: 0.5 }],
    ['with an average', { learningRate: 0.05, emaDecay: 0.9 }],
    ['with an average that warms up', { learningRate: 0.05, emaDecay: 0.9, emaWarmUp: true }],
  ])('steps as the algorithm says, %s', (_, options) =>
    withAdam(options, (adam, network) => {
      const steps = 25;
      const results = Array.from({ length: steps }, () => adam.step(quadratic(network)));
      const expected = twin(steps, options);
      expect(results.every(({ updated }) => updated)).toBe(true);
      expectClose(
        results.map(({ loss }) => loss),
        expected.losses,
      );
      expectClose(
        results.map(({ gradientNorm }) => gradientNorm),
        expected.norms,
      );
      expectClose(flat(Object.values(weightsOf(network))), expected.theta);
      const state = adam.state();
      expect(state.stepCount).toBe(steps);
      expect(adam.stepCount).toBe(steps);
      expectClose(flat(state.first.values()), expected.m);
      expectClose(flat(state.second.values()), expected.v);
      expect(state.average !== undefined).toBe(options.emaDecay !== undefined);
      if (state.average) expectClose(flat(state.average.values()), expected.average);
    }),
  );

  it('steps the same asynchronously, and refuses another step in between', () =>
    withAdam({ learningRate: 0.05 }, async (adam, network) => {
      await withAdam({ learningRate: 0.05 }, async (other, twinNetwork) => {
        for (let k = 0; k < 3; k++) {
          const promise = other.stepAsync(quadratic(twinNetwork));
          expectError(() => other.step(quadratic(twinNetwork)), 'BUSY', /a step of the same optimiser/);
          expect(await promise).toEqual(adam.step(quadratic(network)));
        }
        expect(weightsOf(twinNetwork)).toEqual(weightsOf(network));
      });
    }));

  it('leaves a parameter alone that the loss does not depend on', () =>
    withAdam({ learningRate: 0.1 }, (adam, network) => {
      const a = network.parameters.get('a') as Variable;
      adam.step(() => tf.sum(tf.square(a)) as Scalar);
      expect(weightsOf(network).b).toEqual(START.b);
      expect(weightsOf(network).a).not.toEqual(START.a);
    }));

  it.each<[string, number]>([
    ['loss', Number.NaN],
    ['gradient', Infinity],
  ])('makes no step where the %s is not finite, and says so', (_, factor) =>
    withAdam({ learningRate: 0.1, emaDecay: 0.5 }, (adam, network) => {
      adam.step(quadratic(network));
      const [weights, state] = [weightsOf(network), adam.state()];
      const result = adam.step(() => tf.mul(quadratic(network)(), factor));
      expect(result.updated).toBe(false);
      expect(Number.isFinite(result.loss) && Number.isFinite(result.gradientNorm)).toBe(false);
      expect(weightsOf(network)).toEqual(weights);
      expect(adam.state()).toEqual(state);
      expect(adam.step(quadratic(network)).updated).toBe(true);
    }),
  );

  it('goes on from a state bit for bit', () =>
    withAdam({ learningRate: 0.05, emaDecay: 0.9 }, async (adam, network) => {
      for (let k = 0; k < 5; k++) adam.step(quadratic(network));
      const [weights, state] = [weightsOf(network), adam.state()];
      await withAdam({ learningRate: 0.05, emaDecay: 0.9 }, (other, again) => {
        for (const [name, variable] of again.parameters) {
          tf.tidy(() => variable.assign(tf.tensor1d(weights[name])));
        }
        other.restore(state);
        for (let k = 0; k < 5; k++) {
          expect(other.step(quadratic(again))).toEqual(adam.step(quadratic(network)));
        }
        expect(other.state()).toEqual(adam.state());
        expect(weightsOf(again)).toEqual(weightsOf(network));
      });
    }));

  it('refuses the state of another network or of other options, and keeps its own', () =>
    withAdam({ learningRate: 0.05 }, (adam, network) => {
      adam.step(quadratic(network));
      const state = adam.state();
      const first = new Map([...state.first].map(([name, values]) => [`${name}x`, values]));
      expectError(
        () => adam.restore({ ...state, first }),
        'SHAPE_MISMATCH',
        /first has no numbers for a, which has 3/,
      );
      const second = new Map([...state.second, ['c', new Float32Array(1)]]);
      expectError(() => adam.restore({ ...state, second }), 'SHAPE_MISMATCH', /3 parameters of 2/);
      const average = state.first;
      expectError(() => adam.restore({ ...state, average }), 'INVALID_VALUE', /needs emaDecay/);
      expectError(() => adam.restore({ ...state, stepCount: -1 }), 'INVALID_VALUE', /stepCount is -1/);
      expect(adam.state()).toEqual(state);
    }));
});

describe('withEma', () => {
  it('lends the averaged weights, and puts the others back, whatever happens', () =>
    withAdam({ learningRate: 0.1, emaDecay: 0.5 }, async (adam, network) => {
      expect(adam.withEma(() => weightsOf(network))).toEqual(START);
      for (let k = 0; k < 4; k++) adam.step(quadratic(network));
      const weights = weightsOf(network);
      const average = flat(adam.state().average?.values() ?? []);
      const seen = adam.withEma(() => {
        expectError(() => adam.step(quadratic(network)), 'BUSY', /withEma of the same optimiser/);
        return weightsOf(network);
      });
      expect(flat(Object.values(seen))).toEqual(average);
      expect(weightsOf(network)).toEqual(weights);
      const later = adam.withEma(async () => {
        await Promise.resolve();
        return weightsOf(network);
      });
      expect(flat(Object.values(await later))).toEqual(average);
      expect(weightsOf(network)).toEqual(weights);
      expect(() =>
        adam.withEma(() => {
          throw new Error('stop');
        }),
      ).toThrow('stop');
      await expect(adam.withEma(() => Promise.reject(new Error('stop')))).rejects.toThrow('stop');
      expect(weightsOf(network)).toEqual(weights);
      adam.step(quadratic(network));
    }));

  it('needs an average', () =>
    withAdam({ learningRate: 0.1 }, (adam) => {
      expectError(
        () => adam.withEma(() => 0),
        'INVALID_VALUE',
        /no average of the weights is kept; give emaDecay/,
      );
    }));
});

describe('errors', () => {
  it.each<[string, AdamOptions, RegExp]>([
    ['no rate', {} as AdamOptions, /learningRate is missing/],
    ['a negative rate', { learningRate: -1 }, /learningRate is -1/],
    ['a mean of everything', { learningRate: 1, beta1: 1 }, /beta1 is 1, must be below 1/],
    ['a negative decay', { learningRate: 1, emaDecay: -0.1 }, /emaDecay is -0.1/],
    ['a norm of nothing', { learningRate: 1, clipNorm: 0 }, /clipNorm is 0, must be larger/],
  ])('%s', (_, options, message) => {
    const network = makeNetwork();
    expectError(() => createAdam(network, options), 'INVALID_VALUE', message);
    network.dispose();
  });

  it('in options, losses and rates leave nothing behind', () =>
    withAdam({ learningRate: () => Number.NaN }, (adam, network) => {
      const options = { learningRate: 1, rate: 1 } as AdamOptions;
      expectError(() => createAdam(network, options), 'UNKNOWN_OPTION', /unknown option "rate"/);
      const weights = weightsOf(network);
      const start = tf.memory().numTensors;
      expectError(() => adam.step(quadratic(network)), 'INVALID_VALUE', /learningRate\(1\) is NaN/);
      expectError(() => adam.step(() => tf.ones([2]) as Scalar), 'INVALID_TYPE', /a tensor of rank 0/);
      expect(() =>
        adam.step(() => {
          tf.mul(quadratic(network)(), tf.ones([2]) as Tensor1D);
          throw new Error('stop');
        }),
      ).toThrow('stop');
      expect(tf.memory().numTensors).toBe(start);
      expect(weightsOf(network)).toEqual(weights);
      expect(adam.stepCount).toBe(0);
      adam.dispose();
      expectError(() => adam.step(quadratic(network)), 'DISPOSED', /step: the optimiser was disposed/);
    }));
});
