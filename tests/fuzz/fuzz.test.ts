/** Some thousand cases of each target; `npm run fuzz` runs 100,000. */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from './runner.ts';
import { TARGETS } from './targets/index.ts';

const CASES = Number(process.env.SEEDSPAN_FUZZ ?? 5000);
/** Where it hangs, it says so by itself, earlier. */
const PATIENCE = 20 * 60_000;

const folder = mkdtempSync(join(tmpdir(), 'seedspan-fuzz-test-'));
let reports: Map<string, Report>;
let printed = '';

beforeAll(async () => {
  const program = 'build/fuzz/test.js';
  buildSync({
    entryPoints: ['tests/fuzz/main.ts'],
    bundle: true,
    platform: 'node',
    target: 'es2022',
    format: 'esm',
    packages: 'external',
    loader: { '.wasm': 'binary', '.worker.js': 'text' },
    outfile: program,
    logLevel: 'warning',
  });
  const out = join(folder, 'reports.json');
  const child = spawn(process.execPath, [program, '--cases', String(CASES), '--jobs', '2', '--out', out]);
  child.stdout.on('data', (data) => {
    printed += data;
  });
  child.stderr.on('data', (data) => {
    printed += data;
  });
  await new Promise((resolve) => child.on('close', resolve));
  const { reports: list } = JSON.parse(readFileSync(out, 'utf8')) as { reports: Report[] };
  reports = new Map(list.map((report) => [report.target, report]));
}, PATIENCE);

afterAll(() => rmSync(folder, { recursive: true }));

describe('what comes from outside is taken, or refused in our words', () => {
  it.each(TARGETS)('$name', ({ name, share = 1 }) => {
    const report = reports.get(name);
    expect(report?.failures, printed).toEqual([]);
    expect(report?.cases).toBeGreaterThanOrEqual(Math.round(CASES * share));
    // Both happen, or the cases say nothing.
    expect(report?.accepted).toBeGreaterThan(0);
    if (name !== 'kernel-exports') expect(report?.refused).toBeGreaterThan(0);
  });
});
