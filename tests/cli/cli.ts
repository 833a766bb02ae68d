import { spawn } from 'node:child_process';

/** The command as it is installed; the build makes it. */
const CLI = 'build/package/cli/main.js';

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts the command; `ended` waits for it. */
export function start(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [CLI, ...args], { env: { ...process.env, ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended };
}

export function seedspan(...args: string[]): Promise<Ended> {
  return start(args).ended;
}
