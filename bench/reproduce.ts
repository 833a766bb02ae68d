// The experiments of arXiv 2511.17634 and 2404.06661 again, with what their tables leave out: the same training
// without embedding, DDPM on the same task, and what needs no training.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadTensors } from '../src/training/index.ts';
import { ablationConclusions, ablationPlot, ablationTable } from './reproduce/ablation-tables.ts';
import { armCurves, type CaseResult, endTable, passageTables } from './reproduce/figures.ts';
import {
  EXPERIMENTS,
  type ExperimentName,
  type Plan,
  type PresetName,
  planOf,
  VARIANTS,
  type Variant,
} from './reproduce/plan.ts';
import { similarityPlot } from './reproduce/plots.ts';
import { ablationCosts, severalPictures } from './reproduce/precomputation.ts';
import { searchRates } from './reproduce/rates.ts';
import { runPlan } from './reproduce/run.ts';
import { pictureSheet } from './reproduce/sheet.ts';
import { summarise, updateReadme } from './reproduce/summary.ts';
import {
  runSupervision,
  supervisionConclusions,
  supervisionFiles,
  supervisionTables,
} from './reproduce/supervise.ts';
import { type Case as BenchCase, machine, publish, type Table } from './results.ts';

const log = (line: string) => void process.stderr.write(`${line}\n`);
const began = performance.now();
const { name, preset, seeds, only } = readCommand();
// A part of an experiment must not take the place of the whole.
const out = only.length > 0 ? 'build/reproduce/results' : 'bench/results';

if (name === 'rates') await rates();
else if (name === 'supervision') await supervise();
else await reproduce(planOf(name, preset, only));
log(`${((performance.now() - began) / 1000).toFixed(0)} s`);

function readCommand() {
  const usage = (text: string): never => {
    log(`reproduce: ${text}`);
    log(
      `usage: npm run reproduce -- ${[...EXPERIMENTS, 'rates'].join('|')} [--preset quick|full] [--seeds 3] [--only arm,arm]`,
    );
    process.exit(2);
  };
  const options = {
    preset: { type: 'string', default: 'quick' },
    seeds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
  } as const;
  const parsed = (() => {
    try {
      return parseArgs({ options, allowPositionals: true });
    } catch (error) {
      return usage((error as Error).message);
    }
  })();
  const { positionals, values } = parsed;
  const [first, ...more] = positionals;
  if (first === undefined) usage('which experiment?');
  if (more.length > 0) usage(`one experiment at a time, not also ${more.join(', ')}`);
  if (first !== 'rates' && !EXPERIMENTS.some((known) => known === first))
    usage(`no experiment is called ${first}`);
  if (values.preset !== 'quick' && values.preset !== 'full')
    usage(`--preset is quick or full, not ${values.preset}`);
  const count = Number(values.seeds);
  if (!Number.isInteger(count) || count < 1) usage(`--seeds must be an integer from 1, not ${values.seeds}`);
  const name = first as ExperimentName | 'rates';
  const preset = values.preset as PresetName;
  const only = values.only.split(',').filter((part) => part !== '');
  if (only.length > 0) {
    if (name === 'rates') {
      if (!only.every(isVariant)) usage('--only of rates is lau2025 or na2024');
    } else if (name === 'supervision') {
      usage('--only is not for supervision');
    } else if (planOf(name, preset, only).cases.length === 0) {
      const known = planOf(name, preset).cases[0].trainings.map((training) => training.name);
      usage(`--only ${values.only}: no arm of ${name} is called so; its trainings are ${known.join(', ')}`);
    }
  }
  return { name, preset, seeds: Array.from({ length: count }, (_, k) => k + 1), only };
}

async function reproduce(plan: Plan): Promise<void> {
  const tf = await loadTensors();
  const runs = await runPlan(tf, plan, seeds, log);
  const results = runs.map(({ result }) => result);
  const tables: Table[] = [];
  const extra: BenchCase[] = [];
  const said: string[] = [];
  const files: { name: string; content: string | Uint8Array }[] = [];
  if (plan.name === 'ablations') {
    const costs = await ablationCosts(runs[0].pictures, log);
    tables.push(ablationTable(results[0], costs));
    extra.push(
      ...costs.map(({ ablation, ...cost }) => ({ key: `${ablation.group} ${ablation.value}`, ...cost })),
    );
    said.push(...ablationConclusions(results[0], costs));
    files.push({ name: 'ablations.svg', content: ablationPlot(titleOf(plan, results[0]), results[0]) });
  } else {
    for (const result of results) {
      tables.push(...passageTables(result).slice(0, 1), endTable(result), ...passageTables(result).slice(1));
      const suffix = results.length > 1 ? `-${result.one.key}` : '';
      files.push({
        name: `${plan.name}${suffix}.svg`,
        content: similarityPlot(titleOf(plan, result), result),
      });
    }
    files.push({ name: `${plan.name}.png`, content: await pictureSheet(runs) });
  }
  if (plan.name === 'table3') {
    const { table, cases, conclusion } = await severalPictures(preset, log);
    said.push(conclusion);
    tables.push(table);
    extra.push(...cases);
  }
  const summary: BenchCase = {
    key: 'summary',
    conclusions: said,
    // The ablations' arms are settings, which their own table compares.
    cases: plan.name === 'ablations' ? [] : results.map(summarise),
  };
  const published = {
    name: `reproduce-${plan.name}`,
    command: `npm run reproduce -- ${plan.name} --preset ${preset}`,
    machine: machine(),
    notes: [plan.title, ...notesOf(plan)],
    seed: seeds,
    cases: [summary, ...results.flatMap(casesOf), ...extra],
  };
  await publish({ quick: preset === 'quick', out }, published, tables);
  await writeFiles(files);
  log(`written: ${await updateReadme(out)}`);
}

