// Krylov methods on typed arrays, from zero. Each is made once for a size, and solves without allocating.

import {
  type Csr,
  csrMultiply,
  type Diagonals,
  diaMultiply,
  diaMultiplyDot,
  diaMultiplyDots,
} from './sparse.ts';
import {
  axpy,
  blockUpdate,
  dot,
  dotAndSquare,
  norm2,
  orthogonalize,
  scale,
  subtract,
  subtractScaledAndSquare,
  xpay,
} from './vector.ts';

/** Solves; returns the number of iterations. */
export type Solver = (b: Float64Array, x: Float64Array, rtol: number, maxiter: number) => number;

/** BiCGSTAB (van der Vorst 1992) with the CSR product. */
export function bicgstabCsr(A: Csr, precondition?: (r: Float64Array, z: Float64Array) => void): Solver {
  const { n } = A;
  const [r, shadow, p, v, t] = Array.from({ length: 5 }, () => new Float64Array(n));
  const pHat = precondition === undefined ? p : new Float64Array(n);
  const sHat = precondition === undefined ? r : new Float64Array(n);
  const dots = new Float64Array(2);
  return (b, x, rtol, maxiter) => {
    const target = (rtol * norm2(b)) ** 2;
    x.fill(0);
    r.set(b);
    shadow.set(b);
    p.set(b);
    let rho = dot(r, shadow);
    for (let iteration = 1; iteration <= maxiter; iteration++) {
      precondition?.(p, pHat);
      csrMultiply(A, pHat, v);
      const alpha = rho / dot(shadow, v);
      if (subtractScaledAndSquare(alpha, v, r) <= target) {
        axpy(alpha, pHat, x);
        return iteration;
      }
      precondition?.(r, sHat);
      csrMultiply(A, sHat, t);
      dotAndSquare(t, r, dots);
      const omega = dots[0] / dots[1];
      for (let i = 0; i < n; i++) x[i] += alpha * pHat[i] + omega * sHat[i];
      if (subtractScaledAndSquare(omega, t, r) <= target) return iteration;
      const next = dot(r, shadow);
      const beta = (next / rho) * (alpha / omega);
      rho = next;
      for (let i = 0; i < n; i++) p[i] = r[i] + beta * (p[i] - omega * v[i]);
    }
    return maxiter;
  };
}

/** The same with five diagonals, products fused with their sums and all updates in one pass. */
export function bicgstabDia(A: Diagonals): Solver {
  const { n, width } = A;
  const [r, shadow, p, v, t] = Array.from({ length: 5 }, () => new Float64Array(n + 2 * width));
  const dots = new Float64Array(4);
  return (b, x, rtol, maxiter) => {
    const square = dot(b, b);
    const target = rtol * rtol * square;
    x.fill(0);
    r.set(b, width);
    shadow.set(b, width);
    p.set(b, width);
    let rho = square;
    for (let iteration = 1; iteration <= maxiter; iteration++) {
      const alpha = rho / diaMultiplyDot(A, p, v, shadow);
      if (subtractScaledAndSquare(alpha, v, r) <= target) {
        for (let i = 0; i < n; i++) x[i] += alpha * p[i + width];
        return iteration;
      }
      diaMultiplyDots(A, r, t, shadow, dots);
      const omega = dots[0] / dots[1];
      const next = dots[3] - omega * dots[2];
      const beta = (next / rho) * (alpha / omega);
      rho = next;
      let norm = 0;
      for (let i = 0, at = width; i < n; i++, at++) {
        const s = r[at];
        const direction = p[at];
        x[i] += alpha * direction + omega * s;
        const left = s - omega * t[at];
        r[at] = left;
        norm += left * left;
        p[at] = left + beta * (direction - omega * v[at]);
      }
      if (norm <= target) return iteration;
    }
    return maxiter;
  };
}

/** A matrix whose vectors have `margin` zeros before and after them. */
export interface Product {
  n: number;
  margin: number;
  multiply(x: Float64Array, y: Float64Array): void;
}

export function csrProduct(A: Csr): Product {
  return { n: A.n, margin: 0, multiply: (x, y) => csrMultiply(A, x, y) };
}

export function diaProduct(A: Diagonals): Product {
  return { n: A.n, margin: A.width, multiply: (x, y) => diaMultiply(A, x, y) };
}

/** A vector for products, and the view of it without its margins. */
function withMargin({ n, margin }: Product): [whole: Float64Array, inner: Float64Array] {
  const whole = new Float64Array(n + 2 * margin);
  return [whole, whole.subarray(margin, margin + n)];
}

/** Conjugate gradients. */
export function cg(A: Product): Solver {
  const r = new Float64Array(A.n);
  const [wholeP, p] = withMargin(A);
  const [wholeQ, q] = withMargin(A);
  return (b, x, rtol, maxiter) => {
    const target = (rtol * norm2(b)) ** 2;
    x.fill(0);
    r.set(b);
    p.set(b);
    let rho = dot(r, r);
    for (let iteration = 1; iteration <= maxiter; iteration++) {
      A.multiply(wholeP, wholeQ);
      const alpha = rho / dot(p, q);
      axpy(alpha, p, x);
      const next = subtractScaledAndSquare(alpha, q, r);
      if (next <= target) return iteration;
      xpay(r, next / rho, p);
      rho = next;
    }
    return maxiter;
  };
}

/** GMRES(restart) with block Gram-Schmidt and Givens rotations (Saad and Schultz 1986). */
export function gmres(A: Product, restart = 30): Solver {
  const basis = Array.from({ length: restart + 1 }, () => withMargin(A));
  const V = basis.map(([, inner]) => inner);
  const [wholeX, inX] = withMargin(A);
  const H = Array.from({ length: restart }, () => new Float64Array(restart + 1));
  const work = new Float64Array(restart + 1);
  const cosines = new Float64Array(restart);
  const sines = new Float64Array(restart);
  const g = new Float64Array(restart + 1);
  return (b, x, rtol, maxiter) => {
    const target = rtol * norm2(b);
    inX.fill(0);
    let done = 0;
    while (true) {
      const [wholeR, r] = basis[0];
      A.multiply(wholeX, wholeR);
      subtract(b, r, r);
      const norm = norm2(r);
      if (norm <= target || done >= maxiter) {
        x.set(inX);
        return done;
      }
      scale(1 / norm, r);
      g.fill(0);
      g[0] = norm;
      let k = 0;
      while (k < restart && done < maxiter) {
        const h = H[k];
        A.multiply(basis[k][0], basis[k + 1][0]);
        orthogonalize(k + 1, V, V[k + 1], h, work);
        for (let j = 0; j < k; j++) {
          const upper = cosines[j] * h[j] + sines[j] * h[j + 1];
          h[j + 1] = cosines[j] * h[j + 1] - sines[j] * h[j];
          h[j] = upper;
        }
        const length = Math.hypot(h[k], h[k + 1]);
        cosines[k] = h[k] / length;
        sines[k] = h[k + 1] / length;
        h[k] = length;
        g[k + 1] = -sines[k] * g[k];
        g[k] *= cosines[k];
        k++;
        done++;
        if (Math.abs(g[k]) <= target) break;
      }
      for (let j = k - 1; j >= 0; j--) {
        for (let i = j + 1; i < k; i++) g[j] -= H[i][j] * g[i];
        g[j] /= H[j][j];
      }
      blockUpdate(k, 1, V, g, inX);
    }
  };
}
