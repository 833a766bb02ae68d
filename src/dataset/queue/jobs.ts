import type { JobsOptions } from 'bullmq';
import { type ErrorCode, SeedspanError } from '../../errors.ts';
import type { ShardJob } from '../types.ts';
import { withoutSecrets } from './secrets.ts';

/** Intervals of the book-keeping, in milliseconds by a clock that nobody can set. */
export interface QueueTiming {
  /** A worker that says nothing for so long has lost its shard. */
  lock: number;
  /** How often workers look for shards whose worker is gone. */
  stalled: number;
  /** How long a worker waits for a shard in one request. */
  fetch: number;
  /** How often the driver compares queue and store. */
  look: number;
  /** How often a worker says that it is there. */
  presence: number;
  /** Least time between two messages about a shard's progress. */
  progress: number;
  /** Of a worker whose last shard failed; doubles with each further one, up to 30 times. */
  rest: number;
}

export const TIMING: QueueTiming = {
  lock: 30_000,
  stalled: 15_000,
  fetch: 5000,
  look: 5000,
  presence: 5000,
  progress: 1000,
  rest: 1000,
};

/** How often a shard may lose its worker: one image that kills is found at the second attempt, the next at the third. */
export const MOST_STALLS = 20;

/** Of a job: the plan's hash, shortened, and the shard. */
export function jobId(plan: string, shard: number): string {
  return `${plan.slice(0, 24)}-${shard}`;
}

/** The shard of a job's number; absent for jobs of other plans. */
export function shardOf(id: string, plan: string): number | undefined {
  const start = `${plan.slice(0, 24)}-`;
  return id.startsWith(start) ? Number(id.slice(start.length)) : undefined;
}

/** @param backoff - Seconds before the second attempt; each further one waits twice as long. */
export function jobOptions(plan: string, shard: number, attempts: number, backoff: number): JobsOptions {
  return {
    jobId: jobId(plan, shard),
    attempts,
    // Shards that failed together (a full disk) do not come back together.
    backoff: { type: 'exponential', delay: Math.round(backoff * 1000), jitter: 0.5 },
    removeOnComplete: true,
    removeOnFail: false,
    stackTraceLimit: 0,
  };
}

/** Checks what a queue handed out. */
export function checkJob(data: unknown): ShardJob {
  const { store, plan, shard, attempt } = (data ?? {}) as Partial<Record<keyof ShardJob, unknown>>;
  if (typeof store !== 'string' || typeof plan !== 'string' || !isCount(shard, 0) || !isCount(attempt, 1)) {
    throw new SeedspanError(
      'BAD_FORMAT',
      'the queue has a job that is no shard: store, plan, shard and attempt are expected',
    );
  }
  return { store, plan, shard, attempt };
}

function isCount(value: unknown, least: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

/** Errors that another attempt, or another machine, may be spared. The others stay, wherever the shard is tried. */
const PASSING: readonly ErrorCode[] = [
  'IO',
  'OUT_OF_MEMORY',
  'WORKER_FAILED',
  'BUSY',
  'UNSUPPORTED',
  'DISPOSED',
];

/** Whether a shard that failed so may be tried again. */
export function isPassing(error: unknown): boolean {
  return !(error instanceof SeedspanError) || PASSING.includes(error.code);
}

/** An error as a queue keeps it: one line of text, which {@link parseFailure} reads. */
export function failureText(error: unknown, worker: string): string {
  const code: ErrorCode = error instanceof SeedspanError ? error.code : 'WORKER_FAILED';
  const message = error instanceof Error ? error.message : String(error);
  return `${code}: ${withoutSecrets(message).slice(0, 2000)} (worker ${worker})`;
}

/** Code and message of a failure. What the queue itself says has no code: a worker was lost too often. */
export function parseFailure(text: string): { code: string; message: string } {
  const [, code, message] = /^([A-Z_]+): (.*)$/s.exec(text) ?? [];
  if (code !== undefined && message !== undefined) return { code, message };
  return {
    code: 'WORKER_FAILED',
    message: text.includes('stalled')
      ? `its workers were lost again and again (${MOST_STALLS} times)`
      : withoutSecrets(text),
  };
}
