import type { Scalar } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/diffusion/random.ts';
import { readSafetensors, writeSafetensors } from '../../src/formats/index.ts';
import {
  type Adam,
  createAdam,
  createNetwork,
  createUnet,
  loadTensors,
  type Network,
  readCheckpoint,
  restoreCheckpoint,
  type UnetOptions,
  writeCheckpoint,
  writeCheckpointAsync,
} from '../../src/training/index.ts';
import { expectError } from '../sparse/expect-error.ts';
import { expectNoTensorsLeft } from './no-tensors-left.ts';

const tf = await loadTensors();
expectNoTensorsLeft(tf);

const OPTIONS: Record<string, UnetOptions> = {
  lau2025: { size: 8, width: 8, multipliers: [1, 2], timeEmbedding: 'sinusoidal' },
  na2024: { preset: 'na2024', size: 8, width: 8, multipliers: [1, 2], images: 2 },
};
const TASK = { losses: [1, 0.5, null], note: 'größe "x"', nested: { a: true } };

/** Steps `from + 1` to `to`, whose data and dropout depend on the step's number alone. */
function train(network: Network, adam: Adam, from: number, to: number): number[] {
  const losses: number[] = [];
  for (let step = from + 1; step <= to; step++) {
    const { normal } = randomStream(9, step);
    const pictures = Float32Array.from({ length: 2 * 2 * 8 * 8 * 3 }, normal);
    const { loss } = adam.step(() => {
      const x = tf.tensor4d(pictures.subarray(0, 384), [2, 8, 8, 3]);
      const target = tf.tensor4d(pictures.subarray(384), [2, 8, 8, 3]);
      const options = { training: true, dropoutSeed: step, index: tf.tensor1d([0, 1], 'int32') };
      const y = network.apply(x, tf.tensor1d([0.2, 0.7]), options);
      return tf.mean(tf.squaredDifference(y, target)) as Scalar;
    });
    losses.push(loss);
  }
  return losses;
}

const adamOf = (network: Network) => createAdam(network, { learningRate: 1e-2, emaDecay: 0.9, clipNorm: 1 });

describe.each(Object.entries(OPTIONS))('a checkpoint of %s', (_, options) => {
  it('goes on bit for bit', () => {
    const network = createUnet(tf, options);
    const adam = adamOf(network);
    const first = train(network, adam, 0, 5);
    const bytes = writeCheckpoint({ network, adam, seeds: { data: 9 }, task: TASK });
    const second = train(network, adam, 5, 10);
    expect(new Set([...first, ...second]).size).toBe(10);

    const checkpoint = readCheckpoint(bytes);
    expect([checkpoint.kind, checkpoint.seeds, checkpoint.task]).toEqual(['unet', { data: 9 }, TASK]);
    const again = createNetwork(tf, checkpoint.kind, { ...checkpoint.options, seed: 77 });
    const adamAgain = adamOf(again);
    restoreCheckpoint(checkpoint, again, adamAgain);
    expect(adamAgain.stepCount).toBe(5);
    expect(train(again, adamAgain, 5, 10)).toEqual(second);
    // All weights, moments and averages; the seeds of the initial weights are not the same.
    const end = (one: Network, optimizer: Adam) => {
      const { weights, optimizer: state } = readCheckpoint(
        writeCheckpoint({ network: one, adam: optimizer }),
      );
      return { weights, state };
    };
    expect(end(again, adamAgain)).toEqual(end(network, adam));
    for (const each of [network, again]) each.dispose();
  });

  it('is the same file when it is written again, or asynchronously', async () => {
    const network = createUnet(tf, options);
    const adam = adamOf(network);
    train(network, adam, 0, 2);
    const content = { network, adam, seeds: { data: 9 }, task: TASK };
    const bytes = Buffer.from(writeCheckpoint(content));
    const checkpoint = readCheckpoint(bytes);
    train(network, adam, 2, 3);
    restoreCheckpoint(checkpoint, network, adam);
    expect(Buffer.from(writeCheckpoint(content)).equals(bytes)).toBe(true);
    expect(Buffer.from(await writeCheckpointAsync(content)).equals(bytes)).toBe(true);
    network.dispose();
  });
});

