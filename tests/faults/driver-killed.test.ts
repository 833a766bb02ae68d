import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import {
  expectDone,
  faultTest,
  makeReference,
  type Place,
  QUICK,
  type Reference,
  SLOW,
  tableAtEnd,
} from './place.ts';
import { signalAt, until } from './processes.ts';
import { doneShards, expectDoneIsWhole, inside, isInSolve, isInWrite, names } from './stores.ts';

/** A store that is being made, and cannot be seen yet. */
const begun = (store: string) => join(dirname(store), `.${basename(store)}.new-*`);

describe('SIGKILL of a driver with threads', () => {
  let quick: Reference;
  let slow: Reference;
  beforeAll(async () => {
    [quick, slow] = [await makeReference(QUICK), await makeReference(SLOW)];
  }, 120_000);
  tableAtEnd();

  /** Kills the driver as soon as something holds, or a file is there, so many times, and then lets it end. */
  async function killed(
    place: Place,
    work: Reference,
    when: ((store: string) => boolean) | { file: (store: string) => string },
    { times = 2, workers = '1' }: { times?: number; workers?: string } = {},
  ): Promise<void> {
    await place.trial(async () => {
      const store = place.newStore();
      const watch = place.watch(store);
      for (let time = 0; time < times; time++) {
        const driver = place.local(work, store, ['--workers', workers]);
        if (typeof when === 'function') {
          await until('the driver is there', () => driver.isOver || when(store), { every: 1 });
          await driver.kill();
          expect((await driver.end()).signal, driver.stdout + driver.stderr).toBe('SIGKILL');
        } else expect(await signalAt(driver, when.file(store)), driver.stdout + driver.stderr).toBe(true);
        if (doneShards(store).length > 0) expectDoneIsWhole(store, work.store);
      }
      expectDone(await place.local(work, store).end());
      place.expectSurvived(store, work, watch);
    }, times);
  }

  faultTest('SIGKILL of the driver in a solve', 'threads', async (place) => {
    await killed(place, slow, isInSolve);
    const some = (store: string) => doneShards(store).length > 2 && isInSolve(store);
    await killed(place, slow, some, { times: 1 });
  });

  faultTest('SIGKILL of the driver in a write', 'threads', async (place) => {
    await killed(place, quick, isInWrite, { times: 3, workers: '2' });
    await killed(place, quick, (store) => doneShards(store).length > 5 && isInWrite(store), { times: 1 });
  });

  faultTest('SIGKILL of the driver while it lists inputs', 'threads', async (place) => {
    await killed(place, quick, { file: begun }, { times: 3 });
    // Resumed, it lists them once more, into a folder of the store.
    await place.trial(async () => {
      const store = place.newStore();
      const watch = place.watch(store);
      const first = place.local(quick, store);
      await until('some shards are done', () => doneShards(store).length > 3);
      await first.kill();
      for (const name of ['.catalogue.*', 'catalogue.*']) {
        const again = place.local(quick, store);
        expect(await signalAt(again, inside(store, 'temporary', '*', name))).toBe(true);
      }
      expectDone(await place.local(quick, store).end());
      place.expectSurvived(store, quick, watch);
    }, 2);
  });

  faultTest('SIGKILL of the driver while it unpacks an archive', 'threads', async (place) => {
    // The same pictures in an archive, behind something that takes a while to unpack.
    const folder = join(place.folder, 'packed');
    mkdirSync(folder);
    writeFileSync(join(folder, 'long.txt'), Buffer.alloc(60_000_000));
    const archive = join(folder, 'pictures.tar.gz');
    execFileSync('tar', ['-czf', archive, '-C', folder, 'long.txt', '-C', quick.inputs, 'a']);
    const reference = join(place.folder, 'reference.zarr');
    const work = { inputs: archive, options: quick.options };
    expectDone(await place.local(work, reference).end());
    await killed(
      place,
      { ...work, store: reference },
      { file: (store) => `${begun(store)}/staging/.*.new-*` },
    );
  });

  faultTest('SIGKILL of the driver while it chooses seeds', 'threads', async (place) => {
    const chooses = (store: string) =>
      names(inside(store, 'lock')).length > 0 && !names(inside(store)).includes('seeds.json');
    await killed(place, slow, chooses, { times: 3 });
  });

  faultTest('SIGKILL of the driver while it writes metadata', 'threads', async (place) => {
    const written = (store: string) => inside(store, 'temporary', '*', 'source');
    await killed(place, quick, { file: written });
    await killed(place, quick, { file: (store) => join(store, 'source', 'c.0') }, { times: 1 });
  });

  faultTest('SIGKILL of the driver at any moment', 'threads', async (place) => {
    for (const delays of [
      [300, 450, 600, 750, 900],
      [380, 520, 690, 820, 1000],
    ]) {
      await place.trial(async () => {
        const store = place.newStore();
        const watch = place.watch(store);
        for (const delay of delays) {
          const driver = place.local(quick, store, ['--workers', '2']);
          await Promise.race([driver.end(), new Promise((resolve) => setTimeout(resolve, delay))]);
          await driver.kill();
          if (doneShards(store).length > 0) expectDoneIsWhole(store, quick.store);
        }
        expectDone(await place.local(quick, store).end());
        place.expectSurvived(store, quick, watch);
      }, delays.length);
    }
  });
});
