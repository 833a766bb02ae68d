import { beforeAll, expect } from 'vitest';
import { describeWithRedis } from '../dataset/redis.ts';
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
import { type Running, until } from './processes.ts';
import { doneShards, expectDoneIsWhole, isInSolve, isInWrite, readRecord, shardsAtWork } from './stores.ts';

describeWithRedis('faults of workers and drivers of a queue', () => {
  let quick: Reference;
  let slow: Reference;
  beforeAll(async () => {
    [quick, slow] = [await makeReference(QUICK), await makeReference(SLOW)];
  }, 120_000);
  tableAtEnd();

  /** Kills a worker when something holds; `then` gives those that go on. */
  async function workerKilled(
    place: Place,
    work: Reference,
    when: (store: string) => boolean,
    others: 'alive' | 'later',
  ): Promise<void> {
    await place.trial(async () => {
      await place.redis();
      const store = place.newStore();
      const watch = place.watch(store);
      const driver = place.driver(work, store);
      const workers = [place.worker()];
      if (others === 'alive') workers.push(place.worker());
      const [victim] = workers;
      await until('a shard is done', () => doneShards(store).length > 0 && when(store), { every: 1 });
      await victim.kill();
      expect(driver.isOver).toBe(false);
      expectDoneIsWhole(store, work.store);
      if (others === 'later') workers.push(place.worker());
      expectDone(await driver.end());
      place.expectSurvived(store, work, watch, { workers });
      // What it had at work was done by another.
      expect(doneShards(store).map((shard) => readRecord(store, shard).attempt)).toContain(2);
    });
  }

  faultTest('SIGKILL of a worker in a solve, another alive', 'queue', (place) =>
    workerKilled(place, slow, isInSolve, 'alive'),
  );
  faultTest('SIGKILL of a worker in a solve, another started later', 'queue', (place) =>
    workerKilled(place, slow, isInSolve, 'later'),
  );
  faultTest('SIGKILL of a worker in a write, another alive', 'queue', (place) =>
    workerKilled(place, quick, isInWrite, 'alive'),
  );
  faultTest('SIGKILL of a worker in a write, another started later', 'queue', (place) =>
    workerKilled(place, quick, isInWrite, 'later'),
  );

  faultTest('SIGKILL of the driver, started again while workers go on', 'queue', async (place) => {
    await place.trial(async () => {
      await place.redis();
      const store = place.newStore();
      const watch = place.watch(store);
      const workers = [place.worker()];
      for (const shards of [1, 4]) {
        const driver = place.driver(slow, store);
        await until('some shards are done', () => doneShards(store).length >= shards);
        await driver.kill();
        expectDoneIsWhole(store, slow.store);
      }
      expectDone(await place.driver(slow, store).end());
      place.expectSurvived(store, slow, watch, { workers });
    }, 2);
  });

  faultTest(
    'SIGKILL of the driver; its workers do the rest before it is started again',
    'queue',
    async (place) => {
      await place.trial(async () => {
        await place.redis();
        const store = place.newStore();
        const watch = place.watch(store);
        const driver = place.driver(quick, store);
        const workers = [place.worker()];
        await until('some shards are done', () => doneShards(store).length > 1);
        await driver.kill();
        await until('all shards are done', () => doneShards(store).length === 20);
        const { computed } = expectDone(await place.driver(quick, store).end());
        expect(computed).toBe(0);
        place.expectSurvived(store, quick, watch, { workers });
      });
    },
  );

  faultTest('SIGKILL of the driver and of all workers', 'queue', async (place) => {
    await place.trial(async () => {
      await place.redis();
      const store = place.newStore();
      const watch = place.watch(store);
      const first = [place.driver(slow, store), place.worker(), place.worker()];
      await until(
        'some shards are done',
        () => doneShards(store).length > 1 && shardsAtWork(store).length > 0,
      );
      await Promise.all(first.map((running) => running.kill()));
      const worker = place.worker();
      expectDone(await place.driver(slow, store).end());
      place.expectSurvived(store, slow, watch, { workers: [...first, worker] });
    });
  });

  faultTest('a worker stands still for longer than its lock lasts', 'queue', async (place) => {
    await place.trial(async () => {
      await place.redis();
      const store = place.newStore();
      const watch = place.watch(store);
      const driver = place.driver(slow, store);
      const sleeper = place.worker();
      await until('it is at work', () => isInSolve(store), { every: 1 });
      sleeper.signal('SIGSTOP');
      const other = place.worker();
      expectDone(await driver.end());
      sleeper.signal('SIGCONT');
      sleeper.signal('SIGTERM');
      expect(await sleeper.end()).toMatchObject({ signal: null });
      place.expectSurvived(store, slow, watch, { workers: [sleeper, other] });
    });
  });

  faultTest('a worker is asked to end, with and without grace', 'queue', async (place) => {
    await place.trial(async () => {
      await place.redis();
      const store = place.newStore();
      const watch = place.watch(store);
      const driver = place.driver(slow, store);
      const workers: Running[] = [];
      for (const [signal, grace, code] of [
        ['SIGTERM', '0', 143],
        ['SIGINT', '0', 130],
        ['SIGTERM', '60', 0],
      ] as const) {
        const worker = place.worker({}, ['--grace', grace]);
        workers.push(worker);
        const before = doneShards(store).length;
        await until('it is at work', () => doneShards(store).length > before && isInSolve(store), {
          every: 1,
        });
        worker.signal(signal);
        const end = await worker.end();
        expect(end.code, end.stderr).toBe(code);
        if (code !== 0) expect(end.stderr).toMatch(/giving \d+ shard\(s\) back/);
      }
      workers.push(place.worker());
      expectDone(await driver.end());
      place.expectSurvived(store, slow, watch, { workers });
    }, 3);
  });

  faultTest('two drivers, and a driver with threads, on one store', 'queue', async (place) => {
    await place.trial(async () => {
      await place.redis();
      const store = place.newStore();
      const watch = place.watch(store);
      const driver = place.driver(slow, store);
      const workers = [place.worker()];
      await until('a shard is done', () => doneShards(store).length > 0);
      for (const second of [place.driver(slow, store), place.local(slow, store)]) {
        const { code, stderr } = await second.end();
        expect(code).toBe(1);
        expect(stderr).toMatch(`another run is at work on ${store}: process ${driver.pid} on `);
      }
      await driver.kill();
      expectDone(await place.driver(slow, store).end());
      place.expectSurvived(store, slow, watch, { workers });
    }, 2);
  });
});
