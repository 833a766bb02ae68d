/** Waits, by a clock that nobody can set; ends early, and without error, when the signal aborts. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** What a promise gives, or `undefined` after so long; a promise that fails later is nobody's error. */
export async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  promise.catch(() => undefined);
  const over = new AbortController();
  try {
    return await Promise.race([promise, pause(milliseconds, over.signal).then(() => undefined)]);
  } finally {
    over.abort();
  }
}
