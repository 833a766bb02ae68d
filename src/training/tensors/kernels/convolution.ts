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
 * The filter's gradient is the product of the windows of x under each tap, [taps * inChannels, positions], and dy,
 * [positions, outChannels]; in this layout XNNPACK multiplies without a transposition.
 */
interface Factors {
  windows: TensorInfo;
  dy: TensorInfo;
}

/** Any stride: value after value. */
function stridedFactors(heap: Heap, input: TensorInfo, dy: TensorInfo, info: ConvolutionInfo): Factors {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, strideHeight, strideWidth } = info;
  const pixels = batchSize * outHeight * outWidth;
  const taps = info.filterHeight * info.filterWidth;
  const result = heap.makeOutput([1, taps * inChannels, pixels], 'float32');
  const windows = floats(heap, result);
  const x = floats(heap, input);
  for (let tap = 0; tap < taps; tap++) {
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
  return { windows: result, dy };
}

/**
 * Stride 1: with x as one plane a channel, zeros around it, the windows of a tap are the plane itself from the tap's
 * place on, copied whole. They run over the zeros between two rows too, so dy gets zeros there.
 */
function planeFactors(heap: Heap, input: TensorInfo, dy: TensorInfo, info: ConvolutionInfo): Factors {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info;
  const taps = info.filterHeight * info.filterWidth;
  const width = inWidth + padInfo.left + padInfo.right;
  const run = outHeight * width;
  // The last tap's run ends filterWidth - 1 places after the plane.
  const plane = (inHeight + padInfo.top + padInfo.bottom) * width + info.filterWidth - 1;
  const positions = batchSize * run;
  const windowsInfo = heap.makeOutput([1, taps * inChannels, positions], 'float32');
  const dyInfo = heap.makeOutput([1, positions, outChannels], 'float32');

  const x = floats(heap, input);
  const planes = new Float32Array(inChannels * batchSize * plane);
  for (let row = 0, from = 0; row < batchSize * inHeight; row++) {
    const start =
      Math.floor(row / inHeight) * plane + ((row % inHeight) + padInfo.top) * width + padInfo.left;
    for (let column = 0; column < inWidth; column++) {
      for (let channel = 0, to = start + column; channel < inChannels; channel++, to += batchSize * plane) {
        planes[to] = x[from++];
      }
    }
  }
  const windows = floats(heap, windowsInfo);
  for (let tap = 0, to = 0; tap < taps; tap++) {
    const offset = Math.floor(tap / info.filterWidth) * width + (tap % info.filterWidth);
    for (let from = offset; from < planes.length; from += plane, to += run) {
      windows.set(planes.subarray(from, from + run), to);
    }
  }

  const padded = floats(heap, dyInfo);
  const gradient = floats(heap, dy);
  const length = outWidth * outChannels;
  for (let row = 0; row < batchSize * outHeight; row++) {
    const to = row * width * outChannels;
    padded.set(gradient.subarray(row * length, (row + 1) * length), to);
    padded.fill(0, to + length, to + width * outChannels);
  }
  return { windows: windowsInfo, dy: dyInfo };
}

/** The gradient by the filter: the windows of x times dy. */
export function convolutionFilterGradient(tf: Tensors, multiply: Kernel): Kernel {
  return ({ inputs: { x, dy }, attrs, backend }) => {
    const filterShape = attrs.filterShape as number[];
    const info = convolutionInfo(tf, x.shape, filterShape, attrs);
    const apart = info.strideHeight > 1 || info.strideWidth > 1;
    const factors = (apart ? stridedFactors : planeFactors)(backend, x, dy, info);
    const positions = factors.windows.shape[2];
    const product = multiply({
      inputs: { a: factors.windows, b: view(factors.dy, [1, positions, info.outChannels]) },
      attrs: { transposeA: false, transposeB: false },
      backend,
    }) as TensorInfo;
    backend.disposeData(factors.windows.dataId);
    if (factors.dy !== dy) backend.disposeData(factors.dy.dataId);
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
