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
  for (let j = 0; j < width; j++) differences(height, row, dx, order, m + (<usize>j << 3), gx + (<usize>j << 3));
  for (let i = 0; i < height; i++) differences(width, 8, dy, order, m + <usize>i * row, gy + <usize>i * row);
}

/** One line of `count` >= 2 points, `stride` bytes apart. */
function differences(count: i32, stride: usize, h: f64, order: i32, m: usize, out: usize): void {
  const last = <usize>(count - 1) * stride;
  const half = 0.5 / h;
  for (let at = stride; at < last; at += stride) {
    store<f64>(out + at, (load<f64>(m + at + stride) - load<f64>(m + at - stride)) * half);
  }
  store<f64>(out, border(count, stride, h, order, m));
  // Seen from the far end the line runs backwards.
  store<f64>(out + last, -border(count, -stride, h, order, m + last));
}

function border(count: i32, stride: usize, h: f64, order: i32, m: usize): f64 {
  const a = load<f64>(m);
  const b = load<f64>(m + stride);
  if (order == FIRST_ORDER || count < 3) return (b - a) / h;
  return (4 * b - 3 * a - load<f64>(m + (stride << 1))) * (0.5 / h);
}

/** s_k <- (m_{k+1} - m_{k-1}) / (2 h) along the flat index, 0 outside: the score of `na2024`. */
export function flatDifference(n: i32, h: f64, m: usize, s: usize): void {
  const half = 0.5 / h;
  let before: f64 = 0;
  let here = load<f64>(m);
  for (const end = m + (<usize>(n - 1) << 3); m < end; m += 8, s += 8) {
    const next = load<f64>(m, 8);
    store<f64>(s, (next - before) * half);
    before = here;
    here = next;
  }
  store<f64>(s, -before * half);
}
