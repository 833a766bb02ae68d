import type { Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import { randomStream } from '../../../src/diffusion/random.ts';
import { createUnet, type Network, type Tensors, type UnetOptions } from '../../../src/training/index.ts';
import { type Parameters, UnetTwin, type Volume } from '../../twins/unet.ts';

/** Networks of all kinds, small enough for plain loops. */
export const CASES: Record<string, UnetOptions> = {
  lau2025: { preset: 'lau2025', size: 8, width: 8, multipliers: [1, 2, 4] },
  'lau2025 with the time, and no square': {
    size: [4, 8],
    width: 6,
    multipliers: [1, 2],
    timeEmbedding: 'sinusoidal',
    timeScale: 30,
    images: 3,
    attention: [8],
    downsampling: 'average',
    upsampling: 'nearest-convolution',
    outputChannels: 2,
  },
  na2024: { preset: 'na2024', size: 8, width: 8, multipliers: [1, 2], attention: [4, 'bottom'] },
  'na2024 with one block and the image alone': {
    preset: 'na2024',
    size: 4,
    width: 5,
    multipliers: [1, 3],
    blocksPerLevel: 1,
    inputChannels: 1,
    images: 2,
    timeEmbedding: 'none',
    downsampling: 'max',
    upsampling: 'nearest',
  },
};

/** The network with all weights moved off where they begin, some of them at zero, and its twin. */
export function makePair(tf: Tensors, options: UnetOptions): { network: Network; twin: UnetTwin } {
  const network = createUnet(tf, options);
  const { normal } = randomStream(5);
  for (const variable of network.parameters.values()) {
    const values = variable.dataSync<'float32'>().map((value) => value + 0.1 * normal());
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }
  return { network, twin: twinOf(network, parametersOf(network)) };
}

export function parametersOf(network: Network): Parameters {
  return new Map(
    [...network.parameters].map(([name, variable]) => [
      name,
      { shape: variable.shape, data: Float64Array.from(variable.dataSync()) },
    ]),
  );
}

export function twinOf(network: Network, parameters: Parameters): UnetTwin {
  const options = network.options as Required<UnetOptions>;
  return new UnetTwin(parameters, { ...options, levels: options.multipliers.length });
}

export interface Batch {
  x: Volume;
  t: number[];
  index: number[] | undefined;
}

/** Pictures, times and, where the network takes them, numbers of images. */
export function makeBatch(network: Network, count: number): Batch {
  const { size, inputChannels, images } = network.options as Required<UnetOptions>;
  const [height, width] = size as [number, number];
  const { normal, uniform } = randomStream(6);
  const shape: Volume['shape'] = [count, height, width, inputChannels];
  const data = Float64Array.from({ length: count * height * width * inputChannels }, () =>
    Math.fround(normal()),
  );
  const index = images > 0 ? Array.from({ length: count }, (_, k) => k % (images + 1)) : undefined;
  return { x: { shape, data }, t: Array.from({ length: count }, () => Math.fround(uniform())), index };
}

/** The batch as tensors. */
export function toTensors(
  tf: Tensors,
  { x, t, index }: Batch,
): { x: Tensor4D; t: Tensor1D; index: Tensor1D | undefined } {
  return {
    x: tf.tensor4d(Float32Array.from(x.data), x.shape),
    t: tf.tensor1d(t),
    index: index && tf.tensor1d(index, 'int32'),
  };
}
