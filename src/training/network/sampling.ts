import { averagePool2, maxPool2, upsample2 } from '../tensors/ops.ts';
import type { Tensors } from '../tensors/types.ts';
import type { Layer, LayerFactory } from './layers.ts';
import type { ResolvedUnetOptions } from './unet-options.ts';

/** Halves height and width. */
export function createDown(
  tf: Tensors,
  layers: LayerFactory,
  name: string,
  channels: number,
  { downsampling }: ResolvedUnetOptions,
): Layer {
  if (downsampling === 'convolution') return layers.conv(name, 3, channels, channels, 2);
  if (downsampling === 'max') return (x) => maxPool2(tf, x);
  return (x) => averagePool2(tf, x);
}

/** Doubles height and width. */
export function createUp(
  tf: Tensors,
  layers: LayerFactory,
  name: string,
  channels: number,
  { upsampling }: ResolvedUnetOptions,
): Layer {
  if (upsampling === 'nearest') return (x) => upsample2(tf, x);
  const conv = layers.conv(name, 3, channels, channels);
  return (x) => conv(upsample2(tf, x));
}

/** Whether a level's blocks have attention. Plain networks have their bottom in the last level. */
export function hasAttention(options: ResolvedUnetOptions, level: number): boolean {
  const { size, attention, blocks, multipliers } = options;
  const side = Math.max(...size) / 2 ** level;
  const isBottom = blocks === 'plain' && level === multipliers.length - 1;
  return attention.includes(side) || (isBottom && attention.includes('bottom'));
}
