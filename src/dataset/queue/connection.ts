import { readFile } from 'node:fs/promises';
import type { Redis, RedisOptions } from 'ioredis';
import { checkOptionNames, clip, SeedspanError } from '../../errors.ts';
import { loadPeer } from '../../peers.ts';
import { redact, withoutSecrets } from './secrets.ts';

/** Where a queue is, and how it is called there. */
export interface QueueAddress {
  /** `redis://`, `rediss://` (TLS) with user, password, host, port and `/database`; or `unix:///path/of.sock`. */
  url: string;
  /** Used where the URL has none, so that the URL may stand where everybody reads it. */
  password?: string;
  /** Path of a PEM file: the certificate authority of a `rediss:` server that the system does not know. */
  ca?: string;
  /** Of the queue. Default: `seedspan`. */
  name?: string;
  /** Of its keys. Default: `bull`, as BullMQ's. */
  prefix?: string;
}

/** How {@link connectQueue} waits, and what it tells. */
export interface ConnectHooks {
  signal?: AbortSignal;
  /** Told once when the queue is out of reach, and once when it is back. */
  onNotice?: (message: string) => void;
  /** Milliseconds to wait for a queue that is out of reach before it is an error. Default: for ever. */
  patience?: number;
}

/** An open connection, and the library that uses it. */
export interface QueueConnection {
  readonly client: Redis;
  readonly bullmq: typeof import('bullmq');
  readonly name: string;
  readonly prefix: string;
  /** The address, fit to be shown. */
  readonly shown: string;
  /** What an error says, without the password, should it be there. */
  readonly describe: (error: unknown) => string;
  /** Ends it. */
  close(): void;
}

export const DEFAULT_QUEUE = 'seedspan';
export const DEFAULT_PREFIX = 'bull';

const NAMES = ['url', 'password', 'ca', 'name', 'prefix'];
/** Longest wait before the next attempt to connect, in milliseconds. */
const LONGEST_WAIT = 2000;
/** A connection on which an answer is outstanding for so long is dead: a blocking command waits for 10 s at most. */
const SILENCE = 30_000;

/** Errors that no patience mends: the log-in, its rights, the certificate. */
const HOPELESS =
  /WRONGPASS|NOAUTH|NOPERM|invalid password|DB index is out of range|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|CERT_|ERR_TLS|ERR_SSL|wrong version number/;
const LOGIN = /WRONGPASS|NOAUTH|NOPERM|invalid password/;

/**
 * What an address says, for the library that connects.
 *
 * @throws SeedspanError `INVALID_VALUE` for an address that is none; the message never has its password.
 */
export function parseQueueUrl(url: string, password?: string): RedisOptions {
  const fail = (why: string): SeedspanError =>
    new SeedspanError(
      'INVALID_VALUE',
      `the queue's address ${clip(redact(url))} ${why}; it must be like redis://host:6379, rediss://user:password@host:6380/0 or unix:///run/redis.sock`,
    );
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw fail('is no URL');
  }
  const { protocol, hostname, port, pathname, search, hash } = parsed;
  if (search !== '' || hash !== '') throw fail('has something behind ? or #, which has no meaning here');
  const login = loginOf(parsed, password, fail);
  if (protocol === 'unix:') {
    if (hostname !== '' || pathname.length < 2) throw fail('names no absolute path of a socket');
    return {
      ...login,
      path: decoded(pathname, () => fail('has a % in its path that is no code (write %25)')),
    };
  }
  if (protocol !== 'redis:' && protocol !== 'rediss:') throw fail('has another scheme');
  if (hostname === '') throw fail('names no host');
  const database = /^\/?(\d{0,9})$/.exec(pathname);
  if (database === null) throw fail('names a database that is no number');
  return {
    ...login,
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? 6379 : Number(port),
    db: Number(database[1]),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

function decoded(text: string, fail: () => SeedspanError): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw fail();
  }
}

function loginOf(parsed: URL, password: string | undefined, fail: (why: string) => SeedspanError) {
  const part = (text: string) =>
    decoded(text, () => fail('has a user or password with a % that is no code (write %25)'));
  const user = part(parsed.username);
  const secret = parsed.password === '' ? (password ?? '') : part(parsed.password);
  if (user !== '' && secret === '')
    throw fail('has a user but no password (a password alone: redis://:password@host)');
  return { ...(user === '' ? {} : { username: user }), ...(secret === '' ? {} : { password: secret }) };
}

async function readAuthority(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SeedspanError('IO', `cannot read ${path}, the certificate authority of the queue: ${code}`);
  }
}

