import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Tensors } from '../types.ts';
import { type ConvolutionInfo, convolutionInfo, planesOf } from './convolution.ts';
import { floats, type Heap, type Kernel, view } from './heap.ts';
import { transposeBlock } from './transpose.ts';

/** Up to so many pixels for each channel of dy a product is faster than a convolution. */
const PIXELS_PER_CHANNEL = 2;

/** The filter turned by 180 degrees, its two sides swapped: [height, width, out, in]. */
function turned(heap: Heap, filter: TensorInfo): TensorInfo {
  const [height, width, inChannels, outChannels] = filter.shape;
  const result = heap.makeOutput([height, width, outChannels, inChannels], 'float32');
  const to = floats(heap, result);
  const from = floats(heap, filter);
  const block = inChannels * outChannels;
  for (let tap = 0; tap < height * width; tap++) {
    const source = (height * width - 1 - tap) * block;
    transposeBlock(
      { values: from, at: source, stride: outChannels },
      { values: to, at: tap * block, stride: inChannels },
      [inChannels, outChannels],
    );
  }
  return result;
}

/** Steps of dy set apart by the stride, zeros between: what a convolution of stride 1 turns into dx. */
function spread(heap: Heap, dy: TensorInfo, info: ConvolutionInfo): TensorInfo {
  const { batchSize, outHeight, outWidth, outChannels, strideHeight, strideWidth } = info;
  const height = (outHeight - 1) * strideHeight + 1;
  const width = (outWidth - 1) * strideWidth + 1;
  const result = heap.makeOutput([batchSize, height, width, outChannels], 'float32');
  const to = floats(heap, result).fill(0);
  const from = floats(heap, dy);
  for (let row = 0; row < batchSize * outHeight; row++) {
    const y = Math.floor(row / outHeight) * height + (row % outHeight) * strideHeight;
    for (let column = 0; column < outWidth; column++) {
      const at = (y * width + column * strideWidth) * outChannels;
      const source = (row * outWidth + column) * outChannels;
      for (let channel = 0; channel < outChannels; channel++) to[at + channel] = from[source + channel];
    }
  }
  return result;
}

/** The forward convolution of dy with the turned filter, after dy was spread where the stride is not 1. */
function byConvolution(
  heap: Heap,
  dy: TensorInfo,
  filter: TensorInfo,
  info: ConvolutionInfo,
  convolve: Kernel,
) {
  const { filterHeight, filterWidth, inHeight, inWidth, padInfo } = info;
  const apart = info.strideHeight > 1 || info.strideWidth > 1;
  const source = apart ? spread(heap, dy, info) : dy;
  const turnedFilter = turned(heap, filter);
  const top = filterHeight - 1 - padInfo.top;
  const left = filterWidth - 1 - padInfo.left;
  const pad = [
    [0, 0],
    [top, inHeight + filterHeight - 1 - source.shape[1] - top],
    [left, inWidth + filterWidth - 1 - source.shape[2] - left],
    [0, 0],
  ];
  const dx = convolve({
    inputs: { x: source, filter: turnedFilter },
    attrs: { strides: [1, 1], pad, dataFormat: 'NHWC', dilations: [1, 1] },
    backend: heap,
  }) as TensorInfo;
  heap.disposeData(turnedFilter.dataId);
  if (apart) heap.disposeData(source.dataId);
  return dx;
}

/**
 * The product of the filter, as it lies in memory, [taps * inChannels, outChannels], and dy', [outChannels,
 * positions], whose rows are added to the planes of dx from their tap's place on. XNNPACK need not pack the filter.
 */
function byProduct(heap: Heap, dy: TensorInfo, filter: TensorInfo, info: ConvolutionInfo, multiply: Kernel) {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info;
  const { width, run, length, taps, start } = planesOf(info);
  const positions = batchSize * run;
  const transposed = heap.makeOutput([1, outChannels, positions], 'float32');
  const gradient = floats(heap, dy);
  const columns = floats(heap, transposed).fill(0);
  for (let row = 0; row < batchSize * outHeight; row++) {
    transposeBlock(
      { values: gradient, at: row * outWidth * outChannels, stride: outChannels },
      { values: columns, at: row * width, stride: positions },
      [outWidth, outChannels],
    );
  }
  const product = multiply({
    inputs: { a: view(filter, [1, taps.length * inChannels, outChannels]), b: transposed },
    attrs: { transposeA: false, transposeB: false },
    backend: heap,
  }) as TensorInfo;

  const planes = new Float32Array(inChannels * batchSize * length);
  const parts = floats(heap, product);
  let from = 0;
  for (const tap of taps) {
    for (let first = tap; first < planes.length; first += length) {
      for (let at = first; at < first + run; at++) planes[at] += parts[from++];
    }
  }
  for (const { dataId } of [transposed, product]) heap.disposeData(dataId);

  const out = heap.makeOutput([batchSize, inHeight, inWidth, inChannels], 'float32');
  const dx = floats(heap, out);
  for (let row = 0; row < batchSize * inHeight; row++) {
    transposeBlock(
      { values: planes, at: start(row), stride: batchSize * length },
      { values: dx, at: row * inWidth * inChannels, stride: inChannels },
      [inChannels, inWidth],
    );
  }
  return out;
}

/**
 * The gradient by the input. XNNPACK packs a filter that it has not met, as are all while they are trained, at about
 * 5 ns a weight; where there are few pixels that is most of the time, and adding up the rows of a product is less.
 */
export function convolutionInputGradient(tf: Tensors, convolve: Kernel, multiply: Kernel): Kernel {
  return ({ inputs: { dy, filter }, attrs, backend }) => {
    const info = convolutionInfo(tf, attrs.inputShape as number[], filter.shape, attrs);
    const apart = info.strideHeight > 1 || info.strideWidth > 1;
    const pixels = info.batchSize * info.outHeight * info.outWidth;
    return !apart && pixels <= PIXELS_PER_CHANNEL * info.outChannels
      ? byProduct(backend, dy, filter, info, multiply)
      : byConvolution(backend, dy, filter, info, convolve);
  };
}
