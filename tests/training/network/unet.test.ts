import type { Scalar, Tensor, Variable } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/diffusion/random.ts';
import {
  createNetwork,
  createUnet,
  describeNetwork,
  loadTensors,
  parameterCount,
  type Tensors,
  UNET_PRESETS,
  type UnetOptions,
} from '../../../src/training/index.ts';
import { expectError } from '../../sparse/expect-error.ts';
import { expectNoTensorsLeft } from '../no-tensors-left.ts';
import { CASES, makeBatch, makePair, parametersOf, toTensors, twinOf } from './networks.ts';

const tf = await loadTensors();
expectNoTensorsLeft(tf);

const small: UnetOptions = { size: 8, width: 8, multipliers: [1, 2] };

async function onBackend(backend: string, work: (tf: Tensors) => void): Promise<void> {
  try {
    work(await loadTensors({ backend }));
  } finally {
    await loadTensors();
  }
}

describe.each(Object.entries(CASES))('the U-Net %s', (_, options) => {
  it.each(['wasm', 'cpu'])('is what plain loops make of it, on %s', async (backend) => {
    await onBackend(backend, () => {
      const { network, twin } = makePair(tf, options);
      const batch = makeBatch(network, 3);
      const expected = twin.apply(batch.x, batch.t, batch.index);
      tf.tidy(() => {
        const { x, t, index } = toTensors(tf, batch);
        const y = network.apply(x, t, { index });
        expect(y.shape).toEqual(expected.shape);
        const scale = Math.max(...expected.data.map(Math.abs));
        const error = Math.max(...y.dataSync().map((value, k) => Math.abs(value - expected.data[k])));
        expect(scale).toBeGreaterThan(0.1);
        expect(error / scale).toBeLessThan(2e-5);
      });
      network.dispose();
    });
  });

  it("has the gradient that differences of the loops' double precision have", () => {
    const { network } = makePair(tf, options);
    const batch = makeBatch(network, 2);
    const parameters = parametersOf(network);
    const size = parameterCount(network);
    const { normal } = randomStream(7);
    const { outputChannels } = network.options as { outputChannels: number };
    const [count, height, width] = batch.x.shape;
    const target = Float64Array.from({ length: count * height * width * outputChannels }, () => normal());
    const direction = new Map(
      [...parameters].map(([name, { data }]) => [name, Float64Array.from(data, () => normal())]),
    );
    const lossAt = (step: number) => {
      const moved = new Map(
        [...parameters].map(([name, { shape, data }]) => {
          const along = direction.get(name) as Float64Array;
          return [name, { shape, data: Float64Array.from(data, (value, k) => value + step * along[k]) }];
        }),
      );
      const y = twinOf(network, moved).apply(batch.x, batch.t, batch.index);
      return y.data.reduce((sum, value, k) => sum + (value - target[k]) ** 2, 0) / y.data.length;
    };
    // Short enough that no pixel of a pool overtakes another.
    const h = 1e-6;
    const expected = (lossAt(h) - lossAt(-h)) / (2 * h);
    const { x, t, index } = toTensors(tf, batch);
    const { value, grads } = tf.variableGrads(() => {
      const y = network.apply(x, t, { index });
      return tf.mean(tf.squaredDifference(y, tf.tensor(Float32Array.from(target), y.shape))) as Scalar;
    });
    expect(Math.abs(value.dataSync()[0] / lossAt(0) - 1)).toBeLessThan(1e-4);
    let found = 0;
    let squares = 0;
    for (const [name, variable] of network.parameters) {
      const along = direction.get(name) as Float64Array;
      const gradient = grads[(variable as Variable).name].dataSync();
      gradient.forEach((entry, k) => {
        found += entry * along[k];
        squares += entry ** 2;
      });
    }
    expect(size).toBeGreaterThan(100);
    // Of the gradient's length, since a direction may be nearly at a right angle to it.
    expect(Math.abs(found - expected) / Math.max(Math.abs(expected), Math.sqrt(squares))).toBeLessThan(1e-3);
    tf.dispose([x, t, value, grads, ...(index ? [index] : [])]);
    network.dispose();
  });

  it('is the same network again by its kind and options', () => {
    const network = createUnet(tf, { ...options, seed: 3 });
    const again = createNetwork(tf, network.kind, JSON.parse(JSON.stringify(network.options)));
    expect(again.options).toEqual(network.options);
    expect(parametersOf(again)).toEqual(parametersOf(network));
    const other = createUnet(tf, { ...options, seed: 4 });
    expect(parametersOf(other)).not.toEqual(parametersOf(network));
    for (const each of [network, again, other]) each.dispose();
  });
});