describe('checkpoints', () => {
  const withNetwork = (work: (network: Network, adam: Adam, bytes: Uint8Array) => void) => {
    const network = createUnet(tf, OPTIONS.lau2025);
    const adam = adamOf(network);
    work(network, adam, writeCheckpoint({ network, adam }));
    network.dispose();
  };
  const weightsOf = (network: Network) =>
    [...network.parameters.values()].map((variable) => variable.dataSync());

  it('can be of a network alone', () => {
    withNetwork((network, adam) => {
      const checkpoint = readCheckpoint(writeCheckpoint({ network }));
      expect([checkpoint.optimizer, checkpoint.task, checkpoint.seeds]).toEqual([undefined, null, {}]);
      restoreCheckpoint(checkpoint, network);
      expectError(
        () => restoreCheckpoint(checkpoint, network, adam),
        'INVALID_VALUE',
        /without an optimiser/,
      );
    });
  });

  it('are refused where the file is cut, at any place', () => {
    withNetwork((_, __, bytes) => {
      for (let length = 0; length < bytes.length; length += Math.ceil(bytes.length / 50)) {
        expectError(() => readCheckpoint(bytes.subarray(0, length)), 'BAD_FORMAT', /truncated|bytes/);
      }
    });
  });

  it('are refused where the file says something else than it should', () => {
    withNetwork((_, __, bytes) => {
      const { tensors, metadata } = readSafetensors(bytes);
      const changed = (texts: Record<string, string>, change: (map: typeof tensors) => void = () => {}) => {
        const map = new Map(tensors);
        change(map);
        const all = Object.fromEntries(
          Object.entries({ ...metadata, ...texts }).filter(([, text]) => text !== ''),
        );
        return () => readCheckpoint(writeSafetensors(map, all));
      };
      const numbers = { dtype: 'F32' as const, shape: [1], data: new Float32Array(1) };
      expectError(changed({ version: '2' }), 'BAD_FORMAT', /version "2", this seedspan reads version 1/);
      expectError(changed({ format: 'pt' }), 'BAD_FORMAT', /no checkpoint of seedspan/);
      expectError(changed({ kind: '' }), 'BAD_FORMAT', /kind of its network/);
      expectError(changed({ options: '{' }), 'BAD_FORMAT', /options are not JSON/);
      expectError(changed({ options: '3' }), 'BAD_FORMAT', /options are no object/);
      expectError(changed({ seeds: '[]' }), 'BAD_FORMAT', /seeds are no object/);
      expectError(changed({ task: '' }), 'BAD_FORMAT', /task are not JSON/);
      expectError(changed({ step: '1.5' }), 'BAD_FORMAT', /step is "1.5"/);
      expectError(
        changed({}, (map) => map.set('other', numbers)),
        'BAD_FORMAT',
        /unknown tensor, "other"/,
      );
      expectError(
        changed({}, (map) => map.set('first/x', numbers)),
        'BAD_FORMAT',
        /first\/x does not belong/,
      );
      expectError(
        changed({}, (map) => map.delete('second/out.bias')),
        'BAD_FORMAT',
        /second\/out.bias/,
      );
      expectError(
        changed({}, (map) => map.clear()),
        'BAD_FORMAT',
        /no weights/,
      );
      const integers = { dtype: 'I32' as const, shape: [1], data: new Int32Array(1) };
      expectError(
        changed({}, (map) => map.set('weights/x', integers)),
        'BAD_FORMAT',
        /type I32, must be F32/,
      );
    });
  });

  it('are not put into another network, and nothing of them is', () => {
    withNetwork((network, adam, bytes) => {
      const checkpoint = readCheckpoint(bytes);
      const refused = (options: Partial<UnetOptions>, message: RegExp) => {
        const other = createUnet(tf, { ...OPTIONS.lau2025, ...options });
        const weights = weightsOf(other);
        expectError(() => restoreCheckpoint(checkpoint, other), 'SHAPE_MISMATCH', message);
        expect(weightsOf(other)).toEqual(weights);
        other.dispose();
      };
      refused({ width: 4 }, /another network: option width is 8, not 4; createNetwork/);
      refused({ downsampling: 'average' }, /option downsampling is "max", not "average"/);
      refused({ multipliers: [1, 3] }, /multipliers is \[1,2\], not \[1,3\]/);
      const mlp = { ...network, kind: 'mlp' };
      expectError(() => restoreCheckpoint(checkpoint, mlp), 'SHAPE_MISMATCH', /unet, not mlp/);
      const weights = new Map(checkpoint.weights);
      weights.set('out.bias', { shape: [4], data: new Float32Array(4) });
      const wrong = { ...checkpoint, weights };
      expectError(
        () => restoreCheckpoint(wrong, network, adam),
        'SHAPE_MISMATCH',
        /out.bias is \[4\], not \[3\]/,
      );
      weights.delete('out.bias');
      expectError(
        () => restoreCheckpoint(wrong, network, adam),
        'SHAPE_MISMATCH',
        /out.bias is missing, not \[3\]/,
      );
    });
  });

  it('hold JSON alone, and no network that is gone', () => {
    withNetwork((network, adam) => {
      const write = (task: unknown) => () => writeCheckpoint({ network, adam, task: task as null });
      expectError(write({ loss: Number.NaN }), 'INVALID_VALUE', /task must be made of texts, finite numbers/);
      expectError(write({ losses: new Float32Array(2) }), 'INVALID_VALUE', /task must be made of/);
      expectError(write([undefined]), 'INVALID_VALUE', /task must be made of/);
      expectError(
        () => writeCheckpoint({ network, seeds: { data: Infinity } }),
        'INVALID_VALUE',
        /seeds must be made of/,
      );
    });
    const network = createUnet(tf, OPTIONS.lau2025);
    network.dispose();
    expectError(() => writeCheckpoint({ network }), 'DISPOSED', /was disposed/);
  });
});
