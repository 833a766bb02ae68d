// A thousand workers on one queue: how many shards a second Redis hands out, what that costs it, and how busy the
// workers are. Real Redis, driver and workers; only the computing is a pause. Linux; needs redis-server.
import { type ChildProcess, spawn } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectQueue, QueueDispatcher, serveQueue } from '../src/dataset/queue/index.ts';
import type { ShardRunner, ShardSummary } from '../src/dataset/types.ts';
import { randomStream } from '../src/diffusion/random.ts';
import { startRedis } from './dataset/processes.ts';
import { type Case, digits, machine, publish, readArguments, SEED, type Table } from './results.ts';

const PLAN = 'simulated'.padEnd(64, '0');

/** What a process of workers is told. */
interface Fleet {
  url: string;
  folder: string;
  workers: number;
  seconds: number;
  first: number;
}

if (process.argv[2] === '--fleet') await fleet(JSON.parse(process.argv[3]) as Fleet);
else await bench();

/** Workers of one thread each, every one with connections of its own. */
async function fleet({ url, folder, workers, seconds, first }: Fleet): Promise<void> {
  const stop = new AbortController();
  // All workers of the process listen to it.
  setMaxListeners(0, stop.signal);
  process.on('SIGTERM', () => stop.abort());
  await Promise.all(
    Array.from({ length: workers }, async (_, k) => {
      const random = randomStream(SEED, first + k);
      const queue = await connectQueue({ url }, { signal: stop.signal });
      const runner: ShardRunner = {
        threads: 1,
        size: 1,
        run: async ({ shard }) => {
          const done = join(folder, String(shard));
          if (existsSync(done)) return { ...summary(shard), already: true };
          // Shards differ by as much as 30 % either way.
          await new Promise((resolve) =>
            setTimeout(resolve, 1000 * seconds * (0.7 + 0.6 * random.uniform())),
          );
          if (existsSync(done)) return { ...summary(shard), already: true };
          writeFileSync(done, '');
          return summary(shard);
        },
        close: async () => {},
      };
      await serveQueue({ queue, runner, signal: stop.signal, grace: 0 });
      queue.close();
    }),
  );
}

function summary(shard: number): ShardSummary {
  return { shard, images: 1, failed: 0, unconverged: 0, iterations: 0, bytes: 0 };
}

async function bench(): Promise<void> {
  const args = readArguments();
  const cases: Case[] = [];
  const rows: string[][] = [];
  const ways = args.quick
    ? [{ workers: 50, seconds: 1, rounds: 4, killed: 0 }]
    : [
        { workers: 100, seconds: 10, rounds: 4, killed: 0 },
        { workers: 1000, seconds: 10, rounds: 4, killed: 0 },
        { workers: 1000, seconds: 10, rounds: 4, killed: 100 },
        { workers: 1000, seconds: 2.5, rounds: 12, killed: 0 },
      ];
  for (const way of ways) {
    const result = await simulate(way);
    cases.push({ key: `${way.workers}-${way.seconds}-${way.killed}`, ...way, ...result });
    rows.push([
      `${way.workers}${way.killed > 0 ? `, ${way.killed} killed` : ''}`,
      digits(way.seconds),
      String(result.shards),
      digits(result.elapsed),
      digits(result.ideal / result.elapsed),
      digits(result.shards / result.elapsed),
      digits((1000 * result.redis) / result.shards),
      digits((1000 * result.driver) / result.shards),
    ]);
  }
  const table: Table = {
    title: 'Shards through one queue',
    head: [
      'workers',
      's a shard',
      'shards',
      's in all',
      'busy',
      'shards a second',
      'Redis: CPU ms a shard',
      'driver: CPU ms a shard',
    ],
    rows,
    note: 'Busy: seconds of pausing over workers times seconds in all, from the first shard handed out to the last one done. The last round, in which more and more workers have nothing left to do, is in it.',
  };
  await publish(
    args,
    {
      name: 'queue',
      command: 'npm run bench:queue',
      machine: machine(),
      notes: [
        `Redis, the driver and all workers on this machine's ${cpus().length} processor cores: a shard's computing is a pause, of a length that varies by 30 % either way.`,
        'Killed: a process with so many workers ends by SIGKILL after a third of the time; its shards are taken over when their locks have run out.',
      ],
      cases,
    },
    [table],
  );
}

interface Way {
  workers: number;
  seconds: number;
  /** Shards for each worker. */
  rounds: number;
  killed: number;
}

async function simulate({ workers, seconds, rounds, killed }: Way) {
  const shards = workers * rounds;
  const folder = mkdtempSync('/dev/shm/seedspan-queue-');
  const redis = await startRedis();
  const fleets: ChildProcess[] = [];
  const ended: Promise<unknown>[] = [];
  const size = 100;
  try {
    for (let first = 0; first < workers; first += size) {
      const told: Fleet = {
        url: redis.url,
        folder,
        workers: Math.min(size, workers - first),
        seconds,
        first,
      };
      const child = spawn(
        process.execPath,
        [fileURLToPath(import.meta.url), '--fleet', JSON.stringify(told)],
        {
          stdio: ['ignore', 'ignore', 'inherit'],
        },
      );
      fleets.push(child);
      ended.push(new Promise((resolve) => child.on('close', resolve)));
    }
    const connection = await connectQueue({ url: redis.url });
    const info = async () =>
      Number(/connected_clients:(\d+)/.exec(await connection.client.info('clients'))?.[1]);
    // Every worker has at least two connections: when all are there the clock starts.
    while ((await info()) < 2 * workers) await new Promise((resolve) => setTimeout(resolve, 200));
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const finished = async (shard: number) =>
      existsSync(join(folder, String(shard))) ? summary(shard) : undefined;
    const dispatcher = new QueueDispatcher(connection, { store: folder, plan: PLAN, finished });
    const before = { redis: redis.cpu(), driver: process.cpuUsage() };
    const began = performance.now();
    const [victim] = fleets;
    const timer = setTimeout(() => killed > 0 && victim.kill('SIGKILL'), (1000 * seconds * rounds) / 3);
    let done = 0;
    const all = Array.from({ length: shards }, (_, shard) => shard);
    for await (const end of dispatcher.dispatch(all)) {
      if (!('summary' in end)) throw new Error(`shard ${end.shard}: ${end.error.message}`);
      done++;
    }
    const elapsed = (performance.now() - began) / 1000;
    clearTimeout(timer);
    const { user, system } = process.cpuUsage(before.driver);
    const taken = { redis: redis.cpu() - before.redis, driver: (user + system) / 1e6 };
    await dispatcher.close();
    if (done !== shards) throw new Error(`${done} of ${shards} shards`);
    return { shards, elapsed, ideal: seconds * rounds, ...taken };
  } finally {
    for (const child of fleets) child.kill('SIGTERM');
    await Promise.all(ended);
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
