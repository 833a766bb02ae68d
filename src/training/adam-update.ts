// The loops over all parameters, on plain typed arrays: a few milliseconds for a million, where the same in tensor
// operations takes ten dispatches a parameter.

export interface AdamSettings {
  beta1: number;
  beta2: number;
  epsilon: number;
  /** The gradient is multiplied by it first. */
  scale: number;
  /** Learning rate over 1 - beta1^n. */
  rate: number;
  /** 1 / sqrt(1 - beta2^n). */
  correction: number;
}

export function sumOfSquares(values: Float32Array): number {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k] * values[k];
  return sum;
}

/** Writes the weights after the step into `next`, and moves the moments on. */
export function adamUpdate(
  next: Float32Array,
  weights: Float32Array,
  gradient: Float32Array,
  first: Float32Array,
  second: Float32Array,
  { beta1, beta2, epsilon, scale, rate, correction }: AdamSettings,
): void {
  const [rest1, rest2] = [1 - beta1, 1 - beta2];
  for (let k = 0; k < next.length; k++) {
    const g = scale * gradient[k];
    const m = beta1 * first[k] + rest1 * g;
    const v = beta2 * second[k] + rest2 * g * g;
    first[k] = m;
    second[k] = v;
    next[k] = weights[k] - (rate * m) / (correction * Math.sqrt(v) + epsilon);
  }
}

export function averageUpdate(average: Float32Array, weights: Float32Array, decay: number): void {
  for (let k = 0; k < average.length; k++) average[k] += (1 - decay) * (weights[k] - average[k]);
}
