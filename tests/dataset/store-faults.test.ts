import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStore, openStore, type Store, type StoreLayout } from '../../src/dataset/store/index.ts';
import { readZarrArray } from '../twins/zarr.ts';
import {
  buildChild,
  expectedArrays,
  imageRecord,
  imageValues,
  report,
  run,
  scratchFolder,
  small,
  writeShard,
} from './made-up-store.ts';

const folder = scratchFolder();
let child: string;
beforeAll(async () => {
  child = await buildChild('faults');
});

let made = 0;
const makeStore = (layout: Partial<StoreLayout> = {}) =>
  createStore(join(folder, `${made++}.zarr`), { ...small, ...layout });

const inside = (store: Store, name: string) => readdirSync(join(store.path, '.seedspan', name));

/** Without the store's own help: which shards have a record. */
const recorded = (store: Store) => inside(store, 'records').map((name) => Number.parseInt(name, 10));

/** All arrays of a store, bit for bit, in images whose shard has a record. */
function expectWhole(store: Store, shards: readonly number[]): void {
  const { shardImages } = store.layout;
  const expected = expectedArrays(store.layout, () => true);
  for (const array of ['scores', 'log_density', 'initial'] as const) {
    const values = readZarrArray(join(store.path, array)).values as number[];
    const length = (values.length / store.layout.images) * shardImages;
    for (const shard of shards)
      expect(values.slice(shard * length, (shard + 1) * length)).toEqual([
        ...expected[array].subarray(shard * length, (shard + 1) * length),
      ]);
  }
}

const ended = (process: ChildProcess) => new Promise((resolve) => process.once('exit', resolve));

