import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Tensors } from '../types.ts';
import { floats, type Heap, type Kernel, size, view } from './heap.ts';

type ConvolutionInfo = ReturnType<Tensors['backend_util']['computeConv2DInfo']>;
type Shape4 = [number, number, number, number];

function convolutionInfo(
  tf: Tensors,
  inputShape: number[],
  filterShape: number[],
  attrs: Record<string, unknown>,
): ConvolutionInfo {
  const { strides, pad, dimRoundingMode } = attrs as {
    strides: [number, number] | number;
    pad: number | 'valid' | 'same';
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
  };
  return tf.backend_util.computeConv2DInfo(
    inputShape as Shape4,
    filterShape as Shape4,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
}

/**
 * The windows of x under each tap of the filter, as the matrix [taps * inChannels, batch * outHeight * outWidth]
 * of which a filter's gradient is the product with dy: the layout in which XNNPACK multiplies.
 */
function fillWindows(windows: Float32Array, x: Float32Array, info: ConvolutionInfo): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, strideHeight, strideWidth } = info;
  const pixels = batchSize * outHeight * outWidth;
  for (let tap = 0; tap < info.filterHeight * info.filterWidth; tap++) {
    const down = Math.floor(tap / info.filterWidth) - info.padInfo.top;
    const right = (tap % info.filterWidth) - info.padInfo.left;
    for (let row = 0; row < batchSize * outHeight; row++) {
      const y = (row % outHeight) * strideHeight + down;
      const base = (Math.floor(row / outHeight) * inHeight + y) * inWidth;
      for (let column = 0; column < outWidth; column++) {
        const at = column * strideWidth + right;
        const inside = y >= 0 && y < inHeight && at >= 0 && at < inWidth;
        let to = tap * inChannels * pixels + row * outWidth + column;
        let from = (base + at) * inChannels;
        for (let channel = 0; channel < inChannels; channel++, to += pixels) {
          windows[to] = inside ? x[from++] : 0;
        }
      }
    }
  }
}

/** The gradient by the filter: the windows of x times dy. */
export function convolutionFilterGradient(tf: Tensors, multiply: Kernel): Kernel {
  return ({ inputs: { x, dy }, attrs, backend }) => {
    const filterShape = attrs.filterShape as number[];
    const info = convolutionInfo(tf, x.shape, filterShape, attrs);
    const pixels = info.batchSize * info.outHeight * info.outWidth;
    const rows = info.filterHeight * info.filterWidth * info.inChannels;
    const windows = backend.makeOutput([1, rows, pixels], 'float32');
    fillWindows(floats(backend, windows), floats(backend, x), info);
    const product = multiply({
      inputs: { a: windows, b: view(dy, [1, pixels, info.outChannels]) },
      attrs: { transposeA: false, transposeB: false },
      backend,
    }) as TensorInfo;
    backend.disposeData(windows.dataId);
    return view(product, filterShape);
  };
}

/** The filter turned by 180 degrees, its two sides swapped: [height, width, out, in]. */
function turned(heap: Heap, filter: TensorInfo): TensorInfo {
  const [height, width, inChannels, outChannels] = filter.shape;
  const result = heap.makeOutput([height, width, outChannels, inChannels], 'float32');
  const to = floats(heap, result);
  const from = floats(heap, filter);
  const block = inChannels * outChannels;
  for (let tap = 0; tap < height * width; tap++) {
    const source = (height * width - 1 - tap) * block;
    for (let i = 0; i < inChannels; i++) {
      const row = source + i * outChannels;
      for (let o = 0, at = tap * block + i; o < outChannels; o++, at += inChannels) to[at] = from[row + o];
    }
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

/**
 * The gradient by the input: the forward convolution of dy with the turned filter, after dy was spread where the
 * stride is not 1.
 */
export function convolutionInputGradient(tf: Tensors, convolve: Kernel): Kernel {
  return ({ inputs: { dy, filter }, attrs, backend }) => {
    const inputShape = attrs.inputShape as number[];
    const info = convolutionInfo(tf, inputShape, filter.shape, attrs);
    const { filterHeight, filterWidth, inHeight, inWidth, strideHeight, strideWidth } = info;
    const apart = strideHeight > 1 || strideWidth > 1;
    const source = apart ? spread(backend, dy, info) : dy;
    const turnedFilter = turned(backend, filter);
    const top = filterHeight - 1 - info.padInfo.top;
    const left = filterWidth - 1 - info.padInfo.left;
    const pad = [
      [0, 0],
      [top, inHeight + filterHeight - 1 - source.shape[1] - top],
      [left, inWidth + filterWidth - 1 - source.shape[2] - left],
      [0, 0],
    ];
    const dx = convolve({
      inputs: { x: source, filter: turnedFilter },
      attrs: { strides: [1, 1], pad, dataFormat: 'NHWC', dilations: [1, 1] },
      backend,
    }) as TensorInfo;
    backend.disposeData(turnedFilter.dataId);
    if (apart) backend.disposeData(source.dataId);
    if (size(dx.shape) !== size(inputShape))
      throw new Error(`dx ${dx.shape} is not of the shape ${inputShape}`);
    return dx;
  };
}
