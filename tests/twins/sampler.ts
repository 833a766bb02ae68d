/** Plain versions of the kernel's random numbers and of points that move in a field of scores on cells. */

/** Philox4x32-10, with exact integers. */
export function philox(counter: readonly number[], key: readonly number[]): number[] {
  let [c0, c1, c2, c3] = counter.map((word) => BigInt(word >>> 0));
  let [k0, k1] = key.map((word) => BigInt(word >>> 0));
  const low = (value: bigint) => value & 0xffffffffn;
  for (let round = 0; round < 10; round++) {
    const a = 0xd2511f53n * c0;
    const b = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(b >> 32n) ^ c1 ^ k0, low(b), (a >> 32n) ^ c3 ^ k1, low(a)];
    k0 = low(k0 + 0x9e3779b9n);
    k1 = low(k1 + 0xbb67ae85n);
  }
  return [c0, c1, c2, c3].map(Number);
}

export function uniformOf(high: number, low: number): number {
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}

/** By the runtime's own logarithm, sine and cosine. */
export function normalPair(words: readonly number[]): [number, number] {
  const radius = Math.sqrt(-2 * Math.log(1 - uniformOf(words[0], words[1])));
  const angle = 2 * Math.PI * uniformOf(words[2], words[3]);
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** Four numbers a cell: the lower faces' x and y, and how much more the upper faces have. */
export function cellScores(
  p: Float64Array,
  height: number,
  width: number,
  cx: number,
  cy: number,
): Float64Array {
  const cells = new Float64Array(4 * height * width);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const k = i * width + j;
      const slope = (a: number, b: number) => (p[b] - p[a]) * (p[k] > 0 ? 1 / p[k] : 0);
      const x = [i > 0 ? cx * slope(k - width, k) : 0, i < height - 1 ? cx * slope(k, k + width) : 0];
      const y = [j > 0 ? cy * slope(k - 1, k) : 0, j < width - 1 ? cy * slope(k, k + 1) : 0];
      cells.set([x[0], y[0], x[1] - x[0], y[1] - y[0]], 4 * k);
    }
  }
  return cells;
}

/** The field at (u, v). */
export function fieldAt(
  cells: Float64Array,
  height: number,
  width: number,
  u: number,
  v: number,
): [number, number] {
  const cell = (w: number, count: number) =>
    Number.isNaN(w) ? 0 : Math.max(0, Math.min(Math.trunc(w), count - 1));
  const [i, j] = [cell(u, height), cell(v, width)];
  const k = 4 * (i * width + j);
  return [cells[k] + (u - i) * cells[k + 2], cells[k + 1] + (v - j) * cells[k + 3]];
}

/** Reflection at 0 and `count`, as often as it takes. */
export function fold(u: number, count: number): number {
  const period = 2 * count;
  const y = Math.abs(u);
  const z = y - period * Math.floor(y / period);
  return Math.max(0, Math.min(z, period - z));
}

export function movePoints(
  cells: Float64Array,
  height: number,
  width: number,
  x: Float64Array,
  noise: (point: number) => readonly [number, number],
): Float64Array {
  const out = new Float64Array(x.length);
  for (let k = 0; k < x.length; k += 2) {
    const [u, v] = fieldAt(cells, height, width, x[k], x[k + 1]);
    const z = noise(k / 2);
    out[k] = fold(x[k] + u + z[0], height);
    out[k + 1] = fold(x[k + 1] + v + z[1], width);
  }
  return out;
}

export function movePointsHeun(
  before: Float64Array,
  after: Float64Array,
  height: number,
  width: number,
  x: Float64Array,
): Float64Array {
  const out = new Float64Array(x.length);
  for (let k = 0; k < x.length; k += 2) {
    const [u, v] = fieldAt(before, height, width, x[k], x[k + 1]);
    const [s, t] = fieldAt(after, height, width, fold(x[k] + u, height), fold(x[k + 1] + v, width));
    out[k] = fold(x[k] + 0.5 * (u + s), height);
    out[k + 1] = fold(x[k + 1] + 0.5 * (v + t), width);
  }
  return out;
}

/** Where the running sum over the cells, each filled evenly, reaches a share of the whole. */
export function drawAlong(masses: ArrayLike<number>, share: number): { index: number; at: number } {
  const sums: number[] = [];
  let sum = 0;
  for (let k = 0; k < masses.length; k++) {
    sum += masses[k];
    sums.push(sum);
  }
  const wanted = share * sum;
  const index = sums.findIndex((value) => value > wanted);
  const below = index > 0 ? sums[index - 1] : 0;
  return { index, at: index + (wanted - below) / (sums[index] - below) };
}
