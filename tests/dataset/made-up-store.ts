import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll } from 'vitest';

export * from './made-up-store-values.ts';

export const run = promisify(execFile);
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A folder that goes when the tests of a file have ended. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'seedspan-store-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The child that writes stores, as one script for Node; it lies where packages are found. */
export async function buildChild(name: string): Promise<string> {
  const outfile = join(root, 'build/test-dataset', `${name}-${process.pid}.mjs`);
  mkdirSync(join(root, 'build/test-dataset'), { recursive: true });
  await build({
    entryPoints: [join(root, 'tests/dataset/store-child.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    target: 'es2022',
    loader: { '.wasm': 'binary' },
    outfile,
    logLevel: 'silent',
  });
  afterAll(() => rmSync(outfile, { force: true }));
  return outfile;
}
