// A step of training, split into the network's output, the gradient and the update, for both papers' networks.

import type { Scalar, Variable } from '@tensorflow/tfjs-core';
import { randomStream } from '../src/diffusion/random.ts';
import {
  createAdam,
  createUnet,
  loadTensors,
  parameterCount,
  type UnetOptions,
} from '../src/training/index.ts';
import { local, type Sample, type Timing, timing } from './harness.ts';
import { type Case, digits, machine, publish, readArguments, SEED, wanted } from './results.ts';

/** Milliseconds of CPU that a step of the first network may take. */
const TARGET = 40;
const SIZE = 32;
const CHANNELS = 3;

const LAU: UnetOptions = { preset: 'lau2025', size: SIZE, width: 16, multipliers: [1, 2, 4, 8] };
const NA: UnetOptions = { preset: 'na2024', size: SIZE, width: 16 };
const CASES: { key: string; options: UnetOptions; batch: number }[] = [
  { key: 'lau2025 width 16, 3 halvings, batch 1', options: LAU, batch: 1 },
  { key: 'lau2025 width 16, 3 halvings, batch 4', options: LAU, batch: 4 },
  { key: 'na2024 width 16, batch 1', options: NA, batch: 1 },
  { key: 'na2024 width 16, batch 4', options: NA, batch: 4 },
];

const args = readArguments();
const ROUNDS = args.quick ? 15 : 60;
const WARM_UP = 10;
const tf = await loadTensors();
const cases: Case[] = [];
const rows: string[][] = [];
for (const { key, options, batch } of CASES) {
  if (wanted(key, args.only)) rows.push(await measure(key, options, batch));
}

await publish(
  args,
  {
    name: 'training',
    command: 'npm run bench:training',
    machine: machine(),
    notes: [
      `Pictures of ${SIZE} x ${SIZE} x ${CHANNELS}; tfjs ${tf.version_core} on the back end ${tf.getBackend()}, one thread. Milliseconds of CPU a step, medians of ${ROUNDS}.`,
      'Forward: output and loss, with weights as new as after an update. Backward: the gradient of all parameters, less forward. Update: a whole step of Adam with an average of the weights, less the gradient.',
    ],
    cases,
  },
  [
    {
      title: 'A step of training',
      head: ['network', 'parameters', 'forward', 'backward', 'update', 'step', 'spread', 'target'],
      rows,
    },
  ],
);

async function measure(key: string, options: UnetOptions, batch: number): Promise<string[]> {
  const network = createUnet(tf, options);
  const adam = createAdam(network, { learningRate: 1e-4, emaDecay: 0.999, clipNorm: 1 });
  const variables = [...network.parameters.values()];
  const { normal, uniform } = randomStream(SEED);
  const shape: [number, number, number, number] = [batch, SIZE, SIZE, CHANNELS];
  const picture = () =>
    tf.tensor4d(Float32Array.from({ length: batch * SIZE * SIZE * CHANNELS }, normal), shape);
  const [x, target] = [picture(), picture()];
  const t = tf.tensor1d(Float32Array.from({ length: batch }, uniform));
  let dropoutSeed = 0;
  const loss = () => {
    const y = network.apply(x, t, { training: true, dropoutSeed: dropoutSeed++ });
    return tf.mean(tf.squaredDifference(y, target)) as Scalar;
  };
  const sides = [
    local(() => {
      tf.tidy(() => void loss().dataSync());
    }),
    local(() => {
      const { value, grads } = tf.variableGrads(loss, variables);
      value.dataSync();
      tf.dispose([value, grads]);
    }),
    local(() => void adam.step(loss)),
  ];
  const rounds: Sample[][] = [];
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const samples: Sample[] = [];
    for (const side of sides) {
      renew(variables);
      samples.push(await side(1));
    }
    if (round >= WARM_UP) rounds.push(samples);
  }
  // Differences within a round: what else the machine does changes more slowly.
  const less = (a: Sample, b: Sample) => ({ cpu: a.cpu - b.cpu, wall: a.wall - b.wall });
  const forward = timing(rounds.map(([f]) => f));
  const backward = timing(rounds.map(([f, g]) => less(g, f)));
  const update = timing(rounds.map(([, g, s]) => less(s, g)));
  const step = timing(rounds.map(([, , s]) => s));
  const parameters = parameterCount(network);
  tf.dispose([x, target, t]);
  adam.dispose();
  network.dispose();
  const parts = { forward: forward.cpu, backward: backward.cpu, update: update.cpu };
  const isTarget = key === CASES[0].key;
  cases.push({ key, parameters, batch, ...parts, step, ...(isTarget && { target: TARGET }) });
  return [
    key,
    String(parameters),
    ...Object.values(parts).map(digits),
    digits(step.cpu),
    percent(step),
    isTarget ? `${TARGET}, ${step.cpu <= TARGET ? 'met' : 'missed'}` : '',
  ];
}

/** Back ends pack filters when they first see them: each call finds new ones, as after an update. */
function renew(variables: readonly Variable[]): void {
  for (const variable of variables) {
    const values = variable.dataSync();
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }
}

function percent({ spread }: Timing): string {
  return `${digits(100 * spread)} %`;
}
