import type { Tensors } from '../types.ts';
import { floats, type Kernel } from './heap.ts';

type PoolingInfo = ReturnType<Tensors['backend_util']['computePool2DInfo']>;

function poolingInfo(tf: Tensors, shape: number[], attrs: Record<string, unknown>): PoolingInfo {
  const { filterSize, strides, pad, dimRoundingMode } = attrs as {
    filterSize: [number, number] | number;
    strides: [number, number] | number;
    pad: number | 'valid' | 'same';
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
  };
  const shape4 = shape as [number, number, number, number];
  return tf.backend_util.computePool2DInfo(shape4, filterSize, strides, 1, pad, dimRoundingMode);
}

/** Calls `visit` for each window, with the rows and columns of x that lie in it. */
function forEachWindow(
  info: PoolingInfo,
  visit: (image: number, top: number, bottom: number, left: number, right: number, window: number) => void,
): void {
  const { batchSize, inHeight, inWidth, outHeight, outWidth, strideHeight, strideWidth, padInfo } = info;
  for (let window = 0; window < batchSize * outHeight * outWidth; window++) {
    const y = (Math.floor(window / outWidth) % outHeight) * strideHeight - padInfo.top;
    const x = (window % outWidth) * strideWidth - padInfo.left;
    visit(
      Math.floor(window / (outWidth * outHeight)) * inHeight * inWidth,
      Math.max(0, y),
      Math.min(inHeight, y + info.filterHeight),
      Math.max(0, x),
      Math.min(inWidth, x + info.filterWidth),
      window,
    );
  }
}

/** Each window's gradient goes to the first of its greatest values, whatever their sign. */
export function maxPoolGradient(tf: Tensors): Kernel {
  return ({ inputs: { dy, input }, attrs, backend }) => {
    const info = poolingInfo(tf, input.shape, attrs);
    const out = backend.makeOutput(input.shape, 'float32');
    const dx = floats(backend, out).fill(0);
    const x = floats(backend, input);
    const gradient = floats(backend, dy);
    const { inWidth, inChannels } = info;
    forEachWindow(info, (image, top, bottom, left, right, window) => {
      for (let channel = 0; channel < inChannels; channel++) {
        let greatest = -1;
        for (let row = top; row < bottom; row++) {
          for (let column = left; column < right; column++) {
            const at = (image + row * inWidth + column) * inChannels + channel;
            if (greatest < 0 || x[at] > x[greatest]) greatest = at;
          }
        }
        dx[greatest] += gradient[window * inChannels + channel];
      }
    });
    return out;
  };
}

/** Each window's gradient in equal shares to the values that it averaged, those of the padding left out. */
export function averagePoolGradient(tf: Tensors): Kernel {
  return ({ inputs: { dy, input }, attrs, backend }) => {
    const info = poolingInfo(tf, input.shape, attrs);
    const out = backend.makeOutput(input.shape, 'float32');
    const dx = floats(backend, out).fill(0);
    const gradient = floats(backend, dy);
    const { inWidth, inChannels } = info;
    forEachWindow(info, (image, top, bottom, left, right, window) => {
      const share = 1 / ((bottom - top) * (right - left));
      const from = window * inChannels;
      for (let row = top; row < bottom; row++) {
        for (let column = left; column < right; column++) {
          const at = (image + row * inWidth + column) * inChannels;
          for (let channel = 0; channel < inChannels; channel++) {
            dx[at + channel] += share * gradient[from + channel];
          }
        }
      }
    });
    return out;
  };
}
