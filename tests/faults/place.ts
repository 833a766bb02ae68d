import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, type TestContext, test } from 'vitest';
import { RedisServer, type RedisSettings } from '../dataset/redis.ts';
import { type Pictures, writePictures } from './pictures.ts';
import { type Ended, Running, seedspan } from './processes.ts';
import { CommitWatch, compareStores, expectNoLeftovers } from './stores.ts';
import { type FaultRow, keepRow, writeTable } from './table.ts';

/** What is computed of a data set, as words of a command line. */
export interface Work {
  pictures: Pictures;
  options: readonly string[];
}

/** Many shards, each soon done. */
export const QUICK: Work = {
  pictures: { files: 120, packed: 80, channels: 3, side: 16 },
  options: ['--size', '16', '--scheme', 'na2024', '--steps', '20', '--shard-images', '10'],
};

/** Few shards, each at work for about a second before its first image is written; with a seed to be chosen. */
export const SLOW: Work = {
  pictures: { files: 48, packed: 0, channels: 1, side: 32 },
  options: ['--size', '32', '--channels', '1', '--steps', '40', '--shard-images', '4'],
};

/** A data set, and the store that an undisturbed run makes of it. */
export interface Reference {
  inputs: string;
  store: string;
  options: readonly string[];
}

/** Makes data set and reference in a folder that goes when the tests of a file have ended. */
export async function makeReference(work: Work): Promise<Reference> {
  const folder = mkdtempSync(join(tmpdir(), 'seedspan-faults-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const inputs = join(folder, 'pictures');
  await writePictures(inputs, work.pictures);
  const reference = { inputs, store: join(folder, 'reference.zarr'), options: work.options };
  const done = await seedspan(precompute(reference, reference.store, ['--workers', '2'])).end();
  expect(done).toMatchObject({ code: 0, stderr: '' });
  return reference;
}

/** The command line of a driver. */
function precompute(
  { inputs, options }: Omit<Reference, 'store'>,
  store: string,
  more: readonly string[],
): string[] {
  return ['precompute', inputs, ...options, '--out', store, '--json', ...more];
}

/** Where one test does what it does. All of it goes when the test ends: processes, servers, mounts, files. */
export class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'seedspan-fault-'));
  readonly row: FaultRow;
  readonly #clearing: (() => Promise<void> | void)[] = [];
  #redis: RedisServer | undefined;
  #stores = 0;

  constructor(row: Pick<FaultRow, 'fault' | 'mode'>) {
    this.row = { ...row, tried: 0, survived: 0, lost: 0, twice: 0 };
  }

  onEnd(clear: () => Promise<void> | void): void {
    this.#clearing.push(clear);
  }

  async clear(): Promise<void> {
    for (const clear of this.#clearing.reverse()) await clear();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A path for a store. */
  newStore(folder = this.folder): string {
    return join(folder, `${this.#stores++}.zarr`);
  }

  #start(running: Running): Running {
    running.ended.catch(() => undefined);
    this.onEnd(async () => {
      if (!running.isOver) await running.kill();
    });
    return running;
  }

  /** A driver with threads of its own. */
  local(work: Omit<Reference, 'store'>, store: string, more: readonly string[] = [], env = {}): Running {
    const threads = more.includes('--workers') ? [] : ['--workers', '1'];
    return this.#start(seedspan(precompute(work, store, [...threads, ...more]), env));
  }

  async redis(settings: RedisSettings = {}): Promise<RedisServer> {
    const redis = await RedisServer.start(settings);
    this.#redis = redis;
    this.onEnd(() => redis.stop());
    return redis;
  }

  get #url(): string {
    return (this.#redis as RedisServer).url;
  }

  /** A driver that hands its shards to the queue. */
  driver(work: Omit<Reference, 'store'>, store: string, env = {}): Running {
    return this.#start(seedspan(precompute(work, store, ['--queue', this.#url]), env));
  }

  /** A worker of the queue, with one thread. */
  worker(env = {}, more: readonly string[] = [], within: readonly string[] = []): Running {
    const args = ['worker', '--queue', this.#url, '--workers', '1', ...more];
    if (within.length === 0) return this.#start(seedspan(args, env));
    return this.#start(new Running([...within, process.execPath, 'build/package/cli/main.js', ...args], env));
  }

  /** A disk of this size, in MB, and a way to make it larger. */
  disk(megabytes: number): { folder: string; resize: (megabytes: number) => void } {
    const folder = mkdtempSync(join(this.folder, 'disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
    this.onEnd(() => {
      execFileSync('umount', [folder]);
    });
    return { folder, resize: (to) => execFileSync('mount', ['-o', `remount,size=${to}m`, folder]) };
  }

  /** Has the fault happen so many times in a run; they count as survived when nothing is thrown. */
  async trial(run: () => Promise<void>, times = 1): Promise<void> {
    this.row.tried += times;
    await run();
    this.row.survived += times;
  }

  watch(store: string): CommitWatch {
    const watch = new CommitWatch(store);
    this.onEnd(() => watch.stop());
    return watch;
  }

  /** The store is whole, as the reference is; nothing was done twice, and nothing else is left. */
  expectSurvived(
    store: string,
    reference: Reference,
    watch: CommitWatch,
    { workers = [], damaged = [] }: { workers?: readonly Running[]; damaged?: readonly number[] } = {},
  ): void {
    const { images, files } = compareStores(store, reference.store);
    const twice = watch.doneTwice(damaged) + reportedTwice(workers);
    this.row.lost += images;
    this.row.twice += twice;
    expect({ images, files, twice }).toEqual({ images: 0, files: [], twice: 0 });
    expectNoLeftovers(store);
  }
}

/** Shards that workers tell of more than once. */
export function reportedTwice(workers: readonly Running[]): number {
  const told = workers.flatMap(({ stderr }) =>
    [...stderr.matchAll(/^shard (\d+): \d+ image/gm)].map(([, k]) => k),
  );
  return told.length - new Set(told).size;
}

/** A test of one fault that runs beside others, and leaves a row for the table. */
export function faultTest(
  fault: string,
  mode: FaultRow['mode'],
  run: (place: Place, context: TestContext) => Promise<void>,
  timeout = 150_000,
): void {
  test.concurrent(
    `${fault} (${mode})`,
    async (context) => {
      const place = new Place({ fault, mode });
      try {
        await run(place, context);
      } finally {
        keepRow(place.row);
        await place.clear();
      }
    },
    timeout,
  );
}

/** After the tests of a file: the table, with what other files have added. */
export function tableAtEnd(): void {
  afterAll(() => writeTable());
}

/** A driver ended well. */
export function expectDone({ code, stdout, stderr }: Ended): {
  computed: number;
  images: number;
  failed: number;
} {
  expect(code, `${stdout}${stderr}`).toBe(0);
  const report = JSON.parse(stdout) as {
    complete: boolean;
    computed: number;
    images: number;
    failed: number;
  };
  expect(report.complete).toBe(true);
  return report;
}

const FAKETIME = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
].find((path) => existsSync(path));

/** The library that gives a process a clock of its own; undefined where it is not installed. */
export const hasFakeClock = FAKETIME !== undefined;

/** A wall clock that can be set, for processes with this environment. */
export function fakeClock(folder: string): { env: Record<string, string>; set: (offset: string) => void } {
  const file = join(folder, `clock-${Math.random().toString(36).slice(2)}`);
  const set = (offset: string) => writeFileSync(file, `${offset}\n`);
  set('+0');
  const env = {
    LD_PRELOAD: FAKETIME as string,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
  return { env, set };
}

const mayMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

/** A fault test that mounts a file system; where that is not permitted it is skipped, and says so. */
export const mountTest: typeof faultTest = mayMount
  ? faultTest
  : (fault, mode) =>
      test.skip(`${fault} (${mode}) (skipped: this user may not mount file systems)`, () => undefined);
