// Systems of the diffusion and others, solved by seedspan, plain TypeScript, other packages, and what is on the machine.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine } from '../src/solver/create-engine.ts';
import { METHODS } from '../src/solver/options.ts';
import { batchTable } from './batches.ts';
import { compare, type Effort, type Timing } from './harness.ts';
import { memoryTable } from './memory.ts';
import { startNative, startScipy } from './native.ts';
import {
  fivePoint,
  GENERAL,
  type Problem,
  problemBytes,
  REGIMES,
  type Regime,
  relativeResidual,
} from './problems.ts';
import { type Case, digits, machine, publish, readArguments, type Table, wanted } from './results.ts';
import {
  nativeSolvers,
  type Offer,
  ownSolvers,
  packageSolvers,
  plainSolvers,
  RTOL,
  type Solver,
} from './solvers.ts';
import { targetRows } from './targets.ts';

const args = readArguments();
const effort: Effort = args.quick
  ? { sample: 3, rounds: 5, warmUp: 15, most: 120 }
  : { sample: 6, rounds: 5, warmUp: 15, most: 300 };
/** A solver that would take longer is left out of larger problems, in milliseconds. */
const patience = args.quick ? 250 : 700;
/** Rounding in the computation of a residual is not held against anybody. */
const SLACK = 1.01;

const found = startNative(['C, 128 bit', 'C, native', 'Eigen', 'PETSc']);
const scipy = startScipy('scipy_solve.py');
const peers = new Map([...found.peers, ...scipy.peers]);
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const engine = await createEngine();

const sizes = args.quick ? [32, 64, 128] : [32, 64, 128, 256, 512];
const fivePoints = sizes.flatMap((n) =>
  (Object.keys(REGIMES) as Regime[]).map((regime) => ({
    name: `${regime}-${n}`,
    make: () => fivePoint(n, regime),
  })),
);
const general = Object.entries(GENERAL).map(([name, make]) => ({ name, make }));

const cases: Case[] = [];
/** By problem, then solver: the cell of the table. */
const cells = new Map<string, Map<string, string>>();
/** The last time of each solver, for a guess of the next. */
const lastTimes = new Map<string, { n: number; time: number }>();

try {
  for (const { name, make } of [...fivePoints, ...general]) {
    if (!wanted(name, args.only)) continue;
    await solveAll(make());
  }
} finally {
  for (const peer of peers.values()) peer.close();
  rmSync(folder, { recursive: true, force: true });
}

const tables: Table[] = [
  solveTable(
    'Five-point systems, ms a solve (iterations)',
    fivePoints.map(({ name }) => name),
  ),
  solveTable(
    'General systems, ms a solve (iterations)',
    general.map(({ name }) => name),
  ),
].filter(({ rows }) => rows.length > 0);
const targets = targetRows(cases);
if (targets.length > 0) {
  tables.push({
    title: 'Ratios',
    head: ['what', 'problem', 'own ms', 'other ms', 'other : own'],
    rows: targets,
  });
}
if (wanted('batch', args.only)) tables.push(await batchTable(engine, effort, cases));
if (args.only.length === 0) tables.push(firstSolveTable(), memoryTable(engine, fivePoint(64, 'mild')));
engine.dispose();

await publish(
  args,
  {
    name: 'solve',
    command: 'npm run bench:solve',
    machine: { ...machine(), ...found.versions, ...scipy.versions },
    notes: [
      `All solve from zero to a relative true residual of ${RTOL}, which is checked here; one thread, double precision. CPU time, medians, in turn.`,
      'Factors and preconditioners are made anew in each solve, the analysis of the pattern is not (but for lu, cold, Eigen lu, SciPy spsolve and the packages).',
      'own is a workspace with the values of the matrix loaded in each solve; C is five diagonals that are in place.',
      ...[...found.missing, ...scipy.missing].map((what) => `not found: ${what}`),
    ],
    cases,
  },
  tables,
);

