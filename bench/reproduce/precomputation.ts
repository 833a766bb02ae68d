import { embedPictures, parseSde, precomputeScores } from '../../src/diffusion/index.ts';
import { createEngine } from '../../src/solver/create-engine.ts';
import type { Engine } from '../../src/solver/engine.ts';
import { pictureSteps } from '../cross-matrix/sequences.ts';
import { cold, direct, projection, shared, type Way } from '../cross-matrix/ways.ts';
import { compare, localAsync } from '../harness.ts';
import { type Case as BenchCase, digits, type Table } from '../results.ts';
import type { Pictures } from './draw.ts';
import { ABLATIONS, type Ablation, ablationName, type PresetName } from './plan.ts';

const EFFORT = { sample: 1, rounds: 5, warmUp: 150, most: 1500 };

/** What an ablation's pre-computation costs and does. */
export interface AblationCost {
  name: string;
  ablation: Ablation;
  /** CPU milliseconds, median; with single precision's tolerance as the paper has it, and by strict solves. */
  cpu: number;
  strict: { cpu: number; status: string; fixedPoint: number; solves: number; iterations: number };
  /** Root mean square of what the embedding changes in the picture, whose values are from 0 to 1. */
  change: number;
}

export async function ablationCosts(
  pictures: Pictures,
  log: (line: string) => void,
): Promise<AblationCost[]> {
  const engine = await createEngine();
  try {
    const costs: AblationCost[] = [];
    for (const ablation of ABLATIONS) {
      const cost = await costOf(engine, pictures, ablation);
      log(
        `pre-computation, ${ablation.group} ${ablation.value}: ${digits(cost.cpu)} ms, ${cost.strict.status}`,
      );
      costs.push(cost);
    }
    return costs;
  } finally {
    engine.dispose();
  }
}

async function costOf(engine: Engine, pictures: Pictures, ablation: Ablation): Promise<AblationCost> {
  const { spacing, levels, tolerance, sde: text } = ablation.settings;
  const sde = parseSde(text as string);
  const options = { images: pictures, scheme: 'na2024', sde, steps: levels, spacing, engine } as const;
  const quick = () => precomputeScores({ ...options, fixedPoint: { rtol: tolerance } });
  // The paper's loop: every system solved, the loop ended by the change of the log density.
  const strict = () =>
    precomputeScores({
      ...options,
      rtol: Math.min(1e-10, (tolerance as number) / 100),
      fixedPoint: { rtol: tolerance, inner: 'strict' },
    });
  const [own, published] = await compare(
    [quick, strict].map((run) => localAsync(async () => void (await run()))),
    EFFORT,
  );
  const { scores, report: own1 } = await quick();
  const { report } = await strict();
  const { embedded } = embedPictures(pictures, scores, { sde, times: own1.times, variant: 'na2024' });
  const sum = embedded.data.reduce((total, value, k) => total + (value - pictures.data[k]) ** 2, 0);
  return {
    name: ablationName(ablation),
    ablation,
    cpu: own.cpu,
    strict: {
      cpu: published.cpu,
      status: report.status,
      fixedPoint: Math.max(...report.images.map(({ fixedPointIterations }) => fixedPointIterations)),
      solves: report.solves,
      iterations: report.iterations,
    },
    change: Math.sqrt(sum / embedded.data.length),
  };
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

/** q = g^2 dt / (2 h^2) of arXiv 2511.17634's set-up, g = 0.5 and dt = 0.01. */
const stiffness = (size: number) => 0.5 * 0.5 ** 2 * 0.01 * (size - 1) ** 2;

/** P2's claim on several pictures: projection against a direct solver, on one time step of each of them. */
export async function severalPictures(
  preset: PresetName,
  log: (line: string) => void,
): Promise<{ table: Table; cases: BenchCase[]; conclusion: string }> {
  const bicgstab = { method: 'bicgstab', preconditioner: 'none' } as const;
  const ways: Way[] = [
    direct(false),
    direct(true),
    cold(bicgstab),
    projection(bicgstab, 'minimal-residual', 10, 1),
    shared('auto'),
  ];
  const rows: string[][] = [];
  const cases: BenchCase[] = [];
  const saved: number[] = [];
  const slower: number[] = [];
  const engine = await createEngine();
  try {
    for (const size of preset === 'quick' ? [32, 64] : [32, 64, 128]) {
      for (const count of preset === 'quick' ? [3, 10] : [3, 10, 40]) {
        const { systems } = await pictureSteps('photographs', size, stiffness(size), count);
        const sides = ways.map((way) =>
          localAsync(async () => void (await way.run(engine, systems, () => {}))),
        );
        const timings = await compare(sides, EFFORT);
        const times = timings.map(({ cpu }) => cpu / count);
        saved.push(1 - times[3] / times[0]);
        slower.push(times[3] / times[2]);
        rows.push([
          `${count} pictures, ${size} x ${size}`,
          ...times.map((ms) => digits(ms)),
          percent(saved[saved.length - 1]),
          digits(slower[slower.length - 1]),
        ]);
        cases.push({
          key: `several-${size}-${count}`,
          ms: Object.fromEntries(ways.map(({ name }, k) => [name, times[k]])),
        });
        log(`several pictures, ${size} x ${size}, ${count}: done`);
      }
    }
  } finally {
    engine.dispose();
  }
  const between = (values: readonly number[], text: (value: number) => string) =>
    `${text(Math.min(...values))} to ${text(Math.max(...values))}`;
  return {
    cases,
    conclusion: `On one time step of several pictures projection takes ${between(saved, percent)} less time than factors of each matrix, and ${between(slower, digits)} times that of BiCGSTAB alone, with which the paper does not compare.`,
    table: {
      title: 'Pre-computation of several pictures: one time step of each, CPU milliseconds a system',
      head: [
        'systems',
        ...ways.map(({ name }) => name),
        'projection saves of direct',
        'times BiCGSTAB alone',
      ],
      rows,
      note: "The package's own direct solver, which is faster than SciPy's `spsolve` of the paper (`npm run bench:cross-matrix`). To a relative residual of 1e-8.",
    },
  };
}
