import type { Scalar, Tensor1D } from '@tensorflow/tfjs-core';
import { SeedspanError, show } from '../../errors.ts';
import { checkChoice, checkCount } from '../../solver/options.ts';
import { yieldToHost } from '../../solver/yield.ts';
import type { Network } from '../network/types.ts';
import { createAdam } from '../optimizer.ts';
import { WeightAverage } from './weight-average.ts';

/** Where a training has come to. */
export interface SupervisionStep {
  /** From 1. */
  step: number;
  /** Of this step's batch, before the step. */
  loss: number;
  /**
   * Runs `use` while the network has the averaged weights, which it has for good when training ends. A promise is
   * waited for; the callback has to wait for it, too.
   */
  averaged<T>(use: () => T): T;
}

/** How the rate changes in the course of training, by name. */
export const SCHEDULES = ['constant', 'cosine'] as const;

/** A name of {@link SCHEDULES}. */
export type Schedule = (typeof SCHEDULES)[number];

/** How a network of points is trained. */
export interface SupervisionOptions {
  /** Optimiser steps. */
  steps: number;
  /** Points a step. Default 512. */
  batch?: number;
  /** Of Adam; it rises to this over the first 100 steps, or a tenth of all. Default 5e-3. */
  learningRate?: number;
  /** What the rate does then: it stays `constant`, the default, or falls to 0 along half a `cosine`. */
  schedule?: Schedule;
  /**
   * The weights that count are averages over about the last `1 / averaging` of all steps (power-law averaging; Karras
   * et al., 2024, section 3), which do what a falling learning rate does without knowing where training ends.
   * Default 8.
   */
  averaging?: number;
  /** Of times, points and noise. Default 0. */
  seed?: number;
  /** Called after each step. What it throws ends the training. */
  callback?: (step: SupervisionStep) => void | Promise<void>;
  /** Looked at after each step. */
  signal?: AbortSignal;
}

export const SUPERVISION_KNOWN = [
  'steps',
  'batch',
  'learningRate',
  'schedule',
  'averaging',
  'seed',
  'callback',
  'signal',
] as const;

/** How the training of a network of points went. */
export interface SupervisionResult {
  /** `non-finite`: loss or gradient of step `steps` was; the weights are the average of those before it. */
  status: 'done' | 'non-finite';
  /** How many steps were begun. */
  steps: number;
  /** Loss of each step's batch. */
  losses: Float64Array;
}

/** Points with a target each. */
export class Batch {
  /** `[size, 2]`. */
  readonly points: Float32Array;
  /** `[size]`, in [0, 1]. */
  readonly times: Float32Array;
  /** `[size, 2]`: deviation of the noise times score. */
  readonly targets: Float32Array;
  /** `[size, 2]`: deviation of the noise, twice. */
  readonly deviations: Float32Array;

  constructor(readonly size: number) {
    this.points = new Float32Array(2 * size);
    this.times = new Float32Array(size);
    this.targets = new Float32Array(2 * size);
    this.deviations = new Float32Array(2 * size);
  }
}

/** Steps of the learning rate's rise, at most. */
const WARM_UP = 100;
const YIELD_AFTER = 12;

/**
 * The loop that both ways of training share: the same loss, `variance || s - target ||^2`, mean over the batch, the
 * same optimiser, the same averages. Only `fill`, which draws the batch of a step, is theirs.
 */
export async function trainOnTargets(
  where: string,
  network: Network,
  options: SupervisionOptions,
  fill: (batch: Batch, step: number) => void,
): Promise<SupervisionResult> {
  const { steps, batch: size, learningRate, schedule, averaging } = resolveSupervision(where, options);
  const { callback, signal } = options;
  signal?.throwIfAborted();
  const { tf } = network;
  const batch = new Batch(size);
  const losses = new Float64Array(steps);
  const adam = createAdam(network, {
    learningRate: (step) => learningRate * rateAt(step, steps, schedule),
    beta1: 0.9,
    beta2: 0.995,
  });
  const average = new WeightAverage(network, averaging);
  try {
    let paused = performance.now();
    for (let step = 1; step <= steps; step++) {
      fill(batch, step);
      const { loss, updated } = adam.step(() => batchLoss(network, batch));
      losses[step - 1] = loss;
      if (!updated) {
        average.keep();
        return { status: 'non-finite', steps: step, losses: losses.slice(0, step) };
      }
      average.update(step);
      await callback?.({ step, loss, averaged: (use) => average.while(use) });
      if (signal?.aborted || performance.now() - paused > YIELD_AFTER) {
        await yieldToHost();
        signal?.throwIfAborted();
        paused = performance.now();
      }
    }
    average.keep();
    return { status: 'done', steps, losses };
  } finally {
    adam.dispose();
  }

  function batchLoss(of: Network, { points, times, targets, deviations }: Batch): Scalar {
    const scores = of.apply(tf.tensor2d(points, [size, 2]), tf.tensor1d(times) as Tensor1D);
    const scaled = tf.mul(scores, tf.tensor2d(deviations, [size, 2]));
    const error = tf.sub(scaled, tf.tensor2d(targets, [size, 2]));
    // The mean is over both components: twice it is that over the points.
    return tf.mul(2, tf.mean(tf.square(error))) as Scalar;
  }
}

/** Share of the learning rate at a step, from 1. */
function rateAt(step: number, steps: number, schedule: Schedule): number {
  const rise = Math.min(1, step / Math.min(WARM_UP, Math.ceil(steps / 10)));
  return schedule === 'constant' ? rise : 0.5 * rise * (1 + Math.cos((Math.PI * (step - 1)) / steps));
}

function resolveSupervision(where: string, options: SupervisionOptions) {
  const { steps, batch = 512, learningRate = 5e-3, averaging = 8, seed = 0 } = options;
  const { schedule = 'constant', callback, signal } = options;
  if (steps === undefined) {
    throw new SeedspanError('INVALID_TYPE', `${where}: steps, the length of the training, must be given`);
  }
  checkCount(where, 'steps', steps, 1);
  checkCount(where, 'batch', batch, 1);
  checkCount(where, 'seed', seed, 0);
  checkChoice(where, 'schedule', schedule, SCHEDULES);
  for (const [name, value] of Object.entries({ learningRate, averaging })) {
    if (typeof value === 'number' && value > 0 && value < Infinity) continue;
    throw new SeedspanError('INVALID_VALUE', `${where}: ${name} must be positive, not ${show(value)}`);
  }
  if (callback !== undefined && typeof callback !== 'function') {
    throw new SeedspanError('INVALID_TYPE', `${where}: callback must be a function, not ${show(callback)}`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new SeedspanError('INVALID_TYPE', `${where}: signal must be an AbortSignal, not ${show(signal)}`);
  }
  return { steps, batch, learningRate, schedule, averaging };
}
