import { createHash } from 'node:crypto';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import type { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';

type Threads = { Worker: typeof Worker };

/** The threads that are started from now on, in this test, for it to look at and to kill. */
export function watchThreads(): Worker[] {
  const threads = createRequire(import.meta.url)('node:worker_threads') as Threads;
  const { Worker: Original } = threads;
  const started: Worker[] = [];
  threads.Worker = class extends Original {
    constructor(...parameters: ConstructorParameters<typeof Original>) {
      super(...parameters);
      started.push(this);
    }
  };
  syncBuiltinESMExports();
  onTestFinished(() => {
    threads.Worker = Original;
    syncBuiltinESMExports();
  });
  return started;
}

/** How many of them are at work or waiting for some. */
export function alive(threads: readonly Worker[]): number {
  return threads.filter(({ threadId }) => threadId > 0).length;
}

/** Of the bits: many numbers are compared in no time. */
export function digest({ buffer, byteOffset, byteLength }: Float64Array): string {
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
}
