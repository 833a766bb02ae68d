// Sequences of similar systems, solved one by one, by factors, and with what earlier systems leave behind.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine } from '../src/solver/create-engine.ts';
import { PICTURE_SETS } from './cross-matrix/pictures.ts';
import { dotPlot, linePlot } from './cross-matrix/plots.ts';
import { pictureSteps, SEQUENCES, type Sequence, type System } from './cross-matrix/sequences.ts';
import {
  type Base,
  cold,
  decisionsOfAuto,
  direct,
  type Family,
  lastIterate,
  projection,
  RTOL,
  recycled,
  seedOperator,
  shared,
  type Way,
} from './cross-matrix/ways.ts';
import { compare, type Effort, localAsync, type Timing } from './harness.ts';
import { startScipy } from './native.ts';
import { problemBytes, relativeResidual } from './problems.ts';
import { type Case, digits, machine, publish, readArguments, type Table, wanted } from './results.ts';

const args = readArguments(['decisions']);
const effort: Effort = args.quick
  ? { sample: 2, rounds: 3, warmUp: 8, most: 60 }
  : { sample: 4, rounds: 5, warmUp: 12, most: 200 };
const sizes = args.quick ? [32, 64] : [32, 64, 128];
const stiffness = args.quick ? [0.6, 15] : [0.1, 0.6, 5, 15, 50];
/** Systems in a set of pictures of that size. */
const count = (size: number) => (args.quick ? 16 : size <= 64 ? 48 : size <= 128 ? 24 : 12);
/** A way that takes longer for one system, in milliseconds, is left out of larger problems of its kind. */
const patience = 120;
/** Rounding in the computation of a residual is not held against anybody. */
const SLACK = 1.01;

interface Row {
  way: string;
  family: Family;
  /** Milliseconds of CPU time a system. */
  ms: number;
  iterations: number;
}

interface Measured {
  sequence: string;
  words: string;
  rows: Row[];
  /** SciPy's `spsolve` on the first system, milliseconds. */
  spsolve: number | undefined;
}

const engine = await createEngine();
const scipy = startScipy('scipy_solve.py');
const peer = scipy.peers.get('SciPy');
const folder = await mkdtemp(join(tmpdir(), 'bench-'));
const measured: Measured[] = [];
/** What `auto` did, a row a sequence. */
const decided: string[][] = [];
const cases: Case[] = [];
/** The last time of each way on sequences of a kind, for a guess of the next. */
const lastTimes = new Map<string, { n: number; ms: number }>();
const growth: { series: string; count: number; ms: number }[] = [];

try {
  for (const set of Object.keys(PICTURE_SETS)) {
    for (const size of sizes) {
      for (const q of stiffness) {
        // The larger are dear, and show what their neighbours do.
        if (size > 32 && (q === 0.1 || q === 5)) continue;
        if (!wanted(`${set}-${size}-q${q}`, args.only)) continue;
        await measure(await pictureSteps(set, size, q, count(size)), true);
      }
    }
  }
  if (!args.quick) {
    for (const set of ['photographs', 'variants']) {
      for (const q of [0.6, 15]) {
        if (wanted(`${set}-256-q${q}`, args.only))
          await measure(await pictureSteps(set, 256, q, count(256)), true);
      }
    }
  }
  for (const [name, make] of Object.entries(SEQUENCES)) {
    if (wanted(name, args.only))
      await measure(await make(args.quick ? 16 : 32), name === 'newton' || name === 'turning wind');
  }
  if (wanted('growth', args.only) && !args.flags.has('decisions')) await measureGrowth();
} finally {
  peer?.close();
  await rm(folder, { recursive: true, force: true });
  engine.dispose();
}

if (args.flags.has('decisions')) await publishDecisions();
else await publishAll();

