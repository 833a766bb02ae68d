import { SeedspanError, show } from '../errors.ts';
import { Scope } from '../memory/scope.ts';
import { AcceleratedLoop } from './accelerated-loop.ts';
import { DriftField } from './drift-field.ts';
import type { GridSystem } from './grid-system.ts';
import { solveLevel } from './level-loop.ts';
import type { Run } from './run.ts';
import type { Boundary } from './types.ts';

export interface ConsistentSettings {
  linearization: 'picard' | 'newton';
  timeStepping: 'backward-euler' | 'crank-nicolson';
  boundary: Boundary;
  advection: 'centred' | 'upwind' | 'hybrid';
}

const ADVECTION = { centred: 0, upwind: 1, hybrid: 2 } as const;

/**
 * How far an adaptive inner solve goes. Newton's next iterate may be much better, and is worth more accuracy than
 * Picard's, which wins about a digit whatever the inner solve does.
 */
const NEWTON_SHARE = 0.01;
const PICARD_SHARE = 0.03;

/**
 * The Fokker-Planck equation of the log density by the theta-method and second-order differences; see
 * `assembly/fokkerplanck/consistent.ts` for the formulas. The fixed-point loop ends by the non-linear residual of
 * the fresh iterate, which is the residual of the next linear system.
 */
export async function solveConsistent(
  run: Run,
  system: GridSystem,
  settings: ConsistentSettings,
): Promise<void> {
  const { shape, times, sde, kernel } = run;
  const { channels, height, width, levels } = shape;
  const { exports } = kernel;
  const n = height * width;
  const [dx, dy] = run.spacing;
  const { boundary } = settings;
  const advection = ADVECTION[settings.advection];
  const newton = settings.linearization === 'newton';
  const implicit = settings.timeStepping === 'backward-euler' ? 1 : 0.5;
  const reflecting = boundary === 'reflecting';
  const share = newton ? NEWTON_SHARE : PICARD_SHARE;
  const peclet = { cells: 0, of: shape.images * channels * (levels - 1) * n, max: 0 };
  run.peclet = peclet;

  const scope = new Scope(kernel);
  try {
    const accelerated = AcceleratedLoop.for(run, system, scope);
    const drift = new DriftField(scope, shape, run.spacing, sde);
    const border = scope.float64(2 * (height + width), 'the border values');
    const ghosts = scope.float64(2 * width, 'the rows outside the grid');
    const out = scope.float64(1, 'the largest Peclet number');
    /** By image and channel: the explicit part of the step, m - (1 - theta) dt (L(m) + div f). */
    const base = scope.float64(n, 'the known part of a step');
    const product = scope.float64(n, 'scratch of a step');

    /** data, b <- the system at the iterate `m`. */
    const assemble = (D: number, tau: number, m: number, known: number, linearized: boolean): void => {
      const { fx, fy } = drift.pointers;
      // biome-ignore format: the kernel's order of parameters.
      exports.consistentAssemble(
        height, width, dx, dy, D, tau, advection, linearized, reflecting,
        m, known, fx, fy, border.pointer, system.data, system.b.pointer,
      );
    };

    /** Loads what depends on the time alone: drift, its divergence, border values. Returns D. */
    const loadLevel = (t: number): number => {
      const g = sde.diffusion(t);
      drift.load(t);
      drift.differenceAround(t);
      const constants = borderConstants(boundary, shape, run.spacing, drift, g, t);
      border.view.set(constants);
      return 0.5 * g * g;
    };

    for (let level = 1; level < levels; level++) {
      const dt = times[level] - times[level - 1];
      const tau = implicit * dt;
      const explicit = dt - tau;
      /** L(m) + div f at the level before, an image and channel after the other. */
      const rates = explicit > 0 ? new Float64Array(shape.images * channels * n) : undefined;
      if (rates !== undefined) {
        const D = loadLevel(times[level - 1]);
        for (let image = 0; image < shape.images; image++) {
          for (let channel = 0; channel < channels; channel++) {
            // With tau = 1 and nothing known, A m - b = m + L(m).
            system.x.view.set(run.field(image, level - 1, channel));
            base.view.fill(0);
            assemble(D, 1, system.x.pointer, base.pointer, false);
            system.multiply(system.x.pointer, product.pointer);
            exports.subtract(n, product.pointer, system.b.pointer, product.pointer);
            exports.subtract(n, product.pointer, system.x.pointer, product.pointer);
            if (drift.present) exports.axpy(n, 1, drift.divergence.pointer, product.pointer);
            rates.set(product.view, (image * channels + channel) * n);
          }
        }
      }
      const D = loadLevel(times[level]);
      const others = 2 * tau * D * (1 / (dx * dx) + 1 / (dy * dy));
      system.choosePreconditioner(others / (1 + others), run.reduction(share), accelerated !== undefined);
      for (const { image, channel, anew } of run.fields) {
        if (anew) system.enter(0, true);
        // base <- m - tau div f - (dt - tau) (L(m) + div f at the level before)
        system.x.view.set(run.field(image, level - 1, channel));
        exports.copy(n, system.x.pointer, base.pointer);
        if (drift.present) exports.axpy(n, -tau, drift.divergence.pointer, base.pointer);
        if (rates !== undefined) {
          product.view.set(
            rates.subarray((image * channels + channel) * n, (image * channels + channel + 1) * n),
          );
          exports.axpy(n, -explicit, product.pointer, base.pointer);
        }
        const { fx, fy } = drift.pointers;
        const assembleHere = () => assemble(D, tau, system.x.pointer, base.pointer, newton);
        run.enter(system, { image, level, channel }, assembleHere);
        const solved = await accelerated?.solve({
          image,
          level,
          channel,
          norm: exports.norm2(n, base.pointer),
          // biome-ignore format: the kernel's order of parameters.
          residual: (r) => exports.consistentResidual(
            height, width, dx, dy, D, tau, advection, reflecting,
            system.x.pointer, base.pointer, fx, fy, border.pointer, ghosts.pointer, r,
          ),
          assemble: assembleHere,
        });
        if (!solved) await solveLevel(run, system, { image, level, share }, assembleHere);
        // biome-ignore format: the kernel's order of parameters.
        peclet.cells += exports.countSteepCells(
          height, width, dx, dy, D, reflecting, system.x.pointer, fx, fy, border.pointer, ghosts.pointer, out.pointer,
        );
        peclet.max = Math.max(peclet.max, out.view[0]);
        run.field(image, level, channel).set(system.x.view);
      }
    }
  } finally {
    scope.dispose();
  }
}

