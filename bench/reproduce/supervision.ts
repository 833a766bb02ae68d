import { randomStream } from '../../src/diffusion/index.ts';
import { createEngine } from '../../src/solver/create-engine.ts';
import {
  type DataSet,
  dataSetDensity,
  heldOutScores,
  loadTensors,
  SCHEDULES,
  type Schedule,
} from '../../src/training/index.ts';
import {
  type Bench,
  CELLS,
  EXACT,
  GIVEN,
  HELD_OUT_SEED,
  LEVELS,
  REFERENCES,
  type Rival,
  runDenoising,
  runExact,
  type SupervisionRun,
  VARIANCES,
  warmUp,
} from './supervision-runs.ts';

export type { Rival, SupervisionRun } from './supervision-runs.ts';

// Exact supervision against denoising score matching: the same network from the same weights, the same optimiser,
// batch, times and weights of the loss. Denoising gets fresh points of the density in each step, and the better of
// two schedules. For some seeds there is denoising with stable targets too, averages over 64 more fresh points, and
// both ways with nothing but a set of points given once. Errors are against the closed form of the score, at points
// and times that no training has seen.

const PRESETS = {
  quick: {
    sets: ['moons', 'spiral', 'checkerboard', 'gaussians'],
    steps: 2000,
    marks: 24,
    schedules: ['cosine'],
    rates: [5e-3],
    furtherSeeds: 1,
  },
  full: {
    sets: ['moons', 'spiral', 'checkerboard', 'gaussians', 'rings'],
    steps: 20_000,
    marks: 50,
    schedules: ['cosine', 'constant'],
    rates: [2e-3, 5e-3, 1e-2],
    furtherSeeds: 3,
  },
} as const satisfies Record<string, Preset>;

/** Data sets of each preset. */
export const SUPERVISION_SETS: Readonly<Record<'quick' | 'full', readonly DataSet[]>> = {
  quick: PRESETS.quick.sets,
  full: PRESETS.full.sets,
};

interface Preset {
  sets: readonly DataSet[];
  /** The budget, of denoising score matching as of exact supervision. */
  steps: number;
  /** How often the error is measured on the way. */
  marks: number;
  /** Schedules that denoising score matching may choose from; with the further seeds, from both. */
  schedules: readonly Schedule[];
  /** Learning rates that denoising score matching may choose from; exact supervision has 5e-3. */
  rates: readonly number[];
  /** For how many of the seeds stable targets and given points are run. */
  furtherSeeds: number;
}

/** One data set and seed. */
export interface SupervisionRow {
  set: DataSet;
  seed: number;
  rival: Rival;
  /** Of the field itself, at the points that exact supervision trains on. */
  fieldError: number;
  /** Least error in which the rival ends its budget, and how. */
  end: { error: number; schedule: Schedule; learningRate: number; seconds: number };
  /** The error in which exact supervision ends, and where it was first at the rival's; null where it never was. */
  exact: { error: number; steps: number | null; seconds: number | null };
  /** That, of the rival's budget. */
  share: { steps: number | null; seconds: number | null };
}

export interface SupervisionReport {
  preset: 'quick' | 'full';
  settings: Record<string, unknown>;
  runs: SupervisionRun[];
  rows: SupervisionRow[];
  /** Shares of the budget of `denoising`, for each data set, over the seeds. */
  medians: { set: DataSet; steps: number | null; seconds: number | null }[];
}

