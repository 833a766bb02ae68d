import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { Tensors } from '../tensors/types.ts';
import type { Conditioning } from './conditioning.ts';
import type { LayerFactory } from './layers.ts';
import { createDown, createUp, hasAttention } from './sampling.ts';
import type { ResolvedUnetOptions } from './unet-options.ts';
import type { Pass } from './unet-plain.ts';

/** Ho et al. 2020: residual blocks, and a skip connection from each of the encoder's to one of the decoder's. */
export function createResidual(
  tf: Tensors,
  layers: LayerFactory,
  options: ResolvedUnetOptions,
  conditioning: Conditioning | undefined,
): Pass {
  const channels = options.multipliers.map((multiplier) => multiplier * options.width);
  const last = channels.length - 1;

  function block(name: string, from: number, to: number, attended: boolean): Pass {
    const norm1 = layers.groupNorm(`${name}.norm1`, from);
    const conv1 = layers.conv(`${name}.conv1`, 3, from, to);
    const tell = conditioning && layers.dense(`${name}.told`, conditioning.channels, to);
    const norm2 = layers.groupNorm(`${name}.norm2`, to);
    const conv2 = layers.conv(`${name}.conv2`, 3, to, to, 1, 'zero');
    const shortcut = from === to ? undefined : layers.conv(`${name}.shortcut`, 1, from, to);
    const attention = attended ? layers.attention(`${name}.attention`, to) : undefined;
    return (x, told, dropout) => {
      let y = conv1(norm1(x));
      if (tell && told) y = tf.add(y, tf.reshape(tell(told), [-1, 1, 1, to]));
      y = norm2(y);
      if (dropout) y = dropout(y);
      y = tf.add(shortcut ? shortcut(x) : x, conv2(y));
      return attention ? attention(y) : y;
    };
  }

  const first = layers.conv('in', 3, options.inputChannels, channels[0]);
  /** Channels of the encoder's outputs that wait for the decoder. */
  const waiting = [channels[0]];
  let from = channels[0];
  const encoder = channels.map((to, number) => {
    const blocks = Array.from({ length: options.blocksPerLevel }, (_, k) => {
      const made = block(`down.${number}.${k}`, from, to, hasAttention(options, number));
      from = to;
      waiting.push(to);
      return made;
    });
    const down = number < last ? createDown(tf, layers, `down.${number}.half`, to, options) : undefined;
    if (down) waiting.push(to);
    return { blocks, down };
  });
  const middle = [
    block('middle.0', from, from, options.attention.includes('bottom')),
    block('middle.1', from, from, false),
  ];
  const decoder = channels
    .map((to, number) => ({ to, number }))
    .reverse()
    .map(({ to, number }) => {
      const blocks = Array.from({ length: options.blocksPerLevel + 1 }, (_, k) => {
        const skip = waiting.pop() as number;
        const made = block(`up.${number}.${k}`, from + skip, to, hasAttention(options, number));
        from = to;
        return made;
      });
      return {
        blocks,
        up: number > 0 ? createUp(tf, layers, `up.${number}.double`, to, options) : undefined,
      };
    });
  const normOut = layers.groupNorm('out.norm', from);
  const out = layers.conv('out.conv', 3, from, options.outputChannels, 1, 'zero');

  return (x, told, dropout) => {
    let y = first(x);
    const skips = [y];
    for (const { blocks, down } of encoder) {
      for (const pass of blocks) {
        y = pass(y, told, dropout);
        skips.push(y);
      }
      if (down) {
        y = down(y);
        skips.push(y);
      }
    }
    for (const pass of middle) y = pass(y, told, dropout);
    for (const { blocks, up } of decoder) {
      for (const pass of blocks) y = pass(tf.concat([y, skips.pop() as Tensor4D], 3), told, dropout);
      if (up) y = up(y);
    }
    return out(normOut(y));
  };
}
