// Which images make good seeds, and how many: sharing between patches of photographs, by choice and number of seeds.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import {
  type ChooseSeedsOptions,
  chooseSeeds,
  initialLogDensity,
  type NdArray,
  type PrecomputeOptions,
  type PrecomputeReport,
  precomputeScores,
  randomStream,
  type Scheme,
} from '../src/diffusion/index.ts';
import { createEngine } from '../src/solver/create-engine.ts';
import { PHOTOGRAPHS, photographPath } from './photographs.ts';
import { type Case, digits, machine, publish, readArguments, SEED, type Table, wanted } from './results.ts';
import { countPlot } from './seeds-plot.ts';

const SIZE = 32;
const N = SIZE * SIZE;
/** Pixels of a photograph that become one of a patch. */
const SCALES = [1, 2, 4, 8];
const DIM = 10;

const args = readArguments();
const PATCHES = args.quick ? 112 : 448;
const TARGETS = args.quick ? 12 : 24;
const OPERATOR_TARGETS = args.quick ? 16 : 64;
const DRAWS = args.quick ? 3 : 4;
const OPERATOR_DRAWS = args.quick ? 5 : 15;
const COUNTS = args.quick ? [1, 4] : [1, 2, 4, 8, 16];
const ROUNDS = args.quick ? 2 : 3;
/** Bases of each level and channel in the sweeps of na2024: beyond, a run takes minutes. */
const MOST_SEEDS: Readonly<Record<Scheme, number>> = { na2024: 8, lau2025: 16, consistent: 16 };

type Setting = { name: string; scheme: Scheme; density: 'pairs' | 'positions'; options: PrecomputeOptions };
const PROJECTED: readonly Setting[] = [
  { name: 'na2024', scheme: 'na2024', density: 'pairs', options: {} },
  { name: 'lau2025', scheme: 'lau2025', density: 'positions', options: {} },
  { name: 'consistent', scheme: 'consistent', density: 'positions', options: {} },
];
const SHARED: readonly Setting[] = [
  { name: 'consistent', scheme: 'consistent', density: 'positions', options: {} },
  { name: 'consistent, pixel pairs', scheme: 'consistent', density: 'pairs', options: {} },
  {
    name: 'lau2025, accelerated',
    scheme: 'lau2025',
    density: 'positions',
    options: { fixedPoint: { inner: 'accelerated' } },
  },
];

const CHOICES: readonly [name: string, how: Partial<ChooseSeedsOptions>][] = [
  ['first', { method: 'first', features: 'pixels' }],
  ['k-medoids', {}],
  ['k-medoids, pixels', { features: 'pixels' }],
  ['leverage', { method: 'leverage' }],
];

const engine = await createEngine();
const pictures = await patches(PATCHES);
const densities = {
  pairs: initialLogDensity(pictures, 'pixel-pairs', { seed: SEED }),
  positions: initialLogDensity(pictures, 'pixel-positions', { seed: SEED }),
};
const cases: Case[] = [];
const operatorRows: string[][] = [];
const projectionRows: string[][] = [];
const shardRows: string[][] = [];
const points: { scheme: string; method: string; count: number; share: number }[] = [];

try {
  for (const setting of SHARED) if (wanted('operator', args.only)) await measureOperators(setting);
  for (const setting of PROJECTED) if (wanted('projection', args.only)) await measureProjections(setting);
  for (const setting of PROJECTED) if (wanted('shards', args.only)) await measureShards(setting);
} finally {
  engine.dispose();
}

const tables: Table[] = [
  {
    title: "One image's multigrid for all",
    head: ['scheme', 'chosen', 'iterations : none', 'CPU ms', 'ms : none', 'ms : auto'],
    rows: operatorRows,
    note: `Of ${OPERATOR_TARGETS} images and the seed, which is prepended; iterations are those of the ${OPERATOR_TARGETS}. random: the median of ${OPERATOR_DRAWS} draws (least to most).`,
  },
  {
    title: 'Projection on Krylov bases of seeds',
    head: ['scheme', 'seeds', ...CHOICES.map(([name]) => name), 'random', 'CPU'],
    rows: projectionRows,
    note: `Iterations of ${TARGETS} images over those without sharing: below 1 is saved. random: the median of ${DRAWS} draws (least to most). CPU: time of all, seeds included, over that without sharing, with k-medoids. Each seed leaves ${DIM} vectors.`,
  },
  {
    title: 'Shards with their seeds prepended',
    head: [
      'scheme, images',
      'seeds',
      'iterations of the images : none',
      'with the seeds',
      'CPU : none, strict',
      'of which the seeds',
      'CPU : default',
    ],
    rows: shardRows,
    note: 'Projection with seeds by k-medoids. none, strict: the same solves without sharing or preconditioner; default: what precomputeScores does unasked. Of which the seeds: what they take by themselves without sharing, over none, strict: the least overhead.',
  },
].filter(({ rows }) => rows.length > 0);
await publish(
  args,
  {
    name: 'seeds',
    command: 'npm run bench:seeds',
    machine: machine(),
    notes: [
      `${PATCHES} patches of ${SIZE} x ${SIZE} in colour out of ${PHOTOGRAPHS.length} photographs, each pixel one of ${SCALES.join(', ')} squared; 20 time steps. Seeds are chosen from all patches, by the coefficients of the systems unless it says pixels, and prepended to images that are not among them.`,
      'Without sharing: projections against strict solves without preconditioner, as they are themselves; multigrid against each image with its own.',
      `Time is CPU time without the initial densities; least of ${ROUNDS} runs for multigrid and what is compared with, one run for projections.`,
    ],
    cases,
  },
  tables,
);
if (points.length > 0) await writeFile(join(args.out, 'seeds.svg'), countPlot(points));

