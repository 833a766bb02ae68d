/** `count` numbers in single precision, rounded to the nearest. `to` may be `from`. */
export function narrow(from: usize, count: usize, to: usize): void {
  let k: usize = 0;
  if (ASC_FEATURE_SIMD) {
    for (; k + 4 <= count; k += 4) {
      const low = f32x4.demote_f64x2_zero(v128.load(from + (k << 3)));
      const high = f32x4.demote_f64x2_zero(v128.load(from + (k << 3), 16));
      v128.store(to + (k << 2), v128.shuffle<i64>(low, high, 0, 2));
    }
  }
  for (; k < count; k++) store<f32>(to + (k << 2), <f32>load<f64>(from + (k << 3)));
}
