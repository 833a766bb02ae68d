/**
 * BiCGSTAB for a five-point matrix on a grid, in rounds: the red unknowns (i + j even) eliminated, the recursion on
 * the black ones with every number rounded to f32, x and the residual that a round starts from in f64. Entry by entry,
 * with gathers; sums in f64. It does not take over in f64 where f32 fails: it ends there.
 */

import { type Csr, operator, residual, toTriplets } from './csr.ts';
import { norm2 } from './vector.ts';

const { fround } = Math;

export interface MixedResult {
  x: Float64Array;
  converged: boolean;
  iterations: number;
  rounds: number;
  /** ||b - A x|| */
  residualNorm: number;
  /** The initial one, and that of the recursion after each iteration. */
  history: number[];
}

export interface MixedOptions {
  rtol: number;
  maxiter: number;
  x0?: ArrayLike<number>;
}

/** Neighbours of each cell in the matrix with its columns divided by the diagonal, in f32. */
function couplingsOf(A: Csr): { diagonal: Float64Array; rows: [column: number, value: number][][] } {
  const n = A.shape[0];
  const diagonal = new Float64Array(n);
  const rows: [number, number][][] = Array.from({ length: n }, () => []);
  for (const [i, j, value] of toTriplets(A)) if (i === j) diagonal[i] = value;
  for (const [i, j, value] of toTriplets(A)) if (i !== j) rows[i].push([j, fround(value / diagonal[j])]);
  return { diagonal, rows };
}

export function mixed(A: Csr, width: number, b: Float64Array, options: MixedOptions): MixedResult {
  const n = b.length;
  const { diagonal, rows } = couplingsOf(A);
  const isRed = (k: number) => (Math.floor(k / width) + (k % width)) % 2 === 0;
  const cells = (red: boolean) => Array.from({ length: n }, (_, k) => k).filter((k) => isRed(k) === red);
  const [red, black] = [cells(true), cells(false)];
  const zeros = () => new Float32Array(n);
  /** b - C y on the cells of one colour; the other's entries are zero. */
  const eliminate = (cellsOf: number[], c: Float32Array, y: Float32Array) => {
    const out = zeros();
    for (const k of cellsOf) out[k] = c[k] - rows[k].reduce((sum, [j, value]) => sum + value * y[j], 0);
    return out;
  };
  const reduced = (y: Float32Array) => {
    const u = eliminate(red, zeros(), y).map((value) => -value);
    return eliminate(black, y, u);
  };
  const sum = (p: Float32Array, q: Float32Array) => p.reduce((total, value, k) => total + value * q[k], 0);

  const x = Float64Array.from(options.x0 ?? new Float64Array(n));
  const target = options.rtol * norm2(b);
  let r64 = residual(operator(A), b, x);
  let norm = norm2(r64);
  const history = [norm];
  let iterations = 0;
  let rounds = 0;
  let unit = 0;
  let [r, shadow, p, v] = [zeros(), zeros(), zeros(), zeros()];
  let [rho, rhoBefore, alpha, omega, age] = [0, 0, 0, 0, 0];

  while (norm > target && iterations < options.maxiter) {
    rounds++;
    const left = target / norm;
    const goal = left >= 1e-5 ? 0.9 * target : norm * Math.max(Math.sqrt(left), 1e-5);
    unit ||= 2 ** Math.floor(Math.log2(r64.reduce((most, value) => Math.max(most, Math.abs(value)), 0)));
    const scaled = Float32Array.from(r64, (value) => value / unit);
    r = eliminate(black, scaled, scaled);
    if (age === 0) shadow = r.slice();
    rho = sum(shadow, r);
    let y = zeros();
    let estimate = unit * Math.sqrt(sum(r, r));
    while (estimate > goal && iterations < options.maxiter) {
      const beta = fround((rho / rhoBefore) * (alpha / omega));
      const w = fround(omega);
      p = age === 0 ? r.slice() : r.map((value, k) => value + beta * fround(p[k] - fround(w * v[k])));
      v = reduced(p);
      alpha = rho / sum(shadow, v);
      const s = r.map((value, k) => value - fround(fround(alpha) * v[k]));
      iterations++;
      estimate = unit * Math.sqrt(sum(s, s));
      if (estimate <= goal) {
        y = y.map((value, k) => value + fround(fround(alpha) * p[k]));
        history.push(estimate);
        age = 0;
        break;
      }
      const t = reduced(s);
      omega = sum(t, s) / sum(t, t);
      y = y.map((value, k) => value + fround(fround(alpha) * p[k]) + fround(fround(omega) * s[k]));
      r = s.map((value, k) => value - fround(fround(omega) * t[k]));
      rhoBefore = rho;
      rho = sum(shadow, r);
      age++;
      estimate = unit * Math.sqrt(sum(r, r));
      history.push(estimate);
    }
    const z = eliminate(red, scaled, y);
    for (const k of black) z[k] = y[k];
    for (let k = 0; k < n; k++) x[k] += (unit * z[k]) / diagonal[k];
    r64 = residual(operator(A), b, x);
    norm = norm2(r64);
  }
  return { x, converged: norm <= target, iterations, rounds, residualNorm: norm, history };
}