type BoundaryValues = Exclude<Boundary, string>;

/** @throws SeedspanError `INVALID_VALUE` where the caller's function returns anything but a finite number. */
export function evaluateBoundary({ values }: BoundaryValues, x: number, y: number, t: number): number {
  const value: unknown = values(x, y, t);
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new SeedspanError(
    'INVALID_VALUE',
    `boundary.values(${x}, ${y}, ${t}) returned ${show(value)}, must be a finite number`,
  );
}

/** The constants of the neighbours outside the grid: above, below, before, behind. */
function borderConstants(
  boundary: Boundary,
  { height, width }: { height: number; width: number },
  [dx, dy]: readonly [number, number],
  drift: DriftField,
  g: number,
  t: number,
): Float64Array {
  const constants = new Float64Array(2 * (height + width));
  if (boundary === 'zero' || (boundary === 'reflecting' && !drift.present)) return constants;
  let at = 0;
  const put = (i: number, j: number, inside: readonly [number, number], axis: 0 | 1, side: 1 | -1): void => {
    if (boundary === 'reflecting') {
      // No flux, f p - D grad p = 0: the slope along the normal is f / D there.
      const f = drift.at(inside[0], inside[1], t)[axis];
      if (f !== 0 && g === 0) {
        throw new SeedspanError(
          'INVALID_VALUE',
          `boundary "reflecting" needs diffusion where the drift crosses the border, but g(${t}) = 0`,
        );
      }
      constants[at++] = f === 0 ? 0 : side * 2 * (axis === 0 ? dx : dy) * ((2 * f) / (g * g));
      return;
    }
    const value = evaluateBoundary(boundary as BoundaryValues, i * dx, j * dy, t);
    constants[at++] = value;
  };
  for (let j = 0; j < width; j++) put(-1, j, [0, j], 0, -1);
  for (let j = 0; j < width; j++) put(height, j, [height - 1, j], 0, 1);
  for (let i = 0; i < height; i++) put(i, -1, [i, 0], 1, -1);
  for (let i = 0; i < height; i++) put(i, width, [i, width - 1], 1, 1);
  return constants;
}
