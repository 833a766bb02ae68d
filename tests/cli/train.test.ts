import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readNpy, readSafetensors } from '../../src/formats/index.ts';
import { type Ended, seedspan, start } from './cli.ts';

let folder: string;
const at = (name: string) => join(folder, name);
const TINY = ['--size', '8', '--width', '4', '--depth', '1'];
const train = (out: string, ...args: string[]) =>
  seedspan('train', at('picture.png'), '--out', at(out), ...args);
const sample = (model: string, ...args: string[]) => seedspan('sample', 'model', at(model), ...args);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'seedspan-train-'));
  const pixels = Uint8Array.from({ length: 3 * 16 * 16 }, (_, k) => 40 + ((k * 7) % 160));
  await sharp(pixels, { raw: { height: 16, width: 16, channels: 3 } })
    .png()
    .toFile(at('picture.png'));
  const { code, stderr } = await train('model.safetensors', ...TINY, '--steps', '20');
  expect([code, stderr]).toEqual([0, '']);
}, 60_000);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** All tensors of a checkpoint. */
const tensors = (name: string) => readSafetensors(readFileSync(at(name))).tensors;

describe('train', () => {
  test('says what it did; in words and in JSON', async () => {
    const { code, stdout } = await train('ddpm.safetensors', ...TINY, '--steps', '3', '--method', 'ddpm');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ddpm: a network of [\d,]+ parameters, 3 steps, 3 epochs, /);
    expect(stdout).toMatch(/mean loss of the last epoch \d/);
    const json = await train(
      'na.safetensors',
      ...TINY,
      '--epochs',
      '2',
      '--variant',
      'na2024',
      '--batch',
      '2',
      '--levels',
      '4',
      '--json',
    );
    const document = JSON.parse(json.stdout);
    expect(document).toMatchObject({ command: 'train', status: 'completed', step: 2, epoch: 2 });
    expect(document.settings).toMatchObject({ variant: 'na2024', sde: 've:5', levels: 4, batchSize: 2 });
    expect(document.settings.network).toMatchObject({ width: 4, multipliers: [1, 2] });
  });

  test('interrupted, it saves, and goes on bit for bit', async () => {
    let ended: Ended = { code: null, stdout: '', stderr: '' };
    const args = ['train', at('picture.png'), '--out', at('cut.safetensors'), ...TINY, '--steps', '1000000'];
    // On a slow machine it may not have begun yet.
    for (let wait = 2500; !existsSync(at('cut.safetensors')) && wait < 40_000; wait *= 2) {
      const run = start(args);
      setTimeout(() => run.child.kill('SIGINT'), wait);
      ended = await run.ended;
    }
    expect([ended.code, ended.stdout]).toEqual([130, '']);
    const [, step] =
      ended.stderr.match(/^interrupted after step (\d+); saved: .*; --resume goes on from there$/m) ?? [];
    const steps = String(Number(step) + 3);
    const resumed = await train('cut.safetensors', '--size', '8', '--resume', '--steps', steps);
    expect([resumed.code, resumed.stderr]).toEqual([0, '']);
    const whole = await train('whole.safetensors', ...TINY, '--steps', steps);
    expect(whole.code).toBe(0);
    expect(tensors('cut.safetensors')).toEqual(tensors('whole.safetensors'));
  }, 120_000);

  test('killed, it has what was saved on the way, and goes on from there bit for bit', async () => {
    const out = at('killed.safetensors');
    const often = ['--steps', '1000000', '--save-every', '0.001'];
    const { child, ended } = start(['train', at('picture.png'), '--out', out, ...TINY, ...often]);
    const failed = ended.then(({ stderr }) => {
      if (!existsSync(out)) throw new Error(`it ended without a checkpoint: ${stderr}`);
    });
    while (!existsSync(out)) await Promise.race([failed, new Promise((resolve) => setTimeout(resolve, 20))]);
    child.kill('SIGKILL');
    await ended;
    const { metadata } = readSafetensors(readFileSync(out));
    const step = Number(JSON.stringify(metadata).match(/step\W+(\d+)/)?.[1]);
    expect(step).toBeGreaterThan(0);
    const steps = String(step + 3);
    const resumed = await train('killed.safetensors', '--size', '8', '--resume', '--steps', steps);
    expect([resumed.code, resumed.stderr]).toEqual([0, '']);
    expect((await train('straight.safetensors', ...TINY, '--steps', steps)).code).toBe(0);
    expect(tensors('killed.safetensors')).toEqual(tensors('straight.safetensors'));
  }, 120_000);

  test('goes on with the size and the channels of the checkpoint; a damaged one is refused by name', async () => {
    const grey = ['--size', '8x4', '--channels', '1', '--width', '4', '--depth', '1'];
    expect((await train('grey.safetensors', ...grey, '--steps', '1')).code).toBe(0);
    const resumed = await train('grey.safetensors', '--resume', '--steps', '2', '--json');
    expect([resumed.code, resumed.stderr, JSON.parse(resumed.stdout).step]).toEqual([0, '', 2]);
    const bytes = readFileSync(at('grey.safetensors')).subarray(0, 5000);
    writeFileSync(at('grey.safetensors'), bytes);
    const { code, stderr } = await train('grey.safetensors', '--resume', '--steps', '3');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/grey\.safetensors: .*truncated/)]);
    expect(readFileSync(at('grey.safetensors')).equals(bytes)).toBe(true);
  });

  test('a loss that is not finite: exit code 1, the step named, the state before it saved', async () => {
    const { code, stdout } = await train(
      'wild.safetensors',
      ...TINY,
      '--steps',
      '40',
      '--learning-rate',
      '1e30',
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/Stopped: at step \d+ the loss was/);
    for (const { data } of tensors('wild.safetensors').values()) {
      expect(Array.from(data as Float32Array).every(Number.isFinite)).toBe(true);
    }
  });

  test.each([
    [['--steps', '5'], 1, /exists already/, 'model.safetensors'],
    [[...TINY], 2, /give --epochs, --steps or --minutes/, 'new.safetensors'],
    [['--steps', '5'], 2, /--out must end in \.safetensors/, 'model.bin'],
    [['--steps', '0'], 2, /integer of at least 1/, 'new.safetensors'],
    [
      ['--steps', '5', '--method', 'ddpm', '--levels', '4'],
      2,
      /--levels is for --method score-embedding/,
      'new.safetensors',
    ],
    [
      ['--steps', '5', '--size', '10'],
      1,
      /10 x 10 cannot be halved 3 times.*nearest sizes.*--size/s,
      'new.safetensors',
    ],
    [['--steps', '5', '--resume'], 1, /cannot read/, 'new.safetensors'],
    [
      ['--steps', '5', '--resume', '--size', '8', '--seed', '4'],
      1,
      /seed is 4 now and was 0/,
      'model.safetensors',
    ],
    [['--steps', '5', '--resume', '--size', '16'], 1, /of other pictures/, 'model.safetensors'],
  ])('%j: exit code %i', async (args, expected, message, out) => {
    const before = existsSync(at(out)) ? statSync(at(out)).mtimeMs : undefined;
    const { code, stderr } = await train(out, ...args);
    expect([code, stderr]).toEqual([expected, expect.stringMatching(message)]);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(existsSync(at(out)) ? statSync(at(out)).mtimeMs : undefined).toBe(before);
  });
});

