import { checkNdArray, checkUnitRange } from '../diffusion/ndarray.ts';
import { randomStream } from '../diffusion/random.ts';
import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { checkCount, checkTolerance } from '../solver/options.ts';
import { yieldToHost } from '../solver/yield.ts';
import type { Adam, AdamStep } from './adam-options.ts';
import { restoreCheckpoint } from './checkpoint.ts';
import { createModel, fingerprintOf, modelOf, type ScoreModel } from './model.ts';
import { createNetwork } from './network/create.ts';
import { createAdam, warmUp } from './optimizer.ts';
import {
  equationOf,
  type ResolvedSettings,
  resolveSettings,
  SETTING_NAMES,
  type TrainingSettings,
} from './settings.ts';
import { ddpmTask } from './tasks/ddpm.ts';
import { regressionLoss, toTensors } from './tasks/loss.ts';
import { ddpmSchedule } from './tasks/schedule.ts';
import { scoreEmbeddingTask } from './tasks/score-embedding.ts';
import { stepStream, type Task, type TrainingPictures } from './tasks/types.ts';
import type { Tensors } from './tensors/backend.ts';
import { checkSame, readTraining, writeTraining } from './training-checkpoint.ts';

/** A step that is done. */
export interface TrainingProgress {
  /** Steps and whole epochs done, over all runs. */
  step: number;
  epoch: number;
  stepsPerEpoch: number;
  loss: number;
  /** Before clipping. */
  gradientNorm: number;
  /** Milliseconds of training, over all runs: steps alone, without pre-computation and callbacks. */
  time: number;
}

/** What training has come to. */
export interface TrainingState {
  readonly step: number;
  readonly epoch: number;
  readonly time: number;
  /**
   * Runs `work` with the model as it would be saved, with averaged weights where there are such; a promise is waited
   * for. The model must not be kept.
   */
  evaluate<T>(work: (model: ScoreModel) => T): T;
  /** All that training needs to go on: weights, averages, moments, settings, step. A safetensors file. */
  checkpoint(): Uint8Array;
}

export interface TrainingOptions extends TrainingSettings {
  /** Training ends after as many epochs, counted over all runs. One of the three must be given. */
  epochs?: number;
  /** ... after as many steps. */
  steps?: number;
  /** ... or after the step in which as many seconds have been trained for, by `clock`. */
  seconds?: number;
  /** Milliseconds of time passed. Default `performance.now`. */
  clock?: () => number;
  /**
   * A checkpoint to go on from, bit for bit as if there had been no break (same machine, same back end). It has the
   * settings; those given must be the same.
   */
  resume?: Uint8Array;
  /** Looked at before each step. When it is aborted, training ends and returns what there is. */
  signal?: AbortSignal;
  /** Called after each step. What it throws ends the training. */
  onProgress?: (progress: TrainingProgress) => void;
  /** Called after every `everyEpochs` epochs; a promise is waited for. What it throws ends the training. */
  onEpoch?: (state: TrainingState) => void | Promise<void>;
  /** Default 1. */
  everyEpochs?: number;
}

export interface TrainingRun extends TrainingState {
  /** `non-finite`: a step's loss or gradient was not; the state is that before it. */
  readonly status: 'completed' | 'aborted' | 'non-finite';
  /** With `non-finite`: the step, from 1, and what was found. */
  readonly nonFinite?: { step: number; loss: number; gradientNorm: number };
  readonly settings: ResolvedSettings;
  /** Gives up network and optimiser. */
  dispose(): void;
}

const WHERE = 'trainScoreModel';
const NAMES = [
  ...SETTING_NAMES,
  'epochs',
  'steps',
  'seconds',
  'clock',
  'resume',
  'signal',
  'onProgress',
  'onEpoch',
  'everyEpochs',
];

/**
 * Trains a U-Net on pictures: by score embedding (arXiv 2404.06661 and 2511.17634) or as DDPM (arXiv 2006.11239).
 *
 * Everything random depends on the seed and the number of the step, so that a run can be repeated and continued bit
 * for bit. A loss that is not finite and an abort are statuses, not errors: the state up to there is in the result.
 *
 * @param pictures `[images, channels, H, W]`, values in [0, 1]
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `SHAPE_MISMATCH`, `UNKNOWN_OPTION`; `BAD_FORMAT` for a
 *   checkpoint that is damaged, none of training, or of other pictures. No tensor is left then.
 */
export async function trainScoreModel(
  tf: Tensors,
  pictures: TrainingPictures,
  options: TrainingOptions,
): Promise<TrainingRun> {
  checkOptionNames(WHERE, options ?? null, NAMES);
  checkNdArray(`${WHERE}: pictures`, pictures, ['images', 'channels', 'H', 'W']);
  checkUnitRange(`${WHERE}: pictures`, pictures.data);
  checkRun(options);
  const training = await Training.begin(tf, pictures, options);
  try {
    await training.run(options);
    return training;
  } catch (error) {
    training.dispose();
    throw error;
  }
}

function checkRun({ epochs, steps, seconds, everyEpochs, signal, ...functions }: TrainingOptions): void {
  if (epochs === undefined && steps === undefined && seconds === undefined) {
    throw new SeedspanError('INVALID_VALUE', `${WHERE}: give epochs, steps or seconds, or it would not end`);
  }
  checkCount(WHERE, 'epochs', epochs, 0);
  checkCount(WHERE, 'steps', steps, 0);
  checkTolerance(WHERE, 'seconds', seconds);
  checkCount(WHERE, 'everyEpochs', everyEpochs, 1);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new SeedspanError('INVALID_TYPE', `${WHERE}: signal must be an AbortSignal, not ${show(signal)}`);
  }
  for (const name of ['clock', 'onProgress', 'onEpoch'] as const) {
    const value: unknown = functions[name];
    if (value === undefined || typeof value === 'function') continue;
    throw new SeedspanError('INVALID_TYPE', `${WHERE}: ${name} must be a function, not ${show(value)}`);
  }
}

