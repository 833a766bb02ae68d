import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The command as it is installed; the build makes it. */
const CLI = 'build/package/cli/main.js';

export interface Ended {
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

/** A command line at work in a process of its own. */
export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';
  isOver = false;

  constructor(command: readonly string[], env: Record<string, string>) {
    const [file, ...args] = command;
    this.child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.on('data', (data) => {
      this.stdout += data;
    });
    this.child.stderr?.on('data', (data) => {
      this.stderr += data;
    });
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => {
        this.isOver = true;
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** How it ended; one that goes on for too long is an error, with what it said. */
  async end(seconds = 120): Promise<Ended> {
    const over = new AbortController();
    const late = sleep(seconds * 1000, undefined, { signal: over.signal }).then(() => {
      throw new Error(`still running after ${seconds} s; it said: ${this.stdout}${this.stderr}`);
    });
    try {
      return await Promise.race([this.ended, late]);
    } finally {
      over.abort();
      late.catch(() => undefined);
    }
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }
}

/** Starts `seedspan` with these arguments. */
export function seedspan(args: readonly string[], env: Record<string, string> = {}): Running {
  return new Running([process.execPath, CLI, ...args], env);
}

/** Waits until something holds; not for ever. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  { seconds = 90, every = 2 }: { seconds?: number; every?: number } = {},
): Promise<void> {
  const from = performance.now();
  while (!(await holds())) {
    if (performance.now() - from > seconds * 1000) throw new Error(`waited ${seconds} s until ${what}`);
    await sleep(every);
  }
}

/**
 * Sends a signal (SIGKILL) to a process as soon as a file with such a name (a shell's pattern) is written, with this
 * text. Says whether it did; the process may have ended before.
 */
export async function signalAt(
  running: Running,
  file: string,
  { text = '', signal = 'KILL' }: { text?: string; signal?: 'KILL' | 'TERM' } = {},
): Promise<boolean> {
  // A process of its own: what it waits for may last for a few milliseconds.
  const script = `exec 9<> <(:)
  while kill -0 "$0" 2>/dev/null; do
    for f in $1; do
      [ "$f" -nt "$4" ] || continue
      line=; [ -n "$2" ] && read -r line 2>/dev/null <"$f"
      case "$line" in *"$2"*) kill -"$3" "$0" && exit 0 ;; esac
    done
    read -rt 0.001 -u 9
  done
  exit 1`;
  const folder = mkdtempSync(join(tmpdir(), 'seedspan-since-'));
  try {
    const watcher = new Running(['bash', '-c', script, String(running.pid), file, text, signal, folder], {});
    await Promise.race([watcher.ended, running.ended]);
    return (await watcher.end()).code === 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
