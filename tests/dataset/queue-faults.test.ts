import { afterEach, expect, test } from 'vitest';
import { connectQueue, queueStatus, serveQueue } from '../../src/dataset/queue/index.ts';
import type { ShardEnd } from '../../src/dataset/types.ts';
import { attemptsBegun, fakeRunner } from './fake-runner.ts';
import { PLAN, Place, range, until, wait } from './queue-place.ts';
import { FAST } from './queue-timing.ts';
import { describeWithRedis, RedisServer, type RedisSettings } from './redis.ts';

const errors = (ends: readonly ShardEnd[]) => ends.filter((end) => 'error' in end);
const shards = (ends: readonly ShardEnd[]) => ends.map(({ shard }) => shard);

describeWithRedis('faults of a queue and its workers', () => {
  const servers: RedisServer[] = [];
  const places: Place[] = [];
  async function setUp(settings: RedisSettings = {}) {
    const redis = await RedisServer.start(settings);
    servers.push(redis);
    const place = new Place(redis);
    places.push(place);
    return { redis, place };
  }
  afterEach(async () => {
    for (const place of places.splice(0)) await place.clear();
    for (const server of servers.splice(0)) await server.stop();
  });

  test('a worker killed at work: another takes its shards over, as a second attempt', async () => {
    const { place } = await setUp();
    const first = place.workerProcess({ size: 2, images: 1000, milliseconds: 10 });
    const notices: string[] = [];
    const run = place.dispatch(6, { onNotice: (text) => notices.push(text) });
    await until(() => attemptsBegun(place.folder).length === 2);
    first.child.kill('SIGKILL');
    await first.ended;
    place.worker();
    expect(errors(await run)).toEqual([]);
    const begun = attemptsBegun(place.folder);
    for (const { shard } of begun.slice(0, 2)) {
      expect(begun.filter((other) => other.shard === shard).map(({ attempt }) => attempt)).toEqual([1, 2]);
    }
    expect(begun).toHaveLength(8);
    expect(notices.join('\n')).toMatch(/its worker is gone; another takes it/);
  });

  test('a shard that kills its worker is known by its attempts, which grow with every worker', async () => {
    const { place } = await setUp();
    const misbehaviour = { 0: { how: 'kill' as const, upTo: 2 } };
    const run = place.dispatch(3);
    for (let k = 0; k < 2; k++) {
      expect(await place.workerProcess({ misbehaviour }).ended).toMatchObject({ signal: 'SIGKILL' });
    }
    place.workerProcess({ misbehaviour });
    expect(errors(await run)).toEqual([]);
    const attempts = attemptsBegun(place.folder).filter(({ shard }) => shard === 0);
    expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  test('the driver is killed: another takes its run up', async () => {
    const { redis, place } = await setUp();
    const connection = await connectQueue({ url: redis.url });
    const queue = new connection.bullmq.Queue(connection.name, { connection: connection.client });
    const { jobOptions } = await import('../../src/dataset/queue/jobs.ts');
    // What a driver leaves behind: some shards wait, one is at work, one was given up.
    const data = (shard: number) => ({ store: place.folder, plan: PLAN, shard, attempt: 1 });
    await queue.addBulk(
      range(5).map((shard) => ({ name: 'shard', data: data(shard), opts: jobOptions(PLAN, shard, 5, 0.1) })),
    );
    place.worker({ milliseconds: 20 });
    await until(() => attemptsBegun(place.folder).length > 0);
    const ends = await place.dispatch(8);
    expect(shards(ends)).toEqual(range(8));
    expect(errors(ends)).toEqual([]);
    expect(attemptsBegun(place.folder)).toHaveLength(8);
    await queue.close();
    connection.close();
  });

  test.each([
    ['with', true],
    ['without', false],
  ])('Redis killed and started anew %s its data', async (_, persistent) => {
    const { redis, place } = await setUp({ persistent });
    place.worker({ size: 2, milliseconds: 20 });
    const notices: string[] = [];
    const run = place.dispatch(40, { onNotice: (text) => notices.push(text) });
    await until(() => attemptsBegun(place.folder).length > 5);
    await redis.kill();
    await wait(500);
    await redis.start();
    const ends = await run;
    expect(shards(ends)).toEqual(range(40));
    expect(errors(ends)).toEqual([]);
    expect(notices.filter((text) => text.includes('put into the queue anew')).length > 0).toBe(!persistent);
  });

  test('Redis killed and away for a while: said once, the workers go on, and so does all when it is back', async () => {
    const { redis, place } = await setUp({ persistent: true });
    const notices: string[] = [];
    const onNotice = (text: string) => notices.push(text);
    const connection = await connectQueue({ url: redis.url }, { onNotice });
    const controller = new AbortController();
    const runner = fakeRunner({ folder: place.folder, images: 50, milliseconds: 10 });
    const { signal } = controller;
    const served = serveQueue({ queue: connection, runner, signal, timing: FAST, onNotice });
    const run = place.dispatch(3);
    await until(() => attemptsBegun(place.folder).length === 1);
    await redis.kill();
    await wait(2500);
    await redis.start();
    expect(errors(await run)).toEqual([]);
    controller.abort();
    expect(await served).toMatchObject({ shards: 3, failed: 0 });
    connection.close();
    expect(notices.filter((text) => text.includes('is out of reach'))).toHaveLength(1);
    expect(notices.filter((text) => text.includes('is there'))).toHaveLength(1);
    // The shard that was at work was finished, and not begun again but to find it done.
    expect(attemptsBegun(place.folder).length).toBeLessThanOrEqual(4);
  });

  test('Redis that neither answers nor goes away for some seconds', async () => {
    const { redis, place } = await setUp();
    place.worker({ milliseconds: 30 });
    const run = place.dispatch(12);
    await until(() => attemptsBegun(place.folder).length > 2);
    redis.pause();
    await wait(3000);
    redis.resume();
    const ends = await run;
    expect(shards(ends)).toEqual(range(12));
    expect(errors(ends)).toEqual([]);
  });

  test('called off while Redis is away: it ends all the same, and says so', { timeout: 30_000 }, async () => {
    const { redis, place } = await setUp();
    const controller = new AbortController();
    const notices: string[] = [];
    const run = place.dispatch(5, { signal: controller.signal, onNotice: (text) => notices.push(text) });
    await wait(300);
    redis.pause();
    controller.abort(new Error('called off'));
    await expect(run).rejects.toThrow('called off');
    expect(notices.join('\n')).toContain('shards that wait there will still be done');
    redis.resume();
  });

  test('the store has shards that the queue knows nothing of', async () => {
    const { redis, place } = await setUp();
    const notices: string[] = [];
    const run = place.dispatch(4, { onNotice: (text) => notices.push(text) });
    await wait(300);
    redis.pause();
    // Somebody else, say threads of another process, does them meanwhile.
    const runner = fakeRunner({ folder: place.folder });
    for (const shard of range(4)) await runner.run({ store: place.folder, plan: PLAN, shard, attempt: 1 });
    const ends = await run;
    expect(shards(ends)).toEqual(range(4));
    expect(errors(ends)).toEqual([]);
    redis.resume();
  });

  test('asked to end: what is at work is finished within the grace, and the process ends by itself', async () => {
    const { place } = await setUp();
    const worker = place.workerProcess({ images: 20, milliseconds: 20, grace: 20 });
    const controller = new AbortController();
    const run = place.dispatch(3, { signal: controller.signal });
    await until(() => attemptsBegun(place.folder).length === 1);
    worker.child.kill('SIGTERM');
    const { code, stdout, stderr } = await worker.ended;
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining('"shards":1,"images":20,"failed":0,"returned":0'),
    ]);
    expect(stderr).toContain('finishing 1 shard(s), for 20 s at most');
    place.worker();
    expect(errors(await run)).toEqual([]);
    expect(attemptsBegun(place.folder)).toHaveLength(3);
  });

  test('asked to end, and the grace is short: the shard is given back at once, and no attempt is counted', async () => {
    const { redis, place } = await setUp();
    const worker = place.workerProcess({ images: 10_000, milliseconds: 20, grace: 0.2 });
    const run = place.dispatch(1);
    await until(() => attemptsBegun(place.folder).length === 1);
    worker.child.kill('SIGTERM');
    const { code, stdout } = await worker.ended;
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining('"shards":0,"images":0,"failed":0,"returned":1'),
    ]);
    const connection = await connectQueue({ url: redis.url });
    expect(await queueStatus(connection)).toMatchObject({ waiting: 1, active: 0, workers: [] });
    connection.close();
    place.worker();
    expect(errors(await run)).toEqual([]);
    expect(attemptsBegun(place.folder).map(({ attempt }) => attempt)).toEqual([1, 1]);
  });

  test('a clock set back by an hour where a shard failed: its next attempt does not wait for an hour', async () => {
    const { redis, place } = await setUp();
    const connection = await connectQueue({ url: redis.url });
    const run = place.dispatch(1);
    const key = `bull:seedspan:${PLAN.slice(0, 24)}-0`;
    await until(async () => (await connection.client.exists(key)) === 1);
    // As a worker leaves it whose clock is an hour ahead of all others.
    const { client } = connection;
    await client.lrem('bull:seedspan:wait', 1, `${PLAN.slice(0, 24)}-0`);
    await client.hset(key, 'delay', '100', 'atm', '1');
    await client.zadd('bull:seedspan:delayed', (Date.now() + 3_600_000) * 0x1000, `${PLAN.slice(0, 24)}-0`);
    place.worker();
    expect(errors(await run)).toEqual([]);
    expect(attemptsBegun(place.folder).map(({ attempt }) => attempt)).toEqual([2]);
    connection.close();
  });

  test('a password changed while a worker serves: it tries on, and shows neither the old nor the new', async () => {
    const { redis, place } = await setUp({ password: 'hunter2' });
    const worker = place.workerProcess({ milliseconds: 30, untilIdle: 4 });
    const run = place.dispatch(20);
    await until(() => attemptsBegun(place.folder).length > 2);
    const { client, close } = await connectQueue({ url: redis.url });
    await client.config('SET', 'requirepass', 'hunter3');
    await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await wait(1500);
    await client.config('SET', 'requirepass', 'hunter2');
    close();
    expect(errors(await run)).toEqual([]);
    const { code, stdout, stderr } = await worker.ended;
    expect([code, stdout]).toEqual([0, expect.stringContaining('"shards":20')]);
    expect(stderr).toContain('is out of reach: ');
    expect(`${stdout}${stderr}`).not.toMatch(/hunter/);
  });
});
