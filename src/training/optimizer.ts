import type { NamedTensorMap, Scalar, Tensor, Variable } from '@tensorflow/tfjs-core';
import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { checkFlag, checkTolerance } from '../solver/options.ts';
import { adamUpdate, averageUpdate, sumOfSquares } from './adam-update.ts';
import type { Network } from './network/types.ts';

export interface AdamOptions {
  /** Constant, or a function of the number of the step, from 1; see `warmUp`. */
  learningRate: number | ((step: number) => number);
  /** Of the mean of the gradients. Default 0.9. */
  beta1?: number;
  /** Of the mean of their squares. Default 0.999. */
  beta2?: number;
  /** Default 1e-8. */
  epsilon?: number;
  /** Longer gradients, all parameters in one vector, are scaled to this norm. Default: none are. */
  clipNorm?: number;
  /** Keeps an exponential moving average of the weights, with this decay a step. Default: none is kept. */
  emaDecay?: number;
  /** The average's decay in step n is at most (1 + n) / (10 + n), so that it forgets the initial weights. Default false. */
  emaWarmUp?: boolean;
}

export interface AdamStep {
  loss: number;
  /** Before clipping. */
  gradientNorm: number;
  /** False where loss or gradient is not finite: then weights, moments and `stepCount` are as they were. */
  updated: boolean;
}

/** Numbers by the parameters' names. */
export type ParameterValues = ReadonlyMap<string, Float32Array>;

/** All that an optimiser remembers. */
export interface AdamState {
  /** Updates so far. */
  stepCount: number;
  /** Means of the gradients. */
  first: ParameterValues;
  /** Means of their squares. */
  second: ParameterValues;
  /** Average of the weights, where one is kept. */
  average?: ParameterValues;
}

export interface Adam {
  /** Updates so far. */
  readonly stepCount: number;
  /**
   * One step down the gradient of `loss`, which is run once and whose tensors are given back.
   *
   * @param loss a scalar tensor that depends on the network's parameters
   */
  step(loss: () => Scalar): AdamStep;
  /** The same on back ends that hand out numbers only asynchronously, such as `webgpu`. */
  stepAsync(loss: () => Scalar): Promise<AdamStep>;
  /** A copy. */
  state(): AdamState;
  /** @throws SeedspanError `SHAPE_MISMATCH` where names or lengths are not the network's */
  restore(state: AdamState): void;
  /**
   * Runs `work` while the network has the averaged weights, before the first update its own, and then puts the others
   * back; a promise is waited for.
   *
   * @throws SeedspanError `INVALID_VALUE` where no average is kept
   */
  withEma<T>(work: () => T): T;
  /** Gives up what it remembers. The network stays. */
  dispose(): void;
}

const WHERE = 'createAdam';
const NAMES = ['learningRate', 'beta1', 'beta2', 'epsilon', 'clipNorm', 'emaDecay', 'emaWarmUp'];

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
    checkOptions(options);
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
    return tf.variableGrads(
      checked,
      this.#slots.map(({ variable }) => variable),
    );
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

function checkOptions(options: AdamOptions): void {
  checkOptionNames(WHERE, options, NAMES);
  const { learningRate, beta1, beta2, epsilon, clipNorm, emaDecay, emaWarmUp } = options;
  if (typeof learningRate !== 'function') {
    if (learningRate === undefined)
      throw new SeedspanError('INVALID_VALUE', `${WHERE}: learningRate is missing`);
    checkTolerance(WHERE, 'learningRate', learningRate);
  }
  checkTolerance(WHERE, 'epsilon', epsilon);
  for (const [name, value] of Object.entries({ beta1, beta2, emaDecay })) {
    checkTolerance(WHERE, name, value);
    if (value === undefined || value < 1) continue;
    throw new SeedspanError('INVALID_VALUE', `${WHERE}: ${name} is ${value}, must be below 1`, {
      [name]: value,
    });
  }
  checkTolerance(WHERE, 'clipNorm', clipNorm);
  if (clipNorm === 0) throw new SeedspanError('INVALID_VALUE', `${WHERE}: clipNorm is 0, must be larger`);
  checkFlag(WHERE, 'emaWarmUp', emaWarmUp);
}
