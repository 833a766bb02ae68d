import type { QueueTiming } from '../../src/dataset/queue/jobs.ts';

/** Short, so that a test need not wait for half a minute until a worker counts as lost. */
export const FAST: QueueTiming = {
  lock: 900,
  stalled: 300,
  fetch: 200,
  look: 150,
  presence: 200,
  progress: 20,
  rest: 20,
};