class Training implements TrainingRun {
  step = 0;
  time = 0;
  status: TrainingRun['status'] = 'completed';
  nonFinite?: { step: number; loss: number; gradientNorm: number };
  readonly settings: ResolvedSettings;
  readonly #model: ScoreModel;
  readonly #adam: Adam;
  readonly #pictures: TrainingPictures;
  #stepsPerEpoch = Number.POSITIVE_INFINITY;

  private constructor(model: ScoreModel, pictures: TrainingPictures) {
    const { settings } = model;
    const { learningRate, clipNorm, emaDecay } = settings;
    this.settings = settings;
    this.#model = model;
    this.#pictures = pictures;
    this.#adam = createAdam(model.network, {
      learningRate: settings.warmUp > 0 ? warmUp(learningRate, settings.warmUp) : learningRate,
      ...(clipNorm > 0 && { clipNorm }),
      ...(emaDecay > 0 && { emaDecay, emaWarmUp: true }),
    });
  }

  /** From new weights, or where a checkpoint ended. */
  static begin(tf: Tensors, pictures: TrainingPictures, options: TrainingOptions): Training {
    const given = Object.fromEntries(
      SETTING_NAMES.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
    ) as TrainingSettings;
    const [images, channels, height, width] = pictures.shape;
    const shape = [channels, height, width] as const;
    const fingerprint = fingerprintOf(pictures);
    if (options.resume === undefined) {
      const settings = resolveSettings(WHERE, given);
      return new Training(createModel(tf, { settings, shape, images, fingerprint }), pictures);
    }
    const { info, time, checkpoint } = readTraining(options.resume);
    checkSame(WHERE, given, info, { images, shape, fingerprint });
    const model = modelOf(createNetwork(tf, checkpoint.kind, checkpoint.options), info);
    try {
      const training = new Training(model, pictures);
      restoreCheckpoint(checkpoint, model.network, training.#adam);
      training.step = training.#adam.stepCount;
      training.time = time;
      return training;
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  get epoch(): number {
    return Math.floor(this.step / this.#stepsPerEpoch);
  }

  evaluate<T>(work: (model: ScoreModel) => T): T {
    return this.settings.emaDecay > 0 ? this.#adam.withEma(() => work(this.#model)) : work(this.#model);
  }

  checkpoint(): Uint8Array {
    return writeTraining(this.#model, this.#adam, this.time);
  }

  dispose(): void {
    this.#adam.dispose();
    this.#model.dispose();
  }

  async run(options: TrainingOptions): Promise<void> {
    const { signal, onProgress, onEpoch, everyEpochs = 1, clock = () => performance.now() } = options;
    const task = await this.#prepare(signal);
    if (task === undefined) {
      this.status = 'aborted';
      return;
    }
    const { stepsPerEpoch } = task;
    this.#stepsPerEpoch = stepsPerEpoch;
    while (!this.#isDone(options)) {
      if (signal?.aborted) {
        this.status = 'aborted';
        return;
      }
      const began = clock();
      const { loss, gradientNorm, updated } = await this.#takeStep(task);
      if (!updated) {
        this.status = 'non-finite';
        this.nonFinite = { step: this.step + 1, loss, gradientNorm };
        return;
      }
      this.step++;
      this.time += clock() - began;
      const { step, epoch, time } = this;
      onProgress?.({ step, epoch, stepsPerEpoch, loss, gradientNorm, time });
      if (step % (everyEpochs * stepsPerEpoch) === 0) await onEpoch?.(this);
      await yieldToHost();
    }
  }

  /** Undefined where it was aborted. */
  async #prepare(signal: AbortSignal | undefined): Promise<Task | undefined> {
    try {
      return await createTask(this.#pictures, this.settings, signal);
    } catch (error) {
      if (signal?.aborted) return undefined;
      throw error;
    }
  }

  #isDone({ epochs, steps, seconds }: TrainingOptions): boolean {
    return (
      (epochs !== undefined && this.epoch >= epochs) ||
      (steps !== undefined && this.step >= steps) ||
      (seconds !== undefined && this.time >= 1000 * seconds)
    );
  }

  async #takeStep(task: Task): Promise<AdamStep> {
    const { network, shape, images } = this.#model;
    const { tf } = network;
    const batch = task.batch(this.step);
    const choice = randomStream(this.settings.seed, stepStream(this.step, 'dropout'));
    const dropoutSeed = Math.floor(choice.uniform() * 2 ** 32);
    const [channels, height, width] = shape;
    const tensors = toTensors(network, batch, [height, width, channels]);
    try {
      return await this.#adam.stepAsync(() =>
        regressionLoss(network, tensors, { indexed: images > 1, dropoutSeed }),
      );
    } finally {
      tf.dispose(Object.values(tensors));
    }
  }
}

async function createTask(
  pictures: TrainingPictures,
  settings: ResolvedSettings,
  signal: AbortSignal | undefined,
): Promise<Task> {
  if (settings.method === 'ddpm') return ddpmTask(pictures, ddpmSchedule(settings.schedule), settings);
  return scoreEmbeddingTask(pictures, { ...settings, sde: equationOf(settings) }, signal);
}
