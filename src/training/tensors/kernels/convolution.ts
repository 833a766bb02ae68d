import type { Tensors } from '../types.ts';

export type ConvolutionInfo = ReturnType<Tensors['backend_util']['computeConv2DInfo']>;
type Shape4 = [number, number, number, number];

/** Sides, paddings and strides of a convolution from its kernel's attributes. */
export function convolutionInfo(
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
