/** What pictures are compared by. `ssim` is the windowed one. */
export type Measure = 'mse' | 'psnr' | 'ssim' | 'globalSsim' | 'publishedGlobalSsim';

/** The pictures that an arm drew at a moment of its training, against those that they should be. */
export interface Evaluation {
  /** Seconds of pre-computation and training until then; evaluations do not count. */
  cpu: number;
  wall: number;
  step: number;
  epoch: number;
  /** Means over the pictures. */
  measures: Record<Measure, number>;
}

/** The first evaluation at which the measure was as large as the threshold: one lucky draw is enough. */
export function firstPassage(
  curve: readonly Evaluation[],
  measure: Measure,
  threshold: number,
): Evaluation | undefined {
  return curve.find(({ measures }) => measures[measure] >= threshold);
}

/** Of several numbers. */
export interface Spread {
  mean: number;
  low: number;
  high: number;
  count: number;
}

/** Undefined for no numbers. */
export function spread(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  return {
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    low: Math.min(...values),
    high: Math.max(...values),
    count: values.length,
  };
}

/** A measure over the last evaluations of every run. */
export function lastSpread(
  curves: readonly (readonly Evaluation[])[],
  measure: Measure,
  last: number,
): Spread | undefined {
  return spread(curves.flatMap((curve) => curve.slice(-last).map(({ measures }) => measures[measure])));
}

/** First passages of several runs. */
export interface Passage {
  /** Runs that got there, and runs. */
  reached: number;
  runs: number;
  /** Over those that did. */
  at?: Spread;
}

export function passages(
  curves: readonly (readonly Evaluation[])[],
  { measure, threshold }: Threshold,
  quantity: 'cpu' | 'wall' | 'step' | 'epoch',
): Passage {
  const found = curves.flatMap((curve) => firstPassage(curve, measure, threshold) ?? []);
  const at = spread(found.map((evaluation) => evaluation[quantity]));
  return { reached: found.length, runs: curves.length, ...(at && { at }) };
}

export interface Threshold {
  measure: 'ssim' | 'globalSsim';
  threshold: number;
}

/** A line of a plot: means over the runs at their k-th evaluation, and what lies between the runs. */
export interface Band {
  cpu: number;
  mean: number;
  low: number;
  high: number;
}

/** Runs have evaluations at nearly the same times; where one has fewer than the others, the band ends with it. */
export function band(curves: readonly (readonly Evaluation[])[], measure: Measure): Band[] {
  const length = Math.min(...curves.map((curve) => curve.length));
  return Array.from({ length: Number.isFinite(length) ? length : 0 }, (_, k) => {
    const at = curves.map((curve) => curve[k]);
    const { mean, low, high } = spread(at.map(({ measures }) => measures[measure])) as Spread;
    return { cpu: (spread(at.map(({ cpu }) => cpu)) as Spread).mean, mean, low, high };
  });
}
