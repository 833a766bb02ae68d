import { type ErrorCode, SeedspanError } from '../errors.ts';
import type { Build } from '../wasm/builds.ts';
import type { Kernel } from '../wasm/kernel.ts';

/** What a worker can do; its script has the table. */
export type Task = 'batch' | 'scores' | 'shards';

/** What all jobs of a call have in common: a worker gets it once, and has an instance of the kernel for it. */
export interface Session {
  readonly task: Task;
  readonly build: Build;
  readonly module: WebAssembly.Module;
  readonly memoryLimit: number | undefined;
  readonly data: unknown;
}

/** A session whose workers have kernels like this one. `data` is cloned. */
export function sessionLike(kernel: Kernel, task: Task, data: unknown): Session {
  const { build, module, memoryLimit } = kernel;
  return { task, build, module, memoryLimit, data };
}

/** An error on its way between threads, where classes get lost. */
export type PostedError =
  | { code: ErrorCode; message: string; details: Readonly<Record<string, unknown>> }
  | { error: unknown };

/** What is asked of a worker. */
export type Call =
  | { start: true }
  | { open: number; session: Session }
  | { close: number }
  | { run: number; input: unknown }
  /** Ends the call of the same id. */
  | { abort: true };

/** What comes back for a call. `missing`: the worker does not know the session. */
export type Reply = { result: unknown } | { failure: PostedError } | { missing: true };

/** A message of a worker's about the call with this id: its end, or something on the way. */
export type Answer = { id: number; reply: Reply } | { id: number; event: unknown };

export function postError(error: unknown): PostedError {
  if (!(error instanceof SeedspanError)) return { error };
  const { code, message, details } = error;
  return { code, message, details };
}

export function takeError(posted: PostedError): unknown {
  if ('error' in posted) return posted.error;
  return new SeedspanError(posted.code, posted.message, { ...posted.details });
}

/** What a job of a session does: its result, and which buffers of it are handed over instead of copied. */
export interface Opened {
  (
    input: unknown,
    hooks: { signal: AbortSignal; onEvent: (event: unknown) => void },
  ): Promise<{ result: unknown; transfer: ArrayBuffer[] }>;
  /** Gives back what the session holds beside memory. */
  close?(): Promise<void>;
}
