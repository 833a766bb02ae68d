import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Tensors } from '../tensors/types.ts';
import type { Conditioning } from './conditioning.ts';
import type { Dropout, LayerFactory } from './layers.ts';
import { createDown, createUp, hasAttention } from './sampling.ts';
import type { ResolvedUnetOptions } from './unet-options.ts';

/** What goes through a U-Net: the picture, the conditioning vector and dropout, where there are such. */
export type Pass = (x: Tensor4D, told: Tensor2D | undefined, dropout: Dropout | undefined) => Tensor4D;

/** Ronneberger et al. 2015 with GroupNorm and SiLU: one skip connection for each level but the last. */
export function createPlain(
  tf: Tensors,
  layers: LayerFactory,
  options: ResolvedUnetOptions,
  conditioning: Conditioning | undefined,
): Pass {
  const channels = options.multipliers.map((multiplier) => multiplier * options.width);
  const last = channels.length - 1;

  /** The blocks of a level; the first of them is told. */
  function level(name: string, number: number, from: number): Pass {
    const to = channels[number];
    const convolutions = Array.from({ length: options.blocksPerLevel }, (_, k) => ({
      conv: layers.conv(`${name}.${k}.conv`, 3, k === 0 ? from : to, to),
      norm: layers.groupNorm(`${name}.${k}.norm`, to),
    }));
    const tell = conditioning && layers.dense(`${name}.told`, conditioning.channels, to);
    const attention = hasAttention(options, number) ? layers.attention(`${name}.attention`, to) : undefined;
    return (x, told, dropout) => {
      let y = x;
      for (const [k, { conv, norm }] of convolutions.entries()) {
        y = norm(conv(y), k === 0 && tell && told ? tell(told) : undefined);
        if (dropout) y = dropout(y);
      }
      return attention ? attention(y) : y;
    };
  }

  const encoder = channels.map((to, number) => ({
    blocks: level(`down.${number}`, number, number === 0 ? options.inputChannels : channels[number - 1]),
    down: number < last ? createDown(tf, layers, `down.${number}.half`, to, options) : undefined,
  }));
  const decoder = channels
    .slice(0, last)
    .map((to, number) => ({ to, number }))
    .reverse()
    .map(({ to, number }) => ({
      up: createUp(tf, layers, `up.${number}.double`, channels[number + 1], options),
      blocks: level(`up.${number}`, number, to + channels[number + 1]),
    }));
  const out = layers.conv('out', 1, channels[0], options.outputChannels);

  return (x, told, dropout) => {
    const skips: Tensor4D[] = [];
    let y = x;
    for (const { blocks, down } of encoder) {
      y = blocks(y, told, dropout);
      if (down === undefined) break;
      skips.push(y);
      y = down(y);
    }
    for (const { up, blocks } of decoder) {
      y = blocks(tf.concat([skips.pop() as Tensor4D, up(y)], 3), told, dropout);
    }
    return out(y);
  };
}
