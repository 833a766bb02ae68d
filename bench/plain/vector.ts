// Vector operations on typed arrays, as fast as plain TypeScript has them: no allocation, and sums in four parts,
// so that one addition need not wait for the last.

export function dot(x: Float64Array, y: Float64Array): number {
  const n = x.length;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (const stop = n & ~3; i < stop; i += 4) {
    a += x[i] * y[i];
    b += x[i + 1] * y[i + 1];
    c += x[i + 2] * y[i + 2];
    d += x[i + 3] * y[i + 3];
  }
  for (; i < n; i++) a += x[i] * y[i];
  return a + b + (c + d);
}

export function norm2(x: Float64Array): number {
  return Math.sqrt(dot(x, x));
}

export function maxAbs(x: Float64Array): number {
  let a = 0;
  let b = 0;
  let i = 0;
  for (const stop = x.length & ~1; i < stop; i += 2) {
    a = Math.max(a, Math.abs(x[i]));
    b = Math.max(b, Math.abs(x[i + 1]));
  }
  for (; i < x.length; i++) a = Math.max(a, Math.abs(x[i]));
  return Math.max(a, b);
}

/** y <- y + a x */
export function axpy(a: number, x: Float64Array, y: Float64Array): void {
  for (let i = 0; i < x.length; i++) y[i] += a * x[i];
}

/** y <- x + a y */
export function xpay(x: Float64Array, a: number, y: Float64Array): void {
  for (let i = 0; i < x.length; i++) y[i] = x[i] + a * y[i];
}

export function scale(a: number, x: Float64Array): void {
  for (let i = 0; i < x.length; i++) x[i] *= a;
}

export function multiply(x: Float64Array, y: Float64Array, z: Float64Array): void {
  for (let i = 0; i < x.length; i++) z[i] = x[i] * y[i];
}

export function subtract(x: Float64Array, y: Float64Array, z: Float64Array): void {
  for (let i = 0; i < x.length; i++) z[i] = x[i] - y[i];
}

export function distanceSquared(x: Float64Array, y: Float64Array): number {
  let a = 0;
  let b = 0;
  let i = 0;
  for (const stop = x.length & ~1; i < stop; i += 2) {
    const p = x[i] - y[i];
    const q = x[i + 1] - y[i + 1];
    a += p * p;
    b += q * q;
  }
  for (; i < x.length; i++) a += (x[i] - y[i]) ** 2;
  return a + b;
}

/** out <- x'y, x'x */
export function dotAndSquare(x: Float64Array, y: Float64Array, out: Float64Array): void {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (const stop = x.length & ~1; i < stop; i += 2) {
    a += x[i] * y[i];
    b += x[i] * x[i];
    c += x[i + 1] * y[i + 1];
    d += x[i + 1] * x[i + 1];
  }
  for (; i < x.length; i++) {
    a += x[i] * y[i];
    b += x[i] * x[i];
  }
  out[0] = a + c;
  out[1] = b + d;
}

/** y <- y - a x; returns y'y of the new y. */
export function subtractScaledAndSquare(a: number, x: Float64Array, y: Float64Array): number {
  let sum = 0;
  let other = 0;
  let i = 0;
  for (const stop = x.length & ~1; i < stop; i += 2) {
    const p = y[i] - a * x[i];
    const q = y[i + 1] - a * x[i + 1];
    y[i] = p;
    y[i + 1] = q;
    sum += p * p;
    other += q * q;
  }
  for (; i < x.length; i++) {
    y[i] -= a * x[i];
    sum += y[i] * y[i];
  }
  return sum + other;
}

/** h <- V'w of the first k vectors. Two at a time, so that w is read half as often. */
export function blockDot(k: number, V: readonly Float64Array[], w: Float64Array, h: Float64Array): void {
  let j = 0;
  for (; j + 2 <= k; j += 2) {
    const p = V[j];
    const q = V[j + 1];
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    let i = 0;
    for (const stop = w.length & ~1; i < stop; i += 2) {
      a += p[i] * w[i];
      b += q[i] * w[i];
      c += p[i + 1] * w[i + 1];
      d += q[i + 1] * w[i + 1];
    }
    for (; i < w.length; i++) {
      a += p[i] * w[i];
      b += q[i] * w[i];
    }
    h[j] = a + c;
    h[j + 1] = b + d;
  }
  for (; j < k; j++) h[j] = dot(V[j], w);
}

/** w <- w + sign V h */
export function blockUpdate(
  k: number,
  sign: number,
  V: readonly Float64Array[],
  h: Float64Array,
  w: Float64Array,
): void {
  let j = 0;
  for (; j + 2 <= k; j += 2) {
    const p = V[j];
    const q = V[j + 1];
    const a = sign * h[j];
    const b = sign * h[j + 1];
    for (let i = 0; i < w.length; i++) w[i] += a * p[i] + b * q[i];
  }
  for (; j < k; j++) axpy(sign * h[j], V[j], w);
}

/**
 * w <- w - V h, normalised; classical Gram-Schmidt, once more where cancellation asks for it. h[k] gets the norm.
 */
export function orthogonalize(
  k: number,
  V: readonly Float64Array[],
  w: Float64Array,
  h: Float64Array,
  work: Float64Array,
): number {
  let norm = norm2(w);
  h.fill(0, 0, k + 1);
  for (let pass = 0; pass < 3; pass++) {
    const last = norm;
    blockDot(k, V, w, work);
    blockUpdate(k, -1, V, work, w);
    for (let j = 0; j < k; j++) h[j] += work[j];
    norm = norm2(w);
    if (norm > Math.SQRT1_2 * last) break;
  }
  scale(1 / norm, w);
  h[k] = norm;
  return norm;
}

/** A <- A', size x size, in place. */
export function transpose(size: number, A: Float64Array): void {
  for (let i = 1; i < size; i++) {
    for (let j = 0, p = i * size, q = i; j < i; j++, p++, q += size) {
      const value = A[p];
      A[p] = A[q];
      A[q] = value;
    }
  }
}
