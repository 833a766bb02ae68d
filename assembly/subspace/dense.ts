// Small dense systems: LU with partial pivoting, and Cholesky.

/** Below this share of the largest entry, a pivot is taken for zero. */
const SINGULAR: f64 = 1e-15;

/** y <- A^-1 y for the k x k matrix A, by columns; A is overwritten. False when A is singular; y is then lost. */
export function solveDense(k: i32, A: usize, y: usize): bool {
  let largest: f64 = 0;
  for (let e = 0; e < k * k; e++) largest = max(largest, abs(load<f64>(A + (<usize>e << 3))));
  for (let c = 0; c < k; c++) {
    let pivot = c;
    for (let i = c + 1; i < k; i++) if (abs(at(A, k, i, c)) > abs(at(A, k, pivot, c))) pivot = i;
    const value = at(A, k, pivot, c);
    if (!(abs(value) > SINGULAR * largest)) return false;
    if (pivot != c) {
      for (let j = c; j < k; j++) swap(place(A, k, c, j), place(A, k, pivot, j));
      swap(y + (<usize>c << 3), y + (<usize>pivot << 3));
    }
    for (let i = c + 1; i < k; i++) {
      const factor = at(A, k, i, c) / value;
      if (factor == 0) continue;
      for (let j = c + 1; j < k; j++) store<f64>(place(A, k, i, j), at(A, k, i, j) - factor * at(A, k, c, j));
      const target = y + (<usize>i << 3);
      store<f64>(target, load<f64>(target) - factor * load<f64>(y + (<usize>c << 3)));
    }
  }
  for (let i = k - 1; i >= 0; i--) {
    let sum = load<f64>(y + (<usize>i << 3));
    for (let j = i + 1; j < k; j++) sum -= at(A, k, i, j) * load<f64>(y + (<usize>j << 3));
    store<f64>(y + (<usize>i << 3), sum / at(A, k, i, i));
  }
  return true;
}

/**
 * y <- G^-1 y for a symmetric positive definite G (k x k, its lower triangle is read and overwritten). False, with
 * y as it was, when a pivot is not over `least` of its diagonal entry, or not finite.
 */
export function solveCholesky(k: i32, G: usize, y: usize, least: f64): bool {
  for (let j = 0; j < k; j++) {
    const diagonal = at(G, k, j, j);
    let pivot = diagonal;
    for (let c = 0; c < j; c++) pivot -= at(G, k, j, c) * at(G, k, j, c);
    if (!(pivot > least * diagonal) || !isFinite(diagonal)) return false;
    const root = sqrt(pivot);
    store<f64>(place(G, k, j, j), root);
    for (let i = j + 1; i < k; i++) {
      let sum = at(G, k, i, j);
      for (let c = 0; c < j; c++) sum -= at(G, k, i, c) * at(G, k, j, c);
      store<f64>(place(G, k, i, j), sum / root);
    }
  }
  for (let i = 0; i < k; i++) {
    let sum = load<f64>(y + (<usize>i << 3));
    for (let j = 0; j < i; j++) sum -= at(G, k, i, j) * load<f64>(y + (<usize>j << 3));
    store<f64>(y + (<usize>i << 3), sum / at(G, k, i, i));
  }
  for (let i = k - 1; i >= 0; i--) {
    let sum = load<f64>(y + (<usize>i << 3));
    for (let j = i + 1; j < k; j++) sum -= at(G, k, j, i) * load<f64>(y + (<usize>j << 3));
    store<f64>(y + (<usize>i << 3), sum / at(G, k, i, i));
  }
  return true;
}

// @ts-ignore: decorator
@inline
function place(A: usize, k: i32, i: i32, j: i32): usize {
  return A + ((<usize>j * <usize>k + <usize>i) << 3);
}

// @ts-ignore: decorator
@inline
function at(A: usize, k: i32, i: i32, j: i32): f64 {
  return load<f64>(place(A, k, i, j));
}

function swap(p: usize, q: usize): void {
  const value = load<f64>(p);
  store<f64>(p, load<f64>(q));
  store<f64>(q, value);
}