/** What is wrong with a connection, for people. */
function connectionError(shown: string, told: string): SeedspanError {
  const asksForPassword = /NOAUTH/.test(told);
  const reason = asksForPassword ? 'it asks for a password (NOAUTH)' : told;
  const how = LOGIN.test(reason)
    ? asksForPassword
      ? 'give one: redis://:password@host, or SEEDSPAN_QUEUE_PASSWORD'
      : 'check its user and password'
    : /SELF_SIGNED|UNABLE_TO|CERT_|ERR_TLS/.test(reason)
      ? 'give the file of its certificate authority by SEEDSPAN_QUEUE_CA'
      : /ERR_SSL|wrong version|ECONNRESET|was closed/.test(reason)
        ? 'does it speak TLS (rediss://), or not (redis://)?'
        : 'is it running, and may this machine reach it?';
  return new SeedspanError('IO', `cannot use the queue at ${shown}: ${reason}; ${how}`, { queue: shown });
}

/** Message and code of an error that a connection gave. Never its other fields: a reply's has the command sent. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  // Several addresses of one name, each with an error of its own.
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : undefined;
  if (error.message === '' && first !== undefined) return reasonOf(first);
  return typeof code !== 'string' || error.message.includes(code)
    ? error.message
    : `${error.message} (${code})`;
}

/**
 * Connects, and stays connected: a queue out of reach is tried again for ever.
 *
 * @throws SeedspanError `INVALID_VALUE` for a wrong address, `IO` where log-in, certificate or database are wrong (or
 * patience ends), `UNSUPPORTED` where ioredis or bullmq are missing; the signal's reason.
 */
export async function connectQueue(
  address: QueueAddress,
  hooks: ConnectHooks = {},
): Promise<QueueConnection> {
  checkOptionNames('queue', address, NAMES);
  const { name = DEFAULT_QUEUE, prefix = DEFAULT_PREFIX, ca } = address;
  for (const [what, value] of [
    ['name', name],
    ['prefix', prefix],
  ]) {
    if (/^[\w.-]+$/.test(value)) continue;
    throw new SeedspanError('INVALID_VALUE', `the queue's ${what} must be of letters, digits, _, - and .`);
  }
  const options = parseQueueUrl(address.url, address.password);
  if (ca !== undefined) {
    // Whoever names an authority takes the connection for encrypted.
    if (options.tls === undefined) {
      throw new SeedspanError(
        'INVALID_VALUE',
        `a certificate authority is for rediss:// (TLS), and the queue's address is ${redact(address.url)}`,
      );
    }
    options.tls = { ca: await readAuthority(ca) };
  }
  const [{ Redis: Client }, bullmq] = await Promise.all([
    loadPeer('ioredis', 'to talk to a queue', () => import('ioredis')),
    loadPeer('bullmq', 'to talk to a queue', () => import('bullmq')),
  ]);
  hooks.signal?.throwIfAborted();
  const client = new Client({
    ...options,
    lazyConnect: true,
    maxRetriesPerRequest: null,
    socketTimeout: SILENCE,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), LONGEST_WAIT),
  });
  const shown = redact(address.url);
  const describe = (error: unknown) => withoutSecrets(reasonOf(error), options.password, options.username);
  await firstContact(client, shown, describe, hooks);
  return {
    client,
    bullmq,
    name,
    prefix,
    shown,
    describe,
    close: () => client.disconnect(),
  };
}

/** Waits until the connection stands, and from then on tells of its going and coming. */
async function firstContact(
  client: Redis,
  shown: string,
  describe: (error: unknown) => string,
  { signal, onNotice, patience = Number.POSITIVE_INFINITY }: ConnectHooks,
): Promise<void> {
  let reason = 'the connection was closed';
  let away = false;
  let timer: NodeJS.Timeout | undefined;
  let interrupted: (() => void) | undefined;
  client.on('close', () => {
    if (away || client.status === 'end') return;
    away = true;
    onNotice?.(`the queue at ${shown} is out of reach: ${reason}; trying on`);
  });
  client.on('ready', () => {
    if (away) onNotice?.(`the queue at ${shown} is there`);
    away = false;
    reason = 'the connection was closed';
  });
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('ready', resolve);
      client.on('error', (error) => {
        reason = describe(error);
        if (HOPELESS.test(reason)) reject(connectionError(shown, reason));
      });
      interrupted = () => reject(signal?.reason);
      signal?.addEventListener('abort', interrupted, { once: true });
      if (patience < Number.POSITIVE_INFINITY) {
        timer = setTimeout(() => reject(connectionError(shown, reason)), patience);
      }
      // Its failures come as events, too.
      client.connect().catch(() => undefined);
    });
  } catch (error) {
    client.disconnect();
    throw error;
  } finally {
    clearTimeout(timer);
    if (interrupted !== undefined) signal?.removeEventListener('abort', interrupted);
  }
}
