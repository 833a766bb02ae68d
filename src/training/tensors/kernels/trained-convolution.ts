import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Tensors } from '../types.ts';
import { type ConvolutionInfo, convolutionInfo, fillWindows, planesOf } from './convolution.ts';
import { floats, type Heap, type Kernel, view } from './heap.ts';
import { transposeBlock } from './transpose.ts';

/** A convolution with a bias, for a filter that changes from call to call. */
export const TRAINED_CONVOLUTION = 'SeedspanTrainedConvolution';

/** From so many channels of the output for each pixel on, a product is faster than a convolution. */
const CHANNELS_PER_PIXEL = 4;

/** y' = filter' windows of x: XNNPACK packs the second factor, which is small where there are few pixels. */
function byProduct(heap: Heap, x: TensorInfo, filter: TensorInfo, info: ConvolutionInfo, multiply: Kernel) {
  const { batchSize, outHeight, outWidth, outChannels } = info;
  const { width, run } = planesOf(info);
  const inner = info.filterHeight * info.filterWidth * info.inChannels;
  const positions = batchSize * run;
  const a = heap.makeOutput([1, outChannels, inner], 'float32');
  const b = heap.makeOutput([1, inner, positions], 'float32');
  transposeBlock(
    { values: floats(heap, filter), at: 0, stride: outChannels },
    { values: floats(heap, a), at: 0, stride: inner },
    [inner, outChannels],
  );
  fillWindows(floats(heap, b), floats(heap, x), batchSize, info);
  const attributes = { transposeA: false, transposeB: false };
  const product = multiply({ inputs: { a, b }, attrs: attributes, backend: heap }) as TensorInfo;
  for (const { dataId } of [a, b]) heap.disposeData(dataId);

  const out = heap.makeOutput(info.outShape, 'float32');
  const from = floats(heap, product);
  const to = floats(heap, out);
  for (let row = 0; row < batchSize * outHeight; row++) {
    transposeBlock(
      { values: from, at: row * width, stride: positions },
      { values: to, at: row * outWidth * outChannels, stride: outChannels },
      [outChannels, outWidth],
    );
  }
  heap.disposeData(product.dataId);
  return out;
}

function addBias(values: Float32Array, bias: Float32Array): void {
  for (let at = 0; at < values.length; ) {
    for (let channel = 0; channel < bias.length; channel++) values[at++] += bias[channel];
  }
}

/**
 * XNNPACK packs a filter that it has not met at about 5 ns a weight, and keeps it for the next call; a trained filter
 * has no next call. Where there are few pixels another form of the product costs less.
 */
export function trainedConvolution(tf: Tensors, convolve: Kernel, multiply: Kernel): Kernel {
  return ({ inputs: { x, filter, bias }, attrs, backend }) => {
    const info = convolutionInfo(tf, x.shape, filter.shape, attrs);
    const pixels = info.batchSize * info.outHeight * info.outWidth;
    const few = CHANNELS_PER_PIXEL * pixels <= info.outChannels;
    if (!few || info.strideHeight > 1 || info.strideWidth > 1) {
      return convolve({ inputs: { x, filter, bias }, attrs: { ...attrs, activation: 'linear' }, backend });
    }
    const out = byProduct(backend, view(x, info.inShape), filter, info, multiply);
    addBias(floats(backend, out), floats(backend, bias));
    return out;
  };
}
