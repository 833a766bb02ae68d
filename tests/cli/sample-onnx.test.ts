import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawNoise, parseSde, sampleDdim, samplingTimes } from '../../src/diffusion/index.ts';
import { readNpy } from '../../src/formats/index.ts';
import { scoreOf } from '../diffusion/samplers/gaussian.ts';
import { gaussianNetwork } from '../onnx/networks.ts';
import { seedspan } from './cli.ts';

const DATA = { mean: 0.7, variance: 0.09 };
const SDE = 'vp:0.5,4';
let folder: string;
const at = (name: string) => join(folder, name);
const ARGS = ['--shape', '2', '--parametrisation', 'epsilon', '--output', 'epsilon', '--sde', SDE];
const onnx = (file: string, ...args: string[]) => seedspan('sample', 'onnx', at(file), ...args);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'seedspan-onnx-'));
  writeFileSync(at('gauss.onnx'), gaussianNetwork(DATA, 'epsilon', { type: 'float32', shape: [] }));
  writeFileSync(at('text.onnx'), 'not a network');
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('sample onnx', () => {
  test('draws what the exact score of the same data gives, through the same sampler', async () => {
    const args = [...ARGS, '--count', '40', '--steps', '12', '--seed', '3', '--json'];
    const { code, stdout, stderr } = await onnx('gauss.onnx', ...args, '--out', at('x.npy'));
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({
      command: 'sample onnx',
      evaluations: 12,
      options: { sde: SDE, sampler: 'ddim', count: 40 },
    });
    const { data, shape } = readNpy(readFileSync(at('x.npy')));
    expect(shape).toEqual([40, 2]);
    const sde = parseSde(SDE);
    const start = drawNoise([40, 2], { sde, seed: 3 });
    const { x } = await sampleDdim(scoreOf({ ...DATA, sde }), start, samplingTimes({ steps: 12 }), {
      sde,
      seed: 3,
    });
    expect(Math.max(...x.data.map((value, k) => Math.abs(value - Number(data[k]))))).toBeLessThan(1e-4);
  });

  test('mistakes are told, and nothing is written', async () => {
    const out = at('no.npy');
    const bad: [number, RegExp, string, ...string[]][] = [
      [1, /text\.onnx: .*no ONNX network/, 'text.onnx', ...ARGS],
      [1, /no input "y"; it has: x/, 'gauss.onnx', ...ARGS, '--input', 'y'],
      [1, /no output "score"; it has: epsilon/, 'gauss.onnx', ...ARGS, '--output', 'score'],
      [2, /--until/, 'gauss.onnx', ...ARGS, '--until', '1'],
      [2, /integer of at least 1/, 'gauss.onnx', ...ARGS, '--steps', '0'],
      [2, /--parametrisation/, 'gauss.onnx', '--shape', '2'],
    ];
    for (const [exit, message, file, ...args] of bad) {
      const { code, stderr } = await onnx(file, ...args, '--out', out);
      expect([code, stderr]).toEqual([exit, expect.stringMatching(message)]);
    }
    const png = await onnx('gauss.onnx', ...ARGS, '--out', at('no.png'));
    expect([png.code, png.stderr]).toEqual([2, expect.stringContaining('--shape 1,height,width')]);
    expect([existsSync(out), existsSync(at('no.png'))]).toEqual([false, false]);
  });
});