/** Squares anywhere in the photographs, at several scales. */
async function patches(count: number): Promise<NdArray<Float32Array>> {
  const random = randomStream(SEED, 100);
  const data = new Float32Array(count * 3 * N);
  for (let k = 0; k < count; k++) {
    const path = photographPath(PHOTOGRAPHS[Math.floor(random.uniform() * PHOTOGRAPHS.length)]);
    const { width, height } = await sharp(path).metadata();
    const scale = SCALES[Math.floor(random.uniform() * SCALES.length)];
    const side = Math.min(SIZE * scale, width, height);
    const left = Math.floor(random.uniform() * (width - side + 1));
    const top = Math.floor(random.uniform() * (height - side + 1));
    const cut = sharp(path).extract({ left, top, width: side, height: side }).resize(SIZE, SIZE);
    const bytes = await cut.removeAlpha().toColourspace('srgb').raw().toBuffer();
    for (let p = 0; p < 3 * N; p++) data[k * 3 * N + (p % 3) * N + Math.floor(p / 3)] = bytes[p] / 255;
  }
  return { data, shape: [count, 3, SIZE, SIZE] };
}

interface Outcome {
  report: PrecomputeReport;
  cpu: number;
}

/** Runs images of the set, by their indices. */
async function run(
  { scheme, density, options }: Setting,
  images: readonly number[],
  more: PrecomputeOptions,
) {
  const { data, shape } = densities[density];
  const size = data.length / PATCHES;
  const part = new Float64Array(images.length * size);
  for (const [k, image] of images.entries())
    part.set(data.subarray(image * size, (image + 1) * size), k * size);
  const input = { data: part, shape: [images.length, ...shape.slice(1)] };
  const before = process.cpuUsage();
  const all = { scheme, steps: 20, engine, ...options, ...more };
  const { report } = await precomputeScores({ ...all, initialLogDensity: input });
  const { user, system } = process.cpuUsage(before);
  return { report, cpu: (user + system) / 1000 };
}

/** The least time of some runs. */
async function timed(
  setting: Setting,
  images: readonly number[],
  more: PrecomputeOptions,
  rounds = ROUNDS,
): Promise<Outcome> {
  let best = await run(setting, images, more);
  for (let round = 1; round < rounds; round++) {
    const next = await run(setting, images, more);
    if (next.cpu < best.cpu) best = next;
  }
  return best;
}

/** Iterations of the images from the given one on. */
function iterationsOf({ images }: PrecomputeReport, from = 0): number {
  return images.slice(from).reduce((sum, { iterations }) => sum + iterations, 0);
}

function choose(setting: Setting, count: number, how: Partial<ChooseSeedsOptions>): readonly number[] {
  const input =
    how.features === 'pixels' ? { images: pictures } : { initialLogDensity: densities[setting.density] };
  return chooseSeeds({ ...input, scheme: setting.scheme, count, sample: PATCHES, ...how }).seeds;
}

/** Images spread over the set that are no seeds. */
function targetsFor(seeds: readonly number[], count: number): number[] {
  const stride = Math.floor(PATCHES / count);
  const targets: number[] = [];
  for (let k = 0; k < count; k++) {
    let image = k * stride + 1;
    while (seeds.includes(image)) image++;
    targets.push(image);
  }
  return targets;
}

