import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** The command as it is published. */
const COMMAND = 'build/package/cli/main.js';
const SAMPLE_MS = 200;
/** Of a processor's time, as Linux counts it. */
const TICKS = 100;

/** What a process took. */
export interface Taken {
  stdout: string;
  stderr: string;
  code: number | null;
  /** Seconds. */
  wall: number;
  cpu: number;
  /** Bytes of memory at most, and as it went: seconds, bytes. */
  peak: number;
  memory: [seconds: number, bytes: number][];
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Taken>;
}

/** The 14th and 15th field of its line; the second one, a name in brackets, may have blanks. */
function processorSeconds({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) / TICKS;
}

/** Starts `seedspan` with these arguments, in a process of its own, and watches its memory. */
export function startCommand(...args: string[]): Running {
  const child = spawn(process.execPath, [COMMAND, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const began = performance.now();
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (text: Buffer) => {
    output.stdout += String(text);
  });
  child.stderr.on('data', (text: Buffer) => {
    output.stderr += String(text);
  });
  const memory: Taken['memory'] = [];
  let [peak, cpu] = [0, 0];
  const look = () => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      const kilobytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
      peak = Math.max(peak, 1024 * kilobytes('VmHWM'));
      memory.push([(performance.now() - began) / 1000, 1024 * kilobytes('VmRSS')]);
      cpu = processorSeconds(child);
    } catch {
      // It has ended.
    }
  };
  const timer = setInterval(look, SAMPLE_MS);
  const ended = new Promise<Taken>((resolve) => {
    child.on('close', (code) => {
      clearInterval(timer);
      resolve({ ...output, code, wall: (performance.now() - began) / 1000, cpu, peak, memory });
    });
  });
  return { child, ended };
}

/** Runs `seedspan` to its end, which must be a good one. */
export async function runCommand(...args: string[]): Promise<Taken> {
  const taken = await startCommand(...args).ended;
  if (taken.code !== 0) throw new Error(`seedspan ${args.join(' ')}\n${taken.stdout}${taken.stderr}`);
  return taken;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A Redis on loopback that keeps nothing. */
export async function startRedis(): Promise<{ url: string; cpu: () => number; stop: () => Promise<void> }> {
  const port = await freePort();
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.on('error', () => reject(new Error('redis-server is not installed: apt-get install redis-server')));
    child.stdout.on('data', (text: Buffer) => String(text).includes('Ready to accept') && resolve());
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    cpu: () => processorSeconds(child),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
