import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';

/** What the kernels need of the `wasm` back end. */
export interface Heap {
  makeOutput(shape: number[], dtype: TensorInfo['dtype']): TensorInfo;
  /** A view of the tensor's memory; valid until the next tensor is made, which may grow the memory. */
  typedArrayFromHeap(tensor: TensorInfo): Float32Array | Int32Array | Uint8Array;
  disposeData(dataId: TensorInfo['dataId']): boolean;
}

export interface KernelArguments {
  inputs: Record<string, TensorInfo>;
  attrs: Record<string, unknown>;
  backend: Heap;
}

export type Kernel = (given: KernelArguments) => TensorInfo | TensorInfo[];

/** The values of a tensor of floats, in place. */
export function floats(heap: Heap, tensor: TensorInfo): Float32Array {
  return heap.typedArrayFromHeap(tensor) as Float32Array;
}

export function size(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** The same memory under another shape; made and given back by whoever owns `tensor`. */
export function view(tensor: TensorInfo, shape: number[]): TensorInfo {
  return { dataId: tensor.dataId, dtype: tensor.dtype, shape };
}

/** A kernel of tfjs as a function of its arguments. */
export function kernelFunction(config: KernelConfig): Kernel {
  return config.kernelFunc as unknown as Kernel;
}
