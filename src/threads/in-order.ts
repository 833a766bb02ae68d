/**
 * Begins jobs as they come, at most `window` of them before their results were handed out, and hands the results out
 * in the order of the jobs. When it ends, by `return` or an error, too, the signal that the jobs have is aborted, and
 * they have ended.
 *
 * @param signal - of the caller: its abort is the jobs'.
 */
export async function* inOrder<Job, Out>(
  jobs: AsyncIterator<Job>,
  window: number,
  begin: (job: Job, signal: AbortSignal) => Promise<Out>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Out, void, undefined> {
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const running: Promise<Out>[] = [];
  let more = true;
  try {
    for (;;) {
      while (more && running.length < window) {
        signal?.throwIfAborted();
        const { value, done } = await jobs.next();
        more = done !== true;
        if (!more) break;
        const result = begin(value, controller.signal);
        // Its failure is told when it is its turn.
        result.catch(() => {});
        running.push(result);
      }
      const first = running.shift();
      if (first === undefined) return;
      yield await first;
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    controller.abort();
    await Promise.allSettled(running);
    if (more) await jobs.return?.();
  }
}