async function publishDecisions(): Promise<void> {
  await publish(
    args,
    {
      name: 'cross-matrix-decisions',
      command: 'npm run bench:cross-matrix -- --decisions',
      machine: machine(),
      notes: [
        'What `sharing: "auto"` of solveBatch did. It decides from iterations and residuals, not from the clock: another machine decides alike.',
      ],
      cases: [],
    },
    [
      {
        title: 'Decisions',
        head: [
          'sequence',
          'systems',
          'ways taken',
          'solutions in a start',
          'preconditioners made',
          'iterations',
        ],
        rows: decided,
        note: 'ways taken: how many systems were solved in each. solutions: the mean over the systems, and the most. Preconditioners made: of the systems that had one.',
      },
    ],
  );
}

async function publishAll(): Promise<void> {
  await publish(
    args,
    {
      name: 'cross-matrix',
      command: 'npm run bench:cross-matrix',
      machine: { ...machine(), ...scipy.versions },
      notes: [
        `All solve to a relative true residual of ${RTOL}, which is checked here; one thread, double precision. Milliseconds of CPU time a system, medians, in turn; what a way prepares for the sequence (pattern, seeds, first factors) is part of its time.`,
        'saved over LU: against factors made from nothing for each system, the measure of arXiv 2511.17634. saved over cold: against the best way without sharing, factors included.',
        'A projection is that of the paper: Krylov subspaces of the first systems, the others start from their projection and are refined.',
        ...scipy.missing.map((what) => `not found: ${what}`),
      ],
      cases,
    },
    tables(),
  );
  await drawPlots();
}

function waysFor(sequence: Sequence, grid: boolean): Way[] {
  const methods: Base['method'][] = sequence.symmetric ? ['cg', 'gmres', 'bicgstab'] : ['gmres', 'bicgstab'];
  const kinds: Base['preconditioner'][] = grid
    ? ['none', 'jacobi', 'ilu0', 'multigrid']
    : ['none', 'jacobi', 'ilu0'];
  const bases = methods.flatMap((method) =>
    kinds.map((preconditioner): Base => ({ method, preconditioner })),
  );
  const plain: Base = { method: 'bicgstab', preconditioner: 'none' };
  const ilu: Base = { method: 'bicgstab', preconditioner: 'ilu0' };
  const best: Base = grid ? { method: 'bicgstab', preconditioner: 'multigrid' } : ilu;
  return [
    direct(false),
    direct(true),
    ...bases.map(cold),
    ...[plain, best].flatMap((base) => [lastIterate(base, false), lastIterate(base, true)]),
    ...[5, 10, 20, 40].map((dim) => projection(plain, 'minimal-residual', dim, 1)),
    projection(plain, 'galerkin', 20, 1),
    ...[2, 4, 8].map((seeds) => projection(plain, 'minimal-residual', 10, seeds)),
    projection(best, 'minimal-residual', 10, 1),
    seedOperator('gmres', 'lu'),
    seedOperator('bicgstab', 'lu'),
    seedOperator('bicgstab', 'ilu0'),
    ...(grid ? [seedOperator('bicgstab', 'multigrid')] : []),
    recycled('none', 10),
    recycled('ilu0', 10),
    shared('solutions', plain),
    shared('solutions', best),
    ...(sequence.symmetric ? [shared('solutions', { method: 'cg', preconditioner: 'none' })] : []),
    shared('seed-operator', best),
    shared('auto'),
  ];
}

/** Runs a way once, with every residual checked here; undefined where it falls short. */
async function tryOut(
  way: Way,
  systems: readonly System[],
): Promise<{ iterations: number; wall: number } | undefined> {
  let worst = 0;
  const began = performance.now();
  let checking = 0;
  const outcomes = await way.run(engine, systems, (k, x) => {
    const start = performance.now();
    worst = Math.max(worst, relativeResidual(systems[k], x));
    checking += performance.now() - start;
  });
  const wall = performance.now() - began - checking;
  const solved = outcomes.every(({ converged }) => converged) && worst <= RTOL * SLACK;
  const iterations = outcomes.reduce((sum, outcome) => sum + outcome.iterations, 0) / systems.length;
  return solved ? { iterations, wall: wall / systems.length } : undefined;
}

