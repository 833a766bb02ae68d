import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseQueueUrl } from '../../src/dataset/queue/connection.ts';
import { connectQueue, type QueueAddress, redact, withoutSecrets } from '../../src/dataset/queue/index.ts';
import { SeedspanError } from '../../src/index.ts';
import { Place, wait } from './queue-place.ts';
import { describeWithRedis, freePort, makeCertificates, RedisServer } from './redis.ts';

const SECRET = 'hunter2/@%:x';
const CODED = encodeURIComponent(SECRET);

/** What connecting said, all that could be printed of it included. */
async function refusal(address: QueueAddress, patience = 1500): Promise<string> {
  const notices: string[] = [];
  const connecting = connectQueue(address, { patience, onNotice: (text) => notices.push(text) });
  const error = await connecting.then(
    (connection) => {
      connection.close();
      throw new Error('it connected');
    },
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(SeedspanError);
  const all = [inspect(error, { depth: 10, showHidden: true }), ...notices].join('\n');
  for (const secret of ['hunter2', CODED]) expect(all).not.toContain(secret);
  return `${(error as SeedspanError).code} ${(error as SeedspanError).message}`;
}

describe('addresses of queues', () => {
  test.each([
    ['redis://queue', { host: 'queue', port: 6379, db: 0 }],
    ['redis://queue:7000/3', { host: 'queue', port: 7000, db: 3 }],
    ['redis://:a%40b@queue/', { host: 'queue', port: 6379, db: 0, password: 'a@b' }],
    ['rediss://me:pw@[::1]:1', { host: '::1', port: 1, db: 0, username: 'me', password: 'pw', tls: {} }],
    ['unix:///run/redis%20x.sock', { path: '/run/redis x.sock' }],
  ])('%s', (url, options) => {
    expect(parseQueueUrl(url)).toEqual(options);
  });

  test('a password beside the URL is used where the URL has none', () => {
    expect(parseQueueUrl('redis://me@queue', 'pw')).toMatchObject({ username: 'me', password: 'pw' });
    expect(parseQueueUrl('redis://me:other@queue', 'pw')).toMatchObject({ password: 'other' });
  });

  test.each([
    ['queue:6379', 'has another scheme'],
    ['hunter2', 'is no URL'],
    [`redis://:${SECRET}@queue`, ''],
    ['http://:hunter2@queue', 'has another scheme'],
    ['redis://:hunter2@', 'is no URL'],
    ['redis:', 'names no host'],
    ['redis://:hunter2@queue/jobs', 'names a database that is no number'],
    ['redis://:hunter2@queue?tls=true', 'has something behind ? or #'],
    ['redis://hunter2@queue', 'has a user but no password'],
    ['redis://:hunter2%@queue', 'a % that is no code'],
    ['unix://hunter2/x.sock', 'names no absolute path'],
    ['redis://user/hunter2@queue', 'names a database that is no number'],
  ])('%s is refused, and not shown', (url, why) => {
    let error: unknown;
    try {
      parseQueueUrl(url);
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ code: 'INVALID_VALUE', message: expect.stringContaining(why) });
    expect(inspect(error, { depth: 10 })).not.toContain('hunter2');
  });

  test('names and prefixes are plain words', async () => {
    await expect(connectQueue({ url: 'redis://queue', name: 'a:b' })).rejects.toThrow(
      "the queue's name must be",
    );
    await expect(connectQueue({ url: 'redis://queue', prefix: '' })).rejects.toThrow(
      "the queue's prefix must be",
    );
    const wrong = { url: 'redis://queue', user: 'me' } as QueueAddress;
    await expect(connectQueue(wrong)).rejects.toThrow('unknown option "user"');
  });

  test('a certificate authority that cannot be read', async () => {
    const address = { url: `rediss://:${CODED}@queue`, ca: '/no/such.pem' };
    expect(await refusal({ ...address, url: `redis://:${CODED}@queue` })).toBe(
      "INVALID_VALUE a certificate authority is for rediss:// (TLS), and the queue's address is redis://***@queue",
    );
    expect(await refusal(address)).toBe(
      'IO cannot read /no/such.pem, the certificate authority of the queue: ENOENT',
    );
  });

  test('secrets are taken out of any text', () => {
    expect(redact('rediss://me:pw@queue:1/2')).toBe('rediss://***@queue:1/2');
    expect(redact('redis://queue')).toBe('redis://queue');
    expect(redact('me:pw@queue')).not.toContain('pw');
    expect(redact('::pw')).not.toContain('pw');
    expect(withoutSecrets("unknown option '--queu=redis://:a/b@c@host:1'")).toBe(
      "unknown option '--queu=redis://***@host:1'",
    );
    expect(withoutSecrets('REDISS://u:p@h and unix://u:p@h, mailto me@h')).toBe(
      'REDISS://***@h and unix://***@h, mailto me@h',
    );
    expect(withoutSecrets(`it was ${SECRET} or ${CODED}`, SECRET)).toBe('it was *** or ***');
  });
});

