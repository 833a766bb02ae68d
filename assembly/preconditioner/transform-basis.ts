// Tables of sines and cosines, rows of `row` bytes of f32. By rotations, which keep far more digits than f32 has: the
// kernel has no use for a sine otherwise.

/** table[j][k] = sqrt(2 / (W + 1)) sin(pi (j + 1) (k + 1) / (W + 1)): its own inverse. */
export function sines(width: i32, row: usize, table: usize): void {
  const angle = Math.PI / <f64>(width + 1);
  const cosine = series(angle, 0);
  const sine = series(angle, 1);
  const norm = Math.sqrt(2 / <f64>(width + 1));
  let c: f64 = 1;
  let s: f64 = 0;
  for (let j = 0; j < width; j++) {
    const before = c;
    c = c * cosine - s * sine;
    s = s * cosine + before * sine;
    let p = c;
    let q = s;
    for (let k = 0; k < width; k++) {
      store<f32>(table + <usize>j * row + (<usize>k << 2), <f32>(norm * q));
      const last = p;
      p = p * c - q * s;
      q = q * c + last * s;
    }
  }
}

/**
 * backward[k][j] = cos(pi j k / (W - 1)), or with mirrors `between` points cos(pi (j + 1/2) k / W); `forward` is its
 * inverse: forward[j][k] = backward[k][j] times a weight.
 */
export function cosines(width: i32, row: usize, between: bool, forward: usize, backward: usize): void {
  const steps = between ? width : width - 1;
  const angle = Math.PI / <f64>steps;
  const cosine = series(angle, 0);
  const sine = series(angle, 1);
  let c: f64 = between ? series(0.5 * angle, 0) : 1;
  let s: f64 = between ? series(0.5 * angle, 1) : 0;
  for (let j = 0; j < width; j++) {
    let p: f64 = 1;
    let q: f64 = 0;
    for (let k = 0; k < width; k++) {
      // The last mode and the end points count half where the mirrors are at points.
      let weight: f64 = (k == 0 ? 1 : 2) / <f64>steps;
      if (!between) weight *= (k == width - 1 ? 0.5 : 1) * (j == 0 || j == width - 1 ? 0.5 : 1);
      store<f32>(forward + <usize>j * row + (<usize>k << 2), <f32>(weight * p));
      store<f32>(backward + <usize>k * row + (<usize>j << 2), <f32>p);
      const last = p;
      p = p * c - q * s;
      q = q * c + last * s;
    }
    const before = c;
    c = c * cosine - s * sine;
    s = s * cosine + before * sine;
  }
}

/** sum of (-1)^m x^(2 m + first) / (2 m + first)!: the cosine (0) or sine (1) of 0 <= x <= pi. */
export function series(x: f64, first: i32): f64 {
  let term: f64 = first ? x : 1;
  let sum = term;
  for (let k = first + 1; k < 26; k += 2) {
    term *= (-x * x) / <f64>(k * (k + 1));
    sum += term;
  }
  return sum;
}
