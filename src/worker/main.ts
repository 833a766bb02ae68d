// What runs in a worker: `createWorkerPool` starts it, `WorkerPool` calls it.
import { openScores } from '../diffusion/scores-session.ts';
import { openBatch } from '../solver/batch-session.ts';
import { type Parent, serve } from './serve.ts';

function findParent(): Parent {
  const scope = globalThis as unknown as Parent & { require?: (name: string) => { parentPort: Parent } };
  if (typeof scope.postMessage === 'function') return scope;
  // Scripts that are given as text have it as a global there.
  return scope.require!('node:worker_threads').parentPort;
}

serve(findParent(), { batch: openBatch, scores: openScores });
