import type { NamedTensorMap, Scalar, Tensor, Variable } from '@tensorflow/tfjs-core';
import { SeedspanError, show } from '../errors.ts';
import { checkTolerance } from '../solver/options.ts';
import {
  type Adam,
  type AdamOptions,
  type AdamState,
  type AdamStep,
  checkAdamOptions,
  type ParameterValues,
} from './adam-options.ts';
import { adamUpdate, averageUpdate, sumOfSquares } from './adam-update.ts';
import type { Network } from './network/types.ts';
import type { Tensors } from './tensors/types.ts';

const WHERE = 'createAdam';

/** Learning rate that grows evenly up to `rate` in the first `steps` steps and stays there. */
export function warmUp(rate: number, steps: number): (step: number) => number {
  checkTolerance('warmUp', 'rate', rate);
  checkTolerance('warmUp', 'steps', steps);
  return (step) => rate * Math.min(1, step / Math.max(1, steps));
}

/**
 * The optimiser Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1) for a network.
 *
 * @throws SeedspanError `INVALID_VALUE`, `INVALID_TYPE`, `UNKNOWN_OPTION`
 */
export function createAdam(network: Network, options: AdamOptions): Adam {
  return new NetworkAdam(network, options);
}

interface Slot {
  name: string;
  variable: Variable;
  first: Float32Array;
  second: Float32Array;
  /** Begins as the weights before the first update. */
  average: Float32Array | undefined;
}

class NetworkAdam implements Adam {
  stepCount = 0;
  readonly #network: Network;
  readonly #options: Required<Omit<AdamOptions, 'emaDecay'>> & { emaDecay: number | undefined };
  #slots: Slot[];
  /** What goes on that another call must not disturb. */
  #busy: string | undefined;
  #disposed = false;

