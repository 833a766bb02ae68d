import { digits, type Table } from '../results.ts';
import type { PresetName } from './plan.ts';
import { keyOf, recorded } from './records.ts';
import { SUPERVISION_SETS, type SupervisionReport, type SupervisionRow, supervision } from './supervision.ts';
import { supervisionPlots } from './supervision-plots.ts';

const percent = (share: number | null) => (share === null ? 'not reached' : `${(100 * share).toFixed(1)} %`);

/** Exact supervision, a data set at a time: those that are on record are not run again. */
export async function runSupervision(
  preset: PresetName,
  seeds: readonly number[],
  log: (line: string) => void,
): Promise<SupervisionReport> {
  const reports: SupervisionReport[] = [];
  for (const set of SUPERVISION_SETS[preset]) {
    const { record, reused } = await recorded(
      { experiment: 'supervision', name: set, key: keyOf([preset, seeds, set]) },
      () => supervision({ preset, seeds, sets: [set], log }),
    );
    if (reused) log(`${set}: on record`);
    reports.push(record);
  }
  return {
    ...reports[0],
    runs: reports.flatMap(({ runs }) => runs),
    rows: reports.flatMap(({ rows }) => rows),
    medians: reports.flatMap(({ medians }) => medians),
  };
}

export function supervisionTables({ rows, medians, runs }: SupervisionReport): Table[] {
  const given = runs.filter(({ data }) => data === 'points');
  const end = ({ curve }: (typeof runs)[number]) => curve[curve.length - 1].error;
  return [
    {
      title: 'Exact supervision: share of the budget of denoising score matching until it is where that ends',
      head: ['data set', 'of the steps', 'of the CPU time'],
      rows: medians.map(({ set, steps, seconds }) => [set, percent(steps), percent(seconds)]),
      note: 'Medians over the seeds; pre-computation counted. Errors are relative, of the score, on points and times that no training has seen.',
    },
    {
      title: 'Each seed',
      head: [
        'data set, seed, rival',
        'error of the field',
        'rival ends at',
        'after CPU s',
        'exact ends at',
        'exact is where the rival ends after, of the steps',
        'of the CPU time',
      ],
      rows: rows.map((row: SupervisionRow) => [
        `${row.set}, ${row.seed}, ${row.rival}`,
        digits(row.fieldError),
        digits(row.end.error),
        digits(row.end.seconds),
        digits(row.exact.error),
        percent(row.share.steps),
        percent(row.share.seconds),
      ]),
    },
    {
      title: 'From a set of points given once',
      head: ['data set, seed, method', 'ends at', 'least error on the way'],
      rows: given.map((run) => [
        `${run.set}, ${run.seed}, ${run.method}`,
        digits(end(run)),
        digits(Math.min(...run.curve.map(({ error }) => error))),
      ]),
    },
  ];
}

/** An SVG for each data set. */
export function supervisionFiles(report: SupervisionReport): { name: string; content: string }[] {
  return [...supervisionPlots(report)].map(([set, content]) => ({ name: `supervision-${set}.svg`, content }));
}

/** What the figures say of the papers' claim in this form. */
export function supervisionConclusions({ medians, rows }: SupervisionReport): string[] {
  const reached = medians.filter(({ steps }) => steps !== null && steps <= 0.2);
  const shares = medians.map(({ set, steps, seconds }) => `${set} ${percent(steps)} and ${percent(seconds)}`);
  const stable = rows
    .filter(({ rival }) => rival === 'stable-targets')
    .map(({ set, share }) => `${set} ${percent(share.steps)}`);
  return [
    `Exact supervision is where denoising score matching ends its budget after (steps, CPU time): ${shares.join('; ')}; within a fifth of the steps on ${reached.length} of ${medians.length} data sets.`,
    ...(stable.length > 0
      ? [
          `Against denoising with stable targets, which average over more points: ${stable.join('; ')} of the steps.`,
        ]
      : []),
  ];
}