async function solveAll(problem: Problem): Promise<void> {
  const { name, b } = problem;
  process.stderr.write(`${name}\n`);
  const file = join(folder, 'problem');
  writeFileSync(file, problemBytes(problem));
  const offers: Offer[] = [
    ...ownSolvers(engine, problem),
    ...plainSolvers(problem),
    ...packageSolvers(problem),
  ];
  for (const [label, peer] of peers) {
    offers.push(...(await nativeSolvers(label, peer, file, join(folder, 'solution'))));
  }
  const column = new Map<string, string>();
  cells.set(name, column);
  const ready: { solver: Solver; residual: number; iterations: number | undefined }[] = [];
  for (const offer of offers) {
    if ('refused' in offer) continue;
    if ((problem.fills || (args.quick && !problem.grid)) && isDirect(offer.name)) continue;
    const last = lastTimes.get(offer.name);
    if (last !== undefined && problem.grid && last.time * (b.length / last.n) ** 1.3 > patience) {
      column.set(offer.name, 'slow');
      continue;
    }
    try {
      const { wall } = await offer.side(1);
      lastTimes.set(offer.name, { n: b.length, time: wall });
      const residual = relativeResidual(problem, await offer.solution());
      const iterations = await offer.iterations?.();
      if (residual <= RTOL * SLACK) ready.push({ solver: offer, residual, iterations });
      else column.set(offer.name, Number.isFinite(residual) ? residual.toExponential(0) : 'failed');
    } catch {
      column.set(offer.name, 'failed');
    }
  }
  const timings = await compare(
    ready.map(({ solver }) => solver.side),
    effort,
  );
  const byName = new Map(ready.map(({ solver }, k) => [solver.name, timings[k]]));
  const base = byName.get('plain bicgstab, CSR') ?? byName.get('plain gmres(30), CSR');
  for (const { solver, residual, iterations } of ready) {
    const timing = byName.get(solver.name) as Timing;
    lastTimes.set(solver.name, { n: b.length, time: timing.wall });
    column.set(solver.name, digits(timing.cpu) + (iterations === undefined ? '' : ` (${iterations})`));
    cases.push({
      key: `${name}/${solver.name}`,
      // Of ours alone: bench:check looks at nothing else.
      ratio: base && solver.workspace ? timing.cpu / base.cpu : undefined,
      problem: name,
      n: b.length,
      solver: solver.name,
      iterations,
      residual,
      timing,
    });
  }
  for (const offer of offers) if ('workspace' in offer) offer.workspace?.dispose();
}

/** Methods that factor, which takes minutes where the factors fill up. */
function isDirect(solver: string): boolean {
  return /( lu|lu, cold|lu-reused|spsolve)$/.test(solver);
}

function solveTable(title: string, names: readonly string[]): Table {
  const columns = names.filter((name) => cells.has(name));
  const solvers = new Set(columns.flatMap((name) => [...cells.get(name)!.keys()]));
  return {
    title,
    head: ['solver', ...columns],
    rows: [...solvers].map((solver) => [
      solver,
      ...columns.map((name) => cells.get(name)!.get(solver) ?? '-'),
    ]),
    note: 'An exponent is the residual that was left instead; `slow` was left out.',
  };
}

/** The built package in new processes. */
function firstSolveTable(): Table {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const file = join(folder, 'problem');
  const rows: string[][] = [];
  for (const [regime, method, preconditioner] of [
    ['mild', 'bicgstab', 'none'],
    ['mild', 'gmres', 'none'],
    ['stiff', 'bicgstab', 'ilu0'],
  ] as const) {
    if (!METHODS.includes(method)) continue;
    writeFileSync(file, problemBytes(fivePoint(64, regime)));
    const samples = Array.from({ length: args.quick ? 5 : 15 }, () =>
      JSON.parse(
        execFileSync(process.execPath, ['bench/first-solve.mjs', method, preconditioner, file]).toString(),
      ),
    );
    const median = (value: (sample: Record<string, number>) => number) => {
      const sorted = samples.map(value).sort((a, b) => a - b);
      return sorted[Math.floor(sorted.length / 2)];
    };
    const first = median((sample) => sample.engine + sample.solve);
    cases.push({ key: `first/${regime}-64/${method}, ${preconditioner}`, milliseconds: first });
    rows.push([
      `${regime}-64, ${method}, ${preconditioner}`,
      digits(median((sample) => sample.imported)),
      digits(median((sample) => sample.engine)),
      digits(median((sample) => sample.solve)),
      digits(first),
      digits(median((sample) => sample.again)),
    ]);
  }
  rmSync(folder, { recursive: true, force: true });
  return {
    title: 'First solve of a process, ms of wall time',
    head: ['problem', 'import', 'createEngine', 'first solve', 'engine + solve', 'second solve'],
    rows,
    note: 'The built package. Without a workspace, so each solve makes one; compilation is part of engine and first solve.',
  };
}
