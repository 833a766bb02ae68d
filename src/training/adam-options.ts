import type { Scalar } from '@tensorflow/tfjs-core';
import { checkOptionNames, SeedspanError } from '../errors.ts';
import { checkFlag, checkTolerance } from '../solver/options.ts';

/** Rate, moments, clipping and average. */
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

/** What one step of the optimiser did. */
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

/** The optimiser, with its moments. */
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

/** Refuses options that Adam cannot use. */
export function checkAdamOptions(options: AdamOptions): void {
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
