import { BandMatrix, norm, subtract } from './fokkerplanck-band.ts';

/** The two published schemes, written down plainly: an oracle for the kernel's. Grid index k = i W + j. */

export interface NaResult {
  /** [level][channel] -> n values. */
  logDensity: Float64Array[][];
  scores: Float64Array[][];
  times: number[];
  /** Relative change of the log density after each policy iteration. */
  changes: number[];
}

export interface NaOptions {
  sigma: number;
  levels: number;
  dh?: number;
  eps?: number;
  tol?: number;
  maxiter?: number;
}

/** Scheme `na2024` for one image: `initial` holds one log density a channel. */
export function na2024Twin(initial: Float64Array[], height: number, options: NaOptions): NaResult {
  const { sigma, levels, dh = 1, eps = 1e-3, tol = 2e-8, maxiter = 50 } = options;
  const n = initial[0].length;
  const dt = 1 / levels;
  const times = Array.from({ length: levels }, (_, i) => eps + (i * (1 - eps)) / (levels - 1));
  const ones = (): Float64Array[][] => times.map(() => initial.map(() => new Float64Array(n).fill(1)));
  let m = ones();
  let scores = ones();
  const changes: number[] = [];
  while (changes.length < maxiter) {
    const old = m;
    m = [initial];
    for (let i = 1; i < levels; i++) {
      m.push(
        m[i - 1].map((before, c) =>
          na2024Matrix(scores[i][c], height, sigma ** times[i], dt, dh).solve(before),
        ),
      );
    }
    scores = m.map((level) => level.map((field) => flatScore(field, dh)));
    const difference = m.map((level, i) => level.map((field, c) => subtract(field, old[i][c])));
    changes.push(wholeNorm(difference) / wholeNorm(old));
    if (changes[changes.length - 1] <= tol) break;
  }
  return { logDensity: m, scores, times, changes };
}

/** The coefficient of a neighbour is read at the neighbour's own index, as published. */
export function na2024Matrix(
  score: Float64Array,
  height: number,
  g: number,
  dt: number,
  dh: number,
): BandMatrix {
  const n = score.length;
  const A = new BandMatrix(n, height);
  const y = (0.5 * g * g * dt) / (dh * dh);
  for (let k = 0; k < n; k++) {
    A.add(k, k, 1 + (2 * g * g * dt) / (dh * dh));
    for (const offset of [1, height]) {
      for (const sign of [1, -1]) {
        const column = k + sign * offset;
        if (column < 0 || column >= n) continue;
        const x = (-0.5 * g * g * score[column] * dt) / (2 * dh);
        A.add(k, column, x + sign * y);
      }
    }
  }
  return A;
}

function flatScore(m: Float64Array, dh: number): Float64Array {
  return m.map((_, k) => ((m[k + 1] ?? 0) - (m[k - 1] ?? 0)) / (2 * dh));
}

function wholeNorm(levels: Float64Array[][]): number {
  return Math.hypot(...levels.flat().map(norm));
}

export interface LauResult {
  /** [level] -> H W values. */
  logDensity: Float64Array[];
  /** [level][component] -> H W values. */
  scores: [Float64Array, Float64Array][];
  times: number[];
  fixedPointIterations: number[];
}

export interface LauOptions {
  T: number;
  steps: number;
  diffusion: (t: number) => number;
  drift?: (x: number, y: number, t: number) => readonly [number, number];
  rtol?: number;
  maxiter?: number;
}

/** Scheme `lau2025` for one log density on the unit square. */
export function lau2025Twin(
  initial: Float64Array,
  height: number,
  width: number,
  options: LauOptions,
): LauResult {
  const { T, steps, diffusion, drift = () => [0, 0] as const, rtol = 1e-6, maxiter = 5 } = options;
  const dx = 1 / (height - 1);
  const dy = 1 / (width - 1);
  const dt = T / steps;
  const n = height * width;
  const times = Array.from({ length: steps + 1 }, (_, i) => i * dt);

  /** Central difference times 2 h along an axis; one-sided and doubled at the border. */
  function difference(m: Float64Array, axis: 0 | 1): Float64Array {
    const stride = axis === 0 ? width : 1;
    const count = axis === 0 ? height : width;
    return m.map((value, k) => {
      const at = axis === 0 ? Math.floor(k / width) : k % width;
      if (at === 0) return 2 * (m[k + stride] - value);
      if (at === count - 1) return 2 * (value - m[k - stride]);
      return m[k + stride] - m[k - stride];
    });
  }

  function matrix(last: Float64Array, fx: Float64Array, fy: Float64Array, g: number): BandMatrix {
    const A = new BandMatrix(n, width);
    const ex = difference(last, 0);
    const ey = difference(last, 1);
    for (let k = 0; k < n; k++) {
      const i = Math.floor(k / width);
      const j = k % width;
      A.add(k, k, 1 / dt + (2 * g * g) / (dx * dx));
      const vx = fx[k] - (0.25 * g * g * ex[k]) / dx;
      const vy = fy[k] - (0.25 * g * g * ey[k]) / dy;
      if (i < height - 1) A.add(k, k + width, (1 / (2 * dx)) * ((-g * g) / dx + vx));
      if (i > 0) A.add(k, k - width, (1 / (2 * dx)) * ((-g * g) / dx - vx));
      if (j < width - 1) A.add(k, k + 1, (1 / (2 * dy)) * ((-g * g) / dy + vy));
      if (j > 0) A.add(k, k - 1, (1 / (2 * dy)) * ((-g * g) / dy - vy));
    }
    return A;
  }

  const logDensity = [initial];
  const fixedPointIterations: number[] = [];
  for (let step = 1; step <= steps; step++) {
    const t = times[step];
    const g = diffusion(t);
    const f = Array.from({ length: n }, (_, k) => drift(Math.floor(k / width) * dx, (k % width) * dy, t));
    const fx = Float64Array.from(f, (value) => value[0]);
    const fy = Float64Array.from(f, (value) => value[1]);
    const before = logDensity[step - 1];
    const [dfx, dfy] = [difference(fx, 0), difference(fy, 1)];
    const rhs = before.map((value, k) => value / dt - (dfx[k] / (2 * dx) + dfy[k] / (2 * dy)));
    let last = before;
    let count = 0;
    let change = Number.POSITIVE_INFINITY;
    while (count < maxiter && change >= rtol) {
      const next = matrix(last, fx, fy, g).solve(rhs);
      change = norm(subtract(next, last)) / norm(last);
      last = next;
      count++;
    }
    logDensity.push(last);
    fixedPointIterations.push(count);
  }
  const scores = logDensity.map((m): [Float64Array, Float64Array] => [
    difference(m, 0).map((value) => value / (2 * dx)),
    difference(m, 1).map((value) => value / (2 * dy)),
  ]);
  return { logDensity, scores, times, fixedPointIterations };
}
