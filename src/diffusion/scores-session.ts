import type { Opened } from '../threads/messages.ts';
import { transferable } from '../threads/shared.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { computeFields, type Input, type Plan } from './fields.ts';
import type { ResolvedOptions } from './options.ts';
import { fromTable, type SdeTable } from './sde-table.ts';
import type { Boundary } from './types.ts';

/** What all parts of a pre-computation have in common, without functions. */
export interface ScoresSession {
  plan: Omit<Plan, 'settings'>;
  settings: Omit<ResolvedOptions, 'sde' | 'boundary'>;
  /** Absent where there are values in the table. */
  boundary: Exclude<Boundary, object> | undefined;
  table: SdeTable;
}

/** The plan as another thread can get it. */
export function posted({ settings, ...plan }: Plan, table: SdeTable): ScoresSession {
  const { sde: _, boundary, ...rest } = settings;
  return { plan, settings: rest, boundary: typeof boundary === 'object' ? undefined : boundary, table };
}

/** Computes some images at a time, in a worker. */
export function openScores(kernel: Kernel, session: unknown): Opened {
  const { plan, settings, boundary: named, table } = session as ScoresSession;
  const { sde, boundary } = fromTable(table);
  const own: Plan = { ...plan, settings: { ...settings, sde, boundary: (named ?? boundary)! } };
  return async (input, { signal, onEvent }) => {
    const result = await computeFields(kernel, own, input as Input, { signal, onProgress: onEvent });
    const { logDensity, scores } = result;
    return { result, transfer: transferable([logDensity.data, scores.data]) };
  };
}
