import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect } from 'vitest';
import { describeWithRedis, type RedisServer } from '../dataset/redis.ts';
import {
  expectDone,
  faultTest,
  makeReference,
  type Place,
  type Reference,
  SLOW,
  tableAtEnd,
} from './place.ts';
import { until } from './processes.ts';
import { doneShards } from './stores.ts';

describeWithRedis('faults of Redis', () => {
  let slow: Reference;
  beforeAll(async () => {
    slow = await makeReference(SLOW);
  }, 120_000);
  tableAtEnd();

  /** Something happens to Redis when a run has done this many shards. */
  async function disturbed(
    place: Place,
    persistent: boolean,
    disturb: (redis: RedisServer) => Promise<void>,
    moments: readonly number[] = [1, 4],
  ): Promise<string> {
    let told = '';
    await place.trial(async () => {
      const redis = await place.redis({ persistent });
      const store = place.newStore();
      const watch = place.watch(store);
      const driver = place.driver(slow, store);
      const workers = [place.worker(), place.worker()];
      for (const shards of moments) {
        await until('some shards are done', () => doneShards(store).length >= shards);
        expect(driver.isOver).toBe(false);
        await disturb(redis);
      }
      const end = await driver.end();
      expectDone(end);
      place.expectSurvived(store, slow, watch, { workers });
      for (const worker of workers) expect(worker.isOver, worker.stderr).toBe(false);
      told = end.stderr;
    }, moments.length);
    return told;
  }

  const restart = async (redis: RedisServer, seconds = 0) => {
    await redis.kill();
    await sleep(1000 * seconds);
    await redis.start();
  };

  faultTest('Redis killed and started again, with its data', 'queue', async (place) => {
    await disturbed(place, true, restart);
  });
  faultTest('Redis killed and started again, without its data', 'queue', async (place) => {
    await disturbed(place, false, restart);
  });
  faultTest('Redis gone for 8 s: connections are refused', 'queue', async (place) => {
    const told = await disturbed(place, false, (redis) => restart(redis, 8), [2]);
    expect(told).toMatch(/is out of reach: .*trying on/);
    expect(told).toMatch(/is there/);
  });
  faultTest('Redis gone for 8 s, with its data', 'queue', async (place) => {
    await disturbed(place, true, (redis) => restart(redis, 8), [2]);
  });
  faultTest('Redis silent for 60 s: connections stay open', 'queue', async (place) => {
    const silent = async (redis: RedisServer) => {
      redis.pause();
      await sleep(60_000);
      redis.resume();
    };
    await disturbed(place, false, silent, [2]);
  });
  faultTest('Redis not there when driver and worker start', 'queue', async (place) => {
    await place.trial(async () => {
      const redis = await place.redis();
      await redis.kill();
      const store = place.newStore();
      const watch = place.watch(store);
      const [driver, worker] = [place.driver(slow, store), place.worker()];
      await until('they say so', () =>
        [driver, worker].every(({ stderr }) => stderr.includes('out of reach')),
      );
      await redis.start();
      expectDone(await driver.end());
      place.expectSurvived(store, slow, watch, { workers: [worker] });
    });
  });
});
