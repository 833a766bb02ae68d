import type { Tensors } from '../../src/training/index.ts';
import type { Pictures } from './draw.ts';
import { type Baselines, baselines } from './draw.ts';
import type { CaseResult } from './figures.ts';
import { lastSpread } from './passage.ts';
import type { Case, Plan } from './plan.ts';
import { recorded, type TrialRecord } from './records.ts';
import { noiseSeed, readCase, runTrial, trialKey, warmUp } from './trial.ts';

/** All trainings of a plan, seed after seed; those that are on record are not run again. */
export async function runPlan(
  tf: Tensors,
  { name, cases }: Plan,
  seeds: readonly number[],
  log: (line: string) => void,
): Promise<{ result: CaseResult; pictures: Pictures }[]> {
  const total = cases.reduce((sum, { trainings }) => sum + trainings.length * seeds.length, 0);
  const results: { result: CaseResult; pictures: Pictures }[] = [];
  let done = 0;
  for (const one of cases) {
    const pictures = await readCase(one);
    const trials: TrialRecord[] = [];
    let warm = false;
    for (const seed of seeds) {
      for (const training of one.trainings) {
        const { record, reused } = await recorded(
          {
            experiment: name,
            name: `${one.key}-${training.name}-${seed}`,
            key: trialKey(one, training, seed),
          },
          async () => {
            if (!warm) await warmUp(tf, pictures, one, one.trainings);
            warm = true;
            return runTrial(tf, pictures, one, training, seed);
          },
        );
        trials.push(record);
        log(`${++done} of ${total}: ${one.key}, ${describe(record, one)}${reused ? ' (on record)' : ''}`);
      }
    }
    results.push({ result: { one, trials, baselines: baselinesOf(one, pictures, seeds) }, pictures });
  }
  return results;
}

/** At the noise that the last evaluations of each seed started from. */
function baselinesOf(
  one: Case,
  pictures: Pictures,
  seeds: readonly number[],
): { seed: number; evaluation: number; of: Baselines }[] {
  return seeds.flatMap((seed) =>
    Array.from({ length: one.last }, (_, k) => {
      const evaluation = one.evaluations - one.last + 1 + k;
      return { seed, evaluation, of: baselines(pictures, one.variant, noiseSeed(seed, evaluation)) };
    }),
  );
}

function describe({ training, seed, status, steps, cpu, wall, arms }: TrialRecord, { last }: Case): string {
  const ends = arms.map(({ name, curve }) => {
    const [windowed, global] = (['ssim', 'globalSsim'] as const).map(
      (measure) => lastSpread([curve], measure, last)?.mean.toFixed(2) ?? '-',
    );
    return `${name}: SSIM ${windowed}, global ${global}`;
  });
  const failed = status === 'completed' ? '' : `, ${status}`;
  return `${training}, seed ${seed}: ${steps} steps, ${cpu.toFixed(1)} s CPU, ${wall.toFixed(1)} s wall${failed}; ${ends.join('; ')}`;
}