describe('presets', () => {
  const count = (options: UnetOptions) => {
    const network = createUnet(tf, options);
    const parameters = parameterCount(network);
    network.dispose();
    return parameters;
  };

  it('have the sizes that the papers say', () => {
    // Ho et al. 2020, appendix B: 35.7 million for CIFAR-10; the linear embedding of the time adds a layer.
    expect(count({ preset: 'na2024', size: 32, timeEmbedding: 'sinusoidal' }) / 1e6).toBeCloseTo(35.7, 1);
    // A quarter of the channels, 64 to 1024: by the formulas of its layers.
    const channels = UNET_PRESETS.lau2025.multipliers.map((multiplier) => multiplier * 16);
    const block = (from: number, to: number) => 9 * from * to + to + 2 * to + (9 * to * to + to + 2 * to);
    const down = channels.map((to, k) => block(k === 0 ? 3 : channels[k - 1], to));
    const up = channels.slice(1).map((from, k) => block(from + channels[k], channels[k]));
    const bottom = channels[4];
    const rest = 4 * (bottom * bottom + bottom) + 2 * bottom + 16 * 3 + 3;
    expect(count({ size: 32, width: 16 })).toBe([...down, ...up, rest].reduce((sum, part) => sum + part));
  });

  it('shrink', () => {
    const network = createUnet(tf, { size: 32, width: 16, multipliers: [1, 2, 4, 8] });
    expect(parameterCount(network)).toBe(555043);
    const lines = describeNetwork(network).split('\n');
    expect(lines.slice(0, 2)).toEqual(['unet: 555043 parameters', 'down.0.0.conv.weight [3, 3, 3, 16]']);
    expect(lines.length).toBe(1 + network.parameters.size);
    network.dispose();
  });

  it('begin as the papers do: a residual network at zero', () => {
    const network = createUnet(tf, { ...small, preset: 'na2024' });
    const y = tf.tidy(() => network.apply(tf.ones([1, 8, 8, 3]), tf.tensor1d([0.5])));
    expect(y.dataSync().every((value) => value === 0)).toBe(true);
    y.dispose();
    network.dispose();
  });
});

describe('dropout', () => {
  const run = (work: (apply: (options: object) => Float32Array) => void) => {
    const { network } = makePair(tf, { ...small, dropout: 0.5 });
    const apply = (options: object) =>
      tf.tidy(() => network.apply(tf.ones([1, 8, 8, 3]), tf.tensor1d([0.5]), options).dataSync<'float32'>());
    work(apply);
    network.dispose();
  };

  it('is at work in training alone, and the same for the same seed', () => {
    run((apply) => {
      const still = apply({});
      expect(apply({ dropoutSeed: 1 })).toEqual(still);
      const dropped = apply({ training: true, dropoutSeed: 1 });
      expect(dropped).not.toEqual(still);
      expect(apply({ training: true, dropoutSeed: 1 })).toEqual(dropped);
      expect(apply({ training: true, dropoutSeed: 2 })).not.toEqual(dropped);
    });
  });

  it('asks for its seed', () => {
    run((apply) =>
      expectError(() => apply({ training: true }), 'INVALID_VALUE', /drops out 0.5.*dropoutSeed/),
    );
  });
});

describe('options', () => {
  it.each<[string, UnetOptions, RegExp]>([
    [
      'a size that cannot be halved',
      { size: 28, multipliers: [1, 2, 4, 8] },
      /28 x 28 cannot be halved 3 times.*4 levels.*24 x 24 and 32 x 32/,
    ],
    ['a side that cannot be', { size: [32, 5], multipliers: [1, 2] }, /32 x 5 .* 32 x 4 and 32 x 6/],
    ['a picture too small', { size: 3, multipliers: [1, 1, 1] }, /nearest sizes that can be are 4 x 4, or/],
    ['no size', {} as UnetOptions, /size is undefined/],
    ['no level', { ...small, multipliers: [] }, /multipliers is Array\(0\)/],
    ['half a level', { ...small, multipliers: [1, 0.5] }, /multipliers\[1\] is 0.5/],
    ['half a channel', { ...small, width: 1.5 }, /width is 1.5/],
    [
      'an unknown preset',
      { ...small, preset: 'ddpm' as 'na2024' },
      /preset is "ddpm", must be "lau2025", "na2024"/,
    ],
    ['an unknown block', { ...small, blocks: 'dense' as 'plain' }, /blocks is "dense"/],
    [
      'attention nowhere',
      { ...small, attention: ['top' as 'bottom'] },
      /attention must be an array of sides/,
    ],
    ['full dropout', { ...small, dropout: 1 }, /dropout is 1, must be below 1/],
    ['a broken seed', { ...small, seed: -1 }, /seed is -1/],
    ['a negative scale', { ...small, timeScale: -1 }, /timeScale is -1/],
  ])('refuse %s', (_, options, message) => {
    expectError(() => createUnet(tf, options), 'INVALID_VALUE', message);
  });

  it('refuse names and kinds that are none', () => {
    const options = { ...small, depth: 3 } as UnetOptions;
    expectError(() => createUnet(tf, options), 'UNKNOWN_OPTION', /unknown option "depth"/);
    expectError(
      () => createNetwork(tf, 'toString', small),
      'INVALID_VALUE',
      /no kind "toString"; known: mlp, unet/,
    );
  });
});

describe('apply', () => {
  it('refuses what the network does not take, and leaves nothing', () => {
    const network = createUnet(tf, { ...small, images: 2 });
    const on = (shape: number[], times: number, options = {}) =>
      expectError.bind(undefined, () => {
        tf.tidy(() => network.apply(tf.zeros(shape), tf.zeros([times]), options));
      });
    on([1, 8, 9, 3], 1)('SHAPE_MISMATCH', /takes \[batch, 8, 8, 3\], not \[1, 8, 9, 3\]/);
    on([8, 8, 3], 1)('SHAPE_MISMATCH', /not \[8, 8, 3\]/);
    on([2, 8, 8, 3], 1)('SHAPE_MISMATCH', /one t a sample: \[2\], not \[1\]/);
    on([2, 8, 8, 3], 2)('INVALID_VALUE', /embedding of 2 images: give index/);
    const index: Tensor = tf.zeros([3]);
    on([2, 8, 8, 3], 2, { index })('SHAPE_MISMATCH', /one index a sample: \[2\], not \[3\]/);
    index.dispose();
    network.dispose();
    on([1, 8, 8, 3], 1)('DISPOSED', /was disposed/);
  });
});