async function measure(sequence: Sequence, grid: boolean): Promise<void> {
  const { name, words, systems } = sequence;
  process.stderr.write(`${name}\n`);
  if (args.flags.has('decisions')) {
    decided.push([name, ...(await decisionsOfAuto(engine, systems))]);
    return;
  }
  const n = systems[0].b.length;
  const ready: { way: Way; iterations: number }[] = [];
  for (const way of waysFor(sequence, grid)) {
    const key = `${name.split('-')[0]}/${way.name}`;
    const last = lastTimes.get(key);
    if (last !== undefined && last.n < n && last.ms * (n / last.n) ** 1.3 > patience) continue;
    try {
      const result = await tryOut(way, systems);
      if (result === undefined) continue;
      lastTimes.set(key, { n, ms: result.wall });
      ready.push({ way, iterations: result.iterations });
    } catch (error) {
      process.stderr.write(`  ${way.name}: ${(error as Error).message.slice(0, 160)}\n`);
    }
  }
  const timings = await compare(
    ready.map(({ way }) =>
      localAsync(async () => {
        await way.run(engine, systems, () => {});
      }),
    ),
    effort,
  );
  const rows = ready.map(({ way, iterations }, k) => ({
    way: way.name,
    family: way.family,
    ms: timings[k].cpu / systems.length,
    iterations,
  }));
  measured.push({ sequence: name, words, rows, spsolve: await spsolve(systems[0]) });
  const base = rows.find(({ way }) => way === 'bicgstab')?.ms;
  for (const [k, row] of rows.entries()) {
    cases.push({
      key: `${name}/${row.way}`,
      ratio: base && row.ms / base,
      sequence: name,
      n,
      systems: systems.length,
      ...row,
      timing: timings[k],
    });
  }
}

async function spsolve({ A, b }: System): Promise<number | undefined> {
  if (peer === undefined) return undefined;
  const file = join(folder, 'problem');
  await writeFile(file, problemBytes({ name: '', A, b, symmetric: false }));
  try {
    await peer.ask(`problem ${file}`);
    const times: number[] = [];
    for (let k = 0; k < 3; k++) times.push(Number((await peer.ask(`solve spsolve ${RTOL} 1`)).cpu));
    return times.sort((a, b) => a - b)[1];
  } catch {
    return undefined;
  }
}

/** The cost of a system when there are 1, 10, 100 or 1,000 of them. */
async function measureGrowth(): Promise<void> {
  const sequence = await pictureSteps('variants', 32, 5, args.quick ? 100 : 1000);
  const base: Base = { method: 'bicgstab', preconditioner: 'multigrid' };
  const ways = [
    direct(true),
    cold(base),
    projection({ method: 'bicgstab', preconditioner: 'none' }, 'minimal-residual', 10, 1),
    seedOperator('gmres', 'lu'),
    seedOperator('bicgstab', 'multigrid'),
    shared('auto'),
  ];
  for (const targets of [1, 10, 100, 1000].filter((targets) => targets <= sequence.systems.length)) {
    const systems = sequence.systems.slice(0, targets);
    const timings: Timing[] = await compare(
      ways.map((way) =>
        localAsync(async () => {
          await way.run(engine, systems, () => {});
        }),
      ),
      effort,
    );
    ways.forEach(({ name }, k) => {
      growth.push({ series: name, count: targets, ms: timings[k].cpu / targets });
    });
  }
}

function best(rows: readonly Row[], ...families: Family[]): Row | undefined {
  return rows
    .filter(({ family }) => families.includes(family))
    .reduce<Row | undefined>(
      (least, row) => (least === undefined || row.ms < least.ms ? row : least),
      undefined,
    );
}

function saved(ms: number | undefined, of: number | undefined): string {
  return ms === undefined || of === undefined ? '-' : `${(100 * (1 - ms / of)).toFixed(0)} %`;
}

