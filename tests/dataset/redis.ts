import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';

const present = spawnSync('redis-server', ['--version']).status === 0;

/**
 * Tests on a real Redis. Where it is not installed they are skipped, and say so; with SEEDSPAN_REDIS=all, as in the full
 * check, they fail.
 */
export function describeWithRedis(name: string, tests: () => void): void {
  if (present || process.env.SEEDSPAN_REDIS === 'all') describe(name, tests);
  else describe.skip(`${name} (skipped: no redis-server here; apt-get install redis-server)`, tests);
}

export interface RedisSettings {
  /** Keeps its data over a restart. */
  persistent?: boolean;
  password?: string;
  /** Speaks TLS alone. */
  tls?: Certificates;
}

export interface Certificates {
  authority: string;
  certificate: string;
  key: string;
}

/** Makes an authority and a certificate of it for 127.0.0.1, good for a day. */
export function makeCertificates(folder: string): Certificates {
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const request = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-batch'];
  openssl(
    ...request,
    '-x509',
    '-days',
    '1',
    '-subj',
    '/CN=authority',
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
  );
  const name = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  openssl(...request, ...name, '-keyout', at('server.key'), '-out', at('server.csr'));
  const signed = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-copy_extensions', 'copy'];
  openssl('x509', '-req', '-days', '1', '-in', at('server.csr'), ...signed, '-out', at('server.pem'));
  return { authority: at('ca.pem'), certificate: at('server.pem'), key: at('server.key') };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A Redis of a test's own, on loopback, in a folder of its own. */
export class RedisServer {
  readonly #settings: RedisSettings;
  readonly #folder = mkdtempSync(join(tmpdir(), 'seedspan-redis-'));
  readonly port: number;
  #process: ChildProcess | undefined;

  private constructor(port: number, settings: RedisSettings) {
    this.port = port;
    this.#settings = settings;
  }

  static async start(settings: RedisSettings = {}): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), settings);
    await server.start();
    return server;
  }

  get url(): string {
    const { password, tls } = this.#settings;
    return `${tls ? 'rediss' : 'redis'}://${password ? `:${encodeURIComponent(password)}@` : ''}127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const { persistent, password, tls } = this.#settings;
    const port = String(this.port);
    const args = [
      ...(tls ? ['--port', '0', '--tls-port', port] : ['--port', port]),
      ...(tls ? ['--tls-cert-file', tls.certificate, '--tls-key-file', tls.key] : []),
      ...(tls ? ['--tls-ca-cert-file', tls.authority, '--tls-auth-clients', 'no'] : []),
      ...['--bind', '127.0.0.1', '--dir', this.#folder, '--save', ''],
      ...(persistent ? ['--appendonly', 'yes', '--appendfsync', 'always'] : []),
      ...(password ? ['--requirepass', password] : []),
    ];
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    let said = '';
    const ended = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`redis-server ended (${code}): ${said}`)));
    });
    ended.catch(() => undefined);
    const ready = new Promise<void>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream?.on('data', (data) => {
          said += data;
          if (said.includes('Ready to accept connections')) resolve();
        });
      }
    });
    await Promise.race([ready, ended]);
    while (!(await this.#answers())) await wait(20);
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
  }

  /** It neither answers nor goes away. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Ends it at once, as a machine that fails. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
