import { extname } from 'node:path';
import type { Command } from 'commander';
import { SeedspanError } from '../errors.ts';
import { readParsed } from '../node/files.ts';
import { checkOutputFile, readPictures, writeFileWhole } from '../node/index.ts';
import { duration, plural } from '../node/report/words.ts';
import {
  loadTensors,
  parameterCount,
  readCheckpoint,
  type TrainingProgress,
  type TrainingRun,
  type TrainingState,
  trainScoreModel,
} from '../training/index.ts';
import { type Context, EXIT, toJson } from './context.ts';
import { progressBar } from './progress.ts';
import {
  checkTrainUsage,
  DEFAULT_SIZE,
  newTrainCommand,
  type TrainCommandOptions,
  toSettings,
} from './train-options.ts';

interface Saved {
  bytes: Uint8Array;
  /** Of its pictures: channels, H, W; absent where it is of another training, which is refused later. */
  shape: [number, number, number] | undefined;
}

function readSaved(bytes: Uint8Array): Saved {
  const task = readCheckpoint(bytes).task as Partial<Saved> | null;
  return { bytes, shape: task?.shape };
}

function readInput(paths: readonly string[], options: TrainCommandOptions, saved: Saved | undefined) {
  const onlyArrays = paths.every((path) => extname(path).toLowerCase() === '.npy');
  const [savedChannels, ...savedSize] = saved?.shape ?? [3, DEFAULT_SIZE, DEFAULT_SIZE];
  const size = options.size ?? (onlyArrays ? undefined : savedSize);
  const channels = options.channels ?? String(savedChannels);
  return readPictures(paths, {
    channels: channels === '1' ? 1 : 3,
    normalise: options.normalise,
    ...(size === undefined ? {} : { size }),
  });
}

/** Says what can be done about a picture that the network cannot halve. */
async function withSizeAdvice<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof SeedspanError) || error.details.halvings === undefined) throw error;
    throw new SeedspanError(error.code, `${error.message} (options --size, --depth)`, error.details);
  }
}

/** Losses of the last epoch, or of all steps where there was none yet. */
class LastLosses {
  readonly #values: number[] = [];

  add({ loss, stepsPerEpoch }: TrainingProgress): void {
    this.#values.push(loss);
    if (this.#values.length > stepsPerEpoch) this.#values.shift();
  }

  get mean(): number | null {
    const values = this.#values;
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  }
}

/** The checkpoint's file: replaced as a whole each time, the first time only where that was asked for. */
class Output {
  readonly #path: string;
  #force: boolean;
  #saved = performance.now();

  constructor(path: string, force: boolean) {
    this.#path = path;
    this.#force = force;
  }

  async save(state: TrainingState): Promise<void> {
    await writeFileWhole(this.#path, state.checkpoint(), { force: this.#force });
    this.#force = true;
    this.#saved = performance.now();
  }

  /** Saves where as many minutes have gone by since the last time, or the beginning. */
  async saveAfter(minutes: number, state: TrainingState): Promise<void> {
    if (minutes > 0 && performance.now() - this.#saved >= 60_000 * minutes) await this.save(state);
  }
}

async function train(
  paths: readonly string[],
  options: TrainCommandOptions,
  losses: LastLosses,
  output: Output,
  context: Context,
): Promise<TrainingRun> {
  const { epochs, steps, minutes, out, saveEvery } = options;
  const seconds = minutes === undefined ? undefined : 60 * minutes;
  const saved = options.resume ? await readParsed(out, readSaved) : undefined;
  const pictures = await readInput(paths, options, saved);
  const tf = await loadTensors();
  const bar = progressBar(context);
  try {
    return await withSizeAdvice(
      trainScoreModel(tf, pictures, {
        ...toSettings(options),
        ...(epochs !== undefined && { epochs }),
        ...(steps !== undefined && { steps }),
        ...(seconds !== undefined && { seconds }),
        ...(saved && { resume: saved.bytes }),
        signal: context.signal,
        onEpoch: (state) => output.saveAfter(saveEvery, state),
        onProgress(progress) {
          losses.add(progress);
          const { step, stepsPerEpoch, time, loss, epoch } = progress;
          const share = Math.max(
            step / (steps ?? Infinity),
            step / ((epochs ?? Infinity) * stepsPerEpoch),
            time / (1000 * (seconds ?? Infinity)),
          );
          bar.update(
            `step ${step}, epoch ${epoch}, loss ${loss.toPrecision(3)}`,
            Math.min(1, share) * 1000,
            1000,
          );
        },
      }),
    );
  } finally {
    bar.stop();
  }
}

function summary(run: TrainingRun, losses: LastLosses, out: string): string {
  const { step, epoch, time, settings, nonFinite } = run;
  const { method, variant, embedding } = settings;
  const what =
    method === 'ddpm' ? 'ddpm' : `${method}, ${variant}${embedding === 'none' ? ', without embedding' : ''}`;
  const parameters = run.evaluate(({ network }) => parameterCount(network)).toLocaleString('en');
  const lines = [
    `${what}: a network of ${parameters} parameters, ${plural(step, 'step')}, ${plural(epoch, 'epoch')}, ${duration(time)}`,
    ...(losses.mean === null ? [] : [`mean loss of the last epoch ${losses.mean.toPrecision(4)}`]),
    ...(nonFinite
      ? [
          `Stopped: at step ${nonFinite.step} the loss was ${nonFinite.loss} and the norm of the gradient ${nonFinite.gradientNorm}; saved is the state before it`,
        ]
      : []),
    `written: ${out}`,
  ];
  return `${lines.join('\n')}\n`;
}

export function trainCommand(context: Context): Command {
  const command = newTrainCommand();
  return command.action(async (paths: string[], options: TrainCommandOptions) => {
    const { out, resume, json } = options;
    checkTrainUsage(command, options);
    const force = options.force === true || resume === true;
    await checkOutputFile(out, { force });
    const losses = new LastLosses();
    const output = new Output(out, force);
    const run = await train(paths, options, losses, output, context);
    try {
      // Nothing is lost then, and there is nothing to go on from.
      if (run.step === 0) context.signal.throwIfAborted();
      await output.save(run);
      const { status, step, epoch, time, settings, nonFinite } = run;
      if (json) {
        const document = {
          command: 'train',
          status,
          step,
          epoch,
          time,
          loss: losses.mean,
          nonFinite,
          settings,
          out,
        };
        context.stdout.write(toJson(document));
      } else if (status !== 'aborted') {
        context.stdout.write(summary(run, losses, out));
      }
      if (status === 'aborted') {
        context.stderr.write(`interrupted after step ${step}; saved: ${out}; --resume goes on from there\n`);
        context.exitCode = EXIT.interrupted;
      }
      if (status === 'non-finite') context.exitCode = EXIT.failed;
    } finally {
      run.dispose();
    }
  });
}