describe('SIGKILL', () => {
  it('at every step of writing a shard leaves no record, or a whole shard; and it is done again', async () => {
    let step = 0;
    let finished = false;
    const seen = new Set<string>();
    const next = async () => {
      while (!finished) {
        const at = ++step;
        const store = await makeStore();
        const end = await run('node', [child, 'write', store.path, String(at)]).then(
          ({ stdout }) => stdout.trim(),
          (error: { signal: string }) => error.signal,
        );
        if (end === 'done') finished = true;
        else expect(end).toBe('SIGKILL');
        expectWhole(store, recorded(store));
        const [record, commit] = [recorded(store).length > 0, inside(store, 'commits').length > 0];
        // What was begun is ended by whoever looks next.
        const done = await store.isDone(0);
        if (record) expect(done).toBe(true);
        seen.add(`${record ? 'recorded' : commit ? 'renamed' : 'unseen'}, ${done ? 'done' : 'not done'}`);
        if (done) expectWhole(store, [0]);
        expect((await writeShard(store, 0)).outcome).toBe(done ? 'already' : 'done');
        expectWhole(store, [0]);
        await store.clearTemporary();
        expect(inside(store, 'temporary')).toEqual([]);
        expect(inside(store, 'commits')).toEqual([]);
      }
    };
    await Promise.all([next(), next()]);
    expect(step).toBeGreaterThan(35);
    expect([...seen].sort()).toEqual(['recorded, done', 'renamed, done', 'unseen, not done']);
  }, 120_000);

  it('at any moment leaves nothing but whole shards', async () => {
    const store = await makeStore({ images: 400, compression: 'lz4' });
    for (const delay of [0, 3, 8, 15, 27]) {
      const writer = spawn('node', [child, 'write-all', store.path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise((resolve) => writer.stdout.once('data', resolve));
      await sleep(delay);
      const end = ended(writer);
      writer.kill('SIGKILL');
      await end;
      expectWhole(store, recorded(store));
    }
    const before = await store.doneShards();
    expect(before.length).toBeGreaterThan(0);
    const { stdout } = await run('node', [child, 'write-all', store.path]);
    expect(stdout.match(/done/g)).toHaveLength(store.shards - before.length);
    expectWhole(store, await store.doneShards());
    expect(await store.doneShards()).toHaveLength(200);
    await store.clearTemporary();
    expect(inside(store, 'temporary')).toEqual([]);
  }, 60_000);
});

describe('several writers of one shard', () => {
  it('one has done it, and record and arrays are of that one', async () => {
    const store = await makeStore();
    for (const shard of [0, 1, 2]) {
      const writers = await Promise.all(
        Array.from({ length: 8 }, async (_, k) => {
          const writer = store.writeShard(shard);
          const images = Array.from({ length: writer.images }, (_, p) => 2 * shard + p);
          // Each of them has set aside another image, or computed other values.
          for (const [position, image] of images.entries()) {
            if (k % 2 === position) writer.skip(position);
            else await writer.add(position, imageValues(store.layout, image + 10 * k));
          }
          const records = images.map((image, p) => imageRecord(image, k % 2 === p ? 'failed' : 'converged'));
          return () => writer.finish(report(records, `writer ${k}`));
        }),
      );
      const ends = await Promise.all([...writers.map((finish) => finish()), store.isDone(shard)]);
      const commits = ends.filter((end) => typeof end === 'object');
      expect(commits.filter(({ outcome }) => outcome === 'done')).toHaveLength(1);
      const winner = commits.findIndex(({ outcome }) => outcome === 'done');
      for (const { record } of commits) expect(record.worker).toBe(`writer ${winner}`);
      for (const [array, name] of [
        ['scores', 'scores'],
        ['log_density', 'logDensity'],
        ['initial', 'initial'],
      ] as const) {
        const values = readZarrArray(join(store.path, array)).values as number[];
        const length = values.length / store.layout.images;
        for (let image = 2 * shard; image < Math.min(5, 2 * shard + 2); image++) {
          const found = values.slice(image * length, (image + 1) * length);
          const expected = imageValues(store.layout, image + 10 * winner)[name];
          if (winner % 2 === image % 2) expect(found.every(Number.isNaN)).toBe(true);
          else expect(found).toEqual([...Float32Array.from(expected)]);
        }
      }
    }
    expect(inside(store, 'temporary')).toEqual([]);
    expect(inside(store, 'commits')).toEqual([]);
  });

  it('in processes of their own, all shards at once', async () => {
    const store = await makeStore({ images: 60 });
    const ends = await Promise.all([1, 2, 3].map(() => run('node', [child, 'write-all', store.path])));
    const outcomes = ends.flatMap(({ stdout }) => stdout.trim().split('\n'));
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(30);
    expectWhole(store, await store.doneShards());
    expect(inside(store, 'temporary')).toEqual([]);
  });
});

describe('a disk that is full', () => {
  /** Writes until it fails; then nothing of the shard is there, and what was done is whole. */
  async function fill(store: Store): Promise<number> {
    for (let shard = 0; shard < store.shards; shard++) {
      try {
        await writeShard(store, shard);
      } catch (error) {
        expect(error).toMatchObject({ code: 'IO', details: { system: 'ENOSPC' } });
        expect((error as Error).message).toContain('no space is left');
        return shard;
      }
    }
    return store.shards;
  }

  const mounted: string[] = [];
  afterAll(() => {
    for (const path of mounted) execFileSync('umount', [path]);
  });

  const isRoot = process.getuid?.() === 0;

  it.runIf(isRoot)('a file system of 400 kB', async () => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', disk]);
    mounted.push(disk);
    const layout = { ...small, images: 100, shardImages: 10, height: 8, width: 8 };
    const store = await createStore(join(disk, 'full.zarr'), layout);
    const shard = await fill(store);
    expect(shard).toBeGreaterThan(1);
    expect(shard).toBeLessThan(9);
    const done = Array.from({ length: shard }, (_, k) => k);
    expect(await store.doneShards()).toEqual(done);
    expectWhole(store, done);
    expect(inside(store, 'temporary')).toEqual([]);
    expect(existsSync(join(store.path, `scores/c.${shard}.0.0.0.0.0`))).toBe(false);
    // With room it goes on.
    execFileSync('mount', ['-o', 'remount,size=4m', disk]);
    expect(await fill(store)).toBe(store.shards);
    expectWhole(await openStore(store.path), [0, 3, 9]);
  });

  it('a limit on the size of files', async () => {
    const store = await makeStore({ images: 4, height: 40, width: 40 });
    const limited = run('sh', ['-c', `ulimit -f 100; exec node ${child} write-all ${store.path}`]);
    await expect(limited).rejects.toThrow(/cannot write shard 0 .*(EFBIG|too large)/);
    expect(inside(store, 'temporary')).toEqual([]);
    expect(await store.doneShards()).toEqual([]);
    expect((await writeShard(store, 0)).outcome).toBe('done');
    expectWhole(store, [0]);
  });
});

it('what dead writers left goes, and what living ones write stays', async () => {
  const store = await makeStore();
  await expect(run('node', [child, 'write', store.path, '15'])).rejects.toMatchObject({ signal: 'SIGKILL' });
  const temporary = join(store.path, '.seedspan/temporary');
  mkdirSync(join(temporary, 'elsewhere-1-77-0123456789abcdef'));
  const writer = store.writeShard(1);
  await writer.add(0, imageValues(small, 2));
  expect(inside(store, 'temporary')).toHaveLength(3);
  await store.clearTemporary();
  expect(inside(store, 'temporary')).toHaveLength(2);
  await writer.discard();
  await store.clearTemporary({ everyone: true });
  expect(inside(store, 'temporary')).toEqual([]);
});

it('a file that the disk lost makes a shard one that is not done', async () => {
  const store = await makeStore();
  const token = '0123456789abcdef';
  const commit = join(store.path, '.seedspan/commits/00000000');
  mkdirSync(commit);
  execFileSync('touch', [join(commit, `${token}.json`), join(commit, `${token}.initial`)]);
  expect(await store.doneShards()).toEqual([]);
  expect(existsSync(commit)).toBe(false);
  expect((await writeShard(store, 0)).outcome).toBe('done');
  expect(readFileSync(join(store.path, '.seedspan/records/00000000.json'), 'utf8')).toContain('made-up');
});
