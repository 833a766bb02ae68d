import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { armCurves, baselineSpread, type CaseResult, passageText } from './figures.ts';
import { CLAIMS } from './papers.ts';
import { lastSpread, type Passage, passages, type Spread, type Threshold } from './passage.ts';
import { ARMS, EXPERIMENTS, type ExperimentName } from './plan.ts';

/** The figures of a case that the conclusions are drawn from; kept in the experiment's JSON. */
export interface CaseSummary {
  title: string;
  budget: number;
  seeds: number;
  arms: ArmSummary[];
  /** Means of what needs no training. */
  baselines: Record<'noisy' | 'blur' | 'globalBlur', { ssim: number; globalSsim: number }>;
}

export interface ArmSummary {
  name: string;
  /** Of the last evaluations of all seeds. */
  ssim: Spread;
  globalSsim: Spread;
  /** Means of each seed's last evaluations. */
  seeds: { ssim: number[]; globalSsim: number[] };
  passages: (Threshold & { cpu: Passage })[];
}

export function summarise(result: CaseResult): CaseSummary {
  const { one } = result;
  const arms = armCurves(result).flatMap(({ arm, curves }) => {
    const [ssim, globalSsim] = (['ssim', 'globalSsim'] as const).map((measure) =>
      lastSpread(curves, measure, one.last),
    );
    if (ssim === undefined || globalSsim === undefined) return [];
    const seedMeans = (measure: 'ssim' | 'globalSsim') =>
      curves.flatMap((curve) => lastSpread([curve], measure, one.last)?.mean ?? []);
    const seeds = { ssim: seedMeans('ssim'), globalSsim: seedMeans('globalSsim') };
    const reached = one.thresholds.map((threshold) => ({
      ...threshold,
      cpu: passages(curves, threshold, 'cpu'),
    }));
    return [{ name: arm, ssim, globalSsim, seeds, passages: reached }];
  });
  const mean = (kind: 'noisy' | 'blur' | 'globalBlur') => ({
    ssim: baselineSpread(result, kind, 'ssim')?.mean ?? 0,
    globalSsim: baselineSpread(result, kind, 'globalSsim')?.mean ?? 0,
  });
  return {
    title: one.title,
    budget: one.budget,
    seeds: new Set(result.trials.map(({ seed }) => seed)).size,
    arms,
    baselines: { noisy: mean('noisy'), blur: mean('blur'), globalBlur: mean('globalBlur') },
  };
}

/** Whether all of a are above all of b, below, or neither: what a few seeds can tell apart. */
export function comparison(a: readonly number[], b: readonly number[]): 'above' | 'below' | 'overlapping' {
  if (Math.min(...a) > Math.max(...b)) return 'above';
  return Math.max(...a) < Math.min(...b) ? 'below' : 'overlapping';
}

const two = (value: number) => value.toFixed(2);
const range = ({ mean, low, high }: Spread) => `${two(mean)} (${two(low)} to ${two(high)})`;
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

const NAMES = { ssim: 'windowed', globalSsim: 'global' };
const VERDICTS = {
  above: 'higher',
  below: 'lower',
  overlapping: 'not told apart',
};

/** What a case says against the papers, a sentence each. */
export function conclusions({ arms, baselines }: CaseSummary): string[] {
  const named = new Map(arms.map((arm) => [arm.name, arm]));
  const own = named.get(ARMS.embedding);
  const lines: string[] = [];
  if (own === undefined) return lines;
  for (const name of [ARMS.none, ARMS.task, ARMS.noise, ARMS.ddim]) {
    const rival = named.get(name);
    if (rival === undefined) continue;
    const compared = (['ssim', 'globalSsim'] as const).map((measure) => {
      const [ours, theirs] = [own.seeds[measure], rival.seeds[measure]];
      const verdict = VERDICTS[comparison(ours, theirs)];
      return `${NAMES[measure]} SSIM ${two(mean(ours))} and ${two(mean(theirs))}, ${verdict}`;
    });
    lines.push(`Score embedding and ${name} at the end: ${compared.join('; ')}.`);
  }
  const { low, high } = own.globalSsim;
  lines.push(
    `The global SSIM of score embedding swings from ${two(low)} to ${two(high)} over the last evaluations: a first passage is the first lucky one.`,
    `Without any training: noisy input ${two(baselines.noisy.ssim)} windowed, ${two(baselines.noisy.globalSsim)} global; best blur ${two(baselines.blur.ssim)} and ${two(baselines.globalBlur.globalSsim)}.`,
  );
  return lines;
}

function passageTable({ arms }: CaseSummary): string[] {
  const head = arms[0].passages.map(({ measure, threshold }) => `${NAMES[measure]} ${threshold}, CPU s`);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const columns = ['arm', ...head, 'windowed SSIM at the end', 'global'];
  return [
    line(columns),
    `|${columns.map((_, k) => (k === 0 ? ' --- ' : ' ---: ')).join('|')}|`,
    ...arms.map(({ name, ssim, globalSsim, passages: reached }) =>
      line([name, ...reached.map(({ cpu }) => passageText(cpu)), range(ssim), range(globalSsim)]),
    ),
  ];
}

interface Kept {
  quick: boolean;
  cases: { key: string; conclusions?: readonly string[]; cases?: readonly CaseSummary[] }[];
}

function section(name: ExperimentName, { quick, cases }: Kept): string[] {
  const summary = cases.find(({ key }) => key === 'summary');
  const of = (one: CaseSummary) => [
    `${one.title}, ${one.budget} CPU seconds, ${one.seeds} seeds:`,
    '',
    ...(one.arms.length > 0 ? [...passageTable(one), ''] : []),
    ...conclusions(one).map((line) => `- ${line}`),
    '',
  ];
  return [
    `### [${name}](reproduce-${name}.md)${quick ? ', quick' : ''}`,
    '',
    CLAIMS[name],
    '',
    ...(summary?.cases ?? []).flatMap(of),
    ...(summary?.conclusions ?? []).map((line) => `- ${line}`),
    '',
  ];
}

const HEADING = '## What does not reproduce';
const INTRODUCTION = [
  'Written by `npm run reproduce` from the figures of its last runs. Two arms are told apart where all seeds of one are above all seeds of the other, each by the mean of its last evaluations.',
  'All arms have the same small network, optimiser, CPU budget and evaluations; the papers compare with DDPM that starts from pure noise, and leave out the arm without embedding.',
];

/** Puts the conclusions of all experiments that have results into the README beside them. */
export async function updateReadme(folder: string): Promise<string> {
  const sections: string[] = [];
  for (const name of EXPERIMENTS) {
    const text = await readIfThere(join(folder, `reproduce-${name}.json`));
    if (text !== undefined) sections.push(...section(name, JSON.parse(text) as Kept));
  }
  const path = join(folder, 'README.md');
  const before = (await readIfThere(path)) ?? '# Results\n\n';
  await writeFile(path, replaced(before, [HEADING, '', INTRODUCTION.join(' '), '', ...sections].join('\n')));
  return path;
}

/** The section of that heading, or a new one at the end. */
export function replaced(text: string, section: string): string {
  const start = text.indexOf(`${HEADING}\n`);
  if (start < 0) return `${text.trimEnd()}\n\n${section.trimEnd()}\n`;
  const next = text.indexOf('\n## ', start + HEADING.length);
  const after = next < 0 ? '' : text.slice(next);
  return `${text.slice(0, start)}${section.trimEnd()}\n${after}`;
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
