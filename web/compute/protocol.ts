import type { CostsInput, CostsOutput, WayResult } from './costs.ts';
import type { PrecomputeInput, PrecomputeNews, PrecomputeOutput } from './precompute.ts';
import type { TrainingInput, TrainingNews, TrainingOutput } from './training.ts';
import type { MoveInput, PointsFrame, StartInput } from './travel.ts';

/** What the worker can do: what each job takes, tells on its way, and gives. */
export interface Jobs {
  precompute: { input: PrecomputeInput; news: PrecomputeNews; result: PrecomputeOutput };
  costs: { input: CostsInput; news: WayResult; result: CostsOutput };
  start: { input: StartInput; news: never; result: PointsFrame };
  train: { input: TrainingInput; news: TrainingNews; result: TrainingOutput };
  move: { input: MoveInput; news: never; result: PointsFrame };
}

export type JobName = keyof Jobs;

/** To the worker. A ping is answered at once by a worker that lives and is not stuck. */
export type Request =
  | { id: number; type: 'run'; job: JobName; input: unknown }
  | { id: number; type: 'cancel' }
  | { id: number; type: 'ping' };

/** From the worker. */
export type Reply =
  | { id: number; type: 'news'; news: unknown }
  | { id: number; type: 'done'; result: unknown }
  | { id: number; type: 'failed'; failure: Failure }
  | { id: number; type: 'pong' };

/** An error, as it crosses from thread to thread. */
export interface Failure {
  name: string;
  message: string;
  /** Of a `SeedspanError`. */
  code?: string;
}

/** How a job does its work: it looks at the signal, and tells. Buffers that it lists are moved, not copied. */
export type Job<Name extends JobName> = (
  input: Jobs[Name]['input'],
  context: { signal: AbortSignal; tell: (news: Jobs[Name]['news']) => void },
) => Promise<{ result: Jobs[Name]['result']; transfer?: Transferable[] }>;
