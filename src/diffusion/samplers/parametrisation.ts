/**
 * What a network's output stands for, where `X_t = scale X_0 + sigma e`, e standard normal and sigma^2 the variance
 * of the equation's transition:
 *
 * - `score`: the gradient of the log density itself (Song et al., arXiv 2011.13456)
 * - `epsilon`: the mean of e given X_t (Ho, Jain and Abbeel, arXiv 2006.11239)
 * - `v`: the mean of `scale e - sigma X_0` (Salimans and Ho, arXiv 2202.00512, section 4)
 */
export type Parametrisation = 'score' | 'epsilon' | 'v';

/** The scale of the data and the variance of the noise at a time. */
export interface Transition {
  readonly scale: number;
  readonly variance: number;
}

/**
 * Writes the score of samples x into `score`, which holds the network's outputs. By Tweedie's formula
 * `score = -e / sigma` for the noise e of the output; from v and x it is
 *
 *     e = (sigma x + scale v) / (scale^2 + sigma^2)
 *
 * (insert x and v of the definitions; for variance preserving equations the denominator is 1).
 */
export function toScore(
  kind: Parametrisation,
  x: Float64Array,
  score: Float64Array,
  { scale, variance }: Transition,
): void {
  if (kind === 'score') return;
  const sigma = Math.sqrt(variance);
  const norm = scale * scale + variance;
  for (let k = 0; k < x.length; k++) {
    const e = kind === 'epsilon' ? score[k] : (sigma * x[k] + scale * score[k]) / norm;
    score[k] = -e / sigma;
  }
}
