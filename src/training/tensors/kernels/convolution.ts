import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Tensors } from '../types.ts';
import { floats, type Heap, type Kernel, size, view } from './heap.ts';
import { transposeBlock } from './transpose.ts';

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
 * [positions, outChannels]; in this layout XNNPACK multiplies without a transposition. A filling writes both for
 * some images of the batch.
 */
interface Filling {
  /** Positions of one image. */
  positions: number;
  fill(
    images: number,
    x: Float32Array,
    dy: Float32Array,
    windows: Float32Array,
    gradient: Float32Array,
  ): void;
}

/** Any stride: value after value. */
function stridedFilling(info: ConvolutionInfo): Filling {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, strideHeight, strideWidth, padInfo } = info;
  return {
    positions: outHeight * outWidth,
    fill(images, x, dy, windows, gradient) {
      gradient.set(dy);
      const pixels = images * outHeight * outWidth;
      for (let tap = 0; tap < info.filterHeight * info.filterWidth; tap++) {
        const down = Math.floor(tap / info.filterWidth) - padInfo.top;
        const right = (tap % info.filterWidth) - padInfo.left;
        for (let row = 0; row < images * outHeight; row++) {
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
    },
  };
}

/**
 * Stride 1: with x as one plane a channel, zeros around it, the windows of a tap are the plane itself from the tap's
 * place on, copied whole. They run over the zeros between two rows too, so dy gets zeros there.
 */
function planeFilling(info: ConvolutionInfo): Filling {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info;
  const width = inWidth + padInfo.left + padInfo.right;
  const run = outHeight * width;
  // The last tap's run ends filterWidth - 1 places after the plane.
  const plane = (inHeight + padInfo.top + padInfo.bottom) * width + info.filterWidth - 1;
  return {
    positions: run,
    fill(images, x, dy, windows, gradient) {
      const planes = new Float32Array(inChannels * images * plane);
      for (let row = 0; row < images * inHeight; row++) {
        const y = (row % inHeight) + padInfo.top;
        const start = Math.floor(row / inHeight) * plane + y * width + padInfo.left;
        const from = row * inWidth * inChannels;
        transposeBlock([x, from], [inWidth, inChannels], [planes, start], images * plane);
      }
      for (let tap = 0, to = 0; tap < info.filterHeight * info.filterWidth; tap++) {
        const offset = Math.floor(tap / info.filterWidth) * width + (tap % info.filterWidth);
        for (let from = offset; from < planes.length; from += plane, to += run) {
          windows.set(planes.subarray(from, from + run), to);
        }
      }
      const length = outWidth * outChannels;
      for (let row = 0; row < images * outHeight; row++) {
        const to = row * width * outChannels;
        gradient.set(dy.subarray(row * length, (row + 1) * length), to);
        gradient.fill(0, to + length, to + width * outChannels);
      }
    },
  };
}

/** Numbers that the windows may take at a time: they should stay in the cache, and a batch of them in memory. */
const MOST_WINDOWS = 2 ** 20;

/** The gradient by the filter: the windows of x times dy, as many images at a time as memory is meant for. */
export function convolutionFilterGradient(tf: Tensors, multiply: Kernel): Kernel {
  return ({ inputs: { x, dy }, attrs, backend }) => {
    const filterShape = attrs.filterShape as number[];
    const info = convolutionInfo(tf, x.shape, filterShape, attrs);
    const { positions, fill } = (info.strideHeight * info.strideWidth > 1 ? stridedFilling : planeFilling)(
      info,
    );
    const rows = info.filterHeight * info.filterWidth * info.inChannels;
    const most = Math.max(1, Math.floor(MOST_WINDOWS / (rows * positions)));
    let total: TensorInfo | undefined;
    for (let first = 0; first < info.batchSize; first += most) {
      const images = Math.min(most, info.batchSize - first);
      const a = backend.makeOutput([1, rows, images * positions], 'float32');
      const b = backend.makeOutput([1, images * positions, info.outChannels], 'float32');
      const part = (tensor: TensorInfo) => {
        const length = size(tensor.shape) / info.batchSize;
        return floats(backend, tensor).subarray(first * length, (first + images) * length);
      };
      fill(images, part(x), part(dy), floats(backend, a), floats(backend, b));
      const attributes = { transposeA: false, transposeB: false };
      const product = multiply({ inputs: { a, b }, attrs: attributes, backend }) as TensorInfo;
      const used = [a, b];
      if (total === undefined) {
        total = product;
      } else {
        const sum = floats(backend, total);
        const summand = floats(backend, product);
        for (let at = 0; at < sum.length; at++) sum[at] += summand[at];
        used.push(product);
      }
      for (const { dataId } of used) backend.disposeData(dataId);
    }
    return view(total ?? backend.makeOutput(filterShape, 'float32'), filterShape);
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
    transposeBlock([from, source], [inChannels, outChannels], [to, tap * block], inChannels);
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
