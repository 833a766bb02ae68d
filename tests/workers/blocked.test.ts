import { expect, it, vi } from 'vitest';
import { createWorkerPool } from '../../src/index.ts';
import { alive, watchThreads } from './threads.ts';

// What a page does whose policy forbids the script.
vi.mock('../../build/worker/seedspan.worker.js', () => ({ default: 'throw new Error("not allowed here");' }));

it('says what to do where workers cannot be started', async () => {
  const threads = watchThreads();
  await expect(createWorkerPool({ workers: 2 })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringMatching(/not allowed here.*worker-src blob:.*url/),
  });
  expect(alive(threads)).toBe(0);
});
