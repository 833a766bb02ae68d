import {
  type NdArray,
  type PointField,
  pointsDensity,
  precomputeField,
  randomStream,
} from '../../src/diffusion/index.ts';
import type { Engine } from '../../src/solver/engine.ts';
import {
  createMlp,
  type DataSet,
  dataSetDensity,
  type HeldOutScores,
  type Network,
  networkScores,
  type PlaneDensity,
  type PointSource,
  type Schedule,
  type SupervisionOptions,
  scoreError,
  type Tensors,
  trainDenoising,
  trainOnField,
} from '../../src/training/index.ts';
import { FieldScores } from '../../src/training/supervision/field-scores.ts';

// The trainings that are compared, each followed by its error on points and times that it has not seen.

/** Variances of the noise, on the unit square. */
export const VARIANCES = [4e-4, 1] as const;
export const CELLS = 128;
export const LEVELS = 48;
/** Points of the sets that are given once, instead of fresh ones in each step. */
export const GIVEN = 4000;
/** Of the stable targets. */
export const REFERENCES = 64;
export const HELD_OUT_SEED = 1_000_003;

/** What exact supervision is held against. */
export type Rival = 'denoising' | 'stable-targets';

/** A training, as it went. */
export interface SupervisionRun {
  set: DataSet;
  seed: number;
  method: 'exact' | Rival;
  /** Fresh points in each step, or the density itself; or a set of points given once. */
  data: 'density' | 'points';
  schedule: Schedule;
  learningRate: number;
  /** CPU seconds before the first step: the density on cells and its field. */
  preparation: number;
  /** CPU seconds with preparation, without the measuring. */
  curve: { step: number; seconds: number; error: number }[];
}

/** A data set, and what its trainings share. */
export interface Bench {
  tf: Tensors;
  engine: Engine;
  set: DataSet;
  density: PlaneDensity;
  held: HeldOutScores;
  steps: number;
  marks: ReadonlySet<number>;
}

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** The first steps compile: nobody's budget should have them. */
export async function warmUp(tf: Tensors, engine: Engine): Promise<void> {
  const density = dataSetDensity('gaussians');
  const field = await fieldOf(density.cells(CELLS, CELLS), engine);
  const network = createMlp(tf, { variances: VARIANCES });
  await trainOnField(network, field, { steps: 60 });
  await trainDenoising(network, (count, random) => density.draw(count, random), { steps: 60 });
  network.dispose();
}

function fieldOf(density: NdArray, engine: Engine): Promise<PointField> {
  const [firstVariance, variance] = VARIANCES;
  return precomputeField(density, { levels: LEVELS, firstVariance, variance, engine });
}

/** Trains a new network and measures it on the way; the clock stands while it is measured. */
async function follow(
  { tf, held, steps, marks }: Bench,
  seed: number,
  preparation: number,
  train: (network: Network, options: SupervisionOptions) => Promise<unknown>,
): Promise<SupervisionRun['curve']> {
  const curve: SupervisionRun['curve'] = [];
  const network = createMlp(tf, { variances: VARIANCES, seed });
  try {
    let seconds = preparation;
    let since = cpuSeconds();
    await train(network, {
      steps,
      seed,
      callback: ({ step, averaged }) => {
        if (!marks.has(step)) return;
        seconds += cpuSeconds() - since;
        const scores = averaged(() => networkScores(network, held.points, held.variances));
        curve.push({ step, seconds, error: scoreError(scores, held) });
        since = cpuSeconds();
      },
    });
  } finally {
    network.dispose();
  }
  return curve;
}

export type Way = Pick<SupervisionRun, 'schedule' | 'learningRate'>;

export async function runDenoising(
  bench: Bench,
  seed: number,
  way: Way,
  { points, references = 0 }: { points?: NdArray; references?: number } = {},
): Promise<SupervisionRun> {
  const source: PointSource = points ?? ((count, random) => bench.density.draw(count, random));
  const curve = await follow(bench, seed, 0, (network, options) =>
    trainDenoising(network, source, { ...options, ...way, references }),
  );
  const data = points === undefined ? 'density' : 'points';
  const method = references > 0 ? 'stable-targets' : 'denoising';
  return { set: bench.set, seed, method, data, ...way, preparation: 0, curve };
}

export const EXACT: Way = { schedule: 'constant', learningRate: 5e-3 };

export async function runExact(
  bench: Bench,
  seed: number,
  points?: NdArray,
): Promise<{ run: SupervisionRun; fieldError: number }> {
  const begin = cpuSeconds();
  const cells =
    points === undefined ? bench.density.cells(CELLS, CELLS) : await smoothed(points, bench.engine);
  const field = await fieldOf(cells, bench.engine);
  const preparation = cpuSeconds() - begin;
  const curve = await follow(bench, seed, preparation, (network, options) =>
    trainOnField(network, field, { ...options, ...EXACT }),
  );
  const data = points === undefined ? 'density' : 'points';
  const run: SupervisionRun = { set: bench.set, seed, method: 'exact', data, ...EXACT, preparation, curve };
  return { run, fieldError: errorOfField(field, bench.density) };
}

/** The density of given points on the unit square: counts by cells, smoothed as cross-validation says. */
async function smoothed(points: NdArray, engine: Engine): Promise<NdArray> {
  const { bandwidth } = await pointsDensity(points, { size: CELLS, engine });
  const counts = new Float64Array(CELLS * CELLS);
  const cell = (x: number) => Math.max(0, Math.min(CELLS - 1, Math.floor(x * CELLS)));
  for (let k = 0; k < points.data.length; k += 2) {
    counts[cell(points.data[k]) * CELLS + cell(points.data[k + 1])]++;
  }
  const shape = [CELLS, CELLS];
  const flow = await precomputeField(
    { data: counts, shape },
    { levels: 1, variance: bandwidth ** 2, engine },
  );
  return { data: flow.density.data.slice(CELLS * CELLS), shape };
}

/** The field's own share of the error: `E variance || field - exact ||^2` over `E variance || exact ||^2`. */
function errorOfField(field: PointField, density: PlaneDensity): number {
  const each = 40;
  const random = randomStream(HELD_OUT_SEED, 1);
  const held: HeldOutScores = {
    points: new Float64Array(2 * each * LEVELS),
    variances: new Float64Array(each * LEVELS),
    scores: new Float64Array(2 * each * LEVELS),
  };
  const own = new Float64Array(2 * each * LEVELS);
  const table = new FieldScores(field);
  for (let level = 0; level < LEVELS; level++) {
    for (let k = level * each; k < (level + 1) * each; k++) {
      const cell = table.drawCell(level, random);
      table.centre(cell, held.points, 2 * k);
      table.score(level, cell, 1, own, 2 * k);
      held.variances[k] = table.variance(level);
    }
    const part = [2 * level * each, 2 * (level + 1) * each] as const;
    held.scores.set(density.score(held.points.slice(...part), table.variance(level)), part[0]);
  }
  return scoreError(own, held);
}
