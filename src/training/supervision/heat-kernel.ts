/** Above this variance, in squared lengths of the interval, few cosines suffice; below, few images. */
const COSINES_FROM = 0.1;
/** Terms below `e^-40` of the largest are under the rounding. */
const NEGLIGIBLE = 40;
/** Images of the source as `side * u + shift`, lengths of the interval: all that count up to that variance. */
const IMAGES = [
  [1, 0],
  [-1, 0],
  [-1, 2],
  [1, -2],
  [1, 2],
  [-1, -2],
  [-1, 4],
] as const;

/**
 * The density of a point that diffuses between two mirrors, and its slope: `dX = dW` in the variance, on an interval
 * whose ends reflect. By the method of images, or by the cosine series where the noise is wide against the interval
 * (Carslaw and Jaeger, Conduction of Heat in Solids, 1959, section 14.3); each to rounding.
 */
export class ReflectedKernel {
  readonly #origin: number;
  readonly #length: number;
  /** Log density of the last evaluation. */
  logDensity = 0;
  /** Its derivative by x. */
  score = 0;

  constructor(origin: number, length: number) {
    this.#origin = origin;
    this.#length = length;
  }

  /** Sets `logDensity` and `score` at x, both in the interval, of a point that came from u. */
  evaluate(x: number, u: number, variance: number): void {
    const length = this.#length;
    const place = (x - this.#origin) / length;
    const source = (u - this.#origin) / length;
    const spread = variance / (length * length);
    if (spread < COSINES_FROM) this.#byImages(place, source, spread);
    else this.#byCosines(place, source, spread);
    this.logDensity -= Math.log(length);
    this.score /= length;
  }

  #byImages(x: number, u: number, spread: number): void {
    // Relative to the source itself, which is the nearest of its images.
    const nearest = (x - u) ** 2;
    let sum = 0;
    let slope = 0;
    for (const [side, shift] of IMAGES) {
      const distance = x - side * u - shift;
      const gap = (distance * distance - nearest) / (2 * spread);
      if (gap > NEGLIGIBLE) continue;
      const part = Math.exp(-gap);
      sum += part;
      slope -= part * distance;
    }
    this.score = slope / (sum * spread);
    this.logDensity = Math.log(sum) - nearest / (2 * spread) - 0.5 * Math.log(2 * Math.PI * spread);
  }

  #byCosines(x: number, u: number, spread: number): void {
    let sum = 1;
    let slope = 0;
    for (let k = 1; ; k++) {
      const decay = 0.5 * (k * Math.PI) ** 2 * spread;
      if (decay > NEGLIGIBLE) break;
      const part = 2 * Math.exp(-decay) * Math.cos(k * Math.PI * u);
      sum += part * Math.cos(k * Math.PI * x);
      slope -= part * k * Math.PI * Math.sin(k * Math.PI * x);
    }
    this.score = slope / sum;
    this.logDensity = Math.log(sum);
  }
}

/** Brings x back into an interval whose ends reflect. */
export function reflect(x: number, origin: number, length: number): number {
  const place = x - origin;
  if (place >= 0 && place <= length) return x;
  const period = 2 * length;
  const inside = place - period * Math.floor(place / period);
  return origin + (inside > length ? period - inside : inside);
}
