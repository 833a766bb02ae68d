import { writeSafetensors } from '../../../src/formats/index.ts';
import { readCheckpoint } from '../../../src/training/checkpoint.ts';
import { ensure, type FuzzTarget } from '../target.ts';

/** Made by hand, since a network takes tfjs. */
function checkpoint(change: Record<string, string | undefined> = {}): Uint8Array {
  const data = Float32Array.of(1, 2, 3, 4);
  const metadata = {
    format: 'seedspan-checkpoint',
    version: '1',
    kind: 'mlp',
    options: '{"width":8}',
    step: '3',
    seeds: '{"seed":1}',
    task: 'null',
    ...change,
  };
  const given = Object.entries(metadata).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const parts = ['weights', 'first', 'second'].map((part) => [`${part}/a`, { data, shape: [2, 2] }] as const);
  return writeSafetensors(new Map(parts), Object.fromEntries(given));
}

export const checkpointFile: FuzzTarget = {
  name: 'checkpoint',
  seeds: () => [checkpoint()],
  nasty: () => ({
    'another format': checkpoint({ format: 'other' }),
    'another version': checkpoint({ version: '9'.repeat(5000) }),
    'a step of 100 digits': checkpoint({ step: '9'.repeat(100) }),
    'options that are a list': checkpoint({ options: '[]' }),
    'options of 50,000 brackets': checkpoint({ options: '['.repeat(50_000) }),
    'no kind': checkpoint({ kind: undefined }),
    'no seeds': checkpoint({ seeds: undefined }),
  }),
  run(input) {
    const { weights, optimizer, options, seeds } = readCheckpoint(input);
    ensure(weights.size > 0 && typeof options === 'object' && typeof seeds === 'object', 'a part is missing');
    if (optimizer !== undefined) ensure(optimizer.first.size === weights.size, 'moments and weights differ');
  },
};
