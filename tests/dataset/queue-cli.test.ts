import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { boardCommand } from '../../src/cli/board.ts';
import type { Context } from '../../src/cli/context.ts';
import { run } from '../../src/cli/run.ts';
import { statusCommand } from '../../src/cli/status.ts';
import { workerCommand } from '../../src/cli/worker.ts';
import type { StoreStatus } from '../../src/dataset/index.ts';
import { connectQueue, serveBoard } from '../../src/dataset/queue/index.ts';
import { attemptsBegun, type FakeSettings, fakeRunner } from './fake-runner.ts';
import { Place, until, wait } from './queue-place.ts';
import { describeWithRedis, freePort, RedisServer } from './redis.ts';

const SECRET = 'hunter2';

const STORE: StoreStatus = {
  store: 'scores.zarr',
  plan: 'p'.repeat(64),
  images: 1000,
  done: 250,
  failed: 2,
  unconverged: 1,
  shards: 16,
  shardsDone: 4,
  bytes: 12_345_678,
  iterations: 1,
  seconds: 1,
  failures: [],
  complete: false,
};

describeWithRedis('commands of a queue', () => {
  let redis: RedisServer;
  let place: Place;
  beforeAll(async () => {
    redis = await RedisServer.start({ password: SECRET });
  });
  afterAll(() => redis.stop());
  beforeEach(() => {
    place = new Place(redis);
    vi.stubEnv('SEEDSPAN_QUEUE', redis.url);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await place.clear();
  });

  /** Runs a command line; `interrupt` is a SIGTERM. */
  function start(line: string[], fake: Partial<FakeSettings> = {}) {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const controller = new AbortController();
    const context = { stdout, stderr, signal: controller.signal, exitCode: 0 } as unknown as Context;
    const program = new Command()
      .addCommand(
        workerCommand(context, async ({ workers }) =>
          fakeRunner({ folder: place.folder, ...(workers === 'auto' ? {} : { size: workers }), ...fake }),
        ),
      )
      .addCommand(statusCommand(context, async (store) => async () => ({ ...STORE, store })))
      .addCommand(boardCommand(context));
    for (const command of program.commands) {
      command.exitOverride().configureOutput({ writeErr: (said) => stderr.write(said) });
    }
    const seen = { stdout: '' };
    stdout.on('data', (data) => {
      seen.stdout += data;
    });
    const said = text(stderr);
    const ended = program.parseAsync(line, { from: 'user' }).then(
      () => undefined,
      (error: Error) => error,
    );
    const outcome = async () => {
      const error = await ended;
      stdout.end();
      stderr.end();
      const all = { stdout: seen.stdout, stderr: await said, code: context.exitCode, error };
      expect(`${all.stdout}${all.stderr}${error?.stack}`).not.toContain(SECRET);
      return all;
    };
    return { seen, interrupt: () => controller.abort(new Error('interrupted')), outcome };
  }

  test('worker: takes shards, says which, and ends when idle', async () => {
    const worker = start(['worker', '--workers', '2', '--until-idle', '0.5']);
    await place.dispatch(3);
    const { stdout, stderr, code, error } = await worker.outcome();
    expect([stdout, code, error]).toEqual(['3 shards done, 6 images\n', 0, undefined]);
    expect(stderr).toMatch(/^2 threads for redis:\/\/\*\*\*@127\.0\.0\.1:\d+, queue seedspan\n/);
    for (const shard of [0, 1, 2]) expect(stderr).toContain(`shard ${shard}: 2 images\n`);
  });

  test.each([
    ['finished', '20', '1 shard done, 30 images\n', 0],
    ['given back', '0', '0 shards done, 0 images, 1 shard given back\n', 130],
  ])('worker, interrupted: what is at work is %s', async (_, grace, stdout, code) => {
    const worker = start(['worker', '--grace', grace], { images: 30, milliseconds: 20 });
    const controller = new AbortController();
    const dispatched = place.dispatch(1, { signal: controller.signal });
    await until(() => attemptsBegun(place.folder).length > 0);
    worker.interrupt();
    expect(await worker.outcome()).toMatchObject({ stdout, code, error: undefined });
    controller.abort(new Error('enough'));
    await dispatched.catch(() => undefined);
  });

  test('status of a store and a queue, as a table and as JSON', async () => {
    place.worker({ size: 2, images: 400, milliseconds: 10, misbehaviour: { 1: { how: 'lasting' } } });
    const controller = new AbortController();
    const dispatched = place.dispatch(5, { signal: controller.signal });
    await until(() => attemptsBegun(place.folder).length >= 3);
    await wait(600);
    const table = await start(['status', 'scores.zarr']).outcome();
    expect(table.stdout).toContain('images done    250 of 1,000 (25 %)');
    expect(table.stdout).toMatch(/shards waiting +2\n/);
    expect(table.stdout).toMatch(/at work +2\n/);
    expect(table.stdout).toMatch(/given up +1\n/);
    expect(table.stdout).toMatch(
      new RegExp(`/${process.pid} +2 +0 +0 +\\d+\\.\\d+ +\\d \\(\\d+\\) \\d \\(\\d+\\)`),
    );
    expect(table.stdout).toMatch(/shard 1 of \S+, attempt 1: INVALID_VALUE: shard 1 is poisoned/);
    expect(table.stdout).toMatch(/about .+ left\n$/);
    const { stdout } = await start(['status', 'scores.zarr', '--json']).outcome();
    expect(JSON.parse(stdout)).toMatchObject({
      store: { images: 1000 },
      queue: {
        queue: redis.url.replace(`:${SECRET}`, '***'),
        waiting: 2,
        active: 2,
        workers: [{ pid: process.pid, threads: 2, working: [{ attempt: 1 }, { attempt: 1 }] }],
        failures: [{ shard: 1, code: 'INVALID_VALUE' }],
      },
      secondsLeft: expect.any(Number),
    });
    controller.abort(new Error('enough'));
    await dispatched.catch(() => undefined);
  });

  test('status --watch goes on until interrupted', async () => {
    const status = start(['status', '--watch', '0.05', '--json']);
    await until(() => status.seen.stdout.split('\n').length > 3);
    status.interrupt();
    const { stdout } = await status.outcome();
    for (const line of stdout.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('queue.waiting', 0);
  });

  test('status without a queue needs none', async () => {
    vi.stubEnv('SEEDSPAN_QUEUE', '');
    const { stdout } = await start(['status', 'scores.zarr']).outcome();
    expect(stdout).not.toContain('queue');
  });

  test('mistakes are said, without the password', async () => {
    const wrong = `redis://:${SECRET}wrong@127.0.0.1:${redis.port}`;
    expect((await start(['status', '--queue', wrong]).outcome()).error).toMatchObject({ code: 'IO' });
    expect((await start(['worker', '--queue', wrong]).outcome()).error).toMatchObject({ code: 'IO' });
    const odd = `http://:${SECRET}@queue`;
    expect((await start(['board', '--queue', odd]).outcome()).error).toMatchObject({ code: 'INVALID_VALUE' });
    vi.stubEnv('SEEDSPAN_QUEUE', '');
    for (const command of ['worker', 'status', 'board']) {
      expect((await start([command]).outcome()).error).toMatchObject({ code: 'USAGE' });
    }
    vi.stubEnv('SEEDSPAN_QUEUE', redis.url);
    expect((await start(['worker', '--grace', '-1']).outcome()).error).toMatchObject({ exitCode: 1 });
  });

  test('what the command line has wrong is said without the password, too', async () => {
    for (const line of [
      ['status', `--queu=${redis.url}`],
      ['worker', redis.url, 'more'],
      ['worker', '--grace', redis.url],
      [redis.url],
    ]) {
      const stream = new PassThrough();
      const signal = new AbortController().signal;
      const context = { stdout: stream, stderr: stream, signal, exitCode: 0 } as unknown as Context;
      expect(await run(line, context)).toBe(2);
      stream.end();
      const said = await text(stream);
      expect(said).toContain('error: ');
      expect(said).not.toContain(SECRET);
    }
  });

  test('a password in the environment alone, or in a file', async () => {
    const url = `redis://127.0.0.1:${redis.port}`;
    const file = join(place.folder, 'password');
    writeFileSync(file, `${SECRET}\n`);
    for (const [name, value] of [
      ['SEEDSPAN_QUEUE_PASSWORD', SECRET],
      ['SEEDSPAN_QUEUE_PASSWORD_FILE', file],
    ]) {
      vi.stubEnv(name, value);
      const { stdout, error } = await start(['status', '--queue', url]).outcome();
      expect(error).toBe(undefined);
      expect(stdout).toContain(`${url} seedspan`);
      vi.stubEnv(name, '');
    }
    vi.stubEnv('SEEDSPAN_QUEUE_PASSWORD_FILE', '/no/such/file');
    const { error } = await start(['status', '--queue', url]).outcome();
    expect(error?.message).toBe(
      'cannot read /no/such/file, which SEEDSPAN_QUEUE_PASSWORD_FILE names: ENOENT',
    );
  });

  test('board: jobs, workers and status; it only shows, and only to this machine', async () => {
    place.worker();
    await place.dispatch(2);
    const board = start(['board', '--port', '0']);
    await until(() => board.seen.stdout.endsWith('\n'));
    const url = board.seen.stdout.trim();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(await (await fetch(url)).text()).toContain('<h2>Workers</h2>');
    expect(await (await fetch(`${url}status.json`)).json()).toMatchObject({ waiting: 0, name: 'seedspan' });
    const page = await (await fetch(`${url}board/`)).text();
    expect(page).toContain('<div id="root">');
    const script = /src="([^"]+\.js)"/.exec(page)?.[1] ?? '';
    expect((await fetch(new URL(script, `${url}board/`))).status).toBe(200);
    const jobs = await (await fetch(`${url}board/api/queues`)).json();
    expect(jobs).toMatchObject({ queues: [{ name: 'seedspan', readOnlyMode: true }] });
    const refused = await fetch(`${url}board/api/queues/seedspan/pause`, { method: 'PUT' });
    expect(refused.status).toBe(405);
    // A page of another name that resolves to this machine.
    const { request } = await import('node:http');
    const status = await new Promise((resolve) => {
      request(url, { headers: { host: 'evil.example' } }, ({ statusCode }) => resolve(statusCode)).end();
    });
    expect(status).toBe(403);
    board.interrupt();
    expect(await board.outcome()).toMatchObject({ code: 0, error: undefined });
    await expect(fetch(url)).rejects.toThrow();
  });

  test('board: a port that is taken', async () => {
    const connection = await connectQueue({ url: redis.url });
    const port = await freePort();
    const board = await serveBoard(connection, { port });
    await expect(serveBoard(connection, { port: 99999 })).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    await expect(serveBoard(connection, { port })).rejects.toThrow(
      `cannot listen at 127.0.0.1, port ${port}`,
    );
    await board.close();
    connection.close();
  });
});
