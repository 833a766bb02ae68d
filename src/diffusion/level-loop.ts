import { FixedPointMonitor, worse } from './fixed-point.ts';
import type { GridSystem } from './grid-system.ts';
import type { Run } from './run.ts';

/**
 * The fixed-point loop of one level, image and channel, ended by the relative residual of the non-linear equation
 * at the fresh iterate, ||b - A(x) x|| / ||b||. That is the residual of the next linear system at its start, so
 * it costs nothing where there is a next one.
 *
 * With `adaptive` inner solves each linear system is solved only as far as the loop can use it: from the last
 * iterate, down to `share` of its residual, and no further than the loop's own tolerance.
 *
 * @param assemble - sets up the linear system at the present `system.x`, which holds the start.
 */
export async function solveLevel(
  run: Run,
  system: GridSystem,
  { image, level, share }: { image: number; level: number; share: number },
  assemble: () => void,
): Promise<void> {
  const { rtol, inner } = run.fixedPoint;
  const monitor = new FixedPointMonitor(run.fixedPoint);
  const step = run.step(image, level);
  let ended: ReturnType<typeof worse> = 'converged';
  for (let iteration = 0; ; iteration++) {
    if (run.due) await run.pause();
    const began = performance.now();
    assemble();
    const residual = inner !== 'strict' ? system.begin(rtol) : system.relativeResidual();
    run.time.assembly += performance.now() - began;
    const status = monitor.update(residual, iteration);
    if (status !== undefined) {
      // A solve that fell short does not matter once the non-linear residual is small.
      run.endStep(image, level, iteration, residual, status === 'converged' ? status : worse(status, ended));
      if (inner !== 'strict') step.residual = Math.max(step.residual, residual);
      return;
    }
    if (inner !== 'strict') {
      ended = run.improve(system, share, image, level).status;
    } else {
      // Targets are projected on the bases of the seeds' first systems at this level.
      const role = run.seeds.includes(image) && iteration > 0 ? 'alone' : run.roleOf(image);
      ended = run.solve(system, role, image, level).status;
    }
  }
}
