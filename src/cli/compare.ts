import { type PrecomputeOptions, type PrecomputeResult, precomputeScores } from '../diffusion/index.ts';
import { duration } from '../node/report/words.ts';
import type { WayCost } from '../node/report.ts';
import { textTable } from './context.ts';

/** Each way runs this often, all in turn; the run with the median time of the linear solves counts. */
const ROUNDS = 3;

type Way = Pick<PrecomputeOptions, 'method' | 'start' | 'sharing' | 'fixedPoint' | 'rtol' | 'preconditioner'>;

/** The ways of solving the same systems; the first is what the others are measured against. */
function waysFor(images: number, scheme: PrecomputeOptions['scheme']): Readonly<Record<string, Way>> {
  // No more accuracy in a linear solve than the loop around it can use, or no linear solves at all.
  const loose: Way = { start: 'last-iterate', rtol: undefined, preconditioner: undefined };
  const accelerated: Way = { ...loose, method: undefined, fixedPoint: { inner: 'accelerated' } };
  return {
    'BiCGSTAB, cold': { method: 'bicgstab', start: 'zero', sharing: 'none', preconditioner: 'none' },
    'GMRES, cold': { method: 'gmres', start: 'zero', sharing: 'none', preconditioner: 'none' },
    'last iterate': {
      method: 'bicgstab',
      start: 'last-iterate',
      sharing: 'none',
      fixedPoint: { inner: 'strict' },
      preconditioner: 'none',
    },
    // One picture alone has no other to learn from.
    ...(images > 1
      ? {
          projection: {
            method: 'bicgstab',
            start: 'zero',
            sharing: 'projection',
            preconditioner: 'none',
          } as const,
        }
      : {}),
    'last iterate, loose': {
      ...loose,
      method: 'bicgstab',
      sharing: 'none',
      fixedPoint: { inner: 'adaptive' },
    },
    accelerated: { ...accelerated, sharing: 'none' },
    // What pictures can share beside a loop without linear solves.
    ...(images > 1 && scheme !== 'na2024'
      ? {
          'seed operator': { ...accelerated, sharing: 'seed-operator' } as const,
          'auto sharing': { ...accelerated, sharing: 'auto' } as const,
        }
      : {}),
  };
}

const solveTime = ({ time }: PrecomputeResult['report']) => time.solve + time.projection;

/**
 * Computes the same scores in several ways and says what each cost.
 *
 * @param onProgress - told how many of the runs are done.
 */
export async function compareWays(
  options: PrecomputeOptions,
  images: number,
  onProgress: (done: number, total: number) => void,
): Promise<WayCost[]> {
  const ways = Object.entries(waysFor(images, options.scheme));
  const reports = ways.map((): PrecomputeResult['report'][] => []);
  const total = ROUNDS * ways.length;
  for (let round = 0; round < ROUNDS; round++) {
    for (const [k, [, way]] of ways.entries()) {
      onProgress(round * ways.length + k, total);
      const fixedPoint = { ...options.fixedPoint, ...way.fixedPoint };
      const projection = way.sharing === 'projection' ? options.projection : undefined;
      const seedImage = way.sharing === 'seed-operator' ? options.seedImage : undefined;
      const all = { ...options, ...way, fixedPoint, projection, seedImage, onProgress: undefined };
      const { report } = await precomputeScores(all);
      reports[k].push(report);
    }
  }
  const medians = reports.map((runs) => runs.sort((a, b) => solveTime(a) - solveTime(b))[(ROUNDS - 1) / 2]);
  return medians.map((report, k) => ({
    way: ways[k][0],
    runs: ROUNDS,
    solveTime: solveTime(report),
    totalTime: report.time.total,
    iterations: report.iterations,
    solves: report.solves,
    residual: Math.max(0, ...report.steps.map((step) => step.residual)),
    saved: 100 * (1 - solveTime(report) / solveTime(medians[0])),
    status: report.status,
  }));
}

export function comparisonTable(ways: readonly WayCost[]): string {
  return textTable(
    ['way', 'linear solves', 'in all', 'iterations', 'solves', 'largest residual', 'saved', 'status'],
    ways.map((way, k) => [
      way.way,
      duration(way.solveTime),
      duration(way.totalTime),
      String(way.iterations),
      String(way.solves),
      way.residual.toExponential(1),
      k === 0 ? '-' : `${way.saved.toFixed(1)} %`,
      way.status,
    ]),
  );
}
