import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectQueue, queueStatus } from '../../src/dataset/queue/index.ts';
import type { ShardEnd } from '../../src/dataset/types.ts';
import { attemptsBegun } from './fake-runner.ts';
import { PLAN, Place, range, until } from './queue-place.ts';
import { describeWithRedis, RedisServer } from './redis.ts';

const shards = (ends: readonly ShardEnd[]) => ends.map(({ shard }) => shard);
const errors = (ends: readonly ShardEnd[]) => ends.filter((end) => 'error' in end);

describeWithRedis('shards through a queue', () => {
  let redis: RedisServer;
  let place: Place;
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.stop());
  beforeEach(() => {
    place = new Place(redis);
  });
  afterEach(() => place.clear());

  async function status() {
    const connection = await connectQueue({ url: redis.url });
    try {
      return await queueStatus(connection);
    } finally {
      connection.close();
    }
  }

  test('all are done once, by whichever worker, and the queue is empty after it', async () => {
    place.worker({ size: 2 });
    place.worker();
    const progress: [number, number][] = [];
    const ends = await place.dispatch(40, { onProgress: (...told) => progress.push(told) });
    expect(ends).toEqual(
      range(40).map((shard) => ({
        shard,
        summary: { shard, images: 2, failed: 0, unconverged: 0, iterations: 1, bytes: 1 },
      })),
    );
    expect(
      attemptsBegun(place.folder)
        .map(({ shard, attempt }) => [shard, attempt])
        .sort((a, b) => a[0] - b[0]),
    ).toEqual(range(40).map((shard) => [shard, 1]));
    expect(await status()).toMatchObject({ waiting: 0, active: 0, delayed: 0, failed: 0 });
  });

  test('progress of shards at work is told', async () => {
    place.worker({ images: 20, milliseconds: 10 });
    const progress: [number, number][] = [];
    await place.dispatch(1, { onProgress: (...told) => progress.push(told) });
    expect(progress.length).toBeGreaterThan(1);
    for (const [shard, images] of progress) {
      expect(shard).toBe(0);
      expect(images).toBeGreaterThan(0);
      expect(images).toBeLessThanOrEqual(20);
    }
  });

  test('more shards than one request has', async () => {
    place.worker({ size: 8, milliseconds: 0 });
    const ends = await place.dispatch(1100);
    expect(shards(ends)).toEqual(range(1100));
    expect(errors(ends)).toEqual([]);
  });

  test('that there are no workers is told, and then they come', async () => {
    const notices: string[] = [];
    const ends = place.dispatch(2, { onNotice: (text) => notices.push(text) });
    await until(() => notices.length > 0);
    expect(notices).toEqual([
      expect.stringMatching(/^nobody works for the queue seedspan at redis:.*start workers/),
    ]);
    place.worker();
    expect(shards(await ends)).toEqual([0, 1]);
    expect(notices).toHaveLength(1);
  });

  test('no shards: nothing happens', async () => {
    expect(await place.dispatch(0)).toEqual([]);
  });

  test('what fails for a while is tried again, later, with its attempts counted', async () => {
    place.worker({ misbehaviour: { 1: { how: 'passing', upTo: 2 } } });
    const notices: string[] = [];
    const ends = await place.dispatch(3, { onNotice: (text) => notices.push(text) });
    expect(errors(ends)).toEqual([]);
    const of1 = attemptsBegun(place.folder).filter(({ shard }) => shard === 1);
    expect(of1.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(notices.join('\n')).toMatch(
      /shard 1 failed \(attempt 1 of 5\) and will be tried again: no space for shard 1 \(worker .+\/\d+\)/,
    );
  });

  test('what fails again and again is given up with its reason, the others are done', async () => {
    place.worker({ misbehaviour: { 1: { how: 'passing' }, 2: { how: 'lasting' } } });
    const ends = await place.dispatch(4, { attempts: 3 });
    expect(shards(ends)).toEqual([0, 1, 2, 3]);
    expect(errors(ends)).toEqual([
      {
        shard: 1,
        error: { code: 'IO', message: expect.stringMatching(/^no space for shard 1 \(worker .+\)$/) },
        attempts: 3,
      },
      {
        shard: 2,
        error: { code: 'INVALID_VALUE', message: expect.stringMatching(/^shard 2 is poisoned/) },
        attempts: 1,
      },
    ]);
    expect(await status()).toMatchObject({
      failed: 2,
      failures: expect.arrayContaining([expect.objectContaining({ shard: 1, attempts: 3, code: 'IO' })]),
    });
  });

  test('a later run tries anew what a former one gave up, with its book kept from the start', async () => {
    const first = place.worker({ misbehaviour: { 0: { how: 'lasting' } } });
    expect(errors(await place.dispatch(1))).toHaveLength(1);
    first.stop();
    await first.served;
    place.worker();
    expect(errors(await place.dispatch(1))).toEqual([]);
    expect(attemptsBegun(place.folder).map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  test('a job of another plan is refused by the store, not tried again', async () => {
    place.worker();
    const ends = await place.dispatch(1, { plan: 'q'.repeat(64) });
    expect(ends).toMatchObject([{ shard: 0, error: { code: 'INVALID_VALUE' }, attempts: 1 }]);
  });

  test('two dispatchers of one plan: both see every shard end, and nothing is done twice', async () => {
    place.worker({ size: 2 });
    const [one, other] = await Promise.all([place.dispatch(30), place.dispatch(30)]);
    expect(shards(one)).toEqual(range(30));
    expect(shards(other)).toEqual(range(30));
    expect([...errors(one), ...errors(other)]).toEqual([]);
    const computed = attemptsBegun(place.folder).map(({ shard }) => shard);
    expect(new Set(computed).size).toBe(30);
  });

  test('called off: what nobody has begun leaves the queue, what is at work is finished', async () => {
    const worker = place.worker({ images: 20, milliseconds: 20 });
    const controller = new AbortController();
    const run = place.dispatch(20, { signal: controller.signal });
    await until(() => attemptsBegun(place.folder).length > 0);
    controller.abort(new Error('called off'));
    await expect(run).rejects.toThrow('called off');
    expect(await status()).toMatchObject({ waiting: 0, delayed: 0 });
    await until(async () => (await status()).active === 0);
    worker.stop();
    expect(await worker.served).toMatchObject({ shards: 1, returned: 0 });
  });

  test('the caller who leaves calls off, too', async () => {
    place.worker();
    const dispatcher = await place.dispatcher();
    for await (const end of dispatcher.dispatch(range(500))) {
      expect(end).toHaveProperty('summary');
      break;
    }
    expect((await status()).waiting).toBe(0);
  });

  test('jobs of other plans in the same queue are left alone', async () => {
    const connection = await connectQueue({ url: redis.url });
    const queue = new connection.bullmq.Queue(connection.name, { connection: connection.client });
    try {
      await queue.add('shard', { nonsense: true }, { jobId: 'other-0', removeOnFail: true });
      place.worker();
      expect(errors(await place.dispatch(2))).toEqual([]);
      await queue.add(
        'shard',
        { store: '/', plan: PLAN, shard: 0, attempt: 1 },
        { jobId: 'other-1', delay: 60_000 },
      );
      expect(errors(await place.dispatch(2))).toEqual([]);
      expect(await queue.getJobState('other-1')).toBe('delayed');
    } finally {
      await queue.obliterate({ force: true });
      await queue.close();
      connection.close();
    }
  });

  test('an idle worker ends by itself, but not while a shard waits for its next attempt', async () => {
    const worker = place.worker({ misbehaviour: { 0: { how: 'passing', upTo: 3 } } }, { untilIdle: 0.3 });
    expect(errors(await place.dispatch(1))).toEqual([]);
    expect(await worker.served).toEqual({ shards: 1, images: 2, failed: 3, returned: 0 });
  });
});
