// Differences of a field on an H x W grid, row-major.

/** Borders of `gradient`. */
const FIRST_ORDER: i32 = 0;

/**
 * gx, gy <- grad m: centred differences inside, one-sided at the border, of the first order (`order` 0: the
 * papers') or of the second (`order` 1, where an axis has three points). gx is along i, gy along j.
 */
export function gradient(
  height: i32,
  width: i32,
  dx: f64,
  dy: f64,
  order: i32,
  m: usize,
  gx: usize,
  gy: usize,
): void {
  const row = <usize>width << 3;
  // Along i: the first and the last row point by point, those between a row at a time.
  const last = <usize>(height - 1) * row;
  for (let at: usize = 0; at < row; at += 8) {
    store<f64>(gx + at, border(height, row, dx, order, m + at));
    store<f64>(gx + last + at, -border(height, -row, dx, order, m + last + at));
  }
  for (let at = row; at < last; at += row) halfDifference(width, dx, m + at - row, m + at + row, gx + at);
  for (let i = 0; i < height; i++) {
    const at = <usize>i * row;
    halfDifference(width - 2, dy, m + at, m + at + 16, gy + at + 8);
    store<f64>(gy + at, border(width, 8, dy, order, m + at));
    store<f64>(gy + at + row - 8, -border(width, -8, dy, order, m + at + row - 8));
  }
}

/** out <- (upper - lower) / (2 h) */
function halfDifference(count: i32, h: f64, lower: usize, upper: usize, out: usize): void {
  const half = 0.5 / h;
  let at: usize = 0;
  const end = <usize>max(count, 0) << 3;
  if (ASC_FEATURE_SIMD) {
    const halves = f64x2.splat(half);
    for (const stop = end & ~15; at < stop; at += 16) {
      v128.store(out + at, f64x2.mul(f64x2.sub(v128.load(upper + at), v128.load(lower + at)), halves));
    }
  }
  for (; at < end; at += 8) store<f64>(out + at, (load<f64>(upper + at) - load<f64>(lower + at)) * half);
}

/** One-sided, at the first of `count` points `stride` bytes apart; with a negative stride, minus that at the last. */
function border(count: i32, stride: usize, h: f64, order: i32, m: usize): f64 {
  const a = load<f64>(m);
  const b = load<f64>(m + stride);
  if (order == FIRST_ORDER || count < 3) return (b - a) / h;
  return (4 * b - 3 * a - load<f64>(m + (stride << 1))) * (0.5 / h);
}

/** s_k <- (m_{k+1} - m_{k-1}) / (2 h) along the flat index, 0 outside: the score of `na2024`. */
export function flatDifference(n: i32, h: f64, m: usize, s: usize): void {
  const half = 0.5 / h;
  const last = <usize>(n - 1) << 3;
  store<f64>(s, n > 1 ? load<f64>(m, 8) * half : 0);
  halfDifference(n - 2, h, m, m + 16, s + 8);
  if (n > 1) store<f64>(s + last, -load<f64>(m + last - 8) * half);
}
