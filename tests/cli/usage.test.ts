import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { seedspan } from './cli.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

describe('usage', () => {
  test('--version and --help go to standard output and are no failure', async () => {
    expect(await seedspan('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    const { code, stdout, stderr } = await seedspan('--help');
    expect([code, stderr]).toEqual([0, '']);
    for (const word of ['precompute', 'train', 'solve', 'info', 'Examples:', 'Exit codes:'])
      expect(stdout).toContain(word);
  });

  test.each(['precompute', 'train', 'solve', 'worker', 'status', 'board', 'info'])(
    '%s --help has examples',
    async (command) => {
      const { code, stdout } = await seedspan(command, '--help');
      expect(code).toBe(0);
      expect(stdout).toMatch(new RegExp(`Examples:\\n {2}seedspan ${command}`));
    },
  );

  test.each([
    [[], 'Usage: seedspan'],
    [['fly'], "unknown command 'fly'"],
    [['info', '--colour'], "unknown option '--colour'"],
    [['precompute', '--out', 'x'], "missing required argument 'paths'"],
    [['precompute', 'a.png'], "required option '--out <folder>' not specified"],
    [['precompute', 'a.png', '--out', 'x', '--size', '1'], "option '--size <n>' argument '1' is invalid"],
    [
      ['precompute', 'a.png', '--out', 'x', '--size', '8x8x8'],
      "option '--size <n>' argument '8x8x8' is invalid",
    ],
    [['precompute', 'a.png', '--out', 'x', '--scheme', 'magic'], "argument 'magic' is invalid"],
    [['precompute', 'a.png', '--out', 'x', '--sde', 've'], "argument 've' is invalid"],
    [['precompute', 'a.png', '--out', 'x', '--steps', '0'], "argument '0' is invalid"],
    [['precompute', 'a.png', '--out', 'x', '--T', '-1'], "argument '-1' is invalid"],
    [['precompute', 'a.png', '--out', 'x', '--spacing', '1,2,3'], "argument '1,2,3' is invalid"],
    [
      ['precompute', 'a.png', '--out', 'x', '--scheme', 'na2024', '--boundary', 'zero'],
      '--boundary is an option of the scheme consistent',
    ],
    [['precompute', 'a.png', '--out', 'x', '--seed-images', '0,-1'], "argument '0,-1' is invalid"],
    [
      ['precompute', 'a.png', '--out', 'x', '--seed-images', '0'],
      '--seed-images is an option of --sharing projection and seed-operator',
    ],
    [
      ['precompute', 'a.png', '--out', 'x', '--sharing', 'seed-operator', '--seed-images', '0,1'],
      '--sharing seed-operator takes one of --seed-images',
    ],
    [
      ['precompute', 'a.png', '--out', 'x', '--sharing', 'none', '--projection-dim', '3'],
      '--projection-dim is an option of --sharing projection',
    ],
    [['solve'], "missing required argument 'A.mtx'"],
    [['solve', 'A.mtx', '--rtol', 'small'], "argument 'small' is invalid"],
    [['solve', 'A.mtx', '--rtol', '-1'], "argument '-1' is invalid"],
    [['solve', 'A.mtx', '--maxiter', '1.5'], "argument '1.5' is invalid"],
    [['solve', 'A.mtx', '--method', 'cg', '--restart', '5'], '--restart is an option of gmres'],
  ])('wrong usage: %j', async (args, message) => {
    const { code, stdout, stderr } = await seedspan(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^ +at /m);
  });
});

describe('info', () => {
  test('in words', async () => {
    const { code, stdout } = await seedspan('info');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^seedspan +${version}\nkernel +(simd|scalar) .*\nSIMD +(yes|no)\nNode +v\\d+.*\nCPU `),
    );
  });

  test('--json', async () => {
    const { code, stdout, stderr } = await seedspan('info', '--json');
    expect([code, stderr]).toEqual([0, '']);
    const info = JSON.parse(stdout) as Record<string, unknown>;
    expect(info).toMatchObject({ seedspan: version, node: process.version, simd: true, kernel: 'simd' });
    expect(info.kernelsSupported).toEqual(expect.arrayContaining(['scalar', 'simd']));
  });
});
