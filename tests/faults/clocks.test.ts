import { cpSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect } from 'vitest';
import { describeWithRedis } from '../dataset/redis.ts';
import {
  expectDone,
  fakeClock,
  faultTest,
  hasFakeClock,
  makeReference,
  type Reference,
  SLOW,
  tableAtEnd,
} from './place.ts';
import { until } from './processes.ts';
import { doneShards, isInSolve, readRecord } from './stores.ts';

const DAY = 86_400_000;
const JUMPS = ['+1d', '-1d', '+0'];

// The full check has it, or fails.
const describeWithClock =
  hasFakeClock || process.env.SEEDSPAN_REDIS === 'all'
    ? describe
    : (name: string, tests: () => void) =>
        describe.skip(`${name} (skipped: no libfaketime here; apt-get install faketime)`, tests);

describeWithClock('clocks that jump', () => {
  let slow: Reference;
  beforeAll(async () => {
    slow = await makeReference(SLOW);
  }, 120_000);
  tableAtEnd();

  /** By how many days the clocks were wrong when shards were finished. */
  function daysWrong(store: string): number[] {
    const days = doneShards(store).map((shard) => Date.parse(readRecord(store, shard).finished) - Date.now());
    return [...new Set(days.map((wrong) => Math.round(wrong / DAY)))].sort((a, b) => a - b);
  }

  faultTest("the driver's clock jumps by a day, forward and back", 'threads', async (place) => {
    const clock = fakeClock(place.folder);
    await place.trial(async () => {
      const store = place.newStore();
      const watch = place.watch(store);
      const driver = place.local(slow, store, [], clock.env);
      for (const [k, jump] of JUMPS.entries()) {
        await until('some shards are done', () => doneShards(store).length > 3 * k);
        clock.set(jump);
      }
      expectDone(await driver.end());
      place.expectSurvived(store, slow, watch);
      expect(daysWrong(store)).toEqual([-1, 0, 1].map((day) => day + 0));
    }, 3);
  });

  describeWithRedis('of a queue', () => {
    faultTest("a worker's clock jumps by a day, forward and back", 'queue', async (place) => {
      const clock = fakeClock(place.folder);
      await place.trial(async () => {
        await place.redis();
        const store = place.newStore();
        const watch = place.watch(store);
        const driver = place.driver(slow, store);
        const worker = place.worker(clock.env);
        for (const [k, jump] of JUMPS.entries()) {
          await until('some shards are done', () => doneShards(store).length > 3 * k);
          clock.set(jump);
        }
        expectDone(await driver.end());
        place.expectSurvived(store, slow, watch, { workers: [worker] });
        expect(daysWrong(store)).toEqual([-1, 0, 1].map((day) => day + 0));
      }, 3);
    });

    faultTest("the driver's clock jumps by a day, forward and back", 'queue', async (place) => {
      const clock = fakeClock(place.folder);
      await place.trial(async () => {
        await place.redis();
        const store = place.newStore();
        const watch = place.watch(store);
        const driver = place.driver(slow, store, clock.env);
        const worker = place.worker();
        for (const [k, jump] of JUMPS.entries()) {
          await until('some shards are done', () => doneShards(store).length > 3 * k);
          clock.set(jump);
        }
        expectDone(await driver.end());
        place.expectSurvived(store, slow, watch, { workers: [worker] });
      }, 3);
    });

    for (const [jump, name] of [
      ['+1d', 'forward'],
      ['-1d', 'back'],
    ]) {
      faultTest(
        `clocks jump ${name} by a day while shards wait to be tried again`,
        'queue',
        async (place) => {
          const inputs = join(place.folder, 'pictures');
          cpSync(slow.inputs, inputs, { recursive: true });
          const clock = fakeClock(place.folder);
          await place.trial(async () => {
            await place.redis();
            const store = place.newStore();
            const watch = place.watch(store);
            const driver = place.driver({ ...slow, inputs }, store, clock.env);
            const worker = place.worker(clock.env);
            await until('some shards are done', () => doneShards(store).length > 1);
            renameSync(inputs, `${inputs}.away`);
            await until('a shard fails', () => /attempt 1: .*does not exist/.test(worker.stderr));
            clock.set(jump);
            await sleep(1000);
            renameSync(`${inputs}.away`, inputs);
            expectDone(await driver.end(60));
            place.expectSurvived(store, slow, watch, { workers: [worker] });
          });
        },
      );
    }

    faultTest('a worker is killed, and the clock of the other is a day behind', 'queue', async (place) => {
      const clock = fakeClock(place.folder);
      clock.set('-1d');
      await place.trial(async () => {
        await place.redis();
        const store = place.newStore();
        const watch = place.watch(store);
        const driver = place.driver(slow, store);
        const workers = [place.worker()];
        await until('a shard is being solved', () => doneShards(store).length > 0 && isInSolve(store), {
          every: 1,
        });
        await workers[0].kill();
        workers.push(place.worker(clock.env));
        expectDone(await driver.end());
        place.expectSurvived(store, slow, watch, { workers });
        // What it had at work was done by the other.
        expect(doneShards(store).map((shard) => readRecord(store, shard).attempt)).toContain(2);
      });
    });
  });
});