async function measureOperators(setting: Setting): Promise<void> {
  const { name } = setting;
  const none = { sharing: 'none' } as const;
  const ratio = async (seeds: readonly number[], rounds: number) => {
    const targets = targetsFor(seeds, OPERATOR_TARGETS);
    const alone = await run(setting, targets, none);
    const shared = await timed(setting, [...seeds, ...targets], { sharing: 'seed-operator' }, rounds);
    return { share: iterationsOf(shared.report, 1) / iterationsOf(alone.report), cpu: shared.cpu };
  };
  const all = targetsFor([], OPERATOR_TARGETS + 1);
  // What V8 has not compiled yet would be held against the first.
  for (let round = 0; round < ROUNDS; round++) await run(setting, all, none);
  const alone = await timed(setting, all, none);
  const auto = await timed(setting, all, { sharing: 'auto' });
  const row = (chosen: string, share: string, cpu: number) => {
    const cells = [share, digits(cpu), digits(cpu / alone.cpu), digits(cpu / auto.cpu)];
    operatorRows.push([name, chosen, ...cells]);
  };
  const autoShare = iterationsOf(auto.report) / iterationsOf(alone.report);
  row('none: own at each level', '1', alone.cpu);
  row('auto, no seed', autoShare.toFixed(3), auto.cpu);
  cases.push({ key: `operator/${name}/none`, share: 1, cpu: alone.cpu });
  cases.push({ key: `operator/${name}/auto`, share: autoShare, cpu: auto.cpu });
  for (const [chosen, how] of CHOICES) {
    const seeds = choose(setting, 1, how);
    const { share, cpu } = await ratio(seeds, ROUNDS);
    row(chosen, share.toFixed(3), cpu);
    cases.push({ key: `operator/${name}/${chosen}`, seeds, share, cpu });
  }
  const draws = [];
  for (let k = 0; k < OPERATOR_DRAWS; k++) {
    draws.push(await ratio(choose(setting, 1, { method: 'random', features: 'pixels', seed: k }), 1));
  }
  row('random', spread(draws.map(({ share }) => share)), median(draws.map(({ cpu }) => cpu)));
  cases.push({ key: `operator/${name}/random`, draws });
}

async function project(setting: Setting, seeds: readonly number[], targets: readonly number[]) {
  const alone = await run(setting, targets, plain(setting));
  const order = seeds.map((_, k) => k);
  const more = { sharing: 'projection', projection: { seeds: order, dim: DIM } } as const;
  const shared = await run(setting, [...seeds, ...targets], more);
  const without = iterationsOf(alone.report);
  return {
    share: iterationsOf(shared.report, seeds.length) / without,
    withSeeds: iterationsOf(shared.report) / without,
    cpu: shared.cpu,
    alone: alone.cpu,
  };
}

/** The solves that a projection starts, without it. */
function plain({ scheme }: Setting): PrecomputeOptions {
  const fixedPoint = { inner: 'strict' } as const;
  return scheme === 'na2024'
    ? { sharing: 'none', fixedPoint }
    : { sharing: 'none', fixedPoint, preconditioner: 'none' };
}

async function measureProjections(setting: Setting): Promise<void> {
  const { name, scheme } = setting;
  for (const count of COUNTS.filter((count) => count <= MOST_SEEDS[scheme])) {
    process.stderr.write(`${name}, ${count} seeds\n`);
    const cells: string[] = [];
    let time = 0;
    for (const [chosen, how] of CHOICES) {
      const seeds = choose(setting, count, how);
      const outcome = await project(setting, seeds, targetsFor(seeds, TARGETS));
      if (chosen === 'k-medoids') time = outcome.cpu / outcome.alone;
      cells.push(outcome.share.toFixed(3));
      points.push({ scheme: name, method: chosen, count, share: outcome.share });
      cases.push({ key: `projection/${name}/${count}/${chosen}`, seeds, ...outcome });
    }
    const draws: number[] = [];
    for (let k = 0; k < DRAWS; k++) {
      const seeds = choose(setting, count, { method: 'random', features: 'pixels', seed: k });
      draws.push((await project(setting, seeds, targetsFor(seeds, TARGETS))).share);
      points.push({ scheme: name, method: 'random', count, share: draws[k] });
    }
    cases.push({ key: `projection/${name}/${count}/random`, draws });
    projectionRows.push([name, String(count), ...cells, spread(draws), digits(time)]);
  }
}

async function measureShards(setting: Setting): Promise<void> {
  const { name } = setting;
  for (const images of [16, 64]) {
    for (const count of [1, 4]) {
      process.stderr.write(`${name}, shard of ${images}, ${count} seeds\n`);
      const seeds = choose(setting, count, {});
      const targets = targetsFor(seeds, images);
      const strict = await timed(setting, targets, plain(setting));
      const usual = await timed(setting, targets, {});
      const own = await timed(setting, seeds, plain(setting));
      const { share, withSeeds, cpu } = await project(setting, seeds, targets);
      cases.push({
        key: `shards/${name}/${images}/${count}`,
        share,
        withSeeds,
        cpu,
        strict: strict.cpu,
        usual: usual.cpu,
        own: own.cpu,
      });
      shardRows.push([
        `${name}, ${images}`,
        String(count),
        share.toFixed(3),
        withSeeds.toFixed(3),
        digits(cpu / strict.cpu),
        digits(own.cpu / strict.cpu),
        digits(cpu / usual.cpu),
      ]);
    }
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

function spread(values: readonly number[]): string {
  return `${median(values).toFixed(3)} (${Math.min(...values).toFixed(3)} to ${Math.max(...values).toFixed(3)})`;
}
