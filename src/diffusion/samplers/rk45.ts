import { power, square } from '../../elementary.ts';
import { SeedspanError } from '../../errors.ts';
import { checkChoice } from '../../solver/options.ts';
import type { NdArray } from '../types.ts';
import { velocity } from './probability-flow.ts';
import { fail, SamplerRun } from './run.ts';
import type { SamplerOptions, SamplerResult, ScoreFunction } from './types.ts';

/** Coefficients of Dormand and Prince, "A family of embedded Runge-Kutta formulae", 1980: order 5, with 4 inside. */
const NODES = [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1];
const STAGES = [
  [],
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
];
/** Order 5 less order 4. */
const ERROR = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];
const [SAFETY, LEAST, MOST] = [0.9, 0.2, 5];

/** The options of {@link sampleRk45}. */
export interface Rk45Options extends SamplerOptions {
  /** Relative tolerance of a step's error. Default 1e-3, as in arXiv 2404.06661. */
  rtol?: number;
  /** Absolute tolerance. Default 1e-3. With both Infinity each interval of `times` is one step. */
  atol?: number;
  /**
   * Whose error decides on the length of a step. `sample`, the default: each sample's own, the score is asked for one
   * sample at a time, and a result does not depend on the batch. `batch`: all samples step together, by the error of
   * the worst, which makes the most of a network; a result depends on the batch then.
   */
  control?: 'sample' | 'batch';
}

/** What {@link sampleRk45} returns. */
export interface Rk45Result extends SamplerResult {
  /** Steps that were kept and not kept, over all samples (`batch`: of the batch). */
  steps: { accepted: number; rejected: number };
}

/**
 * The probability-flow ODE by Dormand and Prince's pair, of order 5, with steps chosen by the embedded error: its
 * root mean square over the components, each over `atol + rtol |x|`, stays at most 1. The steps land on every entry
 * of `times`; two entries, begin and end, are enough.
 *
 * Parameters and errors as `sampleEulerMaruyama`; nothing is drawn. `INVALID_VALUE` also where the steps become too
 * small to move t. With `control: 'sample'` the callback sees the times' entries, and costs an evaluation there.
 */
export async function sampleRk45(
  score: ScoreFunction,
  x: NdArray,
  times: ArrayLike<number>,
  options: Rk45Options,
): Promise<Rk45Result> {
  const where = 'sampleRk45';
  const run = new SamplerRun(where, score, x, times, options, ['rtol', 'atol', 'control']);
  const { rtol = 1e-3, atol = 1e-3, control = 'sample' } = options;
  for (const [name, value] of Object.entries({ rtol, atol })) {
    if (!(typeof value === 'number' && value >= 0))
      fail('INVALID_VALUE', where, `${name} must not be negative`);
  }
  if (rtol === 0 && atol === 0) fail('INVALID_VALUE', where, 'rtol and atol must not both be 0');
  checkChoice(where, 'control', control, ['sample', 'batch']);
  const size = control === 'sample' ? run.size : run.x.length;
  const parts = run.x.length / size;
  const states: State[] = Array.from({ length: parts }, () => ({ first: undefined, h: Infinity }));
  const steps = { accepted: 0, rejected: 0 };
  for (let i = 0; i + 1 < run.times.length; i++) {
    await run.pause(i);
    for (let part = 0; part < parts; part++) {
      const piece = run.x.subarray(part * size, (part + 1) * size);
      await cross(run, piece, run.times[i], run.times[i + 1], states[part], { rtol, atol, steps });
    }
  }
  return { ...run.result(), steps };
}

/** What goes on from one interval to the next: the velocity at its start, and the length of a step. */
interface State {
  first: Float64Array | undefined;
  h: number;
}

/** x <- the solution at `to`, from that at `from`. */
async function cross(
  run: SamplerRun,
  x: Float64Array,
  from: number,
  to: number,
  state: State,
  { rtol, atol, steps }: { rtol: number; atol: number; steps: { accepted: number; rejected: number } },
): Promise<void> {
  for (let t = from; t > to; ) {
    const h = Math.min(state.h, t - to);
    if (t - h === t) {
      throw new SeedspanError(
        'INVALID_VALUE',
        `sampleRk45: the steps became too small at t = ${t}; the score may not be smooth there: raise rtol and atol`,
        { t },
      );
    }
    const end = h === t - to ? to : t - h;
    state.first ??= velocity(run, x, await run.score(x, t), t);
    const k = [state.first];
    let next = x;
    for (let stage = 1; stage < NODES.length; stage++) {
      next = combined(x, -h, STAGES[stage], k);
      const at = NODES[stage] === 1 ? end : t - NODES[stage] * h;
      k.push(velocity(run, next, await run.score(next, at), at));
    }
    const error = errorNorm(combined(undefined, h, ERROR, k), x, next, rtol, atol);
    const factor = error === 0 ? Infinity : Math.min(MOST, Math.max(LEAST, SAFETY * power(error, -0.2)));
    if (error <= 1) {
      steps.accepted++;
      x.set(next);
      // The last stage stands at the new point: it is the next step's first.
      state.first = k[6];
      // A step that was cut to land on an entry says nothing against the longer one that was wanted.
      const wanted = h < state.h && state.h < Infinity ? state.h : 0;
      state.h = Math.max(h * factor, wanted);
      t = end;
    } else {
      steps.rejected++;
      state.h = h * Math.min(1, factor);
    }
  }
}

/** x + h (weights . k) */
function combined(
  x: Float64Array | undefined,
  h: number,
  weights: readonly number[],
  k: readonly Float64Array[],
): Float64Array {
  const sum = x === undefined ? new Float64Array(k[0].length) : x.slice();
  weights.forEach((weight, stage) => {
    if (weight === 0) return;
    for (let j = 0; j < sum.length; j++) sum[j] += h * weight * k[stage][j];
  });
  return sum;
}

function errorNorm(
  error: Float64Array,
  x: Float64Array,
  next: Float64Array,
  rtol: number,
  atol: number,
): number {
  if (rtol === Infinity || atol === Infinity) return 0;
  let sum = 0;
  for (let j = 0; j < error.length; j++) {
    const scale = atol + rtol * Math.max(Math.abs(x[j]), Math.abs(next[j]));
    // Zero over zero is no error.
    sum += error[j] === 0 ? 0 : square(error[j] / scale);
  }
  return Number.isNaN(sum) ? Infinity : Math.sqrt(sum / error.length);
}
