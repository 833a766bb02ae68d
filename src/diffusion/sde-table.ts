import { yieldToHost } from '../solver/yield.ts';
import { evaluateDrift } from './drift-field.ts';
import type { Plan } from './fields.ts';
import { evaluateBoundary } from './scheme-consistent.ts';
import type { Boundary, Sde } from './types.ts';

/**
 * An equation's coefficients, and given border values, at the levels and grid points where a run asks for them: what
 * can go to another thread, where functions cannot.
 */
export interface SdeTable {
  name: string | undefined;
  times: Float64Array;
  height: number;
  width: number;
  spacing: readonly [number, number];
  /** By level. */
  diffusion: Float64Array;
  /** `[levels, H + 2, W + 2, 2]`, one spacing beyond the grid. */
  drift: Float64Array | undefined;
  /** `[levels, 2 H + 2 W]`: beyond the first and last row, then the first and last column. */
  border: Float64Array | undefined;
}

/** Evaluates what the caller's functions are asked for; their errors come now. */
export async function tabulate(
  { settings, times }: Plan,
  { height, width }: { height: number; width: number },
  spacing: readonly [number, number],
  signal: AbortSignal | undefined,
): Promise<SdeTable> {
  const { sde, boundary, scheme, timeStepping } = settings;
  const [dx, dy] = spacing;
  const levels = times.length;
  const row = (width + 2) * 2;
  const table: SdeTable = {
    name: sde.name,
    times,
    height,
    width,
    spacing,
    diffusion: times.map((t) => sde.diffusion(t)),
    drift: sde.drift && new Float64Array(levels * (height + 2) * row),
    border: typeof boundary === 'object' ? new Float64Array(levels * 2 * (height + width)) : undefined,
  };
  const { drift, border } = table;
  if (drift === undefined && border === undefined) return table;
  // The paper's program differences within the grid; and the first level is given, but for Crank and Nicolson.
  const margin = scheme === 'consistent' ? 1 : 0;
  const first = scheme === 'consistent' && timeStepping === 'crank-nicolson' ? 0 : 1;
  for (let level = first; level < levels; level++) {
    const t = times[level];
    for (let i = -margin; drift !== undefined && i < height + margin; i++) {
      for (let j = -margin; j < width + margin; j++) {
        const corner = (i < 0 || i === height) && (j < 0 || j === width);
        if (corner) continue;
        drift.set(
          evaluateDrift(sde.drift!, i * dx, j * dy, t),
          (level * (height + 2) + i + 1) * row + 2 * j + 2,
        );
      }
    }
    if (border !== undefined) {
      const points = borderPoints(height, width);
      for (const [k, [i, j]] of points.entries()) {
        border[level * points.length + k] = evaluateBoundary(boundary as BoundaryValues, i * dx, j * dy, t);
      }
    }
    await yieldToHost();
    signal?.throwIfAborted();
  }
  return table;
}

type BoundaryValues = Exclude<Boundary, string>;

/** The points one spacing outside the grid, in the order of the table. */
function borderPoints(height: number, width: number): [i: number, j: number][] {
  const rows = [-1, height].flatMap((i) => Array.from({ length: width }, (_, j): [number, number] => [i, j]));
  const columns = [-1, width].flatMap((j) =>
    Array.from({ length: height }, (_, i): [number, number] => [i, j]),
  );
  return [...rows, ...columns];
}

/** Functions that look the values up; they are defined where they were evaluated. */
export function fromTable(table: SdeTable): { sde: Sde; boundary: BoundaryValues | undefined } {
  const { name, times, height, width, diffusion, drift, border } = table;
  const [dx, dy] = table.spacing;
  const levels = new Map(Array.from(times, (t, level) => [t, level]));
  const levelOf = (t: number) => levels.get(t)!;
  const at = (x: number, spacing: number) => Math.round(x / spacing);
  const sde: Sde = { name, diffusion: (t) => diffusion[levelOf(t)] };
  const lookUp = (x: number, y: number, t: number): readonly [number, number] => {
    const k = ((levelOf(t) * (height + 2) + at(x, dx) + 1) * (width + 2) + at(y, dy) + 1) * 2;
    return [drift![k], drift![k + 1]];
  };
  const values = (x: number, y: number, t: number): number => {
    const [i, j] = [at(x, dx), at(y, dy)];
    const inRow = i < 0 ? j : width + j;
    const inColumn = 2 * width + (j < 0 ? i : height + i);
    return border![levelOf(t) * 2 * (height + width) + (i < 0 || i === height ? inRow : inColumn)];
  };
  return {
    sde: drift === undefined ? sde : { ...sde, drift: lookUp },
    boundary: border === undefined ? undefined : { values },
  };
}
