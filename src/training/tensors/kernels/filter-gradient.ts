import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Tensors } from '../types.ts';
import { type ConvolutionInfo, convolutionInfo, fillWindows, planesOf } from './convolution.ts';
import { floats, type Kernel, size, view } from './heap.ts';

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

/** Stride 1, by planes: dy gets zeros at the positions that mean nothing. */
function planeFilling(info: ConvolutionInfo): Filling {
  const { outHeight, outWidth, outChannels } = info;
  const { width, run } = planesOf(info);
  return {
    positions: run,
    fill(images, x, dy, windows, gradient) {
      fillWindows(windows, x, images, info);
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
