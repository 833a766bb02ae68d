/** Vector operations, each a loop over the components. The kernel's are tested against these. */

/** x'y */
export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}

/** ||x||_2, scaled by the largest component so that neither overflow nor underflow spoils it. */
export function norm2(x: Float64Array): number {
  const scale = maxabs(x);
  if (scale === 0 || !Number.isFinite(scale)) return scale;
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] / scale) ** 2;
  return scale * Math.sqrt(sum);
}

/** y <- y + a x */
export function axpy(a: number, x: Float64Array, y: Float64Array): void {
  for (let i = 0; i < x.length; i++) y[i] = y[i] + a * x[i];
}

/** y <- x + a y */
export function xpay(x: Float64Array, a: number, y: Float64Array): void {
  for (let i = 0; i < x.length; i++) y[i] = x[i] + a * y[i];
}

/** x <- a x */
export function scale(a: number, x: Float64Array): void {
  for (let i = 0; i < x.length; i++) x[i] = a * x[i];
}

/** y <- x */
export function copy(x: Float64Array, y: Float64Array): void {
  for (let i = 0; i < x.length; i++) y[i] = x[i];
}

/** max |x_i|; NaN where a component is NaN, 0 for no components. */
export function maxabs(x: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < x.length; i++) {
    if (Number.isNaN(x[i])) return Number.NaN;
    largest = Math.max(largest, Math.abs(x[i]));
  }
  return largest;
}

/** x - y, a new vector. */
export function difference(x: Float64Array, y: Float64Array): Float64Array {
  const z = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) z[i] = x[i] - y[i];
  return z;
}

/** ||x - y||_2 */
export function differenceNorm(x: Float64Array, y: Float64Array): number {
  return norm2(difference(x, y));
}

/** max |x_i - y_i| */
export function differenceMaxabs(x: Float64Array, y: Float64Array): number {
  return maxabs(difference(x, y));
}

/** ||x - y||_2 / ||y||_2, with y the reference; the absolute difference where y = 0. */
export function relativeDifference(x: Float64Array, y: Float64Array): number {
  return differenceNorm(x, y) / (norm2(y) || 1);
}
