// What worker threads are worth: the same work in none, one, two and all that fit the processor, from kept pools.
import { availableParallelism, loadavg } from 'node:os';
import { precomputeScores, randomStream, varianceExploding } from '../src/diffusion/index.ts';
import { createWorkerPool, poisson2d, type WorkerPool } from '../src/index.ts';
import { readPictures } from '../src/node/pictures.ts';
import { createEngine } from '../src/solver/create-engine.ts';
import { PHOTOGRAPHS, photographPath } from './photographs.ts';
import { type Case, digits, machine, publish, readArguments, SEED, wanted } from './results.ts';

const SIZE = 32;

const args = readArguments();
const ROUNDS = args.quick ? 3 : 7;
const IMAGES = args.quick ? 100 : 400;
const SYSTEMS = args.quick ? 400 : 2000;
const counts = [...new Set([1, 2, availableParallelism()])];

interface Work {
  key: string;
  unit: string;
  units: number;
  run: (pool: WorkerPool | undefined) => Promise<void>;
}

const engine = await createEngine();
const pools = new Map<number, WorkerPool>();
let starting = Infinity;
const cases: Case[] = [];
const rows: string[][] = [];
try {
  for (const workers of counts) {
    for (let round = 0; round < ROUNDS; round++) {
      const began = performance.now();
      const pool = await createWorkerPool({ workers });
      if (workers === 2 || counts.length === 1) starting = Math.min(starting, performance.now() - began);
      await pools.get(workers)?.terminate();
      pools.set(workers, pool);
    }
  }
  for (const work of [await scoresOf('na2024'), await scoresOf('consistent'), batch()]) {
    if (wanted(work.key, args.only)) await measure(work);
  }
} finally {
  for (const pool of pools.values()) await pool.terminate();
  engine.dispose();
}

await publish(
  args,
  {
    name: 'workers',
    command: 'npm run bench:workers',
    machine: machine(),
    notes: [
      `Least times of ${ROUNDS} rounds, all ways in turn; load average at the end: ${digits(loadavg()[0])}.`,
      'Efficiency: the speed over that without workers, over the number of workers (or of cores, where there are fewer).',
      'CPU: time of all threads over that without workers. What it is over 1 is copying and messages; where other programs share the processor, its inverse bounds what a quiet one would show.',
      `Starting two workers takes ${digits(starting)} ms, which is not in the times.`,
    ],
    cases,
  },
  [
    {
      title: 'Work in worker threads',
      head: ['what', 'workers', 'ms', 'a second', 'speed', 'efficiency', 'CPU'],
      rows,
    },
  ],
);

async function measure({ key, unit, units, run }: Work): Promise<void> {
  process.stderr.write(`${key}\n`);
  const ways = [undefined, ...pools.values()];
  const best = ways.map(() => ({ wall: Infinity, cpu: Infinity }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [k, pool] of ways.entries()) {
      const before = process.cpuUsage();
      const began = performance.now();
      await run(pool);
      const wall = performance.now() - began;
      const { user, system } = process.cpuUsage(before);
      best[k] = { wall: Math.min(best[k].wall, wall), cpu: Math.min(best[k].cpu, (user + system) / 1000) };
    }
  }
  const [alone] = best;
  for (const [k, pool] of ways.entries()) {
    const { wall, cpu } = best[k];
    const workers = pool?.size ?? 0;
    const speed = alone.wall / wall;
    const efficiency = workers === 0 ? undefined : speed / Math.min(workers, availableParallelism());
    const ratio = cpu / alone.cpu;
    cases.push({
      key: `${key}-${workers}`,
      workers,
      wall,
      cpu,
      each: wall / units,
      speed,
      efficiency,
      cpuRatio: ratio,
    });
    rows.push([
      key,
      String(workers),
      digits(wall),
      `${digits((1000 * units) / wall)} ${unit}`,
      digits(speed),
      digits(efficiency),
      digits(ratio),
    ]);
  }
}

/** Photographs in colour, each time shifted a little. */
async function scoresOf(scheme: 'na2024' | 'consistent'): Promise<Work> {
  const images = scheme === 'na2024' ? IMAGES : IMAGES / 4;
  const photographs = await readPictures(PHOTOGRAPHS.map(photographPath), { size: SIZE });
  const n = SIZE * SIZE;
  const length = 3 * n;
  const data = new Float32Array(images * length);
  for (let k = 0; k < data.length; k++) {
    const image = Math.floor(k / length);
    const place = k % length;
    const from = (image % PHOTOGRAPHS.length) * length + n * Math.floor(place / n);
    data[k] = photographs.data[from + ((place + 37 * Math.floor(image / PHOTOGRAPHS.length)) % n)];
  }
  const input = { data, shape: [images, 3, SIZE, SIZE] };
  const how =
    scheme === 'na2024'
      ? ({ scheme, sde: varianceExploding(5) } as const)
      : ({ scheme, sharing: 'seed-operator' } as const);
  return {
    key: `${scheme}, ${images} images ${SIZE} x ${SIZE} in colour, 20 levels`,
    unit: 'images',
    units: images,
    run: async (pool) => {
      const { report } = await precomputeScores({ ...how, images: input, steps: 20, workers: pool });
      if (report.status !== 'converged') throw new Error(report.status);
    },
  };
}

function batch(): Work {
  const size = 64;
  const A = poisson2d(size, size);
  const plain = A.data.slice();
  const random = randomStream(SEED, 0);
  const sides = Array.from({ length: 8 }, () =>
    new Float64Array(size * size).map(() => random.uniform() - 0.5),
  );
  function* systems() {
    for (let k = 0; k < SYSTEMS; k++) {
      const strength = 0.02 + (0.1 * (k % 10)) / 10;
      for (let p = 0; p < plain.length; p++) A.data[p] = plain[p] > 0 ? plain[p] + strength : plain[p];
      yield { A, b: sides[k % sides.length] };
    }
  }
  return {
    key: `solveBatch, ${SYSTEMS} systems ${size} x ${size}, ILU(0)`,
    unit: 'systems',
    units: SYSTEMS,
    run: async (pool) => {
      for await (const { status } of engine.solveBatch(systems(), {
        preconditioner: 'ilu0',
        workers: pool,
      })) {
        if (status !== 'converged') throw new Error(status);
      }
    },
  };
}
