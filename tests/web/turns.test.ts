import { expect, it } from 'vitest';
import { Turns } from '../../web/compute/turns.ts';

it('lets the run that is behind go on, one at a time, until each has had its time', async () => {
  const turns = new Turns(3);
  const steps = [1, 4, 2.5];
  const log: { run: number; used: number }[] = [];
  let atWork = 0;
  await Promise.all(
    steps.map(async (step, run) => {
      let used = 0;
      await turns.next(run, 0);
      while (used < 20) {
        expect(++atWork).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 0));
        used += step;
        log.push({ run, used });
        atWork--;
        await turns.next(run, used);
      }
      turns.leave(run);
    }),
  );
  expect(steps.map((_, run) => log.filter((entry) => entry.run === run).at(-1)!.used)).toEqual([20, 20, 20]);
  const used = [0, 0, 0];
  for (const entry of log) {
    used[entry.run] = entry.used;
    expect(Math.max(...used) - Math.min(...used)).toBeLessThanOrEqual(4);
  }
});

it('goes on without a run that left', async () => {
  const turns = new Turns(2);
  await turns.next(0, 0);
  const waiting = turns.next(1, 0);
  turns.leave(0);
  await waiting;
  await turns.next(1, 5);
});
