// A data set pre-computed into a store: images a second by threads and by a queue's workers, what an image costs as
// there are more of them, and memory. Real processes, the command as it is published. Linux; needs redis-server.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatasetReport } from '../src/dataset/index.ts';
import { writeSyntheticImages } from './dataset/images.ts';
import { memoryPlot } from './dataset/plot.ts';
import { runCommand, startCommand, startRedis, type Taken } from './dataset/processes.ts';
import { type Case, digits, machine, publish, readArguments, type Table, wanted } from './results.ts';

const EQUATION = ['--scheme', 'na2024', '--sde', 've:5', '--steps', '20'];

const args = readArguments(['shared-memory']);
const IMAGES = args.quick ? 1000 : 10_000;
const ROUNDS = args.quick ? 1 : 3;
const MANY = args.quick ? 5000 : 100_000;

const place = await mkdtemp(join(tmpdir(), 'seedspan-dataset-'));
// Where disks are slow: what the processor alone could do.
const stores = args.flags.has('shared-memory') ? await mkdtemp('/dev/shm/seedspan-dataset-') : place;
const cases: Case[] = [];
const tables: Table[] = [];
try {
  if (wanted('threads', args.only)) tables.push(await threads());
  if (wanted('growth', args.only)) tables.push(await growth());
  if (wanted('queue', args.only)) tables.push(await queue());
  if (wanted('compression', args.only)) tables.push(await compression());
  if (wanted('size', args.only)) tables.push(await sizes());
  if (wanted('memory', args.only)) tables.push(await memory());
} finally {
  await rm(place, { recursive: true, force: true });
  await rm(stores, { recursive: true, force: true });
}
await publish(
  args,
  {
    name: 'dataset',
    command: `npm run bench:dataset${args.flags.has('shared-memory') ? ' -- --shared-memory' : ''}`,
    machine: machine(),
    notes: [
      `Pictures of 32 x 32 in colour, made of waves; ${EQUATION.join(' ')}; unless it is said otherwise. Load average at the end: ${digits(loadavg()[0])}.`,
      `Stores on ${args.flags.has('shared-memory') ? 'a file system in memory' : 'disk, every chunk synchronised'}, float32, LZ4.`,
      'Seconds are those of the whole command but for the start of Node; of several rounds the least.',
    ],
    cases,
  },
  tables,
);

interface Measured {
  report: DatasetReport;
  taken: Taken;
}

/** One run into a fresh store, which is removed. */
async function precompute(input: string, options: readonly string[]): Promise<Measured> {
  const out = join(stores, 'bench.zarr');
  await rm(out, { recursive: true, force: true });
  const taken = await runCommand('precompute', input, '--out', out, '--json', ...EQUATION, ...options);
  await rm(out, { recursive: true, force: true });
  return { report: JSON.parse(taken.stdout) as DatasetReport, taken };
}

/** Pictures are the same for every part, and written once. */
async function inputOf(images: number, size = 32): Promise<string> {
  const path = join(place, `${images}-${size}.npy`);
  if (!existsSync(path)) await writeSyntheticImages(path, images, size);
  return path;
}

function faster(a: Measured | undefined, b: Measured): Measured {
  return a === undefined || b.report.elapsed < a.report.elapsed ? b : a;
}

