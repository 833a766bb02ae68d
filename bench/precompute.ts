// Whole score pre-computations, of the three photographs that come with the project, beside the same steps in SciPy.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initialLogDensity } from '../src/diffusion/density.ts';
import { type PrecomputeOptions, type PrecomputeResult, precomputeScores } from '../src/diffusion/index.ts';
import type { NdArray, Scheme } from '../src/diffusion/types.ts';
import { readPictures } from '../src/node/pictures.ts';
import { createEngine } from '../src/solver/create-engine.ts';
import { compare, EFFORT, type Effort, local, localAsync, type Timing } from './harness.ts';
import { startScipy } from './native.ts';
import { PHOTOGRAPHS, photographPath } from './photographs.ts';
import { bicgstabDia } from './plain/krylov.ts';
import { diagonals } from './plain/sparse.ts';
import { fivePoint } from './problems.ts';
import { type Case, digits, machine, publish, readArguments, type Table, wanted } from './results.ts';

const PATHS = PHOTOGRAPHS.slice(0, 3).map(photographPath);

/** The settings that are compared, those of the papers where there is a paper. */
const SCHEMES: Readonly<Record<Scheme, { steps: number; rtol: number; tolerance: number }>> = {
  na2024: { steps: 20, rtol: 1e-10, tolerance: 2e-8 },
  lau2025: { steps: 100, rtol: 1e-12, tolerance: 1e-6 },
  consistent: { steps: 20, rtol: 1e-10, tolerance: 1e-8 },
};
/** Largest difference of the scores, over their largest. */
const AGREEMENT = 1e-5;

const args = readArguments(['large']);
const sizes = args.quick ? [32, 64] : [32, 64, 128, ...(args.flags.has('large') ? [256] : [])];
/**
 * What V8 compiles behind a run counts as CPU time, and goes on for hundreds of runs: every row, quick or not, is
 * warmed up for as long.
 */
const WARM_UP = 1500;
const effort: Effort = args.quick
  ? { sample: 1, rounds: 5, warmUp: WARM_UP, most: 600 }
  : { sample: 1, rounds: 15, warmUp: WARM_UP, most: 3000 };
/** Seconds for one SciPy run; what is not done then is reckoned from the solves. */
const seconds = args.quick ? 4 : 12;

type Inner = 'strict' | 'adaptive' | 'accelerated';

const engine = await createEngine();
const scipy = startScipy('scipy_precompute.py');
const peer = scipy.peers.get('SciPy');
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const cases: Case[] = [];
const rows: string[][] = [];
const growth: string[][] = [];

try {
  for (const size of sizes) {
    const yardstick = await plainSolve(size);
    for (const scheme of Object.keys(SCHEMES) as Scheme[]) {
      if (wanted(`${scheme}-${size}`, args.only)) await compareSchemes(scheme, size, yardstick);
    }
  }
  if (args.only.length === 0) {
    for (const scheme of ['na2024', 'consistent'] as const) await growthOf(scheme);
  }
} finally {
  peer?.close();
  rmSync(folder, { recursive: true, force: true });
  engine.dispose();
}

const tables: Table[] = [
  {
    title: 'Whole pre-computation, three photographs',
    head: [
      'scheme, pixels, way',
      'ms',
      'spread',
      'images/s',
      'solves',
      'solves/s',
      'iterations',
      'SciPy spsolve ms',
      'bicgstab ms',
      'spsolve : own',
      'bicgstab : own',
      'scores differ',
    ],
    rows,
    note: '* reckoned from the time a solve of a run that was cut short.',
  },
];
if (growth.length > 0) {
  tables.push({
    title: 'Growth of the cost, as the package does it by default',
    head: ['what', 'ms', 'ms an image, channel and level', 'solves', 'iterations'],
    rows: growth,
  });
}
await publish(
  args,
  {
    name: 'precompute',
    command: 'npm run bench:precompute',
    machine: { ...machine(), ...scipy.versions },
    notes: [
      'na2024 starts from the pictures in colour (its density is part of the time), the others from one log density a picture, which is given.',
      'strict solves every system to its tolerance (1e-10, lau2025 1e-12), as SciPy does here; bicgstab starts from the last iterate on both sides. adaptive solves as far as the loop can use, accelerated has no linear systems, to the same tolerance of the loop.',
      `CPU time, medians; one thread. Every row is run for ${WARM_UP} ms first, and SciPy once.`,
      ...scipy.missing.map((what) => `not found: ${what}`),
    ],
    cases,
  },
  tables,
);

/** CPU time of plain TypeScript's BiCGSTAB on the mild system of that size: what ratios are taken against. */
async function plainSolve(size: number): Promise<number> {
  const { A, b } = fivePoint(size, 'mild');
  const solve = bicgstabDia(
    diagonals({ n: b.length, indptr: A.indptr, indices: A.indices, data: A.data }, size),
  );
  const x = new Float64Array(b.length);
  const [{ cpu }] = await compare([local(() => void solve(b, x, 1e-8, 1000))], EFFORT.quick);
  return cpu;
}

async function makeInput(
  scheme: Scheme,
  size: number,
): Promise<Pick<PrecomputeOptions, 'images' | 'initialLogDensity'>> {
  const images = await readPictures(PATHS, { size });
  if (scheme === 'na2024') return { images };
  return { initialLogDensity: initialLogDensity(images, 'pixel-positions') };
}

