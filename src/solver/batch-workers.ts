import type { CsrMatrix } from '../sparse/index.ts';
import { inOrder } from '../threads/in-order.ts';
import { leasePool, paysForWorkers } from '../threads/lease.ts';
import { sessionLike, takeError } from '../threads/messages.ts';
import type { Workers } from '../threads/options.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { autoChoices } from './auto.ts';
import type { Source } from './batch.ts';
import { type BatchOptions, type BatchResult, planBatch } from './batch-options.ts';
import { type Part, PartsProgress, Systems } from './batch-parts.ts';
import { type BatchPartResult, type BatchSession, openBatch } from './batch-session.ts';
import { SOLVE_DEFAULTS } from './defaults.ts';

/** Most systems in a part, and bytes of them: enough work for the messages not to matter. */
const PART = { systems: 64, bytes: 2 ** 23 };
/** Systems for each lane in a part, at least: at its end lanes are empty. */
const ROUNDS = 2;
/** Parts on their way for each worker, and all parts, at least, so that the last ones end together. */
const AHEAD = 2;
const PARTS = 3;

/** What a call is about. */
interface Job {
  kernel: Kernel;
  session: BatchSession;
  systems: Systems;
  /** How many systems there are, where that is known. */
  count: number | undefined;
  /** Fewest and most systems in a part. */
  least: number;
  most: number;
  progress: PartsProgress;
  signal: AbortSignal | undefined;
}

/** `solveBatch` with the option `workers`. */
export async function* solveInWorkers(
  kernel: Kernel,
  source: Source,
  count: number | undefined,
  { workers, signal, onProgress, ...options }: BatchOptions & { workers: Workers },
): AsyncGenerator<BatchResult, void, undefined> {
  const systems = new Systems(source);
  try {
    signal?.throwIfAborted();
    const first = await systems.first();
    if (first === undefined) return;
    const { A } = first;
    const session = { indptr: A.indptr, indices: A.indices, options: withMethod(options, kernel, A) };
    const progress = new PartsProgress(systems, onProgress);
    const job = { kernel, session, systems, count, ...partLengths(session, kernel, A), progress, signal };
    const done = workers === 'auto' && (yield* solveHere(job));
    if (!done) yield* solveThere(job, workers);
  } finally {
    await systems.close();
  }
}

/** In this thread, until nothing is left, or enough for workers. True where nothing is left. */
async function* solveHere(job: Job): AsyncGenerator<BatchResult, boolean, undefined> {
  const { systems, count, progress, signal = new AbortController().signal } = job;
  const run = openBatch(job.kernel, job.session);
  let spent = 0;
  let length = job.least;
  // Small at first: nobody knows how long a system takes.
  for await (const part of systems.parts(() => length)) {
    length = Math.min(2 * length, job.most);
    const began = performance.now();
    const { result } = await run(part.input, { signal, onEvent: progress.of(part) });
    spent += performance.now() - began;
    systems.giveBack(part);
    yield* handOut(result as BatchPartResult, part, signal);
    const left = count === undefined ? spent : (spent * (count - systems.taken)) / systems.taken;
    if (await paysForWorkers(left)) return false;
  }
  return true;
}

async function* solveThere(job: Job, workers: Workers): AsyncGenerator<BatchResult, void, undefined> {
  const { systems, count = Infinity, least, most, progress, signal } = job;
  const left = count - systems.taken;
  const { pool, end } = await leasePool('solveBatch', workers, Math.ceil(left / least));
  const session = sessionLike(job.kernel, 'batch', job.session);
  const length = Math.max(least, Math.min(most, least * Math.ceil(left / (PARTS * pool.size * least))));
  const solve = async (part: Part, stop: AbortSignal) => {
    const { input } = part;
    if (input.count === 0) return { part, result: { results: [], failure: undefined } };
    const result = await pool.run(session, input, { signal: stop, onEvent: progress.of(part) });
    systems.giveBack(part);
    return { part, result: result as BatchPartResult };
  };
  try {
    const outcomes = inOrder(
      systems.parts(() => length),
      AHEAD * pool.size,
      solve,
      signal,
    );
    for await (const { part, result } of outcomes) yield* handOut(result, part, signal);
  } finally {
    await pool.close(session);
    await end();
  }
}

function* handOut(
  { results, failure }: BatchPartResult,
  part: Part,
  signal: AbortSignal | undefined,
): Generator<BatchResult, void, undefined> {
  for (const result of results) {
    yield result;
    signal?.throwIfAborted();
  }
  if (failure !== undefined) throw takeError(failure);
  if (part.failure !== undefined) throw part.failure.error;
}

/** With `auto` the first system decides, for all parts. */
function withMethod(options: BatchSession['options'], kernel: Kernel, A: CsrMatrix): BatchSession['options'] {
  if (options.method !== 'auto') return options;
  const { method, preconditioner } = autoChoices(kernel, A, SOLVE_DEFAULTS.rtol, options)[0];
  return { ...options, method, preconditioner: options.preconditioner ?? preconditioner, lanes: 1 };
}

function partLengths(
  { options }: BatchSession,
  kernel: Kernel,
  A: CsrMatrix,
): { least: number; most: number } {
  const { lanes } = planBatch(options, kernel, A);
  const least = lanes === 1 ? 1 : ROUNDS * lanes;
  const fitting = Math.floor(PART.bytes / (8 * (A.nnz + 2 * A.shape[0]) + 1));
  const most = Math.min(PART.systems, fitting);
  return { least, most: Math.max(least, most - (most % lanes)) };
}
