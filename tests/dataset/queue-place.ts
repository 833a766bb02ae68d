import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import {
  connectQueue,
  QueueDispatcher,
  type ServeOptions,
  serveQueue,
} from '../../src/dataset/queue/index.ts';
import type { DispatchHooks, ShardEnd } from '../../src/dataset/types.ts';
import { type FakeSettings, fakeRunner, finished } from './fake-runner.ts';
import { FAST } from './queue-timing.ts';
import type { WorkerSettings } from './queue-worker.ts';
import type { RedisServer } from './redis.ts';

export const PLAN = 'p'.repeat(64);

/** The script of a worker, which a process of its own can run. */
function buildWorker(): string {
  // Inside the repository, whose packages it uses.
  const outfile = resolve('build/tests/queue-worker.mjs');
  buildSync({
    entryPoints: ['tests/dataset/queue-worker.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outfile,
    logLevel: 'warning',
  });
  return outfile;
}

export interface WorkerProcess {
  child: ChildProcess;
  /** Connected, and taking shards. */
  ready: Promise<void>;
  ended: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>;
}

/** What a test has open: a folder for the store, workers, dispatchers. All of it goes with `clear`. */
export class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'seedspan-queue-'));
  readonly #redis: RedisServer;
  readonly #clearing: (() => Promise<void> | void)[] = [];

  constructor(redis: RedisServer) {
    this.#redis = redis;
  }

  async clear(): Promise<void> {
    for (const clear of this.#clearing.reverse()) await clear();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A worker in this process; `stop` is its SIGTERM. */
  worker(fake: Partial<FakeSettings> = {}, options: Partial<ServeOptions> = {}) {
    const controller = new AbortController();
    const serve = async () => {
      const queue = await connectQueue({ url: this.#redis.url }, { signal: controller.signal });
      try {
        const runner = fakeRunner({ folder: this.folder, ...fake });
        return await serveQueue({ queue, runner, signal: controller.signal, timing: FAST, ...options });
      } finally {
        queue.close();
      }
    };
    const served = serve();
    const stop = () => controller.abort(new Error('stop'));
    this.#clearing.push(async () => {
      stop();
      await served.catch(() => undefined);
    });
    return { served, stop };
  }

  /** A worker in a process of its own. */
  workerProcess(fake: Partial<WorkerSettings> = {}): WorkerProcess {
    const settings: WorkerSettings = { folder: this.folder, url: this.#redis.url, ...fake };
    const child = spawn(process.execPath, [buildWorker(), JSON.stringify(settings)]);
    let stdout = '';
    let stderr = '';
    const ready = new Promise<void>((done) => {
      child.stdout.on('data', (data) => {
        stdout += data;
        if (stdout.includes('ready')) done();
      });
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    const ended = new Promise<Awaited<WorkerProcess['ended']>>((done) => {
      child.on('close', (code, signal) => done({ code, signal, stdout, stderr }));
    });
    this.#clearing.push(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    return { child, ready, ended };
  }

  async dispatcher(options: { attempts?: number; plan?: string } = {}): Promise<QueueDispatcher> {
    const connection = await connectQueue({ url: this.#redis.url });
    const dispatcher = new QueueDispatcher(connection, {
      store: this.folder,
      plan: PLAN,
      finished: (shard) => finished(this.folder, shard),
      backoff: 0.1,
      timing: FAST,
      ...options,
    });
    this.#clearing.push(() => dispatcher.close());
    return dispatcher;
  }

  /** Dispatches shards 0, 1, ... and gathers how they ended, in the order of their numbers. */
  async dispatch(
    count: number,
    { attempts, plan, ...hooks }: DispatchHooks & { attempts?: number; plan?: string } = {},
  ): Promise<ShardEnd[]> {
    const options = {
      ...(attempts === undefined ? {} : { attempts }),
      ...(plan === undefined ? {} : { plan }),
    };
    const dispatcher = await this.dispatcher(options);
    const ends: ShardEnd[] = [];
    for await (const end of dispatcher.dispatch(range(count), hooks)) ends.push(end);
    return ends.sort((a, b) => a.shard - b.shard);
  }
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, k) => k);
}

export function wait(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}

/** Waits until something holds; the test's own time limit ends it. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await wait(10);
}
