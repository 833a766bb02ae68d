// The assembly of the three schemes on typed arrays; a diagonal an array, the value of row k at k.

import type { Diagonals } from './sparse.ts';

export function emptyDiagonals(n: number, width: number): Diagonals {
  const make = () => new Float64Array(n);
  return { n, width, below: make(), left: make(), centre: make(), right: make(), above: make() };
}

/** gx, gy <- grad m: centred, one-sided of the first order at the border. */
export function gradient(
  height: number,
  width: number,
  dx: number,
  dy: number,
  m: Float64Array,
  gx: Float64Array,
  gy: Float64Array,
): void {
  const across = 0.5 / dx;
  const along = 0.5 / dy;
  const last = (height - 1) * width;
  for (let j = 0; j < width; j++) {
    gx[j] = (m[j + width] - m[j]) / dx;
    gx[last + j] = (m[last + j] - m[last + j - width]) / dx;
  }
  for (let k = width; k < last; k++) gx[k] = (m[k + width] - m[k - width]) * across;
  for (let i = 0; i < height; i++) {
    const start = i * width;
    const end = start + width - 1;
    gy[start] = (m[start + 1] - m[start]) / dy;
    for (let k = start + 1; k < end; k++) gy[k] = (m[k + 1] - m[k - 1]) * along;
    gy[end] = (m[end] - m[end - 1]) / dy;
  }
}

/** s <- (m[k + 1] - m[k - 1]) / (2 h), 0 outside. */
export function flatDifference(h: number, m: Float64Array, s: Float64Array): void {
  const half = 0.5 / h;
  const last = m.length - 1;
  s[0] = m[1] * half;
  for (let k = 1; k < last; k++) s[k] = (m[k + 1] - m[k - 1]) * half;
  s[last] = -m[last - 1] * half;
}

/** Scheme `na2024`. */
export function naAssemble(x: number, y: number, s: Float64Array, A: Diagonals): void {
  const { n, width, below, left, centre, right, above } = A;
  centre.fill(1 + 4 * y);
  for (let k = width; k < n; k++) below[k] = x * s[k - width] - y;
  for (let k = 1; k < n; k++) left[k] = x * s[k - 1] - y;
  for (let k = 0; k + 1 < n; k++) right[k] = x * s[k + 1] + y;
  for (let k = 0; k + width < n; k++) above[k] = x * s[k + width] + y;
}

/** Scheme `lau2025` without drift. */
export function lauAssemble(
  height: number,
  width: number,
  dx: number,
  dy: number,
  g: number,
  middle: number,
  m: Float64Array,
  A: Diagonals,
): void {
  const { below, left, centre, right, above } = A;
  const [ax, cx] = [(0.25 * g * g) / dx / (2 * dx), (g * g) / dx / (2 * dx)];
  const [ay, cy] = [(0.25 * g * g) / dy / (2 * dy), (g * g) / dy / (2 * dy)];
  centre.fill(middle);
  for (let i = 0, k = 0; i < height; i++) {
    const first = i === 0;
    const last = i === height - 1;
    const up = last ? 0 : width;
    const down = first ? 0 : width;
    const weight = first || last ? 2 * ax : ax;
    for (let j = 0; j < width; j++, k++) {
      const e = -weight * (m[k + up] - m[k - down]);
      above[k] = last ? 0 : e - cx;
      below[k] = first ? 0 : -e - cx;
      const [start, end] = [j === 0, j === width - 1];
      const f = -(start || end ? 2 * ay : ay) * (m[end ? k : k + 1] - m[start ? k : k - 1]);
      right[k] = end ? 0 : f - cy;
      left[k] = start ? 0 : -f - cy;
    }
  }
}

/**
 * Scheme `consistent`, backward Euler or the implicit part, reflecting border, centred, Newton, no drift; returns
 * the cells whose Peclet number is over 1. b <- right-hand side.
 */
export function consistentAssemble(
  height: number,
  width: number,
  dx: number,
  dy: number,
  D: number,
  tau: number,
  m: Float64Array,
  base: Float64Array,
  A: Diagonals,
  b: Float64Array,
): number {
  const { below, left, centre, right, above } = A;
  const [ix, iy] = [0.5 / dx, 0.5 / dy];
  const [sx, sy] = [D / (dx * dx), D / (dy * dy)];
  let cells = 0;
  for (let i = 0, k = 0; i < height; i++) {
    const first = i === 0;
    const last = i === height - 1;
    for (let j = 0; j < width; j++, k++) {
      const start = j === 0;
      const end = j === width - 1;
      const p = (m[last ? k - width : k + width] - m[first ? k + width : k - width]) * ix;
      const q = (m[end ? k - 1 : k + 1] - m[start ? k + 1 : k - 1]) * iy;
      // Newton doubles the advection: v D_a and its derivative are the same entries.
      const e = 2 * D * p * ix;
      const f = 2 * D * q * iy;
      centre[k] = 1 + tau * 2 * (sx + sy);
      const lower = tau * (e - sx);
      const upper = tau * (-e - sx);
      below[k] = first ? 0 : last ? lower + upper : lower;
      above[k] = last ? 0 : first ? lower + upper : upper;
      const before = tau * (f - sy);
      const behind = tau * (-f - sy);
      left[k] = start ? 0 : end ? before + behind : before;
      right[k] = end ? 0 : start ? before + behind : behind;
      b[k] = base[k] - tau * D * (p * p + q * q);
      if (Math.max(Math.abs(p) * dx, Math.abs(q) * dy) > 2) cells++;
    }
  }
  return cells;
}

/**
 * The cells of `consistentAssemble` whose Peclet number is over 1, reflecting, without drift; out[0] gets the largest.
 */
export function countSteepCells(
  height: number,
  width: number,
  dx: number,
  dy: number,
  m: Float64Array,
  out: Float64Array,
): number {
  const [across, along] = [dx * (0.5 / dx) * 0.5, dy * (0.5 / dy) * 0.5];
  let cells = 0;
  let most = 0;
  for (let i = 0, k = 0; i < height; i++) {
    const inner = i > 0 && i < height - 1;
    for (let j = 0; j < width; j++, k++) {
      const p = inner ? Math.abs(m[k + width] - m[k - width]) * across : 0;
      const q = j > 0 && j < width - 1 ? Math.abs(m[k + 1] - m[k - 1]) * along : 0;
      const steeper = p > q ? p : q;
      if (steeper > 1) cells++;
      if (steeper > most) most = steeper;
    }
  }
  out[0] = most;
  return cells;
}
