import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect } from 'vitest';
import {
  expectDone,
  faultTest,
  makeReference,
  mountTest,
  type Place,
  QUICK,
  type Reference,
  SLOW,
  tableAtEnd,
} from './place.ts';
import { Running, until } from './processes.ts';
import {
  compareStores,
  doneShards,
  expectDoneIsWhole,
  expectNoLeftovers,
  inside,
  names,
  readRecord,
} from './stores.ts';

describe('faults of drivers and disks', () => {
  let quick: Reference;
  let slow: Reference;
  beforeAll(async () => {
    [quick, slow] = [await makeReference(QUICK), await makeReference(SLOW)];
  }, 120_000);
  tableAtEnd();

  faultTest('two drivers on one store; the first is killed', 'threads', async (place) => {
    await place.trial(async () => {
      const store = place.newStore();
      const watch = place.watch(store);
      const first = place.local(slow, store);
      await until('a shard is done', () => doneShards(store).length > 0);
      const { code, stderr } = await place.local(slow, store).end();
      expect(code).toBe(1);
      expect(stderr).toMatch(`another run is at work on ${store}: process ${first.pid} on `);
      await first.kill();
      expectDone(await place.local(slow, store).end());
      place.expectSurvived(store, slow, watch);
    });
  });

  faultTest('two drivers make one store at the same moment', 'threads', async (place) => {
    for (let time = 0; time < 3; time++) {
      await place.trial(async () => {
        const store = place.newStore();
        const watch = place.watch(store);
        const ends = await Promise.all(
          [place.local(quick, store), place.local(quick, store)].map((one) => one.end()),
        );
        const refused = ends.filter(({ code }) => code !== 0);
        expect(refused.length).toBeLessThan(2);
        for (const { stderr } of refused)
          expect(stderr).toMatch(`another run is at work on ${store}: process `);
        place.expectSurvived(store, quick, watch);
      });
    }
  });

  faultTest('a signal asks the driver to end', 'threads', async (place) => {
    await place.trial(async () => {
      const store = place.newStore();
      const watch = place.watch(store);
      for (const [signal, code] of [
        ['SIGTERM', 143],
        ['SIGINT', 130],
      ] as const) {
        const before = doneShards(store).length;
        const driver = place.local(slow, store);
        await until('some shards are done', () => doneShards(store).length > before + 1);
        driver.signal(signal);
        const end = await driver.end(20);
        expect(end.code, end.stderr).toBe(code);
        expect(end.stderr).toMatch(/interrupted: about \d+ of 48 images are done; the same command goes on/);
        expect(names(inside(store, 'lock'))).toEqual([]);
        expectDoneIsWhole(store, slow.store);
      }
      expectDone(await place.local(slow, store).end());
      place.expectSurvived(store, slow, watch);
    }, 2);
  });

  faultTest('the command that goes on has other options, or other inputs', 'threads', async (place) => {
    const inputs = join(place.folder, 'one', 'pictures');
    cpSync(quick.inputs, inputs, { recursive: true });
    const store = place.newStore();
    const watch = place.watch(store);
    const driver = place.local({ ...quick, inputs }, store);
    await until('some shards are done', () => doneShards(store).length > 2);
    await driver.kill();
    const done = doneShards(store);
    const plan = readFileSync(inside(store, 'plan.json'), 'utf8');
    const refused = async (work: Omit<Reference, 'store'>, more: readonly string[], why: RegExp) => {
      await place.trial(async () => {
        const { code, stderr } = await place.local(work, store, more).end();
        expect(code).toBe(1);
        expect(stderr).toMatch(why);
        expect(stderr).toMatch(/take the same to go on, or another name/);
        expect(doneShards(store)).toEqual(done);
        expect(readFileSync(inside(store, 'plan.json'), 'utf8')).toBe(plan);
        expect(names(inside(store, 'lock'))).toEqual([]);
      });
    };
    const same = { ...quick, inputs };
    await refused(same, ['--steps', '21'], /equation\.steps is 21, was 20/);
    await refused(same, ['--seed', '7'], /equation\.seed is 7, was 0/);
    await refused(same, ['--dtype', 'float64'], /store\.dtype is "float64", was "float32"/);
    const picture = join(inputs, 'a', '0000.png');
    renameSync(picture, join(place.folder, 'kept.png'));
    await refused(same, [], /the inputs are others|images is 199, was 200/);
    copyFileSync(join(inputs, 'a', '0001.png'), picture);
    renameSync(join(place.folder, 'kept.png'), picture);
    // Elsewhere, and the same: that is no other input.
    await place.trial(async () => {
      mkdirSync(join(place.folder, 'two'));
      const moved = join(place.folder, 'two', 'pictures');
      renameSync(inputs, moved);
      expectDone(await place.local({ ...quick, inputs: moved }, store).end());
      place.expectSurvived(store, quick, watch);
    });
  });

  faultTest('records and chunks are damaged', 'threads', async (place) => {
    const record = (store: string, shard: number) =>
      inside(store, 'records', `${String(shard).padStart(8, '0')}.json`);
    const chunk = (store: string, array: string, shard: number) => {
      const name = names(join(store, array)).find((file) => file.startsWith(`c.${shard}.`)) as string;
      return join(store, array, name);
    };
    await place.trial(async () => {
      const store = place.newStore();
      cpSync(quick.store, store, { recursive: true });
      const watch = place.watch(store);
      const damaged = [1, 4, 7, 9, 12, 15, 18];
      await until('all are seen', () => doneShards(store).length === 20);
      await sleep(200);
      truncateSync(record(store, 1), 100);
      writeFileSync(record(store, 4), '');
      writeFileSync(record(store, 7), '{"shard": 7, "images": "many"}');
      rmSync(record(store, 9));
      truncateSync(chunk(store, 'scores', 12), 1000);
      rmSync(chunk(store, 'log_density', 15));
      writeFileSync(chunk(store, 'initial', 18), '');
      const { computed } = expectDone(await place.local(quick, store).end());
      expect(computed).toBe(10 * damaged.length);
      place.expectSurvived(store, quick, watch, { damaged });
    }, 7);
  });

  /** A run that fails for want of room, and the same again when there is some. */
  async function noRoom(place: Place, store: string, full: Running, makeRoom: () => void): Promise<void> {
    await place.trial(async () => {
      const watch = place.watch(store);
      const { code, stderr } = await full.end();
      expect(code, stderr).toBe(1);
      expect(stderr).toMatch(/error: cannot write .*run the same again to go on/);
      expect(stderr).toMatch(/no space is left on the device|EFBIG/);
      expectDoneIsWhole(store, quick.store);
      expect(names(inside(store, 'lock'))).toEqual([]);
      makeRoom();
      expectDone(await place.local(quick, store).end());
      place.expectSurvived(store, quick, watch);
    });
  }

  mountTest('the disk is full in the middle of a chunk', 'threads', async (place) => {
    for (const megabytes of [4, 9]) {
      const disk = place.disk(megabytes);
      const store = place.newStore(disk.folder);
      await noRoom(place, store, place.local(quick, store, ['--workers', '2']), () => disk.resize(80));
      expect(doneShards(store)).toHaveLength(20);
    }
  });

  mountTest('the disk is full, and is made larger while the run goes on', 'threads', async (place) => {
    await place.trial(async () => {
      const disk = place.disk(6);
      const store = place.newStore(disk.folder);
      const watch = place.watch(store);
      const driver = place.local(quick, store);
      await until('it says so', () => /no space is left .*trying again/.test(driver.stderr));
      disk.resize(80);
      expectDone(await driver.end());
      place.expectSurvived(store, quick, watch);
    });
  });

  faultTest('files may not be longer than the middle of a chunk', 'threads', async (place) => {
    const store = place.newStore();
    const command = [
      process.execPath,
      'build/package/cli/main.js',
      'precompute',
      quick.inputs,
      ...quick.options,
    ];
    const limited = new Running(
      ['sh', '-c', 'ulimit -f 400; exec "$@"', 'sh', ...command, '--out', store],
      {},
    );
    place.onEnd(async () => {
      if (!limited.isOver) await limited.kill();
    });
    await noRoom(place, store, limited, () => undefined);
    expect(compareStores(store, quick.store).files).toEqual([]);
    expectNoLeftovers(store);
    expect(readRecord(store, 0).shard).toBe(0);
  });
});
