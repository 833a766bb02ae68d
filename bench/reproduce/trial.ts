import { readPictures } from '../../src/node/pictures.ts';
import {
  parameterCount,
  type ScoreModel,
  type Tensors,
  type TrainingState,
  trainScoreModel,
} from '../../src/training/index.ts';
import { photographPath } from '../photographs.ts';
import { drawPictures, measureAll, type Pictures } from './draw.ts';
import type { Case, Training } from './plan.ts';
import { type ArmRecord, keyOf, type TrialRecord, toBytes } from './records.ts';

export function readCase({ pictures, size, normalise }: Case): Promise<Pictures> {
  const paths = pictures.map(photographPath);
  return readPictures(paths, { size, normalise });
}

/** Milliseconds that this process has computed for. */
export function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Two clocks that stand still while something else is done. */
class StopWatch {
  #cpu = cpuTime();
  #wall = performance.now();

  /** Seconds. */
  read(): { cpu: number; wall: number } {
    return { cpu: (cpuTime() - this.#cpu) / 1000, wall: (performance.now() - this.#wall) / 1000 };
  }

  async outside<T>(work: () => Promise<T>): Promise<T> {
    const [cpu, wall] = [cpuTime(), performance.now()];
    try {
      return await work();
    } finally {
      this.#cpu += cpuTime() - cpu;
      this.#wall += performance.now() - wall;
    }
  }
}

/** Steps with every network, so that nobody's budget pays for what is compiled at first. */
export async function warmUp(
  tf: Tensors,
  pictures: Pictures,
  one: Case,
  trainings: readonly Training[],
): Promise<void> {
  for (const { settings, arms } of trainings) {
    const run = await trainScoreModel(tf, pictures, { ...settings, steps: 25 });
    try {
      const options = { ...one, pictures, steps: { ddpm: 4, ddim: 4 }, seed: 0 };
      if (one.variant === 'na2024' && arms.some(({ draw }) => draw === 'own')) continue;
      for (const { draw } of arms) await run.evaluate((model) => drawPictures(model, draw, options));
    } finally {
      run.dispose();
    }
  }
}

/**
 * Trains for the case's budget, and draws with every arm on the way. Time is counted from the call, pre-computation
 * and making of the network included; drawing and measuring are not.
 */
export async function runTrial(
  tf: Tensors,
  pictures: Pictures,
  one: Case,
  { name, settings, arms }: Training,
  seed: number,
): Promise<TrialRecord> {
  const watch = new StopWatch();
  const ended = new AbortController();
  const records: ArmRecord[] = arms.map((arm) => ({
    name: arm.name,
    evaluation: 0,
    curve: [],
    last: { shape: [], bytes: '' },
  }));
  const every = one.budget / one.evaluations;
  let preparation: TrialRecord['preparation'] | undefined;
  let done = 0;

  const evaluate = async (state: TrainingState) => {
    const { cpu, wall } = watch.read();
    if (cpu < (done + 1) * every) return;
    done++;
    const { step, epoch } = state;
    await watch.outside(async () => {
      for (const [k, arm] of arms.entries()) {
        const began = cpuTime();
        // New noise at each evaluation, the same for all arms.
        const options = { ...one, pictures, seed: noiseSeed(seed, done) };
        const drawn = await state.evaluate((model: ScoreModel) => drawPictures(model, arm.draw, options));
        const record = records[k];
        record.curve.push({ cpu, wall, step, epoch, measures: measureAll(drawn, pictures) });
        record.last = toBytes(drawn);
        record.evaluation += (cpuTime() - began) / 1000;
      }
    });
    if (done >= one.evaluations) ended.abort();
  };

  const run = await trainScoreModel(tf, pictures, {
    ...settings,
    seed,
    seconds: 10 * one.budget,
    signal: ended.signal,
    clock() {
      preparation ??= watch.read();
      return cpuTime();
    },
    onEpoch: evaluate,
  });
  try {
    const { cpu, wall } = watch.read();
    return {
      training: name,
      seed,
      status: run.status === 'non-finite' ? 'non-finite' : 'completed',
      parameters: run.evaluate(({ network }) => parameterCount(network)),
      steps: run.step,
      epochs: run.epoch,
      cpu,
      wall,
      preparation: preparation ?? { cpu, wall },
      arms: records,
    };
  } finally {
    run.dispose();
  }
}

/** Seed of the noise that the k-th evaluation starts from. */
export function noiseSeed(seed: number, evaluation: number): number {
  return seed * 4096 + evaluation;
}

/** Of what a trial's record depends on: neither names, nor how its figures are shown. */
export function trialKey(one: Case, training: Training, seed: number): string {
  const { variant, pictures, size, normalise, budget, evaluations, steps } = one;
  return keyOf([{ variant, pictures, size, normalise, budget, evaluations, steps }, training, seed]);
}
