import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-web';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { varianceExploding, variancePreserving } from '../../src/diffusion/index.ts';
import { loadOnnxScore, type OnnxScore, type OnnxScoreOptions } from '../../src/onnx/index.ts';
import { onnxModel } from './model.ts';
import { productNetwork } from './networks.ts';

const sde = varianceExploding(5);
const x = Float64Array.of(1, 2, 3, 4, 5, 6);
const plain: OnnxScoreOptions = { shape: [2], parametrisation: 'score' };

/** Every session that was made must be released by the end of a test. */
const open = new Set<InferenceSession>();
const { create } = InferenceSession;
vi.spyOn(InferenceSession, 'create').mockImplementation(async (...given) => {
  const session = await (create as (...all: unknown[]) => Promise<InferenceSession>)(...given);
  open.add(session);
  const release = session.release.bind(session);
  session.release = async () => {
    await release();
    open.delete(session);
  };
  return session;
});
afterEach(() => expect(open.size).toBe(0));

async function withNetwork<T>(
  model: Uint8Array,
  options: Partial<OnnxScoreOptions>,
  use: (network: OnnxScore) => T | Promise<T>,
): Promise<T> {
  const network = await loadOnnxScore(model, { ...plain, ...options });
  try {
    return await use(network);
  } finally {
    await network.dispose();
  }
}

describe('the time that a network gets', () => {
  const t = 0.3;
  const { variance } = sde.transition(t);
  it.each([
    ['time', undefined, t],
    ['sigma', 'sigma', Math.sqrt(variance)],
    ['log-variance', 'log-variance', Math.log(variance)],
    ['step', 'step', 999 * t],
    ['a function', (given: number) => 10 * given, 10 * t],
  ] as const)('is %s', async (_, time, expected) => {
    const y = await withNetwork(productNetwork(), { time }, (network) => network.score(sde)(x, t));
    expect(y.every((value, k) => Math.abs(value / (x[k] * expected) - 1) < 1e-6)).toBe(true);
  });

  it.each([
    [{ shape: [] }, 299.7],
    [{ shape: [1] }, 299.7],
    [{ shape: ['n', 1] }, 299.7],
    [{ shape: ['n', 'one'] }, 299.7],
    [{ shape: [], type: 'float64' }, 299.7],
    [{ shape: [], type: 'int64' }, 300],
    [{ shape: ['n', 1], type: 'int64' }, 300],
    [{ shape: [1], type: 'int32' }, 300],
  ] as const)('comes as %o', async (declared, expected) => {
    const model = productNetwork({ ...declared, shape: [...declared.shape] });
    const y = await withNetwork(model, { time: 'step' }, (network) => network.score(sde)(x, t));
    expect(Array.from(y)).toEqual(Array.from(x, (value) => Math.fround(value * Math.fround(expected))));
  });
});

it('a file that fixes the number of samples gets as many, and others get their own', async () => {
  const fixed = productNetwork({ shape: [2, 1] }, { shape: [2, 2] });
  const y = await withNetwork(fixed, {}, (network) => network.score(sde)(x, 0.5));
  expect(Array.from(y)).toEqual([0.5, 1, 1.5, 2, 2.5, 3]);
});

it('what a network makes of padding does not matter', async () => {
  const quotient = onnxModel({
    inputs: [
      { name: 'x', shape: [4, 2] },
      { name: 't', shape: [] },
    ],
    outputs: [{ name: 'y', shape: [4, 2] }],
    nodes: [
      ['Div', ['x', 'x'], 'one'],
      ['Mul', ['one', 't'], 'y'],
    ],
  });
  const y = await withNetwork(quotient, {}, (network) => network.score(sde)(x, 0.5));
  expect(Array.from(y)).toEqual(Array(6).fill(0.5));
});

it('double precision is kept where the file has it', async () => {
  const model = productNetwork({ shape: [], type: 'float64' }, { shape: ['n', 2], type: 'float64' });
  const y = await withNetwork(model, {}, (network) => network.score(sde)(x, 0.1));
  expect(Array.from(y)).toEqual(Array.from(x, (value) => value * 0.1));
});