async function threads(): Promise<Table> {
  const input = await inputOf(IMAGES);
  const ways = [1, 2];
  const best: (Measured | undefined)[] = ways.map(() => undefined);
  let apart = Infinity;
  const half = await inputOf(IMAGES / 2);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [k, count] of ways.entries()) {
      best[k] = faster(best[k], await precompute(input, ['--workers', String(count)]));
    }
    apart = Math.min(apart, await twoApart(half));
  }
  const alone = best[0]!.report.elapsed;
  const rows = ways.map((count, k) => {
    const { report, taken } = best[k]!;
    const speed = alone / report.elapsed;
    cases.push({
      key: `threads-${count}`,
      seconds: report.elapsed,
      rate: IMAGES / report.elapsed,
      efficiency: speed / count,
      cpu: taken.cpu,
      peak: taken.peak,
      bytes: report.bytes,
    });
    return [
      String(count),
      digits(report.elapsed),
      digits(IMAGES / report.elapsed),
      digits(speed),
      digits(speed / count),
      digits((1000 * taken.cpu) / IMAGES),
      digits(taken.peak / 1e6),
    ];
  });
  cases.push({ key: 'apart', seconds: apart, speed: alone / apart, efficiency: alone / apart / 2 });
  rows.push([
    '2 commands with 1 each, half the images',
    digits(apart),
    digits(IMAGES / apart),
    digits(alone / apart),
    digits(alone / apart / 2),
    '-',
    '-',
  ]);
  return {
    title: `${IMAGES} images`,
    head: ['threads', 's', 'images a second', 'speed', 'efficiency', 'CPU ms an image', 'memory MB'],
    rows,
    note: 'Two commands beside each other share nothing but the machine: no two threads of one can do better.',
  };
}

/** Seconds of the slower of two commands beside each other. */
async function twoApart(input: string): Promise<number> {
  const outs = [0, 1].map((k) => join(stores, `apart-${k}.zarr`));
  const reports = await Promise.all(
    outs.map((out) => runCommand('precompute', input, '--out', out, '--json', ...EQUATION, '--workers', '1')),
  );
  for (const out of outs) await rm(out, { recursive: true, force: true });
  return Math.max(...reports.map(({ stdout }) => (JSON.parse(stdout) as DatasetReport).elapsed));
}

async function growth(): Promise<Table> {
  const rows: string[][] = [];
  const counts = [100, 1000, IMAGES].filter((count, k, all) => all.indexOf(count) === k);
  const inputs = await Promise.all(counts.map((count) => inputOf(count)));
  const best: (Measured | undefined)[] = counts.map(() => undefined);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [k, input] of inputs.entries())
      best[k] = faster(best[k], await precompute(input, ['--workers', '1']));
  }
  for (const [k, count] of counts.entries()) {
    const { report, taken } = best[k]!;
    const computing = report.seconds / count;
    const before =
      k === 0 ? { count: 0, elapsed: 0 } : { count: counts[k - 1], elapsed: best[k - 1]!.report.elapsed };
    const further = k === 0 ? undefined : (report.elapsed - before.elapsed) / (count - before.count);
    cases.push({
      key: `growth-${count}`,
      wall: report.elapsed / count,
      further,
      computing,
      cpu: taken.cpu / count,
      peak: taken.peak,
    });
    rows.push([
      String(count),
      digits((1000 * report.elapsed) / count),
      digits(further && 1000 * further),
      digits(1000 * computing),
      digits((1000 * taken.cpu) / count),
      digits(taken.peak / 1e6),
    ]);
  }
  return {
    title: 'What an image costs as there are more of them, one thread',
    head: ['images', 'ms', 'ms for each beyond the row before', 'computing, ms', 'CPU ms', 'memory MB'],
    rows,
    note: 'A short run has the start of the threads, and code that is not compiled yet, on fewer images.',
  };
}

async function queue(): Promise<Table> {
  const input = await inputOf(IMAGES);
  const redis = await startRedis();
  const worker = startCommand('worker', '--queue', redis.url, '--workers', '2');
  const best: { local?: Measured; queue?: Measured } = {};
  const overheads: number[] = [];
  try {
    // The first run has the worker's code compiled, as that of the local one is by its first shards.
    for (let round = 0; round < ROUNDS; round++) {
      const local = await precompute(input, ['--workers', '2']);
      const queued = await precompute(input, ['--queue', redis.url]);
      overheads.push(queued.report.elapsed / local.report.elapsed - 1);
      best.local = faster(best.local, local);
      best.queue = faster(best.queue, queued);
    }
  } finally {
    worker.child.kill('SIGTERM');
    await worker.ended;
    await redis.stop();
  }
  const overhead = best.queue!.report.elapsed / best.local!.report.elapsed - 1;
  cases.push({ key: 'queue', overhead, overheads });
  const row = (name: string, { report }: Measured) => [
    name,
    digits(report.elapsed),
    digits(IMAGES / report.elapsed),
  ];
  return {
    title: `${IMAGES} images by two threads: of one process, and of a queue's worker`,
    head: ['who', 's', 'images a second'],
    rows: [row('threads of the command', best.local!), row('a worker of the queue', best.queue!)],
    note: `The queue costs ${digits(100 * overhead)} % (by round: ${overheads.map((x) => `${(100 * x).toFixed(1)} %`).join(', ')}). Redis, the driver and the worker share the two cores.`,
  };
}