describe('sample model', () => {
  test('draws from noise, the same for the same seed', async () => {
    const draw = async (out: string, ...args: string[]) => {
      const { code, stderr } = await sample('model.safetensors', '--out', at(out), '--count', '3', ...args);
      expect([code, stderr]).toEqual([0, '']);
    };
    await draw('a.npy');
    await draw('b.npy');
    await draw('c.npy', '--seed', '1');
    await draw('a.png', '--scale', '2');
    const [a, b, c] = ['a.npy', 'b.npy', 'c.npy'].map((name) => readNpy(readFileSync(at(name))));
    expect(a.shape).toEqual([3, 3, 8, 8]);
    expect(b.data).toEqual(a.data);
    expect(c.data).not.toEqual(a.data);
    // Two beside each other and one below, a pixel between them.
    const { width, height } = await sharp(at('a.png')).metadata();
    expect([width, height]).toEqual([34, 34]);
  });

  test('from a picture, compared with what needs no training', async () => {
    const args = ['--picture', at('picture.png'), '--out', at('d.png')];
    const { code, stdout } = await sample('model.safetensors', ...args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/sample +\S+ .*\nthe noisy picture .*\nits best blur, \S+ pixels/);
    const json = await sample('model.safetensors', ...args, '--force', '--json', '--steps', '4');
    const document = JSON.parse(json.stdout);
    expect(document).toMatchObject({ command: 'sample model', evaluations: 4 });
    expect(document.measures.samples).toHaveLength(1);
  });

  test.each([
    [['--out', 'x.jpg'], 2, /--out must end in \.png or \.npy/],
    [['--out', 'x.png', '--steps', '0'], 2, /integer of at least 1/],
    [['--out', 'x.png', '--sampler', 'magic'], 2, /Allowed choices are lau2025/],
    [['--out', 'x.png', '--start', 'picture'], 2, /--start picture needs --picture/],
    [['--out', 'x.png', '--sampler', 'rk45', '--steps', '4'], 2, /--steps is not for rk45/],
    [['--out', 'x.png', '--sampler', 'ddim'], 1, /ddim needs the score at every noise level/],
    [['--out', 'x.png', '--image', '2'], 1, /image is 2, but the model knows 1/],
  ])('%j: exit code %i', async ([, out, ...args], expected, message) => {
    const { code, stderr } = await sample('model.safetensors', '--out', at(out), ...args);
    expect([code, stderr]).toEqual([expected, expect.stringMatching(message)]);
    expect(existsSync(at(out))).toBe(false);
  });

  test('a checkpoint that is truncated, or another file, is refused by name', async () => {
    writeFileSync(at('short.safetensors'), readFileSync(at('model.safetensors')).subarray(0, 5000));
    for (const name of ['short.safetensors', 'picture.png']) {
      const { code, stderr } = await sample(name, '--out', at('y.png'));
      expect(code).toBe(1);
      expect(stderr).toContain(name);
      expect(stderr).not.toMatch(/^ +at /m);
    }
  });
});
