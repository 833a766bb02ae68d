/** Plain versions of what the kernel does in f32 lanes: every operation rounded by Math.fround. */

import type { Csr } from './csr.ts';
import { operator, residual } from './csr.ts';
import { ilu0 } from './ilu0.ts';
import { norm2 } from './vector.ts';

const f32 = Math.fround;

/** Terms that are summed in f32; the sums of such blocks are summed in f64. */
const BLOCK = 64;

/** y_i = sum_j A_ij x_j */
export function productSingle(A: Csr, x: ArrayLike<number>): Float32Array {
  const y = new Float32Array(A.shape[0]);
  for (let i = 0; i < A.shape[0]; i++) {
    for (let p = A.indptr[i]; p < A.indptr[i + 1]; p++) y[i] += f32(f32(A.data[p]) * x[A.indices[p]]);
  }
  return y;
}

export function dotSingle(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; ) {
    let block = 0;
    for (const stop = Math.min(x.length, i + BLOCK); i < stop; i++) block = f32(block + f32(x[i] * y[i]));
    sum += block;
  }
  return sum;
}

/** z = U^-1 L^-1 r, of factors as `ilu0` has them, U's diagonal inverted before it is rounded. */
export function solveIlu0Single(LU: Csr, r: ArrayLike<number>): Float32Array {
  const z = Float32Array.from(r);
  const n = z.length;
  const subtract = (i: number, p: number) => {
    z[i] -= f32(f32(LU.data[p]) * z[LU.indices[p]]);
  };
  for (let i = 0; i < n; i++) {
    for (let p = LU.indptr[i]; LU.indices[p] < i; p++) subtract(i, p);
  }
  for (let i = n - 1; i >= 0; i--) {
    let p = LU.indptr[i + 1] - 1;
    for (; LU.indices[p] > i; p--) subtract(i, p);
    z[i] *= f32(1 / LU.data[p]);
  }
  return z;
}

export interface RefinedResult {
  x: Float64Array;
  /** The true residual meets the tolerance. */
  converged: boolean;
  iterations: number;
  /** How often x was added to. */
  refinements: number;
  residualNorm: number;
}

/**
 * BiCGSTAB in f32 for what is to be added to x. Whenever its residual is down by `share`, or meets the tolerance,
 * that is added in f64, and the true residual takes its place; the directions go on (van der Vorst and Ye 2000).
 * For systems that it converges for: it has no second start.
 */
export function refinedBicgstab(
  A: Csr,
  b: Float64Array,
  kind: 'none' | 'jacobi' | 'ilu0',
  { rtol, maxiter, x0, share = 1e-4 }: { rtol: number; maxiter: number; x0?: Float64Array; share?: number },
): RefinedResult {
  const n = b.length;
  const precondition = preconditioner(A, kind);
  const target = rtol * norm2(b);
  const x = x0?.slice() ?? new Float64Array(n);
  const d = new Float32Array(n);
  let r = Float32Array.from(residual(operator(A), b, x));
  const shadow = r.slice();
  const p = new Float32Array(n);
  const v = new Float32Array(n);
  let start = norm2(residual(operator(A), b, x));
  let [rho, before, alpha, omega] = [start ** 2, 1, 0, 1];
  let iterations = 0;
  let refinements = 0;
  let norm = start;
  const refine = () => {
    for (let i = 0; i < n; i++) x[i] += d[i];
    d.fill(0);
    const left = residual(operator(A), b, x);
    r = Float32Array.from(left);
    norm = norm2(left);
    refinements++;
  };
  while (norm > target && iterations < maxiter) {
    const beta = f32(iterations === 0 ? 0 : (rho / before) * (alpha / omega));
    for (let i = 0; i < n; i++) p[i] = r[i] + f32(beta * f32(p[i] - f32(omega * v[i])));
    const pHat = precondition(p);
    v.set(productSingle(A, pHat));
    alpha = f32(rho / dotSingle(v, shadow));
    for (let i = 0; i < n; i++) r[i] -= f32(alpha * v[i]);
    iterations++;
    if (Math.sqrt(dotSingle(r, r)) <= target) {
      for (let i = 0; i < n; i++) d[i] += f32(alpha * pHat[i]);
      refine();
      break;
    }
    const sHat = precondition(r);
    const t = productSingle(A, sHat);
    omega = f32(dotSingle(t, r) / dotSingle(t, t));
    for (let i = 0; i < n; i++) {
      d[i] = f32(d[i] + f32(alpha * pHat[i])) + f32(omega * sHat[i]);
      r[i] -= f32(omega * t[i]);
    }
    before = rho;
    rho = dotSingle(shadow, r);
    norm = Math.sqrt(dotSingle(r, r));
    if (norm > Math.max(target, share * start) && iterations < maxiter) continue;
    refine();
    rho = dotSingle(shadow, r);
    start = norm;
  }
  return { x, converged: norm <= target, iterations, refinements, residualNorm: norm };
}

function preconditioner(A: Csr, kind: 'none' | 'jacobi' | 'ilu0'): (r: Float32Array) => Float32Array {
  if (kind === 'none') return (r) => r;
  if (kind === 'ilu0') {
    const LU = ilu0(A);
    return (r) => solveIlu0Single(LU, r);
  }
  const inverse = Float32Array.from({ length: A.shape[0] }, (_, i) => {
    for (let p = A.indptr[i]; p < A.indptr[i + 1]; p++) if (A.indices[p] === i) return 1 / A.data[p];
    throw new RangeError(`no diagonal entry in row ${i}`);
  });
  return (r) => r.map((value, i) => value * inverse[i]);
}
