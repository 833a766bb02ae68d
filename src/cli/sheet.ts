import type { NdArray } from '../diffusion/index.ts';

/** Pixels between the pictures. */
const GAP = 1;

/** Pictures `[count, channels, H, W]` side by side, as square as can be, white between them: `[channels, h, w]`. */
export function sheet({ data, shape }: NdArray): NdArray {
  const [count, channels, height, width] = shape;
  const columns = Math.ceil(Math.sqrt(count));
  const rows = Math.ceil(count / columns);
  const [h, w] = [rows * (height + GAP) - GAP, columns * (width + GAP) - GAP];
  const all = new Float64Array(channels * h * w).fill(1);
  for (let k = 0; k < count; k++) {
    const [top, left] = [Math.floor(k / columns) * (height + GAP), (k % columns) * (width + GAP)];
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < height; i++) {
        const from = ((k * channels + c) * height + i) * width;
        all.set(data.subarray(from, from + width), (c * h + top + i) * w + left);
      }
    }
  }
  return { data: all, shape: [channels, h, w] };
}
