import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { createStore, lockStore, type Store } from '../../src/dataset/store/index.ts';
import { buildChild, scratchFolder, small } from './made-up-store.ts';

const folder = scratchFolder();
let child: string;
beforeAll(async () => {
  child = await buildChild('lock');
});
let made = 0;
const makeStore = () => createStore(join(folder, `${made++}.zarr`), small);

const lockFolder = (store: Store) => join(store.path, '.seedspan/lock');
const holders = (store: Store) => readdirSync(lockFolder(store));
const quick = { patience: 300 };

/** A child that holds the lock until it is killed. */
async function holdElsewhere(store: Store) {
  const process = spawn('node', [child, 'lock', store.path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => process.stdout.once('data', resolve));
  return process;
}

async function killed(process: ReturnType<typeof spawn>): Promise<void> {
  const end = new Promise((resolve) => process.once('exit', resolve));
  process.kill('SIGKILL');
  await end;
}

/** Makes the lock one of another machine. */
function pretendElsewhere(store: Store): string {
  const [name] = holders(store);
  const path = join(lockFolder(store), name);
  writeFileSync(path, readFileSync(path, 'utf8').replace(/"host":"[^"]*"/, '"host":"far-away"'));
  return path;
}

describe('lockStore', () => {
  it('has one holder, until it is given back', async () => {
    const store = await makeStore();
    const lock = await lockStore(store);
    await expect(lockStore(store)).rejects.toMatchObject({ code: 'BUSY', details: { pid: process.pid } });
    await expect(lockStore(store)).rejects.toThrow(`process ${process.pid} on`);
    await lock.release();
    await lock.release();
    const again = await lockStore(store);
    await again.release();
    expect(holders(store)).toEqual([]);
    expect(readdirSync(join(store.path, '.seedspan/temporary'))).toEqual([]);
  });

  it('is refused while another process lives, and had at once when it is dead', async () => {
    const store = await makeStore();
    const holder = await holdElsewhere(store);
    await expect(lockStore(store)).rejects.toMatchObject({ code: 'BUSY', details: { pid: holder.pid } });
    await killed(holder);
    const from = performance.now();
    const lock = await lockStore(store); // with its patience of 30 s
    expect(performance.now() - from).toBeLessThan(10_000);
    await lock.release();
  });

  it('goes to one of several who take over from the dead', async () => {
    for (let round = 0; round < 5; round++) {
      const store = await makeStore();
      await killed(await holdElsewhere(store));
      const ends = await Promise.allSettled(Array.from({ length: 6 }, () => lockStore(store)));
      const locks = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
      expect(locks).toHaveLength(1);
      for (const end of ends)
        if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'BUSY' });
      expect(holders(store)).toHaveLength(1);
      await locks[0].release();
    }
  });

  it('knows that a number of a process was given to another', async () => {
    const store = await makeStore();
    await lockStore(store);
    const [name] = holders(store);
    const path = join(lockFolder(store), name);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/"start":"[^"]*"/, '"start":"1"'));
    await (await lockStore(store)).release();
  });

  it('of another machine is refused while its counter moves', async () => {
    const store = await makeStore();
    const holder = await holdElsewhere(store);
    pretendElsewhere(store);
    await expect(lockStore(store, quick)).rejects.toThrow(/on far-away/);
    await killed(holder);
  });

  it('of another machine is taken over when its counter stands still, and the other one is told', async () => {
    const store = await makeStore();
    const first = await lockStore(store, { beat: 1000 });
    const path = pretendElsewhere(store);
    const counter = readFileSync(path, 'utf8').slice(0, 12);
    const second = await lockStore(store, quick);
    expect(counter).toBe('000000000000');
    expect(first.lost.aborted).toBe(false);
    await sleep(1200);
    expect(first.lost.aborted).toBe(true);
    expect(first.lost.reason).toMatchObject({ code: 'BUSY' });
    await first.release();
    expect(holders(store)).toHaveLength(1); // the second one's
    await second.release();
  });

  it('that nobody can read is watched, and taken over', async () => {
    const store = await makeStore();
    mkdirSync(lockFolder(store), { recursive: true });
    writeFileSync(join(lockFolder(store), '0123456789abcdef.lock'), 'torn');
    const lock = await lockStore(store, quick);
    await lock.release();
  });

  it('raises its counter', async () => {
    const store = await makeStore();
    const lock = await lockStore(store, { beat: 10 });
    const counter = () =>
      Number(readFileSync(join(lockFolder(store), holders(store)[0]), 'utf8').slice(0, 12));
    const before = counter();
    await sleep(300);
    expect(counter()).toBeGreaterThan(before);
    await lock.release();
  });

  it('ends its waiting by a signal, and says what a disk says', async () => {
    const store = await makeStore();
    mkdirSync(lockFolder(store), { recursive: true });
    writeFileSync(join(lockFolder(store), '0123456789abcdef.lock'), '000000000007\n{}');
    const reason = new Error('enough');
    const controller = new AbortController();
    const waiting = lockStore(store, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 50);
    await expect(waiting).rejects.toBe(reason);
    expect(readdirSync(join(store.path, '.seedspan/temporary'))).toEqual([]);
    rmSync(join(store.path, '.seedspan'), { recursive: true });
    writeFileSync(join(store.path, '.seedspan'), '');
    await expect(lockStore(store)).rejects.toMatchObject({ code: 'IO' });
  });
});
