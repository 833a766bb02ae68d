// Rows in slices times two vectors: indices and values are read once for both.

import { madd } from '../vector/simd';
import { gather, RUN, scatter, slicedMultiply, sparseDot } from './sliced';

/** Y <- A X for two columns, the second `stride` bytes (`yStride` in Y) after the first. */
export function slicedMultiplyTwo(
  runs: usize,
  count: i32,
  order: usize,
  indices: usize,
  data: usize,
  X: usize,
  stride: usize,
  Y: usize,
  yStride: usize,
): void {
  const x = X + stride;
  const y = Y + yStride;
  if (!ASC_FEATURE_SIMD) {
    slicedMultiply(runs, count, order, indices, data, X, Y);
    slicedMultiply(runs, count, order, indices, data, x, y);
    return;
  }
  for (const end = runs + <usize>count * RUN; runs < end; runs += RUN) {
    const length = load<i32>(runs);
    const bytes = <usize>length << 3;
    for (const stop = order + (<usize>load<i32>(runs, 4) << 4); order < stop; order += 16) {
      let a = f64x2.splat(0);
      let b = f64x2.splat(0);
      let c = f64x2.splat(0);
      let d = f64x2.splat(0);
      for (const behind = data + (bytes << 2); data < behind; data += 32, indices += 16) {
        const low = v128.load(data);
        a = madd(low, gather(X, indices), a);
        c = madd(low, gather(x, indices), c);
        const high = v128.load(data, 16);
        b = madd(high, gather(X, indices + 8), b);
        d = madd(high, gather(x, indices + 8), d);
      }
      scatter(a, order, Y);
      scatter(b, order + 8, Y);
      scatter(c, order, y);
      scatter(d, order + 8, y);
    }
    for (const stop = order + (<usize>load<i32>(runs, 8) << 2); order < stop; order += 4) {
      const at = <usize>load<u32>(order) << 3;
      store<f64>(Y + at, sparseDot(length, indices, data, X));
      store<f64>(y + at, sparseDot(length, indices, data, x));
      data += bytes;
      indices += bytes >> 1;
    }
  }
}
