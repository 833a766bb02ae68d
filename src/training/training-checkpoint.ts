import { SeedspanError } from '../errors.ts';
import type { Adam } from './adam-options.ts';
import {
  type Checkpoint,
  type Json,
  readCheckpoint,
  restoreCheckpoint,
  writeCheckpoint,
} from './checkpoint.ts';
import { type ModelInfo, modelOf, type ScoreModel } from './model.ts';
import { createNetwork } from './network/create.ts';
import { SETTING_NAMES, type TrainingSettings } from './settings.ts';
import type { Tensors } from './tensors/backend.ts';

/** What a checkpoint says about the training, in its `task`. */
interface TrainingTask extends ModelInfo {
  trains: 'pictures';
  /** Milliseconds. */
  time: number;
}

export interface SavedTraining {
  info: ModelInfo;
  time: number;
  checkpoint: Checkpoint;
}

/** A model with all that its training needs to go on. */
export function writeTraining(model: ScoreModel, adam: Adam, time: number): Uint8Array {
  const { network, settings, shape, images, fingerprint } = model;
  const task: TrainingTask = { trains: 'pictures', settings, shape, images, fingerprint, time };
  return writeCheckpoint({
    network,
    adam,
    seeds: { training: settings.seed },
    task: task as unknown as Json,
  });
}

/** @throws SeedspanError `BAD_FORMAT` where it is damaged, or not a checkpoint of `trainScoreModel` */
export function readTraining(bytes: Uint8Array): SavedTraining {
  const checkpoint = readCheckpoint(bytes);
  const task = checkpoint.task as Partial<TrainingTask> | null;
  if (task?.trains !== 'pictures' || checkpoint.optimizer === undefined || task.settings === undefined) {
    throw new SeedspanError(
      'BAD_FORMAT',
      'the checkpoint is not one of training on pictures: train with trainScoreModel, or seedspan train',
    );
  }
  const { settings, shape, images, fingerprint, time } = task as TrainingTask;
  return { info: { settings, shape, images, fingerprint }, time, checkpoint };
}

/**
 * A trained model from a checkpoint, with the averaged weights where there are such.
 *
 * @throws SeedspanError `BAD_FORMAT` where it is damaged, or not a checkpoint of `trainScoreModel`
 */
export function readModel(tf: Tensors, bytes: Uint8Array): ScoreModel {
  const { info, checkpoint } = readTraining(bytes);
  const { weights, optimizer } = checkpoint;
  for (const [name, data] of optimizer?.average ?? []) {
    weights.set(name, { shape: weights.get(name)?.shape ?? [], data: Float32Array.from(data) });
  }
  const model = modelOf(createNetwork(tf, checkpoint.kind, checkpoint.options), info);
  try {
    restoreCheckpoint(checkpoint, model.network);
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** Refuses to go on with other pictures or settings. */
export function checkSame(
  where: string,
  given: TrainingSettings,
  saved: ModelInfo,
  now: Omit<ModelInfo, 'settings'>,
): void {
  const fail = (what: string): never => {
    throw new SeedspanError('INVALID_VALUE', `${where}: resume: ${what}`);
  };
  if (saved.images !== now.images || saved.shape.some((length, axis) => length !== now.shape[axis])) {
    const text = ({ images, shape }: typeof now) => `${images} of [${shape.join(', ')}]`;
    fail(`the checkpoint is of other pictures: ${text(saved)}, not ${text(now)}`);
  }
  if (saved.fingerprint !== now.fingerprint) {
    fail('the checkpoint is of other pictures: the same shape, but other values');
  }
  for (const name of SETTING_NAMES) {
    if (agrees(given[name], saved.settings[name])) continue;
    const [is, was] = [given[name], saved.settings[name]].map((value) => JSON.stringify(value));
    fail(`${name} is ${is} now and was ${was}; a run goes on with its own settings: leave it out`);
  }
}

/** Whether all that is given is as it was. */
function agrees(given: unknown, was: unknown): boolean {
  if (given === undefined) return true;
  if (Array.isArray(given)) return JSON.stringify(given) === JSON.stringify(was);
  if (typeof given !== 'object' || given === null || typeof was !== 'object' || was === null)
    return given === was;
  return Object.entries(given).every(([key, value]) => agrees(value, (was as Record<string, unknown>)[key]));
}
