import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Tensors } from '../types.ts';
import { floats, type Heap, type Kernel, size, view } from './heap.ts';
import { transposeBlock } from './transpose.ts';

/** Below this many multiplications a loop here beats packing for XNNPACK. */
const SMALL = 4096;

/** The last two axes swapped. */
function swapped(heap: Heap, tensor: TensorInfo): TensorInfo {
  const [batch, rows, columns] = tensor.shape;
  const result = heap.makeOutput([batch, columns, rows], 'float32');
  const to = floats(heap, result);
  const from = floats(heap, tensor);
  for (let i = 0, at = 0; i < batch; i++, at += rows * columns) {
    transposeBlock({ values: from, at, stride: columns }, { values: to, at, stride: rows }, [rows, columns]);
  }
  return result;
}

/** out[rows, columns] = a[rows, inner] b[inner, columns], each by its strides. */
function multiplySmall(
  out: Float32Array,
  [a, aRow, aInner]: [Float32Array, number, number],
  [b, bInner, bColumn]: [Float32Array, number, number],
  [rows, inner, columns]: [number, number, number],
): void {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += a[row * aRow + k * aInner] * b[k * bInner + column * bColumn];
      out[row * columns + column] = sum;
    }
  }
}

/**
 * Products of matrices, over batches. The back end's own is XNNPACK for one pair without transposition and a plain
 * loop, ten times slower, for all else; so operands are transposed before, and batches taken one by one.
 */
export function batchMatMul(tf: Tensors, multiply: Kernel): Kernel {
  return ({ inputs: { a, b }, attrs, backend }) => {
    const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
    const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    const batchA = size(a.shape.slice(0, -2));
    const batchB = size(b.shape.slice(0, -2));
    const batch = size(outer);
    const [aRows, aColumns] = a.shape.slice(-2);
    const [bRows, bColumns] = b.shape.slice(-2);
    const [rows, inner] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
    const columns = transposeB ? bRows : bColumns;
    const fits = inner === (transposeB ? bColumns : bRows);
    const plain = (batchA === batch || batchA === 1) && (batchB === batch || batchB === 1);
    const float = a.dtype === 'float32' && b.dtype === 'float32';
    const whole = batch === 1 && !transposeA && !transposeB;
    const small = rows * inner * columns <= SMALL;
    // The original also words the errors.
    if (!fits || !plain || !float || (whole && !small)) return multiply({ inputs: { a, b }, attrs, backend });

    const out = backend.makeOutput([...outer, rows, columns], 'float32');
    if (small) {
      const [to, left, right] = [out, a, b].map((tensor) => floats(backend, tensor));
      for (let i = 0; i < batch; i++) {
        const atA = batchA === 1 ? 0 : i * rows * inner;
        const atB = batchB === 1 ? 0 : i * inner * columns;
        multiplySmall(
          to.subarray(i * rows * columns, (i + 1) * rows * columns),
          transposeA ? [left.subarray(atA), 1, rows] : [left.subarray(atA), inner, 1],
          transposeB ? [right.subarray(atB), 1, inner] : [right.subarray(atB), columns, 1],
          [rows, inner, columns],
        );
      }
      return out;
    }

    const left = transposeA ? swapped(backend, view(a, [batchA, aRows, aColumns])) : a;
    const right = transposeB ? swapped(backend, view(b, [batchB, bRows, bColumns])) : b;
    const one = (tensor: TensorInfo, count: number, i: number, shape: number[]) => {
      const length = size(shape);
      const part = backend.makeOutput([1, ...shape], 'float32');
      const at = count === 1 ? 0 : i * length;
      floats(backend, part).set(floats(backend, tensor).subarray(at, at + length));
      return part;
    };
    for (let i = 0; i < batch; i++) {
      const pair = { a: one(left, batchA, i, [rows, inner]), b: one(right, batchB, i, [inner, columns]) };
      const attributes = { transposeA: false, transposeB: false };
      const product = multiply({ inputs: pair, attrs: attributes, backend }) as TensorInfo;
      floats(backend, out).set(floats(backend, product), i * rows * columns);
      for (const tensor of [pair.a, pair.b, product]) backend.disposeData(tensor.dataId);
    }
    if (transposeA) backend.disposeData(left.dataId);
    if (transposeB) backend.disposeData(right.dataId);
    return out;
  };
}