async function supervise(): Promise<void> {
  const report = await runSupervision(preset, seeds, log);
  const { runs, rows, medians, settings } = report;
  const summary = { key: 'summary', conclusions: supervisionConclusions(report), medians };
  const published = {
    name: 'reproduce-supervision',
    command: `npm run reproduce -- supervision --preset ${preset}`,
    machine: machine(),
    notes: [
      'Exact supervision of a network of points of the plane against denoising score matching: the same network, optimiser, batch, times and steps.',
      JSON.stringify(settings),
    ],
    seed: seeds,
    cases: [
      summary,
      ...rows.map((row) => ({ key: `${row.set}, seed ${row.seed}, ${row.rival}`, ...row })),
      ...runs.map((run) => ({
        key: `${run.set}, seed ${run.seed}, ${run.method}, ${run.data}, ${run.schedule}`,
        ...run,
      })),
    ],
  };
  await publish({ quick: preset === 'quick', out }, published, supervisionTables(report));
  await writeFiles(supervisionFiles(report));
  log(`written: ${await updateReadme(out)}`);
}

async function writeFiles(files: readonly { name: string; content: string | Uint8Array }[]): Promise<void> {
  await mkdir(out, { recursive: true });
  for (const file of files) await writeFile(join(out, `reproduce-${file.name}`), file.content);
  log(`written: ${files.map((file) => join(out, `reproduce-${file.name}`)).join(', ')}`);
}

function titleOf(plan: Plan, { one }: CaseResult): string {
  return `${plan.name}: ${one.title}, ${one.variant}, ${seeds.length} seeds, ${one.budget} CPU seconds`;
}

function notesOf({ cases }: Plan): string[] {
  const [{ variant, trainings, steps, evaluations }] = cases;
  const budgets = cases.map(({ title, budget }) => `${title}: ${budget} s`);
  const settings = trainings.flatMap(({ name: training, settings: { network, ...own } }) =>
    // Of the ablations, what all have in common is said once.
    training === 'base' || !trainings.some((other) => other.name === 'base')
      ? [`${training}: ${JSON.stringify(own)}`]
      : [],
  );
  return [
    `Variant ${variant}; seeds ${seeds.join(', ')}. CPU seconds of pre-computation and training for each training: ${budgets.join('; ')}. Evaluations (${evaluations}, evenly spread) are not counted.`,
    `One network for all arms: ${JSON.stringify(trainings[0].settings.network)}; ${settings.join('; ')}. ${variant === 'lau2025' ? "Score embedding has the paper's batch size and learning rate, DDPM" : 'All have'} those that \`npm run reproduce -- rates\` found.`,
    `DDPM's three arms draw from one trained network (for the same task from the same noise on the picture, not clipped), and each is charged with all of its training; ${steps.ddpm} steps of its sampler, ${steps.ddim} of DDIM. Its learning rate has no warm-up; it draws with averaged weights.${variant === 'lau2025' ? " Its network alone is told the time, as in the paper's program." : ''}`,
    'CPU time is the clock, since other work ran on the machine; wall times are what they were beside it.',
  ];
}

/** A case for each seed and arm, with its whole curve. */
function casesOf(result: CaseResult): BenchCase[] {
  const { one, trials } = result;
  const digitsOf = (value: number) => Number(value.toPrecision(5));
  const own = armCurves(result).flatMap(({ arm, trials: of }) =>
    of.map(({ seed, status, parameters, steps, epochs, cpu, wall, preparation, arms }) => {
      const record = arms.find((entry) => entry.name === arm);
      return {
        key: `${one.key}, ${arm}, seed ${seed}`,
        status,
        parameters,
        steps,
        epochs,
        cpu: digitsOf(cpu),
        wall: digitsOf(wall),
        preparation,
        evaluation: digitsOf(record?.evaluation ?? 0),
        curve: record?.curve.map(({ measures, ...at }) => ({
          ...at,
          cpu: digitsOf(at.cpu),
          wall: digitsOf(at.wall),
          measures: Object.fromEntries(
            Object.entries(measures).map(([key, value]) => [key, digitsOf(value)]),
          ),
        })),
      };
    }),
  );
  const untrained = result.baselines.map(({ seed, evaluation, of }) => ({
    key: `${one.key}, baselines, seed ${seed}, evaluation ${evaluation}`,
    measures: { noisy: of.noisy.measures, blur: of.blur.measures, globalBlur: of.globalBlur.measures },
  }));
  return trials.length === 0 ? [] : [...own, ...untrained];
}

function isVariant(name: string): name is Variant {
  return VARIANTS.some((variant) => variant === name);
}

async function rates(): Promise<void> {
  const tables = await searchRates(
    await loadTensors(),
    only.length > 0 ? only.filter(isVariant) : VARIANTS,
    log,
  );
  const published = {
    name: 'reproduce-rates',
    command: 'npm run reproduce -- rates',
    machine: machine(),
    notes: ['The search for batch sizes and learning rates, with a seed that no table has.'],
    seed: [1001],
    cases: [],
  };
  await publish({ quick: preset === 'quick', out }, published, tables);
}