describe('further inputs', () => {
  const model = onnxModel({
    inputs: [
      { name: 'x', shape: ['n', 2] },
      { name: 't', shape: [] },
      { name: 'label', type: 'int64', shape: ['n'] },
      { name: 'guide', shape: ['n', 'k'] },
    ],
    outputs: [
      { name: 'y', shape: ['n', 2] },
      { name: 'z', shape: ['n', 2] },
    ],
    nodes: [
      ['Gather', ['table', 'label'], 'own'],
      ['Mul', ['own', 'x'], 'z'],
      ['Add', ['z', 'guide'], 'y'],
    ],
    constants: { table: { data: [1, 1, 10, 100], shape: [2, 2] } },
  });
  const guide = { data: [0.5, 0.25], shape: [2] };

  it('are given by name, of one sample', async () => {
    const [first, second, other] = await withNetwork(model, { output: 'y' }, async (network) => [
      await network.score(sde, { label: 0, guide })(x, 0.5),
      await network.score(sde, { label: 1, guide })(x, 0.5),
      await withNetwork(model, { output: 'z' }, (z) => z.score(sde, { label: 1, guide })(x, 0.5)),
    ]);
    expect(Array.from(first)).toEqual([1.5, 2.25, 3.5, 4.25, 5.5, 6.25]);
    expect(Array.from(second)).toEqual([10.5, 200.25, 30.5, 400.25, 50.5, 600.25]);
    expect(Array.from(other)).toEqual([10, 200, 30, 400, 50, 600]);
  });

  it.each([
    ['none', {}, 'INVALID_VALUE', /needs a value for its input label/],
    [
      'one that is not there',
      { label: 1, guide, lable: 1 },
      'INVALID_VALUE',
      /no further input "lable"; it has: label/,
    ],
    ['half a class', { label: 0.5, guide }, 'INVALID_VALUE', /label int64 \[n\] needs an integer, not 0.5/],
    ['a number without length', { label: 1, guide: 2 }, 'SHAPE_MISMATCH', /free length; give its numbers/],
    [
      'too few numbers',
      { label: 1, guide: { data: [1], shape: [2] } },
      'SHAPE_MISMATCH',
      /1 numbers of shape \[2\]/,
    ],
    [
      'text',
      { label: 1, guide: 'no' as unknown as number },
      'INVALID_TYPE',
      /number or \{data, shape\}, not "no"/,
    ],
  ] as const)('%s is refused', async (_, constants, code, message) => {
    await withNetwork(model, { output: 'y' }, async (network) => {
      const make = () => network.score(sde, constants);
      expect(make).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
    });
  });

  it('that do not fit within the network are its failure, told with its words', async () => {
    await withNetwork(model, { output: 'y' }, async (network) => {
      const score = network.score(sde, { label: 7, guide });
      await expect(score(x, 0.5)).rejects.toMatchObject({
        code: 'INVALID_VALUE',
        message: /network failed at t = 0.5/,
      });
    });
  });

  it('and outputs have names, which a message lists', async () => {
    const load = (options: Partial<OnnxScoreOptions>) => loadOnnxScore(model, { ...plain, ...options });
    await expect(load({})).rejects.toMatchObject({
      code: 'INVALID_VALUE',
      message: /which output\? Give one of y, z/,
    });
    await expect(load({ output: 'eps' })).rejects.toMatchObject({
      code: 'INVALID_VALUE',
      message: /no output "eps"; it has: y float32 \[n, 2\], z/,
    });
    await expect(load({ output: 'y', inputs: { x: 'sample' } })).rejects.toMatchObject({
      code: 'INVALID_VALUE',
      message: /no input "sample"; it has: x float32 \[n, 2\], t float32 \[\], label int64 \[n\]/,
    });
  });
});