describeWithRedis('log-in and TLS', () => {
  let redis: RedisServer;
  const folder = mkdtempSync(join(tmpdir(), 'seedspan-tls-'));
  const certificates = () => makeCertificates(folder);
  beforeAll(async () => {
    redis = await RedisServer.start({ password: SECRET });
  });
  afterAll(async () => {
    await redis.stop();
    rmSync(folder, { recursive: true });
  });

  test('the right password: shards are done', async () => {
    const place = new Place(redis);
    place.worker();
    expect(await place.dispatch(2)).toMatchObject([{ summary: { shard: 0 } }, { summary: { shard: 1 } }]);
    await place.clear();
    const beside = await connectQueue({ url: `redis://127.0.0.1:${redis.port}`, password: SECRET });
    expect(beside.shown).toBe(`redis://127.0.0.1:${redis.port}`);
    beside.close();
  });

  test('a wrong password, and none, are said at once', async () => {
    const shown = `redis://***@127.0.0.1:${redis.port}`;
    const wrong = `redis://:hunter2wrong@127.0.0.1:${redis.port}`;
    expect(await refusal({ url: wrong })).toMatch(`IO cannot use the queue at ${shown}: WRONGPASS`);
    expect(await refusal({ url: wrong }, 60_000)).toMatch(/check its user and password$/);
    expect(await refusal({ url: `redis://127.0.0.1:${redis.port}` })).toMatch(
      /it asks for a password \(NOAUTH\); give one: .*SEEDSPAN_QUEUE_PASSWORD$/,
    );
    expect(await refusal({ url: `${redis.url}/99` })).toMatch('DB index is out of range');
  });

  test('nobody there: an error when patience ends, with its reason', async () => {
    const url = `redis://:${CODED}@127.0.0.1:${await freePort()}`;
    expect(await refusal({ url }, 300)).toMatch(/ECONNREFUSED.*is it running/);
    expect(await refusal({ url: `redis://:${CODED}@no-such-host.invalid` }, 1500)).toMatch(
      /cannot use the queue/,
    );
    expect(await refusal({ url: `unix://${folder}/none.sock` }, 300)).toMatch(/ENOENT/);
  });

  test('without an end of patience it waits, says so once, and stops when told', async () => {
    const controller = new AbortController();
    const notices: string[] = [];
    const url = `redis://:${CODED}@127.0.0.1:${await freePort()}`;
    const hooks = { signal: controller.signal, onNotice: (text: string) => notices.push(text) };
    const connecting = connectQueue({ url }, hooks);
    setTimeout(() => controller.abort(new Error('told')), 600);
    await expect(connecting).rejects.toThrow('told');
    expect(notices).toEqual([
      expect.stringMatching(/^the queue at redis:\/\/\*\*\*@.* is out of reach: .*ECONNREFUSED/),
    ]);
    expect(notices[0]).not.toContain('hunter2');
  });

  test('TLS with its authority; without, with another or without TLS it is an error', async () => {
    const tls = certificates();
    const server = await RedisServer.start({ password: SECRET, tls });
    try {
      const connection = await connectQueue({ url: server.url, ca: tls.authority });
      expect(await connection.client.ping()).toBe('PONG');
      const queue = new connection.bullmq.Queue(connection.name, { connection: connection.client });
      expect(await queue.getWaitingCount()).toBe(0);
      await queue.close();
      connection.close();
      expect(await refusal({ url: server.url })).toMatch(/SEEDSPAN_QUEUE_CA$/);
      const other = mkdtempSync(join(tmpdir(), 'seedspan-tls-'));
      expect(await refusal({ url: server.url, ca: makeCertificates(other).authority })).toMatch(
        /SEEDSPAN_QUEUE_CA$/,
      );
      writeFileSync(join(other, 'ca.pem'), 'nonsense');
      expect(await refusal({ url: server.url, ca: join(other, 'ca.pem') })).toMatch(
        /^IO cannot use the queue/,
      );
      rmSync(other, { recursive: true });
      // The name in the certificate is 127.0.0.1.
      const localhost = server.url.replace('127.0.0.1', 'localhost');
      expect(await refusal({ url: localhost, ca: tls.authority })).toMatch(/ERR_TLS_CERT_ALTNAME_INVALID/);
      expect(await refusal({ url: server.url.replace('rediss', 'redis') }, 700)).toMatch(/does it speak TLS/);
      expect(await refusal({ url: redis.url.replace('redis:', 'rediss:') })).toMatch(/does it speak TLS/);
    } finally {
      await server.stop();
    }
  });

  test('a password changed while a connection stands: said, without it', async () => {
    const server = await RedisServer.start({ password: SECRET });
    const notices: string[] = [];
    const connection = await connectQueue({ url: server.url }, { onNotice: (text) => notices.push(text) });
    await connection.client.config('SET', 'requirepass', 'another');
    connection.client.stream.destroy();
    await wait(800);
    expect(notices.length).toBeGreaterThan(0);
    expect(notices.join('\n')).not.toContain('hunter2');
    connection.close();
    await server.stop();
  });
});
