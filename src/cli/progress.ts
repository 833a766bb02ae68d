import { Presets, SingleBar } from 'cli-progress';
import type { Context } from './context.ts';

/** A bar on standard error, on a terminal; elsewhere nothing, or a line now and then. */
export interface ProgressBar {
  update(what: string, done: number, total: number): void;
  stop(): void;
}

/** @param everySeconds - How often a line is written where there is no terminal, for the logs of long runs. */
export function progressBar({ stderr }: Context, everySeconds = Infinity): ProgressBar {
  if (stderr.isTTY !== true) return progressLines(stderr, everySeconds);
  const bar = new SingleBar(
    { stream: stderr, format: '{what} [{bar}] {percentage} %', clearOnComplete: true, fps: 10 },
    Presets.legacy,
  );
  let started = false;
  return {
    update(what, done, total) {
      if (!started) bar.start(total, done, { what });
      started = true;
      bar.setTotal(total);
      bar.update(done, { what });
    },
    stop() {
      if (started) bar.stop();
    },
  };
}

function progressLines(stderr: Context['stderr'], everySeconds: number): ProgressBar {
  let last = performance.now();
  return {
    update(what, done, total) {
      const now = performance.now();
      if (now - last < 1000 * everySeconds) return;
      last = now;
      stderr.write(`${what}: ${done.toLocaleString('en')} of ${total.toLocaleString('en')}\n`);
    },
    stop: () => undefined,
  };
}
