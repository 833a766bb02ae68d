import type { Tensors, TrainingSettings } from '../../src/training/index.ts';
import { digits, type Table } from '../results.ts';
import { lastSpread } from './passage.ts';
import { type Case, planOf, type Training, type Variant } from './plan.ts';
import { recorded } from './records.ts';
import { readCase, runTrial, trialKey, warmUp } from './trial.ts';

/** No seed of the tables. */
const SEED = 1001;
const BUDGET = 15;

type Choice = Required<Pick<TrainingSettings, 'batchSize' | 'learningRate'>>;

function choices(...batchSizes: number[]): Choice[] {
  return batchSizes.flatMap((batchSize) => [1e-3, 3e-3].map((learningRate) => ({ batchSize, learningRate })));
}

/** The papers' batches are 1 and 20. */
const CHOICES: Readonly<Record<Variant, readonly Choice[]>> = {
  lau2025: choices(1, 4),
  na2024: choices(4, 20),
};

/** The search from which the batch sizes and learning rates of the tables come: one seed, a short budget. */
export async function searchRates(
  tf: Tensors,
  variants: readonly Variant[],
  log: (line: string) => void,
): Promise<Table[]> {
  const tables: Table[] = [];
  for (const variant of variants) {
    const [given] = planOf(variant === 'lau2025' ? 'table1' : 'table2', 'quick').cases;
    const one: Case = { ...given, budget: BUDGET, evaluations: 8, last: 4 };
    const pictures = await readCase(one);
    await warmUp(tf, pictures, one, one.trainings);
    const rows: string[][] = [];
    const searched = one.trainings.filter(
      ({ name }) => name === 'ddpm' || (name === 'embedding' && variant === 'na2024'),
    );
    for (const training of searched) {
      for (const choice of CHOICES[variant]) {
        const tried: Training = { ...training, settings: { ...training.settings, ...choice } };
        const { record } = await recorded(
          { experiment: 'rates', name: `${variant}-${training.name}`, key: trialKey(one, tried, SEED) },
          () => runTrial(tf, pictures, one, tried, SEED),
        );
        for (const { name, curve } of record.arms) {
          const cells = (['mse', 'ssim', 'globalSsim'] as const).map((measure) =>
            digits(lastSpread([curve], measure, one.last)?.mean),
          );
          const { batchSize, learningRate } = choice;
          rows.push([`${name}, batch ${batchSize}, rate ${learningRate}`, String(record.steps), ...cells]);
          log(rows.at(-1)?.join('  ') ?? '');
        }
      }
    }
    const head = ['arm', 'steps', 'MSE', 'windowed SSIM', 'global SSIM'];
    tables.push({
      title: `${variant}: the last four of eight evaluations, ${BUDGET} CPU seconds`,
      head,
      rows,
    });
  }
  return tables;
}
