import { square } from '../elementary.ts';
import type { Float64Block } from '../memory/block.ts';
import { Scope } from '../memory/scope.ts';
import type { Pointer } from '../wasm/exports.ts';
import { FixedPointMonitor, worse } from './fixed-point.ts';
import type { GridSystem } from './grid-system.ts';
import { solveLevel } from './level-loop.ts';
import type { Run } from './run.ts';

/** How far an adaptive inner solve goes: the scores change by about as much from one iterate to the next. */
const SHARE = 0.03;

/** A step of `accelerate` multiplies the residual by about this times 4 y alpha. */
const RATE = 0.5;

/**
 * The equations of arXiv 2404.06661 as the paper's program has them. They are coupled from level to level in one
 * direction only, so that the fixed point of the paper's policy iteration can be found level by level, each from
 * the one before, with no more accuracy in the linear solves than the loop can use: `adaptive`. With `strict`
 * inner solves, or a start from zero or from a seed, it is found by the paper's sweeps.
 */
export async function solveNa2024(run: Run, system: GridSystem): Promise<void> {
  if (run.fixedPoint.inner === 'strict') await sweep(run, system);
  else await march(run, system);
}

async function march(run: Run, system: GridSystem): Promise<void> {
  const { shape, kernel } = run;
  const { exports } = kernel;
  const n = shape.height * shape.width;
  const h = run.spacing[0];
  const scope = new Scope(kernel);
  try {
    // Of the scores, or of what a residual without a matrix takes.
    const scratch = scope.float64(2 * n + shape.height, 'the scores').pointer;
    const accelerated = run.fixedPoint.inner === 'accelerated';
    const direction = accelerated ? scope.float64(n, 'the direction of a step') : undefined;
    for (let level = 1; level < shape.levels; level++) {
      const [x, y] = coefficients(run, level);
      for (let channel = 0; channel < shape.channels; channel++) {
        for (const image of run.order) {
          system.x.view.set(run.field(image, level - 1, channel));
          exports.copy(n, system.x.pointer, system.b.pointer);
          const assemble = () => {
            exports.flatDifference(n, h, system.x.pointer, scratch);
            exports.naAssemble(n, shape.height, x, y, scratch, system.data);
          };
          const solved =
            direction && (await accelerate(run, system, { image, level, channel, x, y, scratch, direction }));
          if (!solved) await solveLevel(run, system, { image, level, share: SHARE }, assemble);
          run.field(image, level, channel).set(system.x.view);
        }
      }
    }
  } finally {
    scope.dispose();
  }
}

interface March {
  image: number;
  level: number;
  channel: number;
  x: number;
  y: number;
  scratch: Pointer;
  /** The last step's; finite. */
  direction: Float64Block;
}

/**
 * The equation of one level by second-order Richardson iteration on its non-linear residual, one sweep over the
 * vectors a step. But for the scores' part, which is small in a photograph, the matrix is 1 + 4 y on the diagonal
 * and skew beside it, with eigenvalues no farther than 4 y from the real axis: Chebyshev's coefficients are known
 * (Manteuffel 1977, Numer. Math. 28, with an ellipse that is a line).
 *
 * Starts from the level before in `system.x` and `system.b`. Returns false where it does not get there: `system.x`
 * is the level before again then, and nothing is booked.
 */
async function accelerate(run: Run, system: GridSystem, march: March): Promise<boolean> {
  const { image, level, x, y, scratch, direction } = march;
  const { shape, kernel } = run;
  const { exports } = kernel;
  const n = shape.height * shape.width;
  const [h] = run.spacing;
  let began = performance.now();
  const monitor = new FixedPointMonitor(run.fixedPoint);
  const b = system.b.pointer;
  const m = system.x.pointer;
  const p = direction.pointer;
  const scale = 1 / (exports.norm2(n, b) || 1);
  let alpha = 1 / (1 + 4 * y);
  let beta = 0;
  let last = Infinity;
  for (let iteration = 0; ; iteration++) {
    // A step measures the residual that it starts from. Where that promises to be the last, it stays there.
    const stays = last <= run.fixedPoint.rtol;
    const residual2 = exports.naRichardson(
      n,
      shape.height,
      x,
      y,
      h,
      stays ? 0 : alpha,
      beta,
      b,
      m,
      p,
      scratch,
    );
    const measure = scale * Math.sqrt(residual2);
    const status = monitor.update(measure, iteration);
    if (status === undefined || (status === 'converged' && !stays)) {
      if (stays) exports.axpy(n, alpha, p, m);
      beta = -square(4 * y * alpha) * (iteration === 0 ? 0.5 : 0.25);
      alpha = 1 / (1 + 4 * y - beta / alpha);
      last = measure * Math.min(1, RATE * 4 * y * alpha);
      if (run.due) began += await run.pause();
      continue;
    }
    run.time.solve += performance.now() - began;
    if (status === 'converged') {
      run.endLoop(image, level, iteration, measure);
      return true;
    }
    system.x.view.set(run.field(image, level - 1, march.channel));
    direction.view.fill(0);
    return false;
  }
}