describe('files', () => {
  it('are read by path, and missing ones named', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'seedspan-onnx-'));
    try {
      const file = join(folder, 'network.onnx');
      await expect(loadOnnxScore(file, plain)).rejects.toMatchObject({ code: 'IO', message: /network.onnx/ });
      writeFileSync(file, productNetwork());
      const network = await loadOnnxScore(file, plain);
      expect(network.outputs).toEqual([{ name: 'y', type: 'float32', shape: ['n', 2] }]);
      await network.dispose();
      writeFileSync(file, 'text');
      await expect(loadOnnxScore(file, plain)).rejects.toMatchObject({ code: 'BAD_FORMAT' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('may be an ArrayBuffer', async () => {
    const network = await loadOnnxScore(productNetwork().buffer as ArrayBuffer, plain);
    await network.dispose();
  });

  it.each([
    ['text', new TextEncoder().encode('x,y\n1,2\n'), 'BAD_FORMAT'],
    ['nothing', new Uint8Array(0), 'BAD_FORMAT'],
    ['half a file', productNetwork().slice(0, 60), 'BAD_FORMAT'],
    [
      'an operator that is none',
      onnxModel({
        inputs: [{ name: 'x', shape: ['n', 2] }],
        outputs: [{ name: 'y', shape: ['n', 2] }],
        nodes: [['Magic', ['x'], 'y']],
      }),
      'UNSUPPORTED',
    ],
    ['an array', [1, 2, 3] as unknown as Uint8Array, 'INVALID_TYPE'],
  ])('%s is refused', async (_, model, code) => {
    await expect(loadOnnxScore(model, plain)).rejects.toMatchObject({ name: 'SeedspanError', code });
  });
});

describe('what does not fit', () => {
  it.each([
    [
      'shape',
      { shape: [3] },
      'SHAPE_MISMATCH',
      /x float32 \[n, 2\] does not take or give samples of shape \[3\]/,
    ],
    ['axes', { shape: [1, 2] }, 'SHAPE_MISMATCH', /samples of shape \[1, 2\]/],
    ['no shape', { shape: undefined }, 'INVALID_TYPE', /shape must be that of one sample/],
    ['a zero', { shape: [0] }, 'INVALID_VALUE', /an entry of shape/],
    ['parametrisation', { parametrisation: 'x0' }, 'INVALID_VALUE', /"score", "epsilon", "v"/],
    ['no parametrisation', { parametrisation: undefined }, 'INVALID_VALUE', /parametrisation/],
    ['time', { time: 'hours' }, 'INVALID_VALUE', /"step"/],
    ['a name', { inputs: { x: 5 } }, 'INVALID_TYPE', /inputs.x must be a name/],
    ['an option', { clip: true }, 'UNKNOWN_OPTION', /"clip"/],
    ['batch', { batch: 0 }, 'INVALID_VALUE', /batch/],
    ['provider', { executionProviders: ['magic'] }, 'UNSUPPORTED', /no execution provider/],
  ])('%s', async (_, options, code, message) => {
    const wrong = { ...plain, ...options } as OnnxScoreOptions;
    await expect(loadOnnxScore(productNetwork(), wrong)).rejects.toMatchObject({ code, message });
  });

  it.each([
    [
      'time of two numbers',
      productNetwork({ shape: ['n', 2] }),
      'SHAPE_MISMATCH',
      /one number, or one a sample/,
    ],
    [
      'whole t',
      productNetwork({ shape: [], type: 'int64' }),
      'INVALID_VALUE',
      /takes integers; time must be 'step'/,
    ],
    [
      'time as bool',
      productNetwork({ shape: [], type: 'bool' }),
      'INVALID_TYPE',
      /t bool \[\] must be float32/,
    ],
    ['x as int64', productNetwork({ shape: [] }, { shape: ['n', 2], type: 'int64' }), 'BAD_FORMAT', /Mul/],
  ])('%s', async (_, model, code, message) => {
    await expect(loadOnnxScore(model, plain)).rejects.toMatchObject({ code, message });
  });

  it('half a sample, variance 0, no equation', async () => {
    await withNetwork(productNetwork(), { parametrisation: 'epsilon' }, async (network) => {
      const score = network.score(variancePreserving());
      await expect(score(x.subarray(0, 3), 0.5)).rejects.toMatchObject({ code: 'SHAPE_MISMATCH' });
      await expect(score(x, 0)).rejects.toMatchObject({
        code: 'INVALID_VALUE',
        message: /variance at t = 0 is 0/,
      });
      const bare = { diffusion: () => 1 } as unknown as typeof sde;
      expect(() => network.score(bare)).toThrow(expect.objectContaining({ code: 'INVALID_TYPE' }));
    });
  });

  it('an output of another size, or that is not finite', async () => {
    const pair = onnxModel({
      inputs: [
        { name: 'x', shape: ['n', 2] },
        { name: 't', shape: [] },
      ],
      outputs: [{ name: 'y', shape: ['m', 2] }],
      nodes: [['Concat', ['x', 'x'], 'y', { axis: 0 }]],
    });
    await withNetwork(pair, {}, async (network) => {
      await expect(network.score(sde)(x, 0.5)).rejects.toMatchObject({
        code: 'SHAPE_MISMATCH',
        message: /output y is \[6, 2\], but 3 samples of shape \[2\] have 6 numbers/,
      });
    });
    await withNetwork(productNetwork(), { time: () => 1e38 }, async (network) => {
      await expect(
        network.score(sde)(
          x.map((v) => v * 1e3),
          0.5,
        ),
      ).rejects.toMatchObject({
        code: 'INVALID_VALUE',
        message: /output y is Infinity at t = 0.5 \(number 0\)/,
      });
    });
    await withNetwork(productNetwork(), { time: () => Number.NaN }, async (network) => {
      await expect(network.score(sde)(x, 0.5)).rejects.toMatchObject({
        message: /needs a finite number, not NaN/,
      });
    });
  });
});

it('disposal waits for the run under way, is done once, and ends use', async () => {
  const network = await loadOnnxScore(productNetwork(), plain);
  const score = network.score(sde);
  const running = score(x, 0.5);
  await Promise.all([network.dispose(), network.dispose()]);
  expect(Array.from(await running)).toEqual([0.5, 1, 1.5, 2, 2.5, 3]);
  await expect(score(x, 0.5)).rejects.toMatchObject({ code: 'DISPOSED' });
  expect(() => network.score(sde)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
});
