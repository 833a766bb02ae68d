import { Presets, SingleBar } from 'cli-progress';
import type { Context } from './context.ts';

/** A bar on standard error, on a terminal only. */
export interface ProgressBar {
  update(what: string, done: number, total: number): void;
  stop(): void;
}

export function progressBar({ stderr }: Context): ProgressBar {
  if (stderr.isTTY !== true) return { update: () => undefined, stop: () => undefined };
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
