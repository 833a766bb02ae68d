import { parseSde } from '../../src/diffusion/index.ts';
import {
  createEngine,
  type Engine,
  type SeedSubspace,
  type SolveOptions,
  type SolveResult,
  type SolveStatus,
} from '../../src/index.ts';
import { yieldToHost } from '../../src/solver/yield.ts';
import type { Job } from './protocol.ts';
import { type StepSystem, stepSystem } from './step-system.ts';

export interface CostsInput {
  height: number;
  width: number;
  spacing: readonly [number, number];
  /** As `parseSde` takes it. */
  sde: string;
  /** Log density at three levels, one after the other, and their times; the system is the step to the last. */
  levels: readonly [Float64Array, Float64Array, Float64Array];
  times: readonly [number, number, number];
}

export interface WayResult {
  way: string;
  /** Mean milliseconds of a solve, matrix loaded and preconditioner made anew each time; the least of three means. */
  time: number;
  status: SolveStatus;
  iterations: number;
  matvecs: number;
  /** ||b - A x|| / ||b|| */
  residual: number;
  /** Residual norms over ||b||, the start's first, then one an iteration. */
  history: number[];
}

export interface CostsOutput {
  n: number;
  rtol: number;
  /** What the seed's basis took to build, which no bar contains. */
  seedTime: number;
  seedSize: number;
}

export const COSTS_RTOL = 1e-8;
/** Vectors of the seed's basis. */
const SEED_DIM = 10;
/** Milliseconds that are measured at a time, so that coarse clocks do not matter. */
const SAMPLE = 25;
const SAMPLES = 3;
/** A way that takes longer is solved once. */
const SLOW = 400;

const WAYS: readonly { way: string; options: SolveOptions; seeded?: true }[] = [
  { way: 'BiCGSTAB, mixed precision', options: { method: 'bicgstab', precision: 'mixed' } },
  { way: 'BiCGSTAB', options: { method: 'bicgstab', precision: 'double' } },
  { way: 'BiCGSTAB, projection', options: { method: 'bicgstab', precision: 'double' }, seeded: true },
  { way: 'BiCGSTAB, ILU(0)', options: { method: 'bicgstab', preconditioner: 'ilu0' } },
  { way: 'BiCGSTAB, multigrid', options: { method: 'bicgstab', preconditioner: 'multigrid' } },
  { way: 'GMRES(30)', options: { method: 'gmres' } },
  { way: 'GMRES(30), ILU(0)', options: { method: 'gmres', preconditioner: 'ilu0' } },
  { way: 'CG', options: { method: 'cg' } },
  { way: 'Direct (LU)', options: { method: 'lu' } },
];

export const runCosts: Job<'costs'> = async (input, { signal, tell }) => {
  const engine = await createEngine();
  let seed: SeedSubspace | undefined;
  try {
    const sde = parseSde(input.sde);
    const step = (level: 1 | 2): StepSystem => {
      const before = input.levels[level - 1];
      const [t, earlier] = [input.times[level], input.times[level - 1]];
      return stepSystem({ iterate: before, before }, input, { sde, t, dt: t - earlier });
    };
    const system = step(2);
    const other = step(1);
    const began = performance.now();
    seed = engine.seedSubspace(other.A, other.b, { dim: SEED_DIM });
    const seedTime = performance.now() - began;
    for (const { way, options, seeded } of WAYS) {
      tell({ way, ...(await measure(engine, system, { ...options, ...(seeded && { seed }) }, signal)) });
    }
    return { result: { n: system.b.length, rtol: COSTS_RTOL, seedTime, seedSize: seed.size } };
  } finally {
    seed?.dispose();
    engine.dispose();
  }
};

async function measure(
  engine: Engine,
  { A, b }: StepSystem,
  options: SolveOptions,
  signal: AbortSignal,
): Promise<Omit<WayResult, 'way'>> {
  const settings = { ...options, rtol: COSTS_RTOL };
  const solveOnce = () => engine.solve(A, b, settings);
  const pause = async () => {
    await yieldToHost();
    signal.throwIfAborted();
  };
  await pause();
  const { history, ...solved } = engine.solve(A, b, { ...settings, history: true });
  await pause();
  // The first solve has loaded and compiled what there is.
  let began = performance.now();
  solveOnce();
  let time = performance.now() - began;
  for (let sample = 0; sample < SAMPLES && time < SLOW; sample++) {
    await pause();
    let count = 0;
    began = performance.now();
    do {
      solveOnce();
      count++;
    } while (performance.now() - began < SAMPLE);
    const mean = (performance.now() - began) / count;
    time = sample === 0 ? mean : Math.min(time, mean);
  }
  return { time, ...outcome(solved, history) };
}

function outcome(solved: Omit<SolveResult, 'history'>, history: SolveResult['history']) {
  const { status, iterations, matvecs, residualNorm, rightHandSideNorm } = solved;
  const norm = rightHandSideNorm || 1;
  return {
    status,
    iterations,
    matvecs,
    residual: residualNorm / norm,
    history: Array.from(history ?? [], (value) => value / norm),
  };
}
