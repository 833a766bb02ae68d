import type { PresetSde, ScoreFunction } from '../diffusion/index.ts';
import { SeedspanError } from '../errors.ts';
import { checkCount } from '../solver/options.ts';
import { modelScore } from './model-score.ts';
import type { Network } from './network/types.ts';
import { createUnet } from './network/unet.ts';
import { equationOf, type ResolvedSettings } from './settings.ts';
import type { TrainingPictures } from './tasks/types.ts';
import type { Tensors } from './tensors/backend.ts';

/** What a model was trained on, and how. */
export interface ModelInfo {
  readonly settings: ResolvedSettings;
  /** Of a picture: channels, H, W. */
  readonly shape: readonly [number, number, number];
  /** How many pictures it was trained on. */
  readonly images: number;
  /** Of the pictures' values. */
  readonly fingerprint: string;
}

/** A network that was trained to draw pictures. */
export interface ScoreModel extends ModelInfo {
  readonly network: Network;
  /** Gives the network's tensors back. */
  dispose(): void;
}

/** A network with new weights for these pictures. */
export function createModel(tf: Tensors, info: ModelInfo): ScoreModel {
  const { settings, shape, images } = info;
  const [channels, height, width] = shape;
  return modelOf(
    createUnet(tf, {
      ...settings.network,
      size: [height, width],
      inputChannels: channels,
      ...(images > 1 && { images }),
      seed: settings.seed,
    }),
    info,
  );
}

export function modelOf(network: Network, info: ModelInfo): ScoreModel {
  return { ...info, network, dispose: () => network.dispose() };
}

/** The forward process of a model's states: pictures, or with DDPM pictures as 2 p - 1. */
export function modelEquation({ settings }: ModelInfo): PresetSde {
  return equationOf(settings);
}

/**
 * The score that the model has learnt, of the picture of that number.
 *
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE` where it knows fewer pictures
 */
export function scoreOf({ network, settings, shape, images }: ScoreModel, image = 0): ScoreFunction {
  checkCount('scoreOf', 'image', image, 0);
  if (image >= images) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `scoreOf: image is ${image}, but the model knows ${images} (counted from 0)`,
      { image, images },
    );
  }
  return modelScore(network, {
    parametrisation: settings.method === 'ddpm' ? 'epsilon' : 'score',
    sde: equationOf(settings),
    shape,
    centred: isCentred(settings),
    ...(images > 1 && { index: image }),
  });
}

/** Whether the network is shown 2 x - 1: that of `na2024` is; DDPM's states are such already. */
export function isCentred({ method, variant }: ResolvedSettings): boolean {
  return method === 'score-embedding' && variant === 'na2024';
}

/** A hash of the pictures' values, in single precision. */
export function fingerprintOf({ data }: TrainingPictures): string {
  const words = new Uint32Array(Float32Array.from(data).buffer);
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (const word of words) {
    a = Math.imul(a ^ word, 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b ^ word, 0x85ebca6b);
    b ^= b >>> 13;
  }
  return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
