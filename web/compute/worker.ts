// The page's worker: one file, of which the page starts as many as it has things to do at a time.

import { runCosts } from './costs.ts';
import { runPrecompute } from './precompute.ts';
import type { Failure, Job, JobName, Reply, Request } from './protocol.ts';
import { movePoints, startPoints } from './travel.ts';

const JOBS: { [Name in JobName]: Job<Name> } = {
  precompute: runPrecompute,
  costs: runCosts,
  start: startPoints,
  move: movePoints,
  // TensorFlow.js is loaded with it, and only then.
  train: async (input, context) => (await import('./training.ts')).runTraining(input, context),
};

/** What a worker's global scope has of its own; the types here are a page's. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<Request>) => void) | null;
  postMessage(message: Reply, transfer?: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;
const running = new Map<number, AbortController>();

scope.onmessage = ({ data: request }) => {
  if (request.type === 'ping') scope.postMessage({ id: request.id, type: 'pong' });
  else if (request.type === 'cancel') running.get(request.id)?.abort();
  else void run(request);
};

async function run({ id, job, input }: Request & { type: 'run' }): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const tell = (news: unknown) => scope.postMessage({ id, type: 'news', news });
    // The name picks the job that the input is for.
    const work = JOBS[job] as Job<JobName>;
    const { result, transfer = [] } = await work(input as never, { signal: controller.signal, tell });
    scope.postMessage({ id, type: 'done', result }, transfer);
  } catch (error) {
    scope.postMessage({ id, type: 'failed', failure: describe(error) });
  } finally {
    running.delete(id);
  }
}

function describe(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message } = error;
  const { code } = error as { code?: unknown };
  return { name, message, ...(typeof code === 'string' ? { code } : {}) };
}
