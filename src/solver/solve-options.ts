import type { SolveProgress } from './types.ts';
import type { Workspace } from './workspace.ts';
import type { RunOptions } from './workspace-options.ts';

/** How one system is solved. */
export interface SolveOptions extends RunOptions {
  /** Made by `engine.workspace` for this pattern: nothing is allocated, and `result` is reused by the next solve. */
  workspace?: Workspace;
}

/** The options of a solve, with those to cancel and follow it. */
export interface SolveAsyncOptions extends SolveOptions {
  /** Checked between slices of some milliseconds; the promise is rejected with its reason. */
  signal?: AbortSignal;
  /** Called after each slice. What it throws ends the solve. */
  onProgress?: (progress: SolveProgress) => void;
}
