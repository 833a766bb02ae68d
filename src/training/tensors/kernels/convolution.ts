import type { Tensors } from '../types.ts';
import { transposeBlock } from './transpose.ts';

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

/**
 * Pictures as one plane for each channel and image, zeros around it, for convolutions of stride 1: what a tap of the
 * filter meets is then the plane from the tap's place on, a run that can be copied or added whole. Runs go over the
 * zeros between two rows too; an output in this form has positions there that mean nothing.
 */
export interface Planes {
  /** Of a padded row. */
  width: number;
  /** Length of a run: the positions of one image. */
  run: number;
  /** Length of a plane: the last tap's run ends filterWidth - 1 places after the padded picture. */
  length: number;
  /** Where each tap's run begins. */
  taps: number[];
  /** Where a row of the picture begins in the first channel's plane; `row` counts over all images. */
  start(row: number): number;
}

export function planesOf(info: ConvolutionInfo): Planes {
  const { inHeight, inWidth, outHeight, filterHeight, filterWidth, padInfo } = info;
  const width = inWidth + padInfo.left + padInfo.right;
  const length = (inHeight + padInfo.top + padInfo.bottom) * width + filterWidth - 1;
  return {
    width,
    run: outHeight * width,
    length,
    taps: Array.from(
      { length: filterHeight * filterWidth },
      (_, tap) => Math.floor(tap / filterWidth) * width + (tap % filterWidth),
    ),
    start: (row) =>
      Math.floor(row / inHeight) * length + ((row % inHeight) + padInfo.top) * width + padInfo.left,
  };
}

/** Writes the runs of all taps, [taps * inChannels, images * run]. */
export function fillWindows(
  windows: Float32Array,
  x: Float32Array,
  images: number,
  info: ConvolutionInfo,
): void {
  const { inHeight, inWidth, inChannels } = info;
  const { length, run, taps, start } = planesOf(info);
  const planes = new Float32Array(inChannels * images * length);
  for (let row = 0; row < images * inHeight; row++) {
    transposeBlock(
      { values: x, at: row * inWidth * inChannels, stride: inChannels },
      { values: planes, at: start(row), stride: images * length },
      [inWidth, inChannels],
    );
  }
  let to = 0;
  for (const tap of taps) {
    for (let from = tap; from < planes.length; from += length, to += run) {
      windows.set(planes.subarray(from, from + run), to);
    }
  }
}