async function compression(): Promise<Table> {
  const images = IMAGES / 5;
  const input = await inputOf(images);
  const rows: string[][] = [];
  for (const dtype of ['float32', 'float64']) {
    for (const name of ['none', 'lz4', 'zstd']) {
      let best: Measured | undefined;
      for (let round = 0; round < ROUNDS; round++) {
        const options = ['--workers', '2', '--dtype', dtype, '--compression', name];
        best = faster(best, await precompute(input, options));
      }
      const { report, taken } = best!;
      cases.push({
        key: `compression-${dtype}-${name}`,
        rate: images / report.elapsed,
        bytes: report.bytes / images,
      });
      rows.push([
        `${dtype}, ${name}`,
        digits(images / report.elapsed),
        digits((1000 * taken.cpu) / images),
        digits(report.bytes / images / 1000),
      ]);
    }
  }
  return {
    title: `Numbers and compression: ${images} images, two threads`,
    head: ['store', 'images a second', 'CPU ms an image', 'kB an image'],
    rows,
  };
}

async function sizes(): Promise<Table> {
  const rows: string[][] = [];
  const ways = [
    { size: 32, images: IMAGES / 5, options: [] },
    { size: 64, images: IMAGES / 10, options: [] },
    { size: 64, images: IMAGES / 50, options: ['--scheme', 'consistent', '--sde', 'constant:0.5'] },
  ];
  for (const { size, images, options } of ways) {
    const { report, taken } = await precompute(await inputOf(images, size), ['--workers', '2', ...options]);
    const scheme = options[1] ?? 'na2024';
    cases.push({
      key: `size-${size}-${scheme}`,
      rate: images / report.elapsed,
      cpu: taken.cpu / images,
      bytes: report.bytes / images,
      shards: report.shards,
    });
    rows.push([
      `${size} x ${size}, ${scheme}`,
      String(images),
      digits(images / report.elapsed),
      digits((1000 * taken.cpu) / images),
      digits(report.bytes / images / 1000),
      digits(taken.peak / 1e6),
    ]);
  }
  return {
    title: 'Other sizes and schemes, two threads',
    head: ['pictures', 'images', 'images a second', 'CPU ms an image', 'kB an image', 'memory MB'],
    rows,
  };
}

/** Many images at few levels, so that it does not take half an hour: memory depends on the number, not on the levels. */
async function memory(): Promise<Table> {
  const curves: { images: number; memory: Taken['memory'] }[] = [];
  const rows: string[][] = [];
  for (const images of [MANY / 100, MANY / 10, MANY]) {
    const { report, taken } = await precompute(await inputOf(images), ['--workers', '2', '--steps', '3']);
    curves.push({ images, memory: taken.memory });
    cases.push({ key: `memory-${images}`, peak: taken.peak, rate: images / report.elapsed });
    rows.push([String(images), digits(taken.peak / 1e6), digits(images / report.elapsed)]);
  }
  await mkdir(args.out, { recursive: true });
  await writeFile(join(args.out, 'dataset-memory.svg'), await memoryPlot(curves));
  return {
    title: 'Memory, two threads, --steps 3',
    head: ['images', 'memory MB at most', 'images a second'],
    rows,
    note: 'As it went: dataset-memory.svg.',
  };
}
