import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomStream } from '../../src/diffusion/index.ts';
import { writeNpy } from '../../src/formats/index.ts';
import { seedspan, start } from './cli.ts';

const COUNT = 24;
const LENGTH = 3 * 8 * 8;

/** With a space and a letter that is not ASCII's. */
const place = mkdtempSync(join(tmpdir(), 'seedspan store ä-'));
const at = (...names: string[]) => join(place, ...names);
const precompute = (...args: string[]) =>
  seedspan('precompute', at('images.npy'), '--steps', '3', '--workers', '1', ...args);

beforeAll(() => {
  const random = randomStream(1, 0);
  const data = Float32Array.from({ length: COUNT * LENGTH }, () => random.uniform());
  writeFileSync(at('images.npy'), writeNpy({ data, shape: [COUNT, 3, 8, 8] }));
});
afterAll(() => rmSync(place, { recursive: true }));

describe('precompute --out NAME.zarr', () => {
  test('makes a store, says what is in it, and has nothing to do the second time', async () => {
    const line = ['--scheme', 'na2024', '--out', at('scores.zarr')];
    const first = await precompute(...line);
    expect([first.code, first.stderr]).toEqual([0, '']);
    expect(first.stdout).toMatch(
      /^24 images in 24 shards; 24 computed in .* by 1 thread .*\ncomplete\nStore: /,
    );
    const again = await precompute(...line);
    expect(again.stdout).toContain('none was computed now');
    const json = await precompute(...line, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      images: COUNT,
      done: COUNT,
      complete: true,
      computed: 0,
    });
    const status = await seedspan('status', at('scores.zarr'));
    expect(status.stdout).toMatch(/images done +24 of 24 \(100 %\)/);
    const other = await precompute(...line, '--sde', 've:4');
    expect([other.code, other.stdout]).toEqual([1, '']);
    expect(other.stderr).toMatch(/begun with other options.*sde is "ve:4", was "ve:5"/);
    expect((await precompute(...line, '--no-resume')).stderr).toMatch(/exists already/);
  });

  test('takes its seed by name, where it shares by default', async () => {
    const { code, stderr } = await precompute('--seed-images', '5', '--out', at('seeded.zarr'));
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(readFileSync(at('seeded.zarr', '.seedspan', 'seeds.json'), 'utf8'))).toMatchObject({
      images: [5],
    });
  });

  test('interrupted, it says how to go on, and goes on', async () => {
    const steps = ['--scheme', 'consistent', '--steps', '150', '--out', at('interrupted.zarr')];
    const line = ['precompute', at('images.npy'), '--workers', '1', ...steps];
    const { child, ended } = start(line);
    const records = at('interrupted.zarr', '.seedspan', 'records');
    const isBegun = () => {
      try {
        return readdirSync(records).length > 1;
      } catch {
        return false;
      }
    };
    while (child.exitCode === null && !isBegun()) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr).toMatch(
      /^interrupted: about \d+ of 24 images are done; the same command goes on with the store$/m,
    );
    const done = readdirSync(records).length;
    const again = await seedspan(...line, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ complete: true, computed: COUNT - done });
  });

  test.each([
    [2, '--compare is for results in a folder', ['--compare']],
    [2, '--force is not for a store', ['--force']],
    [2, 'a store needs one', ['--workers', 'none']],
    [2, 'which queue?', ['--queue']],
    [2, 'go with --queue', ['--queue-name', 'mine']],
    [2, 'give one of the two', ['--seed-images', '1', '--seeds', '1']],
    [2, '--seed-images is an option of --sharing', ['--sharing', 'none', '--seed-images', '1']],
    [1, 'sharing "projection" takes several', ['--seeds', '2']],
    [1, 'sharing "projection" takes several', ['--seed-images', '1,2']],
    [1, 'they do not', ['--scheme', 'na2024', '--seed-images', '1']],
    [1, 'chosen among 24', ['--sharing', 'projection', '--seeds', '25']],
  ])('refused with exit code %d: %s', async (code, message, args) => {
    const line = ['precompute', at('images.npy'), '--steps', '3', '--out', at('refused.zarr'), ...args];
    const refused = await seedspan(...line);
    expect([refused.code, refused.stdout]).toEqual([code, '']);
    expect(refused.stderr).toContain(message);
    expect(readdirSync(place).filter((name) => name.includes('refused'))).toEqual([]);
  });

  test('a folder that is no store is told as what it is', async () => {
    mkdirSync(at('empty.zarr'));
    const { code, stderr } = await precompute('--out', at('empty.zarr'));
    expect([code, stderr]).toEqual([1, `error: ${at('empty.zarr')} is no store: it has no zarr.json\n`]);
  });
});
