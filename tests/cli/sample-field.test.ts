import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readNpy, writeNpy } from '../../src/formats/index.ts';
import { seedspan, start } from './cli.ts';

let folder: string;
const at = (name: string) => join(folder, name);
const sample = (...args: string[]) => seedspan('sample', 'field', ...args);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'seedspan-sample-'));
  // Dark on the left, light on the right.
  const pixels = Uint8Array.from({ length: 20 * 30 }, (_, k) => (k % 30 < 10 ? 20 : 235));
  await sharp(pixels, { raw: { height: 20, width: 30, channels: 1 } })
    .png()
    .toFile(at('picture.png'));
  const white = new Uint8Array(100).fill(255);
  await sharp(white, { raw: { height: 10, width: 10, channels: 1 } })
    .png()
    .toFile(at('white.png'));
  writeFileSync(at('no-picture.png'), 'text');
  const data = Float64Array.from({ length: 400 }, (_, k) =>
    k % 2 === 0 ? 100 + Math.sin(k) : 5 + Math.cos(k) / 2,
  );
  writeFileSync(at('points.npy'), writeNpy({ data, shape: [200, 2] }));
  const lines = Array.from({ length: 200 }, (_, k) => `${data[2 * k]},${data[2 * k + 1]}`);
  writeFileSync(at('points.csv'), `x,y\n${lines.join('\n')}\n`);
  writeFileSync(at('text.csv'), '1,2\n3,4\n5,blue\n');
  writeFileSync(at('hole.csv'), '1,2\n,4\n');
  writeFileSync(at('cube.npy'), writeNpy({ data: new Float64Array(8), shape: [2, 2, 2] }));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('sample field', () => {
  test('a picture as dots, dark where it is dark', async () => {
    const { code, stdout, stderr } = await sample(
      '--picture',
      at('picture.png'),
      '--points',
      '20000',
      '--pixels',
      '300',
      '--out',
      at('dots.png'),
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^20,000 points by heun, 50 steps/);
    const { data, info } = await sharp(at('dots.png'))
      .greyscale()
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([300, 200]);
    const mean = (from: number, to: number) => {
      const part = data.filter((_, k) => k % 300 >= from && k % 300 < to);
      return part.reduce((sum, value) => sum + value, 0) / part.length;
    };
    expect(mean(0, 95)).toBeLessThan(40);
    expect(mean(105, 300)).toBeGreaterThan(230);
  });

  test('the same command gives the same points; another seed others; every sampler works', async () => {
    const draw = async (name: string, ...more: string[]) => {
      const { code } = await sample(
        '--picture',
        at('picture.png'),
        '--points',
        '50',
        '--steps',
        '5',
        '--out',
        at(name),
        ...more,
      );
      expect(code).toBe(0);
      return readNpy(readFileSync(at(name)));
    };
    const first = await draw('a.npy');
    expect(first.shape).toEqual([50, 2]);
    expect(await draw('b.npy')).toEqual(first);
    expect((await draw('c.npy', '--seed', '1')).data).not.toEqual(first.data);
    for (const [k, sampler] of ['euler', 'euler-maruyama', 'predictor-corrector', 'ddpm', 'ddim'].entries()) {
      expect((await draw(`s${k}.npy`, '--sampler', sampler)).data).not.toEqual(first.data);
    }
  });

  test.each(['csv', 'npy'])('points of a .%s file: others like them, in their own units', async (kind) => {
    const out = at(`like-${kind}.npy`);
    const { code, stdout } = await sample(
      '--data',
      at(`points.${kind}`),
      '--points',
      '4000',
      '--out',
      out,
      '--json',
      '--measures',
    );
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    expect(document.bandwidth).toBeGreaterThan(0);
    expect(document.measures.slicedWasserstein.samples).toBeLessThan(
      3 * document.measures.slicedWasserstein.floor,
    );
    const { data } = readNpy(readFileSync(out));
    for (const [axis, middle, reach] of [
      [0, 100, 1.4],
      [1, 5, 0.9],
    ] as const) {
      const values = Array.from(data).filter((_, k) => k % 2 === axis);
      expect(Math.abs(values.reduce((sum, value) => sum + value, 0) / 4000 - middle)).toBeLessThan(0.1);
      for (const value of values) expect(Math.abs(value - middle)).toBeLessThan(reach);
    }
  });

  test('dots as SVG, and the way from noise', async () => {
    expect((await sample('--data', at('points.csv'), '--points', '30', '--out', at('dots.svg'))).code).toBe(
      0,
    );
    expect(readFileSync(at('dots.svg'), 'utf8').match(/h0/g)).toHaveLength(30);
    for (const [name, frames, pages] of [
      ['way.webp', 4, 4],
      ['way.gif', 99, 7],
    ] as const) {
      const { code } = await sample(
        '--picture',
        at('picture.png'),
        '--points',
        '300',
        '--steps',
        '6',
        '--pixels',
        '60',
        '--frames',
        String(frames),
        '--out',
        at(name),
      );
      expect(code).toBe(0);
      expect((await sharp(at(name), { animated: true }).metadata()).pages).toBe(pages);
    }
  });

  test.each([
    ['neither picture nor data', 2, /either --picture or --data/, []],
    ['both', 2, /either --picture or --data/, ['--picture', 'picture.png', '--data', 'points.csv']],
    ['no steps', 2, /--steps/, ['--picture', 'picture.png', '--steps', '0']],
    ['no points', 2, /--points/, ['--picture', 'picture.png', '--points', '0']],
    ['an unknown sampler', 2, /--sampler/, ['--picture', 'picture.png', '--sampler', 'rk4']],
    ['eta of another sampler', 2, /ddim/, ['--picture', 'picture.png', '--eta', '0.5']],
    ['frames of a still', 2, /--frames/, ['--picture', 'picture.png', '--frames', '5']],
    ['a bandwidth of a picture', 2, /--bandwidth/, ['--picture', 'picture.png', '--bandwidth', '5']],
    [
      'a picture that is none',
      1,
      /cannot read the picture .*no-picture.png/,
      ['--picture', 'no-picture.png'],
    ],
    ['a picture that is missing', 1, /does not exist/, ['--picture', 'missing.png']],
    ['a white picture', 1, /nothing is to be drawn/, ['--picture', 'white.png', '--normalise', 'none']],
    [
      'text among the numbers',
      1,
      /text.csv: readPointsCsv: line 3, entry 2 is "blue"/,
      ['--data', 'text.csv'],
    ],
    ['a hole', 1, /hole.csv: readPointsCsv: line 2, entry 1 is empty/, ['--data', 'hole.csv']],
    ['an array of other shape', 1, /cube.npy: points must be/, ['--data', 'cube.npy']],
    ['points that are none', 1, /not a .npy file|is not/, ['--data', 'no-points.npy']],
  ])('%s: exit code %i, and nothing is written', async (_, wanted, message, args) => {
    writeFileSync(at('no-points.npy'), 'text');
    const before = readdirSync(folder);
    const paths = args.map((arg) => (/\.\w{3}$/.test(arg) ? at(arg) : arg));
    const { code, stderr } = await sample(...paths, '--out', at('never.png'));
    expect([code, stderr]).toEqual([wanted, expect.stringMatching(message)]);
    expect(readdirSync(folder)).toEqual(before);
  });

  test('an existing file is kept without --force, and other endings are refused', async () => {
    writeFileSync(at('mine.png'), 'mine');
    const args = ['--picture', at('picture.png'), '--points', '10', '--out', at('mine.png')];
    expect((await sample(...args)).code).toBe(1);
    expect(readFileSync(at('mine.png'), 'utf8')).toBe('mine');
    expect((await sample(...args, '--force')).code).toBe(0);
    expect((await sample('--picture', at('picture.png'), '--out', at('dots.bmp'))).code).toBe(2);
  });

  test('interrupted, it writes nothing and says so', async () => {
    const { child, ended } = start([
      'sample',
      'field',
      '--picture',
      at('picture.png'),
      '--points',
      '2000000',
      '--steps',
      '2000',
      '--sampler',
      'ddpm',
      '--out',
      at('long.png'),
    ]);
    setTimeout(() => child.kill('SIGINT'), 2500);
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([130, expect.stringContaining('interrupted')]);
    expect(existsSync(at('long.png'))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