export async function supervision({
  preset,
  seeds = [1, 2, 3],
  sets = PRESETS[preset].sets,
  log,
}: {
  preset: 'quick' | 'full';
  seeds?: readonly number[];
  /** Default: those of the preset. */
  sets?: readonly DataSet[];
  log: (line: string) => void;
}): Promise<SupervisionReport> {
  const chosen: Preset = PRESETS[preset];
  const { steps, rates } = chosen;
  const tf = await loadTensors();
  const engine = await createEngine();
  const runs: SupervisionRun[] = [];
  const rows: SupervisionRow[] = [];
  try {
    await warmUp(tf, engine);
    for (const set of sets) {
      const density = dataSetDensity(set);
      const held = heldOutScores(density, { variances: VARIANCES, seed: HELD_OUT_SEED });
      const bench: Bench = { tf, engine, set, density, held, steps, marks: marksOf(chosen) };
      for (const [index, seed] of seeds.entries()) {
        const denoising: SupervisionRun[] = [];
        for (const learningRate of rates) {
          for (const schedule of index < chosen.furtherSeeds ? SCHEDULES : chosen.schedules) {
            denoising.push(await runDenoising(bench, seed, { schedule, learningRate }));
          }
        }
        const { run: exact, fieldError } = await runExact(bench, seed);
        const row = compare(set, seed, fieldError, denoising, exact);
        rows.push(row);
        runs.push(...denoising, exact);
        log(describe(row));
        if (index >= chosen.furtherSeeds) continue;
        const stable = await runDenoising(
          bench,
          seed,
          { ...EXACT, schedule: 'cosine' },
          { references: REFERENCES },
        );
        rows.push(compare(set, seed, fieldError, [stable], exact));
        log(describe(rows[rows.length - 1]));
        runs.push(stable, ...(await runGiven(bench, seed, log)));
      }
    }
  } finally {
    engine.dispose();
  }
  const medians = sets.map((set) => ({
    set,
    ...medianShares(rows.filter((row) => row.set === set && row.rival === 'denoising')),
  }));
  for (const { set, steps: share, seconds } of medians) {
    log(
      `${set}: median share of the budget ${percent(share)} of the steps, ${percent(seconds)} of the CPU time`,
    );
  }
  const network = { width: 96, layers: 3, frequencies: 8 };
  const settings = {
    variances: VARIANCES,
    cells: CELLS,
    levels: LEVELS,
    batch: 512,
    given: GIVEN,
    references: REFERENCES,
    network,
    ...chosen,
    sets,
  };
  return { preset, settings, runs, rows, medians };
}

function marksOf({ steps, marks }: Preset): Set<number> {
  const first = 20;
  return new Set(
    Array.from({ length: marks }, (_, k) => Math.round(first * (steps / first) ** (k / (marks - 1)))),
  );
}

/** What both make of the same points, given once: for exact supervision the density is an estimate then. */
async function runGiven(bench: Bench, seed: number, log: (line: string) => void): Promise<SupervisionRun[]> {
  const points = { data: bench.density.draw(GIVEN, randomStream(seed, 2 ** 51)), shape: [GIVEN, 2] };
  const denoising = await runDenoising(bench, seed, { ...EXACT, schedule: 'cosine' }, { points });
  const { run: exact } = await runExact(bench, seed, points);
  const [a, b] = [denoising, exact].map(({ curve }) => ({
    end: curve[curve.length - 1].error,
    least: Math.min(...curve.map(({ error }) => error)),
  }));
  log(
    `${bench.set}, seed ${seed}, ${GIVEN} given points: denoising ends at ${digits(a.end)} (least ${digits(a.least)}), ` +
      `the smoothed points' field at ${digits(b.end)} (least ${digits(b.least)})`,
  );
  return [denoising, exact];
}

function compare(
  set: DataSet,
  seed: number,
  fieldError: number,
  rivals: readonly SupervisionRun[],
  exact: SupervisionRun,
): SupervisionRow {
  const end = (run: SupervisionRun) => run.curve[run.curve.length - 1];
  const best = rivals.reduce((a, b) => (end(b).error < end(a).error ? b : a));
  const { error, step: budget, seconds } = end(best);
  const reached = exact.curve.find((mark) => mark.error <= error);
  return {
    set,
    seed,
    rival: best.method === 'stable-targets' ? 'stable-targets' : 'denoising',
    fieldError,
    end: { error, schedule: best.schedule, learningRate: best.learningRate, seconds },
    exact: { error: end(exact).error, steps: reached?.step ?? null, seconds: reached?.seconds ?? null },
    share: {
      steps: reached === undefined ? null : reached.step / budget,
      seconds: reached === undefined ? null : reached.seconds / seconds,
    },
  };
}

/** Never reached counts as the longest. */
function medianShares(rows: readonly SupervisionRow[]): { steps: number | null; seconds: number | null } {
  const median = (of: (row: SupervisionRow) => number | null) => {
    const sorted = rows.map((row) => of(row) ?? Infinity).sort((a, b) => a - b);
    const middle = sorted[Math.floor(sorted.length / 2)];
    return middle === Infinity ? null : middle;
  };
  return { steps: median(({ share }) => share.steps), seconds: median(({ share }) => share.seconds) };
}

const digits = (value: number) => value.toPrecision(3);
const percent = (share: number | null) =>
  share === null ? 'more than 100 %' : `${(100 * share).toFixed(1)} %`;

function describe({ set, seed, rival, fieldError, end, exact, share }: SupervisionRow): string {
  return (
    `${set}, seed ${seed}: ${rival} ends at ${digits(end.error)} (${end.schedule}, ${end.learningRate}) ` +
    `after ${end.seconds.toFixed(1)} s; exact is there after ${percent(share.steps)} of the steps, ` +
    `${percent(share.seconds)} of the CPU time, and ends at ${digits(exact.error)}; the field itself ${digits(fieldError)}`
  );
}