async function compareSchemes(scheme: Scheme, size: number, yardstick: number): Promise<void> {
  process.stderr.write(`${scheme}-${size}\n`);
  const { steps, rtol, tolerance } = SCHEMES[scheme];
  const input = await makeInput(scheme, size);
  const last = new Map<Inner, PrecomputeResult>();
  const ways: Inner[] = ['accelerated', 'adaptive', 'strict'];
  const sides = ways.map((inner) =>
    localAsync(async () => {
      const own = { ...input, scheme, steps, engine, fixedPoint: { rtol: tolerance, inner } };
      last.set(inner, await precomputeScores(inner === 'strict' ? { ...own, rtol } : own));
    }),
  );
  const timings = await compare(sides, effort);
  const strict = last.get('strict') as PrecomputeResult;
  const others = await Promise.all(
    (['spsolve', 'bicgstab'] as const).map((method) => scipyRun(scheme, method, size, input, strict)),
  );
  for (const [k, inner] of ways.entries()) {
    const { report, scores } = last.get(inner) as PrecomputeResult;
    const { cpu, spread } = timings[k];
    const images = report.shape.images;
    // The other runs of lau2025 are not cut off after five iterations: they are closer to the limit than SciPy's.
    const difference = others[0]?.scores && relativeDifference(scores.data, others[0].scores);
    if (difference !== undefined && difference > AGREEMENT && (scheme !== 'lau2025' || inner === 'strict')) {
      throw new Error(`${scheme}-${size}, ${inner}: the scores differ from SciPy's by ${difference}`);
    }
    cases.push({
      key: `${scheme}-${size}/${inner}`,
      ratio: cpu / yardstick,
      timing: timings[k] as Timing,
      status: report.status,
      solves: report.solves,
      iterations: report.iterations,
      stages: report.time,
      spsolve: others[0]?.cpu,
      bicgstab: others[1]?.cpu,
      difference,
    });
    rows.push([
      `${scheme}, ${size}, ${inner}`,
      digits(cpu),
      `${Math.round(100 * spread)} %`,
      digits((1000 * images) / cpu),
      String(report.solves),
      digits((1000 * report.solves) / cpu),
      String(report.iterations),
      ...others.map((other) => (other === undefined ? '-' : digits(other.cpu) + (other.scores ? '' : ' *'))),
      ...others.map((other) => digits(other && other.cpu / cpu)),
      difference === undefined ? '-' : difference.toExponential(0),
    ]);
  }
}

/** One SciPy run: CPU time in milliseconds, reckoned to the number of solves of `full` where it was cut short. */
async function scipyRun(
  scheme: Scheme,
  method: 'spsolve' | 'bicgstab',
  size: number,
  input: Pick<PrecomputeOptions, 'images' | 'initialLogDensity'>,
  full: PrecomputeResult,
): Promise<{ cpu: number; scores?: Float64Array } | undefined> {
  if (peer === undefined) return undefined;
  const { steps, rtol, tolerance } = SCHEMES[scheme];
  const { data, shape } = (input.images ?? input.initialLogDensity) as NdArray;
  const source = join(folder, `${scheme}-${method}`);
  const target = `${source}.out`;
  writeFileSync(source, new Uint8Array(Float64Array.from(data).buffer));
  const answer = await peer.ask(
    `run ${scheme} ${method} ${seconds} ${shape[0]} ${shape[1]} ${size} ${steps} ${rtol} ${tolerance} ${source} ${target}`,
  );
  const cpu = Number(answer.cpu);
  if (Number(answer.complete) === 0) return { cpu: (cpu / Number(answer.solves)) * full.report.solves };
  const bytes = readFileSync(target);
  return {
    cpu,
    scores: new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)),
  };
}

function relativeDifference(own: Float64Array, other: Float64Array): number {
  if (own.length !== other.length) throw new Error(`${own.length} scores, SciPy has ${other.length}`);
  let most = 0;
  let largest = 0;
  for (let k = 0; k < own.length; k++) {
    most = Math.max(most, Math.abs(own[k] - other[k]));
    largest = Math.max(largest, Math.abs(other[k]));
  }
  return most / largest;
}

/** Pixels, images and levels, one at a time. */
async function growthOf(scheme: 'na2024' | 'consistent'): Promise<void> {
  const { steps, tolerance } = SCHEMES[scheme];
  const take = async (what: string, size: number, images: number, N: number) => {
    const input = await makeInput(scheme, size);
    const all = (input.images ?? input.initialLogDensity) as NdArray;
    const length = (all.data.length / all.shape[0]) * images;
    const part = { data: all.data.slice(0, length), shape: [images, ...all.shape.slice(1)] } as NdArray;
    const options = scheme === 'na2024' ? { images: part } : { initialLogDensity: part };
    let result: PrecomputeResult | undefined;
    const run = async () => {
      result = await precomputeScores({
        ...options,
        scheme,
        steps: N,
        engine,
        fixedPoint: { rtol: tolerance },
      });
    };
    const [{ cpu }] = await compare([localAsync(run)], effort);
    const { report } = result as PrecomputeResult;
    const fields = images * report.shape.channels * (report.shape.levels - 1);
    growth.push([
      `${scheme}, ${what}`,
      digits(cpu),
      digits(cpu / fields),
      String(report.solves),
      String(report.iterations),
    ]);
  };
  for (const size of sizes) await take(`${size} x ${size} pixels`, size, 3, steps);
  for (const images of [1, 2])
    await take(`${images} image${images > 1 ? 's' : ''} at 32 x 32`, 32, images, steps);
  for (const N of [steps / 2, steps * 2]) await take(`N = ${N} at 32 x 32`, 32, 3, N);
}
