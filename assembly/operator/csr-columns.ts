// A CSR matrix times several vectors: each index and value is read once for four of them.

/** Y <- A X for four columns, each `stride` bytes after the one before. Sums as `csrMultiply` has them. */
export function csrMultiplyFour(
  rows: i32,
  indptr: usize,
  indices: usize,
  data: usize,
  X: usize,
  stride: usize,
  Y: usize,
  yStride: usize,
): void {
  const p = X;
  const q = p + stride;
  const r = q + stride;
  const s = r + stride;
  let entry = load<i32>(indptr);
  for (const end = indptr + (<usize>rows << 2); indptr < end; indptr += 4, Y += 8) {
    const stop = load<i32>(indptr, 4);
    if (ASC_FEATURE_SIMD) {
      let ab = f64x2.splat(0);
      let cd = f64x2.splat(0);
      for (; entry < stop; entry++) {
        const at = <usize>load<u32>(indices + (<usize>entry << 2)) << 3;
        const value = v128.load64_splat(data + (<usize>entry << 3));
        ab = f64x2.add(ab, f64x2.mul(value, v128.load_lane<f64>(q + at, v128.load64_zero(p + at), 1)));
        cd = f64x2.add(cd, f64x2.mul(value, v128.load_lane<f64>(s + at, v128.load64_zero(r + at), 1)));
      }
      v128.store_lane<f64>(Y, ab, 0);
      v128.store_lane<f64>(Y + yStride, ab, 1);
      v128.store_lane<f64>(Y + (yStride << 1), cd, 0);
      v128.store_lane<f64>(Y + 3 * yStride, cd, 1);
    } else {
      let a: f64 = 0;
      let b: f64 = 0;
      let c: f64 = 0;
      let d: f64 = 0;
      for (; entry < stop; entry++) {
        const at = <usize>load<u32>(indices + (<usize>entry << 2)) << 3;
        const value = load<f64>(data + (<usize>entry << 3));
        a += value * load<f64>(p + at);
        b += value * load<f64>(q + at);
        c += value * load<f64>(r + at);
        d += value * load<f64>(s + at);
      }
      store<f64>(Y, a);
      store<f64>(Y + yStride, b);
      store<f64>(Y + (yStride << 1), c);
      store<f64>(Y + 3 * yStride, d);
    }
  }
}