function named(row: Row | undefined): string {
  return row === undefined ? '-' : `${digits(row.ms)} (${row.way})`;
}

function tables(): Table[] {
  const summary: Table = {
    title: 'Every sequence',
    head: [
      'sequence',
      'LU ms',
      'spsolve ms',
      'best alone ms',
      "papers' projection ms",
      'saved over LU',
      'best sharing ms',
      'saved over LU',
      'saved over best alone',
      'auto ms',
      'auto : best',
    ],
    rows: measured.map(({ sequence, rows, spsolve }) => {
      const lu = rows.find(({ way }) => way === 'LU each time')?.ms;
      const alone = best(rows, 'cold', 'direct');
      const sharing = best(rows, 'sharing');
      const paper = best(
        rows.filter(({ way }) => way.startsWith('projection')),
        'sharing',
      );
      const auto = rows.find(({ way }) => way === 'auto');
      const least = best(rows, 'cold', 'direct', 'sharing');
      return [
        sequence,
        digits(lu),
        digits(spsolve),
        named(alone),
        named(paper),
        saved(paper?.ms, lu),
        named(sharing),
        saved(sharing?.ms, lu),
        saved(sharing?.ms, alone?.ms),
        digits(auto?.ms),
        auto && least ? (auto.ms / least.ms).toFixed(2) : '-',
      ];
    }),
    note: 'best alone: no system knows of another. auto is among the ways of sharing.',
  };
  const details = measured.map(({ sequence, words, rows }): Table => {
    const lu = rows.find(({ way }) => way === 'LU each time')?.ms;
    const alone = best(rows, 'cold', 'direct')?.ms;
    return {
      title: `${sequence}: ${words}`,
      head: ['way', 'ms a system', 'iterations', 'saved over LU', 'saved over best alone'],
      rows: rows.map(({ way, ms, iterations }) => [
        way,
        digits(ms),
        iterations.toFixed(1),
        saved(ms, lu),
        saved(ms, alone),
      ]),
    };
  });
  const counts = [...new Set(growth.map(({ count }) => count))];
  const series = [...new Set(growth.map(({ series }) => series))];
  const growing: Table = {
    title: 'Cost of a system by the number of them (variants, 32x32, q = 5), ms',
    head: ['way', ...counts.map(String)],
    rows: series.map((name) => [
      name,
      ...counts.map((count) => digits(growth.find((row) => row.series === name && row.count === count)?.ms)),
    ]),
  };
  return [summary, ...(growth.length > 0 ? [growing] : []), ...details].filter(({ rows }) => rows.length > 0);
}

async function drawPlots(): Promise<void> {
  const points = measured.flatMap(({ sequence, rows }) => {
    const alone = best(rows, 'cold', 'direct')?.ms;
    const pick = (label: string, row: Row | undefined) =>
      row && alone ? [{ sequence, way: label, share: row.ms / alone }] : [];
    return [
      ...pick(
        "papers' projection",
        best(
          rows.filter(({ way }) => way.startsWith('projection')),
          'sharing',
        ),
      ),
      ...pick(
        'GCRO-DR, recycled',
        best(
          rows.filter(({ way }) => way.startsWith('recycled')),
          'sharing',
        ),
      ),
      ...pick(
        "seed's operator",
        best(
          rows.filter(({ way }) => way.startsWith('seed')),
          'sharing',
        ),
      ),
      ...pick(
        'last solutions',
        best(
          rows.filter(({ way }) => way.startsWith('solutions')),
          'sharing',
        ),
      ),
      ...pick(
        'auto',
        rows.find(({ way }) => way === 'auto'),
      ),
    ];
  });
  if (points.length > 0) await writeFile(join(args.out, 'cross-matrix.svg'), await dotPlot(points));
  if (growth.length > 0) await writeFile(join(args.out, 'cross-matrix-growth.svg'), await linePlot(growth));
}