/** X / s and Y of one level, in the paper's names. */
function coefficients({ times, sde, spacing: [h] }: Run, level: number): [x: number, y: number] {
  const g = sde.diffusion(times[level]);
  const dt = times[times.length - 1] / times.length;
  return [(-0.5 * g * g * dt) / (2 * h), (0.5 * g * g * dt) / (h * h)];
}

/**
 * The paper's policy iteration: sweep over all levels with the scores of
 * the sweep before (all ones at first), then difference again, until the log density of all levels and channels
 * of an image changes by no more than the tolerance (from all ones at first).
 *
 * The images of a run go through it side by side, each until it has converged. The bases of a level and channel are
 * made anew in each sweep, also by seeds that have converged, until all seeds have: then they are kept.
 */
async function sweep(run: Run, system: GridSystem): Promise<void> {
  const { shape, kernel, time } = run;
  const { channels, levels } = shape;
  const { exports } = kernel;
  const n = shape.height * shape.width;
  const h = run.spacing[0];
  const monitors = run.images.map(() => new FixedPointMonitor(run.fixedPoint));
  const active = new Set(run.order);
  const scope = new Scope(kernel);
  try {
    const scores = scope.float64(n, 'the scores');
    for (let count = 1; active.size > 0; count++) {
      const first = count === 1;
      const learning = run.seeds.some((seed) => active.has(seed));
      const images = run.order.filter(
        (image) => active.has(image) || (learning && run.seeds.includes(image)),
      );
      run.expect(run.done + active.size * channels * (levels - 1));
      const [change, norm] = norms(run, first);
      for (let level = 1; level < levels; level++) {
        const [x, y] = coefficients(run, level);
        for (let channel = 0; channel < channels; channel++) {
          system.enter((level - 1) * channels + channel, learning);
          for (const image of images) {
            if (run.due) await run.pause();
            const began = performance.now();
            const field = run.field(image, level, channel);
            system.b.view.set(run.field(image, level - 1, channel));
            if (first) {
              system.last.view.fill(1);
              scores.view.fill(1);
              // A better start than all ones.
              system.x.view.set(system.b.view);
            } else {
              system.last.view.set(field);
              system.x.view.set(field);
              exports.flatDifference(n, h, system.last.pointer, scores.pointer);
            }
            exports.naAssemble(n, shape.height, x, y, scores.pointer, system.data);
            time.assembly += performance.now() - began;
            const role = run.roleOf(image);
            if (!active.has(image)) {
              run.matvecs += system.solve(role, time).matvecs;
              continue;
            }
            const outcome = run.solve(system, role, image, level);
            change[image] += exports.distanceSquared(n, system.x.pointer, system.last.pointer);
            norm[image] += square(exports.norm2(n, system.last.pointer));
            field.set(system.x.view);
            // Each sweep solves every level anew: only the last one's statuses count.
            const step = run.step(image, level);
            step.status = channel === 0 ? outcome.status : worse(step.status, outcome.status);
          }
        }
      }
      for (const image of [...active])
        endSweep(run, monitors[image], image, count, change[image], norm[image], active);
    }
  } finally {
    scope.dispose();
  }
}

/** Sums over levels and channels of (m - m_old)^2 and m_old^2, an image: those of level 0, for a start. */
function norms(run: Run, first: boolean): [change: Float64Array, norm: Float64Array] {
  const { images, channels } = run.shape;
  const change = new Float64Array(images);
  const norm = new Float64Array(images);
  for (let image = 0; image < images; image++) {
    for (let channel = 0; channel < channels; channel++) {
      for (const m of run.field(image, 0, channel)) {
        if (first) change[image] += square(m - 1);
        norm[image] += first ? 1 : m * m;
      }
    }
  }
  return [change, norm];
}

function endSweep(
  run: Run,
  monitor: FixedPointMonitor,
  image: number,
  sweep: number,
  change: number,
  norm: number,
  active: Set<number>,
): void {
  const measure = Math.sqrt(change / (norm || 1));
  run.images[image].changes.push(measure);
  const status = monitor.update(measure, sweep);
  if (status === undefined) return;
  active.delete(image);
  for (let level = 1; level < run.shape.levels; level++) {
    const step = run.step(image, level);
    step.fixedPointIterations = sweep;
    step.change = measure;
    step.status = worse(step.status, status);
  }
}
