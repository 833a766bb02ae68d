import { Scope } from '../memory/scope.ts';
import { AcceleratedLoop } from './accelerated-loop.ts';
import { DriftField } from './drift-field.ts';
import { FixedPointMonitor, worse } from './fixed-point.ts';
import type { GridSystem } from './grid-system.ts';
import { solveLevel } from './level-loop.ts';
import type { Run } from './run.ts';

/** How far an adaptive inner solve goes. */
const SHARE = 0.03;

/**
 * Time marching of arXiv 2511.17634, as the paper's program has it: at each level the system at the last iterate
 * is solved, a few times, from the level before. With `adaptive` inner solves the same equation is solved by its
 * residual instead.
 */
export async function solveLau2025(run: Run, system: GridSystem): Promise<void> {
  const { shape, times, sde, kernel } = run;
  const { height, width, levels } = shape;
  const { exports } = kernel;
  const n = height * width;
  const [dx, dy] = run.spacing;
  const scope = new Scope(kernel);
  try {
    const accelerated = AcceleratedLoop.for(run, system, scope);
    const drift = new DriftField(scope, shape, run.spacing, sde);
    for (let level = 1; level < levels; level++) {
      const t = times[level];
      const dt = t - times[level - 1];
      const g = sde.diffusion(t);
      drift.load(t);
      drift.differenceOnGrid();
      const centre = 1 / dt + (2 * g * g) / (dx * dx);
      const others = g * g * (1 / (dx * dx) + 1 / (dy * dy));
      system.choosePreconditioner(others / centre, run.reduction(SHARE), accelerated !== undefined);
      for (const { image, channel, anew } of run.fields) {
        if (anew) system.enter(0, true);
        const before = run.field(image, level - 1, channel);
        // b <- m / dt - div f
        system.b.view.set(before);
        exports.scale(n, 1 / dt, system.b.pointer);
        if (drift.present) exports.axpy(n, -1, drift.divergence.pointer, system.b.pointer);
        system.x.view.set(before);
        const { fx, fy } = drift.pointers;
        const assemble = (): void => {
          exports.copy(n, system.x.pointer, system.last.pointer);
          exports.lauAssemble(height, width, dx, dy, g, centre, system.last.pointer, fx, fy, system.data);
        };
        run.enter(system, { image, level, channel }, assemble);
        const solved = await accelerated?.solve({
          image,
          level,
          channel,
          norm: exports.norm2(n, system.b.pointer),
          // biome-ignore format: the kernel's order of parameters.
          residual: (r) => exports.lauResidual(
            height, width, dx, dy, g, centre, system.x.pointer, fx, fy, system.b.pointer, r,
          ),
          assemble,
        });
        if (solved) {
          // Nothing is left to do.
        } else if (run.fixedPoint.inner !== 'strict') {
          await solveLevel(run, system, { image, level, share: SHARE }, assemble);
        } else {
          await solveByChange(run, system, image, level, assemble);
        }
        run.field(image, level, channel).set(system.x.view);
      }
    }
  } finally {
    scope.dispose();
  }
}

/** The paper's loop at one level: it ends by the change of the log density. */
async function solveByChange(
  run: Run,
  system: GridSystem,
  image: number,
  level: number,
  assemble: () => void,
): Promise<void> {
  const monitor = new FixedPointMonitor(run.fixedPoint);
  for (let iteration = 1; ; iteration++) {
    if (run.due) await run.pause();
    const began = performance.now();
    assemble();
    run.time.assembly += performance.now() - began;
    // Targets are projected on the bases of the seeds' first systems at this level.
    const role = run.seeds.includes(image) && iteration > 1 ? 'alone' : run.roleOf(image);
    const outcome = run.solve(system, role, image, level);
    const change = system.relativeChange();
    const status = monitor.update(change, iteration);
    if (status === undefined) continue;
    run.endStep(image, level, iteration, change, worse(status, outcome.status));
    return;
  }
}