  constructor(network: Network, options: AdamOptions) {
    checkAdamOptions(options);
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, clipNorm = Infinity, emaWarmUp = false } = options;
    const { learningRate, emaDecay } = options;
    this.#network = network;
    this.#options = { learningRate, beta1, beta2, epsilon, clipNorm, emaDecay, emaWarmUp };
    this.#slots = [...network.parameters].map(([name, variable]) => ({
      name,
      variable,
      first: new Float32Array(variable.size),
      second: new Float32Array(variable.size),
      average: undefined,
    }));
  }

  step(loss: () => Scalar): AdamStep {
    this.#enter('step');
    const { value, grads } = this.#gradients(loss);
    try {
      const gradients = this.#slots.map(({ variable }) => grads[variable.name]?.dataSync<'float32'>());
      const weights = this.#slots.map(({ variable }) => variable.dataSync<'float32'>());
      return this.#update(value.dataSync()[0], gradients, weights);
    } finally {
      this.#network.tf.dispose([value, grads]);
    }
  }

  async stepAsync(loss: () => Scalar): Promise<AdamStep> {
    this.#enter('stepAsync');
    const { value, grads } = this.#gradients(loss);
    this.#busy = 'a step';
    try {
      const read = (tensor: Tensor | undefined) => tensor?.data<'float32'>();
      const gradients = await Promise.all(this.#slots.map(({ variable }) => read(grads[variable.name])));
      const weights = await Promise.all(this.#slots.map(({ variable }) => variable.data<'float32'>()));
      const [lossValue] = await value.data();
      return this.#update(lossValue, gradients, weights);
    } finally {
      this.#busy = undefined;
      this.#network.tf.dispose([value, grads]);
    }
  }

  state(): AdamState {
    this.#enter('state');
    const copy = (of: (slot: Slot) => Float32Array) =>
      new Map(this.#slots.map((slot) => [slot.name, of(slot).slice()]));
    return {
      stepCount: this.stepCount,
      first: copy(({ first }) => first),
      second: copy(({ second }) => second),
      ...(this.#slots[0]?.average && { average: copy(({ average }) => average as Float32Array) }),
    };
  }

  restore(state: AdamState): void {
    this.#enter('restore');
    const { stepCount, first, second, average } = state;
    if (!Number.isSafeInteger(stepCount) || stepCount < 0) {
      throw new SeedspanError(
        'INVALID_VALUE',
        `restore: stepCount is ${show(stepCount)}, must be an integer from 0`,
      );
    }
    const averaged = this.#options.emaDecay !== undefined && stepCount > 0;
    if (averaged !== (average !== undefined)) {
      throw new SeedspanError(
        'INVALID_VALUE',
        averaged
          ? 'restore: the state has no average of the weights, which emaDecay asks for'
          : 'restore: the state has an average of the weights, which needs emaDecay to go on',
      );
    }
    const take = (what: string, values: ParameterValues, { name, variable }: Slot) => {
      const found = values.get(name);
      if (found?.length === variable.size && values.size === this.#slots.length) return found.slice();
      throw new SeedspanError(
        'SHAPE_MISMATCH',
        `restore: ${what} has ${found?.length ?? 'no'} numbers for ${name}, which has ${variable.size}, and ` +
          `${values.size} parameters of ${this.#slots.length}: it is another network's`,
        { parameter: name },
      );
    };
    this.#slots = this.#slots.map((slot) => ({
      ...slot,
      first: take('first', first, slot),
      second: take('second', second, slot),
      average: average && take('average', average, slot),
    }));
    this.stepCount = stepCount;
  }

  withEma<T>(work: () => T): T {
    this.#enter('withEma');
    if (this.#options.emaDecay === undefined) {
      throw new SeedspanError('INVALID_VALUE', 'withEma: no average of the weights is kept; give emaDecay');
    }
    const { tf } = this.#network;
    const kept = this.#slots.map(({ variable }) => tf.tidy(() => tf.keep(variable.clone())));
    const restore = () => {
      this.#slots.forEach(({ variable }, k) => {
        variable.assign(kept[k]);
        kept[k].dispose();
      });
      this.#busy = undefined;
    };
    this.#busy = 'withEma';
    let result: T;
    try {
      for (const { variable, average } of this.#slots) if (average) this.#assign(variable, average);
      result = work();
    } catch (error) {
      restore();
      throw error;
    }
    if (result instanceof Promise) return result.finally(restore) as T;
    restore();
    return result;
  }

  dispose(): void {
    this.#disposed = true;
    this.#slots = [];
  }

  #enter(where: string): void {
    if (this.#disposed) throw new SeedspanError('DISPOSED', `${where}: the optimiser was disposed`);
    if (this.#busy === undefined) return;
    throw new SeedspanError('BUSY', `${where}: ${this.#busy} of the same optimiser has not ended`);
  }

  #gradients(loss: () => Scalar): { value: Scalar; grads: NamedTensorMap } {
    const { tf } = this.#network;
    const checked = () => {
      const value = loss();
      if (value instanceof tf.Tensor && value.rank === 0) return value;
      throw new SeedspanError(
        'INVALID_TYPE',
        `step: the loss must be a tensor of rank 0, not ${show(value)}`,
      );
    };
    const variables = this.#slots.map(({ variable }) => variable);
    try {
      return tf.variableGrads(checked, variables);
    } catch (error) {
      disposeTape(tf);
      throw error;
    }
  }

  /** A parameter that the loss does not depend on has the gradient zero. */
  #update(
    loss: number,
    gradients: readonly (Float32Array | undefined)[],
    weights: readonly Float32Array[],
  ): AdamStep {
    const { learningRate, beta1, beta2, epsilon, clipNorm, emaDecay, emaWarmUp } = this.#options;
    const squares = gradients.reduce((sum, values) => sum + (values ? sumOfSquares(values) : 0), 0);
    const gradientNorm = Math.sqrt(squares);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
      return { loss, gradientNorm, updated: false };
    }
    const step = this.stepCount + 1;
    const rate = typeof learningRate === 'number' ? learningRate : learningRate(step);
    checkTolerance(WHERE, `learningRate(${step})`, rate);
    const decay = Math.min(emaDecay ?? 0, emaWarmUp ? (1 + step) / (10 + step) : 1);
    const settings = {
      beta1,
      beta2,
      epsilon,
      scale: gradientNorm > clipNorm ? clipNorm / gradientNorm : 1,
      rate: rate / (1 - beta1 ** step),
      correction: 1 / Math.sqrt(1 - beta2 ** step),
    };
    for (const [k, slot] of this.#slots.entries()) {
      const { variable, first, second } = slot;
      const gradient = gradients[k] ?? new Float32Array(variable.size);
      const next = new Float32Array(variable.size);
      adamUpdate(next, weights[k], gradient, first, second, settings);
      if (emaDecay !== undefined) {
        slot.average ??= weights[k].slice();
        averageUpdate(slot.average, next, decay);
      }
      this.#assign(variable, next);
    }
    this.stepCount = step;
    return { loss, gradientNorm, updated: true };
  }

  /** A new tensor, since back ends keep what they derived from the old one. */
  #assign(variable: Variable, values: Float32Array): void {
    const { tf } = this.#network;
    tf.tidy(() => {
      variable.assign(tf.tensor(values, variable.shape));
    });
  }
}

/** Where a loss throws, tfjs keeps what it saved for the gradient's way back. */
function disposeTape(tf: Tensors): void {
  const { state } = tf.engine();
  if (state.gradientDepth > 0) return;
  for (const { saved = [] } of state.activeTape ?? []) tf.dispose(saved);
  state.activeTape = [];
}
